//! What a lock says about the manifest's own project.

use std::collections::BTreeSet;
use std::str::FromStr as _;

use pep508_rs::pep440_rs::VersionSpecifiers;
use rattler_lock::{PypiSourceData, UrlOrPath};

use super::{Check, Stale};
use crate::context_path;
use crate::environment_input::EnvironmentInput;
use crate::lock_terms::ProjectTerms;
use crate::own_lock::OwnLock;
use crate::pixi_lock;
use crate::settings::InputSettings;
use crate::written_lock::LocalPypi;
use condafront_model::pypi_package::normalized;
use condafront_model::redact::quoted;
use condafront_model::source::SourceFile;

use std::sync::Arc;

impl OwnLock {
    /// The manifest's own project, if the lock `file` says of it what it says itself.
    pub fn own_project(
        &self,
        input: &EnvironmentInput,
        file: &Arc<SourceFile>,
        settings: &InputSettings,
    ) -> Option<LocalPypi> {
        let terms = input.beside.as_ref()?.terms.as_ref()?;
        let own = terms
            .project
            .as_ref()
            .filter(|own| own.requires_dist.is_some())?;
        let chosen = pixi_lock::chosen(file, self.platform, settings).ok()?;
        let check = Check::of(&chosen, terms, self.file.name())?;
        let locked = check.locked_project(own)?;
        check.project().is_none().then(|| LocalPypi {
            name: own.name.clone(),
            version: String::new(),
            path: ".".to_owned(),
            is_folder: true,
            requires_dist: locked
                .requires_dist
                .iter()
                .map(ToString::to_string)
                .collect(),
            requires_python: locked.requires_python.as_ref().map(ToString::to_string),
        })
    }
}

impl<'a> Check<'a> {
    /// What the lock has of the manifest's own project.
    fn locked_project(&self, own: &ProjectTerms) -> Option<&'a PypiSourceData> {
        self.pypi().find_map(|package| {
            let UrlOrPath::Path(path) = package.location().inner() else {
                return None;
            };
            let is_here =
                context_path::normalized("", &path.as_str().replace('\\', "/")).is_empty();
            let is_own = normalized(package.name().as_ref()) == own.name;
            package.as_source().filter(|_| is_here && is_own)
        })
    }

    /// What the project said about itself when the lock was written, and does not say now, or the other way round.
    pub(super) fn project(&self) -> Option<Stale> {
        let own = self.terms.project.as_ref()?;
        let locked = self.locked_project(own)?;
        let name = quoted(&own.name);
        if let Some(asked) = &own.requires_dist {
            let locked: Vec<String> = locked
                .requires_dist
                .iter()
                .map(ToString::to_string)
                .collect();
            // As it was given, an address may be one of several.
            if !locked
                .iter()
                .any(|one| one.contains('@') || is_of(one, &own.name))
            {
                if let Some(new) = asked.iter().find(|one| !locked.contains(&one.value)) {
                    return Some(Stale {
                        what: format!("was written before {name} needed `{}`", quoted(&new.value)),
                        lines: new.lines,
                    });
                }
                let known: BTreeSet<&str> = asked.iter().map(|one| one.value.as_str()).collect();
                if let Some(old) = locked.iter().find(|one| !known.contains(one.as_str())) {
                    return Some(Stale {
                        what: format!("was written when {name} needed `{}`", quoted(old)),
                        lines: own.lines,
                    });
                }
            }
        }
        let specifiers = |text: &str| VersionSpecifiers::from_str(text).ok();
        let asked = own.requires_python.as_ref();
        let current = asked.map(|python| specifiers(&python.value));
        let is_same = match (&current, &locked.requires_python) {
            (None, None) | (Some(None), _) => true,
            (Some(Some(current)), Some(locked)) => current == locked,
            _ => false,
        };
        if is_same {
            return None;
        }
        let python = locked.requires_python.as_ref();
        let python = python.map_or("any version of python".to_owned(), |python| {
            format!("python {python}")
        });
        Some(Stale {
            what: format!("was written when {name} was for {python}"),
            lines: asked.map_or(own.lines, |python| python.lines),
        })
    }
}

/// Whether a requirement is one of the package `name`.
fn is_of(requirement: &str, name: &str) -> bool {
    condafront_model::pypi_package::requirement_name(requirement).is_some_and(|own| own == name)
}
