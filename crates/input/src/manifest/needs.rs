//! The versions that an environment of a manifest needs of the machines: of their drivers, processors, kernels and C libraries.

use std::str::FromStr as _;

use rattler_conda_types::Version;

use super::refusals::Refusals;
use super::workspace::{Environment, Workspace};
use crate::environment_input::{DeclaredSystem, RequestedSpec};
use crate::yaml::{Key, Node};
use condafront_model::redact::quoted;
use condafront_model::source::{Diagnostic, Lines};

/// The kernel that a solve counts on.
const KERNEL: &str = "5.10";

/// The versions that an environment needs, the highest of each kind.
pub(super) struct Needs(Vec<Least>);

/// A version that a machine must have at least.
struct Least {
    /// The virtual package, without underscores.
    name: &'static str,
    version: String,
    /// Its build string, where that matters.
    build: Option<String>,
    lines: Lines,
}

impl Needs {
    /// What the features of an environment need, and the entry `chosen` of the workspace's platforms.
    ///
    /// # Errors
    /// An invalid version.
    pub(super) fn read<'a>(
        workspace: &Workspace<'a>,
        chosen: Option<&'a Node>,
        environment: &Environment<'a>,
        refusals: &mut Refusals,
    ) -> Result<Self, Diagnostic> {
        let mut reader = Reader {
            workspace,
            refusals,
            found: Vec::new(),
        };
        if let Some(table) = chosen {
            reader.add(table)?;
        }
        for feature in &environment.features {
            for node in workspace.tables(*feature, &["system-requirements"]) {
                workspace.entries(node, "system-requirements")?;
                reader.add(node)?;
            }
        }
        let mut found = reader.found;
        let key = |one: &Least| Version::from_str(&one.version).ok();
        found.sort_by(|a, b| a.name.cmp(b.name).then_with(|| key(b).cmp(&key(a))));
        found.dedup_by_key(|one| one.name);
        Ok(Self(found))
    }

    /// What a solve can count on.
    pub(super) fn system(self) -> DeclaredSystem {
        let mut system = DeclaredSystem::default();
        for one in self.0 {
            match one.name {
                "archspec" => system.archspec = Some(one.version),
                "cuda" => system.cuda = Some(one.version),
                "cuda_arch" => {
                    let build = one.build.as_deref().unwrap_or("0");
                    system.cuda_arch = Some(format!("{}={build}", one.version));
                }
                _ => {}
            }
        }
        system
    }

    /// What the image must have.
    pub(super) fn specs(&self) -> Vec<RequestedSpec> {
        let of_image = self.0.iter();
        let of_image = of_image.filter(|one| ["cuda", "glibc"].contains(&one.name));
        let specs = of_image.map(|one| RequestedSpec {
            spec: format!("__{} >={}", one.name, one.version),
            lines: one.lines,
            is_implied: false,
        });
        specs.collect()
    }

    /// Warns of a kernel that is later than the one that packages are chosen for.
    pub(super) fn warn_of_kernel(&self, workspace: &Workspace<'_>, refusals: &mut Refusals) {
        let is_later = |one: &&Least| {
            one.name == "linux"
                && Version::from_str(&one.version).ok() > Version::from_str(KERNEL).ok()
        };
        if let Some(kernel) = self.0.iter().find(is_later) {
            refusals.warn(
                workspace.at(kernel.lines),
                &format!("an image has no kernel: packages are chosen for Linux {KERNEL}"),
                "Make sure that the machines that run the image have the kernel that you need.",
            );
        }
    }
}

/// Reads tables of versions.
struct Reader<'w, 'a> {
    workspace: &'w Workspace<'a>,
    refusals: &'w mut Refusals,
    found: Vec<Least>,
}

impl Reader<'_, '_> {
    /// Adds the versions that a table names.
    fn add(&mut self, node: &Node) -> Result<(), Diagnostic> {
        for (key, value) in node.mapping().unwrap_or_default() {
            let place = self.workspace.at(key.lines);
            let bare = key.name.strip_prefix("__");
            let name = match bare.unwrap_or(&key.name) {
                "cuda" => "cuda",
                "cuda_arch" => "cuda_arch",
                "archspec" => "archspec",
                "glibc" | "libc" => "glibc",
                "linux" => "linux",
                "osx" | "win" | "unix" => continue,
                _ if bare.is_some() => {
                    let message = format!(
                        "a solve does not know the virtual package `{}`",
                        quoted(&key.name)
                    );
                    self.refusals.refuse(place, message);
                    continue;
                }
                // The platforms' own, and those of other systems.
                _ => continue,
            };
            let family = value.get("family").and_then(Node::text);
            if family.is_some_and(|family| family != "glibc") {
                self.refusals.refuse(
                    place,
                    "packages for Linux need glibc, not another C library",
                );
                continue;
            }
            let of_driver = value.get("driver").filter(|_| name == "cuda");
            let version = of_driver.or_else(|| value.get("version"));
            let least = self.version(key, version.unwrap_or(value), name)?;
            self.found.push(least);
            if let Some(arch) = value.get("arch").filter(|_| of_driver.is_some()) {
                let least = self.version(key, arch, "cuda_arch")?;
                self.found.push(least);
            }
        }
        Ok(())
    }

    /// A version; below a name with underscores, with a build string.
    fn version(&self, key: &Key, node: &Node, name: &'static str) -> Result<Least, Diagnostic> {
        let text = node.text().unwrap_or_default().trim();
        let parts = text.split_once('=').filter(|_| key.name.starts_with("__"));
        let (version, build) = match parts {
            // The version of an architecture says nothing.
            Some((_, build)) if name == "archspec" => (build, None),
            Some((version, build)) => (version, Some(build)),
            None => (text, None),
        };
        let is_word = |text: &str| {
            let known = |c: char| c.is_ascii_alphanumeric() || "_.".contains(c);
            !text.is_empty() && text.chars().all(known)
        };
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit());
        let is_valid = match name {
            "archspec" => is_word(version),
            "cuda_arch" => version
                .split_once('.')
                .map_or(is_number(version), |(major, minor)| {
                    is_number(major) && is_number(minor)
                }),
            _ => {
                version.starts_with(|c: char| c.is_ascii_digit())
                    && Version::from_str(version).is_ok()
            }
        };
        if is_valid && build.is_none_or(is_word) {
            return Ok(Least {
                name,
                version: match name {
                    "cuda_arch" if is_number(version) => format!("{version}.0"),
                    _ => version.to_owned(),
                },
                build: build.map(str::to_owned),
                lines: key.lines,
            });
        }
        let shown = node
            .text()
            .map_or(node.what().to_owned(), |text| format!("`{}`", quoted(text)));
        let place = self.workspace.at(key.lines);
        let (what, example) = match name {
            "cuda_arch" => (
                "the architecture of `cuda`".to_owned(),
                "cuda = { driver = \"12.0\", arch = \"8.6\" }",
            ),
            _ => (format!("`{}`", quoted(&key.name)), "cuda = \"12\""),
        };
        Err(place
            .error(format!("{what} must be a version, not {shown}"))
            .help(format!("For example: {example}")))
    }
}
