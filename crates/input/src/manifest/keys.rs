//! Warnings about the keys of a manifest's tables that no tool reads, which are mistakes more often than not.

use super::known;
use super::workspace::Workspace;
use crate::platform_name;
use crate::toml_words::bare;
use crate::yaml::{Key, Node};
use condafront_model::lint::{Rule, Warning};
use condafront_model::nearest::{did_you_mean, nearest};
use condafront_model::platform;
use condafront_model::redact::quoted;

/// The table of the image section, below `tool`.
const SECTION: &str = "condafront";

/// The warnings.
pub(super) fn unknown(workspace: &Workspace<'_>) -> Vec<Warning> {
    let mut checks = Checks {
        workspace,
        warnings: Vec::new(),
    };
    checks.feature(workspace.root, &[known::OF_MANIFEST]);
    let features = entries(workspace.root.get("feature"));
    for (_, table) in features {
        checks.feature(table, &[known::OF_OTHER_FEATURES]);
    }
    for (_, table) in entries(workspace.root.get("environments")) {
        // Its own keys are checked when it is read.
        checks.tables_of(table);
    }
    if let Some(table) = workspace.table() {
        checks.table(table, &[known::OF_WORKSPACE]);
    }
    checks.section();
    checks.pool();
    let platforms = workspace.value("platforms").and_then(Node::list);
    for platform in platforms.unwrap_or_default() {
        for (key, _) in entries(Some(platform)) {
            if !key.name.starts_with("__") {
                checks.key(key, &[known::OF_PLATFORM]);
            }
        }
    }
    checks.warnings
}

struct Checks<'w, 'a> {
    workspace: &'w Workspace<'a>,
    warnings: Vec<Warning>,
}

impl Checks<'_, '_> {
    /// A feature, which also has the keys `more`.
    fn feature(&mut self, table: &Node, more: &[&[&str]]) {
        let mut names = vec![known::OF_TARGET, known::OF_FEATURE];
        names.extend(more);
        self.table(table, &names);
        if let Some(table) = table.get("system-requirements") {
            self.table(table, &[known::OF_SYSTEM]);
        }
        self.tables_of(table);
    }

    /// The image section where it is misspelt or misplaced. The tables of other tools are not ours to check.
    fn section(&mut self) {
        let (tree, root) = (self.workspace.tree, self.workspace.root);
        let is_meant = |key: &Key| nearest(&key.name, [SECTION]).is_some();
        for (key, _) in entries(tree.get("tool")) {
            if is_meant(key) {
                self.key(key, &[&[SECTION]]);
            }
        }
        if self.workspace.kind.is_pyproject {
            let misplaced = entries(Some(tree)).iter().chain(entries(root.get("tool")));
            for (key, _) in misplaced.filter(|(key, _)| key.name == SECTION) {
                self.key(key, &[]);
            }
        }
    }

    /// Packages that the table about the project has for others to inherit, which nothing does.
    fn pool(&mut self) {
        let pool = entries(self.workspace.value("dependencies"));
        let Some((first, _)) = pool.first() else {
            return;
        };
        if inherits(self.workspace.root) {
            return;
        }
        let name = bare(&first.name);
        let diagnostic = self
            .workspace
            .at(first.lines)
            .error("`dependencies` of the workspace are not installed: no dependency says `workspace = true`")
            .help(format!(
                "Write them in [dependencies], each with its version, or as {name} = {{ workspace = true }}."
            ));
        self.warnings.push(Warning {
            rule: Rule::Ignored,
            diagnostic,
        });
    }

    /// The tables in a feature.
    fn tables_of(&mut self, feature: &Node) {
        self.activation(feature);
        let platforms = self.workspace.value("platforms").and_then(Node::list);
        let platforms = platforms.unwrap_or_default().iter();
        let named: Vec<String> = platforms
            .filter_map(|one| {
                let name = one.text().or_else(|| one.get("name")?.text());
                let made = || {
                    Some(platform_name::of_manifest(
                        one.get("platform")?.text()?,
                        one,
                    ))
                };
                name.map(str::to_owned).or_else(made)
            })
            .collect();
        let named: Vec<&str> = named.iter().map(String::as_str).collect();
        let subdirs: Vec<&str> = platform::subdirs().collect();
        for (key, table) in entries(feature.get("target")) {
            if !key.name.contains('*') {
                self.key(key, &[known::TARGETS, &named, &subdirs]);
            }
            self.table(table, &[known::OF_TARGET]);
            self.activation(table);
        }
    }

    fn activation(&mut self, table: &Node) {
        if let Some(table) = table.get("activation") {
            self.table(table, &[known::OF_ACTIVATION]);
        }
    }

    fn table(&mut self, table: &Node, known: &[&[&str]]) {
        for (key, _) in entries(Some(table)) {
            self.key(key, known);
        }
    }

    fn key(&mut self, key: &Key, known: &[&[&str]]) {
        let known = || known.iter().flat_map(|names| names.iter().copied());
        if known().any(|name| name == key.name) {
            return;
        }
        let mut diagnostic = self
            .workspace
            .at(key.lines)
            .error(format!("`{}` has no effect", quoted(&key.name)));
        diagnostic.help = if key.name == SECTION {
            Some(format!("Write [tool.{SECTION}]."))
        } else {
            did_you_mean(&key.name, known())
        };
        self.warnings.push(Warning {
            rule: Rule::Ignored,
            diagnostic,
        });
    }
}

/// Whether something in a table is what the table about the project says.
fn inherits(node: &Node) -> bool {
    entries(Some(node))
        .iter()
        .any(|(key, node)| key.name == "workspace" && node.text() == Some("true") || inherits(node))
}

fn entries(table: Option<&Node>) -> &[(Key, Node)] {
    table.and_then(Node::mapping).unwrap_or_default()
}
