//! env.yml: an environment to be solved
//! (<https://docs.conda.io/projects/conda/en/stable/user-guide/tasks/manage-environments.html#creating-an-environment-file-manually>).

mod dependencies;
mod selector;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::channels::{Channels, Place};
use super::specs;
use crate::environment_input::{Conda, DeclaredPlatform, EnvironmentInput, Pip, Request};
use crate::section;
use crate::section::image_section::ImageSection;
use crate::settings::{ChannelDefaults, InputSettings};
use crate::yaml::{Key, Node, Value};
use condafront_model::channel::ChannelNames;
use condafront_model::lint::{Rule, Warning};
use condafront_model::nearest::nearest;
use condafront_model::platform::{self, Platform};
use condafront_model::redact;
use condafront_model::source::{Diagnostic, Lines, SourceFile};

/// The keys that are read.
const KEYS: &[&str] = &[
    "name",
    "channels",
    "dependencies",
    "variables",
    "platforms",
    "condafront",
];

/// Reads the file.
///
/// # Errors
/// A diagnostic at the user's line.
pub fn read(
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
    let entries = tree.mapping().unwrap_or_default();
    let entry = |name: &str| entries.iter().find(|(key, _)| key.name == name);
    let value = |name: &str| tree.get(name);
    let section = match value("condafront") {
        Some(node) => section::read(file, node, &settings.build_args.for_platform(platform))?,
        None => ImageSection::default(),
    };
    let mut said = ChannelDefaults::of(&section);
    let mut warnings: Vec<Warning> = entries
        .iter()
        .filter_map(|(key, _)| reader.ignored(key))
        .collect();
    if let Some(image_file) = &settings.image_file {
        said = said.or(image_file);
        warnings.extend(entry("condafront").and_then(|(key, _)| reader.beside(key, &section)));
    }
    let names = ChannelNames {
        alias: settings
            .channel_alias
            .clone()
            .or(said.alias)
            .unwrap_or(ChannelNames::default().alias),
        custom: said.custom,
    };
    let mut channels = Channels::new(names, platform);
    let name = value("name")
        .map(|node| reader.name(node))
        .transpose()?
        .flatten();
    let platforms = match value("platforms") {
        Some(node) => reader.platforms(node, platform)?,
        None => Vec::new(),
    };
    let variables = match value("variables") {
        Some(node) => reader.variables(node)?,
        None => BTreeMap::new(),
    };
    let Some((key, list)) = entry("dependencies") else {
        return Err(Diagnostic::new(format!(
            "{} has no `dependencies:`",
            file.name()
        )));
    };
    let listed = entry("channels");
    let place = reader.at_key(listed.map_or(key, |(key, _)| key));
    if settings.channels.is_empty() {
        if let Some((_, node)) = listed {
            reader.channels(node, &mut channels)?;
        }
    } else {
        specs::channels(settings, &mut channels, Some(place.lines))?;
    }
    if channels.or_fallback(place)? {
        warnings.push(Warning {
            rule: Rule::NoChannel,
            diagnostic: place
                .error("no channel is named: packages come from conda-forge")
                .help("Add `channels: [conda-forge]`, so that conda and others do the same."),
        });
    }
    let found = dependencies::read(&reader, key, list, &mut channels)?;
    let (channels, of_channels) = channels.finish();
    warnings.extend(of_channels);
    warnings.extend(found.warnings);
    Ok(EnvironmentInput {
        name,
        variables,
        conda: Conda::Unsolved(Request {
            channels,
            priority: said.priority.unwrap_or_default(),
            specs: found.specs,
            platforms,
        }),
        pip: if found.pip.is_empty() {
            Pip::default()
        } else {
            Pip::Unsolved(found.pip)
        },
        section,
        warnings,
    })
}

/// The file, to point into.
struct Reader<'a> {
    file: &'a Arc<SourceFile>,
    lines: Vec<&'a str>,
}

impl<'a> Reader<'a> {
    fn at(&self, node: &Node) -> Place<'a> {
        self.place(node.lines)
    }

    fn at_key(&self, key: &Key) -> Place<'a> {
        self.place(key.lines)
    }

    fn place(&self, lines: Lines) -> Place<'a> {
        Place {
            file: self.file,
            lines,
        }
    }

    /// A warning about an image section in a file that an image file names, which has the say of the image.
    fn beside(&self, key: &Key, section: &ImageSection) -> Option<Warning> {
        let of_channels = ImageSection {
            channel_alias: section.channel_alias.clone(),
            custom_channels: section.custom_channels.clone(),
            channel_priority: section.channel_priority.clone(),
            ..ImageSection::default()
        };
        (of_channels != *section).then(|| Warning {
            rule: Rule::Ignored,
            diagnostic: self
                .at_key(key)
                .error("the image is described by the image file, not here")
                .help("Move these keys to the image file. Those of channels count for this file's solve."),
        })
    }

    /// A warning about a key that means nothing here.
    fn ignored(&self, key: &Key) -> Option<Warning> {
        let name = key.name.as_str();
        // `x-…` is where people keep what their anchors are for.
        if KEYS.contains(&name) || name.starts_with("x-") {
            return None;
        }
        let diagnostic = self
            .at_key(key)
            .error(format!("`{}:` has no effect", redact::quoted(name)));
        let diagnostic = match (name, nearest(name, KEYS.iter().copied())) {
            ("prefix", _) => diagnostic.help(
                "An environment is in /opt/conda, or in /opt/conda/envs/NAME if it has a name. Remove the line.",
            ),
            ("category", _) => diagnostic.help(
                "All of the file's dependencies are installed. Only a lock that conda-lock made has categories.",
            ),
            ("pip", _) => diagnostic.help("Put it into the list `dependencies:`, as `- pip:`."),
            (name, _) if section::is_key(name) => {
                diagnostic.help("Write it below `condafront:`.")
            }
            (_, Some(near)) => diagnostic.help(format!("Did you mean `{near}:`?")),
            (_, None) => diagnostic.help("Remove it, unless another tool reads it."),
        };
        Some(Warning {
            rule: Rule::Ignored,
            diagnostic,
        })
    }

    /// The environment's name; conda forbids the same characters (`conda.base.context.validate_prefix_name`).
    fn name(&self, node: &Node) -> Result<Option<String>, Diagnostic> {
        /// A prefix has to fit into the 255 bytes that packages keep free for it, with room for what is below.
        const LONGEST: usize = 150;
        if node.is_null() {
            return Ok(None);
        }
        let place = self.at(node);
        let Some(name) = node.text() else {
            return Err(place
                .error(format!(
                    "the environment's name is {}, not a text",
                    node.what()
                ))
                .help("Write a word, such as `name: lab`."));
        };
        let shown = redact::quoted(name);
        let is_bad = |c: char| c.is_whitespace() || c.is_control() || "/\\:#".contains(c);
        if let Some(bad) = name.chars().find(|c| is_bad(*c)) {
            let bad = match bad {
                ' ' => "a blank".to_owned(),
                bad if bad.is_control() => "a control character".to_owned(),
                bad => format!("`{bad}`"),
            };
            return Err(place
                .error(format!(
                    "`{shown}` cannot be an environment's name: it has {bad} in it"
                ))
                .help("It becomes a folder's name; write letters, digits, `-` and `_`."));
        }
        let reason = match name {
            "" => "it is empty",
            "root" => "it is what conda called base long ago",
            _ if name.starts_with(['.', '-']) => "it begins with a dot or a dash",
            _ if name.len() > LONGEST => "it is too long",
            _ => return Ok(Some(name.to_owned())),
        };
        Err(place
            .error(format!(
                "`{shown}` cannot be an environment's name: {reason}"
            ))
            .help("Write another, or leave it out: then the environment is base, in /opt/conda."))
    }

    fn channels(&self, node: &Node, channels: &mut Channels) -> Result<(), Diagnostic> {
        let items = match &node.value {
            Value::Null => return Ok(()),
            Value::List(items) => items,
            _ => {
                let text = node.text().unwrap_or("conda-forge");
                return Err(self
                    .at(node)
                    .error(format!("`channels:` is {}, not a list", node.what()))
                    .help(format!("Write `channels: [{}]`.", redact::quoted(text))));
            }
        };
        for item in items {
            let place = self.at(item);
            let Some(text) = item.text() else {
                return Err(place
                    .error(format!("a channel is {}, not a name", item.what()))
                    .help("Write a name such as conda-forge, or a URL."));
            };
            channels.add(text, place, place.lines)?;
        }
        Ok(())
    }

    fn platforms(
        &self,
        node: &Node,
        wanted: Platform,
    ) -> Result<Vec<DeclaredPlatform>, Diagnostic> {
        let items = match &node.value {
            Value::Null => return Ok(Vec::new()),
            Value::List(items) => items,
            _ => {
                return Err(self
                    .at(node)
                    .error(format!("`platforms:` is {}, not a list", node.what()))
                    .help("Write `platforms: [linux-64]`."));
            }
        };
        let mut platforms = Vec::new();
        for item in items {
            let text = item.text().unwrap_or_default();
            if text != "noarch" && !platform::is_subdir(text) {
                return Err(self.unknown_platform(item));
            }
            platforms.push(DeclaredPlatform {
                subdir: text.to_owned(),
                lines: item.lines,
            });
        }
        let fits = |declared: &DeclaredPlatform| declared.subdir == wanted.subdir();
        if platforms.is_empty() || platforms.iter().any(fits) {
            return Ok(platforms);
        }
        let names: Vec<&str> = platforms
            .iter()
            .map(|declared| declared.subdir.as_str())
            .collect();
        let others: Vec<String> = Platform::ALL
            .into_iter()
            .filter(|platform| names.contains(&platform.subdir()))
            .map(|platform| format!("build with --platform {platform}, or "))
            .collect();
        let help = format!("{}add {} to the list.", others.concat(), wanted.subdir());
        Err(self
            .at(node)
            .error(format!(
                "the file is for {}, but the image is built for {wanted} ({})",
                names.join(", "),
                wanted.subdir()
            ))
            .help(capitalised(&help)))
    }

    fn unknown_platform(&self, item: &Node) -> Diagnostic {
        let place = self.at(item);
        let Some(text) = item.text() else {
            return place
                .error(format!("a platform is {}, not a name", item.what()))
                .help("Write a name such as linux-64.");
        };
        let error = place.error(format!(
            "conda knows no platform `{}`",
            redact::quoted(text)
        ));
        match Platform::parse(text) {
            Ok(platform) => error.help(format!("Conda calls it {}.", platform.subdir())),
            Err(_) => match nearest(text, platform::subdirs()) {
                Some(near) => error.help(format!("Did you mean {near}?")),
                None => error.help("Write a name such as linux-64 or linux-aarch64."),
            },
        }
    }

    fn variables(&self, node: &Node) -> Result<BTreeMap<String, String>, Diagnostic> {
        let entries = match &node.value {
            Value::Null => return Ok(BTreeMap::new()),
            Value::Mapping(entries) => entries,
            _ => {
                return Err(self
                    .at(node)
                    .error(format!("`variables:` is {}, not a mapping", node.what()))
                    .help("Write a name and a value per line: `DATA_DIR: /data`."));
            }
        };
        let mut variables = BTreeMap::new();
        for (key, value) in entries {
            let name = redact::quoted(&key.name);
            let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
            if !key.name.chars().all(is_plain)
                || !key.name.starts_with(|c: char| !c.is_ascii_digit())
            {
                return Err(self
                    .at_key(key)
                    .error(format!("`{name}` cannot be the name of a variable"))
                    .help("Write letters, digits and `_`, a letter first."));
            }
            let error = |what: &str| {
                self.at(value)
                    .error(format!("the variable {name} is {what}"))
            };
            let Some(text) = value.text() else {
                return Err(if value.is_null() {
                    self.at(value)
                        .error(format!("the variable {name} has no value"))
                        .help(format!("Write `{name}: \"\"` for an empty value."))
                } else {
                    error(value.what()).help("Write a text, in quotes if it has brackets.")
                });
            };
            if text.contains('\0') {
                return Err(error("no text: it has a NUL in it")
                    .help("No environment variable can hold that."));
            }
            variables.insert(key.name.clone(), text.to_owned());
        }
        Ok(variables)
    }
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests;
