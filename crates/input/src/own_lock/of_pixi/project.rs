//! What a lock says about the manifest's own project, and about those in other folders.

use std::collections::BTreeSet;
use std::str::FromStr as _;

use pep508_rs::pep440_rs::VersionSpecifiers;
use rattler_lock::{PypiSourceData, UrlOrPath};

use super::{Check, Stale};
use crate::context_path;
use crate::environment_input::EnvironmentInput;
use crate::lock_terms::ProjectTerms;
use crate::manifest::own_project;
use crate::own_lock::{LocalProject, OwnLock};
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
        self.locked_at("", own)
    }

    /// What the lock has of the project in the folder `path`, which is normalized.
    fn locked_at(&self, path: &str, project: &ProjectTerms) -> Option<&'a PypiSourceData> {
        self.pypi().find_map(|package| {
            let UrlOrPath::Path(own) = package.location().inner() else {
                return None;
            };
            let own = context_path::normalized("", &own.as_str().replace('\\', "/"));
            let is_named = normalized(package.name().as_ref()) == project.name;
            package.as_source().filter(|_| own == path && is_named)
        })
    }

    /// What the manifest's own project said about itself when the lock was written, and does not say now, or the other way round.
    pub(super) fn project(&self) -> Option<Stale> {
        let own = self.terms.project.as_ref()?;
        changed(own, self.locked_project(own)?)
    }

    /// The same for projects in other folders, and the file that says it.
    pub(super) fn projects<'p>(
        &self,
        projects: &'p [LocalProject],
    ) -> Option<(&'p Arc<SourceFile>, Stale)> {
        projects.iter().find_map(|project| {
            let own = own_project::of_file(&project.file)?;
            let stale = changed(&own, self.locked_at(&project.path, &own)?)?;
            Some((&project.file, stale))
        })
    }
}

/// What a project said about itself when the lock was written, and does not say now, or the other way round.
fn changed(own: &ProjectTerms, locked: &PypiSourceData) -> Option<Stale> {
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

/// Whether a requirement is one of the package `name`.
fn is_of(requirement: &str, name: &str) -> bool {
    condafront_model::pypi_package::requirement_name(requirement).is_some_and(|own| own == name)
}
