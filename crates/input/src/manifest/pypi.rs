//! The PyPI packages that an environment of a manifest asks for, as lines for pip. If pip would choose differently from the
//! manifest's own tool, a solve is refused.

use std::collections::{BTreeMap, BTreeSet};

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::contradictions::Table;
use super::pypi_options::{self, Options};
use super::python;
use super::refusals::Refusals;
use super::workspace::{Environment, Workspace};
use crate::environment_input::PypiIndexes;
use crate::pip_requirement::PipRequirement;
use crate::place::Place;
use crate::version_range;
use crate::yaml::{Key, Node, ScalarKind, Value};
use condafront_model::nearest::did_you_mean;
use condafront_model::pypi_package::{normalized, requirement_name};
use condafront_model::redact::quoted;
use condafront_model::source::{Diagnostic, Lines};

/// The keys of a dependency.
const FIELDS: &[&str] = &[
    "version",
    "extras",
    "env-markers",
    "index",
    "git",
    "branch",
    "tag",
    "rev",
    "lfs",
    "subdirectory",
    "path",
    "editable",
    "url",
];

/// The option that replaces the versions that anything asks for.
const OVERRIDES: &str = "dependency-overrides";

/// The characters that must be escaped in every part of a path in a URL.
const IN_PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'%')
    .add(b'#')
    .add(b'?')
    .add(b';')
    .add(b'[')
    .add(b']')
    .add(b'@')
    .add(b'"')
    .add(b'\'');

/// Reads the requirements of an environment, and where packages come from.
///
/// # Errors
/// A diagnostic at the first invalid one.
pub(super) fn read<'a>(
    workspace: &Workspace<'a>,
    environment: &Environment<'a>,
    refusals: &mut Refusals,
) -> Result<(Vec<PipRequirement>, PypiIndexes), Diagnostic> {
    let reader = Reader { workspace };
    let mut list = Vec::new();
    let mut of_project = Vec::new();
    let mut named = BTreeSet::new();
    for feature in &environment.features {
        let mut own: Vec<&(Key, Node)> = Vec::new();
        let mut places: BTreeMap<String, usize> = BTreeMap::new();
        for table in workspace.tables(*feature, &["pypi-dependencies"]) {
            for entry in workspace.packages(table, "pypi-dependencies", normalized)? {
                let place = *places.entry(normalized(&entry.0.name)).or_insert(own.len());
                match own.get_mut(place) {
                    Some(known) => *known = entry,
                    None => own.push(entry),
                }
            }
        }
        for (key, node) in own {
            let line = reader.line(key, node, refusals)?;
            list.push(workspace.requirement(line, key.lines));
            named.insert(normalized(&key.name));
        }
        let found = python::requirements(workspace, *feature)?;
        list.extend(found.iter().cloned());
        of_project.extend(found);
    }
    reader.refuse_sources(&of_project, &named, refusals)?;
    let mut options = Vec::new();
    let base = workspace.value("pypi-options").into_iter();
    let of_features = environment.features.iter().rev();
    let of_features = of_features.flat_map(|one| workspace.tables(*one, &["pypi-options"]));
    for table in base.chain(of_features) {
        options.extend(workspace.entries(table, "pypi-options")?);
    }
    if list.is_empty() {
        return Ok((list, pypi_options::without_packages(&options)));
    }
    let overrides = reader.overrides(&options)?;
    for line in &mut list {
        if let Some((text, lines)) = reader.overridden(line, &overrides)? {
            (line.text, line.lines) = (text, lines);
        }
    }
    let (mut lines, indexes) = Options { workspace }.read(&options, refusals)?;
    lines.extend(list);
    Ok((lines, indexes))
}

struct Reader<'w, 'a> {
    workspace: &'w Workspace<'a>,
}

impl Reader<'_, '_> {
    /// Refuses requirements that uv would take from elsewhere than an index, unless the tool's own table, with the names
    /// `named`, says where they come from. pixi reads `[tool.uv.sources]` only when it builds a package.
    fn refuse_sources(
        &self,
        requirements: &[PipRequirement],
        named: &BTreeSet<String>,
        refusals: &mut Refusals,
    ) -> Result<(), Diagnostic> {
        let uv = self
            .workspace
            .tree
            .get("tool")
            .and_then(|all| all.get("uv"));
        let sources = uv.and_then(|uv| uv.get("sources")?.mapping());
        let asked = requirements
            .iter()
            .filter_map(|one| requirement_name(&one.text));
        let asked: BTreeSet<String> = asked.collect();
        for (key, node) in sources.unwrap_or_default() {
            // A list has one for each platform or version of python.
            for one in node.list().unwrap_or(std::slice::from_ref(node)) {
                let fields: Vec<_> = one.mapping().unwrap_or_default().iter().collect();
                let table = Table {
                    name: &key.name,
                    place: self.workspace.at(key.lines),
                    fields: &fields,
                };
                table.check_uv()?;
            }
            let name = normalized(&key.name);
            if !named.contains(&name) && asked.contains(&name) {
                refusals.refuse_or(
                    self.workspace.at(key.lines),
                    format!(
                        "pip does not read `[tool.uv.sources]`, which says where `{}` comes from",
                        quoted(&key.name)
                    ),
                    &format!(
                        "Write it in `[tool.{}.pypi-dependencies]`.",
                        self.workspace.kind.tool.table()
                    ),
                );
            }
        }
        Ok(())
    }

    /// The versions that replace those of dependencies, by normalized name.
    fn overrides<'n>(
        &self,
        options: &[&'n (Key, Node)],
    ) -> Result<BTreeMap<String, &'n (Key, Node)>, Diagnostic> {
        let mut all = BTreeMap::new();
        for (key, node) in options.iter().filter(|(key, _)| key.name == OVERRIDES) {
            let entries = node.mapping().ok_or_else(|| {
                let message = format!("`{OVERRIDES}` must be a table, not {}", node.what());
                self.workspace.at(key.lines).error(message)
            })?;
            all.extend(entries.iter().map(|one| (normalized(&one.0.name), one)));
        }
        Ok(all)
    }

    /// What an override makes of a line, and where it is: the package is still asked for only where the line's marker holds.
    fn overridden(
        &self,
        line: &PipRequirement,
        overrides: &BTreeMap<String, &(Key, Node)>,
    ) -> Result<Option<(String, Lines)>, Diagnostic> {
        let name = requirement_name(&line.text);
        let Some((key, node)) = name.and_then(|name| overrides.get(&name)) else {
            return Ok(None);
        };
        // A solve refuses overrides as such.
        let mut ignored = Refusals::new(self.workspace.kind.tool);
        let mut text = self.line(key, node, &mut ignored)?;
        if text.contains(';') {
            // A lock does not say whether the override applied.
            text.clone_from(&key.name);
        }
        if let Some((_, marker)) = line.text.split_once(';') {
            text.push_str(" ;");
            text.push_str(marker);
        }
        Ok(Some((text, key.lines)))
    }

    /// A dependency as a line for pip.
    fn line(&self, key: &Key, node: &Node, refusals: &mut Refusals) -> Result<String, Diagnostic> {
        let name = key.name.as_str();
        let place = self.workspace.at(key.lines);
        if let Some(version) = self.workspace.version(name, node)? {
            return Ok(format!("{name}{}", self.version(version, key.lines)?));
        }
        let Some(fields) = node.mapping() else {
            let message = format!(
                "`{}` must be a version or a table, not {}",
                quoted(name),
                node.what()
            );
            return Err(place.error(message).help("For example: requests = \">=2\""));
        };
        self.check_fields(name, place, fields)?;
        if let Some(version) = node.get("version") {
            self.workspace.version("version", version)?;
        }
        self.flag(node, "editable")?;
        if self.flag(node, "lfs")? {
            let message = format!(
                "`{}` needs Git LFS, which pip cannot be told to use",
                quoted(name)
            );
            refusals.refuse(place, message);
        }
        if let Some(extras) = node.get("extras") {
            python::check_own_extras(self.workspace, name, extras)?;
        }
        let mut line = self.source(key, node)?;
        if self.text(node, "index")?.is_some() {
            let message = format!(
                "`{}` has an index of its own, but pip looks for all packages in all indexes",
                quoted(name)
            );
            refusals.refuse(place, message);
        }
        if let Some(marker) = self.text(node, "env-markers")? {
            line.push_str(" ; ");
            line.push_str(marker);
        }
        Ok(line)
    }

    /// Refuses fields that a dependency does not have, and those that contradict each other.
    fn check_fields(
        &self,
        name: &str,
        place: Place<'_>,
        fields: &[(Key, Node)],
    ) -> Result<(), Diagnostic> {
        if let Some((key, _)) = fields.iter().find(|(key, _)| !FIELDS.contains(&&*key.name)) {
            let message = format!("a PyPI package has no key `{}`", quoted(&key.name));
            let mut error = self.workspace.at(key.lines).error(message);
            error.help = did_you_mean(&key.name, FIELDS.iter().copied());
            return Err(error);
        }
        let table = Table {
            name,
            place,
            fields: &fields.iter().collect::<Vec<_>>(),
        };
        table.check_pypi()
    }

    /// The line for pip without its marker: the name, the extras, and the version or where the package comes from.
    fn source(&self, key: &Key, node: &Node) -> Result<String, Diagnostic> {
        let name = key.name.as_str();
        let text = |field: &str| self.text(node, field);
        let extras = self.extras(node)?;
        let folder = text("subdirectory")?;
        // It is read as the query of a form: there, a plus sign stands for a blank.
        let fragment = folder.map_or_else(String::new, |folder| {
            format!(
                "#subdirectory={}",
                folder.replace('%', "%25").replace('+', "%2B")
            )
        });
        Ok(if let Some(path) = text("path")? {
            let path = path.replace('\\', "/");
            let path = utf8_percent_encode(&path, IN_PATH);
            format!("{name}{extras} @ file:{path}{fragment}")
        } else if let Some(git) = text("git")? {
            let mut reference = None;
            for field in ["rev", "tag", "branch"] {
                reference = reference.or(text(field)?);
            }
            let reference = reference.map_or_else(String::new, |found| {
                format!("@{}", utf8_percent_encode(found, IN_PATH))
            });
            let git = git.strip_prefix("git+").unwrap_or(git);
            format!("{name}{extras} @ git+{git}{reference}{fragment}")
        } else if let Some(url) = text("url")? {
            format!("{name}{extras} @ {url}{fragment}")
        } else {
            let version = self.version(text("version")?.unwrap_or("*"), key.lines)?;
            format!("{name}{extras}{version}")
        })
    }

    /// The string in a field of a dependency.
    fn text<'n>(&self, node: &'n Node, field: &str) -> Result<Option<&'n str>, Diagnostic> {
        let Some(value) = node.get(field) else {
            return Ok(None);
        };
        value.text().map(Some).ok_or_else(|| {
            let message = format!("`{field}` must be a string, not {}", value.what());
            self.workspace.at(value.lines).error(message)
        })
    }

    /// Whether a dependency says `field = true`.
    fn flag(&self, node: &Node, field: &str) -> Result<bool, Diagnostic> {
        let Some(node) = node.get(field) else {
            return Ok(false);
        };
        let said = match &node.value {
            Value::Scalar {
                text,
                kind: ScalarKind::Bool,
            } => Some(text == "true"),
            _ => None,
        };
        self.workspace.typed(node, field, "true or false", said)
    }

    /// A version after a name. `*` is not one of pip's.
    fn version<'t>(&self, text: &'t str, lines: Lines) -> Result<&'t str, Diagnostic> {
        let text = text.trim();
        match text {
            "" | "*" => Ok(""),
            _ if version_range::meant(text).is_none() && version_range::is_condition(text) => {
                Ok(text)
            }
            _ => {
                let shown = quoted(text);
                let message = if version_range::is_condition(text) {
                    version_range::fault(text, "PyPI")
                } else {
                    "does not say how versions compare to it".to_owned()
                };
                let message = format!("`{shown}` {message}");
                let error = self.workspace.at(lines).error(message);
                Err(error.help(version_range::advice(text)))
            }
        }
    }

    fn extras(&self, node: &Node) -> Result<String, Diagnostic> {
        let Some(extras) = node.get("extras") else {
            return Ok(String::new());
        };
        let names = extras.list().and_then(|items| {
            let texts = items.iter().map(Node::text);
            texts.collect::<Option<Vec<_>>>()
        });
        match names.as_deref() {
            Some([]) => Ok(String::new()),
            Some(names) => Ok(format!("[{}]", names.join(","))),
            None => Err(self
                .workspace
                .at(extras.lines)
                .error("`extras` must be a list of names")
                .help("For example: extras = [\"plot\"]")),
        }
    }
}
