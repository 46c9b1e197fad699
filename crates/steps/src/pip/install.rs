//! The step that installs files with the environment's pip. The image is its root.
//!
//! pip installs exactly these files and nothing else. As usual, it replaces a package that conda has already installed:
//! it removes the files, but the record in `conda-meta` stays.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::Deserialize;
use serde_json::Value;

use super::build_failure;
use super::process;
use crate::child;
use crate::failure::of_pypi;
use crate::install::error::{Error, ErrorKind, Result};
use crate::install::{Mounts, digests, is_web_page_at, messages_about, settle, write_json};
use crate::parallel::try_map;
use crate::untrusted::{self, LONGEST_RECORD};
use condafront_model::pypi_package::normalized;
use condafront_model::visible::unfit;
use condafront_step_spec::args::StepSpec as _;
use condafront_step_spec::facts::{Notice, Subject};
use condafront_step_spec::failure_report::{Culprit, FailureReport};
use condafront_step_spec::pip::{PIP_FACTS_FILE, PipFacts, PipFile, PipInstallSpec};

/// The script that makes pip's result reproducible.
const FINISH: &str = include_str!("finish.py");

/// Runs the subcommand `pip-install` with `args`. pip's output goes to `log`.
///
/// # Errors
/// Files that pip cannot install, with pip's reason.
pub(crate) fn install(
    args: &[String],
    mounts: &Mounts,
    log: &mut dyn Write,
) -> std::result::Result<(), FailureReport> {
    let (spec, files) = PipInstallSpec::from_args(args)?;
    let prefix = Path::new(&spec.prefix);
    let site_packages = prefix.join(&spec.site_packages);
    let start = SystemTime::now();
    let paths = of_pypi(verify(&files, mounts))?;
    let before = installed(&site_packages)?;
    run_pip(&spec, &files, &paths, log)?;
    let mut new = find_new(&site_packages, &mounts.input)?;
    new.sort_by_key(|(index, _)| *index);
    try_map(&new, |position, (index, info)| {
        check_names(info)
            .and_then(|()| finish(prefix, info, files.get(*index)))
            .map_err(|e| {
                let label = files.get(*index).map_or("", |file| &file.label);
                e.in_context(label).of_package(new[position].0)
            })
    })?;
    child::end_others();
    let left_out = settle(prefix, start, spec.ownership())?;
    let is_condas = |info: &str| is_from_conda(prefix, &spec.site_packages, info);
    let mut notices = notices(&new, &before, is_condas);
    // A package's module can run whenever python starts.
    let messages = messages_about("pip", &left_out.iter().collect::<Vec<_>>());
    notices.extend(
        messages
            .into_iter()
            .map(|text| Notice::new(Subject::Contents, text)),
    );
    let facts = PipFacts { notices };
    Ok(write_json(&mounts.facts.join(PIP_FACTS_FILE), &facts)?)
}

/// The only file in the directory `dir`.
pub(super) fn only_file(dir: &Path) -> Result<PathBuf> {
    let mut entries = fs::read_dir(dir).map_err(|e| Error::io("list", dir, e))?;
    let what = match (entries.next(), entries.next()) {
        (Some(entry), None) => {
            return Ok(entry.map_err(|e| Error::io("list", dir, e))?.path());
        }
        (None, _) => "no file",
        (Some(_), Some(_)) => "more than one file",
    };
    Err(Error::new(
        ErrorKind::MissingInput,
        format!("there is {what} in {}", dir.display()),
    ))
}

/// The paths of the files to install; verifies those that nothing else has verified.
pub(super) fn verify(files: &[PipFile], mounts: &Mounts) -> Result<Vec<PathBuf>> {
    try_map(files, |index, file| {
        let path = only_file(&mounts.input.join(index.to_string()))?;
        // A folder of the build context may be among them.
        if path.is_file() && is_web_page_at(&path).unwrap_or(false) {
            let message = format!("{}: the server sent a web page", file.label);
            return Err(Error::new(ErrorKind::WebPage, message).of_package(index));
        }
        // A folder has no hash.
        if (file.md5.is_none() && file.sha256.is_none()) || path.is_dir() {
            return Ok(path);
        }
        digests(&path)?
            .check(&file.label, file.sha256.as_deref(), file.md5.as_deref())
            .map_err(|error| error.of_package(index))?;
        Ok(path)
    })
}

fn run_pip(
    spec: &PipInstallSpec,
    files: &[PipFile],
    paths: &[PathBuf],
    log: &mut dyn Write,
) -> std::result::Result<(), FailureReport> {
    let mut command = process::pip(Path::new(&spec.prefix), spec.pip.as_deref(), "install");
    command
        .args(["--no-deps", "--no-index", "--no-compile"])
        // Even if conda has installed the same version, the lock asks for this file.
        .args(["--force-reinstall", "--no-warn-script-location"])
        .args(paths);
    process::run(command, log).map_err(|output| failure(&output, files, paths))
}

/// pip's own reason, reported at the package that it is about.
fn failure(output: &str, files: &[PipFile], paths: &[PathBuf]) -> FailureReport {
    let full = build_failure::find(output);
    let mut reason = match &full {
        Some(full) => full.reason.clone(),
        None => process::reason(output),
    };
    let culprit = culprit(&reason, files, paths);
    for path in paths {
        // Paths inside the build mean nothing to the user.
        if let Some(dir) = path.parent() {
            let dir = dir.display();
            for place in [format!("file://{dir}/"), format!("{dir}/")] {
                reason = reason.replace(&place, "");
            }
        }
    }
    let what = match culprit.and_then(|index| files.get(index)) {
        Some(file) => file.label.clone(),
        None => "the PyPI packages".to_owned(),
    };
    let mut report = process::failure(&format!("install {what}"), &reason);
    report.culprits = culprit.map(Culprit::Package).into_iter().collect();
    let help = full
        .and_then(|full| full.help)
        .or_else(|| help(&reason).map(str::to_owned));
    report.help = help.or(report.help);
    report
}

fn culprit(reason: &str, files: &[PipFile], paths: &[PathBuf]) -> Option<usize> {
    let names: Vec<String> = paths
        .iter()
        .map(|path| {
            let name = path.file_name().unwrap_or_default();
            name.to_string_lossy().into_owned()
        })
        .collect();
    // The longest one, because it can end with another one's name.
    let named = names.iter().enumerate();
    let named = named.filter(|(_, name)| reason.contains(name.as_str()));
    if let Some((index, _)) = named.max_by_key(|(_, name)| name.len()) {
        return Some(index);
    }
    let words: Vec<String> = reason
        .split(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c)))
        .map(normalized)
        .collect();
    files.iter().position(|file| {
        let name = normalized(file.label.split(' ').next().unwrap_or_default());
        words.contains(&name)
    })
}

fn help(reason: &str) -> Option<&'static str> {
    if reason.contains("not a supported wheel") || reason.contains("requires a different Python") {
        Some(
            "It was built for a different python or platform than the environment's: regenerate the lock file, or use the python that it was built for.",
        )
    } else if reason.contains("No module named pip") {
        Some("The environment's pip does not run: choose another version of pip or python.")
    } else if reason.contains("is invalid") {
        Some(
            "It is not a wheel, or it is damaged: regenerate the lock file, or report it to whoever runs its index.",
        )
    } else if reason.contains("annot uninstall") {
        Some("conda installed it in a way that pip cannot replace: remove one of the two.")
    } else {
        None
    }
}

/// The `.dist-info` folders in `site_packages`, by the normalized names of their distributions.
fn installed(site_packages: &Path) -> Result<BTreeMap<String, PathBuf>> {
    let mut found = BTreeMap::new();
    for info in info_folders(site_packages)? {
        let (name, _) = name_and_version(&info);
        found.insert(normalized(&name), info);
    }
    Ok(found)
}

/// Whether a package of conda has a file in the folder `info` of `site_packages`, as the records in the prefix say: they
/// stay when pip removes the files. A record that cannot be read says nothing.
fn is_from_conda(prefix: &Path, site_packages: &str, info: &str) -> bool {
    #[derive(Deserialize)]
    struct Record {
        files: Vec<String>,
    }
    let folder = format!("{}/{info}/", site_packages.trim_end_matches('/'));
    let entries = fs::read_dir(prefix.join("conda-meta"));
    let mut paths = entries.into_iter().flatten().flatten().map(|it| it.path());
    paths.any(|path| {
        let is_record = path.extension().is_some_and(|suffix| suffix == "json");
        let read = || untrusted::read(&path, LONGEST_RECORD).ok();
        let text = if is_record { read() } else { None };
        let record = text.and_then(|text| serde_json::from_slice::<Record>(&text).ok());
        record.is_some_and(|record| record.files.iter().any(|file| file.starts_with(&folder)))
    })
}

fn info_folders(site_packages: &Path) -> Result<Vec<PathBuf>> {
    let mut folders = Vec::new();
    let entries = match fs::read_dir(site_packages) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(folders),
        Err(e) => return Err(Error::io("list", site_packages, e)),
    };
    for entry in entries {
        let path = entry
            .map_err(|e| Error::io("list", site_packages, e))?
            .path();
        if path.extension().is_some_and(|suffix| suffix == "dist-info") {
            folders.push(path);
        }
    }
    folders.sort();
    Ok(folders)
}

/// The name and version in the name of a `.dist-info` folder.
fn name_and_version(info: &Path) -> (String, String) {
    let stem = info.file_stem().unwrap_or_default().to_string_lossy();
    match stem.split_once('-') {
        Some((name, version)) => (name.to_owned(), version.to_owned()),
        None => (stem.into_owned(), String::new()),
    }
}

/// The `.dist-info` folders of what pip has just installed, each with its file's index: pip records where a package
/// comes from (<https://packaging.python.org/en/latest/specifications/direct-url/>).
fn find_new(site_packages: &Path, input: &Path) -> Result<Vec<(usize, PathBuf)>> {
    let place = format!("file://{}/", input.display());
    let mut new = Vec::new();
    for info in info_folders(site_packages)? {
        let Ok(text) = fs::read(info.join("direct_url.json")) else {
            continue;
        };
        let origin: Value = serde_json::from_slice(&text).unwrap_or_default();
        let index = origin["url"]
            .as_str()
            .and_then(|url| url.strip_prefix(&place)?.split('/').next()?.parse().ok());
        if let Some(index) = index {
            new.push((index, info));
        }
    }
    Ok(new)
}

/// Refuses files and scripts whose names do not fit into a list, or do not show what they are.
fn check_names(info: &Path) -> Result<()> {
    let path = info.join("RECORD");
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(Error::io("read", &path, e)),
    };
    let text = String::from_utf8_lossy(&text);
    // Only a name can have quotes, and only one with a line break leaves them open at the end of a line.
    let is_open = |line: &str| line.matches('"').count() % 2 == 1;
    let mut lines = text.lines();
    let found = lines.find_map(|line| {
        let what = unfit(line).or_else(|| is_open(line).then(|| "a line break".to_owned()))?;
        Some((line.split(',').next().unwrap_or(line).to_owned(), what))
    });
    match found {
        None => Ok(()),
        Some((name, what)) => Err(Error::new(
            ErrorKind::UnsafeArchive,
            format!(
                "the name of its file `{}` contains {what}",
                name.escape_debug()
            ),
        )),
    }
}

/// Finishes one package, in its own process, so that its bytecode does not depend on what else is installed.
fn finish(prefix: &Path, info: &Path, file: Option<&PipFile>) -> Result<()> {
    let mut command = process::python(prefix);
    command
        .args(["-S", "-s", "-B", "-W", "ignore", "-c", FINISH])
        .arg(info);
    if let Some(direct_url) = file.and_then(|file| file.direct_url.as_ref()) {
        command.arg(direct_url.to_json());
    }
    process::run(command, &mut std::io::sink()).map_err(|output| {
        let last = output.trim_end().lines().next_back().unwrap_or_default();
        Error::new(
            ErrorKind::Link,
            format!("python cannot compile what pip installed: {last}"),
        )
    })
}

/// A notice for every package that replaces another one; `is_condas` says whether a `.dist-info` folder is conda's.
fn notices(
    new: &[(usize, PathBuf)],
    before: &BTreeMap<String, PathBuf>,
    is_condas: impl Fn(&str) -> bool,
) -> Vec<Notice> {
    let replaced = new.iter().filter_map(|(index, info)| {
        let (name, version) = name_and_version(info);
        let old = before.get(&normalized(&name))?;
        let folder = old.file_name().unwrap_or_default().to_string_lossy();
        let whose = if is_condas(&folder) { "conda's " } else { "" };
        let (old_name, old_version) = name_and_version(old);
        let message =
            format!("{name} {version} from PyPI replaces {whose}{old_name} {old_version}");
        Some(Notice::new(Subject::Contents, message).of_package(*index))
    });
    replaced.collect()
}

#[cfg(test)]
mod tests;
