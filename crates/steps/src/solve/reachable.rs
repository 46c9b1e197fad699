//! The records that a request can reach, as a file: what one step finds, and the solve chooses from.
//!
//! The file contains only these records. So the solve's input does not depend on what else a channel's repodata has, or on
//! its order.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use rattler_conda_types::{PackageName, RepoDataRecord};
use serde_json::value::RawValue;

use crate::install::error::{Error, Result};
use crate::install::write_json;
use condafront_step_spec::solve::RECORDS_FILE;

/// The reachable records of a repodata file, by package name. They are parsed when their name comes up.
pub(super) struct Reachable(BTreeMap<String, Box<RawValue>>);

impl Reachable {
    /// Reads what [`write`] has written.
    pub(super) fn parse(json: &[u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(json).map(Self)
    }

    /// The records of all packages with this name.
    pub(super) fn records(&self, name: &PackageName) -> io::Result<Vec<RepoDataRecord>> {
        match self.0.get(name.as_normalized()) {
            Some(json) => Ok(serde_json::from_str(json.get())?),
            None => Ok(Vec::new()),
        }
    }

    /// The names of all packages, sorted.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

/// Writes records into `folder`. Those of one name keep their order, which is that of their files' names.
pub(super) fn write(records: Vec<RepoDataRecord>, folder: &Path) -> Result<()> {
    let mut by_name: BTreeMap<String, Vec<RepoDataRecord>> = BTreeMap::new();
    for record in records {
        let name = record.package_record.name.as_normalized().to_owned();
        by_name.entry(name).or_default().push(record);
    }
    fs::create_dir_all(folder).map_err(|error| Error::io("create", folder, error))?;
    write_json(&folder.join(RECORDS_FILE), &by_name)
}
