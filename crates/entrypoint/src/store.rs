//! Where an image keeps its activation records.
//!
//! ```text
//! /usr/local/share/condafront/default               name of the environment that `Env` activates
//! /usr/local/share/condafront/plain.env             the base image's values of variables that records change
//! /usr/local/share/condafront/envs/<name>/record    one environment's record
//! ```

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use crate::activation::Variables;
use crate::prefix::in_root;
use crate::record::{InvalidRecord, Record};

/// The directory of the records in an image.
pub const DIR: &str = "/usr/local/share/condafront";
/// Below [`DIR`]: the default environment's name.
pub const DEFAULT_FILE: &str = "default";
/// Below [`DIR`]: the plain image's variables.
pub const PLAIN_FILE: &str = "plain.env";
/// Below [`DIR`]: one directory for each environment.
pub const ENVS_DIR: &str = "envs";
/// Below an environment's directory: its record.
pub const RECORD_FILE: &str = "record";

/// The activation records of an image.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    dir: PathBuf,
}

impl Store {
    /// The records of the image at `root`; without records, the store is empty.
    pub(crate) fn open(root: &Path) -> Self {
        Self {
            dir: in_root(root, OsStr::new(DIR)),
        }
    }

    /// The environment that the image config's `Env` activates.
    pub(crate) fn default_name(&self) -> Option<OsString> {
        let name = fs::read(self.dir.join(DEFAULT_FILE)).ok()?;
        let name = name.strip_suffix(b"\n").unwrap_or(&name);
        (!name.is_empty()).then(|| OsString::from_vec(name.to_vec()))
    }

    /// The plain image's values of the variables that records change.
    pub(crate) fn plain(&self) -> Variables {
        fs::read(self.dir.join(PLAIN_FILE))
            .map(|bytes| decode_variables(&bytes))
            .unwrap_or_default()
    }

    /// Names of the environments that have a record, sorted.
    pub(crate) fn names(&self) -> Vec<OsString> {
        let mut names: Vec<OsString> = fs::read_dir(self.dir.join(ENVS_DIR))
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.file_name())
            .collect();
        names.sort();
        names
    }

    /// The record of the environment `name`; `None` if it has none.
    ///
    /// # Errors
    /// A damaged record.
    pub(crate) fn record(&self, name: &OsStr) -> Result<Option<Record>, InvalidRecord> {
        if !is_name(name) {
            return Ok(None);
        }
        let path = self.dir.join(ENVS_DIR).join(name).join(RECORD_FILE);
        match fs::read(path) {
            Ok(bytes) => Record::decode(&bytes).map(Some),
            Err(_) => Ok(None),
        }
    }
}

/// Whether `name` can name an environment: it must be one path component.
fn is_name(name: &OsStr) -> bool {
    !name.is_empty() && name != "." && name != ".." && !name.as_bytes().contains(&b'/')
}

/// Variables as `NAME=VALUE` entries that end in NUL, as in `/proc/<pid>/environ`.
pub fn encode_variables(variables: &Variables) -> Vec<u8> {
    let mut out = Vec::new();
    for (key, value) in variables {
        out.extend_from_slice(key.as_bytes());
        out.push(b'=');
        out.extend_from_slice(value.as_bytes());
        out.push(0);
    }
    out
}

/// Reads the output of [`encode_variables`]; entries without `=` are skipped.
pub fn decode_variables(bytes: &[u8]) -> Variables {
    bytes
        .split(|&byte| byte == 0)
        .filter_map(|entry| {
            let at = entry.iter().position(|&byte| byte == b'=')?;
            let part = |bytes: &[u8]| OsString::from_vec(bytes.to_vec());
            Some((part(&entry[..at]), part(&entry[at + 1..])))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_decoded_as_encoded() {
        let vars = Variables::from([
            ("A".into(), "x=y\nz".into()),
            ("B".into(), "".into()),
            ("C".into(), OsString::from_vec(vec![0xff])),
        ]);
        assert_eq!(decode_variables(&encode_variables(&vars)), vars);
        assert!(decode_variables(b"").is_empty());
    }

    #[test]
    fn a_name_is_one_component() {
        assert!(is_name(OsStr::new("base")));
        for name in ["", ".", "..", "a/b", "/opt/conda"] {
            assert!(!is_name(OsStr::new(name)), "{name}");
        }
    }
}
