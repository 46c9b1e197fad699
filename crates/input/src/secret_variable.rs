//! Variables that look like secrets: an image shows them to everyone who can pull it.

use condafront_model::lint::{Rule, Warning};
use condafront_model::redact::quoted;
use condafront_model::secrets::is_secret;

use crate::place::Place;

/// The warning about the variable `name` with this value, if the value is known.
pub(crate) fn warning(name: &str, value: Option<&str>, place: Place<'_>) -> Option<Warning> {
    if !is_secret(name, value) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use condafront_model::source::{Level, Lines, SourceFile};

    #[test]
    fn no_secret_is_shown() {
        let file = SourceFile::new(
            "env.yml",
            "condafront:\n  env: {DB_PASSWORD: hunter2, A: b}\n",
        );
        let place = Place {
            file: &file,
            lines: Lines::one(2),
        };
        let warning = warning("DB_PASSWORD", Some("hunter2"), place).expect("a warning");
        let shown = warning.diagnostic.render(Level::Warning);
        assert!(shown.contains("env: {DB_PASSWORD: ***, A: b}"), "{shown}");
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
