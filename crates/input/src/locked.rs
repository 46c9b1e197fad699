//! Shared by all kinds of locks: checks packages for repeats, hashes and credentials.

pub(super) mod address;
mod findings;
mod local;
mod placeholders;
pub(super) mod repository;
pub(super) mod skip;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use self::skip::Skip;
use crate::activation_variables::ActivationVariables;
use crate::address_variables::{self, AddressError, FilledAddress};
use crate::environment_input::{
    Categories, Conda, EnvironmentInput, LocalPip, LockedPip, Pip, RepositoryPip,
};
use crate::place::Place;
use crate::section::args::BuildArgs;
use crate::section::image_section::ImageSection;
use crate::settings::InputSettings;
use condafront_model::lint::{Rule, Warning};
use condafront_model::nearest::did_you_mean;
use condafront_model::package::Package;
use condafront_model::platform::Platform;
use condafront_model::prose;
use condafront_model::pypi_package::{PipPackage, normalized};
use condafront_model::source::{Diagnostic, Lines, SourceFile};

/// Where a lock has placeholders instead of credentials.
struct Placeholder {
    host: String,
    lines: Lines,
    /// Whether it is in the URL of a git repository.
    is_of_git: bool,
}

/// What a reader found for one environment and one platform.
pub(super) struct Locked<'a> {
    pub(super) file: &'a Arc<SourceFile>,
    pub(super) packages: Vec<Package>,
    pub(super) pip: Vec<PipPackage>,
    /// The PyPI packages that are next to the lock.
    pub(super) local: Vec<LocalPip>,
    /// The PyPI packages that are in repositories.
    pub(super) repositories: Vec<RepositoryPip>,
    /// The names of the PyPI packages that conda packages contain.
    pub(super) by_conda: BTreeSet<String>,
    /// What the PyPI packages that must be built say that they need, by normalized name.
    pub(super) needs: BTreeMap<String, Vec<String>>,
    pub(super) warnings: Vec<Warning>,
    /// What to leave out.
    pub(super) skip: Skip<'a>,
    unverified: Unverified,
    /// What to do instead about PyPI packages without a hash, by name.
    pub(super) hashless: BTreeMap<String, &'static str>,
    /// The first URL whose credentials are placeholders.
    placeholder: Option<Placeholder>,
    args: &'a BuildArgs,
    /// The first URL whose credentials were written out and left out: its host and place.
    left_out: Option<(String, Lines)>,
}

/// What a user can do about a package without a hash.
#[derive(Clone, Copy)]
pub(super) struct Unverified {
    pub(super) conda: &'static str,
    pub(super) pip: &'static str,
}

/// What it means if an archive is listed twice.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Repeats {
    /// A mistake, which causes a warning.
    Slip,
    /// The format lists a package once for each category that it belongs to.
    Usual,
}

impl<'a> Locked<'a> {
    /// Starts with nothing; `settings` name packages to leave out, and have the values of variables in URLs.
    pub(super) fn new(
        file: &'a Arc<SourceFile>,
        settings: &'a InputSettings,
        unverified: Unverified,
    ) -> Self {
        Self {
            file,
            packages: Vec::new(),
            pip: Vec::new(),
            local: Vec::new(),
            repositories: Vec::new(),
            by_conda: BTreeSet::new(),
            needs: BTreeMap::new(),
            warnings: Vec::new(),
            skip: Skip::new(settings),
            unverified,
            hashless: BTreeMap::new(),
            placeholder: None,
            args: &settings.build_args,
            left_out: None,
        }
    }

    /// Whether there is no package.
    pub(super) fn is_empty(&self) -> bool {
        self.packages.is_empty()
            && self.pip.is_empty()
            && self.local.is_empty()
            && self.repositories.is_empty()
    }

    /// A URL with the values of its variables, and without credentials or placeholders for them. [`Locked::finish`] warns
    /// about those that were written out.
    ///
    /// # Errors
    /// A diagnostic at its lines if a variable has no value, or if the build has no login for the host.
    pub(super) fn filled(&mut self, written: &str, lines: Lines) -> Result<String, Diagnostic> {
        self.filled_by(address_variables::fill, written, lines)
    }

    /// The same for the URL of a PyPI package.
    pub(super) fn filled_pip(&mut self, written: &str, lines: Lines) -> Result<String, Diagnostic> {
        self.filled_by(address_variables::fill_pip, written, lines)
    }

    fn filled_by(
        &mut self,
        fill: impl FnOnce(&str, &BuildArgs) -> Result<FilledAddress, AddressError>,
        written: &str,
        lines: Lines,
    ) -> Result<String, Diagnostic> {
        let file = self.file;
        let written = self.without_placeholders(written, lines);
        let address = fill(&written, self.args).map_err(|error| error.at(Place { file, lines }))?;
        if let Some(host) = address.left_out {
            self.left_out.get_or_insert((host, lines));
        }
        Ok(address.text)
    }

    /// Adds a warning.
    pub(super) fn warn(&mut self, rule: Rule, diagnostic: Diagnostic) {
        self.warnings.push(Warning { rule, diagnostic });
    }

    /// Keeps one of several entries for the same archive or wheel, and refuses different ones of the same name.
    pub(super) fn deduplicate(&mut self, repeats: Repeats) -> Result<(), Diagnostic> {
        self.deduplicate_conda(repeats)?;
        self.deduplicate_pip(repeats)?;
        self.deduplicate_local(repeats)?;
        self.deduplicate_repositories(repeats)
    }

    fn deduplicate_conda(&mut self, repeats: Repeats) -> Result<(), Diagnostic> {
        let mut seen: HashMap<String, usize> = HashMap::new();
        let mut kept: Vec<Package> = Vec::with_capacity(self.packages.len());
        for package in std::mem::take(&mut self.packages) {
            let Some(&index) = seen.get(&package.id.name) else {
                seen.insert(package.id.name.clone(), kept.len());
                kept.push(package);
                continue;
            };
            let first = &mut kept[index];
            if !same_archive(first, &package) {
                return Err(Diagnostic::new(format!(
                    "{} is listed twice, as {} and as {}",
                    package.id.name,
                    describe(first, &package),
                    describe(&package, first)
                ))
                .at(self.file, first.lines)
                .at(self.file, package.lines)
                .help("Remove one of the two: an environment holds one version of a package."));
            }
            self.repeated(repeats, &package.id.to_string(), package.lines);
            first.hashes.complete(package.hashes);
        }
        self.packages = kept;
        Ok(())
    }

    fn deduplicate_pip(&mut self, repeats: Repeats) -> Result<(), Diagnostic> {
        let mut seen: HashMap<String, usize> = HashMap::new();
        let mut kept: Vec<PipPackage> = Vec::with_capacity(self.pip.len());
        for package in std::mem::take(&mut self.pip) {
            let key = normalized(&package.name);
            let Some(&index) = seen.get(&key) else {
                seen.insert(key, kept.len());
                kept.push(package);
                continue;
            };
            let first = &mut kept[index];
            if first.url != package.url || !first.hashes.agree(&package.hashes) {
                return Err(self.two_files(&package.name, first.lines, package.lines));
            }
            self.repeated(repeats, &package.name, package.lines);
            first.hashes.complete(package.hashes);
        }
        self.pip = kept;
        Ok(())
    }

    fn deduplicate_local(&mut self, repeats: Repeats) -> Result<(), Diagnostic> {
        let mut kept: Vec<LocalPip> = Vec::with_capacity(self.local.len());
        for package in std::mem::take(&mut self.local) {
            let key = normalized(&package.name);
            let found = self.pip.iter().find(|one| normalized(&one.name) == key);
            let first = kept.iter_mut().find(|one| normalized(&one.name) == key);
            match (found.map(|one| one.lines), first) {
                (None, None) => kept.push(package),
                (None, Some(first))
                    if first.path == package.path && first.hashes.agree(&package.hashes) =>
                {
                    first.hashes.complete(package.hashes);
                    self.repeated(repeats, &package.name, package.lines);
                }
                (found, first) => {
                    let lines = found.or(first.map(|first| first.lines));
                    return Err(self.two_files(
                        &package.name,
                        lines.unwrap_or(package.lines),
                        package.lines,
                    ));
                }
            }
        }
        self.local = kept;
        Ok(())
    }

    fn two_files(&self, name: &str, first: Lines, second: Lines) -> Diagnostic {
        Diagnostic::new(format!(
            "the PyPI package {name} is listed twice, as different files"
        ))
        .at(self.file, first)
        .at(self.file, second)
        .help("Remove one of the two: an environment holds one version of a package.")
    }

    fn repeated(&mut self, repeats: Repeats, what: &str, lines: Lines) {
        if repeats == Repeats::Slip {
            let diagnostic =
                Diagnostic::new(format!("{what} is listed twice")).at(self.file, lines);
            self.warn(Rule::DuplicatePackage, diagnostic);
        }
    }

    /// The input, with warnings about its URLs and hashes.
    pub(super) fn finish(mut self) -> EnvironmentInput {
        self.warn_of_placeholders();
        self.warn_of_credentials();
        self.warn_of_terms();
        self.warn_of_hashes();
        EnvironmentInput {
            prefix: None,
            variables: BTreeMap::new(),
            late_variables: ActivationVariables::default(),
            conda: Conda::Locked(self.packages),
            unknown_skips: Some(self.skip.unknown(self.file)),
            categories: Categories::NoLock,
            pip: Pip::Locked(LockedPip {
                files: self.pip,
                local: self.local,
                repositories: self.repositories,
                by_conda: self.by_conda,
                needs: self.needs,
            }),
            beside: None,
            section: ImageSection::default(),
            warnings: self.warnings,
        }
    }
}

fn same_archive(a: &Package, b: &Package) -> bool {
    let is_one = a.hashes.prove_equal(&b.hashes)
        || (a.hashes.agree(&b.hashes) && a.url.recorded() == b.url.recorded());
    a.id == b.id && a.subdir == b.subdir && is_one
}

/// The shortest clear description that distinguishes `package` from `other`.
fn describe(package: &Package, other: &Package) -> String {
    if package.id != other.id || package.subdir != other.subdir {
        return format!("{}/{}", package.subdir, package.id.file_name());
    }
    if package.hashes.agree(&other.hashes) {
        return package.url.to_string();
    }
    let hashes = &package.hashes;
    let hash = hashes.sha256.as_ref().or(hashes.md5.as_ref());
    let hash = hash.map_or("none", String::as_str);
    format!("{} with hash {hash}", package.id)
}

/// Refuses a package that is listed for `subdir` but built for another.
pub(super) fn check_subdir(
    file: &Arc<SourceFile>,
    package: &Package,
    subdir: &str,
    lines: Lines,
    advice: &str,
) -> Result<(), Diagnostic> {
    if package.is_noarch() || package.subdir == subdir {
        return Ok(());
    }
    Err(Diagnostic::new(format!(
        "{} is listed for {subdir}, but its URL is for {}",
        package.id, package.subdir
    ))
    .at(file, lines)
    .help_to_write_again(advice))
}

/// The error for a lock that is for other platforms than the image's: `what` is for the subdirs `found`, as the file says
/// at `lines`.
pub(super) fn other_platform(
    what: &str,
    mut found: Vec<&str>,
    platform: Platform,
    file: &Arc<SourceFile>,
    lines: Lines,
) -> Diagnostic {
    found.sort_unstable();
    found.dedup();
    let can: Vec<String> = Platform::ALL
        .into_iter()
        .filter(|candidate| found.contains(&candidate.subdir()))
        .map(|candidate| format!("--platform {candidate}"))
        .collect();
    let help = if can.is_empty() {
        format!("Create a lock for {}.", platform.subdir())
    } else {
        format!(
            "Build with {}, or create a lock for {}.",
            prose::or(can),
            platform.subdir()
        )
    };
    let found = match found.as_slice() {
        [] => "no platform".to_owned(),
        found => found.join(", "),
    };
    Diagnostic::new(format!(
        "{what} is for {found}, but the image is built for {platform} ({})",
        platform.subdir()
    ))
    .at(file, lines)
    .help(help)
}

/// Help for `word`, which is not one of `known`: the nearest of them, and all of them.
pub(super) fn choices(word: &str, known: &[&str], what: &str) -> String {
    let all = match known {
        [] => format!("It has no {what}."),
        [one] => format!("It has only {one}."),
        known => format!("It has the {what} {}.", known.join(", ")),
    };
    match did_you_mean(word, known.iter().copied()) {
        Some(near) => format!("{near} {all}"),
        None => all,
    }
}

/// The warning for a build-arg that does not apply to this kind of file.
pub(super) fn without_effect(name: &str, file: &SourceFile, why: &str) -> Warning {
    Warning {
        rule: Rule::Ignored,
        diagnostic: Diagnostic::new(format!(
            "the build-arg {name} has no effect on {}: {why}",
            file.name()
        )),
    }
}
