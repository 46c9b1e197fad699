//! How packages get into the image: `layers`, `installer`, `trim`, `locale`, and the channels.

use std::collections::{BTreeMap, BTreeSet};

use super::reader::{Name, Reader, truth};
use crate::address_variables::without_credentials;
use crate::place::Place;
use crate::section::image_section::Located;
use crate::yaml::{Node, ScalarKind, Value};
use condafront_model::channel::ChannelPriority;
use condafront_model::channel::ChannelUrl;
use condafront_model::layers::{Layers, MAX_LAYERS};
use condafront_model::redact::quoted;
use condafront_model::source::Diagnostic;
use condafront_step_spec::install::Installer;
use condafront_step_spec::install::Trim;

pub(super) const INSTALLERS: &[(&str, Installer)] = &[
    ("micromamba", Installer::Micromamba),
    ("native", Installer::Native),
];
pub(super) const TRIMS: &[(&str, Trim)] = &[
    ("bytecode", Trim::Bytecode),
    ("docs", Trim::Docs),
    ("headers", Trim::Headers),
    ("sanitizers", Trim::Sanitizers),
    ("source-maps", Trim::SourceMaps),
    ("static-libraries", Trim::StaticLibraries),
    ("tests", Trim::Tests),
];
/// What `trim: true` removes: nothing that a program or a compiler could miss.
pub(super) const USUAL_TRIMS: &[Trim] = &[
    Trim::Docs,
    Trim::Sanitizers,
    Trim::SourceMaps,
    Trim::StaticLibraries,
];

/// Reads `layers`.
pub(super) fn layers(reader: &Reader<'_>, node: &Node) -> Result<Located<Layers>, Diagnostic> {
    let name = Name::from("layers");
    let found = reader.word(name, node)?;
    match found.value.parse() {
        Ok(layers) => Ok(found.map(|_| layers)),
        Err(_) => {
            let message = format!("{name} cannot be `{}`", quoted(&found.value));
            let error = reader.error(found.lines, message);
            Err(error.help(format!("Use auto, or a number from 1 to {MAX_LAYERS}.")))
        }
    }
}

/// Reads `installer`.
pub(super) fn installer(
    reader: &Reader<'_>,
    node: &Node,
) -> Result<Located<Installer>, Diagnostic> {
    reader.one_of("installer".into(), node, INSTALLERS)
}

/// Reads `trim`: true, false, or a list of words.
pub(super) fn trim(reader: &Reader<'_>, node: &Node) -> Result<BTreeSet<Trim>, Diagnostic> {
    let name = Name::from("trim");
    match &node.value {
        Value::List(items) => {
            let words = items
                .iter()
                .map(|item| reader.one_of(name.entry(), item, TRIMS));
            words.map(|found| Ok(found?.value)).collect()
        }
        Value::Scalar { kind, .. } if *kind != ScalarKind::Number => {
            let found = reader.word(name, node)?;
            match truth(&found.value) {
                Some(true) => Ok(USUAL_TRIMS.iter().copied().collect()),
                Some(false) => Ok(BTreeSet::new()),
                None => {
                    let message = format!("{name} cannot be `{}`", quoted(&found.value));
                    let error = reader.error(found.lines, message);
                    Err(error.help("Use true, or a list: trim: [static-libraries, docs]"))
                }
            }
        }
        _ => Err(reader.wrong_kind(name, node, "true, or a list of words")),
    }
}

/// Reads `locale`.
pub(super) fn locale(reader: &Reader<'_>, node: &Node) -> Result<Located<String>, Diagnostic> {
    let name = Name::from("locale");
    let found = reader.word(name, node)?;
    if matches!(found.value.as_str(), "C" | "POSIX" | "C.UTF-8" | "C.utf8") {
        return Ok(found);
    }
    let error = |help: &str| {
        let message = format!("{name} cannot be `{}`", quoted(&found.value));
        reader.error(found.lines, message).help(help.to_owned())
    };
    const FORM: &str = "Write a language, a country and an encoding: en_US.UTF-8";
    let (rest, modifier) = split(&found.value, '@');
    let (place, charset) = split(rest, '.');
    let (language, country) = place.split_once('_').unwrap_or((place, ""));
    let all = |text: &str, is: fn(&u8) -> bool| text.bytes().all(|byte| is(&byte));
    let is_place = matches!(language.len(), 2 | 3)
        && all(language, u8::is_ascii_lowercase)
        && country.len() == 2
        && all(country, u8::is_ascii_uppercase);
    let is_more = |more: &str| {
        !more.is_empty()
            && more
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    if !is_place || !modifier.is_none_or(is_more) || !charset.is_none_or(is_more) {
        return Err(error(FORM));
    }
    if charset.is_none() {
        let suffix = modifier.map(|modifier| format!("@{modifier}"));
        return Err(error(&format!(
            "Add the encoding: {place}.UTF-8{}",
            suffix.unwrap_or_default()
        )));
    }
    Ok(found)
}

fn split(text: &str, at: char) -> (&str, Option<&str>) {
    match text.split_once(at) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

/// Reads `channel_priority`.
pub(super) fn channel_priority(
    reader: &Reader<'_>,
    node: &Node,
) -> Result<Located<ChannelPriority>, Diagnostic> {
    let name = Name::from("channel_priority");
    let found = reader.word(name, node)?;
    match found.value.parse::<ChannelPriority>() {
        Ok(priority) => Ok(found.map(|_| priority)),
        Err(error) => {
            let message = format!("{name} cannot be `{}`", quoted(&found.value));
            let diagnostic = reader.error(found.lines, message);
            Err(diagnostic.help(error.help()).caused_by(error))
        }
    }
}

/// Reads `channel_alias`.
pub(super) fn channel_alias(
    reader: &Reader<'_>,
    node: &Node,
) -> Result<Located<ChannelUrl>, Diagnostic> {
    let name = Name::from("channel_alias");
    channel_url(reader, name, node)
}

/// Reads `custom_channels`.
pub(super) fn custom_channels(
    reader: &Reader<'_>,
    node: &Node,
) -> Result<BTreeMap<String, Located<ChannelUrl>>, Diagnostic> {
    let name = Name::from("custom_channels");
    let Some(entries) = node.mapping() else {
        return Err(reader.wrong_kind(name, node, "a mapping of names to URLs"));
    };
    let mut channels = BTreeMap::new();
    for (key, value) in entries {
        let is_name = !key.name.trim_matches('/').is_empty()
            && !key.name.contains("://")
            && !key
                .name
                .contains(|c: char| c.is_whitespace() || c.is_control());
        if !is_name {
            let message = format!("`{}` is not a valid channel name", quoted(&key.name));
            let error = reader.error(key.lines, message);
            return Err(
                error.help("For example: custom_channels: {team: https://conda.example.org}")
            );
        }
        let entry = Name::from(key.name.as_str()).of("custom_channels");
        let url = channel_url(reader, entry, value)?;
        channels.insert(key.name.trim_matches('/').to_owned(), url);
    }
    Ok(channels)
}

fn channel_url(
    reader: &Reader<'_>,
    name: Name<'_>,
    node: &Node,
) -> Result<Located<ChannelUrl>, Diagnostic> {
    let written = reader.raw(name, node)?;
    let lines = written.lines;
    let place = Place {
        file: reader.file,
        lines,
    };
    let bare = |text: &str| {
        let bare = without_credentials(text, reader.args).map_err(|error| error.at(place));
        bare.map(|address| address.text)
    };
    // The values of variables may have credentials as well.
    let text = bare(written.value)?;
    let value = text.as_str();
    let found = reader.word_of(name, Located { value, lines })?;
    match ChannelUrl::parse(&bare(&found.value)?) {
        Ok(url) => Ok(found.map(|_| url)),
        Err(error) => {
            let error = error.about(written.value);
            let diagnostic = reader.error(found.lines, format!("{name}: {error}"));
            Err(diagnostic.help(error.help()).caused_by(error))
        }
    }
}
