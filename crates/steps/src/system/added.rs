//! Which packages a step adds to the base image.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use super::manager;
use super::process::Tool;
use crate::account::os_release;
use crate::distribution::{
    APK, DPKG, Installed, RPM_QUERY, field_of_release, in_apk, in_dpkg, in_rpm,
};
use crate::root::{Root, RootError};
use condafront_step_spec::system::{AddedPackage, Manager, Release};

/// The packages of an image.
pub(super) struct Packages(BTreeSet<AddedPackage>);

impl Packages {
    /// Those of the image at `root`. Without rpm's own program, those of its database stay unknown.
    pub(super) fn of(root: &Root, tool: &mut Tool<'_>) -> Result<Self, RootError> {
        let read = |path: &str| -> Result<Option<String>, RootError> {
            let bytes = root.read(Path::new(path))?;
            Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
        };
        let mut all = BTreeSet::new();
        if let Some(text) = read(DPKG)? {
            all.extend(in_dpkg(&text).map(|it| owned(Manager::Apt, &it)));
        }
        for path in APK {
            if let Some(text) = read(path)? {
                all.extend(in_apk(&text).map(|it| owned(Manager::Apk, &it)));
            }
        }
        if let Some(program) = manager::find(root, &["rpm"])? {
            let mut ask = |args: &[&str]| {
                let answer = tool.quietly(Command::new(&program).args(args)).ok();
                let answer = answer.filter(|ended| ended.status.success());
                answer.map(|ended| ended.output).unwrap_or_default()
            };
            // Distributions have it in different places. If it is missing, a query would create it.
            let place = ask(&["--eval", "%{_dbpath}"]);
            if place
                .lines()
                .any(|line| line.starts_with('/') && Path::new(line).is_dir())
            {
                let text = ask(&["-qa", "--queryformat", RPM_QUERY]);
                all.extend(in_rpm(&text).map(|it| owned(Manager::Dnf, &it)));
            }
        }
        Ok(Self(all))
    }

    /// Those that `before` does not have, or has in another version.
    pub(super) fn added_to(self, before: &Self) -> Vec<AddedPackage> {
        self.0.difference(&before.0).cloned().collect()
    }
}

fn owned(manager: Manager, installed: &Installed<'_>) -> AddedPackage {
    AddedPackage {
        manager,
        name: installed.name.to_owned(),
        version: installed.version.to_owned(),
        architecture: installed.architecture.map(str::to_owned),
        license: installed.license.map(str::to_owned),
        source: installed
            .source
            .and_then(|source| source_of(installed, source)),
    }
}

/// What a package is built from, if that is not called like the package itself. dpkg has the version in parentheses if it is
/// a different one.
fn source_of(installed: &Installed<'_>, source: &str) -> Option<String> {
    let source = match source.split_once(" (") {
        Some((name, version)) => format!("{name}@{}", version.trim_end_matches(')')),
        None => source.to_owned(),
    };
    (source != installed.name).then_some(source)
}

/// Which distribution an image has, if it says so.
pub(super) fn release(root: &Root) -> Result<Option<Release>, RootError> {
    let text = os_release(root)?;
    let field = |name: &str| field_of_release(&text, name).map(str::to_owned);
    Ok(field("ID").map(|id| Release {
        id,
        version: field("VERSION_ID"),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_known_by_what_they_are_built_from() {
        let dpkg = "\
Package: libgl1
Architecture: amd64
Source: libglvnd (1.7.0-1)
Version: 1.7.0-1+b2

Package: libc6
Source: glibc
Version: 2.41-12

Package: bash
Version: 5.2
";
        let apk = "P:libcrypto3\nV:3.5.1-r0\no:openssl\n\nP:musl\nV:1\no:musl\n";
        let of_dpkg = in_dpkg(dpkg).map(|it| owned(Manager::Apt, &it).source);
        let of_apk = in_apk(apk).map(|it| owned(Manager::Apk, &it).source);
        let sources: Vec<Option<String>> = of_dpkg.chain(of_apk).collect();
        let sources: Vec<Option<&str>> = sources.iter().map(Option::as_deref).collect();
        assert_eq!(
            sources,
            [
                Some("libglvnd@1.7.0-1"),
                Some("glibc"),
                None,
                Some("openssl"),
                None
            ]
        );
    }
}
