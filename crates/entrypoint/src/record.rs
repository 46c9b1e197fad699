//! The record of one environment's activation.
//!
//! It is encoded as entries that end in NUL, and the first byte of an entry is its kind. Values of
//! environment variables cannot contain a NUL, so nothing needs escaping.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// The first entry of an encoded record.
const VERSION: &[u8] = b"condafront-activation-1";

/// What activation does to one environment variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The variable gets this value.
    Set(OsString, OsString),
    /// The variable is removed.
    Unset(OsString),
}

impl Change {
    /// The variable's name.
    pub fn key(&self) -> &OsStr {
        match self {
            Self::Set(key, _) | Self::Unset(key) => key,
        }
    }

    /// The variable's value after activation; `None` if activation removes it.
    pub fn value(&self) -> Option<&OsStr> {
        match self {
            Self::Set(_, value) => Some(value),
            Self::Unset(_) => None,
        }
    }
}

/// Where a package's activation script must still be sourced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScriptUse {
    /// Nowhere: the record's changes have all that it does.
    Recorded,
    /// In interactive shells: it defines functions, aliases or completions.
    Shells,
    /// When a container starts, and in interactive shells: what it sets depends on the run.
    Start,
}

/// A file of the environment's `etc/conda/activate.d`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// File name, without the directory.
    pub file: OsString,
    /// Where it is sourced.
    pub used: ScriptUse,
}

/// One environment's activation, relative to the plain base image.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record {
    /// The environment's directory, absolute.
    pub prefix: OsString,
    /// Changes to variables; each variable at most once.
    pub changes: Vec<Change>,
    /// Every activation script that existed when the record was made.
    pub scripts: Vec<Script>,
}

/// The bytes are not a valid record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct InvalidRecord;

impl fmt::Display for InvalidRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an activation record of this version of condafront")
    }
}

impl std::error::Error for InvalidRecord {}

impl Record {
    /// The change to one variable, if activation changes it.
    pub fn change(&self, key: &OsStr) -> Option<&Change> {
        self.changes.iter().find(|change| change.key() == key)
    }

    /// The record as bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let mut entry = |parts: &[&[u8]]| {
            for part in parts {
                out.extend_from_slice(part);
            }
            out.push(0);
        };
        entry(&[VERSION]);
        entry(&[b"p", self.prefix.as_bytes()]);
        for change in &self.changes {
            match change {
                Change::Set(key, value) => entry(&[b"s", key.as_bytes(), b"=", value.as_bytes()]),
                Change::Unset(key) => entry(&[b"u", key.as_bytes()]),
            }
        }
        for script in &self.scripts {
            let kind: &[u8] = match script.used {
                ScriptUse::Recorded => b"r",
                ScriptUse::Shells => b"i",
                ScriptUse::Start => b"d",
            };
            entry(&[kind, script.file.as_bytes()]);
        }
        out
    }

    /// Reads the output of [`encode`](Self::encode).
    ///
    /// # Errors
    /// Another version, an unknown kind of entry, a missing prefix or a missing final NUL.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, InvalidRecord> {
        let body = bytes.strip_suffix(b"\0").ok_or(InvalidRecord)?;
        let mut entries = body.split(|&byte| byte == 0);
        if entries.next() != Some(VERSION) {
            return Err(InvalidRecord);
        }
        let mut record = Self::default();
        for entry in entries {
            let (kind, rest) = entry.split_first().ok_or(InvalidRecord)?;
            let script = |used| Script {
                file: os(rest),
                used,
            };
            match kind {
                b'p' => record.prefix = os(rest),
                b's' => {
                    let at = rest
                        .iter()
                        .position(|&byte| byte == b'=')
                        .ok_or(InvalidRecord)?;
                    let change = Change::Set(os(&rest[..at]), os(&rest[at + 1..]));
                    record.changes.push(change);
                }
                b'u' => record.changes.push(Change::Unset(os(rest))),
                b'r' => record.scripts.push(script(ScriptUse::Recorded)),
                b'i' => record.scripts.push(script(ScriptUse::Shells)),
                b'd' => record.scripts.push(script(ScriptUse::Start)),
                _ => return Err(InvalidRecord),
            }
        }
        if record.prefix.is_empty() {
            return Err(InvalidRecord);
        }
        Ok(record)
    }
}

fn os(bytes: &[u8]) -> OsString {
    OsString::from_vec(bytes.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Record {
        Record {
            prefix: "/opt/conda".into(),
            changes: vec![
                Change::Set("A".into(), "x=y\nz".into()),
                Change::Set("EMPTY".into(), "".into()),
                Change::Set("RAW".into(), os(b"\xff\xfe")),
                Change::Unset("GONE".into()),
            ],
            scripts: vec![
                Script {
                    file: "a.sh".into(),
                    used: ScriptUse::Recorded,
                },
                Script {
                    file: "b b.sh".into(),
                    used: ScriptUse::Start,
                },
                Script {
                    file: "c.sh".into(),
                    used: ScriptUse::Shells,
                },
            ],
        }
    }

    #[test]
    fn decoding_gives_back_what_was_encoded() {
        assert_eq!(Record::decode(&sample().encode()), Ok(sample()));
    }

    #[test]
    fn damaged_records_are_refused() {
        let whole = sample().encode();
        assert_eq!(
            Record::decode(&whole[..whole.len() - 1]),
            Err(InvalidRecord)
        );
        assert_eq!(Record::decode(b""), Err(InvalidRecord));
        assert_eq!(
            Record::decode(b"condafront-activation-1\0"),
            Err(InvalidRecord)
        );
        assert_eq!(
            Record::decode(b"condafront-activation-2\0p/opt/conda\0"),
            Err(InvalidRecord)
        );
        assert_eq!(
            Record::decode(b"condafront-activation-1\0p/opt/conda\0sNAME\0"),
            Err(InvalidRecord)
        );
    }

    #[test]
    fn a_change_is_found_by_its_variable() {
        let record = sample();
        assert_eq!(
            record.change(OsStr::new("EMPTY")).and_then(Change::value),
            Some(OsStr::new(""))
        );
        assert_eq!(
            record.change(OsStr::new("GONE")),
            Some(&Change::Unset("GONE".into()))
        );
        assert_eq!(record.change(OsStr::new("A=x")), None);
    }
}
