//! Conda packages that only the steps that build wheels see: `build`.

use super::reader::{Name, Reader};
use crate::section::image_section::{BuildPackages, Located};
use crate::yaml::{Node, Value};
use condafront_model::source::Diagnostic;

const KEY: &str = "build";
const FIELDS: &[&str] = &["packages", "channels"];

/// Reads `build`: a list of packages, or a mapping that also names their channels. `None` if there are no packages.
pub(super) fn read(reader: &Reader<'_>, node: &Node) -> Result<Option<BuildPackages>, Diagnostic> {
    let name = Name::from(KEY);
    let (packages, channels) = match &node.value {
        Value::Mapping(_) => {
            let fields = reader.fields(name, node, FIELDS)?;
            let Some(packages) = fields.get("packages") else {
                let error = reader.error(node.lines, "`build` has no `packages`");
                return Err(error.help(
                    "For example: build: {packages: [c-compiler], channels: [conda-forge]}",
                ));
            };
            let packages = words(reader, Name::from("packages").of(KEY), packages)?;
            let channels = fields.read("channels", KEY, |name, node| words(reader, name, node))?;
            (packages, channels.unwrap_or_default())
        }
        Value::List(_) => (words(reader, name, node)?, Vec::new()),
        _ => return Err(reader.wrong_kind(name, node, "a list of packages, or a mapping")),
    };
    let lines = node.lines;
    Ok((!packages.is_empty()).then_some(BuildPackages {
        packages,
        channels,
        lines,
    }))
}

/// The entries of a list. Addresses stay as written: a solve fills in their variables, some of which are logins.
fn words(
    reader: &Reader<'_>,
    name: Name<'_>,
    node: &Node,
) -> Result<Vec<Located<String>>, Diagnostic> {
    let items = reader.list(name, node)?;
    let word = |item| {
        let raw = reader.raw(name.entry(), item)?;
        if raw.value.contains("://") {
            return Ok(raw.map(|text| text.trim().to_owned()));
        }
        reader.word_of(name.entry(), raw)
    };
    items.iter().map(word).collect()
}
