//! Debian 11's CPython 2.7 as a conda package, with the last pip for it: an environment as old ones are.

use std::path::PathBuf;

use super::cpython::{relink, start};
use super::debian::{Architecture, Debian};
use super::recipe::{Node, Recipe};
use super::store::Job;
use super::{pypi, wheel};
use crate::layout::replace_all;

/// The last release of Debian with a python 2.
const SUITE: &str = "bullseye";

pub(super) const LIST: &str = include_str!("../../data/wheels-python2.txt");

const PACKAGES: [&str; 8] = [
    "libbz2-1.0",
    "libexpat1",
    "libffi7",
    "libpython2.7-minimal",
    "libpython2.7-stdlib",
    "libssl1.1",
    "python2.7-minimal",
    "zlib1g",
];

/// Everything in the channel.
pub(super) fn jobs() -> Vec<Job> {
    let debian = Debian::of_suite(SUITE, Architecture::Amd64, &PACKAGES);
    let mut jobs = wheel::jobs(&wheels());
    jobs.push(Box::new(move || python(&debian).build()));
    jobs
}

/// The wheels of the channel.
pub(super) fn wheels() -> Vec<PathBuf> {
    pypi::downloaded(LIST, "2.7")
}

/// Python, together with the libraries that it is linked with.
fn python(debian: &Debian) -> Recipe {
    let mut recipe = start("python", debian, "python2.7-minimal")
        .depends(&["__glibc >=2.31,<3.0.a0"])
        .symlink("bin/python", "python2.7")
        .symlink("bin/python2", "python2.7")
        .file(
            "lib/python2.7/site-packages/README",
            "This directory exists so that 3rd party packages can be installed here.\n",
            0o644,
        );
    recipe.license = "Python-2.0".to_owned();
    let program = debian
        .files("python2.7-minimal", "usr/bin")
        .remove("python2.7")
        .expect("python2.7-minimal has bin/python2.7");
    let program = relink(program, "$ORIGIN/../lib");
    recipe.files.insert("bin/python2.7".to_owned(), program);
    for package in ["libpython2.7-minimal", "libpython2.7-stdlib"] {
        for (name, node) in debian.files(package, "usr/lib/python2.7") {
            // Debian's own additions, and tests.
            if name == "sitecustomize.py" || name.starts_with("test/") {
                continue;
            }
            let node = standard_library_file(&name, node);
            recipe.files.insert(format!("lib/python2.7/{name}"), node);
        }
    }
    let own = [
        "libbz2.so.",
        "libexpat.so.",
        "libffi.so.",
        "libssl.so.",
        "libcrypto.so.",
        "libz.so.",
    ];
    for package in ["libbz2-1.0", "libexpat1", "libffi7", "libssl1.1", "zlib1g"] {
        for folder in [debian.libraries(), "lib/x86_64-linux-gnu".to_owned()] {
            for (name, node) in debian.files(package, &folder) {
                if own.iter().any(|start| name.starts_with(start)) {
                    recipe
                        .files
                        .insert(format!("lib/{name}"), relink(node, "$ORIGIN"));
                }
            }
        }
    }
    recipe
}

/// A file of the standard library, with Debian's folder name undone.
fn standard_library_file(name: &str, node: Node) -> Node {
    match node {
        Node::File {
            content,
            mode,
            placeholder,
        } if name.ends_with(".py") => Node::File {
            content: replace_all(&content, b"dist-packages", b"site-packages"),
            mode,
            placeholder,
        },
        node if name.starts_with("lib-dynload/") => relink(node, "$ORIGIN/../.."),
        node => node,
    }
}
