//! The lint rules, and what they find.

use std::fmt;
use std::sync::Arc;

use crate::source::{Diagnostic, Lines, SourceFile};

/// A finding of a lint rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The rule.
    pub rule: Rule,
    /// What was found, and where.
    pub diagnostic: Diagnostic,
}

impl Warning {
    /// The warning that nothing checks what is downloaded as `what`.
    pub fn unverified(rule: Rule, what: impl fmt::Display, help: impl Into<String>) -> Self {
        let message = format!("{what} has no hash: nothing checks what is downloaded");
        Self {
            rule,
            diagnostic: Diagnostic::new(message).help(help),
        }
    }

    /// Adds a place.
    #[must_use]
    pub fn at(self, file: &Arc<SourceFile>, lines: Lines) -> Self {
        Self {
            diagnostic: self.diagnostic.at(file, lines),
            ..self
        }
    }

    /// The warning for a user who wants warnings to be errors.
    pub fn into_error(self) -> Diagnostic {
        let rule = self.rule.name();
        let mut error = self.diagnostic;
        error.message = format!("{rule}: {}", error.message);
        let ways = format!(
            "`check=error=true` makes this warning an error; `check=skip={rule}` leaves it out."
        );
        error.help = Some(match error.help {
            Some(help) => format!("{help} {ways}"),
            None => ways,
        });
        error
    }
}

/// The findings to show: the first [`MOST_SHOWN`] of each rule, and for each rule with more, how many are left.
///
/// Every finding is shown with an excerpt of its file, so that the cost of all of them would grow with the square of the file.
pub fn shown<'a>(warnings: impl IntoIterator<Item = &'a Warning>) -> Vec<Warning> {
    let mut shown: Vec<Warning> = Vec::new();
    let mut counts: Vec<(Rule, usize)> = Vec::new();
    for warning in warnings {
        let place = counts.iter().position(|(rule, _)| *rule == warning.rule);
        let place = place.unwrap_or_else(|| {
            counts.push((warning.rule, 0));
            counts.len() - 1
        });
        let (_, count) = &mut counts[place];
        *count += 1;
        if *count <= MOST_SHOWN {
            shown.push(warning.clone());
        }
    }
    let more = counts.into_iter().filter(|(_, count)| *count > MOST_SHOWN);
    shown.extend(more.map(|(rule, count)| Warning {
        rule,
        diagnostic: Diagnostic::new(format!(
            "{} more warnings of the rule {} are not shown",
            count - MOST_SHOWN,
            rule.name()
        )),
    }));
    shown
}

/// How many findings of one rule are shown.
pub const MOST_SHOWN: usize = 20;

/// The lint rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// A package whose archive is not verified.
    UnverifiedPackage,
    /// A URL with a password or token in it.
    CredentialsInUrl,
    /// A package that is listed twice.
    DuplicatePackage,
    /// Something in the file that condafront ignores.
    Ignored,
    /// One of Anaconda's own channels.
    AnacondaChannel,
    /// No channel is named.
    NoChannel,
    /// Pip packages, but no pip.
    MissingPip,
    /// A micromamba that is not pinned by a hash.
    UnverifiedInstaller,
    /// Python bytecode could not be compiled.
    NoBytecode,
    /// Something in a package does not have its usual effect.
    PackageContents,
    /// Files of a package in place of another one's.
    OverwrittenFile,
    /// The base image's accounts are not as expected.
    Account,
    /// A path that can mean two files.
    AmbiguousPath,
    /// A variable that belongs to the image.
    ReservedVariable,
    /// Something in the file that means different packages on different days.
    Unrepeatable,
    /// A variable that nothing replaces, or that has no value.
    UnexpandedVariable,
    /// A package with an MD5 but no SHA-256.
    WeakHash,
    /// A base image without a digest.
    MutableBase,
    /// An image that runs as root.
    RootUser,
    /// A solve that may take any python.
    PythonVersion,
    /// A secret in an environment variable.
    SecretVariable,
    /// A package for GPUs, in a solve without `__cuda`.
    NoCuda,
    /// A Python distribution from both conda and PyPI.
    DuplicateDistribution,
    /// Something that a platform needs and the file does not have.
    AddedForPlatform,
    /// A platform for which the builder cannot try the image.
    UntriedPlatform,
    /// An entrypoint that hides what a platform starts.
    PlatformEntrypoint,
}

impl Rule {
    /// All of them.
    pub const ALL: [Self; 26] = [
        Self::UnverifiedPackage,
        Self::CredentialsInUrl,
        Self::DuplicatePackage,
        Self::Ignored,
        Self::AnacondaChannel,
        Self::NoChannel,
        Self::MissingPip,
        Self::UnverifiedInstaller,
        Self::NoBytecode,
        Self::PackageContents,
        Self::OverwrittenFile,
        Self::Account,
        Self::AmbiguousPath,
        Self::ReservedVariable,
        Self::Unrepeatable,
        Self::UnexpandedVariable,
        Self::WeakHash,
        Self::MutableBase,
        Self::RootUser,
        Self::PythonVersion,
        Self::SecretVariable,
        Self::NoCuda,
        Self::DuplicateDistribution,
        Self::AddedForPlatform,
        Self::UntriedPlatform,
        Self::PlatformEntrypoint,
    ];

    /// The rule's name, as `docker build --call=check` shows it.
    pub fn name(self) -> &'static str {
        match self {
            Self::UnverifiedPackage => "UnverifiedPackage",
            Self::CredentialsInUrl => "CredentialsInUrl",
            Self::DuplicatePackage => "DuplicatePackage",
            Self::Ignored => "Ignored",
            Self::AnacondaChannel => "AnacondaChannel",
            Self::NoChannel => "NoChannel",
            Self::MissingPip => "MissingPip",
            Self::UnverifiedInstaller => "UnverifiedInstaller",
            Self::NoBytecode => "NoBytecode",
            Self::PackageContents => "PackageContents",
            Self::OverwrittenFile => "OverwrittenFile",
            Self::Account => "Account",
            Self::AmbiguousPath => "AmbiguousPath",
            Self::ReservedVariable => "ReservedVariable",
            Self::Unrepeatable => "Unrepeatable",
            Self::UnexpandedVariable => "UnexpandedVariable",
            Self::WeakHash => "WeakHash",
            Self::MutableBase => "MutableBase",
            Self::RootUser => "RootUser",
            Self::PythonVersion => "PythonVersion",
            Self::SecretVariable => "SecretVariable",
            Self::NoCuda => "NoCuda",
            Self::DuplicateDistribution => "DuplicateDistribution",
            Self::AddedForPlatform => "AddedForPlatform",
            Self::UntriedPlatform => "UntriedPlatform",
            Self::PlatformEntrypoint => "PlatformEntrypoint",
        }
    }

    /// What the rule is about, in a sentence.
    pub fn description(self) -> &'static str {
        match self {
            Self::UnverifiedPackage => "Every package should be pinned by a hash",
            Self::CredentialsInUrl => "Credentials should be in build secrets",
            Self::DuplicatePackage => "A package should be listed once",
            Self::Ignored => "This part of the file has no effect on the image",
            Self::AnacondaChannel => "Anaconda's own channels have terms of service",
            Self::NoChannel => "An environment should name its channels",
            Self::MissingPip => "An environment with pip packages should include pip",
            Self::UnverifiedInstaller => "The installer should be pinned by a hash",
            Self::OverwrittenFile => "Packages should not replace each other's files",
            Self::Account => "The image's account should be the requested one",
            Self::AmbiguousPath => "A path should name one file",
            Self::ReservedVariable => "Some variables belong to the image",
            Self::Unrepeatable => "The same file should give the same packages on any day",
            Self::UnexpandedVariable => "A variable should be replaced by its value",
            Self::WeakHash => "Every package should be pinned by a SHA-256",
            Self::MutableBase => "The base image should be pinned by its digest",
            Self::RootUser => "The image should not run as root",
            Self::PythonVersion => "python should have a version",
            Self::SecretVariable => "Secrets should not be in environment variables",
            Self::NoCuda => "Packages for GPUs need `__cuda`",
            Self::DuplicateDistribution => "A Python package should come from conda or from PyPI",
            Self::AddedForPlatform => "What a platform needs can be in the file",
            Self::UntriedPlatform => "The build should try the image as its platforms start it",
            Self::PlatformEntrypoint => "An entrypoint should run what its platforms start",
            Self::NoBytecode => "Python modules load faster when the build compiles them",
            Self::PackageContents => "Packages should work in the image as they do elsewhere",
        }
    }
    /// Why it matters, and what to do, in Markdown.
    pub fn reason(self) -> &'static str {
        match self {
            Self::UnverifiedPackage => {
                "Without a hash, whatever the server sends is installed. Write locks with hashes: `conda list --explicit --sha256`, or `--target lock`."
            }
            Self::CredentialsInUrl => {
                "A login or token in an address reaches whoever can read the file. If the build has the login as a secret, it leaves the one in the address out; otherwise, that is an error."
            }
            Self::DuplicatePackage => {
                "All requirements count, so the second one is a leftover, or was meant to be a different package."
            }
            Self::Ignored => {
                "It may have been meant to do something. Remove it, or use what the warning names."
            }
            Self::AnacondaChannel => {
                "Larger organisations need a licence for them. conda-forge has nearly all of their packages."
            }
            Self::NoChannel => {
                "Otherwise condafront uses conda-forge, but other tools use what they are configured for."
            }
            Self::MissingPip => {
                "The packages are installed by the environment's own pip. List it, so that its version is not left to chance."
            }
            Self::UnverifiedInstaller => {
                "It runs in the build. Give the version with the hash of its package."
            }
            Self::NoBytecode => {
                "The build has no python that can compile them, so programs start more slowly."
            }
            Self::PackageContents => {
                "It has a script or file that does nothing in an image, or something other than intended."
            }
            Self::OverwrittenFile => {
                "One of the packages does not have the file that it was tested with."
            }
            Self::Account => {
                "The base image already has an account or group with that name or number."
            }
            Self::AmbiguousPath => {
                "Two files have the same path: one beside the file that names it, and one in the build context. The build uses the first."
            }
            Self::ReservedVariable => {
                "condafront sets them so that the environment is active, and other values would break that."
            }
            Self::Unrepeatable => {
                "An age counts from the day of the build, and a list for pip on a web server can change. A date, the list's hash or a lock gives the same packages every time."
            }
            Self::UnexpandedVariable => {
                "In the exec form of a command, `${PORT}` reaches the program as it is. Use a string, which a shell runs. In `[activation.env]` of a manifest, variables are replaced if the image has them."
            }
            Self::WeakHash => {
                "An MD5 does not protect against a malicious server, and BuildKit asks the server each time whether such a file has changed. With a SHA-256, a cached build needs no network. Write locks with `conda list --explicit --sha256`, or `--target lock`."
            }
            Self::MutableBase => {
                "A tag can point to a different image tomorrow. Write `base: debian:13-slim@sha256:…`; the inventory names the digest that a build used."
            }
            Self::RootUser => {
                "A process that escapes from such a container is root on the host, and Kubernetes refuses to start the image under `runAsNonRoot`. Remove `user` for the default account."
            }
            Self::PythonVersion => {
                "The next release of python changes most packages of the environment. Write `python=3.13`, or name a lock."
            }
            Self::SecretVariable => {
                "Variables are part of the image: whoever can pull it can read them. Mount a secret for a command of `run`, or pass the variable to the container."
            }
            Self::NoCuda => {
                "The solve has found a package for GPUs but assumes a machine without one, so other packages may be builds for CPUs. Set the build-arg `CONDA_OVERRIDE_CUDA`, or build on an image that has CUDA."
            }
            Self::DuplicateDistribution => {
                "If pip does not accept conda's version, it replaces files of the conda package without conda's knowledge. Remove one of the two. The rule compares the names of the Python distributions in conda packages: it finds `torch` beside conda's pytorch, but does not report the bindings named graphviz beside the program of that name."
            }
            Self::AddedForPlatform => {
                "`for` adds what its platforms need. The warning lists the additions, so that nobody has to guess what is in the image. Write the same keys in the file to silence it."
            }
            Self::UntriedPlatform => {
                "The builder cannot run programs of the image's platform, or it has no user besides its own, such as a rootless one without subordinate IDs. So the build cannot show that the image works there. Build on another builder, install emulation, or give the builder's user a range of IDs in /etc/subuid and /etc/subgid."
            }
            Self::PlatformEntrypoint => {
                "Nextflow, Binder and JupyterHub start programs of their own in the image, as arguments of its entrypoint. An entrypoint that does not run its arguments starts something else, or fails. Use `cmd`, which such a platform replaces."
            }
        }
    }

    /// Whether only a build can find it: it is about what packages or the base image contain.
    pub fn needs_build(self) -> bool {
        matches!(
            self,
            Self::NoBytecode
                | Self::PackageContents
                | Self::OverwrittenFile
                | Self::Account
                | Self::NoCuda
                | Self::DuplicateDistribution
                | Self::UntriedPlatform
        )
    }

    /// Whether it only counts if the user asks for it with `check=experimental=…`.
    ///
    /// The other rules find what is most likely a mistake. These find what is meant as it is written, and what an
    /// organisation may want otherwise; many files that are fine for their authors break them.
    pub fn is_on_request(self) -> bool {
        matches!(
            self,
            Self::WeakHash
                | Self::MutableBase
                | Self::RootUser
                | Self::PythonVersion
                | Self::DuplicateDistribution
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_findings_of_each_rule_are_shown_and_the_others_counted() {
        let of = |rule, count: usize| {
            (0..count).map(move |number| Warning {
                rule,
                diagnostic: Diagnostic::new(number.to_string()),
            })
        };
        let all: Vec<Warning> = of(Rule::Ignored, MOST_SHOWN + 3)
            .chain(of(Rule::MissingPip, 1))
            .chain(of(Rule::NoChannel, MOST_SHOWN))
            .collect();
        let shown = shown(&all);
        assert_eq!(shown.len(), 2 * MOST_SHOWN + 2);
        assert_eq!(shown[..MOST_SHOWN], all[..MOST_SHOWN]);
        let last = shown.last().map(|warning| warning.diagnostic.to_string());
        assert_eq!(
            last.as_deref(),
            Some("3 more warnings of the rule Ignored are not shown")
        );
    }
}
