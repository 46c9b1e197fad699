//! Why packages could not be installed, explained to the user.

use condafront_model::certificate::CertificateFault;
use condafront_model::redact;
use condafront_step_spec::failure_report::{Culprit, FailureReport};

/// What to do if the network may be at fault.
const NETWORK_HELP: &str = "Check that the builder can reach the server. Pass a proxy with `--build-arg HTTP_PROXY=…`, or use `--network=host` to give the build the builder's own network.";

/// How many of a program's last lines are shown.
const LAST_LINES: usize = 8;

/// A failure of a package manager.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Failure {
    /// What happened and why.
    pub(super) message: String,
    /// What to do.
    pub(super) help: Option<String>,
    /// The packages at fault, as indices into the step's list.
    pub(super) packages: Vec<usize>,
}

impl Failure {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            ..Self::default()
        }
    }

    /// A failure explained by the last lines that the program printed.
    pub(super) fn with_output(what: &str, output: &str) -> Self {
        Self::new(format!("{what}:\n{}", last_lines(output)))
    }

    /// A failure to reach a server, explained by the last lines of `shown`, a part of what the program printed.
    pub(super) fn of_network(what: &str, shown: &str, output: &str) -> Self {
        match CertificateFault::in_text(output) {
            Some(fault) => {
                Self::with_output(&format!("{what}, because {fault}"), shown).help(fault.help())
            }
            None => Self::with_output(what, shown).help(NETWORK_HELP),
        }
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

    /// The report for the frontend: at the packages, or at the section's key if there are none.
    pub(super) fn into_report(self, key: &str) -> FailureReport {
        let mut culprits: Vec<Culprit> = self.packages.into_iter().map(Culprit::Package).collect();
        if culprits.is_empty() {
            culprits.push(Culprit::Key(key.to_owned()));
        }
        FailureReport {
            help: self.help,
            culprits,
            ..FailureReport::new(redact::masked(&self.message))
        }
    }
}

/// The last non-empty lines that a program printed.
fn last_lines(output: &str) -> String {
    let lines = output.lines().map(str::trim_end);
    let lines: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
    match lines.as_slice() {
        [] => "it printed nothing".to_owned(),
        lines => lines[lines.len().saturating_sub(LAST_LINES)..].join("\n"),
    }
}

/// The packages of the list whose names, without versions, are among `names`.
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
