//! The parts of an address that is not a URL yet: where its credentials and its variables are.

use condafront_model::placeholder::is_placeholder;
use condafront_model::redact;

/// A part of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part<'a> {
    /// What is not a credential.
    Plain(&'a str),
    /// User and password, without the `@` after it.
    Login(&'a str),
    /// An anaconda.org token, without the `/t/` before it.
    Token(&'a str),
}

impl<'a> Part<'a> {
    pub(super) fn text(self) -> &'a str {
        match self {
            Self::Plain(text) | Self::Login(text) | Self::Token(text) => text,
        }
    }

    /// Adds it to an address.
    pub(super) fn write(self, address: &mut String) {
        let (before, after) = match self {
            Self::Plain(_) => ("", ""),
            Self::Login(_) => ("", "@"),
            Self::Token(_) => ("/t/", ""),
        };
        address.extend([before, self.text(), after]);
    }
}

/// Whether a part is a login or a token, and no placeholder for one. `user:` and `:password` are logins.
pub(super) fn is_credential(part: Part<'_>) -> bool {
    match part {
        Part::Plain(_) => false,
        Part::Login(text) => !matches!(text, "" | ":") && !text.split(':').any(is_placeholder),
        Part::Token(text) => !text.is_empty() && !is_placeholder(text),
    }
}

/// Whether a credential is written out: neither a token nor a password is a variable.
pub(super) fn is_written_out(credential: Part<'_>) -> bool {
    let text = credential.text();
    let secret = text.split_once(':').map_or(text, |(_, password)| password);
    !secret.is_empty() && pieces(secret).all(|(_, name)| name.is_none())
}

/// Whether a part is a login, and no placeholder for one.
pub(super) fn is_login(part: Part<'_>) -> bool {
    matches!(part, Part::Login(_)) && is_credential(part)
}

/// Splits an address.
pub(super) fn parts(address: &str) -> impl Iterator<Item = Part<'_>> + use<'_> {
    let start = address.find("://").map_or(0, |at| at + 3);
    let (scheme, rest) = address.split_at(start);
    let (login, rest) = split_login(start, rest);
    let (host, path) = rest.split_at(match start {
        0 => 0,
        _ => authority_end(rest),
    });
    let (before, token, after) = match path.split_once("/t/").filter(|_| start > 0) {
        Some((before, rest)) => {
            let rest = rest.trim_start_matches('/');
            let (token, after) = rest.split_at(rest.find(['/', '#']).unwrap_or(rest.len()));
            (before, Some(Part::Token(token)), after)
        }
        None => (path, None, ""),
    };
    let login = login.map(Part::Login);
    let scheme = Some(Part::Plain(scheme));
    let [host, before, after] = [host, before, after].map(|text| Some(Part::Plain(text)));
    [scheme, login, host, before, token, after]
        .into_iter()
        .flatten()
}

/// Splits what follows the scheme into the login, if there is one, and the rest. `start` is where it follows.
fn split_login(start: usize, rest: &str) -> (Option<&str>, &str) {
    match redact::login_end(rest).filter(|_| start > 0) {
        Some(end) => (Some(&rest[..end - 1]), &rest[end..]),
        None => (None, rest),
    }
}

/// Where the host ends.
fn authority_end(rest: &str) -> usize {
    rest.find(['/', '?', '#']).unwrap_or(rest.len())
}

/// The host of an address, without its port: what follows it in a list of addresses does not matter.
pub(super) fn host(address: &str) -> Option<&str> {
    let (_, rest) = address.split_once("://")?;
    let (_, rest) = split_login(rest.len(), rest);
    let authority = &rest[..authority_end(rest)];
    let host = match authority.strip_prefix('[') {
        Some(ipv6) => ipv6.split(']').next(),
        None => authority.split([':', ',', '=', ']', '|']).next(),
    };
    host.filter(|host| !host.is_empty() && !host.contains('$'))
}

/// The addresses in a text, perhaps with more of the text after their hosts.
pub(super) fn addresses(text: &str) -> impl Iterator<Item = &str> {
    let is_scheme = |c: char| c.is_ascii_alphanumeric();
    text.match_indices("://").map(move |(at, mark)| {
        let start = text[..at].trim_end_matches(is_scheme).len();
        let rest = &text[at + mark.len()..];
        let ends = |c: char| c.is_whitespace() || "\"'".contains(c);
        let end = rest.find(ends).unwrap_or(rest.len());
        let end = rest[..end].find("://").unwrap_or(end);
        &text[start..at + mark.len() + end]
    })
}

/// Splits a text into pieces that end with a variable, each with its name, and a last one without.
pub(super) fn pieces(text: &str) -> impl Iterator<Item = (&str, Option<&str>)> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest.take()?;
        let mut from = 0;
        while let Some(at) = text[from..].find('$') {
            let at = from + at;
            if let Some((name, after)) = name(&text[at + 1..]) {
                rest = Some(after);
                return Some((&text[..at], Some(name)));
            }
            from = at + 1;
        }
        Some((text, None))
    })
}

/// The name after a dollar, and what follows it; `None` if the dollar is a dollar.
fn name(text: &str) -> Option<(&str, &str)> {
    if let Some(inside) = text.strip_prefix('{') {
        return inside.split_once('}');
    }
    let end = text
        .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

/// Whether a name is one that variables can have.
pub(super) fn is_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
