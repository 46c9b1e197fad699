//! Checks of PyPI packages before anything is built.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::pylock::Pylock;
use super::requirements::List;
use crate::environment_input::{Conda, LocalPip, RepositoryPip};
use crate::match_spec::{self, name_of};
use condafront_model::lint::{Rule, Warning};
use condafront_model::package::{Hashes, Package};
use condafront_model::pypi_package::{PipPackage, normalized};
use condafront_model::redact::quoted;
use condafront_model::source::{Diagnostic, Lines, Location, SourceFile};

/// The PyPI packages of an environment, including the contents of the files that its list names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PypiPackages {
    /// Exactly these files, installed first.
    pub locked: Vec<PipPackage>,
    /// Packages of the build context that a lock names.
    pub local: Vec<LocalPip>,
    /// Packages of repositories that a lock names.
    pub repositories: Vec<RepositoryPip>,
    /// Locks from which each environment gets what is for its python and platform.
    pub pylocks: Vec<Pylock>,
    /// Entries that pip must resolve.
    pub list: List,
}

impl PypiPackages {
    /// Whether there is nothing to install.
    pub fn is_empty(&self) -> bool {
        self.locked.is_empty()
            && self.local.is_empty()
            && self.repositories.is_empty()
            && !self.asks_for_more()
    }

    /// Whether there is anything that the environment's own lock does not name.
    pub fn asks_for_more(&self) -> bool {
        !self.pylocks.is_empty() || !self.list.is_empty()
    }

    /// Checks that the list has hashes for all requirements if it has one for some, as pip wants it for what it downloads.
    /// It keeps what the environment's `conda` packages and its locks have, whose names may differ from conda's.
    ///
    /// # Errors
    /// A diagnostic at the first requirement without a hash.
    pub fn check_hashes(&self, conda: &Conda) -> Result<(), Diagnostic> {
        /// What python brings.
        const OF_PYTHON: [&str; 3] = ["pip", "setuptools", "wheel"];
        let of_conda: BTreeSet<String> = match conda {
            Conda::Locked(packages) => {
                let names = packages.iter().map(|package| &*package.id.name);
                names.map(normalized).collect()
            }
            Conda::Unsolved(request) => {
                let specs = request.all_specs();
                let specs = specs.filter_map(|spec| match_spec::parsed(&spec.spec));
                specs.map(|spec| normalized(name_of(&spec))).collect()
            }
        };
        let is_locked = |name: &str| {
            let files = self.locked.iter().map(|package| &package.name);
            let local = self.local.iter().map(|package| &package.name);
            let repositories = self.repositories.iter().map(|package| &package.name);
            let mut all = files.chain(local).chain(repositories);
            all.any(|locked| normalized(locked) == name)
        };
        self.list.check_hashes(|name| {
            OF_PYTHON.contains(&name)
                || of_conda.contains(name)
                || is_locked(name)
                || self.pylocks.iter().any(|lock| lock.has(name))
        })
    }
}

/// Checks that pip can install these files; `file` is the environment's own.
///
/// # Errors
/// A diagnostic at the first one that pip cannot install.
pub fn check_files(files: &[PipPackage], file: &Arc<SourceFile>) -> Result<(), Diagnostic> {
    let Some(unknown) = files.iter().find(|package| package.kind().is_none()) else {
        return Ok(());
    };
    let location = unknown.location(file);
    Err(Diagnostic::new(format!(
        "{} is neither a wheel nor a source archive: {}",
        unknown.label(),
        unknown.url
    ))
    .at(&location.file, location.lines)
    .help("Wheels end in .whl, source archives in .tar.gz or .zip."))
}

/// Checks that an environment with these conda packages can have the PyPI packages in `asked`; `file` is its own. Whether
/// condafront supplies the pip that finds those of a list is `supplies_pip`.
///
/// # Errors
/// A diagnostic at the first PyPI package if there is no python to install it with, or no pip to resolve it.
pub fn check(
    packages: &[Package],
    asked: &PypiPackages,
    file: &Arc<SourceFile>,
    supplies_pip: bool,
) -> Result<(), Diagnostic> {
    let has = |name: &str| packages.iter().any(|package| package.id.name == name);
    // For what a lock names, condafront can supply a pip.
    let files = asked.locked.first();
    let files = files.map(|first| (first.label(), first.location(file)));
    let local = asked.local.first();
    let local = local.map(|first| (quoted(&first.name), first.location(file)));
    let repository = asked.repositories.first();
    let repository = repository.map(|first| (quoted(&first.name), first.location(file)));
    let pylock = asked.pylocks.first();
    let pylock = pylock.map(|lock| {
        let place = Location {
            file: Arc::clone(&lock.file),
            lines: Lines::one(1),
        };
        let what = format!("{} is a lock of PyPI packages", lock.file.name());
        (what, place, &["python"][..])
    });
    let a_package = |label: &str| format!("{label} is a PyPI package");
    let files = files.or(local).or(repository);
    let files = files.map(|(label, location)| (a_package(&label), location, &["python"][..]));
    let mut list = asked.list.entries().iter();
    let list = list.find(|entry| entry.requirement().is_some() && !entry.is_constraint);
    let list = list.map(|entry| {
        let needed: &[&str] = if supplies_pip {
            &["python"]
        } else {
            &["python", "pip"]
        };
        (a_package(&quoted(&entry.text)), entry.location(), needed)
    });
    let all = files.into_iter().chain(pylock).chain(list);
    for (what, location, needed) in all {
        let Some(missing) = needed.iter().find(|name| !has(name)) else {
            continue;
        };
        return Err(Diagnostic::new(format!(
            "{what}, and the environment has no {missing} to install it with"
        ))
        .at(&location.file, location.lines)
        .help(format!(
            "Add {missing} to the environment's conda dependencies; if this is a lock file, regenerate it."
        )));
    }
    Ok(())
}

/// Warnings about packages that pip has found; `file` is the environment's own.
pub fn warnings(packages: &[PipPackage], file: &Arc<SourceFile>) -> Vec<Warning> {
    const HELP: &str =
        "The index gives no hash for the file: use another index, or lock the environment.";
    let unverified = packages
        .iter()
        .filter(|package| package.hashes == Hashes::default());
    unverified
        .map(|package| {
            let location = package.location(file);
            Warning::unverified(Rule::UnverifiedPackage, package.label(), HELP)
                .at(&location.file, location.lines)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::InputSettings;
    use crate::requirements::list_of;
    use condafront_model::platform::Platform;
    use condafront_model::source::Level;

    fn package(url: &str) -> PipPackage {
        PipPackage {
            name: "requests".to_owned(),
            version: Some("2.32.3".to_owned()),
            lines: Lines::one(2),
            ..PipPackage::example(url)
        }
    }

    #[test]
    fn what_the_environment_has_needs_no_hash() {
        let conda = |text: &str| {
            let file = SourceFile::new("env.yml", text);
            let settings = InputSettings::default();
            crate::read(&file, Platform::LinuxAmd64, &settings)
                .unwrap()
                .conda
        };
        let solved = conda("channels: [c]\ndependencies: [python, 'my_pkg>=1']\n");
        let locked = conda("@EXPLICIT\nhttps://conda.example/forge/noarch/my_pkg-1-0.conda\n");
        let hash = "a".repeat(64);
        for (name, expected) in [
            ("My.Pkg>=1", true),
            ("pip", true),
            ("requests", true),
            ("six", false),
        ] {
            let asked = PypiPackages {
                locked: vec![package("https://f.example/requests.whl")],
                list: list_of(&format!("idna==3 --hash=sha256:{hash}\n{name}\n")),
                ..PypiPackages::default()
            };
            for conda in [&solved, &locked] {
                assert_eq!(asked.check_hashes(conda).is_ok(), expected, "{name}");
            }
        }
    }

    #[test]
    fn missing_tools_are_reported_at_their_line() {
        let file = SourceFile::new("env.lock", "@EXPLICIT\n# pip requests @ …\n");
        let locked = PypiPackages {
            locked: vec![package("https://f.example/requests.whl")],
            ..PypiPackages::default()
        };
        let listed = PypiPackages {
            list: list_of("--pre\nx @ https://me:hunter2@f.example/x-1-py3-none-any.whl\n"),
            ..PypiPackages::default()
        };
        let strange = [package("https://me:hunter2@f.example/requests.exe")];
        let [python, pip] = ["python", "pip"].map(Package::example);
        let both = [python.clone(), pip];
        let python = std::slice::from_ref(&python);
        let mut all = String::new();
        for error in [
            check(&[], &locked, &file, false),
            check(python, &listed, &file, false),
            check_files(&strange, &file),
        ] {
            all.push_str(&format!("{}\n\n", error.unwrap_err().render(Level::Error)));
        }
        for warning in warnings(&[package("https://f.example/requests.whl")], &file) {
            all.push_str(&warning.diagnostic.render(Level::Warning));
        }
        assert!(!all.contains("hunter2"));
        insta::assert_snapshot!(all);
        check(python, &locked, &file, false).unwrap();
        check(&both, &listed, &file, false).unwrap();
        check(python, &listed, &file, true).unwrap();
        check(&[], &PypiPackages::default(), &file, false).unwrap();
    }
}
