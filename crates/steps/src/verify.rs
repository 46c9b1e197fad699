//! The verify step: checks whether an image matches what a file describes.

mod compare;
mod findings;
pub(crate) mod fuzzing;
mod inventory;
mod packages;
mod pair;
mod rules;
mod state;

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::install::{Mounts, write_json};
use crate::root::Root;
use compare::{Comparison, Outside};
use condafront_step_spec::args::StepSpec as _;
use condafront_step_spec::failure_report::FailureReport;
use condafront_step_spec::verify::{Reason, VERIFY_FILE, VerifyReport, VerifySpec};
use findings::{Findings, shown};
use packages::Packages;
use rules::Rules;

/// How many paths are listed.
const MOST: usize = 1000;

/// Runs the step `verify` with the arguments `args`. Every finding goes to `log`.
///
/// # Errors
/// Invalid arguments, and I/O errors. An image that is different is no error.
pub(crate) fn run(
    args: &[String],
    mounts: &Mounts,
    log: &mut dyn Write,
) -> Result<(), FailureReport> {
    let (spec, _) = VerifySpec::from_args(args)?;
    let tree = |index: &str| Tree::at(&mounts.input.join(index), &spec.prefix);
    let report = report(&spec, &tree("0"), &tree("1"))?;
    for finding in &report.findings {
        writeln!(log, "{} {}", finding.path, finding.text)?;
    }
    write_json(&mounts.output.join(VERIFY_FILE), &report)?;
    Ok(())
}

/// A mounted image.
struct Tree {
    root: Root,
    /// Where the prefix is in the image, after following links.
    inside: Option<PathBuf>,
    /// Where it is on this machine.
    dir: PathBuf,
}

impl Tree {
    fn at(mount: &Path, prefix: &str) -> Self {
        let root = Root::new(mount);
        let inside = root.resolve(Path::new(prefix)).ok();
        Self {
            dir: root.outside(inside.as_deref().unwrap_or(Path::new(prefix))),
            inside,
            root,
        }
    }

    /// Where a file is on this machine, without links on the way.
    fn file(&self, path: &str) -> Option<PathBuf> {
        let inside = self.root.resolve_parent(Path::new(path)).ok()?;
        Some(self.root.outside(&inside))
    }
}

fn report(spec: &VerifySpec, expected: &Tree, found: &Tree) -> Result<VerifyReport, FailureReport> {
    let mut findings = Findings::new(MOST);
    let packages = Packages::of(&expected.dir)?;
    let leads_to = |tree: &Tree| {
        tree.inside
            .as_deref()
            .map_or_else(|| "nowhere".to_owned(), shown)
    };
    if found.inside.is_none() || !found.dir.is_dir() {
        let text = "is missing, or not a directory".to_owned();
        findings.add(Path::new(""), Reason::Missing, text);
        return Ok(VerifyReport {
            different: 1,
            findings: findings.list(&spec.prefix, |_| None),
            ..VerifyReport::default()
        });
    }
    let rules = Rules {
        extent: spec.extent,
        packages: &packages,
        expected: &expected.dir,
        found: &found.dir,
    };
    if rules.needs_place() && expected.inside != found.inside {
        let text = format!(
            "is at {} instead of {}",
            leads_to(found),
            leads_to(expected)
        );
        findings.add(Path::new(""), Reason::Link, text);
    }
    let outside = spec.files.iter().filter_map(|path| {
        Some(Outside {
            path: path.into(),
            ours: expected.file(path)?,
            theirs: found.file(path),
        })
    });
    let (findings, report) = Comparison::of(&rules, outside.collect(), findings)?;
    Ok(VerifyReport {
        packages: packages.len(),
        different: findings.count(),
        findings: findings.list(&spec.prefix, |path| packages.owner(path)),
        ..report
    })
}

#[cfg(test)]
mod tests;
