//! A wheel's `METADATA`, and the conda dependencies that follow from it.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr as _;

use pep508_rs::{
    ExtraName, MarkerEnvironment, MarkerEnvironmentBuilder, Requirement, VersionOrUrl,
};

use super::cpython::PYTHON;

/// The parts of a distribution's metadata that the kit uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Metadata {
    /// Normalised name, as on PyPI.
    pub(super) name: String,
    pub(super) version: String,
    pub(super) summary: String,
    pub(super) license: String,
    requires_python: Option<String>,
    requires: Vec<Requirement>,
}

impl Metadata {
    /// Reads the header fields of a `METADATA` file.
    pub(super) fn parse(text: &str) -> Self {
        let fields: Vec<(&str, &str)> = text
            .lines()
            .take_while(|line| !line.is_empty())
            .filter_map(|line| line.split_once(": "))
            .collect();
        let all = |name: &'static str| {
            fields
                .iter()
                .filter(move |(field, _)| field.eq_ignore_ascii_case(name))
                .map(|(_, value)| value.trim())
        };
        let first = |name| all(name).next();
        let name = first("Name").expect("a distribution has a name");
        Self {
            name: name.to_lowercase().replace(['_', '.'], "-"),
            version: first("Version").unwrap_or("0").to_owned(),
            summary: first("Summary").unwrap_or_default().to_owned(),
            license: first("License-Expression")
                .or_else(|| first("License").filter(|license| license.len() < 40))
                .or_else(|| all("Classifier").find_map(license_classifier))
                .unwrap_or("LicenseRef-Unknown")
                .to_owned(),
            requires_python: first("Requires-Python").map(str::to_owned),
            requires: all("Requires-Dist")
                .map(|text| {
                    Requirement::from_str(text)
                        .unwrap_or_else(|error| panic!("{name} requires {text:?}: {error}"))
                })
                .collect(),
        }
    }

    /// The package's name in conda channels.
    pub(super) fn conda_name(&self) -> &str {
        conda_name(&self.name)
    }

    /// `depends` without python's binary interface; `known` holds all distributions of the channel.
    pub(super) fn depends(&self, known: &BTreeMap<String, Self>) -> Vec<String> {
        let mut depends = BTreeSet::new();
        self.add_requirements(known, &[], &mut depends);
        let python = self.requires_python.as_deref().unwrap_or(">=3");
        let mut depends: Vec<String> = depends.into_iter().collect();
        depends.push(format!("python {}", conda_version(python)));
        depends
    }

    fn add_requirements(
        &self,
        known: &BTreeMap<String, Self>,
        extras: &[ExtraName],
        depends: &mut BTreeSet<String>,
    ) {
        let environment = linux();
        for requirement in &self.requires {
            // If extras are requested, take only what they add.
            let plain = requirement.evaluate_markers(&environment, &[]);
            let wanted = if extras.is_empty() {
                plain
            } else {
                !plain && requirement.evaluate_markers(&environment, extras)
            };
            if !wanted {
                continue;
            }
            let name = requirement.name.to_string();
            let target = known
                .get(&name)
                .unwrap_or_else(|| panic!("{} needs {name}, which is not in the list", self.name));
            let spec = match &requirement.version_or_url {
                Some(VersionOrUrl::VersionSpecifier(version)) if !version.is_empty() => {
                    format!(
                        "{} {}",
                        conda_name(&name),
                        conda_version(&version.to_string())
                    )
                }
                _ => conda_name(&name).to_owned(),
            };
            depends.insert(spec);
            if !requirement.extras.is_empty() {
                target.add_requirements(known, &requirement.extras, depends);
            }
        }
    }
}

/// In conda channels, `tzdata` is the time zone database itself.
fn conda_name(name: &str) -> &str {
    match name {
        "tzdata" => "python-tzdata",
        name => name,
    }
}

/// Python version specifiers in conda's notation: no spaces, and `1.*` instead of `==1.*`.
fn conda_version(specifiers: &str) -> String {
    let parts: Vec<String> = specifiers
        .split(',')
        .map(|part| {
            let part = part.replace(' ', "");
            match part.strip_prefix("==") {
                Some(pattern) if pattern.ends_with(".*") => pattern.to_owned(),
                _ => part,
            }
        })
        .collect();
    parts.join(",")
}

fn license_classifier(classifier: &str) -> Option<&str> {
    classifier
        .strip_prefix("License :: ")
        .map(|license| license.rsplit(" :: ").next().unwrap_or(license))
}

/// The environment that markers are evaluated in: the channel's python on linux-64.
fn linux() -> MarkerEnvironment {
    let full = format!("{PYTHON}.0");
    MarkerEnvironment::try_from(MarkerEnvironmentBuilder {
        implementation_name: "cpython",
        implementation_version: &full,
        os_name: "posix",
        platform_machine: "x86_64",
        platform_python_implementation: "CPython",
        platform_release: "",
        platform_system: "Linux",
        platform_version: "",
        python_full_version: &full,
        python_version: PYTHON,
        sys_platform: "linux",
    })
    .expect("valid versions")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependencies_with_markers_and_extras() {
        let known: BTreeMap<String, Metadata> = [
            "Name: App\nVersion: 1\nRequires-Python: >=3.9\nRequires-Dist: Lib[fast] (>=1.0,<2)\n\
             Requires-Dist: tomli; python_version < '3.11'\nRequires-Dist: plain; extra == 'x'\n",
            "Name: lib\nVersion: 1.5\nRequires-Dist: tzdata; extra == 'fast'\nRequires-Dist: plain\n",
            "Name: tzdata\nVersion: 1\n",
            "Name: plain\nVersion: 1\n",
        ]
        .into_iter()
        .map(Metadata::parse)
        .map(|metadata| (metadata.name.clone(), metadata))
        .collect();
        assert_eq!(
            known["app"].depends(&known),
            ["lib >=1.0,<2", "python-tzdata", "python >=3.9"]
        );
        assert_eq!(known["lib"].depends(&known), ["plain", "python >=3"]);
    }

    #[test]
    fn versions() {
        assert_eq!(conda_version("==1.*"), "1.*");
        assert_eq!(
            conda_version(">=1.2, !=1.5.*, ==1.9"),
            ">=1.2,!=1.5.*,==1.9"
        );
    }

    #[test]
    fn licences() {
        let license = |text: &str| Metadata::parse(&format!("Name: x\n{text}\n\nbody")).license;
        assert_eq!(license("License-Expression: MIT"), "MIT");
        assert_eq!(
            license("Classifier: License :: OSI Approved :: BSD License"),
            "BSD License"
        );
    }
}
