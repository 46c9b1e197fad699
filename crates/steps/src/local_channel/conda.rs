//! The step that makes one subdir of a channel.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::archive;
use super::files::{copy, normalize_folders, write};
use crate::install::error::{Error, ErrorKind, Result};
use crate::install::{Digests, Mounts, digests};
use crate::parallel::try_map;
use crate::solve;
use condafront_step_spec::args::StepSpec as _;
use condafront_step_spec::failure_report::FailureReport;
use condafront_step_spec::local_channel::{Archive, CondaSpec};

/// The compression level of the list, the same as on channels.
const LEVEL: i32 = 19;

/// One record of a list, with its fields sorted.
type Record = BTreeMap<String, Value>;

/// Runs the subcommand `channel-conda` with the arguments `args`; the channel's own list is in `lists`.
///
/// # Errors
/// An archive that is not the expected one, or that does not describe its package.
pub fn conda(
    args: &[String],
    mounts: &Mounts,
    lists: &Path,
) -> std::result::Result<(), FailureReport> {
    let (spec, archives) = CondaSpec::from_args(args)?;
    Ok(make(&spec, &archives, mounts, lists)?)
}

fn make(spec: &CondaSpec, archives: &[Archive], mounts: &Mounts, lists: &Path) -> Result<()> {
    let known = match &spec.list {
        Some(list) => known(&lists.join(list), spec, archives)?,
        None => BTreeMap::new(),
    };
    let folder = mounts.output.join(&spec.folder);
    let records = try_map(archives, |index, archive| {
        let from = mounts.input.join(index.to_string()).join(&archive.file);
        let found = digests(&from)?;
        let record = record(spec, archive, &from, &found, known.get(&archive.file))
            .map_err(|error| error.of_package(index))?;
        copy(&from, &folder.join(&archive.file), &found)?;
        Ok(record)
    })?;
    let mut old = BTreeMap::new();
    let mut new = BTreeMap::new();
    for (archive, record) in archives.iter().zip(records) {
        let list = if archive.file.ends_with(".conda") {
            &mut new
        } else {
            &mut old
        };
        list.insert(&archive.file, record);
    }
    let list = json!({
        "info": {"subdir": spec.subdir},
        "packages": old,
        "packages.conda": new,
        "removed": [],
        "repodata_version": 1,
    });
    let text = format!("{list:#}\n");
    let compressed = zstd::encode_all(text.as_bytes(), LEVEL)
        .map_err(|error| Error::io("compress", Path::new("repodata.json"), error))?;
    write(&folder.join("repodata.json"), text.as_bytes())?;
    write(&folder.join("repodata.json.zst"), &compressed)?;
    normalize_folders(&mounts.output)
}

/// The channel's own records of the archives, by file name.
fn known(list: &Path, spec: &CondaSpec, archives: &[Archive]) -> Result<BTreeMap<String, Record>> {
    let names = archives.iter().map(|archive| archive.name.as_str());
    let records = solve::read_records(list, &spec.subdir, names).map_err(|fault| {
        Error::new(
            ErrorKind::BadMetadata,
            format!("the channel's list of packages {fault}"),
        )
        .caused_by(fault)
    })?;
    Ok(records
        .into_iter()
        .map(|(file, record)| (file, record.into_iter().collect()))
        .collect())
}

/// The record of the archive at `path`, after checking that it is the expected one.
fn record(
    spec: &CondaSpec,
    wanted: &Archive,
    path: &Path,
    found: &Digests,
    known: Option<&Record>,
) -> Result<Record> {
    found.check(&wanted.label, None, wanted.md5.as_deref())?;
    let is_same =
        |record: &&Record| record.get("sha256").and_then(Value::as_str) == Some(&found.sha256);
    let mut record = match known.filter(is_same) {
        Some(known) => known.clone(),
        None => {
            let index: Map<String, Value> =
                archive::index(path).map_err(|error| error.in_context(&wanted.label))?;
            index.into_iter().collect()
        }
    };
    record.insert("md5".to_owned(), found.md5.clone().into());
    record.insert("sha256".to_owned(), found.sha256.clone().into());
    record.insert("size".to_owned(), found.size.into());
    record.insert("subdir".to_owned(), spec.subdir.clone().into());
    Ok(record)
}
