//! What the lock of a manifest must have been written for, as far as PyPI packages are concerned.

use std::collections::BTreeMap;

use super::python;
use super::workspace::{Environment, Feature, Workspace};
use crate::lock_terms::{PYPI_ORG, Places, PypiTerms, Selected};
use crate::section::image_section::Located;
use crate::yaml::{Key, Node};
use condafront_model::pypi_package::{normalized, requirement_name};
use condafront_model::source::{Diagnostic, Lines};

/// The terms of an environment; `together` are the environments that are solved with it. `None` if it asks for no PyPI packages
/// on any platform.
///
/// # Errors
/// A diagnostic at what is not a requirement.
pub(super) fn read<'a>(
    workspace: &Workspace<'a>,
    environment: &Environment<'a>,
    together: &Environment<'a>,
) -> Result<Option<PypiTerms>, Diagnostic> {
    let mut terms = PypiTerms::default();
    let mut has_any = false;
    for feature in &environment.features {
        let of_all = feature
            .table
            .and_then(|table| table.get("pypi-dependencies"));
        has_any |= entries(of_all).next().is_some();
        for table in workspace.tables(*feature, &["pypi-dependencies"]) {
            for (key, node) in entries(Some(table)) {
                add(key, node, &mut terms);
            }
        }
        for requirement in python::requirements(workspace, *feature)? {
            has_any = true;
            let name = requirement_name(&requirement.text);
            if let Some(name) = name.filter(|_| !requirement.text.contains('@')) {
                terms
                    .asked
                    .entry(name)
                    .or_default()
                    .any
                    .push(requirement.lines);
            }
        }
    }
    if !has_any {
        return Ok(None);
    }
    let options = Options::of(workspace, together);
    terms.indexes = options.indexes();
    terms.links = options.links();
    terms.overrides = overrides(workspace, environment);
    terms.no_build = options.selected("no-build");
    terms.no_binary = options.selected("no-binary");
    terms.unisolated = options.selected("no-build-isolation");
    Ok(Some(terms))
}

/// The entries of a table.
fn entries(table: Option<&Node>) -> impl Iterator<Item = &(Key, Node)> {
    table.and_then(Node::mapping).unwrap_or_default().iter()
}

/// Adds what a dependency says.
fn add(key: &Key, node: &Node, terms: &mut PypiTerms) {
    let name = normalized(&key.name);
    if node.get("editable").and_then(Node::text) == Some("true") {
        terms.editable.insert(name.clone());
    }
    let mut others = ["path", "git", "url"].iter();
    if others.any(|field| node.get(field).is_some()) {
        return;
    }
    let asked = terms.asked.entry(name).or_default();
    match node.get("index").and_then(Node::text) {
        Some(index) => asked.indexes.push(Located {
            value: index.to_owned(),
            lines: key.lines,
        }),
        None => asked.any.push(key.lines),
    }
}

/// The versions that replace those that packages ask for. Those of a more important feature come last, and count.
fn overrides(
    workspace: &Workspace<'_>,
    environment: &Environment<'_>,
) -> BTreeMap<String, Located<Option<String>>> {
    let base = workspace.value("pypi-options").into_iter();
    let features = environment.features.iter().rev();
    let of_features = features.flat_map(|one| workspace.tables(*one, &["pypi-options"]));
    let tables = base.chain(of_features);
    let all = tables.flat_map(|table| entries(table.get("dependency-overrides")));
    let all = all.map(|(key, node)| {
        let version = node.get("version").unwrap_or(node).text();
        let value = version.filter(|text| *text != "*").map(str::to_owned);
        let lines = key.lines;
        (normalized(&key.name), Located { value, lines })
    });
    all.collect()
}

/// The options of an environment.
struct Options<'a> {
    /// The tables, those of the workspace first, then those of features, the most important first.
    tables: Vec<&'a Node>,
    /// Whether single platforms have their own.
    has_targets: bool,
}

impl<'a> Options<'a> {
    fn of(workspace: &Workspace<'a>, together: &Environment<'a>) -> Self {
        let own = |feature: &Feature<'a>| feature.table?.get("pypi-options");
        let features = together.features.iter();
        let base = workspace.value("pypi-options").into_iter();
        let tables: Vec<&Node> = base.chain(features.filter_map(own)).collect();
        let mut targets = together.features.iter().flat_map(|feature| {
            let targets = feature.table.and_then(|table| table.get("target"));
            entries(targets).map(|(_, node)| node)
        });
        Self {
            tables,
            has_targets: targets.any(|target| target.get("pypi-options").is_some()),
        }
    }

    /// The values of a key, with its lines.
    fn all(&self, key: &str) -> Vec<(&'a Key, &'a Node)> {
        let entries = self.tables.iter().flat_map(|table| entries(Some(*table)));
        let found = entries.filter(|(known, _)| known.name == key);
        found.map(|(key, node)| (key, node)).collect()
    }

    /// The index and more of them. That of a feature replaces that of the workspace.
    fn indexes(&self) -> Option<Places> {
        let own = self.all("index-url");
        let own = own.last().filter(|(_, node)| node.text().is_some());
        let more = self.all("extra-index-urls");
        let mut all = vec![own.map_or(PYPI_ORG, |(_, node)| node.text().unwrap_or_default())];
        for item in more
            .iter()
            .flat_map(|(_, node)| node.list().unwrap_or_default())
        {
            let text = item.get("url").unwrap_or(item).text()?;
            if !all.contains(&text) {
                all.push(text);
            }
        }
        let last = more.last().or(own);
        self.places(all, more.len(), last.map(|(key, _)| key.lines))
    }

    fn links(&self) -> Option<Places> {
        let links = self.all("find-links");
        let mut all = Vec::new();
        for item in links
            .iter()
            .flat_map(|(_, node)| node.list().unwrap_or_default())
        {
            let place = ["url", "path"].iter().find_map(|field| item.get(field));
            let text = place?.text()?;
            if !all.contains(&text) {
                all.push(text);
            }
        }
        self.places(all, links.len(), links.last().map(|(key, _)| key.lines))
    }

    /// What the environment says; `None` if that is not certain.
    fn places(&self, all: Vec<&str>, tables: usize, lines: Option<Lines>) -> Option<Places> {
        let is_certain = !self.has_targets && !all.iter().any(|place| place.contains('$'));
        is_certain.then(|| Places {
            all: all.into_iter().map(str::to_owned).collect(),
            is_ordered: tables < 2,
            lines,
        })
    }

    /// The packages that an option selects.
    fn selected(&self, key: &str) -> Selected {
        let mut all = None;
        let mut named = BTreeMap::new();
        for (key, node) in self.all(key) {
            if node.text() == Some("true") {
                all = Some(key.lines);
            }
            for item in node.list().unwrap_or_default() {
                if let Some(name) = item.text() {
                    named.insert(normalized(name), item.lines);
                }
            }
        }
        Selected { all, named }
    }
}
