//! Why packages could not be installed, in words for the user.

use condafront_model::redact;
use condafront_step_spec::failure_report::{Culprit, FailureReport};

/// What to do where the network is at fault.
pub(super) const NETWORK_HELP: &str = "Can the builder reach it? docker build passes a proxy with --build-arg HTTP_PROXY=…, and --network=host gives the build the builder's own network.";

/// How many of a program's last lines are shown.
const LAST_LINES: usize = 8;

/// A failure of a package manager.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Failure {
    /// What happened and why.
    pub(super) message: String,
    /// What to do.
    pub(super) help: Option<String>,
    /// The packages concerned, as indices into the step's list.
    pub(super) packages: Vec<usize>,
}

impl Failure {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            ..Self::default()
        }
    }

    /// A failure that the program's last words explain.
    pub(super) fn with_output(what: &str, output: &str) -> Self {
        Self::new(format!("{what}:\n{}", last_lines(output)))
    }

    #[must_use]
    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    #[must_use]
    pub(super) fn of(mut self, packages: Vec<usize>) -> Self {
        self.packages = packages;
        self
    }

    /// For the frontend: at the packages, or else at the section's key.
    pub(super) fn into_report(self, key: &str) -> FailureReport {
        let mut culprits: Vec<Culprit> = self.packages.into_iter().map(Culprit::Package).collect();
        if culprits.is_empty() {
            culprits.push(Culprit::Key(key.to_owned()));
        }
        FailureReport {
            message: redact::masked(&self.message),
            help: self.help,
            culprits,
        }
    }
}

/// The last lines of what a program printed that say something.
fn last_lines(output: &str) -> String {
    let lines = output.lines().map(str::trim_end);
    let lines: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
    match lines.as_slice() {
        [] => "it printed nothing".to_owned(),
        lines => lines[lines.len().saturating_sub(LAST_LINES)..].join("\n"),
    }
}

/// The packages of the list whose names (what comes before a version) are among `names`.
pub(super) fn indices(
    packages: &[String],
    names: &[&str],
    name_of: impl Fn(&str) -> &str,
) -> Vec<usize> {
    let is_named =
        |package: &String| names.contains(&package.as_str()) || names.contains(&name_of(package));
    let found = packages.iter().enumerate();
    found
        .filter(|(_, package)| is_named(package))
        .map(|(index, _)| index)
        .collect()
}

/// `a`, `a and b`, `a, b and c`.
pub(super) fn listed(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
