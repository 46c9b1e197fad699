//! The lint rules, and what they find.

use crate::source::Diagnostic;

/// A finding of a lint rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The rule.
    pub rule: Rule,
    /// What was found, and where.
    pub diagnostic: Diagnostic,
}

/// The lint rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// A package whose archive nothing checks.
    UnverifiedPackage,
    /// A URL with a password or token in it.
    CredentialsInUrl,
    /// A package that is listed twice.
    DuplicatePackage,
    /// Something in the file that condafront does not act on.
    Ignored,
    /// A channel of Anaconda's own.
    AnacondaChannel,
    /// No channel is named.
    NoChannel,
    /// Packages for pip, but no pip.
    MissingPip,
    /// A micromamba that is not pinned by a hash.
    UnverifiedInstaller,
    /// Python bytecode could not be compiled.
    NoBytecode,
    /// Something that a package brings has not the effect it should have.
    PackageContents,
    /// The base image's accounts are not as one may expect.
    Account,
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
        }
    }

    /// What the rule is about, in a sentence.
    pub fn description(self) -> &'static str {
        match self {
            Self::UnverifiedPackage => "Every package should be pinned by a hash",
            Self::CredentialsInUrl => "Credentials belong into build secrets",
            Self::DuplicatePackage => "A package should be listed once",
            Self::Ignored => "This part of the file has no effect on the image",
            Self::AnacondaChannel => "Anaconda's own channels have terms of service",
            Self::NoChannel => "An environment should name its channels",
            Self::MissingPip => "An environment with packages for pip should have pip",
            Self::UnverifiedInstaller => "The installer should be pinned by a hash",
            Self::Account => "The image's account should be the one that was asked for",
            Self::NoBytecode => "Python modules start faster when they are compiled in the build",
            Self::PackageContents => "Packages should do in the image what they do elsewhere",
        }
    }
}
