//! The parts of an address that is not a URL yet: where its credentials and its variables are.

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
}

/// Splits an address.
pub(super) fn parts(address: &str) -> impl Iterator<Item = Part<'_>> + use<'_> {
    let start = address.find("://").map_or(0, |at| at + 3);
    let (scheme, rest) = address.split_at(start);
    let end = match start {
        0 => 0,
        _ => authority_end(rest),
    };
    let (authority, path) = rest.split_at(end);
    let (login, host) = match authority.rsplit_once('@') {
        Some((login, host)) => (Some(Part::Login(login)), host),
        None => (None, authority),
    };
    let (before, token, after) = match path.split_once("/t/").filter(|_| start > 0) {
        Some((before, rest)) => {
            let (token, after) = rest.split_at(rest.find(['/', '#']).unwrap_or(rest.len()));
            (before, Some(Part::Token(token)), after)
        }
        None => (path, None, ""),
    };
    let scheme = Some(Part::Plain(scheme));
    let [host, before, after] = [host, before, after].map(|text| Some(Part::Plain(text)));
    [scheme, login, host, before, token, after]
        .into_iter()
        .flatten()
}

/// Where the login and the host end.
fn authority_end(rest: &str) -> usize {
    rest.find(['/', '?', '#']).unwrap_or(rest.len())
}

/// The host of an address, without its port.
pub(super) fn host(address: &str) -> Option<&str> {
    let (_, rest) = address.split_once("://")?;
    let authority = &rest[..authority_end(rest)];
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    let is_plain = |host: &&str| !host.is_empty() && !host.contains('$');
    Some(host.split(':').next().unwrap_or_default()).filter(is_plain)
}

/// The addresses in a text: its words with `://`.
pub(super) fn addresses(text: &str) -> impl Iterator<Item = &str> {
    let ends = |c: char| c.is_whitespace() || "\"'[]<>,|=".contains(c);
    text.split(ends).filter(|word| word.contains("://"))
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

/// A credential that is a variable as Windows writes it, `%NAME%`.
pub(super) fn windows_variable(text: &str) -> Option<&str> {
    text.split(':').find(|word| {
        let name = word
            .strip_prefix('%')
            .and_then(|rest| rest.strip_suffix('%'));
        name.is_some_and(is_name)
    })
}
