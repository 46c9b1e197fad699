//! The user's options for the lint: `# check=skip=NoChannel;experimental=RootUser;error=true` at the top of the build file, or the build-arg
//! `BUILDKIT_DOCKERFILE_CHECK`, as for a Dockerfile
//! (<https://docs.docker.com/reference/dockerfile/#check>, `frontend/dockerfile/linter/linter.go`).

use crate::lint::{Rule, Warning};
use crate::nearest::{did_you_mean, nearest};
use crate::redact::quoted;

/// Which findings of the lint count, and for how much.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckOptions {
    skipped: Chosen,
    /// Those that count on request.
    requested: Chosen,
    is_error: bool,
}

/// Some rules.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Chosen {
    All,
    Only(Vec<Rule>),
}

impl Default for Chosen {
    fn default() -> Self {
        Self::Only(Vec::new())
    }
}

impl Chosen {
    /// Reads the value of an option: names separated by commas, or `all`.
    fn parse(value: &str, is_foreign: &dyn Fn(&str) -> bool) -> Result<Self, CheckOptionsError> {
        if value.eq_ignore_ascii_case("all") {
            return Ok(Self::All);
        }
        rules(value, is_foreign).map(Self::Only)
    }

    fn names(&self, rule: Rule) -> bool {
        matches!(self, Self::Only(rules) if rules.contains(&rule))
    }
}

/// Why a text is not such options.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckOptionsError {
    /// An option that does not exist, or has no value.
    #[error("`{}` is not a check option", quoted(.0))]
    Option(String),
    /// `error` is neither true nor false.
    #[error("error is `{}`, which is neither true nor false", quoted(.0))]
    Error(String),
    /// A rule that does not exist.
    #[error("there is no lint rule `{}`", quoted(.0))]
    Rule(String),
}

impl CheckOptionsError {
    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            Self::Option(_) => {
                "Write skip=<rules, separated by commas, or all>, experimental=<rules or all>, error=true, or several of them with semicolons between them."
                    .to_owned()
            }
            Self::Error(_) => "Write error=true or error=false.".to_owned(),
            Self::Rule(name) => {
                let names = || Rule::ALL.iter().map(|rule| rule.name());
                let all = || {
                    let names: Vec<&str> = names().collect();
                    format!("The rules are {}.", names.join(", "))
                };
                did_you_mean(name, names()).unwrap_or_else(all)
            }
        }
    }
}

impl CheckOptions {
    /// Reads `skip=NoChannel,Ignored;error=true`.
    ///
    /// # Errors
    /// When the text is something else.
    pub fn parse(text: &str) -> Result<Self, CheckOptionsError> {
        Self::read(text, |_| false)
    }

    /// The same for a text that other frontends get as well, and that may name rules of theirs: what is not close to one of
    /// ours is not about us.
    ///
    /// # Errors
    /// When the text is something else.
    pub fn parse_shared(text: &str) -> Result<Self, CheckOptionsError> {
        let names = || Rule::ALL.iter().map(|rule| rule.name());
        Self::read(text, |name| nearest(name, names()).is_none())
    }

    fn read(text: &str, is_foreign: impl Fn(&str) -> bool) -> Result<Self, CheckOptionsError> {
        let mut options = Self::default();
        let parts = text.split(';').map(str::trim);
        for part in parts.filter(|part| !part.is_empty()) {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            let value = value.trim();
            match key.trim() {
                "skip" if !value.is_empty() => options.skipped = Chosen::parse(value, &is_foreign)?,
                "experimental" if !value.is_empty() => {
                    options.requested = Chosen::parse(value, &is_foreign)?;
                }
                "error" => {
                    options.is_error = match value.to_ascii_lowercase().as_str() {
                        "true" | "t" | "1" => true,
                        "false" | "f" | "0" => false,
                        _ => return Err(CheckOptionsError::Error(value.to_owned())),
                    };
                }
                _ => return Err(CheckOptionsError::Option(part.to_owned())),
            }
        }
        Ok(options)
    }

    /// The warnings that count.
    pub fn counted(&self, warnings: &[Warning]) -> Vec<Warning> {
        let counts = |warning: &&Warning| self.counts(warning.rule);
        warnings.iter().filter(counts).cloned().collect()
    }

    /// `skip=all` is about the rules that count without a request, as in a Dockerfile.
    fn counts(&self, rule: Rule) -> bool {
        if self.skipped.names(rule) {
            return false;
        }
        if rule.is_on_request() {
            return self.requested == Chosen::All || self.requested.names(rule);
        }
        self.skipped != Chosen::All
    }

    /// Whether a warning that counts is an error.
    pub fn is_error(&self) -> bool {
        self.is_error
    }
}

fn rules(names: &str, is_foreign: &dyn Fn(&str) -> bool) -> Result<Vec<Rule>, CheckOptionsError> {
    let mut found = Vec::new();
    let names = names.split(',').map(str::trim);
    for name in names.filter(|name| !name.is_empty()) {
        let mut rules = Rule::ALL.iter();
        match rules.find(|rule| rule.name().eq_ignore_ascii_case(name)) {
            Some(rule) => found.push(*rule),
            None if is_foreign(name) => {}
            None => return Err(CheckOptionsError::Rule(name.to_owned())),
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Diagnostic;

    fn warnings() -> Vec<Warning> {
        let warning = |rule: &Rule| Warning {
            rule: *rule,
            diagnostic: Diagnostic::new(rule.name()),
        };
        Rule::ALL.iter().map(warning).collect()
    }

    #[test]
    fn rules_are_skipped() {
        let on_request = Rule::ALL.iter().filter(|rule| rule.is_on_request()).count();
        let all = Rule::ALL.len() - on_request;
        for (text, counted, is_error) in [
            ("", all, false),
            ("skip=NoChannel", all - 1, false),
            (" skip = nochannel , Ignored ; error = True ", all - 2, true),
            ("error=true;skip=all", 0, true),
            ("error=0;", all, false),
            ("experimental=all", all + on_request, false),
            ("experimental=RootUser, weakhash", all + 2, false),
            (
                "experimental=all;skip=RootUser",
                all + on_request - 1,
                false,
            ),
            ("skip=all;experimental=RootUser", 1, false),
            ("experimental=NoChannel", all, false),
        ] {
            let options = CheckOptions::parse(text).unwrap();
            assert_eq!(options.counted(&warnings()).len(), counted, "{text}");
            assert_eq!(options.is_error(), is_error, "{text}");
        }
    }

    #[test]
    fn rules_of_other_frontends_are_not_ours() {
        let options = CheckOptions::parse_shared("skip=JSONArgsRecommended,NoChannel;error=true");
        let own = CheckOptions::parse("skip=NoChannel;error=true");
        assert_eq!(options, own);
        for text in ["skip=NoChanel", "skip=", "JSONArgsRecommended"] {
            assert_eq!(CheckOptions::parse_shared(text), CheckOptions::parse(text));
            assert!(CheckOptions::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn mistakes_are_told_with_what_to_write() {
        let mut shown = String::new();
        for text in [
            "skip",
            "skip=",
            "skip=NoChanel",
            "skip=Everything",
            "experimental=RootUsr",
            "experimental=",
            "error=yes",
            "error",
            "warn=true",
            "NoChannel",
        ] {
            let error = CheckOptions::parse(text).unwrap_err();
            shown.push_str(&format!("{text}\n    {error}\n    {}\n", error.help()));
        }
        insta::assert_snapshot!(shown);
    }
}
