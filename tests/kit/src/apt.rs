//! Makes a flat repository of Debian packages (<https://wiki.debian.org/DebianRepository/Format>).

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};

use crate::cache::made_once;
use crate::engine::{run, script};

/// A package to make.
#[derive(Clone, Debug)]
pub struct Deb {
    name: String,
    version: String,
    fields: String,
    files: Vec<(String, String, u32)>,
    script: Option<String>,
}

impl Deb {
    /// An empty package for every architecture.
    pub fn new(name: &str, version: &str) -> Self {
        Self {
            name: name.to_owned(),
            version: version.to_owned(),
            fields: String::new(),
            files: Vec::new(),
            script: None,
        }
    }

    /// Adds a field to its control file, such as `Depends: a`.
    #[must_use]
    pub fn field(mut self, field: &str) -> Self {
        self.fields.push_str(field);
        self.fields.push('\n');
        self
    }

    /// Adds a file; `path` has no leading slash.
    #[must_use]
    pub fn file(mut self, path: &str, content: &str, mode: u32) -> Self {
        self.files.push((path.to_owned(), content.to_owned(), mode));
        self
    }

    /// Sets the script that runs when the package is configured.
    #[must_use]
    pub fn script(mut self, script: &str) -> Self {
        self.script = Some(script.to_owned());
        self
    }

    fn build(&self, folder: &Path) {
        let tree = folder.join(format!("{}.tree", self.name));
        let control = format!(
            "Package: {}\nVersion: {}\nArchitecture: all\nMaintainer: tests <tests@example.org>\nDescription: made by a test\n{}",
            self.name, self.version, self.fields
        );
        write(&tree.join("DEBIAN/control"), &control, 0o644);
        if let Some(script) = &self.script {
            write(
                &tree.join("DEBIAN/postinst"),
                &format!("#!/bin/sh\nset -e\n{script}"),
                0o755,
            );
        }
        for (path, content, mode) in &self.files {
            write(&tree.join(path), content, *mode);
        }
        run(Command::new("dpkg-deb")
            .args(["--root-owner-group", "-Znone", "--build"])
            .arg(&tree)
            .arg(folder.join(format!("{}_{}_all.deb", self.name, self.version)))
            .env("SOURCE_DATE_EPOCH", "1700000000"))
        .expect_success();
        fs::remove_dir_all(&tree).expect("the package's files can be removed");
    }
}

fn write(path: &Path, content: &str, mode: u32) {
    let folder = path.parent().expect("a file in a folder");
    fs::create_dir_all(folder).expect("a folder for a package's file");
    fs::write(path, content).expect("a package's file");
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a mode");
}

/// Fills `folder` with a repository of these packages and the archives in `more`, for
/// `deb [trusted=yes] <url> ./`.
///
/// # Panics
/// If a package cannot be made.
pub fn repository(folder: &Path, packages: &[Deb], more: &[PathBuf]) {
    for package in packages {
        package.build(folder);
    }
    for archive in more {
        let name = archive.file_name().expect("an archive's name");
        fs::copy(archive, folder.join(name)).expect("an archive can be copied");
    }
    let mut archives: Vec<PathBuf> = fs::read_dir(folder)
        .expect("the repository's folder")
        .map(|entry| entry.expect("an archive").path())
        .filter(|path| path.extension().is_some_and(|suffix| suffix == "deb"))
        .collect();
    archives.sort();
    let entry = |archive: &PathBuf| {
        let control = run(Command::new("dpkg-deb").arg("-f").arg(archive)).expect_success();
        let content = fs::read(archive).expect("an archive");
        let name = archive.file_name().unwrap_or_default().to_string_lossy();
        format!(
            "{}\nFilename: ./{name}\nSize: {}\nSHA256: {}\n\n",
            control.stdout.trim_end(),
            content.len(),
            hex::encode(Sha256::digest(&content))
        )
    };
    let index: String = archives.iter().map(entry).collect();
    let release = format!(
        "Origin: tests\nDate: Tue, 14 Nov 2023 22:13:20 UTC\nSHA256:\n {} {} Packages\n",
        hex::encode(Sha256::digest(&index)),
        index.len()
    );
    fs::write(folder.join("Packages"), index).expect("the index");
    fs::write(folder.join("Release"), release).expect("the release file");
}

/// Downloads packages of a suite, or of `SUITE/ARCHITECTURE`, into a folder.
///
/// # Panics
/// If they cannot be downloaded.
pub(crate) fn fetch(suite: &str, folder: &Path, packages: &[&str]) {
    let mut command = Command::new(script());
    command.args(["debs", suite]).arg(folder).args(packages);
    run(&mut command).expect_success();
}

/// A tar file of a minimal Debian 13 with these packages and what they depend on. It is kept under this name between runs.
///
/// # Panics
/// If it cannot be made.
pub fn debian_root(name: &str, packages: &[&str]) -> PathBuf {
    const FILE: &str = "root.tar";
    let folder = made_once(name, |folder| {
        let mut command = Command::new(script());
        command.arg("root").arg(folder.join(FILE)).args(packages);
        run(&mut command).expect_success();
    });
    folder.join(FILE)
}

/// The archive of Debian 13's package `name`, fetched if this machine does not have it yet.
///
/// # Panics
/// If it cannot be fetched.
pub fn debian(name: &str) -> PathBuf {
    let folder = made_once(&format!("deb-{name}"), |folder| {
        fetch("trixie", folder, &[name]);
    });
    let mut entries = fs::read_dir(folder).expect("the fetched package's folder");
    entries
        .find_map(|entry| {
            let path = entry.expect("a file").path();
            path.extension()
                .is_some_and(|suffix| suffix == "deb")
                .then_some(path)
        })
        .expect("an archive")
}
