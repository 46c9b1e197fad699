//! Keeps credentials in URLs out of everything that is shown or recorded: `user:password@`, anaconda.org's `/t/<token>`,
//! which conda recognises anywhere in a path, and queries that may be signatures.

use url::Url;

use crate::visible::{cut, visible_line};

/// Shown instead of a credential.
const MASK: &str = "***";

/// Removes user and password from `url`.
pub fn strip_login(url: &mut Url) {
    // Both fail only for URLs that cannot have credentials.
    let _ = url.set_username("");
    let _ = url.set_password(None);
}

/// Removes user, password and token from `url`.
pub fn strip(url: &mut Url) {
    strip_login(url);
    if let Some((before, after)) = around_token(url.path()) {
        let path = format!("{before}{after}");
        url.set_path(&path);
    }
}

/// `url` without user, password and token, to be recorded. A text that is not a URL is returned as it is.
pub fn without_credentials(url: &str) -> String {
    let Ok(parsed) = Url::parse(url) else {
        return url.to_owned();
    };
    let mut stripped = parsed.clone();
    strip(&mut stripped);
    // An untouched URL keeps its spelling.
    if stripped == parsed {
        url.to_owned()
    } else {
        stripped.into()
    }
}

/// `text` as it may be shown: the credentials of all URLs in it are masked, even of malformed ones.
pub fn masked(text: &str) -> String {
    const MARK: &str = "://";
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(MARK) {
        let (head, tail) = rest.split_at(at + MARK.len());
        push_plain(head, &mut shown);
        // A mirror's URL may follow the channel's with only a `=` between them.
        let line = &tail[..tail.find(MARK).unwrap_or(tail.len())];
        let line = &line[..line.find('\n').unwrap_or(line.len())];
        let start = login_end(line).unwrap_or(0);
        if start > 0 {
            shown.extend([MASK, "@"]);
        }
        let end = start + word_end(&line[start..]);
        push_masked(&line[start..end], &mut shown);
        rest = &tail[end..];
    }
    push_plain(rest, &mut shown);
    shown
}

fn word_end(text: &str) -> usize {
    text.find(char::is_whitespace).unwrap_or(text.len())
}

/// Where the host begins in `line`, which follows `://`, if there is a login before it. A password may have `/`, `?`, `#`,
/// `@` or a space although it must not.
pub fn login_end(line: &str) -> Option<usize> {
    let ends = |c: char| "/?#".contains(c) || c.is_whitespace();
    let (authority, after) = line.split_at(line.find(ends).unwrap_or(line.len()));
    let last = |text: &str| text.rfind('@').map(|at| at + 1);
    if let Some(start) = last(authority) {
        let word = &line[..authority.len() + word_end(after)];
        let later = last(word).filter(|at| {
            // Not the version in `repository@v1`.
            let rest = &word[*at..];
            !is_host(&authority[start..]) && (rest.contains('/') || is_host(rest))
        });
        return later.or(Some(start));
    }
    let (name, port) = authority.split_once(':')?;
    if name.starts_with('[') {
        return None;
    }
    let start = last(line)?;
    let is_port = !port.is_empty() && port.bytes().all(|c| c.is_ascii_digit());
    let host = &line[start..];
    let host = &host[..host.find(ends).unwrap_or(host.len())];
    (!is_port || (!is_host(name) && is_host(host))).then_some(start)
}

/// Whether this looks like a host, maybe with a port: a user's name and the version in `repository@v1` rarely do.
fn is_host(text: &str) -> bool {
    let (name, port) = text.split_once(':').unwrap_or((text, ""));
    let is_part = |c: char| c.is_alphanumeric() || ".-_".contains(c);
    (name.contains('.') || name == "localhost")
        && name.chars().all(is_part)
        && port.bytes().all(|c| c.is_ascii_digit())
}

/// Adds text without `://`. `user:password@host` in it is a URL without its scheme, and `t/<token>/name` a channel.
fn push_plain(text: &str, shown: &mut String) {
    for word in text.split_inclusive(char::is_whitespace) {
        if let Some((before, after)) = around_token_of_name(word) {
            shown.extend([before, "t/", MASK, after]);
            continue;
        }
        match word.rsplit_once('@') {
            // Not `ubuntu:24.04@sha256:…`.
            Some((user, host)) if user.contains(':') && !host.starts_with("sha256:") => {
                shown.extend([MASK, "@", host]);
            }
            _ => shown.push_str(word),
        }
    }
}

/// What the user wrote, as a message quotes it: on one line, at most 60 characters, with control characters as escapes
/// and without credentials.
pub fn quoted(text: &str) -> String {
    shortened(&masked(text), 60)
}

/// Like [`quoted`], for what the user is to write, which must be whole: at most 300 characters.
pub fn in_full(text: &str) -> String {
    shortened(&masked(text), 300)
}

/// Whether a URL's query may be a secret, such as a signature. The names of its parameters say so: `raw=true` and
/// `file=demo.whl` are none.
pub fn is_secret(query: &str) -> bool {
    /// Signatures, and what is signed, are longer than what a person writes.
    const LONGEST: usize = 120;
    let mut parts = query.split('&').filter(|part| !part.is_empty());
    query.len() > LONGEST
        || parts.any(|part| match part.split_once('=') {
            Some((name, "")) => !is_word(name),
            Some((name, value)) => {
                !is_parameter(name) || is_secret_parameter(name) || is_web_token(value)
            }
            None => !is_word(part),
        })
}

/// Whether all of a query may be shown: parameters that never hold a secret, with short values. What is shown may be
/// anything that resembles a URL, so a query that is not [secret](is_secret) need not be plain.
fn is_plain(query: &str) -> bool {
    const NAMES: [&str; 9] = [
        "branch",
        "download",
        "file",
        "inline",
        "raw",
        "ref",
        "rev",
        "subdirectory",
        "tag",
    ];
    /// Tokens and signatures are longer.
    const LONGEST: usize = 20;
    let is_part = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
    let is_short = |value: &str| value.len() <= LONGEST && value.chars().all(is_part);
    let mut parts = query.split('&').map(|part| part.split_once('='));
    let is_known = |(name, value): (&str, &str)| NAMES.contains(&name) && is_short(value);
    !is_secret(query) && parts.all(|part| part.is_some_and(is_known))
}

/// Whether this is a plain word, such as `download`, and not a token without a name.
fn is_word(text: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || b"-_".contains(&byte);
    text.len() <= 20 && text.bytes().all(is_letter)
}

/// Whether this is a name that parameters have: `ref_type`, `versionId`, `md5`. Tokens have digits among their letters.
fn is_parameter(name: &str) -> bool {
    let letters = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let is_part = |byte: u8| byte.is_ascii_alphabetic() || b"-_.".contains(&byte);
    name.len() <= 30 && !letters.is_empty() && letters.bytes().all(is_part)
}

/// Whether the value of a parameter with this name is a secret, or a part of a signed query.
fn is_secret_parameter(name: &str) -> bool {
    /// In any part of a name: `accessToken`, `PRIVATE-TOKEN`.
    const PARTS: [&str; 9] = [
        "apikey",
        "credential",
        "passw",
        "pwd",
        "secret",
        "session",
        "signature",
        "signed",
        "token",
    ];
    /// As a word of a name: `Key-Pair-Id`, `auth_code`.
    const WORDS: [&str; 13] = [
        "auth",
        "authorization",
        "bearer",
        "code",
        "hmac",
        "jwt",
        "key",
        "oauth",
        "pass",
        "policy",
        "sig",
        "sign",
        "ticket",
    ];
    const STARTS: [&str; 2] = ["x-amz-", "x-goog-"];
    let lower = name.to_ascii_lowercase();
    STARTS.iter().any(|start| lower.starts_with(start))
        || PARTS.iter().any(|part| lower.contains(part))
        || words(name).any(|word| WORDS.contains(&word.to_ascii_lowercase().as_str()))
}

/// The words of a name: `access`, `Key` and `Id` of `accessKeyId`.
fn words(name: &str) -> impl Iterator<Item = &str> {
    let of_part = |part| {
        let mut rest: &str = part;
        std::iter::from_fn(move || {
            let bytes = rest.as_bytes();
            let is_start =
                |at: &usize| bytes[*at].is_ascii_uppercase() && bytes[at - 1].is_ascii_lowercase();
            let end = (1..rest.len()).find(is_start).unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            rest = after;
            Some(word).filter(|word| !word.is_empty())
        })
    };
    name.split(|c: char| !c.is_ascii_alphabetic())
        .flat_map(of_part)
}

/// Whether a value is a JSON web token, whatever its name is.
fn is_web_token(value: &str) -> bool {
    value.starts_with("eyJ")
}

/// At most `longest` characters of a text, on one line, with control characters as escapes.
pub fn shortened(text: &str, longest: usize) -> String {
    visible_line(&cut(text, longest)).into_owned()
}

/// Adds to `shown` what follows the credentials of a URL.
fn push_masked(url: &str, shown: &mut String) {
    let (url, fragment) = url.split_at(url.find('#').unwrap_or(url.len()));
    let (url, query) = url.split_at(url.find('?').unwrap_or(url.len()));
    let (host, path) = url.split_at(url.find('/').unwrap_or(url.len()));
    let mut push = |parts: &[&str]| shown.extend(parts.iter().copied());
    push(&[host]);
    match around_token(path) {
        Some((before, after)) => push(&[before, "/t/", MASK, after]),
        None => push(&[path]),
    }
    if !query.is_empty() {
        let query = &query[1..];
        push(&["?", if is_plain(query) { query } else { MASK }]);
    }
    push(&[fragment]);
}

/// The parts of a path before and after its first `/t/<token>`.
fn around_token(path: &str) -> Option<(&str, &str)> {
    let (before, rest) = path.split_once("/t/")?;
    let rest = rest.trim_start_matches('/');
    Some((before, rest.find('/').map_or("", |end| &rest[end..])))
}

/// The parts of a word before and after `t/<token>` at the start of a channel's name. Names of folders rarely look like
/// tokens, which have digits, capitals or dashes.
fn around_token_of_name(word: &str) -> Option<(&str, &str)> {
    let start = word.find(|c: char| c.is_alphanumeric() || "./~$".contains(c))?;
    let rest = word[start..].strip_prefix("t/")?;
    let rest = rest.trim_start_matches('/');
    let (token, after) = rest.split_at(rest.find('/')?);
    let is_telling = |c: char| c.is_ascii_digit() || c.is_ascii_uppercase() || c == '-';
    token.contains(is_telling).then(|| (&word[..start], after))
}

#[cfg(test)]
mod tests;
