//! env.yml: an environment that needs a solve
//! (<https://docs.conda.io/projects/conda/en/stable/user-guide/tasks/manage-environments.html#creating-an-environment-file-manually>).

mod dependencies;
mod platforms;
pub(crate) mod reader;
mod variables;

use std::collections::BTreeMap;
use std::sync::Arc;

use self::reader::Reader;
use super::channel_settings::ChannelSettings;
use super::channels::{self, Channels};
use super::{exclude_newer, specs};
use crate::activation_variables::ActivationVariables;
use crate::environment_input::{
    Categories, Conda, DeclaredSystem, EnvironmentInput, Pip, SolveRequest,
};
use crate::json;
use crate::pip_requirement::PipRequirement;
use crate::section;
use crate::section::image_section::ImageSection;
use crate::settings::{ChannelDefaults, InputSettings};
use crate::yaml::{Key, Node, Value};
use condafront_model::channel::{NO_DEFAULTS, is_general};
use condafront_model::environment_prefix::{EnvironmentPrefix, LONGEST, NameError};
use condafront_model::lint::{Rule, Warning};
use condafront_model::mistakes::check_each;
use condafront_model::nearest::{nearest, suggestion};
use condafront_model::origin::{Origin, OtherSystem};
use condafront_model::platform::Platform;
use condafront_model::redact;
use condafront_model::source::{Diagnostic, SourceFile};
use condafront_step_spec::solve::Kept;

/// The keys that are read.
const KEYS: &[&str] = &[
    "name",
    "channels",
    "dependencies",
    "variables",
    "platforms",
    "condafront",
];

/// Help for a name that is not about single characters.
const OTHER_NAME: &str = "Write another name, or remove it to use base, in /opt/conda.";

/// Reads the file.
///
/// # Errors
/// A diagnostic at the user's line.
pub(crate) fn read(
    file: &Arc<SourceFile>,
    text: &str,
    tree: &Node,
    platform: Platform,
    settings: &InputSettings,
) -> Result<EnvironmentInput, Diagnostic> {
    let reader = Reader {
        file,
        lines: text.lines().collect(),
    };
    let value = |name: &str| tree.get(name);
    let mut section = match value("condafront") {
        Some(node) => section::read(file, node, &settings.build_args.for_platform(platform))?,
        None => ImageSection::default(),
    };
    exclude_newer::check(&mut section, file)?;
    let mut warnings = reader.of_keys(tree, &section, settings);
    let prefix = value("name")
        .map(|node| reader.prefix(node))
        .transpose()?
        .flatten();
    let platforms = match value("platforms") {
        Some(node) => reader.platforms(node, platform)?,
        None => Vec::new(),
    };
    let variables = match value("variables") {
        Some(node) => reader.variables(node, &mut warnings)?,
        None => BTreeMap::new(),
    };
    let of_channels = ChannelSettings::new(ChannelDefaults::of(&section), settings, platform);
    let (request, pip) = reader.request(tree, &section, &of_channels, settings, &mut warnings)?;
    Ok(EnvironmentInput {
        prefix,
        variables,
        late_variables: ActivationVariables::default(),
        conda: Conda::Unsolved(Box::new(SolveRequest {
            platforms,
            ..request
        })),
        pip: if pip.is_empty() {
            Pip::default()
        } else {
            Pip::Unsolved(pip)
        },
        section,
        warnings,
        unknown_skips: None,
        categories: Categories::NoLock,
        beside: None,
    })
}

/// A key of the file, and its value.
fn entry<'a>(tree: &'a Node, name: &str) -> Option<&'a (Key, Node)> {
    let entries = tree.mapping().unwrap_or_default();
    entries.iter().find(|(key, _)| key.name == name)
}

impl Reader<'_> {
    /// Warnings about keys without effect, and about the image section.
    fn of_keys(
        &self,
        tree: &Node,
        section: &ImageSection,
        settings: &InputSettings,
    ) -> Vec<Warning> {
        let entries = tree.mapping().unwrap_or_default().iter();
        let mut warnings: Vec<Warning> = entries
            .filter(|(key, value)| key.name != "prefix" || !is_of_export(value, tree))
            .filter_map(|(key, _)| self.ignored(key))
            .collect();
        if settings.image_file.is_some() {
            let own = entry(tree, "condafront");
            warnings.extend(own.and_then(|(key, _)| self.beside(key, section)));
        } else {
            warnings.extend(section.warnings(self.file));
        }
        warnings
    }

    /// What is asked of a solve, for any platform, and of pip.
    fn request(
        &self,
        tree: &Node,
        section: &ImageSection,
        of_channels: &ChannelSettings<'_>,
        settings: &InputSettings,
        warnings: &mut Vec<Warning>,
    ) -> Result<(SolveRequest, Vec<PipRequirement>), Diagnostic> {
        let Some((key, list)) = entry(tree, "dependencies") else {
            return Err(Diagnostic::new(format!(
                "{} has no `dependencies:`",
                self.file.name()
            )));
        };
        let mut channels = of_channels.channels();
        let listed = entry(tree, "channels");
        let place = self.at_key(listed.map_or(key, |(key, _)| key));
        if settings.channels.is_empty() {
            if let Some((_, node)) = listed {
                self.channels(node, &mut channels)?;
            }
        } else {
            specs::channels(settings, &mut channels, place.lines)?;
        }
        if channels.or_fallback(place)? {
            const HELP: &str =
                "Add `channels: [conda-forge]`, so that conda and other tools do the same.";
            warnings.push(channels::unnamed(place, HELP));
        }
        let found = dependencies::read(self, key, list, &mut channels)?;
        let (channels, doubts) = channels.finish();
        let origin = Origin {
            implied_defaults: settings.channels.is_empty()
                && !listed.is_some_and(|(_, node)| names_nodefaults(node))
                && !channels
                    .iter()
                    .any(|channel| is_general(&channel.url.recorded())),
            exported_on: tree
                .get("prefix")
                .and_then(Node::text)
                .and_then(OtherSystem::of_prefix),
        };
        warnings.extend(doubts);
        let cutoff = section.exclude_newer.as_ref();
        warnings.extend(of_channels.cutoff_warnings(cutoff, self.file, &channels));
        warnings.extend(found.warnings);
        let request = SolveRequest {
            priority: of_channels.priority().unwrap_or_default(),
            exclude_newer: of_channels.exclude_newer(&channels),
            channels,
            specs: found.specs,
            group: Vec::new(),
            platforms: Vec::new(),
            declared: DeclaredSystem::default(),
            without_pip: false,
            origin,
            kept: Kept::default(),
            installed: Vec::new(),
        };
        Ok((request, found.pip))
    }

    /// A warning about an image section in a file that is named by an image file, which alone describes the image.
    fn beside(&self, key: &Key, section: &ImageSection) -> Option<Warning> {
        let of_channels = ImageSection {
            channel_alias: section.channel_alias.clone(),
            custom_channels: section.custom_channels.clone(),
            channel_priority: section.channel_priority.clone(),
            exclude_newer: section.exclude_newer.clone(),
            lock: section.lock.clone(),
            ..ImageSection::default()
        };
        (of_channels != *section).then(|| Warning {
            rule: Rule::Ignored,
            diagnostic: self
                .at_key(key)
                .error("the image is described by the image file, not here")
                .help("Move these keys to the image file. `lock` and the channel keys still apply to this file."),
        })
    }

    /// A warning about a key that has no meaning here.
    fn ignored(&self, key: &Key) -> Option<Warning> {
        let name = key.name.as_str();
        // People keep YAML anchors under `x-…`.
        let is_known = KEYS.contains(&name) || name.starts_with("x-");
        if is_known || json::names_frontend(self.file, key) {
            return None;
        }
        let diagnostic = self
            .at_key(key)
            .error(format!("`{}:` has no effect", redact::quoted(name)));
        let diagnostic = match (name, nearest(name, KEYS.iter().copied())) {
            ("prefix", _) => diagnostic.help(
                "Remove the line. An environment is in /opt/conda, or in /opt/conda/envs/NAME if it has a name.",
            ),
            ("category", _) => diagnostic.help(
                "Remove the line. All dependencies are installed; only locks from conda-lock have categories.",
            ),
            ("syntax", _) => diagnostic.help(json::SYNTAX_COMMENT),
            ("environments", _) => diagnostic.help(format!(
                "Put it in an image file, a separate file that names this one: `environments: {{base: {}}}`.",
                self.file.name()
            )),
            // conda-devenv has `environment`.
            ("environment" | "env_vars", _) => {
                diagnostic.help("Write environment variables under `variables:`.")
            }
            ("includes", _) => diagnostic.help(
                "conda-devenv adds what these files list: build from the environment.yml that it writes.",
            ),
            ("pip", _) => diagnostic.help("Put it in the `dependencies:` list, as `- pip:`."),
            (name, _) if section::is_key(name) => {
                diagnostic.help("Put it under `condafront:`.")
            }
            (_, Some(near)) => diagnostic.help(suggestion(format_args!("{near}:"))),
            (_, None) => diagnostic.help("Remove it, unless another tool reads it."),
        };
        Some(Warning {
            rule: Rule::Ignored,
            diagnostic,
        })
    }

    /// The prefix of the environment that `name:` names.
    fn prefix(&self, node: &Node) -> Result<Option<EnvironmentPrefix>, Diagnostic> {
        if node.is_null() {
            return Ok(None);
        }
        let place = self.at(node);
        let Some(name) = node.text() else {
            return Err(place
                .error(format!("`name:` must be a string, not {}", node.what()))
                .help("Write a name, such as `name: lab`."));
        };
        let (reason, help) = match EnvironmentPrefix::of(name) {
            // conda does not create an environment of this name.
            Ok(_) if name == "root" => ("it is conda's old name for base".to_owned(), OTHER_NAME),
            Ok(prefix) => return Ok(Some(prefix)),
            Err(NameError::Character('/' | '\\' | ':'))
                if last_part(name) != name && EnvironmentPrefix::of(last_part(name)).is_ok() =>
            {
                return Err(place
                    .error(format!(
                        "`{}` is not a valid environment name: it is a path",
                        redact::quoted(name)
                    ))
                    .help(format!(
                        "Write its last part alone: `name: {}`.",
                        last_part(name)
                    )));
            }
            Err(NameError::Character(c)) => (
                match c {
                    ' ' => "it contains a space".to_owned(),
                    c if c.is_control() => "it contains a control character".to_owned(),
                    c => format!("it contains `{c}`"),
                },
                "Use letters, digits, `-` and `_`: the name becomes a folder name.",
            ),
            Err(NameError::Empty) => ("it is empty".to_owned(), OTHER_NAME),
            Err(NameError::Start) => ("it starts with a dot or a dash".to_owned(), OTHER_NAME),
            Err(NameError::TooLong) => (format!("it has more than {LONGEST} bytes"), OTHER_NAME),
        };
        Err(place
            .error(format!(
                "`{}` is not a valid environment name: {reason}",
                redact::quoted(name)
            ))
            .help(help))
    }

    fn channels(&self, node: &Node, channels: &mut Channels) -> Result<(), Diagnostic> {
        let items = match &node.value {
            Value::Null => return Ok(()),
            Value::List(items) => items,
            _ => {
                let text = node.text().unwrap_or("conda-forge");
                return Err(self
                    .at(node)
                    .error(format!("`channels:` must be a list, not {}", node.what()))
                    .help(format!("Write `channels: [{}]`.", redact::quoted(text))));
            }
        };
        check_each(items, |item| {
            let place = self.at(item);
            let Some(text) = item.text() else {
                return Err(place
                    .error(format!("a channel must be a name, not {}", item.what()))
                    .help("Write a name such as conda-forge, or a URL."));
            };
            channels.add(text, place, place.lines)
        })
    }
}

/// Whether `prefix` is the folder of the environment that the file names, as in what `conda env export` writes. Nobody
/// means anything by it.
fn is_of_export(prefix: &Node, tree: &Node) -> bool {
    let name = tree.get("name").and_then(Node::text);
    let folder = prefix.text().map(last_part);
    name.is_some_and(|name| name == "base" || folder == Some(name))
}

/// The part of a path after the last separator of any system.
fn last_part(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or_default()
}

/// Whether a list of channels asks conda not to add its own.
fn names_nodefaults(node: &Node) -> bool {
    let items = node.list().unwrap_or_default();
    items.iter().any(|item| item.text() == Some(NO_DEFAULTS))
}

#[cfg(test)]
mod tests;
