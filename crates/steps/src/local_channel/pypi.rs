//! The step that makes the folder of PyPI packages, with an index as pip reads it
//! (<https://packaging.python.org/en/latest/specifications/simple-repository-api/>).

use std::collections::{BTreeMap, BTreeSet};

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::files::{copy, normalize_folders, write};
use crate::failure::of_pypi;
use crate::install::error::Result;
use crate::install::{Mounts, digests};
use crate::parallel::try_map;
use condafront_step_spec::args::StepSpec as _;
use condafront_step_spec::channel_folder::PYPI_INDEX;
use condafront_step_spec::failure_report::FailureReport;
use condafront_step_spec::local_channel::{PypiFile, PypiSpec};

/// What must be encoded in a link, in an HTML attribute.
const ENCODED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'&')
    .add(b'<')
    .add(b'>')
    .add(b'?');

/// Runs the subcommand `channel-pypi` with the arguments `args`.
///
/// # Errors
/// A file that is not the expected one.
pub fn pypi(args: &[String], mounts: &Mounts) -> std::result::Result<(), FailureReport> {
    let (_, files) = PypiSpec::from_args(args)?;
    of_pypi(make(&files, mounts))
}

fn make(files: &[PypiFile], mounts: &Mounts) -> Result<()> {
    let hashes = try_map(files, |index, file| {
        let from = mounts.input.join(index.to_string()).join(&file.file);
        let found = digests(&from)?;
        found
            .check(&file.label, None, file.md5.as_deref())
            .map_err(|error| error.of_package(index))?;
        copy(&from, &mounts.output.join(&file.path), &found)?;
        Ok(found.sha256)
    })?;
    let mut links: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for (file, hash) in files.iter().zip(hashes) {
        let link = link(&format!("../../../{}", file.path), &hash, &file.file);
        links.entry(&file.name).or_default().insert(link);
    }
    let index = mounts.output.join(PYPI_INDEX);
    for (name, links) in &links {
        let page = page(links.iter().map(String::as_str));
        write(&index.join(name).join("index.html"), page.as_bytes())?;
    }
    let names: Vec<String> = links
        .keys()
        .map(|name| format!("<a href=\"{name}/\">{name}</a>"))
        .collect();
    let page = page(names.iter().map(String::as_str));
    write(&index.join("index.html"), page.as_bytes())?;
    normalize_folders(&mounts.output)
}

fn link(path: &str, sha256: &str, text: &str) -> String {
    let path = utf8_percent_encode(path, ENCODED);
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    format!("<a href=\"{path}#sha256={sha256}\">{text}</a>")
}

fn page<'a>(links: impl Iterator<Item = &'a str>) -> String {
    let links: String = links.map(|link| format!("{link}<br>\n")).collect();
    format!("<!DOCTYPE html>\n<html><body>\n{links}</body></html>\n")
}
