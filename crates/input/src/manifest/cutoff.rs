//! Which packages are too new for a manifest: `exclude-newer`.

use std::collections::BTreeMap;

use super::channels::Listed;
use super::refusals::Refusals;
use super::workspace::Workspace;
use crate::match_spec;
use crate::section::image_section::{ExcludeNewer, Located};
use crate::yaml::Node;
use condafront_model::cutoff::{Limit, NotACutoff};
use condafront_model::redact::quoted;
use condafront_model::source::{Diagnostic, Lines};

/// What the manifest says; `None` if it says nothing.
///
/// # Errors
/// An invalid name of a package.
pub(super) fn read(
    workspace: &Workspace<'_>,
    listed: &[Listed<'_>],
    refusals: &mut Refusals,
) -> Result<Option<Located<ExcludeNewer>>, Diagnostic> {
    let Some(node) = workspace.value("exclude-newer") else {
        return Ok(None);
    };
    let mut reader = Reader {
        workspace,
        refusals,
    };
    let Some(Found::Limit(cutoff)) = reader.limit(node) else {
        return Ok(None);
    };
    let mut said = ExcludeNewer {
        cutoff,
        channels: BTreeMap::new(),
        packages: BTreeMap::new(),
    };
    for channel in listed {
        if let Some(node) = channel.exclude_newer
            && let Some(found) = reader.limit(node)
        {
            let limit = found.at(node.lines);
            said.channels.insert(channel.name.to_owned(), limit);
        }
    }
    if let Some(table) = workspace.root.get("exclude-newer") {
        for (key, node) in workspace.entries(table, "exclude-newer")? {
            let spec = match_spec::exemption(&key.name, workspace.at(key.lines))?;
            if let Some(found) = reader.limit(node) {
                said.packages.insert(spec, found.at(key.lines));
            }
        }
    }
    let lines = node.lines;
    Ok(Some(Located { value: said, lines }))
}

/// What a value says.
enum Found {
    /// What is newer is too new.
    Limit(Limit),
    /// Nothing is too new.
    NoLimit,
}

impl Found {
    fn at(self, lines: Lines) -> Located<Option<Limit>> {
        let value = match self {
            Self::Limit(limit) => Some(limit),
            Self::NoLimit => None,
        };
        Located { value, lines }
    }
}

struct Reader<'r, 'a> {
    workspace: &'r Workspace<'a>,
    refusals: &'r mut Refusals,
}

impl Reader<'_, '_> {
    /// What a value says. Ages that a build does not know are refused.
    fn limit(&mut self, node: &Node) -> Option<Found> {
        let text = node.text().unwrap_or_default().trim();
        if text == "false" || is_nothing(text) {
            return Some(Found::NoLimit);
        }
        let limit: Result<Limit, NotACutoff> = text.parse();
        match limit {
            Ok(limit) => Some(Found::Limit(limit)),
            Err(_) => {
                let message = format!(
                    "`{}` is not a cutoff that a build can use. {}",
                    quoted(text),
                    NotACutoff::HELP
                );
                let message = message.trim_end_matches('.').to_owned();
                self.refusals.refuse(self.workspace.at(node.lines), message);
                None
            }
        }
    }
}

/// Whether an age is zero: `0d`.
fn is_nothing(text: &str) -> bool {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    !digits.is_empty() && digits.len() < text.len() && digits.bytes().all(|byte| byte == b'0')
}
