//! The keys of a manifest's tables.

use super::workspace::Workspace;
use crate::yaml::Node;
use condafront_model::lint::{Rule, Warning};
use condafront_model::nearest::did_you_mean;
use condafront_model::redact::quoted;

/// What a feature can have; the default feature has it at the top of the manifest.
const OF_FEATURE: &[&str] = &[
    "dependencies",
    "host-dependencies",
    "build-dependencies",
    "constraints",
    "pypi-dependencies",
    "pypi-options",
    "dev",
    "activation",
    "system-requirements",
    "tasks",
    "target",
];

/// What only other features have.
const OF_OTHER_FEATURES: &[&str] = &[
    "channels",
    "channel-priority",
    "platforms",
    "solve-strategy",
];

/// What only the manifest has.
const OF_MANIFEST: &[&str] = &[
    "workspace",
    "project",
    "feature",
    "environments",
    "exclude-newer",
    "pypi-exclude-newer",
    "package",
    "tool",
    "$schema",
    "schema",
];

/// Warnings about the keys that no tool reads, which are mistakes more often than not.
pub(super) fn unknown(workspace: &Workspace<'_>) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let mut check = |table: &Node, known: &[&[&str]]| {
        for (key, _) in table.mapping().unwrap_or_default() {
            let known = || known.iter().flat_map(|names| names.iter().copied());
            if known().any(|name| name == key.name) {
                continue;
            }
            let mut diagnostic = workspace
                .at(key.lines)
                .error(format!("`{}` has no effect", quoted(&key.name)));
            diagnostic.help = did_you_mean(&key.name, known());
            warnings.push(Warning {
                rule: Rule::Ignored,
                diagnostic,
            });
        }
    };
    check(workspace.root, &[OF_FEATURE, OF_MANIFEST]);
    let features = workspace.root.get("feature").and_then(Node::mapping);
    for (_, table) in features.unwrap_or_default() {
        check(table, &[OF_FEATURE, OF_OTHER_FEATURES]);
    }
    warnings
}
