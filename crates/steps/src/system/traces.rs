//! What an installation leaves behind in addition to the packages: logs, backups, its own caches, and the current time.
//!
//! Files that the base image has are restored. Files and directories that were written get the time of the newest
//! unchanged file: with the current time, the same packages would make a different layer every time, and with an earlier
//! one, caches would look older than their sources.

use std::collections::HashSet;
use std::fs::{self, Metadata};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use filetime::FileTime;

use crate::file_times::TICK;
use crate::mount_points::mount_points;
use crate::root::{Root, RootError};
use condafront_model::stamp::EPOCH;
use condafront_step_spec::failure_report::FailureReport;

/// Files whose content depends on when, or how often, something was installed.
const FILES: [&str; 25] = [
    "/etc/group-",
    "/etc/gshadow-",
    "/etc/passwd-",
    "/etc/shadow-",
    "/etc/subgid-",
    "/etc/subuid-",
    "/var/cache/debconf/config.dat-old",
    "/var/cache/debconf/passwords.dat-old",
    "/var/cache/debconf/templates.dat-old",
    "/var/cache/ldconfig/aux-cache",
    "/var/lib/dpkg/available-old",
    "/var/lib/dpkg/diversions-old",
    "/var/lib/dpkg/statoverride-old",
    "/var/lib/dpkg/status-old",
    "/var/log/alternatives.log",
    "/var/log/apk.log",
    "/var/log/dnf.librepo.log",
    "/var/log/dnf.log",
    "/var/log/dnf.rpm.log",
    "/var/log/dnf5.log",
    "/var/log/dpkg.log",
    "/var/log/fontconfig.log",
    "/var/log/hawkey.log",
    "/var/log/lastlog",
    "/var/log/yum.log",
];

/// The state before the installation.
pub(super) struct Traces {
    start: SystemTime,
    files: Vec<(&'static str, Option<Kept>)>,
    mounts: HashSet<PathBuf>,
}

/// A file of the base image.
struct Kept {
    content: Vec<u8>,
    time: FileTime,
}

impl Traces {
    /// Saves the current state.
    pub(super) fn before(root: &Root) -> Result<Self, FailureReport> {
        let mut files = Vec::new();
        for path in FILES {
            let content = root.read(Path::new(path))?;
            let time = root
                .metadata(Path::new(path))?
                .map(|meta| FileTime::from_last_modification_time(&meta));
            let kept = content.zip(time);
            files.push((path, kept.map(|(content, time)| Kept { content, time })));
        }
        Ok(Self {
            start: SystemTime::now() - TICK,
            files,
            mounts: mount_points()?,
        })
    }

    /// Removes everything that packages did not install.
    pub(super) fn remove(&self, root: &Root) -> Result<(), FailureReport> {
        for (path, kept) in &self.files {
            put_back(root, path, kept.as_ref())?;
        }
        let mut found = Found::default();
        self.walk(&root.outside(Path::new("/")), &mut found)?;
        let time = found.newest.unwrap_or(FileTime::from_unix_time(EPOCH, 0));
        for path in &found.changed {
            match filetime::set_symlink_file_times(path, time, time) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(FailureReport::new(format!("{}: {error}", path.display())));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn walk(&self, dir: &Path, found: &mut Found) -> Result<(), FailureReport> {
        if self.mounts.contains(dir) && dir != Path::new("/") {
            return Ok(());
        }
        let failed =
            |error: std::io::Error| FailureReport::new(format!("{}: {error}", dir.display()));
        let meta = fs::symlink_metadata(dir).map_err(failed)?;
        for entry in fs::read_dir(dir).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let path = entry.path();
            let meta = match entry.metadata() {
                Ok(meta) => meta,
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) => return Err(failed(error)),
            };
            if meta.is_dir() {
                self.walk(&path, found)?;
            } else if !self.mounts.contains(&path) {
                found.add(path, &meta, self.start);
            }
        }
        found.add(dir.to_owned(), &meta, self.start);
        Ok(())
    }
}

/// The result of a walk through the image.
#[derive(Default)]
struct Found {
    changed: Vec<PathBuf>,
    /// The time of the newest unchanged file.
    newest: Option<FileTime>,
}

impl Found {
    fn add(&mut self, path: PathBuf, meta: &Metadata, start: SystemTime) {
        let time = FileTime::from_last_modification_time(meta);
        if time >= FileTime::from_system_time(start) {
            self.changed.push(path);
        } else if meta.is_file() {
            let whole = FileTime::from_unix_time(time.unix_seconds(), 0);
            self.newest = self.newest.max(Some(whole));
        }
    }
}

fn put_back(root: &Root, path: &str, kept: Option<&Kept>) -> Result<(), FailureReport> {
    let real = root.outside(&root.resolve(Path::new(path))?);
    let failed = |error: std::io::Error| FailureReport::new(format!("{path}: {error}"));
    match (kept, root.read(Path::new(path))?) {
        (None, Some(_)) => fs::remove_file(&real).map_err(failed),
        (Some(kept), Some(now)) if kept.content == now => {
            // Rewritten with the same content.
            set_time(&real, kept.time).map_err(failed)
        }
        (Some(kept), Some(_)) => {
            // Writing in place keeps its owner and mode.
            fs::write(&real, &kept.content).map_err(failed)?;
            set_time(&real, kept.time).map_err(failed)
        }
        (_, None) => Ok(()),
    }
}

fn set_time(path: &Path, time: FileTime) -> std::io::Result<()> {
    let now = FileTime::from_last_modification_time(&fs::symlink_metadata(path)?);
    if now == time {
        return Ok(());
    }
    filetime::set_file_mtime(path, time)
}

impl From<RootError> for FailureReport {
    fn from(error: RootError) -> Self {
        Self::new(error)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn old(path: &Path, seconds: i64) {
        filetime::set_symlink_file_times(
            path,
            FileTime::from_unix_time(seconds, 0),
            FileTime::from_unix_time(seconds, 0),
        )
        .unwrap();
    }

    fn time(path: &Path) -> i64 {
        FileTime::from_last_modification_time(&fs::symlink_metadata(path).unwrap()).unix_seconds()
    }

    #[test]
    fn only_package_files_stay_without_build_timestamps() {
        let dir = tempfile::tempdir().unwrap();
        let at = |path: &str| dir.path().join(path);
        fs::create_dir_all(at("var/log")).unwrap();
        fs::create_dir_all(at("usr/bin")).unwrap();
        fs::write(at("var/log/dpkg.log"), "before\n").unwrap();
        fs::write(at("usr/bin/base"), "").unwrap();
        for path in [
            "var/log/dpkg.log",
            "usr/bin/base",
            "usr/bin",
            "usr",
            "var/log",
            "var",
            "",
        ] {
            old(&at(path), 1_000);
        }
        let root = Root::new(dir.path());
        let mut traces = Traces::before(&root).unwrap();
        // The directory itself may be a mount here.
        traces.mounts.clear();

        fs::write(at("var/log/dpkg.log"), "before\nand after\n").unwrap();
        fs::write(at("var/log/alternatives.log"), "new\n").unwrap();
        fs::write(at("var/log/theirs.log"), "of a package\n").unwrap();
        fs::write(at("usr/bin/new"), "").unwrap();
        old(&at("usr/bin/new"), 5_000);
        fs::write(at("usr/bin/generated"), "").unwrap();
        symlink("new", at("usr/bin/link")).unwrap();
        traces.remove(&root).unwrap();

        assert_eq!(
            fs::read_to_string(at("var/log/dpkg.log")).unwrap(),
            "before\n"
        );
        assert!(!at("var/log/alternatives.log").exists());
        assert!(at("var/log/theirs.log").exists());
        for (path, expected) in [
            ("var/log/dpkg.log", 1_000),
            ("usr/bin/base", 1_000),
            ("usr/bin/new", 5_000),
            ("usr/bin/generated", 5_000),
            ("usr/bin/link", 5_000),
            ("usr/bin", 5_000),
            ("var/log", 5_000),
            ("usr", 1_000),
        ] {
            assert_eq!(time(&at(path)), expected, "{path}");
        }
    }
}
