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
/// A value of the wrong kind, or an invalid name of a package.
pub(super) fn read(
    workspace: &Workspace<'_>,
    listed: &[Listed<'_>],
    refusals: &mut Refusals,
) -> Result<Option<Located<ExcludeNewer>>, Diagnostic> {
    let mut reader = Reader {
        workspace,
        refusals,
    };
    let mut said = ExcludeNewer {
        cutoff: None,
        channels: BTreeMap::new(),
        packages: BTreeMap::new(),
        by_name: BTreeMap::new(),
    };
    let base = workspace.value("exclude-newer");
    if let Some(node) = base
        && let Some(Found::Limit(limit)) = reader.limit(node)?
    {
        said.cutoff = Some(limit);
    }
    for channel in listed {
        if let Some(node) = channel.exclude_newer
            && let Some(found) = reader.limit(node)?
        {
            let limit = found.at(node.lines);
            said.channels.insert(channel.name.to_owned(), limit);
        }
    }
    if let Some(table) = workspace.root.get("exclude-newer") {
        for (key, node) in workspace.entries(table, "exclude-newer")? {
            let place = workspace.at(key.lines);
            let spec = match_spec::exemption(&key.name, place)?;
            if spec.contains([' ', '[', ':']) {
                let error = format!("`{}` is not the name of a package", quoted(&key.name));
                return Err(place.error(error).help("For example: openssl = \"0d\""));
            }
            if let Some(found) = reader.limit(node)? {
                said.by_name.insert(spec, found.at(key.lines));
            }
        }
    }
    let is_empty = said.cutoff.is_none() && said.channels.is_empty() && said.by_name.is_empty();
    let lines = base.map_or(workspace.lines(), |node| node.lines);
    Ok((!is_empty).then_some(Located { value: said, lines }))
}

/// Warns that cutoffs have no effect on PyPI packages.
pub(super) fn of_pypi(workspace: &Workspace<'_>, refusals: &mut Refusals) {
    let base = workspace.value("exclude-newer");
    let lines = match (workspace.root.get("pypi-exclude-newer"), base) {
        (Some(table), _) => table.lines,
        (None, Some(node)) => node.lines,
        (None, None) => return,
    };
    refusals.warn(
        workspace.at(Lines::one(lines.first as usize)),
        "the cutoff has no effect on PyPI packages: pip takes the newest that fits",
        "Say which versions are wanted in `pypi-dependencies`, or write the lock with the manifest's tool.",
    );
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
    fn limit(&mut self, node: &Node) -> Result<Option<Found>, Diagnostic> {
        let place = self.workspace.at(node.lines);
        let Some(text) = node.text().map(str::trim) else {
            let error = format!("a cutoff must be a string, not {}", node.what());
            return Err(place.error(error).help(NotACutoff::HELP));
        };
        if text == "false" || is_nothing(text) {
            return Ok(Some(Found::NoLimit));
        }
        let limit: Result<Limit, NotACutoff> = text.parse();
        if let Ok(limit) = limit {
            return Ok(Some(Found::Limit(limit)));
        }
        let message = format!("`{}` is not a cutoff that a build can use", quoted(text));
        self.refusals.refuse_or(place, message, NotACutoff::HELP);
        Ok(None)
    }
}

/// Whether an age is zero: `0d`.
fn is_nothing(text: &str) -> bool {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    !digits.is_empty() && digits.len() < text.len() && digits.bytes().all(|byte| byte == b'0')
}
