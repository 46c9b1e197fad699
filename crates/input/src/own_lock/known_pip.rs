//! What a lock has of the PyPI packages that lines of a list ask for.

use super::of_extras;
use crate::environment_input::{LocalPip, LockedPip, RepositoryPip};
use crate::locked::repository::{BRANCH, is_commit};
use crate::pylock::MarkerEnvironment;
use crate::requirements::{ListEntry, Repository, Requirement, Source};
use condafront_model::package::{Package, PackageUrl};
use condafront_model::platform::Platform;
use condafront_model::pypi_package::{PipPackage, normalized};
use condafront_model::redact::{self, quoted};
use url::Url;

/// The packages of a lock, as far as PyPI packages are concerned.
pub(super) struct KnownPip<'a> {
    /// Its PyPI packages.
    pub(super) pip: &'a LockedPip,
    /// Its conda packages.
    pub(super) conda: &'a [Package],
    /// Names that may be missing: those that are left out.
    pub(super) skip: &'a [String],
    /// Whether a conda package of the same name will do.
    pub(super) is_by_name: bool,
    /// What markers see of the image; `None` if that is not certain.
    pub(super) image: Option<MarkerEnvironment>,
}

/// What markers see of an image with this build of a version of python; `None` if that is not certain.
pub(super) fn image_of(
    version: &str,
    build: &str,
    platform: Platform,
) -> Option<MarkerEnvironment> {
    let mut parts = version.splitn(3, '.');
    let minor = format!("{}.{}", parts.next()?, parts.next()?);
    let is_cpython = !build.contains("pypy");
    is_cpython.then(|| MarkerEnvironment::of_cpython(&minor, version, platform))
}

impl KnownPip<'_> {
    /// What is wrong with what the lock has of the package `name` that a line asks for; `lock` is what the lock is called.
    pub(super) fn fault(
        &self,
        entry: &ListEntry,
        requirement: &Requirement,
        name: &str,
        lock: &str,
    ) -> Option<String> {
        // Where its marker does not hold, another line may ask for the package.
        if !self.needs(requirement) {
            return None;
        }
        let not_asked = |what: String| {
            Some(format!(
                "`{lock}` has {what}, which is not what this line asks for"
            ))
        };
        if let Some(repository) = self.repository(name) {
            let is_asked = match &requirement.source {
                Source::Repository(asked) => is_it(repository, asked),
                Source::Context(_) | Source::Web(_) => false,
                Source::Index => true,
            };
            if !is_asked {
                let commit = &repository.commit;
                return not_asked(format!("commit {commit} of the repository of {name}"));
            }
        }
        if let Some(local) = self.local(name) {
            let is_asked = match &requirement.source {
                Source::Context(asked) => asked.path == local.path,
                Source::Repository(_) | Source::Web(_) => false,
                Source::Index => true,
            };
            if !is_asked {
                let path = if local.path.is_empty() {
                    "."
                } else {
                    &local.path
                };
                return not_asked(format!("{name} of the folder `{}`", quoted(path)));
            }
        }
        let needs = if let Some(file) = self.file(name) {
            let is_asked = match &requirement.source {
                Source::Index => requirement.allows(file),
                Source::Web(Some(asked)) => is_file(file, asked),
                Source::Web(None) => true,
                Source::Context(_) | Source::Repository(_) => false,
            };
            if !is_asked {
                return not_asked(format!("the PyPI package {}", file.label()));
            }
            &file.requires_dist
        } else {
            if !entry.is_constraint && !self.is_elsewhere(name) {
                return Some(format!("`{lock}` has no PyPI package {name}"));
            }
            self.pip.needs.get(name)?
        };
        let (needed, extra) = self.missing_of_extras(entry, needs)?;
        Some(format!(
            "`{lock}` has no PyPI package {needed}, which the extra `{}` of {name} needs",
            quoted(&extra)
        ))
    }

    fn file(&self, name: &str) -> Option<&PipPackage> {
        let mut files = self.pip.files.iter();
        files.find(|file| normalized(&file.name) == name)
    }

    fn local(&self, name: &str) -> Option<&LocalPip> {
        let mut local = self.pip.local.iter();
        local.find(|one| normalized(&one.name) == name)
    }

    fn repository(&self, name: &str) -> Option<&RepositoryPip> {
        let mut repositories = self.pip.repositories.iter();
        repositories.find(|one| normalized(&one.name) == name)
    }

    /// Whether the package is there, but not as a file to download.
    fn is_elsewhere(&self, name: &str) -> bool {
        let is_it = |known: &str| normalized(known) == name;
        let mut conda = self.conda.iter();
        self.local(name).is_some()
            || self.repository(name).is_some()
            || self.pip.by_conda.contains(name)
            || self.skip.iter().any(|one| is_it(one))
            || self.is_by_name && conda.any(|one| is_it(&one.id.name))
    }

    /// Whether the image surely needs what a line asks for.
    fn needs(&self, requirement: &Requirement) -> bool {
        requirement.marker().is_none_or(|marker| {
            let image = self.image.as_ref();
            image.is_some_and(|image| image.surely_meets(marker))
        })
    }

    /// A package that the extras of a line surely need and that is not there, and the extra.
    fn missing_of_extras(&self, entry: &ListEntry, needs: &[String]) -> Option<(String, String)> {
        // If the lock does not say what conda packages contain, one of any name may be it.
        if self.pip.by_conda.is_empty() {
            return None;
        }
        let is_there = |name: &str| self.file(name).is_some() || self.is_elsewhere(name);
        of_extras::missing(&entry.text, needs, self.image.as_ref()?, is_there)
    }
}

/// Whether a lock has the repository that is asked for, and the commit, as far as it says how that was found.
pub(super) fn is_it(locked: &RepositoryPip, asked: &Repository) -> bool {
    let own = locked.found_by.as_deref();
    let own = own.map(|own| own.strip_prefix(BRANCH).unwrap_or(own));
    let is_asked = match &asked.reference {
        Some(reference) if is_commit(reference) => locked.commit.eq_ignore_ascii_case(reference),
        Some(reference) => {
            own.is_none_or(|own| own == reference) || locked.commit.starts_with(reference)
        }
        // Otherwise, the default branch is not what was asked for when the lock was written.
        None => own.is_none_or(|own| locked.commit.starts_with(own)),
    };
    plain(&locked.url) == plain(&asked.url) && is_asked && locked.subdir == asked.subdir
}

/// Whether a file of a lock is at the address that is asked for.
fn is_file(file: &PipPackage, asked: &Url) -> bool {
    let plain = |url: &Url| PackageUrl::new(url.clone()).recorded_file();
    plain(file.url.url()) == plain(asked)
}

/// The address of a repository without what may be spelled differently. pixi masks the names of accounts.
fn plain(url: &str) -> String {
    let url = redact::without_credentials(url);
    let url = url.trim_end_matches('/').to_ascii_lowercase();
    url.strip_suffix(".git").unwrap_or(&url).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use condafront_model::source::Lines;

    #[test]
    fn what_is_left_out_may_be_missing() {
        for is_by_name in [false, true] {
            let known = KnownPip {
                pip: &LockedPip::default(),
                conda: &[],
                skip: &["Tokenize.rt".to_owned()],
                is_by_name,
                image: None,
            };
            assert!(known.is_elsewhere("tokenize-rt"));
            assert!(!known.is_elsewhere("black"));
        }
    }

    #[test]
    fn repositories_are_compared_by_what_they_name() {
        let commit = "0123456789abcdef0123456789abcdef01234567";
        let own = |url: &str, found_by: Option<&str>, subdir: Option<&str>| RepositoryPip {
            name: "demo".to_owned(),
            url: url.to_owned(),
            commit: commit.to_owned(),
            found_by: found_by.map(str::to_owned),
            subdir: subdir.map(str::to_owned),
            lines: Lines::one(1),
        };
        let asked = |url: &str, reference: Option<&str>, subdir: Option<&str>| Repository {
            url: url.to_owned(),
            reference: reference.map(str::to_owned),
            found_by: None,
            subdir: subdir.map(str::to_owned),
            has_history: false,
        };
        let other = "f".repeat(40);
        let url = "https://g.example/team/demo";
        for (own, asked, expected) in [
            (own(url, None, None), asked(url, None, None), true),
            (
                own(url, None, None),
                asked("https://G.example/team/demo.git/", None, None),
                true,
            ),
            (
                own(url, Some("v1"), None),
                asked(url, Some("v1"), None),
                true,
            ),
            (
                own(url, Some("v1"), None),
                asked(url, Some("v2"), None),
                false,
            ),
            (
                own(url, Some("v1"), None),
                asked(url, Some("0123456"), None),
                true,
            ),
            (
                own(url, Some("refs/heads/main"), None),
                asked(url, Some("main"), None),
                true,
            ),
            (own(url, None, None), asked(url, Some(commit), None), true),
            (own(url, None, None), asked(url, Some(&other), None), false),
            (own(url, Some("v1"), None), asked(url, None, None), false),
            (own(url, Some(commit), None), asked(url, None, None), true),
            (
                own(url, Some("demo@1.0"), None),
                asked(url, Some("demo@1.0"), None),
                true,
            ),
            (
                own(url, None, None),
                asked("https://me@g.example/team/demo", None, None),
                true,
            ),
            (
                own(url, None, None),
                asked("https://g.example/team/other", None, None),
                false,
            ),
            (
                own(url, None, Some("py")),
                asked(url, None, Some("py")),
                true,
            ),
            (own(url, None, Some("py")), asked(url, None, None), false),
        ] {
            assert_eq!(is_it(&own, &asked), expected, "{own:?} {asked:?}");
        }
    }
}
