//! The tables of a manifest that make one of its environments.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::kind::{Kind, workspace};
use super::{known, targets};
use crate::environment_input::DEFAULT_ENVIRONMENT;
use crate::locked::choices;
use crate::pip_requirement::PipRequirement;
use crate::place::Place;
use crate::toml_words::bare;
use crate::yaml::{Key, Node, ScalarKind, Value};
use condafront_model::nearest::did_you_mean;
use condafront_model::platform::Platform;
use condafront_model::redact::quoted;
use condafront_model::source::{Diagnostic, Lines, SourceFile};

/// A manifest.
#[derive(Clone, Copy)]
pub(super) struct Workspace<'a> {
    /// The file.
    pub(super) file: &'a Arc<SourceFile>,
    /// All of it.
    pub(super) tree: &'a Node,
    /// The tables of the tool.
    pub(super) root: &'a Node,
    /// Whose it is.
    pub(super) kind: Kind,
    /// The platform of the image.
    pub(super) platform: Platform,
    /// Its name in the manifest, if it is one of several that are the image's to conda.
    pub(super) platform_name: Option<&'a str>,
}

/// One of the features of an environment.
#[derive(Clone, Copy)]
pub(super) struct Feature<'a> {
    /// Its name.
    pub(super) name: &'a str,
    /// Its table, which is the whole manifest for the default feature; `None` for a group of a pyproject.toml's PyPI
    /// packages that has no table.
    pub(super) table: Option<&'a Node>,
    /// Whether it is what an environment says itself, under the environment's name.
    pub(super) is_inline: bool,
}

/// One of the environments.
pub(super) struct Environment<'a> {
    /// Its features, the most important first. The default feature comes last.
    pub(super) features: Vec<Feature<'a>>,
    /// The environments that are solved together with it, and where it says so.
    pub(super) solve_group: Option<(&'a str, Lines)>,
}

impl Feature<'_> {
    /// Whether it is the default feature.
    pub(super) fn is_default(&self) -> bool {
        self.name == DEFAULT_ENVIRONMENT && !self.is_inline
    }

    /// Whether both are one.
    pub(super) fn is(&self, other: &Feature<'_>) -> bool {
        (self.name, self.is_inline) == (other.name, other.is_inline)
    }
}

impl<'a> Workspace<'a> {
    pub(super) fn at(&self, lines: Lines) -> Place<'a> {
        Place {
            file: self.file,
            lines,
        }
    }

    /// A line for pip that the manifest has at `lines`.
    pub(super) fn requirement(&self, text: String, lines: Lines) -> PipRequirement {
        PipRequirement {
            text,
            file: Arc::clone(self.file),
            lines,
        }
    }

    /// The table about the project.
    pub(super) fn table(&self) -> Option<&'a Node> {
        workspace(self.root)
    }

    /// A value of the table about the project.
    pub(super) fn value(&self, key: &str) -> Option<&'a Node> {
        self.table()?.get(key)
    }

    /// The lines of the table about the project.
    pub(super) fn lines(&self) -> Lines {
        workspace(self.root).map_or(Lines::one(1), |table| {
            Lines::one(table.lines.first as usize)
        })
    }

    /// The entries of the table `node`, which is called `what`.
    ///
    /// # Errors
    /// If it is not a table.
    pub(super) fn entries(
        &self,
        node: &'a Node,
        what: &str,
    ) -> Result<&'a [(Key, Node)], Diagnostic> {
        node.mapping().ok_or_else(|| {
            self.at(node.lines)
                .error(format!("`{what}` must be a table, not {}", node.what()))
        })
    }

    /// The version that the dependency `name` is; `None` if it is no scalar.
    ///
    /// # Errors
    /// If it is a number, true or false, which tools refuse: they must not read 3.10 as 3.1.
    pub(super) fn version<'n>(
        &self,
        name: &str,
        node: &'n Node,
    ) -> Result<Option<&'n str>, Diagnostic> {
        let Value::Scalar { text, kind } = &node.value else {
            return Ok(None);
        };
        let example = match kind {
            ScalarKind::String => return Ok(Some(text)),
            ScalarKind::Number => text.as_str(),
            ScalarKind::Bool => "*",
        };
        Err(self
            .at(node.lines)
            .error(format!("`{}` must be a string", quoted(name)))
            .help(format!("Write {} = \"{}\".", bare(name), quoted(example))))
    }

    /// The entries of the table `node`, which is called `what` and has the names of packages.
    ///
    /// # Errors
    /// If it is not a table, or has two spellings of one name. `plain` is the spelling by which names are compared.
    pub(super) fn packages(
        &self,
        node: &'a Node,
        what: &str,
        plain: impl Fn(&str) -> String,
    ) -> Result<&'a [(Key, Node)], Diagnostic> {
        let entries = self.entries(node, what)?;
        let mut known: BTreeMap<String, &str> = BTreeMap::new();
        for (key, _) in entries {
            let name = plain(&key.name);
            if let Some(first) = known.insert(name.clone(), &key.name) {
                return Err(self
                    .at(key.lines)
                    .error(format!(
                        "`{}` is in this table twice, as `{}` and `{}`",
                        quoted(&name),
                        quoted(first),
                        quoted(&key.name)
                    ))
                    .help("Remove one of them."));
            }
        }
        Ok(entries)
    }

    /// The names of all environments, the default one first.
    pub(super) fn environments(&self) -> Vec<String> {
        let all = self.root.get("environments").and_then(Node::mapping);
        let named = all.unwrap_or_default().iter();
        let named = named.map(|(key, _)| key.name.clone());
        let others = named.filter(|name| name != DEFAULT_ENVIRONMENT);
        std::iter::once(DEFAULT_ENVIRONMENT.to_owned())
            .chain(others)
            .collect()
    }

    /// The environment `name`.
    ///
    /// # Errors
    /// If there is none with the name, or it lists a feature that the manifest does not have.
    pub(super) fn environment(&self, name: &str) -> Result<Environment<'a>, Diagnostic> {
        let all = self.root.get("environments");
        let own = all.and_then(|all| all.get(name));
        if own.is_none() && name != DEFAULT_ENVIRONMENT {
            let named = all.and_then(Node::mapping).unwrap_or_default().iter();
            let mut known = vec![DEFAULT_ENVIRONMENT];
            known.extend(
                named
                    .map(|(key, _)| key.name.as_str())
                    .filter(|name| *name != DEFAULT_ENVIRONMENT),
            );
            return Err(Diagnostic::new(format!(
                "build-arg ENVIRONMENT: {} has no environment `{}`",
                self.file.name(),
                quoted(name)
            ))
            .help(choices(name, &known, "environments")));
        }
        let all = all.and_then(Node::mapping).unwrap_or_default();
        match all.iter().find(|(key, _)| key.name == name) {
            Some((key, own)) => self.of_table(&key.name, Some(own)),
            None => self.of_table(DEFAULT_ENVIRONMENT, None),
        }
    }

    /// The environment `name`, whose entry is `own`.
    fn of_table(
        &self,
        name: &'a str,
        own: Option<&'a Node>,
    ) -> Result<Environment<'a>, Diagnostic> {
        let field = |key: &str| own.and_then(|own| own.get(key));
        if let Some(own) = own
            && own.list().is_none()
            && own.mapping().is_none()
        {
            return Err(self
                .at(own.lines)
                .error(format!(
                    "an environment must be a list of features, not {}",
                    own.what()
                ))
                .help("For example: test = [\"test\"]"));
        }
        let fields = own.and_then(Node::mapping).unwrap_or_default();
        let is_inline = self.has_inline(fields)?;
        let listed = match (own.and_then(Node::list), field("features")) {
            (None, Some(node)) => self.typed(node, "features", "a list", node.list())?,
            (listed, _) => listed.unwrap_or_default(),
        };
        let without_default = match field("no-default-feature") {
            None => false,
            Some(node) => {
                let said = node.text().and_then(|text| text.parse().ok());
                self.typed(node, "no-default-feature", "true or false", said)?
            }
        };
        let mut features = Vec::new();
        if is_inline {
            features.push(Feature {
                name,
                table: own,
                is_inline,
            });
        }
        for item in listed {
            features.extend(self.feature(item)?);
        }
        if !without_default {
            features.push(Feature {
                name: DEFAULT_ENVIRONMENT,
                table: Some(self.root),
                is_inline: false,
            });
        }
        let solve_group = match field("solve-group") {
            None => None,
            Some(node) => {
                let group = self.typed(node, "solve-group", "a name", node.text())?;
                Some((group, node.lines))
            }
        };
        Ok(Environment {
            features,
            solve_group,
        })
    }

    /// Whether an environment with these fields has packages or variables of its own.
    fn has_inline(&self, fields: &[(Key, Node)]) -> Result<bool, Diagnostic> {
        let mut is_inline = false;
        for (key, _) in fields {
            let name = key.name.as_str();
            if known::INLINE.contains(&name) {
                is_inline = true;
            } else if !known::OF_ENVIRONMENT.contains(&name) {
                let error = format!("an environment has no key `{}`", quoted(name));
                let mut error = self.at(key.lines).error(error);
                let all = known::OF_ENVIRONMENT.iter().chain(known::INLINE);
                error.help = did_you_mean(name, all.copied());
                return Err(error);
            }
        }
        Ok(is_inline)
    }

    /// The value of `key`, which must be of a kind.
    pub(super) fn typed<T>(
        &self,
        node: &Node,
        key: &str,
        kind: &str,
        value: Option<T>,
    ) -> Result<T, Diagnostic> {
        value.ok_or_else(|| {
            let shown = match node.text() {
                Some(text) => format!("`{}`", quoted(text)),
                None => node.what().to_owned(),
            };
            self.at(node.lines)
                .error(format!("`{key}` must be {kind}, not {shown}"))
        })
    }

    /// The environments of a solve group, except for `environment`.
    pub(super) fn group(
        &self,
        group: &str,
        environment: &str,
    ) -> Result<Vec<Environment<'a>>, Diagnostic> {
        let others = self.others(group, environment);
        others
            .map(|(key, node)| self.of_table(&key.name, Some(node)))
            .collect()
    }

    /// The entries of the environments of a solve group, except for `environment`.
    pub(super) fn others(
        &self,
        group: &str,
        environment: &str,
    ) -> impl Iterator<Item = &'a (Key, Node)> {
        let all = self.root.get("environments").and_then(Node::mapping);
        all.unwrap_or_default().iter().filter(move |(key, node)| {
            key.name != environment && node.get("solve-group").and_then(Node::text) == Some(group)
        })
    }

    /// A feature that an environment lists; `None` for the default feature, which has no table of its own.
    fn feature(&self, item: &'a Node) -> Result<Option<Feature<'a>>, Diagnostic> {
        let place = self.at(item.lines);
        let Some(name) = item.text() else {
            return Err(place.error(format!("a feature must be a name, not {}", item.what())));
        };
        if name == DEFAULT_ENVIRONMENT {
            return Ok(None);
        }
        let all = self.root.get("feature");
        let table = all.and_then(|all| all.get(name));
        if table.is_some() || self.groups().any(|(key, _)| key.name == name) {
            return Ok(Some(Feature {
                name,
                table,
                is_inline: false,
            }));
        }
        let tables = all.and_then(Node::mapping).unwrap_or_default().iter();
        let names = tables.chain(self.groups());
        let known: Vec<String> = names.map(|(key, _)| quoted(&key.name)).collect();
        let error = place.error(format!("there is no feature `{}`", quoted(name)));
        Err(match known.as_slice() {
            [] => error.help("The manifest has no features."),
            known => error.help(format!("The manifest's features are {}.", known.join(", "))),
        })
    }

    /// The groups of PyPI packages of a pyproject.toml, each of which is a feature.
    pub(super) fn groups(&self) -> impl Iterator<Item = &'a (Key, Node)> + use<'a> {
        self.extras().chain(self.dependency_groups())
    }

    /// The extras of a pyproject.toml's project.
    pub(super) fn extras(&self) -> impl Iterator<Item = &'a (Key, Node)> + use<'a> {
        let tree = self.kind.is_pyproject.then_some(self.tree);
        let extras =
            tree.and_then(|tree| tree.get("project")?.get("optional-dependencies")?.mapping());
        extras.into_iter().flatten()
    }

    /// The dependency groups of a pyproject.toml (PEP 735).
    pub(super) fn dependency_groups(&self) -> impl Iterator<Item = &'a (Key, Node)> + use<'a> {
        let tree = self.kind.is_pyproject.then_some(self.tree);
        let groups = tree.and_then(|tree| tree.get("dependency-groups")?.mapping());
        groups.into_iter().flatten()
    }

    /// What a feature has at `path`, for every platform and for that of the image. Of several entries, the last one counts.
    pub(super) fn tables(&self, feature: Feature<'a>, path: &[&str]) -> Vec<&'a Node> {
        let target = feature.table.and_then(|table| table.get("target"));
        let tables = target.and_then(Node::mapping).unwrap_or_default();
        let of_target = targets::for_platform(
            tables,
            self.platform.subdir(),
            self.platform_name,
            self.kind.tool,
        );
        let all = feature.table.into_iter().chain(of_target);
        let find = |node: &'a Node| path.iter().try_fold(node, |node, name| node.get(name));
        all.filter_map(find).collect()
    }
}
