//! Variables that look like secrets, by their names and values.

use crate::redact;

/// Words in the names of secrets, as BuildKit has them for Dockerfiles (`SecretsUsedInArgOrEnv` in
/// `frontend/dockerfile/dockerfile2llb/convert.go`).
const WORDS: [&str; 15] = [
    "apikey",
    "auth",
    "authorization",
    "credential",
    "credentials",
    "passphrase",
    "password",
    "passwords",
    "pword",
    "passwd",
    "secret",
    "secrets",
    "token",
    "tokens",
    "apikeys",
];

/// The same, at the end of a word: `PGPASSWORD`, `dbPassword`.
const ENDS: [&str; 3] = ["password", "passwd", "passphrase"];

/// Last words of names that are secrets if another word comes before: `MYSQL_PWD`, `GITHUB_PAT`. `PWD` is a folder.
const LAST: [&str; 3] = ["pass", "pat", "pwd"];

/// How the tokens of well-known services begin, and how long they are at least.
const TOKENS: [(&str, usize); 13] = [
    ("ghp_", 20),
    ("gho_", 20),
    ("ghs_", 20),
    ("ghu_", 20),
    ("github_pat_", 20),
    ("glpat-", 20),
    ("hf_", 20),
    ("npm_", 20),
    ("pypi-AgE", 20),
    ("sk-", 20),
    ("xoxb-", 20),
    ("xoxp-", 20),
    ("-----BEGIN ", 20),
];

/// Of the other keys, many are of databases, sorts and files.
const KEY: &str = "key";
/// Words before `key` in the names of secrets.
const BEFORE_KEY: [&str; 7] = [
    "access",
    "api",
    "encryption",
    "private",
    "secret",
    "signing",
    "ssh",
];

/// Words in the names of what nobody keeps secret.
const PUBLIC: [&str; 1] = ["public"];

/// Last words of names that are about a secret without being one.
const ABOUT: [&str; 9] = [
    "file", "path", "dir", "name", "type", "mode", "limit", "length", "prefix",
];
/// Last words in the names of places, which may have a login.
const PLACES: [&str; 2] = ["url", "uri"];

/// Values that switch something.
const SWITCHES: [&str; 7] = ["true", "false", "yes", "no", "on", "off", "none"];

/// Numbers of up to this many digits are sizes, limits and switches.
const LONGEST_NUMBER: usize = 5;

/// What begins and ends strings.
const QUOTES: [char; 2] = ['"', '\''];

const MASK: &str = "***";

/// Whether the variable `name` looks like a secret that is part of the file, or of the image. The value may be unknown.
pub fn is_secret(name: &str, value: Option<&str>) -> bool {
    value.is_some_and(is_token) || (is_name(name, value) && !value.is_some_and(is_harmless))
}

/// Whether a value is a secret under any name: a token, or an address with a password.
fn is_token(value: &str) -> bool {
    let value = value.trim();
    let begins = |(start, least): &(&str, usize)| value.starts_with(start) && value.len() >= *least;
    let is_private = |value: &str| !value.starts_with("-----") || value.contains("PRIVATE KEY");
    (TOKENS.iter().any(begins) && is_private(value)) || has_password(value)
}

/// Whether a value is an address with a password: `postgres://ada:hunter2@db/lab`.
fn has_password(value: &str) -> bool {
    let Some((_, rest)) = value.split_once("://") else {
        return false;
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let login = authority.rsplit_once('@').map(|(login, _)| login);
    let password = login.and_then(|login| login.split_once(':'));
    password.is_some_and(|(_, password)| !password.is_empty() && !password.contains('$'))
}

/// Whether a variable of this name can be a secret, with some value.
fn may_be_name(name: &str) -> bool {
    let words = || name.split('_');
    let is_one = |word: &str, of: &[&str]| of.iter().any(|one| word.eq_ignore_ascii_case(one));
    words().any(|word| is_one(word, &WORDS) || is_one(word, &[KEY]) || is_one(word, &LAST))
        || ENDS.iter().any(|end| ends_with(name, end))
}

fn ends_with(name: &str, end: &str) -> bool {
    let start = name.len().checked_sub(end.len());
    start.is_some_and(|start| {
        name.get(start..)
            .is_some_and(|rest| rest.eq_ignore_ascii_case(end))
    })
}

fn is_name(name: &str, value: Option<&str>) -> bool {
    let parts: Vec<String> = name.split('_').map(str::to_ascii_lowercase).collect();
    let is_in = |part: &String, words: &[&str]| words.contains(&part.as_str());
    let last = |words: &[&str]| parts.last().is_some_and(|part| is_in(part, words));
    let has_login = || value.is_some_and(|value| redact::masked(value) != value);
    if parts.iter().any(|part| is_in(part, &PUBLIC))
        || last(&ABOUT)
        || (last(&PLACES) && !has_login())
    {
        return false;
    }
    let mut pairs = parts.iter().zip(parts.iter().skip(1));
    parts.iter().any(|part| is_in(part, &WORDS))
        || ENDS.iter().any(|end| ends_with(name, end))
        || (parts.len() > 1 && name != "OLDPWD" && last(&LAST))
        || pairs.any(|(before, part)| part == KEY && is_in(before, &BEFORE_KEY))
}

/// Whether a value is no secret: nothing, a switch, a short number, a path, or a URL without a login.
fn is_harmless(value: &str) -> bool {
    let value = value.trim();
    let is_url = ["http://", "https://"]
        .iter()
        .any(|scheme| value.starts_with(scheme));
    value.is_empty()
        || ["/", "~/", "./", "../"]
            .iter()
            .any(|start| value.starts_with(start))
        || (is_url && redact::masked(value) == value)
        || (value.len() <= LONGEST_NUMBER && value.bytes().all(|byte| byte.is_ascii_digit()))
        || SWITCHES.iter().any(|one| value.eq_ignore_ascii_case(one))
}

/// Masks the values of variables that look like secrets, in the lines of a file one after the other.
#[derive(Debug, Default)]
pub(crate) struct Masking {
    /// The indentation of a variable whose value continues in deeper lines.
    below: Option<usize>,
}

impl Masking {
    /// The next line as it may be shown. `Some` if something is masked.
    pub(crate) fn line(&mut self, line: &str) -> Option<String> {
        let text = line.trim_end();
        let end = &line[text.len()..];
        let indentation = text.len() - text.trim_start().len();
        if let Some(above) = self.below {
            if text.is_empty() {
                return None;
            }
            if indentation > above {
                return Some(format!("{}{MASK}{end}", &text[..indentation]));
            }
            self.below = None;
        }
        let mut shown = String::new();
        let mut from = 0;
        let flow = text.find(['{', '[']).unwrap_or(text.len());
        for (start, end) in words(text) {
            if start < from {
                continue;
            }
            if is_token(&text[start..end]) {
                shown.push_str(&text[from..start]);
                shown.push_str(MASK);
                from = end;
                continue;
            }
            if !may_be_name(&text[start..end]) {
                continue;
            }
            let Some(value) = Value::after(text, end, flow) else {
                continue;
            };
            let is_header = value.starts_block(text);
            let known = (!is_header).then(|| value.text(text));
            if !is_secret(&text[start..end], known) {
                continue;
            }
            if value.goes_on {
                self.below = Some(indentation);
            }
            if !is_header {
                shown.push_str(&text[from..value.start]);
                shown.push_str(MASK);
                from = value.end;
            }
        }
        if from == 0 {
            return None;
        }
        shown.push_str(&text[from..]);
        shown.push_str(end);
        Some(shown)
    }
}

/// Where what may be names is in a line.
fn words(text: &str) -> impl Iterator<Item = (usize, usize)> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let mut at = 0;
    let pieces = text.split_inclusive(move |c| !is_part(c));
    let places = pieces.map(move |piece| {
        let start = at;
        at += piece.len();
        (start, start + piece.trim_end_matches(|c| !is_part(c)).len())
    });
    places.filter(|(start, end)| start < end)
}

/// Where the value of a variable is in a line.
struct Value {
    start: usize,
    end: usize,
    /// Whether deeper lines may belong to it.
    goes_on: bool,
}

impl Value {
    /// The value after the name that ends at `end`: `name: value` or `name=value`. The first bracket is at `flow`.
    fn after(text: &str, end: usize, flow: usize) -> Option<Self> {
        let rest = text[end..].trim_start_matches(QUOTES).trim_start();
        let after = match rest.strip_prefix(':') {
            Some(after) if after.is_empty() || after.starts_with(char::is_whitespace) => after,
            Some(_) => return None,
            None => rest
                .strip_prefix('=')
                .filter(|after| !after.starts_with('='))?,
        };
        let after = after.trim_start();
        let start = text.len() - after.len();
        let quote = after.chars().next().filter(|c| QUOTES.contains(c));
        let length = match quote {
            Some(quote) => after[1..].find(quote).map(|length| length + 2),
            None if flow < start => after.find([',', '}', ']']),
            None => None,
        };
        Some(Self {
            start,
            end: start + length.unwrap_or(after.len()),
            goes_on: length.is_none(),
        })
    }

    /// Whether the value is in the next lines.
    fn starts_block(&self, text: &str) -> bool {
        let value = &text[self.start..self.end];
        self.goes_on && (value.is_empty() || value.starts_with(['|', '>']))
    }

    fn text<'a>(&self, text: &'a str) -> &'a str {
        text[self.start..self.end].trim_matches(QUOTES)
    }
}

#[cfg(test)]
mod tests;
