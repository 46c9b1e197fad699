//! Chooses packages from a channel and writes them as an explicit lock.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::{Channel, Package};

/// How an explicit lock writes a package's hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HashStyle {
    /// `#<32 hex digits>`
    Md5,
    /// `#<64 hex digits>`
    Sha256,
    /// `#sha256:<64 hex digits>`
    Sha256Prefix,
    /// No hash.
    None,
}

impl Channel {
    /// The package `name`, or `name=version`, for linux-64; the newest if there are several.
    ///
    /// # Panics
    /// If there is none.
    pub fn find(&self, spec: &str) -> &Package {
        self.find_for("linux-64", spec)
    }

    /// Like [`Channel::find`], for another platform.
    ///
    /// # Panics
    /// If there is none.
    pub fn find_for(&self, platform: &str, spec: &str) -> &Package {
        let (name, version) = match spec.split_once('=') {
            Some((name, version)) => (name, Some(version)),
            None => (spec, None),
        };
        self.packages()
            .iter()
            .filter(|package| package.name == name)
            .filter(|package| package.subdir == platform || package.subdir == "noarch")
            .filter(|package| version.is_none_or(|version| package.version == version))
            .max_by(|a, b| compare_versions(&a.version, &b.version))
            .unwrap_or_else(|| panic!("the channel has no {spec} for {platform}"))
    }

    /// `specs` (as [`Channel::find`] takes them) and all their dependencies; dependencies come first.
    /// Names requested with a version keep it.
    ///
    /// # Panics
    /// If something is missing.
    pub fn closure(&self, specs: &[&str]) -> Vec<&Package> {
        self.closure_for("linux-64", specs)
    }

    /// Like [`Channel::closure`], for another platform.
    ///
    /// # Panics
    /// If something is missing.
    pub fn closure_for(&self, platform: &str, specs: &[&str]) -> Vec<&Package> {
        let mut closure = Closure {
            channel: self,
            platform,
            specs,
            seen: BTreeSet::new(),
            ordered: Vec::new(),
        };
        // Python first, as in conda, so that noarch packages find it.
        let mut sorted: Vec<&str> = specs.iter().map(|spec| name_of(spec)).collect();
        sorted.sort_by_key(|name| (*name != "python", *name));
        for name in sorted {
            closure.visit(name);
        }
        closure.ordered
    }
}

struct Closure<'a, 'b> {
    channel: &'a Channel,
    platform: &'b str,
    specs: &'b [&'b str],
    seen: BTreeSet<String>,
    ordered: Vec<&'a Package>,
}

impl Closure<'_, '_> {
    fn visit(&mut self, name: &str) {
        if name.starts_with("__") || !self.seen.insert(name.to_owned()) {
            return;
        }
        let asked = self.specs.iter().find(|spec| name_of(spec) == name);
        let spec = asked.unwrap_or(&name);
        let package = self.channel.find_for(self.platform, spec);
        let mut needed: Vec<&str> = package.depends.iter().map(|spec| name_of(spec)).collect();
        needed.sort_by_key(|name| (*name != "python", *name));
        for name in needed {
            self.visit(name);
        }
        self.ordered.push(package);
    }
}

/// The text of an explicit lock for `packages`, with URLs below `base_url`.
pub fn lock(packages: &[&Package], base_url: &str, style: HashStyle) -> String {
    let platform = packages
        .iter()
        .map(|package| package.subdir.as_str())
        .find(|subdir| *subdir != "noarch")
        .unwrap_or("linux-64");
    let mut text = format!("# platform: {platform}\n@EXPLICIT\n");
    for package in packages {
        let hash = match style {
            HashStyle::Md5 => format!("#{}", package.md5),
            HashStyle::Sha256 => format!("#{}", package.sha256),
            HashStyle::Sha256Prefix => format!("#sha256:{}", package.sha256),
            HashStyle::None => String::new(),
        };
        let base = base_url.trim_end_matches('/');
        writeln!(text, "{base}/{}{hash}", package.path()).expect("writing into a string");
    }
    text
}

/// The name at the start of a MatchSpec.
fn name_of(spec: &str) -> &str {
    spec.split([' ', '=', '<', '>', '!', '~'])
        .next()
        .unwrap_or(spec)
}

/// Compares numbers as numbers and the rest as text, which is enough for the kit's versions.
fn compare_versions(a: &str, b: &str) -> Ordering {
    let parts = |version: &str| -> Vec<(u64, String)> {
        version
            .split('.')
            .map(|part| (part.parse().unwrap_or(0), part.to_owned()))
            .collect()
    };
    parts(a).cmp(&parts(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        assert_eq!(compare_versions("1.10", "1.9"), Ordering::Greater);
        assert_eq!(compare_versions("1.0", "1.0"), Ordering::Equal);
        assert_eq!(compare_versions("1.0", "1.0.1"), Ordering::Less);
    }

    #[test]
    fn names() {
        assert_eq!(name_of("numpy >=1.2,<3"), "numpy");
        assert_eq!(name_of("bumpme=1.0"), "bumpme");
        assert_eq!(name_of("six"), "six");
    }
}
