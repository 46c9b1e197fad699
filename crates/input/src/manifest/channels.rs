//! The channels of an environment of a manifest.

use super::kind::Tool;
use super::workspace::{Environment, Workspace};
use crate::channels::Channels;
use crate::yaml::Node;
use condafront_model::mistakes::check_each;
use condafront_model::redact::quoted;
use condafront_model::source::Diagnostic;

/// The keys of a channel's table.
const FIELDS: &[&str] = &["channel", "priority", "exclude-newer"];

/// An entry of a list of channels.
pub(super) struct Listed<'a> {
    /// The channel's name or address.
    pub(super) name: &'a str,
    /// A channel with a higher one comes first.
    priority: i64,
    /// When its packages are too new.
    pub(super) exclude_newer: Option<&'a Node>,
    node: &'a Node,
}

/// The channels of the environment's features, the most important first. To pixi, a feature without its own has those of the
/// workspace (`FeaturesExt::prioritized_channels`). To conda-workspaces, those of the workspace come before those of all
/// features (`lockfile.py`).
///
/// # Errors
/// An invalid entry.
pub(super) fn listed<'a>(
    workspace: &Workspace<'a>,
    environment: &Environment<'a>,
) -> Result<Vec<Listed<'a>>, Diagnostic> {
    let mut all = Vec::new();
    let base = workspace.value("channels");
    let is_first = workspace.kind.tool == Tool::Conda;
    let of_features = environment.features.iter().filter_map(|feature| {
        let own = feature.table.and_then(|table| table.get("channels"));
        let own = own.filter(|_| !feature.is_default());
        own.or(base.filter(|_| !is_first))
    });
    for list in base.filter(|_| is_first).into_iter().chain(of_features) {
        let Some(items) = list.list() else {
            let place = workspace.at(list.lines);
            let error = format!("`channels` must be a list, not {}", list.what());
            return Err(place
                .error(error)
                .help("Write `channels = [\"conda-forge\"]`."));
        };
        check_each(items, |item| {
            all.push(entry(workspace, item)?);
            Ok(())
        })?;
    }
    all.sort_by_key(|one| std::cmp::Reverse(one.priority));
    Ok(all)
}

fn entry<'a>(workspace: &Workspace<'a>, item: &'a Node) -> Result<Listed<'a>, Diagnostic> {
    let place = workspace.at(item.lines);
    let name = item.text().or_else(|| item.get("channel")?.text());
    let Some(name) = name else {
        let error = place.error(format!("a channel must be a name, not {}", item.what()));
        return Err(error.help("Write a name such as \"conda-forge\", or a URL."));
    };
    let fields = item.mapping().unwrap_or_default();
    if let Some((key, _)) = fields.iter().find(|(key, _)| !FIELDS.contains(&&*key.name)) {
        let error = format!("a channel has no key `{}`", quoted(&key.name));
        let help = format!("The keys are {}.", FIELDS.join(", "));
        return Err(workspace.at(key.lines).error(error).help(help));
    }
    let priority = match item.get("priority") {
        None => 0,
        Some(node) => node
            .text()
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| {
                let error = workspace
                    .at(node.lines)
                    .error("a channel's priority must be a number");
                error.help("For example: { channel = \"bioconda\", priority = 1 }")
            })?,
    };
    Ok(Listed {
        name,
        priority,
        exclude_newer: item.get("exclude-newer"),
        node: item,
    })
}

/// Adds them.
pub(super) fn add(
    workspace: &Workspace<'_>,
    listed: &[Listed<'_>],
    channels: &mut Channels,
) -> Result<(), Diagnostic> {
    check_each(listed, |one| {
        let place = workspace.at(one.node.lines);
        channels.add(one.name, place, place.lines)
    })
}
