//! Which packages are too new for a manifest: `exclude-newer`.

use std::collections::BTreeMap;

use super::channels::Listed;
use super::conda_spec::Wanted;
use super::refusals::Refusals;
use super::workspace::Workspace;
use crate::match_spec;
use crate::section::image_section::{ExcludeNewer, Located};
use crate::yaml::Node;
use condafront_model::cutoff::{Age, Limit, NotACutoff};
use condafront_model::nearest::did_you_mean;
use condafront_model::redact::quoted;
use condafront_model::source::{Diagnostic, Lines};

/// The keys of the table `[workspace.exclude-newer]`.
const FIELDS: &[&str] = &["cutoff", "exemptions"];

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
    let mut lines = workspace.lines();
    if let Some(node) = workspace.value("exclude-newer") {
        let cutoff = match node.mapping() {
            Some(_) => reader.table(node, &mut said)?,
            None => Some(node),
        };
        if let Some(cutoff) = cutoff {
            lines = cutoff.lines;
            if let Some(Found::Limit(limit)) = reader.limit(cutoff)? {
                said.cutoff = Some(limit);
            }
        }
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
    // Exemptions alone say nothing.
    let is_empty = said.cutoff.is_none() && said.channels.is_empty() && said.by_name.is_empty();
    Ok((!is_empty).then_some(Located { value: said, lines }))
}

/// Warns that cutoffs have no effect on PyPI packages.
pub(super) fn of_pypi(workspace: &Workspace<'_>, refusals: &mut Refusals) {
    let base = workspace.value("exclude-newer");
    let of_pypi = workspace.value("pypi-exclude-newer");
    let of_pypi = of_pypi.or(workspace.root.get("pypi-exclude-newer"));
    let lines = match (of_pypi, base) {
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

impl<'a> Reader<'_, 'a> {
    /// Reads the exemptions of a table, and returns its cutoff.
    fn table(
        &mut self,
        table: &'a Node,
        said: &mut ExcludeNewer,
    ) -> Result<Option<&'a Node>, Diagnostic> {
        for (key, _) in self.workspace.entries(table, "exclude-newer")? {
            if !FIELDS.contains(&key.name.as_str()) {
                let place = self.workspace.at(key.lines);
                let message = format!("`exclude-newer` has no key `{}`", quoted(&key.name));
                let mut error = place.error(message);
                error.help = did_you_mean(&key.name, FIELDS.iter().copied())
                    .or_else(|| Some(format!("The keys are {}.", FIELDS.join(", "))));
                return Err(error);
            }
        }
        if let Some(exemptions) = table.get("exemptions") {
            for (key, node) in self.workspace.entries(exemptions, "exemptions")? {
                let place = self.workspace.at(key.lines);
                let Wanted::Spec(text) = Wanted::of(self.workspace, &key.name, node, place)? else {
                    let error = "an exemption must be a version, not a place";
                    return Err(place.error(error).help("For example: openssl = \"3.5.4\""));
                };
                let spec = match text.split_once("::") {
                    None => text.as_str(),
                    Some((_, spec)) => {
                        self.refusals.refuse(
                            place,
                            format!(
                                "the exemption of `{}` is for one channel, which is not possible here",
                                quoted(&key.name)
                            ),
                        );
                        spec
                    }
                };
                let spec = match_spec::exemption(spec, place)?;
                said.packages.insert(spec, Found::NoLimit.at(key.lines));
            }
        }
        Ok(table.get("cutoff"))
    }

    /// What a value says. Ages that a build does not know are refused.
    fn limit(&mut self, node: &Node) -> Result<Option<Found>, Diagnostic> {
        let place = self.workspace.at(node.lines);
        let Some(text) = node.text().map(str::trim) else {
            let error = format!("a cutoff must be a string, not {}", node.what());
            return Err(place.error(error).help(NotACutoff::HELP));
        };
        let age = seconds(text);
        if text == "false" || age == Some(0) {
            return Ok(Some(Found::NoLimit));
        }
        let limit = match age {
            Some(age) => Age::of_seconds(age).map(Limit::Age),
            None => text.parse().ok(),
        };
        if let Some(limit) = limit {
            return Ok(Some(Found::Limit(limit)));
        }
        let message = format!("`{}` is not a cutoff that a build can use", quoted(text));
        self.refusals.refuse_or(place, message, NotACutoff::HELP);
        Ok(None)
    }
}

/// The seconds of an age as pixi reads it: `7d`, `1h30m`, `2 weeks`.
fn seconds(text: &str) -> Option<u64> {
    let mut rest = text.trim();
    if rest.is_empty() {
        return None;
    }
    let mut all: u64 = 0;
    while !rest.is_empty() {
        let (count, after) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit())?);
        let after = after.trim_start();
        let end = after.find(|c: char| !c.is_ascii_alphabetic());
        let (unit, next) = after.split_at(end.unwrap_or(after.len()));
        let count: u64 = count.parse().ok()?;
        all = all.checked_add(count.checked_mul(seconds_of(unit)?)?)?;
        rest = next.trim_start();
    }
    Some(all)
}

/// The seconds of a unit. Months and years are average ones.
fn seconds_of(unit: &str) -> Option<u64> {
    Some(match unit {
        "s" | "sec" | "secs" | "second" | "seconds" => 1,
        "m" | "min" | "mins" | "minute" | "minutes" => 60,
        "h" | "hr" | "hrs" | "hour" | "hours" => 3600,
        "d" | "day" | "days" => 24 * 3600,
        "w" | "wk" | "wks" | "week" | "weeks" => 7 * 24 * 3600,
        "M" | "month" | "months" => 2_630_016,
        "y" | "yr" | "yrs" | "year" | "years" => 31_557_600,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_read_as_pixi_reads_them() {
        for (text, expected) in [
            ("7d", Some(604_800)),
            ("1h30m", Some(5_400)),
            ("1 week", Some(604_800)),
            ("2h 37min 5 s", Some(9_425)),
            ("1month", Some(2_630_016)),
            ("0d", Some(0)),
            ("", None),
            ("7", None),
            ("d", None),
            ("7 moons", None),
            ("2026-11-01", None),
            ("99999999999999999999d", None),
            ("9999999999999999y", None),
        ] {
            assert_eq!(seconds(text), expected, "{text}");
        }
    }
}
