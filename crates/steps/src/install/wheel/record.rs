//! `RECORD`: the list of a package's files with their hashes
//! (<https://packaging.python.org/en/latest/specifications/recording-installed-packages/>).

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha384, Sha512};

use super::super::entry::{Entries, EntryKind, MOST_FILES, relative_path, shown};
use super::super::error::Result;
use super::super::hashing;
use super::metadata::{bad, too_many};
use crate::headers::lines;

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Row {
    pub(super) path: String,
    /// `sha256=<base64>`, or empty.
    pub(super) hash: String,
    /// In bytes, or empty.
    pub(super) size: String,
}

impl Row {
    /// A file without a hash: the list itself, and what can be made again.
    pub(super) fn bare(path: String) -> Self {
        Self {
            path,
            hash: String::new(),
            size: String::new(),
        }
    }

    /// A file whose content has this sha256.
    pub(super) fn hashed(path: String, sha256: &[u8], size: u64) -> Self {
        Self {
            path,
            hash: sha256_text(sha256),
            size: size.to_string(),
        }
    }
}

/// A sha256 as the list has it.
fn sha256_text(sha256: &[u8]) -> String {
    format!("sha256={}", URL_SAFE_NO_PAD.encode(sha256))
}

/// The lines of a list, which are read as pip does: each is one row. Paths are in their shortest form, except for those of
/// folders.
///
/// # Errors
/// More lines than any package has files.
pub(super) fn read(text: &str) -> Result<Vec<Row>> {
    let rows = || lines(text).filter(|line| !line.trim().is_empty());
    if rows().count() as u64 > MOST_FILES {
        return Err(too_many("RECORD", "files"));
    }
    let rows = rows().map(|line| {
        let mut fields = fields(line).into_iter();
        let mut next = || fields.next().unwrap_or_default();
        let path = next();
        let clean = relative_path(path.as_bytes()).ok();
        let clean = clean.filter(|_| !path.ends_with('/'));
        Row {
            path: clean.unwrap_or(path),
            hash: next(),
            size: next(),
        }
    });
    Ok(rows.collect())
}

/// The fields of a line of comma-separated values, some of them in quotes.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut is_quoted = false;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        let Some(field) = fields.last_mut() else {
            continue;
        };
        match c {
            '"' if is_quoted && chars.peek() == Some(&'"') => {
                chars.next();
                field.push('"');
            }
            '"' if is_quoted || field.is_empty() => is_quoted = !is_quoted,
            ',' if !is_quoted => fields.push(String::new()),
            other => field.push(other),
        }
    }
    fields
}

/// The list with these rows, as pip writes it.
pub(super) fn write(rows: impl IntoIterator<Item = Row>) -> String {
    let rows: BTreeSet<Row> = rows.into_iter().collect();
    let lines = rows.into_iter().map(|row| {
        let fields = [row.path, row.hash, row.size].map(|field| {
            if field.contains([',', '"', '\r', '\n']) {
                format!("\"{}\"", field.replace('"', "\"\""))
            } else {
                field
            }
        });
        format!("{}\r\n", fields.join(","))
    });
    lines.collect()
}

/// The path of a file in the list: `path` relative to `folder`, both relative to the prefix.
pub(super) fn relative(path: &str, folder: &str) -> String {
    let (from, to): (Vec<&str>, Vec<&str>) =
        (folder.split('/').collect(), path.split('/').collect());
    let shared = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let mut parts = vec![".."; from.len() - shared];
    parts.extend(&to[shared..]);
    parts.join("/")
}

/// Checks a wheel's files against its list, as installers must: each must be in it with its hash, and each file in it must
/// be there. `own` is the path of the list itself, which has no hash.
///
/// # Errors
/// The first file that differs.
pub(super) fn check(rows: &[Row], entries: &Entries, dir: &Path, own: &str) -> Result<()> {
    // Signatures of the list.
    let is_exempt = |path: &str| {
        let end = path.strip_prefix(own);
        end.is_some_and(|end| ["", ".jws", ".p7s"].contains(&end))
    };
    let wrong = |path: &str, what: &str| {
        Err(bad(format!(
            "its RECORD does not match: `{}` {what}",
            shown(path)
        )))
    };
    let listed: BTreeMap<&str, &Row> = rows.iter().map(|row| (row.path.as_str(), row)).collect();
    for path in listed.keys() {
        if !entries.contains_key(*path) && !is_exempt(path) && !path.ends_with('/') {
            return wrong(path, "is listed, but missing");
        }
    }
    for (path, entry) in entries {
        if is_exempt(path) {
            continue;
        }
        let EntryKind::File { sha256, .. } = &entry.kind else {
            return wrong(path, "is not a file");
        };
        let Some(row) = listed.get(path.as_str()) else {
            return wrong(path, "is not listed");
        };
        let found = match row.hash.split_once('=') {
            Some(("sha256", _)) => sha256_text(sha256),
            Some(("sha384", _)) => hash::<Sha384>("sha384", &dir.join(path))?,
            Some(("sha512", _)) => hash::<Sha512>("sha512", &dir.join(path))?,
            None if row.hash.is_empty() => return wrong(path, "has no hash"),
            Some(("md5" | "sha1" | "sha224", _)) => return wrong(path, "has only a weak hash"),
            _ => return wrong(path, "has no hash by sha256, sha384 or sha512"),
        };
        if row.hash.trim_end_matches('=') != found {
            return wrong(path, "has other content");
        }
    }
    Ok(())
}

/// The hash of a file as the list has it, by an algorithm that wheels hardly ever use.
fn hash<D: Digest>(name: &str, path: &Path) -> Result<String> {
    let mut digest = D::new();
    hashing::read(path, |bytes| digest.update(bytes))?;
    let hash = URL_SAFE_NO_PAD.encode(digest.finalize());
    Ok(format!("{name}={hash}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::install::entry::Entry;
    use sha2::Sha256;

    #[test]
    fn lines_are_read_and_written_as_pip_does() {
        let text = "b.py,sha256=x,3\r\n\"a, \"\"b\"\".py\",,\r\n\r\na.dist-info/RECORD,,\r\n";
        let rows = read(text).unwrap();
        let paths: Vec<&str> = rows.iter().map(|row| row.path.as_str()).collect();
        assert_eq!(paths, ["b.py", "a, \"b\".py", "a.dist-info/RECORD"]);
        assert_eq!(
            write(rows),
            "\"a, \"\"b\"\".py\",,\r\na.dist-info/RECORD,,\r\nb.py,sha256=x,3\r\n"
        );
        let bare = |path: &str| Row::bare(path.to_owned());
        assert_eq!(
            read("./a//b.py\rc/\r").unwrap(),
            [bare("a/b.py"), bare("c/")]
        );
        assert_eq!(read("../a\n").unwrap(), [bare("../a")]);
    }

    #[test]
    fn paths_are_relative_to_the_modules() {
        let site = "lib/python3.13/site-packages";
        for (path, expected) in [
            ("lib/python3.13/site-packages/a/b.py", "a/b.py"),
            ("bin/run", "../../../bin/run"),
            ("lib/python3.13/x", "../x"),
            ("lib/x", "../../x"),
            ("x", "../../../x"),
        ] {
            assert_eq!(relative(path, site), expected);
        }
    }

    #[test]
    fn every_file_must_be_listed_with_its_hash() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("a.py"), "content").unwrap();
        let sha256: [u8; 32] = Sha256::digest("content").into();
        let kind = EntryKind::File {
            mode: 0o644,
            sha256,
        };
        let entry = Entry { kind, mtime: 0 };
        let own = "a-1.dist-info/RECORD";
        let entries: Entries = ["a.py", own, "a-1.dist-info/RECORD.jws"]
            .map(|path| (path.to_owned(), entry.clone()))
            .into();
        let check = |rows: &str| {
            let rows = read(&format!("{rows}\n{own},,\n")).unwrap();
            super::check(&rows, &entries, dir.path(), own).map_err(|error| error.to_string())
        };
        let good = sha256_text(&sha256);
        let long = format!(
            "sha512={}",
            URL_SAFE_NO_PAD.encode(Sha512::digest("content"))
        );
        for row in [
            format!("a.py,{good},7"),
            format!("a.py,{good}=,"),
            format!("a.py,{long},7"),
            format!("a.py,{good},7\nfolder/,,"),
        ] {
            assert_eq!(check(&row), Ok(()), "{row}");
        }
        let mut messages = String::new();
        for row in [
            String::new(),
            "a.py,,".to_owned(),
            "a.py,md5=x,7".to_owned(),
            "a.py,blake2b=x,7".to_owned(),
            format!("a.py, {good}, 7"),
            "a.py,sha256=x,7".to_owned(),
            format!("a.py,{good},7\nb.py,{good},7"),
        ] {
            messages += &format!("{}\n", check(&row).unwrap_err());
        }
        insta::assert_snapshot!(messages, @r"
        its RECORD does not match: `a.py` is not listed
        its RECORD does not match: `a.py` has no hash
        its RECORD does not match: `a.py` has only a weak hash
        its RECORD does not match: `a.py` has no hash by sha256, sha384 or sha512
        its RECORD does not match: `a.py` has no hash by sha256, sha384 or sha512
        its RECORD does not match: `a.py` has other content
        its RECORD does not match: `b.py` is listed, but missing
        ");
    }
}
