//! What `-f` may be: the kind of a file is found from its content, and each kind becomes a list of packages.

pub mod explicit;

use std::sync::Arc;

use crate::package::Package;
use crate::platform::Platform;
use crate::source::{Diagnostic, Lines, SourceFile};

/// The packages of one environment for one platform, in the order in which they are linked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageList {
    /// The packages; a later one wins where two claim one file.
    pub packages: Vec<Package>,
    /// What the user should know, though the build goes on.
    pub warnings: Vec<Warning>,
}

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
            Self::UnverifiedInstaller => "The installer should be pinned by a hash",
            Self::Account => "The image's account should be the one that was asked for",
            Self::NoBytecode => "Python modules start faster when they are compiled in the build",
            Self::PackageContents => "Packages should do in the image what they do elsewhere",
        }
    }
}

/// Reads a file of any kind.
///
/// # Errors
/// A diagnostic at the user's line: not text, no known kind, or what the kind's reader finds.
pub fn read(file: &Arc<SourceFile>, platform: Platform) -> Result<PackageList, Diagnostic> {
    let text = file.text()?;
    let is_blank = |line: &str| line.trim().is_empty() || line.trim_start().starts_with('#');
    if text.lines().all(is_blank) {
        return Err(
            Diagnostic::new(format!("{} lists no packages", file.name()))
                .help("An explicit lock has a line @EXPLICIT and then one package URL per line."),
        );
    }
    if explicit::is_explicit(text) {
        return explicit::read(file, text, platform);
    }
    let first = text.lines().position(|line| !is_blank(line)).unwrap_or(0);
    Err(
        Diagnostic::new(format!("{} is not an explicit conda lock: it has no line @EXPLICIT", file.name()))
            .at(file, Lines::one(first + 1))
            .help("condafront 0.1 builds from explicit locks; make one with `conda list --explicit --sha256`, `micromamba env export --explicit --sha256` or `conda-lock render`."),
    )
}
