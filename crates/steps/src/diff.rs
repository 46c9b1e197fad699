//! The diff step: says how the packages of two images differ.

mod budget;
mod changes;
mod conda;
pub(crate) mod fuzzing;
mod inventory;
mod list;
mod markdown;
mod names;
mod pypi;
mod size;
mod system;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;

use crate::install::error::{Error, Result};
use crate::install::{Mounts, write_json};
use crate::root::Root;
use budget::Budget;
use condafront_step_spec::args::StepSpec as _;
use condafront_step_spec::diff::{DIFF_FILE, DIFF_TEXT, DiffImage, DiffReport, DiffSpec, Overview};
use condafront_step_spec::failure_report::FailureReport;
use list::List;

/// How many lines of the report are in the log.
const LOGGED: usize = 500;

/// Runs the step `diff` with the arguments `args`. The start of the report goes to `log`.
///
/// # Errors
/// Invalid arguments, and a report that cannot be written.
pub(crate) fn run(
    args: &[String],
    mounts: &Mounts,
    log: &mut dyn Write,
) -> std::result::Result<(), FailureReport> {
    let (spec, _) = DiffSpec::from_args(args)?;
    let image = |index: &str, image: &DiffImage| listed(&mounts.input.join(index), image);
    let report = report(image("0", &spec.old), image("1", &spec.new));
    let text = markdown::render(&report);
    for line in text.lines().take(LOGGED) {
        writeln!(log, "{line}")?;
    }
    let more = text.lines().count().saturating_sub(LOGGED);
    if more > 0 {
        writeln!(log, "and {more} more lines, which are in {DIFF_TEXT}")?;
    }
    write(&report, &text, mounts)?;
    Ok(())
}

fn write(report: &DiffReport, text: &str, mounts: &Mounts) -> Result<()> {
    write_json(&mounts.output.join(DIFF_FILE), report)?;
    let path = mounts.output.join(DIFF_TEXT);
    fs::write(&path, text).map_err(|e| Error::io("write", &path, e))
}

fn report(old: (Overview, List), new: (Overview, List)) -> DiffReport {
    DiffReport {
        changes: changes::between(old.1, new.1),
        old: old.0,
        new: new.0,
    }
}

/// What the image at `mount` has.
fn listed(mount: &Path, image: &DiffImage) -> (Overview, List) {
    let root = Root::new(mount);
    let mut list = List::default();
    let mut budget = Budget::default();
    for environment in conda::environments(&root, &image.prefixes) {
        let of_conda = conda::add(&root, &environment, &mut budget, &mut list);
        pypi::add(&root, &environment, &of_conda, &mut budget, &mut list);
    }
    let inventory = inventory::read(&root, &image.prefixes);
    let (mut base, mut added) = (None, BTreeMap::new());
    if let Some(found) = inventory {
        base = found.base;
        added = found.system;
        // Records are newer: whatever installs a package later changes them, but not the inventory. A tool that made an
        // image smaller may have removed them.
        if list.is_empty() {
            list = found.packages;
        }
    }
    let system = system::add(&root, added, &mut list);
    let size = size::of(mount);
    if !size.is_whole {
        list.note("Some of its files cannot be read, or are in too many folders: the size is that of the others.");
    }
    let overview = Overview {
        image: image.name.clone(),
        base,
        system,
        bytes: size.bytes,
        packages: list.len(),
        notes: list.take_notes(),
    };
    (overview, list)
}
