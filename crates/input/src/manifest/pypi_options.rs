//! What applies to all PyPI packages of an environment: `pypi-options`, as options for pip.

use super::refusals::Refusals;
use super::workspace::Workspace;
use crate::environment_input::PypiIndexes;
use crate::pip_requirement::PipRequirement;
use crate::yaml::{Key, Node};
use condafront_model::redact::quoted;
use condafront_model::source::{Diagnostic, Lines};

/// A reader of options.
pub(super) struct Options<'w, 'a> {
    pub(super) workspace: &'w Workspace<'a>,
}

impl Options<'_, '_> {
    /// The options as lines for pip, and where packages come from.
    ///
    /// # Errors
    /// A diagnostic at the first invalid one.
    pub(super) fn read(
        &self,
        options: &[&(Key, Node)],
        refusals: &mut Refusals,
    ) -> Result<(Vec<PipRequirement>, PypiIndexes), Diagnostic> {
        let strategy = options
            .iter()
            .rev()
            .find(|(key, _)| key.name == "index-strategy");
        let finds_best = strategy.is_some_and(|(_, node)| node.text() == Some("unsafe-best-match"));
        let mut lines: Vec<PipRequirement> = Vec::new();
        let mut indexes = without_packages(options);
        let matters = |(key, node): &&&(Key, Node)| match key.name.as_str() {
            "index-strategy" => false,
            "no-build-isolation" | "skip-wheel-filename-check" => !is_nothing(node),
            _ => true,
        };
        for (key, node) in options.iter().filter(matters) {
            let place = self.workspace.at(key.lines);
            let mut add =
                |text: String, at: Lines| lines.push(self.workspace.requirement(text, at));
            match key.name.as_str() {
                "index-url" => {
                    let url = self.address(key, node)?;
                    add(format!("--index-url {url}"), node.lines);
                    indexes.index = Some(url.to_owned());
                }
                "extra-index-urls" => {
                    for item in self.items(key, node)? {
                        if !finds_best {
                            refusals.refuse(
                                place,
                                "pip takes a package from whichever index has the newest version, not from the first that has it. With index-strategy = \"unsafe-best-match\", both do the same",
                            );
                        }
                        let url = self.address(key, item.get("url").unwrap_or(item))?;
                        add(format!("--extra-index-url {url}"), item.lines);
                        push_new(&mut indexes.more, url);
                    }
                }
                "find-links" => {
                    for item in self.items(key, node)? {
                        match item.get("url") {
                            Some(url) => {
                                let url = self.address(key, url)?;
                                add(format!("--find-links {url}"), item.lines);
                                push_new(&mut indexes.links, url);
                            }
                            None => refusals.refuse(
                                self.workspace.at(item.lines),
                                "pip cannot search folders for packages during a build",
                            ),
                        }
                    }
                }
                "no-build" => self.selected(key, node, "--only-binary", &mut lines)?,
                "no-binary" => self.selected(key, node, "--no-binary", &mut lines)?,
                "prerelease-mode" => match node.text() {
                    Some("if-necessary-or-explicit") => {}
                    Some("allow") => add("--pre".to_owned(), node.lines),
                    _ => refusals.refuse(place, "pip chooses prereleases differently"),
                },
                "no-build-isolation" => refusals.refuse(
                    place,
                    "packages are built in isolation from the environment, which contradicts `no-build-isolation`",
                ),
                name => refusals.refuse(place, format!("pip has no `{}`", quoted(name))),
            }
        }
        Ok((lines, indexes))
    }

    fn items<'n>(&self, key: &Key, node: &'n Node) -> Result<&'n [Node], Diagnostic> {
        node.list().ok_or_else(|| {
            let message = format!("`{}` must be a list, not {}", key.name, node.what());
            self.workspace.at(node.lines).error(message)
        })
    }

    fn address<'n>(&self, key: &Key, node: &'n Node) -> Result<&'n str, Diagnostic> {
        let text = node
            .text()
            .filter(|text| !text.contains(char::is_whitespace));
        text.ok_or_else(|| {
            let message = format!("`{}` must be a URL", key.name);
            self.workspace.at(node.lines).error(message)
        })
    }

    /// An option for all packages (`true`) or for those that are listed.
    fn selected(
        &self,
        key: &Key,
        node: &Node,
        option: &str,
        lines: &mut Vec<PipRequirement>,
    ) -> Result<(), Diagnostic> {
        let names = match node.text() {
            Some("true") => vec![":all:"],
            Some("false") => return Ok(()),
            _ => {
                let items = self.items(key, node)?.iter();
                items.filter_map(Node::text).collect()
            }
        };
        if !names.is_empty() {
            lines.push(
                self.workspace
                    .requirement(format!("{option} {}", names.join(",")), node.lines),
            );
        }
        Ok(())
    }
}

/// What a lock says even if there are no packages that could come from somewhere.
pub(super) fn without_packages(options: &[&(Key, Node)]) -> PypiIndexes {
    let mode = options
        .iter()
        .rev()
        .find(|(key, _)| key.name == "prerelease-mode");
    PypiIndexes {
        prerelease_mode: mode.and_then(|(_, node)| node.text().map(str::to_owned)),
        ..PypiIndexes::default()
    }
}

/// Whether an option is switched off.
fn is_nothing(node: &Node) -> bool {
    node.text() == Some("false") || node.list().is_some_and(<[Node]>::is_empty)
}

/// Adds an address once.
fn push_new(all: &mut Vec<String>, one: &str) {
    if !all.iter().any(|known| known == one) {
        all.push(one.to_owned());
    }
}
