//! This machine's CPython 3.6 as a conda package, with the last pip for it. No release of Debian had one.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::cpython::relink;
use super::recipe::{Kind, Node, Recipe};
use super::store::Job;
use super::{pypi, wheel};
use crate::engine::run;
use crate::needs;

pub(super) const LIST: &str = include_str!("../../data/wheels-python36.txt");

/// What tests do without.
const OMITTED: [&str; 7] = [
    "__pycache__/",
    "config-3.6",
    "ensurepip/",
    "idlelib/",
    "site-packages/",
    "test/",
    "tkinter/",
];

/// The libraries that the package has, besides python's own. Modules that need others are left out.
const LIBRARIES: [&str; 5] = [
    "libbz2.so.",
    "libexpat.so.",
    "libffi.so.",
    "liblzma.so.",
    "libz.so.",
];

/// Libraries that every base image has.
const OF_GLIBC: [&str; 7] = [
    "libc.so.",
    "libdl.so.",
    "libm.so.",
    "libpthread.so.",
    "librt.so.",
    "libutil.so.",
    "ld-linux",
];

/// Everything in the channel.
pub(super) fn jobs() -> Vec<Job> {
    let mut jobs = wheel::jobs(&wheels());
    jobs.push(Box::new(|| python().build()));
    jobs
}

/// The wheels of the channel.
pub(super) fn wheels() -> Vec<PathBuf> {
    pypi::downloaded(LIST, "3.6")
}

/// Python, together with the libraries that it is linked with.
fn python() -> Recipe {
    const ABOUT: &str =
        "import sys; print('%d.%d.%d' % sys.version_info[:3]); print(sys.base_prefix)";
    let said = run(Command::new(needs::python36()).args(["-c", ABOUT])).expect_success();
    let mut lines = said.stdout.lines();
    let (version, prefix) = (lines.next(), lines.next());
    let version = version.expect("a version");
    assert!(version.starts_with("3.6."), "PYTHON36 is python {version}");
    let prefix = Path::new(prefix.expect("a folder"));
    let mut recipe = Recipe::new("python", version, Kind::Platform("linux-64"))
        .depends(&["__glibc >=2.17,<3.0.a0"])
        .symlink("bin/python", "python3.6")
        .symlink("bin/python3", "python3.6")
        .file(
            "lib/python3.6/site-packages/README.txt",
            "This directory exists so that 3rd party packages can be installed here.\n",
            0o644,
        );
    recipe.license = "Python-2.0".to_owned();
    let mut libraries = BTreeMap::new();
    let mut add = |path: &Path, name: &str, rpath: &str| {
        let needed = needed(path);
        let is_known = |name: &String| {
            let is_one = |starts: &[&str]| starts.iter().any(|start| name.starts_with(start));
            name.starts_with("libpython") || is_one(&LIBRARIES) || is_one(&OF_GLIBC)
        };
        if !needed.keys().all(is_known) {
            return;
        }
        let is_own = |name: &String| !OF_GLIBC.iter().any(|start| name.starts_with(start));
        libraries.extend(needed.into_iter().filter(|(name, _)| is_own(name)));
        recipe
            .files
            .insert(name.to_owned(), relink(file(path), rpath));
    };
    add(
        &prefix.join("bin/python3.6"),
        "bin/python3.6",
        "$ORIGIN/../lib",
    );
    let library = prefix.join("lib/python3.6");
    for path in files_below(&library) {
        let name = path
            .strip_prefix(&library)
            .expect("a path below the folder");
        let name = name.to_str().expect("a path in UTF-8");
        let is_omitted = |omitted: &&str| {
            let folder = format!("/{omitted}");
            name.starts_with(*omitted) || name.contains(&folder)
        };
        if !OMITTED.iter().any(is_omitted) {
            add(&path, &format!("lib/python3.6/{name}"), "$ORIGIN/../..");
        }
    }
    for (name, path) in libraries {
        let node = relink(file(&path), "$ORIGIN");
        recipe.files.insert(format!("lib/{name}"), node);
    }
    recipe
}

/// The libraries that a program or library needs, by name; none for other files.
fn needed(path: &Path) -> BTreeMap<String, PathBuf> {
    let content = fs::read(path).unwrap_or_default();
    if !content.starts_with(b"\x7fELF") {
        return BTreeMap::new();
    }
    let said = run(Command::new("ldd").arg(path)).expect_success();
    let lines = said.stdout.lines().filter_map(|line| {
        let (name, rest) = line.trim().split_once(" => ")?;
        let path = rest.split(" (").next()?;
        Some((name.to_owned(), PathBuf::from(path)))
    });
    lines.collect()
}

fn file(path: &Path) -> Node {
    use std::os::unix::fs::PermissionsExt as _;
    let content = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mode = fs::metadata(path).map_or(0o644, |found| found.permissions().mode());
    Node::File {
        content,
        mode: if mode & 0o100 == 0 { 0o644 } else { 0o755 },
        placeholder: None,
    }
}

/// All files below a folder.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries =
        fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.expect("a folder entry").path();
        if path.is_dir() {
            found.extend(files_below(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}
