//! Parts of packages that are left out.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use condafront_step_spec::install::Trim;

use super::installers::compare;
use super::package::Package;
use super::step::Step;

const SITE: &str = "lib/python3.13/site-packages";

fn packages() -> [Package; 2] {
    let site = |path: &str| format!("{SITE}/{path}");
    [
        Package::new("library")
            .file("lib/libx.a", "!<arch>\n")
            .file("lib/libx.so.1", "library")
            .symlink("lib/libx.so", "libx.so.1")
            .symlink("lib/libasan.so", "libasan.so.8")
            .file("lib/libasan.so.8", "asan")
            .file("include/x.h", "int x;\n")
            .file("share/man/man1/x.1", "man")
            .file("share/doc/x/LICENSE", "MIT")
            .file("share/doc/x/README", "read me")
            .file("share/both", "library")
            .file(&site("x/__init__.py"), "x = 1\n")
            .file(&site("x/__pycache__/__init__.cpython-313.pyc"), "pyc")
            .file(&site("x/tests/__init__.py"), "")
            .file(&site("x/tests/test_x.py"), "import x\n")
            .file(&site("x/static/x.js"), "1\n")
            .file(&site("x/static/x.js.map"), "{}\n"),
        Package::new("pure")
            .noarch_python(&["pure-check = pure.check.tests.run:main"])
            .file(
                "site-packages/pure/__init__.py",
                "from .tests.runner import Runner\n",
            )
            .file(
                "site-packages/pure/tests/runner.py",
                "from pure.a.tests import helper\n",
            )
            .file("site-packages/pure/a/tests/helper.py", "")
            .file(
                "site-packages/pure/b/tests/test_b.py",
                "from pure.b import tests\n",
            )
            .file(
                "site-packages/pure/check/tests/run.py",
                "def main(): pass\n",
            )
            .file("include/pure.h", "")
            .file("share/both", "pure"),
    ]
}

fn step(trim: &[Trim]) -> Step {
    let mut step = Step::new(&packages());
    step.spec.trim = trim.iter().copied().collect();
    step
}

/// Files and links below `dir`, relative to it.
fn files(dir: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && !path.is_symlink() {
            found.extend(
                files(&path)
                    .into_iter()
                    .map(|below| format!("{name}/{below}")),
            );
        } else {
            found.insert(name);
        }
    }
    found
}

#[test]
fn trimmed_files_are_gone_and_the_rest_is_the_same() {
    let whole = step(&[]);
    whole.run().unwrap();
    let trimmed = step(&Trim::ALL);
    trimmed.run().unwrap();
    let (all, left) = (files(&whole.prefix()), files(&trimmed.prefix()));
    let gone: Vec<&str> = all.difference(&left).map(String::as_str).collect();
    insta::assert_snapshot!(gone.join("\n"), @r"
    include/pure.h
    include/x.h
    lib/libasan.so
    lib/libasan.so.8
    lib/libx.a
    lib/python3.13/site-packages/pure/b/tests/test_b.py
    lib/python3.13/site-packages/x/__pycache__/__init__.cpython-313.pyc
    lib/python3.13/site-packages/x/static/x.js.map
    lib/python3.13/site-packages/x/tests/__init__.py
    lib/python3.13/site-packages/x/tests/test_x.py
    share/doc/x/README
    share/man/man1/x.1
    ");
    assert!(left.is_subset(&all));
    for path in left.iter().filter(|path| !path.starts_with("conda-meta/")) {
        assert_eq!(whole.read(path), trimmed.read(path), "{path}");
    }
    let mut listed = BTreeSet::new();
    for name in ["library", "pure"] {
        let record = trimmed.record(name);
        let paths = record["paths_data"]["paths"].as_array().unwrap();
        let paths = paths.iter().map(|path| path["_path"].as_str().unwrap());
        let files = record["files"].as_array().unwrap();
        let files = files.iter().map(|file| file.as_str().unwrap());
        assert!(paths.eq(files.clone()));
        listed.extend(files.map(str::to_owned));
    }
    let left = left
        .into_iter()
        .filter(|path| !path.starts_with("conda-meta/"));
    assert_eq!(listed, left.collect());
}

#[test]
fn a_part_leaves_the_others_alone() {
    for part in Trim::ALL {
        let trimmed = step(&[part]);
        trimmed.run().unwrap();
        let left = files(&trimmed.prefix());
        assert_eq!(left.contains("lib/libx.a"), part != Trim::StaticLibraries);
        assert_eq!(left.contains("include/x.h"), part != Trim::Headers);
        let test = format!("{SITE}/x/tests/test_x.py");
        assert_eq!(left.contains(&test), part != Trim::Tests);
    }
}

#[test]
#[ignore = "needs a micromamba"]
fn needs_micromamba_installers_leave_the_same_out() {
    compare(|| step(&Trim::ALL));
}
