//! Packages of a distribution, as far as they can be read without its tools.

use std::collections::BTreeMap;
use std::path::Path;

use super::budget::Budget;
use super::inventory::SystemPackage;
use super::list::{Key, List};
use super::names::names;
use crate::distribution::{APK, DPKG, Installed, RPM, in_apk, in_dpkg, name_of_release};
use crate::root::Root;
use condafront_model::redact::shortened;
use condafront_step_spec::diff::{Details, PackageKind};
use condafront_step_spec::system::Manager;

/// The same in images without dpkg: a file for each package.
const DPKG_FOLDER: &str = "/var/lib/dpkg/status.d";
/// The longest list that is read.
const LONGEST: u64 = 64 << 20;
/// How many files of [`DPKG_FOLDER`] are read.
const FILES: usize = 10_000;

/// Adds the packages of an image's distribution; returns its name. Where a package manager's own list cannot be read, those
/// are added that the build has `added`, as the image's inventory says.
pub(super) fn add(
    root: &Root,
    mut added: BTreeMap<Manager, Vec<SystemPackage>>,
    list: &mut List,
) -> Option<String> {
    let mut budget = Budget::default();
    let mut read = |path: &str, list: &mut List| {
        let path = root.resolve(Path::new(path)).ok()?;
        let text = budget.read(&root.outside(&path), LONGEST, list).ok()?;
        Some(String::from_utf8_lossy(&text).into_owned())
    };
    let is_package = |name: &str| !name.ends_with(".md5sums");
    let files = names(root, Path::new(DPKG_FOLDER), FILES, is_package).into_iter();
    let files = files.map(|name| format!("{DPKG_FOLDER}/{name}"));
    for path in std::iter::once(DPKG.to_owned()).chain(files) {
        if let Some(text) = read(&path, list) {
            add_dpkg(&text, list);
            added.remove(&Manager::Apt);
        }
    }
    if let Some(text) = APK.iter().find_map(|path| read(path, list)) {
        add_apk(&text, list);
        added.remove(&Manager::Apk);
    }
    let has_rpm = |path: &str| !names(root, Path::new(path), 1, |_| true).is_empty();
    let has_rpm = RPM.iter().any(|path| has_rpm(path));
    if !added.is_empty() {
        list.note("Of the distribution's packages, only those are listed that the build added, as the inventory says.");
    } else if has_rpm {
        list.note("The distribution's packages are not listed: they are in a database of rpm's.");
    }
    for package in added.into_values().flatten() {
        list.add(key(&package.name), package.details, &package.architecture);
    }
    let releases = ["/etc/os-release", "/usr/lib/os-release"];
    let release = releases.iter().find_map(|path| read(path, list))?;
    Some(shortened(name_of_release(&release)?, 100))
}

fn key(name: &str) -> Key {
    Key {
        kind: PackageKind::System,
        environment: None,
        name: name.to_owned(),
    }
}

/// A list of dpkg's.
pub(super) fn add_dpkg(text: &str, list: &mut List) {
    add_all(in_dpkg(text), list);
}

/// A list of apk's.
pub(super) fn add_apk(text: &str, list: &mut List) {
    add_all(in_apk(text), list);
}

fn add_all<'a>(packages: impl Iterator<Item = Installed<'a>>, list: &mut List) {
    for package in packages {
        let details = Details {
            version: package.version.to_owned(),
            license: package.license.map(str::to_owned),
            bytes: package.bytes,
            ..Details::default()
        };
        let architecture = package.architecture.unwrap_or("?");
        list.add(key(package.name), details, architecture);
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn listed(files: &[(&str, &str)]) -> (Option<String>, Vec<String>, Vec<String>) {
        listed_with(files, &[])
    }

    /// The same in an image whose inventory has packages of these managers, `added 1`.
    fn listed_with(
        files: &[(&str, &str)],
        managers: &[Manager],
    ) -> (Option<String>, Vec<String>, Vec<String>) {
        let package = || SystemPackage {
            name: "added".to_owned(),
            architecture: "all".to_owned(),
            details: Details {
                version: "1".to_owned(),
                ..Details::default()
            },
        };
        let added = managers.iter().map(|manager| (*manager, vec![package()]));
        let dir = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let mut list = List::default();
        let system = add(&Root::new(dir.path()), added.collect(), &mut list);
        let notes = list.take_notes();
        let line = |(key, it): (Key, Details)| {
            format!(
                "{} {} {:?} {:?}",
                key.name, it.version, it.license, it.bytes
            )
        };
        (
            system,
            list.into_packages().into_iter().map(line).collect(),
            notes,
        )
    }

    #[test]
    fn lists_of_distributions_are_read() {
        let status = "\
Package: libc6
Status: install ok installed
Architecture: amd64
Installed-Size: 2
Version: 2.41-1
Description: text
 Version: 9

Package: libc6
Status: install ok installed
Architecture: i386
Version: 2.41-1

Package: gone
Status: deinstall ok config-files
Version: 1
";
        let found = listed(&[
            ("var/lib/dpkg/status", status),
            ("etc/os-release", "ID=x\nPRETTY_NAME=\"Debian 13\"\n"),
        ]);
        assert_eq!(found.0.as_deref(), Some("Debian 13"));
        assert_eq!(
            found.1,
            [
                "libc6 2.41-1 None Some(2048)",
                "libc6:i386 2.41-1 None None"
            ]
        );

        let found = listed(&[("usr/lib/os-release", "NAME='Small Linux'\n")]);
        assert_eq!(found.0.as_deref(), Some("Small Linux"));

        let one = [(
            "var/lib/dpkg/status.d/tzdata",
            "Package: tzdata\nVersion: 2026a\n",
        )];
        assert_eq!(listed(&one).1, ["tzdata 2026a None None"]);

        let apk = "P:musl\nV:1.2.5-r9\nA:x86_64\nI:667648\nL:MIT\nF:lib\n\nP:odd\n";
        let found = listed(&[("usr/lib/apk/db/installed", apk)]);
        assert_eq!(found.1, ["musl 1.2.5-r9 Some(\"MIT\") Some(667648)"]);

        let found = listed(&[("var/lib/rpm/rpmdb.sqlite", "")]);
        assert_eq!((found.1.len(), found.2.len()), (0, 1));
    }

    #[test]
    fn what_a_build_added_is_listed_where_the_list_cannot_be_read() {
        let rpm = ("usr/lib/sysimage/rpm/rpmdb.sqlite", "");
        let (_, packages, notes) = listed_with(&[rpm], &[Manager::Dnf]);
        assert_eq!(packages, ["added 1 None None"]);
        assert_eq!(
            notes,
            [
                "Of the distribution's packages, only those are listed that the build added, as the inventory says."
            ]
        );
        // dpkg's own list has them, unless somebody has removed them.
        let dpkg = ("var/lib/dpkg/status", "Package: tzdata\nVersion: 2026a\n");
        let (_, packages, notes) = listed_with(&[dpkg], &[Manager::Apt]);
        assert_eq!(packages, ["tzdata 2026a None None"]);
        assert!(notes.is_empty(), "{notes:?}");
        let apk = ("lib/apk/db/installed", "P:musl\nV:1.2.5-r9\n");
        let (_, packages, notes) = listed_with(&[apk], &[Manager::Apk, Manager::Apt]);
        assert_eq!(packages, ["added 1 None None", "musl 1.2.5-r9 None None"]);
        assert_eq!(notes.len(), 1);
    }
}
