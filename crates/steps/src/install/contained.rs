//! The Python distributions that a conda package contains. Databases of vulnerabilities know these, not conda packages.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::placed::Placed;
use crate::headers::value;
use condafront_step_spec::facts::Distribution;

/// How many bytes of a metadata file are read. The name and the version are among the first lines.
const START: u64 = 64 << 10;

/// The distributions whose metadata is among `placed`, sorted. Metadata that does not name one is passed over.
pub(super) fn distributions(prefix: &Path, placed: &[Placed]) -> Vec<Distribution> {
    let metadata = placed
        .iter()
        .filter(|placed| placed.is_own && is_metadata(&placed.path));
    let found = metadata.filter_map(|placed| {
        let file = File::open(prefix.join(&placed.path)).ok()?;
        let mut start = Vec::new();
        file.take(START).read_to_end(&mut start).ok()?;
        distribution(&String::from_utf8_lossy(&start))
    });
    let mut found: Vec<Distribution> = found.collect();
    found.sort();
    found.dedup();
    found
}

/// Whether a path is the metadata of an installed distribution: of a wheel, or of the formats before it.
fn is_metadata(path: &str) -> bool {
    let Some((_, inside)) = path.rsplit_once("site-packages/") else {
        return false;
    };
    match inside.split_once('/') {
        Some((folder, "METADATA")) => folder.ends_with(".dist-info"),
        Some((folder, "PKG-INFO")) => folder.ends_with(".egg-info"),
        Some(_) => false,
        None => inside.ends_with(".egg-info"),
    }
}

/// Reads the headers `Name` and `Version` of core metadata.
pub(crate) fn distribution(text: &str) -> Option<Distribution> {
    let field = |name: &str| {
        let is_word = |c: char| c.is_ascii_alphanumeric() || "._-+!".contains(c);
        value(text, name).filter(|found| !found.is_empty() && found.chars().all(is_word))
    };
    Some(Distribution {
        name: field("Name")?,
        version: field("Version")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_found_where_python_looks() {
        for (path, expected) in [
            ("lib/python3.13/site-packages/a-1.dist-info/METADATA", true),
            ("lib/python3.13/site-packages/a-1.egg-info/PKG-INFO", true),
            ("lib/python3.13/site-packages/a-1-py3.13.egg-info", true),
            ("lib/python3.13/site-packages/a-1.dist-info/RECORD", false),
            (
                "lib/python3.13/site-packages/v/a-1.dist-info/METADATA",
                false,
            ),
            ("share/a-1.dist-info/METADATA", false),
        ] {
            assert_eq!(is_metadata(path), expected, "{path}");
        }
    }

    #[test]
    fn only_names_and_versions_are_believed() {
        let found = distribution(
            "Metadata-Version: 2.4\r\nName: Jinja2\r\nVersion: 3.1.6\r\n\r\nName: text\n",
        );
        let (name, version) = ("Jinja2".to_owned(), "3.1.6".to_owned());
        assert_eq!(found, Some(Distribution { name, version }));
        for text in [
            "",
            "Name: a\n\nVersion: 1\n",
            "Name: a\u{1b}[31m\nVersion: 1\n",
            "Name: a b\nVersion: 1\n",
            "Name: a\nVersion:\n",
        ] {
            assert_eq!(distribution(text), None, "{text:?}");
        }
    }
}
