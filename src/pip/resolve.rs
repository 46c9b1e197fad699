//! The step that asks pip what it would install, with network, in the image's own root.

use std::fs;
use std::io::Write;
use std::path::Path;

use super::process;
use super::report;
use super::requirements;
use super::spec::{PIP_RESOLVED_FILE, PipResolveSpec};
use crate::failure_report::{Culprit, FailureReport};
use crate::install::args::StepSpec as _;
use crate::install::{Mounts, write_json};

/// Where the list is for pip to read, and its report.
const LIST: &str = "requirements.txt";
const REPORT: &str = "report.json";

/// Runs the subcommand `pip-resolve`; `args` are what follows it, files for pip go to `work`. What pip prints goes to
/// `log`.
///
/// # Errors
/// A list that pip cannot resolve, with its reason.
pub fn resolve(
    args: &[String],
    mounts: &Mounts,
    work: &Path,
    log: &mut dyn Write,
) -> Result<(), FailureReport> {
    let (spec, list) = PipResolveSpec::from_args(args)?;
    let (list_path, report_path) = (work.join(LIST), work.join(REPORT));
    fs::create_dir_all(work)?;
    fs::write(
        &list_path,
        list.iter()
            .map(|text| format!("{text}\n"))
            .collect::<String>(),
    )?;
    let mut command = process::pip(Path::new(&spec.prefix), None, "install");
    command
        .args(["--dry-run", "--report"])
        .arg(&report_path)
        .arg("--requirement")
        .arg(&list_path);
    process::with_network(&mut command);
    process::run(command, log).map_err(|output| failure(&output, &list, &list_path))?;
    let resolved = report::read(&fs::read(&report_path)?).map_err(FailureReport::new)?;
    Ok(write_json(
        &mounts.facts.join(PIP_RESOLVED_FILE),
        &resolved,
    )?)
}

/// pip's own reason, at the entry that it is about.
fn failure(output: &str, list: &[String], list_path: &Path) -> FailureReport {
    if output.contains("no such option: --dry-run") || output.contains("no such option: --report") {
        return FailureReport {
            message: "the environment's pip is too old to say what it would install".to_owned(),
            help: Some("Ask for pip>=22.2 in the dependencies.".to_owned()),
            culprits: Vec::new(),
        };
    }
    let number = line_number(output, &list_path.display().to_string());
    let mut reason = process::reason(output);
    // Where the list is in the build says nothing to anyone.
    let path = list_path.display().to_string();
    reason = without_origins(&reason, &path);
    let named = || {
        let words: Vec<String> = reason
            .split(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c)))
            .map(super::normalized)
            .collect();
        list.iter().position(|text| {
            requirements::name(text.trim()).is_some_and(|name| words.contains(&name))
        })
    };
    let culprit = number
        .and_then(|number| entry_of_line(list, number))
        .or_else(named);
    let mut report = process::failure("find the PyPI packages", &reason);
    report.culprits = culprit.map(Culprit::Package).into_iter().collect();
    report.help = help(output).map(str::to_owned);
    report
}

/// The line of the list that pip's first error names: `(from -r <path> (line 2))`, `(from line 2 of <path>)`.
fn line_number(output: &str, path: &str) -> Option<usize> {
    let mut errors = output.lines().filter(|line| line.contains("ERROR: "));
    errors.find_map(|line| {
        let (before, after) = line.split_once(path)?;
        let digits = match after.strip_prefix(" (line ") {
            Some(after) => after.split(')').next()?,
            None => before.strip_suffix(" of ")?.rsplit(' ').next()?,
        };
        digits.parse().ok()
    })
}

/// `text` without the parentheses that name the file `path`: `(from flask->-r <path> (line 2))`.
fn without_origins(text: &str, path: &str) -> String {
    let mut rest = text;
    let mut short = String::new();
    while let Some(at) = rest.find(path) {
        let start = rest[..at].rfind(" (from ").unwrap_or(at);
        short.push_str(&rest[..start]);
        let after = &rest[at + path.len()..];
        let nested = after.starts_with(" (line ");
        rest = match (nested, after.find(')')) {
            (true, Some(end)) => after[end + 1..]
                .strip_prefix(')')
                .unwrap_or(&after[end + 1..]),
            (false, Some(0)) => &after[1..],
            _ => after,
        };
    }
    short + rest
}

/// The entry that stands in line `number` of the list, counted from 1: an entry may have several lines.
fn entry_of_line(list: &[String], number: usize) -> Option<usize> {
    let mut last = 0;
    list.iter().position(|text| {
        last += text.matches('\n').count() + 1;
        number <= last
    })
}

fn help(output: &str) -> Option<&'static str> {
    if output.contains("connection broken by") || output.contains("Could not fetch URL") {
        Some(
            "pip could not reach its index. Does the build have the network (docker build --network), and does it need a proxy (--build-arg HTTPS_PROXY=…) or another index (--build-arg PIP_INDEX_URL=…)?",
        )
    } else if output.contains("conflicting dependencies") {
        Some("Ask for versions that go together, or leave them to pip.")
    } else if output.contains("No matching distribution found") {
        Some(
            "Is the name right, and does the index have a version for the environment's python? conda's and PyPI's names of a package may differ.",
        )
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_pip_says_is_short_and_about_an_entry() {
        let list = ["--pre", "Flask>=3", "no_such==9\n", "six ==="].map(str::to_owned);
        let path = Path::new("/tmp/pip/requirements.txt");
        let outputs = [
            "Collecting flask\nERROR: Could not find a version that satisfies the requirement no-such==9 (from versions: none)\nERROR: No matching distribution found for no-such==9\n",
            "ERROR: Invalid requirement: 'six ===': Expected end or semicolon (from line 5 of /tmp/pip/requirements.txt)\n",
            "ERROR: Could not find a version that satisfies the requirement a>5 (from flask->-r /tmp/pip/requirements.txt (line 2)) (from versions: 1.0)\nERROR: No matching distribution found for a>5\n",
            "ERROR: Cannot install flask==3.0 and werkzeug==1 because these package versions have conflicting dependencies.\n\nThe conflict is caused by:\n    The user requested werkzeug==1\n    flask 3.0 depends on werkzeug>=3\n\nTo fix this you could try to:\n1. loosen\n\nERROR: ResolutionImpossible: for help visit https://pip.pypa.io/\n",
            "WARNING: Retrying (Retry(total=0, connect=None)) after connection broken by 'NewConnectionError()': /simple/flask/\nERROR: Could not find a version that satisfies the requirement flask (from versions: none)\nERROR: No matching distribution found for flask\n",
            "Usage:\n  pip install [options]\n\nno such option: --dry-run\n",
        ];
        let mut all = String::new();
        for output in outputs {
            let report = failure(output, &list, path);
            all.push_str(&format!("{report}\n  at {:?}\n", report.culprits));
            all.push_str(&format!("  {}\n\n", report.help.unwrap_or_default()));
        }
        insta::assert_snapshot!(all);
    }
}
