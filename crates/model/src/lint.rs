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
}

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
    /// The base image's accounts are not as expected.
    Account,
    /// A path that can mean two files.
    AmbiguousPath,
    /// A variable that belongs to the image.
    ReservedVariable,
}

impl Rule {
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
            Self::Account => "Account",
            Self::AmbiguousPath => "AmbiguousPath",
            Self::ReservedVariable => "ReservedVariable",
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
            Self::Account => "The image's account should be the requested one",
            Self::AmbiguousPath => "A path should name one file",
            Self::ReservedVariable => "Some variables belong to the image",
            Self::NoBytecode => "Python modules load faster when the build compiles them",
            Self::PackageContents => "Packages should work in the image as they do elsewhere",
        }
    }
}
