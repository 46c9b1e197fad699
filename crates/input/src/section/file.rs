//! The image file: environments, and the keys of the image section at the top level.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::args::BuildArgs;
use super::exclude_newer;
use super::packages::named_file;
use super::read::{Parent, read_entries};
use super::reader::{Name, Reader, truth};
use super::user::with_account;
use crate::json;
use crate::section::image_section::{ImageSection, Located};
use crate::yaml::{Key, Node, ScalarKind, Value};
use condafront_model::environment_prefix::EnvironmentPrefix;
use condafront_model::layers::MAX_LAYERS;
use condafront_model::lint::Warning;
use condafront_model::nearest::did_you_mean;
use condafront_model::prose;
use condafront_model::redact::quoted;
use condafront_model::source::{Diagnostic, Lines, SourceFile};

const ENVIRONMENTS: &str = "environments";
const DEFAULT: &str = "default";
/// The build-arg that overrides [`DEFAULT`].
const DEFAULT_ARG: &str = "ENVIRONMENT";
const FIELDS: &[&str] = &["file", "when", "name"];

/// A file that describes an image with several environments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageFile {
    /// The environments that the image has, in the file's order; at least one.
    pub environments: Vec<Environment>,
    /// Names of the environments that `when` leaves out.
    pub(super) left_out: Vec<Located<String>>,
    /// The name of the environment that is active unless a container asks for another; one of `environments`.
    pub default: String,
    /// Everything else.
    pub section: ImageSection,
    /// Findings that do not stop the build.
    pub warnings: Vec<Warning>,
}

impl ImageFile {
    /// How many environments `when` leaves out.
    pub fn count_left_out(&self) -> usize {
        self.left_out.len()
    }

    /// The names of the environments that the image has.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.environments.iter().map(|one| one.prefix.name())
    }
}

/// An environment of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment {
    /// Its name and prefix.
    pub prefix: EnvironmentPrefix,
    /// The environment or lock file, beside the image file or in the build context.
    pub file: Located<String>,
    /// Which environment of that file, for a pixi.lock with several.
    pub name: Option<Located<String>>,
    /// Whether `when` decides about it, so that the image has variants without it.
    pub is_optional: bool,
    /// Its lines in the image file.
    pub lines: Lines,
}

/// Whether a file is an image file. A pixi.lock has `environments` too, but also a `version`; a file of conda-project has
/// `commands`.
pub(crate) fn is_image_file(tree: &Node) -> bool {
    let has = |key: &str| tree.get(key).is_some();
    has(ENVIRONMENTS) && !has("version") && !has("commands")
}

/// Reads an image file.
///
/// # Errors
/// Like [`super::read()`], and diagnostics at invalid environments.
pub(crate) fn read_image_file(
    file: &Arc<SourceFile>,
    tree: &Node,
    args: &BuildArgs,
) -> Result<ImageFile, Diagnostic> {
    let reader = Reader { file, args };
    let Some(entries) = tree.mapping() else {
        let message = format!("an image file must be a mapping, not {}", tree.what());
        return Err(reader.error(tree.lines, message));
    };
    let (own, others): (Vec<_>, Vec<_>) = entries
        .iter()
        .filter(|(key, _)| !json::names_frontend(file, key))
        .partition(|(key, _)| [ENVIRONMENTS, DEFAULT].contains(&key.name.as_str()));
    let section = read_entries(file, &others, args, Parent::ImageFile)?;
    let args = with_account(args, &section);
    let reader = Reader { file, args: &args };
    let own = |name: &str| own.iter().find(|(key, _)| key.name == name);
    let Some((key, node)) = own(ENVIRONMENTS) else {
        return Err(reader.error(tree.lines, "an image file needs `environments`"));
    };
    let said = section.exclude_newer.as_ref();
    let warnings =
        said.map(|said| exclude_newer::unrepeatable(exclude_newer::KEY, said, file, &args));
    let mut image = ImageFile {
        warnings: warnings.unwrap_or_default(),
        environments: Vec::new(),
        left_out: Vec::new(),
        default: String::new(),
        section,
    };
    read_environments(&reader, key, node, &mut image)?;
    image.default = match args.get(DEFAULT_ARG).filter(|asked| !asked.is_empty()) {
        Some(asked) => chosen(&reader, key, asked, &image)?,
        None => {
            let default = own(DEFAULT).map(|(_, node)| reader.word(DEFAULT.into(), node));
            default_name(&reader, default.transpose()?, &image)?
        }
    };
    Ok(image)
}

fn read_environments(
    reader: &Reader<'_>,
    key: &Key,
    node: &Node,
    image: &mut ImageFile,
) -> Result<(), Diagnostic> {
    let name = Name::from(ENVIRONMENTS);
    let Some(entries) = node.mapping() else {
        return Err(reader.wrong_kind(name, node, "a mapping of names to files"));
    };
    if entries.is_empty() {
        let error = reader.error(key.lines, "`environments` is empty");
        return Err(error.help("For example: environments: {base: env.yml}"));
    }
    let mut names = BTreeMap::new();
    for (key, value) in entries {
        let shown = quoted(&key.name);
        let prefix = EnvironmentPrefix::of(&key.name).map_err(|error| {
            let message = format!("environment `{shown}`: {error}");
            reader.error(key.lines, message).caused_by(error)
        })?;
        if let Some(other) = names.insert(prefix.name().to_owned(), key.lines) {
            let message =
                format!("`{shown}` is another name for an environment that is already listed");
            return Err(reader.error(key.lines, message).at(reader.file, other));
        }
        let found = environment(reader, key, value, prefix)?;
        match found {
            // Each takes a layer at least.
            Some(_) if image.environments.len() == usize::from(MAX_LAYERS) => {
                let message = format!("the image has more than {MAX_LAYERS} environments");
                let error = reader.error(key.lines, message);
                return Err(error.help("Spread them over several images."));
            }
            Some(environment) => image.environments.push(environment),
            None => image.left_out.push(Located {
                value: key.name.clone(),
                lines: key.lines,
            }),
        }
    }
    if image.environments.is_empty() {
        let error = reader.error(key.lines, "`when` leaves out all environments");
        return Err(error.help(
            "List one without `when`, or set a build-arg to true: an image needs at least one environment.",
        ));
    }
    Ok(())
}

/// One environment, unless its `when` leaves it out.
fn environment(
    reader: &Reader<'_>,
    key: &Key,
    value: &Node,
    prefix: EnvironmentPrefix,
) -> Result<Option<Environment>, Diagnostic> {
    let shown = quoted(&key.name);
    let lines = Lines {
        first: key.lines.first,
        last: key.lines.last.max(value.lines.last),
    };
    let name = Name::from(key.name.as_str()).of(ENVIRONMENTS);
    let path = |name: Name<'_>, node: &Node| {
        let found = reader.word(name, node)?;
        let path = named_file(reader, &found)?;
        Ok(found.map(|_| path))
    };
    if value.text().is_some() {
        return Ok(Some(Environment {
            prefix,
            file: path(name, value)?,
            name: None,
            is_optional: false,
            lines,
        }));
    }
    if value.mapping().is_none() {
        let message = match value.value {
            Value::Null => format!("environment `{shown}` has no file"),
            _ => format!(
                "environment `{shown}` must be a file or a mapping, not {}",
                value.what()
            ),
        };
        let error = reader.error(lines, message);
        return Err(error.help(
            "For example: environments: {base: env.yml, ai: {file: ai.yml, when: BUILD_AI}}",
        ));
    }
    let fields = reader.fields(name, value, FIELDS)?;
    let Some(file) = fields.read("file", ENVIRONMENTS, path)? else {
        let error = reader.error(lines, format!("environment `{shown}` has no `file`"));
        return Err(error.help("For example: environments: {ai: {file: ai.yml, when: BUILD_AI}}"));
    };
    let when = fields.read("when", ENVIRONMENTS, |name, node| when(reader, name, node))?;
    let name = fields.read("name", ENVIRONMENTS, |name, node| reader.word(name, node))?;
    let environment = Environment {
        prefix,
        file,
        name,
        is_optional: when.is_some(),
        lines,
    };
    Ok(when.unwrap_or(true).then_some(environment))
}

/// Whether an environment is wanted: the name of a build-arg, or a value such as `true` or `${NAME:-true}`. A build-arg
/// that is missing or empty means no.
fn when(reader: &Reader<'_>, name: Name<'_>, node: &Node) -> Result<bool, Diagnostic> {
    const HELP: &str = "Use true, yes, on or 1; or false, no, off or 0.";
    let raw = reader.raw(name, node)?;
    reader.not_blank(name, &raw)?;
    let is_value = raw.value.contains('$')
        || matches!(
            node.value,
            Value::Scalar {
                kind: ScalarKind::Bool | ScalarKind::Number,
                ..
            }
        );
    let lines = raw.lines;
    if is_value || truth(raw.value).is_some() {
        let value = reader.text(name, node)?.value;
        return match (truth(value.trim()), value.trim().is_empty()) {
            (Some(truth), _) => Ok(truth),
            (None, true) => Ok(false),
            (None, false) => {
                let message = format!("{name} cannot be `{}`", quoted(&value));
                Err(reader.error(lines, message).help(HELP))
            }
        };
    }
    let arg = raw.value.trim();
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if !arg.chars().all(is_name) {
        let message = format!("`{}` is not a valid build-arg name", quoted(arg));
        let error = reader.error(lines, message);
        return Err(error.help("For example: when: BUILD_AI"));
    }
    match reader.args.get(arg).map(str::trim) {
        None | Some("") => Ok(false),
        Some(value) => truth(value).ok_or_else(|| {
            let message = format!(
                "build-arg {arg} is `{}`, which is neither yes nor no",
                quoted(value)
            );
            reader.error(lines, message).help(HELP)
        }),
    }
}

/// The environment that a build-arg makes the default; `key` is where the environments are listed.
fn chosen(
    reader: &Reader<'_>,
    key: &Key,
    asked: &str,
    image: &ImageFile,
) -> Result<String, Diagnostic> {
    let prefix = EnvironmentPrefix::of(asked).ok();
    let names: Vec<&str> = image.names().collect();
    match prefix.filter(|prefix| names.contains(&prefix.name())) {
        Some(prefix) => Ok(prefix.name().to_owned()),
        None => {
            let message = format!(
                "build-arg {DEFAULT_ARG}: the image has no environment `{}`",
                quoted(asked)
            );
            let error = reader.error(key.lines, message);
            Err(error.help(format!("The file has {}.", prose::and(prose::code(&names)))))
        }
    }
}

fn default_name(
    reader: &Reader<'_>,
    asked: Option<Located<String>>,
    image: &ImageFile,
) -> Result<String, Diagnostic> {
    let names = || image.names();
    let Some(asked) = asked else {
        let base = EnvironmentPrefix::base();
        let default = names().find(|name| *name == base.name());
        return Ok(default
            .or_else(|| names().next())
            .unwrap_or_default()
            .to_owned());
    };
    let prefix = EnvironmentPrefix::of(&asked.value).ok();
    if let Some(prefix) = prefix.filter(|prefix| names().any(|name| name == prefix.name())) {
        return Ok(prefix.name().to_owned());
    }
    let shown = quoted(&asked.value);
    if let Some(left_out) = image.left_out.iter().find(|one| one.value == asked.value) {
        let error = reader.error(
            asked.lines,
            format!("the default environment `{shown}` is left out by its `when`"),
        );
        return Err(error
            .at(reader.file, left_out.lines)
            .help("Choose another default, or set the build-arg."));
    }
    let error = reader.error(asked.lines, format!("there is no environment `{shown}`"));
    let names: Vec<&str> = names().collect();
    let near = did_you_mean(&asked.value, names.iter().copied());
    Err(error
        .help(near.unwrap_or_else(|| format!("The file has {}.", prose::and(prose::code(&names))))))
}
