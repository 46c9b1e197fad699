//! Debian 13's CPython and its shared libraries as conda packages.
//!
//! Debian's patches for its own folders (`dist-packages`) are undone, so that `site-packages` below
//! the prefix is used. Libraries are found through RPATHs relative to the program.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::archive::Format;
use super::debian::{Architecture, Debian};
use super::recipe::{Kind, Node, Placeholder, Recipe, placeholder};
use super::stdlib_bytecode;
use super::store::Job;
use crate::layout::replace_all;

/// The minor version of the channel's python.
pub(super) const PYTHON: &str = "3.13";

const STDLIB: &str = "usr/lib/python3.13";

/// A conda package made of shared libraries.
struct Library {
    name: &'static str,
    /// Debian packages; the first provides the version and the licence text.
    from: &'static [&'static str],
    /// How the wanted files' names start.
    files: &'static [&'static str],
    depends: &'static [&'static str],
    license: &'static str,
}

#[rustfmt::skip]
const LIBRARY_PACKAGES: [Library; 12] = [
    Library { name: "bzip2", from: &["libbz2-1.0"], files: &["libbz2.so."], depends: &[], license: "bzip2-1.0.6" },
    Library { name: "libexpat", from: &["libexpat1"], files: &["libexpat.so."], depends: &[], license: "MIT" },
    Library { name: "libffi", from: &["libffi8"], files: &["libffi.so."], depends: &[], license: "MIT" },
    Library { name: "libgcc", from: &["libgcc-s1"], files: &["libgcc_s.so."], depends: &[], license: "GPL-3.0-only WITH GCC-exception-3.1" },
    Library { name: "liblzma", from: &["liblzma5"], files: &["liblzma.so."], depends: &[], license: "0BSD" },
    Library { name: "libsqlite", from: &["libsqlite3-0"], files: &["libsqlite3.so."], depends: &[], license: "blessing" },
    Library { name: "libstdcxx", from: &["libstdc++6"], files: &["libstdc++.so."], depends: &["libgcc"], license: "GPL-3.0-only WITH GCC-exception-3.1" },
    Library { name: "libuuid", from: &["libuuid1"], files: &["libuuid.so."], depends: &[], license: "BSD-3-Clause" },
    Library { name: "libzlib", from: &["zlib1g"], files: &["libz.so."], depends: &[], license: "Zlib" },
    Library { name: "openssl", from: &["libssl3t64"], files: &["libssl.so.", "libcrypto.so."], depends: &["ca-certificates", "libzlib", "zstd"], license: "Apache-2.0" },
    Library { name: "readline", from: &["libreadline8t64"], files: &["libreadline.so.", "libhistory.so."], depends: &["ncurses"], license: "GPL-3.0-only" },
    Library { name: "zstd", from: &["libzstd1"], files: &["libzstd.so."], depends: &[], license: "BSD-3-Clause" },
];

/// Python and everything it is linked with, for two platforms.
pub(super) fn jobs() -> Vec<Job> {
    let mut jobs: Vec<Job> = vec![Box::new(|| python_abi().build())];
    for architecture in [Architecture::Amd64, Architecture::Arm64] {
        jobs.extend(jobs_for(&Debian::open(architecture)));
    }
    jobs
}

/// Python's next patch release: the same files under a higher version.
pub(super) fn next_python() -> Job {
    Box::new(|| {
        let mut recipe = python(&Debian::open(Architecture::Amd64));
        let (minor, patch) = recipe.version.rsplit_once('.').expect("a patch release");
        let patch: u32 = patch.parse().expect("the number of a patch release");
        recipe.version = format!("{minor}.{}", patch + 1);
        recipe.build()
    })
}

fn jobs_for(debian: &Debian) -> Vec<Job> {
    let mut jobs: Vec<Job> = Vec::new();
    for library in LIBRARY_PACKAGES {
        let debian = debian.clone();
        jobs.push(Box::new(move || library.recipe(&debian).build()));
    }
    let (for_ncurses, for_python) = (debian.clone(), debian.clone());
    jobs.push(Box::new(move || ncurses(&for_ncurses).build()));
    jobs.push(Box::new(move || python(&for_python).build()));
    jobs
}

impl Library {
    fn recipe(&self, debian: &Debian) -> Recipe {
        let mut recipe = start(self.name, debian, self.from[0])
            .depends(&["__glibc >=2.38,<3.0.a0"])
            .depends(self.depends);
        recipe.license = self.license.to_owned();
        for package in self.from {
            for (name, node) in debian.files(package, &debian.libraries()) {
                if self.files.iter().any(|start| name.starts_with(start)) {
                    let node = relink(node, "$ORIGIN");
                    recipe.files.insert(format!("lib/{name}"), node);
                }
            }
        }
        recipe
    }
}

/// The libraries, and the terminal descriptions that they read.
fn ncurses(debian: &Debian) -> Recipe {
    let library = Library {
        name: "ncurses",
        from: &["libncursesw6", "libtinfo6"],
        files: &["libncursesw.so.", "libpanelw.so.", "libtinfo.so."],
        depends: &[],
        license: "X11",
    };
    let mut recipe = library.recipe(debian);
    for folder in ["usr/share/terminfo", "usr/lib/terminfo", "lib/terminfo"] {
        for (name, node) in debian.files("ncurses-base", folder) {
            recipe.files.insert(format!("share/terminfo/{name}"), node);
        }
    }
    recipe
}

/// The package that says which binary interface extension modules are built for.
fn python_abi() -> Recipe {
    let mut recipe = Recipe::new("python_abi", PYTHON, Kind::NoarchGeneric);
    recipe.build = "8_cp313".to_owned();
    recipe.build_number = 8;
    recipe.constrains = vec!["python 3.13.* *_cp313".to_owned()];
    recipe
}

fn python(debian: &Debian) -> Recipe {
    let mut recipe = start("python", debian, "python3.13-minimal")
        .format(Format::Conda)
        .depends(&[
            "__glibc >=2.38,<3.0.a0",
            "bzip2",
            "libexpat",
            "libffi",
            "liblzma",
            "libsqlite",
            "libuuid",
            "libzlib",
            "ncurses",
            "openssl",
            "python_abi 3.13.* *_cp313",
            "readline",
            "tzdata",
        ]);
    recipe.build = format!("{}_cp313", recipe.build);
    recipe.license = "Python-2.0".to_owned();

    let program = debian
        .files("python3.13-minimal", "usr/bin")
        .remove("python3.13")
        .map(|node| map_content(node, site_packages))
        .expect("python3.13-minimal has bin/python3.13");
    let program = relink(program, "$ORIGIN/../lib");
    recipe.files.insert("bin/python3.13".to_owned(), program);
    for package in ["libpython3.13-minimal", "libpython3.13-stdlib"] {
        for (name, node) in debian.files(package, STDLIB) {
            if let Some(node) = standard_library_file(debian, &name, node) {
                recipe.files.insert(format!("lib/python3.13/{name}"), node);
            }
        }
    }
    stdlib_bytecode::add(&mut recipe, "lib/python3.13");
    let pydoc = format!(
        "#!{}/bin/python3.13\nimport pydoc\npydoc.cli()\n",
        placeholder()
    );
    recipe
        .symlink("bin/python", "python3.13")
        .symlink("bin/python3", "python3.13")
        .file_with_prefix("bin/pydoc3.13", pydoc, 0o755, Placeholder::Text)
        .symlink("bin/pydoc", "pydoc3.13")
        .file(
            "lib/python3.13/site-packages/README.txt",
            "This directory exists so that 3rd party packages can be installed here.\n",
            0o644,
        )
}

/// A file of the standard library as it is in the package, or nothing if it is left out.
fn standard_library_file(debian: &Debian, name: &str, node: Node) -> Option<Node> {
    // Debian's own additions, tests, and a module whose library is not in the channel.
    const OMITTED: [&str; 7] = [
        "EXTERNALLY-MANAGED",
        "_distutils_system_mod.py",
        "sitecustomize.py",
        "test/",
        "lib-dynload/_ctypes_test.",
        "lib-dynload/_dbm.",
        "lib-dynload/_test",
    ];
    if OMITTED.iter().any(|start| name.starts_with(start)) {
        return None;
    }
    let build_variables = format!(
        "_sysconfigdata__linux_{}.py",
        debian.architecture().triplet()
    );
    Some(match name {
        "site.py" | "pydoc.py" => map_content(node, site_packages),
        "sysconfig/__init__.py" => map_content(node, |content| {
            replace(
                &content,
                b"prefix_scheme = 'posix_local'",
                b"prefix_scheme = 'posix_prefix'",
            )
        }),
        _ if name == build_variables => with_prefix(node),
        _ if name.starts_with("lib-dynload/") => relink(node, "$ORIGIN/../.."),
        _ => node,
    })
}

/// Undoes Debian's folder name. Both names have the same length, so this works in text and in the program,
/// which contains a frozen `site.py`.
fn site_packages(content: Vec<u8>) -> Vec<u8> {
    replace(&content, b"dist-packages", b"site-packages")
}

/// A file that was built for `/usr`, with the placeholder as its prefix.
fn with_prefix(node: Node) -> Node {
    let Node::File { content, mode, .. } = node else {
        panic!("the file of build variables is not a regular file");
    };
    let prefix = format!("'{}", placeholder());
    Node::File {
        content: replace(&content, b"'/usr", prefix.as_bytes()),
        mode,
        placeholder: Some(Placeholder::Text),
    }
}

pub(super) fn relink(node: Node, rpath: &str) -> Node {
    map_content(node, |content| {
        if content.starts_with(b"\x7fELF") {
            Debian::set_rpath(&content, rpath)
        } else {
            content
        }
    })
}

/// Changes the content of a file; links stay as they are.
fn map_content(node: Node, change: impl FnOnce(Vec<u8>) -> Vec<u8>) -> Node {
    match node {
        Node::File {
            content,
            mode,
            placeholder,
        } => Node::File {
            content: change(content),
            mode,
            placeholder,
        },
        Node::Symlink(_) => node,
    }
}

/// Replaces every `from`; there must be at least one.
fn replace(content: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let result = replace_all(content, from, to);
    assert!(
        result != content,
        "Debian's python has no {:?} to replace",
        String::from_utf8_lossy(from)
    );
    result
}

/// A recipe with the version, time and licence of a Debian package.
pub(super) fn start(name: &str, debian: &Debian, package: &str) -> Recipe {
    let kind = Kind::Platform(debian.architecture().subdir());
    let mut recipe = Recipe::new(name, &debian.version(package), kind);
    recipe.time = debian.time(package);
    // A different Debian revision of the same version is a different build.
    let digest = Sha256::digest(format!("{package} {}", recipe.time));
    recipe.build = format!("h{}_0", &hex::encode(digest)[..7]);
    recipe.licenses = debian
        .copyright(package)
        .map(|text| BTreeMap::from([("copyright".to_owned(), text)]))
        .unwrap_or_default();
    recipe
}
