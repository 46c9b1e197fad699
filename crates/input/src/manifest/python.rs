//! What a pyproject.toml says besides the tool's tables: the version of python, and PyPI packages.

use std::collections::HashSet;
use std::sync::Arc;

use super::workspace::{Feature, Workspace};
use crate::pip_requirement::PipRequirement;
use crate::yaml::{Key, Node};
use condafront_model::pypi_package::{normalized, requirement_name};
use condafront_model::redact::quoted;
use condafront_model::source::{Diagnostic, Lines};

/// The version of python that the project requires, and where it says so.
pub(super) fn requires_python<'a>(workspace: &Workspace<'a>) -> Option<(&'a str, Lines)> {
    let node = project(workspace)?.get("requires-python")?;
    Some((node.text()?, node.lines))
}

fn project<'a>(workspace: &Workspace<'a>) -> Option<&'a Node> {
    let tree = workspace.kind.is_pyproject.then_some(workspace.tree);
    tree?.get("project")
}

/// The PyPI packages that the project asks for in a feature: its dependencies in the default feature, and its groups in those
/// of their names.
///
/// # Errors
/// A diagnostic at what is not a requirement.
pub(super) fn requirements<'a>(
    workspace: &Workspace<'a>,
    feature: Feature<'a>,
) -> Result<Vec<PipRequirement>, Diagnostic> {
    let mut found = Vec::new();
    if feature.is_default() {
        if let Some(list) = project(workspace).and_then(|table| table.get("dependencies")) {
            Groups::new(workspace, &mut found).list(list)?;
        }
    } else if !feature.is_inline {
        Groups::new(workspace, &mut found).named(feature.name)?;
    }
    Ok(found)
}

/// Checks the list `extras` of the dependency `name`, if it is the project itself.
///
/// # Errors
/// A diagnostic at an extra that the project does not have.
pub(super) fn check_own_extras(
    workspace: &Workspace<'_>,
    name: &str,
    extras: &Node,
) -> Result<(), Diagnostic> {
    let own = project(workspace).and_then(|table| table.get("name")?.text());
    if own.is_none_or(|own| normalized(own) != normalized(name)) {
        return Ok(());
    }
    let mut found = Vec::new();
    let groups = Groups::new(workspace, &mut found);
    for item in extras.list().unwrap_or_default() {
        if let Some(extra) = item.text() {
            groups.check_extra(extra, item)?;
        }
    }
    Ok(())
}

/// Reads groups, which may include each other.
struct Groups<'w, 'a, 'f> {
    workspace: &'w Workspace<'a>,
    found: &'f mut Vec<PipRequirement>,
    /// The groups that include the one that is being read.
    open: Vec<&'a str>,
    /// The groups that have been read, by their place in the manifest: their requirements are not needed twice.
    done: HashSet<*const Node>,
}

/// The groups that may be open at the same time.
const DEEPEST: usize = 50;

impl<'w, 'a, 'f> Groups<'w, 'a, 'f> {
    fn new(workspace: &'w Workspace<'a>, found: &'f mut Vec<PipRequirement>) -> Self {
        Self {
            workspace,
            found,
            open: Vec::new(),
            done: HashSet::new(),
        }
    }

    fn named(mut self, name: &str) -> Result<(), Diagnostic> {
        self.group(name)
    }

    fn list(mut self, list: &'a Node) -> Result<(), Diagnostic> {
        self.items(list)
    }

    /// The groups of this name: an extra of the project, a dependency group, or both.
    fn group(&mut self, name: &str) -> Result<(), Diagnostic> {
        self.lists(self.workspace.groups(), name)
    }

    /// Those of `groups` that have this name.
    fn lists(
        &mut self,
        groups: impl Iterator<Item = &'a (Key, Node)>,
        name: &str,
    ) -> Result<(), Diagnostic> {
        let is_it = |key: &str| normalized(key) == normalized(name);
        for (key, list) in groups.filter(|(key, _)| is_it(&key.name)) {
            if self.open.contains(&key.name.as_str()) {
                return Err(self
                    .workspace
                    .at(key.lines)
                    .error(format!("the group `{}` includes itself", quoted(&key.name))));
            }
            if self.open.len() >= DEEPEST {
                return Err(self
                    .workspace
                    .at(key.lines)
                    .error(format!(
                        "more than {DEEPEST} groups include one another in a chain"
                    ))
                    .help("Include the groups in one list."));
            }
            if self.done.insert(list) {
                self.open.push(&key.name);
                self.items(list)?;
                self.open.pop();
            }
        }
        Ok(())
    }

    fn items(&mut self, list: &'a Node) -> Result<(), Diagnostic> {
        let Some(items) = list.list() else {
            let error = format!("requirements must be a list, not {}", list.what());
            return Err(self.workspace.at(list.lines).error(error));
        };
        for item in items {
            if let Some(name) = item.get("include-group").and_then(Node::text) {
                let groups = self.workspace.dependency_groups();
                let known = groups.map(|(key, _)| key.name.as_str());
                self.check_known(
                    name,
                    known,
                    "there is no dependency group",
                    "The groups are",
                    item,
                )?;
                self.lists(self.workspace.dependency_groups(), name)?;
                continue;
            }
            let Some(text) = item.text() else {
                let error = format!("a requirement must be a string, not {}", item.what());
                return Err(self.workspace.at(item.lines).error(error));
            };
            match self.own_extras(text) {
                Some(extras) => {
                    for extra in &extras {
                        self.check_extra(extra, item)?;
                        self.lists(self.workspace.extras(), extra)?;
                    }
                }
                None => self.found.push(PipRequirement {
                    text: text.to_owned(),
                    file: Arc::clone(self.workspace.file),
                    lines: item.lines,
                }),
            }
        }
        Ok(())
    }

    /// Checks that the project has the extra `name`, which `item` asks for.
    fn check_extra(&self, name: &str, item: &Node) -> Result<(), Diagnostic> {
        let own = self.workspace.extras();
        let known = own.map(|(key, _)| key.name.as_str());
        self.check_known(
            name,
            known,
            "the project has no extra",
            "Its extras are",
            item,
        )
    }

    /// Checks that `name`, which `item` asks for, is one of those that are `known`. Names of groups and extras are compared as
    /// those of packages are (PEP 685, PEP 735).
    fn check_known<'n>(
        &self,
        name: &str,
        known: impl Iterator<Item = &'n str>,
        none: &str,
        all: &str,
        item: &Node,
    ) -> Result<(), Diagnostic> {
        let known: Vec<&str> = known.collect();
        if known
            .iter()
            .any(|known| normalized(known) == normalized(name))
        {
            return Ok(());
        }
        let place = self.workspace.at(item.lines);
        let error = place.error(format!("{none} `{}`", quoted(name)));
        Err(if known.is_empty() {
            error.help("There are none: remove it.")
        } else {
            let shown: Vec<String> = known.iter().map(|name| quoted(name)).collect();
            error.help(format!("{all} {}.", shown.join(", ")))
        })
    }

    /// The extras of the project itself that a requirement asks for: `my-project[test]`.
    fn own_extras(&self, text: &str) -> Option<Vec<String>> {
        let own = project(self.workspace)?.get("name")?.text()?;
        requirement_name(text).filter(|name| *name == normalized(own))?;
        let (_, rest) = text.split_once('[')?;
        let (extras, _) = rest.split_once(']')?;
        Some(
            extras
                .split(',')
                .map(|extra| extra.trim().to_owned())
                .filter(|extra| !extra.is_empty())
                .collect(),
        )
    }
}
