//! Keeps credentials in URLs out of everything that is shown or recorded: `user:password@`, anaconda.org's `/t/<token>`,
//! which conda recognises anywhere in a path, and queries, which may be signatures.

use url::Url;

/// Shown instead of a credential.
const MASK: &str = "***";

/// Removes user, password and token from `url`.
pub fn strip(url: &mut Url) {
    // Both fail only for URLs that cannot have credentials.
    let _ = url.set_username("");
    let _ = url.set_password(None);
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
        let end = tail.find(char::is_whitespace).unwrap_or(tail.len());
        // A mirror's URL may follow the channel's with only a `=` between them.
        let end = tail[..end].find(MARK).unwrap_or(end);
        push_masked(&tail[..end], &mut shown);
        rest = &tail[end..];
    }
    push_plain(rest, &mut shown);
    shown
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

/// What the user wrote, as a message quotes it: on one line, at most 60 characters, without control characters or
/// credentials.
pub fn quoted(text: &str) -> String {
    shortened(&masked(text), 60)
}

/// At most `longest` characters of a text, with spaces for control characters.
pub fn shortened(text: &str, longest: usize) -> String {
    let mut short: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(longest)
        .collect();
    if text.chars().count() > longest {
        short.push('…');
    }
    short
}

/// Adds to `shown` what follows `://` in a URL.
fn push_masked(url: &str, shown: &mut String) {
    let (url, fragment) = url.split_at(url.find('#').unwrap_or(url.len()));
    let (url, query) = url.split_at(url.find('?').unwrap_or(url.len()));
    let (authority, path) = url.split_at(url.find('/').unwrap_or(url.len()));
    let mut push = |parts: &[&str]| shown.extend(parts.iter().copied());
    match authority.rsplit_once('@') {
        Some((_, host)) => push(&[MASK, "@", host]),
        None => push(&[authority]),
    }
    match around_token(path) {
        Some((before, after)) => push(&[before, "/t/", MASK, after]),
        None => push(&[path]),
    }
    if !query.is_empty() {
        push(&["?", MASK]);
    }
    push(&[fragment]);
}

/// The parts of a path before and after its first `/t/<token>`.
fn around_token(path: &str) -> Option<(&str, &str)> {
    let (before, rest) = path.split_once("/t/")?;
    Some((before, rest.find('/').map_or("", |end| &rest[end..])))
}

/// The parts of a word before and after `t/<token>` at the start of a channel's name. Names of folders rarely look like
/// tokens, which have digits, capitals or dashes.
fn around_token_of_name(word: &str) -> Option<(&str, &str)> {
    let start = word.find(|c: char| c.is_alphanumeric() || "./~$".contains(c))?;
    let token = word[start..].strip_prefix("t/")?;
    let token = &token[..token.find('/')?];
    let is_telling = |c: char| c.is_ascii_digit() || c.is_ascii_uppercase() || c == '-';
    token
        .contains(is_telling)
        .then(|| (&word[..start], &word[start + "t/".len() + token.len()..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A URL as written, as recorded and as shown.
    const URLS: &[(&str, &str, &str)] = &[
        (
            "https://conda.anaconda.org/t/tk-1.2/private/linux-64/a-1-0.conda",
            "https://conda.anaconda.org/private/linux-64/a-1-0.conda",
            "https://conda.anaconda.org/t/***/private/linux-64/a-1-0.conda",
        ),
        (
            "https://me:secret@example.org/ch/noarch/a-1-0.conda#abc",
            "https://example.org/ch/noarch/a-1-0.conda#abc",
            "https://***@example.org/ch/noarch/a-1-0.conda#abc",
        ),
        (
            "https://example.org/conda/t/tk/ch/linux-64?sig=abc",
            "https://example.org/conda/ch/linux-64?sig=abc",
            "https://example.org/conda/t/***/ch/linux-64?***",
        ),
        (
            "https://token@example.org/ch",
            "https://example.org/ch",
            "https://***@example.org/ch",
        ),
        (
            "https://example.org/t/tk",
            "https://example.org/",
            "https://example.org/t/***",
        ),
        (
            "https://example.org/ch",
            "https://example.org/ch",
            "https://example.org/ch",
        ),
        (
            "https://example.org",
            "https://example.org",
            "https://example.org",
        ),
        ("conda-forge", "conda-forge", "conda-forge"),
    ];

    #[test]
    fn credentials_are_neither_recorded_nor_shown() {
        for (url, recorded, shown) in URLS {
            assert_eq!(without_credentials(url), *recorded);
            assert_eq!(masked(url), *shown);
        }
    }

    #[test]
    fn tokens_in_names_of_channels_are_masked() {
        for (text, shown) in [
            ("t/tk-12/private", "t/***/private"),
            ("  - \"t/0a1b2c/private\"", "  - \"t/***/private\""),
            ("[t/Abc/a/label/dev, b]", "[t/***/a/label/dev, b]"),
            ("`t/tk-12/private::numpy`", "`t/***/private::numpy`"),
            (
                "copy: t/data/x ./t/tk-12/x t/tk-12",
                "copy: t/data/x ./t/tk-12/x t/tk-12",
            ),
        ] {
            assert_eq!(masked(text), shown);
        }
    }

    #[test]
    fn every_url_in_a_text_is_masked() {
        assert_eq!(
            masked("https://a=https://me:pass@b/t/tk-1/c, then ftp://x@y and me@example.org"),
            "https://a=https://***@b/t/***/c, then ftp://***@y and me@example.org"
        );
        assert_eq!(masked("htps//x@y"), "htps//x@y");
        assert_eq!(
            masked("- me:pass@example.org/ch\nubuntu:24.04@sha256:0a me@example.org:x"),
            "- ***@example.org/ch\nubuntu:24.04@sha256:0a me@example.org:x"
        );
    }
}
