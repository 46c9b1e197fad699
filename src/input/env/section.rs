//! The section `condafront:` of env.yml, as far as it is about the solve.

use std::collections::BTreeMap;

use crate::channel::ChannelUrl;
use crate::input::ChannelPriority;
use crate::input::channels::Place;
use crate::nearest::nearest;
use crate::redact;
use crate::source::Diagnostic;
use crate::yaml::{Key, Node};

use super::Reader;

/// What the section says.
#[derive(Debug, Default)]
pub(super) struct Section {
    pub(super) priority: ChannelPriority,
    pub(super) alias: Option<ChannelUrl>,
    pub(super) custom: BTreeMap<String, ChannelUrl>,
}

/// The keys that are read.
pub(super) const KEYS: &[&str] = &["channel_alias", "channel_priority", "custom_channels"];

/// The keys that the section is going to have, and the build-arg that does the same, where there is one.
const LATER: &[(&str, Option<&str>)] = &[
    ("apk", None),
    ("apt", None),
    ("base", Some("BASE_IMAGE")),
    ("cmd", None),
    ("copy", None),
    ("dnf", None),
    ("entrypoint", None),
    ("env", None),
    ("expose", None),
    ("healthcheck", None),
    ("installer", Some("CONDAFRONT_INSTALLER")),
    ("labels", None),
    ("layers", Some("CONDAFRONT_LAYERS")),
    ("locale", None),
    ("pip", None),
    ("run", None),
    ("shell", None),
    ("stopsignal", None),
    ("trim", None),
    ("user", Some("MAMBA_USER")),
    ("volumes", None),
    ("workdir", None),
];

/// Reads the section.
pub(super) fn read(reader: &Reader<'_>, node: &Node) -> Result<Section, Diagnostic> {
    let mut section = Section::default();
    if node.is_null() {
        return Ok(section);
    }
    let Some(entries) = node.mapping() else {
        return Err(reader
            .at(node)
            .error(format!("`condafront:` is {}, not a mapping", node.what()))
            .help("Write keys below it, such as `channel_priority: flexible`."));
    };
    for (key, value) in entries {
        match key.name.as_str() {
            "channel_priority" => section.priority = priority(reader.at(value), value)?,
            "channel_alias" => {
                section.alias = Some(address(reader.at(value), "channel_alias", value)?)
            }
            "custom_channels" => section.custom = custom_channels(reader, value)?,
            _ => return Err(unknown(reader.at_key(key), key)),
        }
    }
    Ok(section)
}

fn unknown(place: Place<'_>, key: &Key) -> Diagnostic {
    let name = redact::quoted(&key.name);
    let later = LATER.iter().find(|(known, _)| *known == key.name);
    if let Some((_, build_arg)) = later {
        let error = place.error(format!(
            "`{name}` in the section `condafront:` is not supported by this version of condafront yet"
        ));
        return match build_arg {
            Some(build_arg) => error.help(format!("Use --build-arg {build_arg}=… until then.")),
            None => error.help(
                "Remove it, and do this in a Dockerfile that builds on the image until then.",
            ),
        };
    }
    let error = place.error(format!("the section `condafront:` has no key `{name}`"));
    let known = KEYS
        .iter()
        .copied()
        .chain(LATER.iter().map(|(key, _)| *key));
    match nearest(&key.name, known) {
        Some(near) => error.help(format!("Did you mean `{near}`?")),
        None => error.help(format!("It has {}.", KEYS.join(", "))),
    }
}

fn priority(place: Place<'_>, node: &Node) -> Result<ChannelPriority, Diagnostic> {
    let error = |value: &str| place.error(format!("channel_priority cannot be {value}"));
    let help = "Write strict (a package comes from the first channel that has it) or flexible (from the first that has one that fits).";
    match node.text() {
        Some("strict") => Ok(ChannelPriority::Strict),
        Some("flexible") => Ok(ChannelPriority::Flexible),
        Some(text) => {
            let error = error(&format!("`{}`", redact::quoted(text)));
            Err(match nearest(text, ["strict", "flexible"]) {
                Some(near) => error.help(format!("Did you mean {near}?")),
                None => error.help(help),
            })
        }
        None => Err(error(node.what()).help(help)),
    }
}

fn address(place: Place<'_>, what: &str, node: &Node) -> Result<ChannelUrl, Diagnostic> {
    let Some(text) = node.text() else {
        return Err(place
            .error(format!("{what} is {}, not a URL", node.what()))
            .help("Write a URL such as https://conda.example."));
    };
    ChannelUrl::parse(text)
        .map_err(|error| place.error(format!("{what}: {error}")).help(error.help()))
}

fn custom_channels(
    reader: &Reader<'_>,
    node: &Node,
) -> Result<BTreeMap<String, ChannelUrl>, Diagnostic> {
    let Some(entries) = node.mapping() else {
        return Err(reader
            .at(node)
            .error(format!("custom_channels is {}, not a mapping", node.what()))
            .help("Write a name and the URL of the folder that has it: `internal: https://conda.example`."));
    };
    entries
        .iter()
        .map(|(key, value)| {
            let name = key.name.trim_matches('/');
            let what = format!("the custom channel {}", redact::quoted(name));
            Ok((name.to_owned(), address(reader.at(value), &what, value)?))
        })
        .collect()
}
