//! The Python distributions in a conda package: pip takes them into account when it resolves requirements, and removes them
//! before it installs others of the same names.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;

use super::error::{Error, Result};
use crate::headers;
use condafront_model::pypi_package::normalized;

/// The headers that decide how requirements are resolved
/// (<https://packaging.python.org/en/latest/specifications/core-metadata/>).
const HEADERS: [&str; 6] = [
    "Metadata-Version",
    "Name",
    "Version",
    "Requires-Python",
    "Requires-Dist",
    "Provides-Extra",
];

/// The most bytes of metadata that are read; headers come first.
const MOST: u64 = 1 << 20;

/// The normalized names of the distributions that have metadata among `paths`, which are relative to the prefix.
pub(crate) fn of<'a>(paths: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
    paths.filter_map(name).collect()
}

/// The headers that pip needs to resolve requirements, of each `METADATA` among `paths` in the prefix `dir`.
///
/// # Errors
/// An I/O error.
pub(crate) fn metadata<'a>(
    paths: impl Iterator<Item = &'a str>,
    dir: &Path,
) -> Result<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    for path in paths {
        let file = dir.join(path);
        if is_core_metadata(path)
            && fs::symlink_metadata(&file).is_ok_and(|status| status.is_file())
        {
            let mut text = Vec::new();
            File::open(&file)
                .and_then(|file| file.take(MOST).read_to_end(&mut text))
                .map_err(|e| Error::io("read", &file, e))?;
            found.insert(path.to_owned(), deciding(&String::from_utf8_lossy(&text)));
        }
    }
    Ok(found)
}

/// Whether there is the core metadata of a distribution at `path`.
pub(crate) fn is_core_metadata(path: &str) -> bool {
    let inside = site_packages(path).and_then(|(_, inside)| inside.split_once('/'));
    inside.is_some_and(|(folder, file)| folder.ends_with(".dist-info") && file == "METADATA")
}

/// Whether python runs what is at `path` whenever it starts (<https://docs.python.org/3/library/site.html>).
pub(crate) fn starts_with_python(path: &str) -> bool {
    let Some((_, inside)) = site_packages(path) else {
        return false;
    };
    let names = ["sitecustomize", "usercustomize"];
    let first = inside.split(['/', '.']).next().unwrap_or_default();
    names.contains(&first) || (inside.ends_with(".pth") && !inside.contains('/'))
}

/// The headers of [`HEADERS`] in `text`.
fn deciding(text: &str) -> String {
    let is_kept = |name: &str| HEADERS.iter().any(|it| it.eq_ignore_ascii_case(name));
    let headers = headers::headers(text).into_iter();
    let kept = headers.filter(|header| is_kept(header.name));
    let lines = kept.flat_map(|header| header.lines);
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// The path of the folder with modules, and the path in it.
fn site_packages(path: &str) -> Option<(&str, &str)> {
    let (before, inside) = path.split_once("/site-packages/")?;
    before.starts_with("lib/python").then_some((before, inside))
}

fn name(path: &str) -> Option<String> {
    let (_, inside) = site_packages(path)?;
    let top = inside.split('/').next()?;
    let ends = [".dist-info", ".egg-info"];
    let stem = ends.iter().find_map(|end| top.strip_suffix(end))?;
    let name = stem.split('-').next().unwrap_or(stem);
    Some(normalized(name)).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_names_the_distribution() {
        let paths = [
            "lib/python3.13/site-packages/Jinja2-3.1.6.dist-info/METADATA",
            "lib/python3.13/site-packages/zope.interface-7.0-py3.13.egg-info/PKG-INFO",
            "lib/python3.13t/site-packages/old_style.egg-info",
            "lib/python3.13/site-packages/pip/_vendor/x-1.dist-info/METADATA",
            "share/site-packages/other-1.dist-info/METADATA",
            "lib/python3.13/site-packages/module.py",
        ];
        let found: Vec<String> = of(paths.into_iter()).into_iter().collect();
        assert_eq!(found, ["jinja2", "old-style", "zope-interface"]);
    }

    #[test]
    fn only_what_decides_about_requirements_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = "lib/python3.13/site-packages/a-1.dist-info/METADATA";
        let file = dir.path().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        let text = "Metadata-Version: 2.1\nName: a\nVersion: 1\nSummary: long\n Requires-Dist: no\nRequires-Dist: b>=2;\n  extra == 'x'\nLicense: c\nfree text\nRequires-Dist: text\n";
        fs::write(&file, text).unwrap();
        let paths = [path, "lib/python3.13/site-packages/b.egg-info", "bin/a"];
        let found = metadata(paths.into_iter(), dir.path()).unwrap();
        assert_eq!(
            found[path],
            "Metadata-Version: 2.1\nName: a\nVersion: 1\nRequires-Dist: b>=2;\n  extra == 'x'\n"
        );
        assert_eq!(found.len(), 1);
    }

    #[test]
    fn some_modules_run_whenever_python_starts() {
        for (path, expected) in [
            ("lib/python3.13/site-packages/certificates.pth", true),
            ("lib/python3.13/site-packages/sitecustomize.py", true),
            (
                "lib/python3.13/site-packages/sitecustomize/__init__.py",
                true,
            ),
            ("lib/python3.13/site-packages/a/b.pth", false),
            ("share/site-packages/a.pth", false),
        ] {
            assert_eq!(starts_with_python(path), expected, "{path}");
        }
    }
}
