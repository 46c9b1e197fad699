//! Variables that look like secrets: an image shows them to everyone who can pull it.

use condafront_model::lint::{Rule, Warning};
use condafront_model::redact::quoted;

use crate::place::Place;

/// Words in the names of secrets, as BuildKit has them for Dockerfiles (`SecretsUsedInArgOrEnv` in
/// `frontend/dockerfile/dockerfile2llb/convert.go`).
const WORDS: [&str; 10] = [
    "apikey",
    "auth",
    "credential",
    "credentials",
    "key",
    "password",
    "pword",
    "passwd",
    "secret",
    "token",
];

/// Words in the names of what nobody keeps secret.
const PUBLIC: [&str; 1] = ["public"];

/// Values that switch something.
const SWITCHES: [&str; 9] = ["true", "false", "yes", "no", "on", "off", "0", "1", "none"];

/// The warning about the variable `name` with this value, if the value is known.
pub(crate) fn warning(name: &str, value: Option<&str>, place: Place<'_>) -> Option<Warning> {
    if !is_secret(name) || value.is_some_and(is_harmless) {
        return None;
    }
    Some(Warning {
        rule: Rule::SecretVariable,
        diagnostic: place
            .error(format!(
                "the variable `{}` looks like a secret, and its value becomes part of the image",
                quoted(name)
            ))
            .help(
                "Remove it. A command of `run` can mount a secret (`mounts: [{type: secret, id: …}]`); a container gets it with docker run -e or a mounted file.",
            ),
    })
}

fn is_secret(name: &str) -> bool {
    let has = |words: &[&str]| {
        name.split('_')
            .any(|part| words.iter().any(|word| part.eq_ignore_ascii_case(word)))
    };
    has(&WORDS) && !has(&PUBLIC)
}

/// Whether a value is no secret: nothing, a switch, or a path.
fn is_harmless(value: &str) -> bool {
    let value = value.trim();
    value.is_empty()
        || value.starts_with('/')
        || SWITCHES.iter().any(|one| value.eq_ignore_ascii_case(one))
}

#[cfg(test)]
mod tests {
    use super::*;
    use condafront_model::source::{Lines, SourceFile};

    #[test]
    fn names_of_secrets_are_recognised() {
        let file = SourceFile::new("env.yml", "");
        let place = Place {
            file: &file,
            lines: Lines::one(1),
        };
        for (name, value, found) in [
            ("API_TOKEN", Some("hunter2"), true),
            ("GITHUB_TOKEN", None, true),
            ("password", Some("x"), true),
            ("SECRET_MESSAGE", Some("x"), true),
            ("AWS_SECRET_ACCESS_KEY", Some("x"), true),
            ("TOKENIZERS_PARALLELISM", Some("x"), false),
            ("KEYBOARD", Some("de"), false),
            ("PUBLIC_KEY", Some("ssh-ed25519 AAAA"), false),
            ("SSH_AUTH_SOCK", Some("/run/agent"), false),
            ("HUB_AUTH", Some("False"), false),
            ("JUPYTER_TOKEN", Some(""), false),
        ] {
            let warning = warning(name, value, place);
            assert_eq!(warning.is_some(), found, "{name}");
            let shown = warning.map(|warning| warning.diagnostic.to_string());
            assert!(!shown.unwrap_or_default().contains("hunter2"));
        }
    }
}
