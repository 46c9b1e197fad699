//! Variables in lists, and the credentials that they are for.

use condafront_model::redact;
use condafront_step_spec::pip_variables::{variables, with_values};

use crate::section::args::BuildArgs;

/// Expands the build-args that `${NAME}` names in `text`. Other variables stay: pip may get their values from secrets.
pub(super) fn with_args(text: &str, args: &BuildArgs) -> String {
    with_values(text, |name| args.get(name).map(str::to_owned))
}

/// Whether `text` contains credentials. `${NAME}` does not count, with any user in front of it, nor does the user of an ssh
/// server, nor `git`, which is everybody's name on git servers.
pub fn has_credentials(text: &str) -> bool {
    let shown = with_values(&without_plain_queries(text), |_| Some(VALUE.to_owned()));
    let shown = without_plain_folders(&without_plain_logins(&shown));
    redact::masked(&shown) != shown
}

/// Stands for the value of a variable.
const VALUE: &str = "\0";

const AFTER_SCHEME: &str = "://";

/// What ends the part of an address that has the host.
fn ends_host(c: char) -> bool {
    "/?#".contains(c) || c.is_whitespace()
}

/// `text` without the logins in its addresses that are no secret.
fn without_plain_logins(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(AFTER_SCHEME) {
        let (scheme, after) = rest.split_at(at + AFTER_SCHEME.len());
        plain.push_str(scheme);
        let authority = &after[..after.find(ends_host).unwrap_or(after.len())];
        rest = match authority.rsplit_once('@') {
            Some((login, _)) if is_plain(login, scheme.ends_with("ssh://")) => {
                &after[login.len() + 1..]
            }
            _ => after,
        };
    }
    plain + rest
}

/// Whether a login keeps nothing secret: its password is a variable, or else the user is one, or everybody's.
fn is_plain(login: &str, is_ssh: bool) -> bool {
    let are_variables = |text: &str| text.chars().all(|c| VALUE.contains(c));
    match login.split_once(':') {
        Some((user, "")) => are_variables(user),
        Some((_, password)) => are_variables(password),
        None => is_ssh || login == "git" || are_variables(login),
    }
}

/// `text` without the folders `t` that hold no token. Files are often kept in folders by the first letters of their names, and
/// only servers of channels read what follows `/t/` at the start of a path as a token.
fn without_plain_folders(text: &str) -> String {
    const FOLDER: &str = "/t/";
    let words = text.split_inclusive(char::is_whitespace);
    // Not the name of a channel, but a path of the user's.
    let words = words.map(|word| word.strip_prefix("t/").unwrap_or(word));
    let text: &str = &words.collect::<String>();
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(FOLDER) {
        let (before, after) = rest.split_at(at);
        plain.push_str(before);
        let (_, host) = plain.rsplit_once(AFTER_SCHEME).unwrap_or_default();
        let is_first = !host.is_empty() && !host.contains(ends_host);
        let after = &after[FOLDER.len()..];
        let (token, path) = after.split_at(after.find(ends_host).unwrap_or(after.len()));
        plain.push_str(if is_first && path.starts_with('/') && is_token(token) {
            FOLDER
        } else {
            "/"
        });
        rest = after;
    }
    plain + rest
}

/// Whether the name of a folder looks like a token: long, and with a digit.
fn is_token(name: &str) -> bool {
    const SHORTEST: usize = 16;
    name.len() >= SHORTEST && name.contains(|c: char| c.is_ascii_digit())
}

/// `text` without the queries of addresses that are no secret, apart from variables.
fn without_plain_queries(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('?') {
        let ends = |c: char| c == '#' || c.is_whitespace();
        let (query, after) = after.split_at(after.find(ends).unwrap_or(after.len()));
        plain.push_str(before);
        let is_written_out = |part: &&str| variables(part).is_empty();
        let written_out: Vec<&str> = query.split('&').filter(is_written_out).collect();
        if redact::is_secret(&written_out.join("&")) {
            plain.extend(["?", query]);
        }
        rest = after;
    }
    plain + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_in_capitals_and_braces() {
        let args = BuildArgs::from_iter([("HOST", "i.example"), ("EMPTY", "")]);
        let text = "https://${USER_1}:${TOKEN}@${HOST}/${EMPTY}$HOST/${host}/${}";
        assert_eq!(
            with_args(text, &args),
            "https://${USER_1}:${TOKEN}@i.example/${EMPTY}$HOST/${host}/${}"
        );
        let names: Vec<&str> = variables(text).into_iter().collect();
        assert_eq!(names, ["EMPTY", "HOST", "TOKEN", "USER_1"]);
    }
}
