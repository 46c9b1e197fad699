//! What the project of a pyproject.toml says about itself, as far as pixi can tell without building it.

use std::str::FromStr as _;
use std::sync::Arc;

use pep508_rs::{ExtraName, Requirement};

use super::workspace::Workspace;
use crate::lock_terms::ProjectTerms;
use crate::requirements::is_readable;
use crate::section::image_section::Located;
use crate::toml;
use crate::yaml::Node;
use condafront_model::pypi_package::normalized;
use condafront_model::source::SourceFile;

/// The manifest's own project; `None` if it has none with a name.
pub(super) fn read(workspace: &Workspace<'_>) -> Option<ProjectTerms> {
    of_tree(workspace.kind.is_pyproject.then_some(workspace.tree)?)
}

/// The project of a pyproject.toml; `None` if it has none with a name, or if the file is not valid, which a build of it says.
pub(crate) fn of_file(file: &Arc<SourceFile>) -> Option<ProjectTerms> {
    of_tree(&toml::read(file, file.text().ok()?).ok()?)
}

fn of_tree(tree: &Node) -> Option<ProjectTerms> {
    let project = tree.get("project")?;
    let name = normalized(project.get("name")?.text()?);
    let keys = tree.mapping().unwrap_or_default().iter();
    let mut keys = keys.map(|(key, _)| key);
    let key = keys.find(|key| key.name == "project")?;
    let requires_python = project.get("requires-python");
    Some(ProjectTerms {
        requires_dist: requires_dist(tree, project, &name),
        requires_python: requires_python.and_then(|node| {
            Some(Located {
                value: node.text()?.to_owned(),
                lines: node.lines,
            })
        }),
        name,
        lines: key.lines,
    })
}

/// What it needs, in the form in which `pep508_rs` writes it; `None` if only a build of it can tell, or if a lock may have it in
/// another form.
fn requires_dist(tree: &Node, project: &Node, name: &str) -> Option<Vec<Located<String>>> {
    let tool = |name: &str| tree.get("tool").and_then(|tool| tool.get(name));
    let sources = tool("uv").and_then(|uv| uv.get("sources"));
    let dynamic = project.get("dynamic").and_then(Node::list);
    let mut dynamic = dynamic.unwrap_or_default().iter().filter_map(Node::text);
    let is_dynamic = dynamic.any(|one| ["dependencies", "optional-dependencies"].contains(&one));
    if sources.is_some() || is_dynamic || tool("poetry").is_some() {
        return None;
    }
    let mut found = Vec::new();
    let mut add = |list: &Node, extra: Option<&ExtraName>| {
        for item in list.list()? {
            let text = item.text().filter(|text| is_readable(text))?;
            let requirement: Requirement = Requirement::from_str(text).ok()?;
            // Extras that refer to others of the project are written in full.
            if requirement.name.as_ref() == name || text.contains('@') {
                return None;
            }
            let requirement = match extra {
                Some(extra) => requirement.with_extra_marker(extra),
                None => requirement,
            };
            found.push(Located {
                value: requirement.to_string(),
                lines: item.lines,
            });
        }
        Some(())
    };
    if let Some(list) = project.get("dependencies") {
        add(list, None)?;
    }
    let extras = project.get("optional-dependencies");
    for (key, list) in extras.and_then(Node::mapping).unwrap_or_default() {
        add(list, Some(&ExtraName::from_str(&key.name).ok()?))?;
    }
    Some(found)
}
