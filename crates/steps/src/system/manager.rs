//! The package managers of a base image.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::failure::Failure;
use super::process::Tool;
use super::{apk, apt, dnf};
use crate::account::os_name;
use crate::root::{Root, RootError};
use condafront_step_spec::failure_report::{Culprit, FailureReport};
use condafront_step_spec::system::Manager;

/// Where distributions install their package managers.
const DIRS: [&str; 5] = ["/usr/bin", "/bin", "/usr/sbin", "/sbin", "/usr/local/bin"];

/// Each manager's programs, best first.
fn names(manager: Manager) -> &'static [&'static str] {
    match manager {
        Manager::Apt => &["apt-get"],
        Manager::Apk => &["apk"],
        Manager::Dnf => &["dnf", "dnf5", "microdnf", "yum"],
    }
}

/// The package managers of a base image.
#[derive(Debug)]
pub(super) struct Programs {
    found: BTreeMap<Manager, String>,
    /// The base image's name; empty if it does not say.
    base: String,
}

impl Programs {
    /// Looks for package managers in the image.
    pub(super) fn find(root: &Root) -> Result<Self, FailureReport> {
        let mut found = BTreeMap::new();
        for manager in Manager::ALL {
            if let Some(path) = find(root, names(manager))? {
                found.insert(manager, path);
            }
        }
        let base = os_name(root)?;
        Ok(Self { found, base })
    }

    /// The program's path. A missing one fails when it is run.
    pub(super) fn of(&self, manager: Manager) -> &str {
        self.found
            .get(&manager)
            .map_or(names(manager)[0], String::as_str)
    }

    pub(super) fn has(&self, manager: Manager) -> bool {
        self.found.contains_key(&manager)
    }

    /// Installs packages with `manager`, which the base image has.
    pub(super) fn install(
        &self,
        tool: &mut Tool<'_>,
        manager: Manager,
        packages: &[String],
    ) -> Result<(), Failure> {
        let program = self.of(manager);
        match manager {
            Manager::Apt => apt::install(tool, program, packages),
            Manager::Apk => apk::install(tool, program, packages),
            Manager::Dnf => dnf::install(tool, program, packages),
        }
    }

    /// The base image, with the name that its os-release gives.
    pub(super) fn base(&self) -> String {
        match self.base.as_str() {
            "" => "the base image".to_owned(),
            name => format!("the base image ({name})"),
        }
    }

    /// Fails if the base image does not have this one, and says which one it has.
    pub(super) fn check(&self, manager: Manager) -> Result<(), FailureReport> {
        if self.has(manager) {
            return Ok(());
        }
        let name = manager.name();
        let (message, help) = match self.found.keys().next() {
            Some(other) => (
                format!(
                    "{} has no {name}: its package manager is {other}",
                    self.base(),
                    other = other.name()
                ),
                format!(
                    "Use the key `{}` instead; some package names differ there.",
                    other.name()
                ),
            ),
            None => (
                format!(
                    "{} has no {name}, nor any other package manager that condafront supports",
                    self.base()
                ),
                "Use a base image that has one, or install the packages from a conda channel."
                    .to_owned(),
            ),
        };
        Err(FailureReport {
            help: Some(help),
            culprits: vec![Culprit::Key(name.to_owned())],
            ..FailureReport::new(message)
        })
    }
}

pub(super) fn find(root: &Root, names: &[&str]) -> Result<Option<String>, RootError> {
    for name in names {
        for dir in DIRS {
            let path = format!("{dir}/{name}");
            let meta = root.metadata(Path::new(&path))?;
            if meta.is_some_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0) {
                return Ok(Some(path));
            }
        }
    }
    Ok(None)
}
