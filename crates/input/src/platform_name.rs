//! The names that pixi makes of what a platform says about its machines, as `linux-64-cuda-12-9`.
//!
//! A manifest need not name such a platform, and features refer to it by this name. In a lock, older releases of pixi call it
//! `p1`. pixi tells the platforms of a lock apart by their virtual packages (`crates/pixi_manifest/src/toml/platform.rs` and
//! `crates/pixi_core/src/lock_file/platform_rename.rs` of its source).

use crate::yaml::Node;

/// The keys of a manifest, each with its virtual package, in the order of the names.
const KEYS: &[(&str, &str)] = &[
    ("cuda", "__cuda"),
    (ARCHSPEC, "__archspec"),
    ("glibc", "__glibc"),
    ("linux", "__linux"),
    ("macos", "__osx"),
    ("windows", "__win"),
];

/// The key whose value is the build string of its virtual package.
const ARCHSPEC: &str = "archspec";

/// A virtual package: name, version and build string.
struct Virtual {
    name: String,
    version: String,
    build: String,
}

impl Virtual {
    fn new(name: &str, version: &str, build: &str) -> Self {
        Self {
            name: name.to_owned(),
            version: version.trim().to_owned(),
            build: match build.trim() {
                "0" => String::new(),
                build => build.to_owned(),
            },
        }
    }

    /// `__NAME` with `VERSION=BUILD`; both the version and the build may be missing.
    fn of_text(name: &str, text: &str) -> Self {
        let (version, build) = text.split_once('=').unwrap_or((text, ""));
        Self::new(name, version, build)
    }

    /// What names do not mention: the virtual packages of every machine of the platform.
    fn is_default(&self, subdir: &str) -> bool {
        let arch = subdir.rsplit('-').next().unwrap_or_default();
        let arch = match (subdir, arch) {
            ("osx-arm64", _) => "m1",
            (_, "64") => "x86_64",
            (_, "32") => "x86",
            (_, other) => other,
        };
        let value = match self.name.as_str() {
            "__unix" => ("0", ""),
            "__linux" => ("4.18", ""),
            "__glibc" => ("2.28", ""),
            "__osx" => ("13.0", ""),
            "__win" => ("10.0", ""),
            "__archspec" => ("0", arch),
            _ => return false,
        };
        value == (self.version.as_str(), self.build.as_str())
    }

    /// The value of the manifest's key for this virtual package, if it can have such a key.
    fn of_key(&self, key: &str) -> Option<&str> {
        if key == ARCHSPEC {
            return Some(self.build.as_str())
                .filter(|build| self.version == "0" && !build.is_empty());
        }
        Some(self.version.as_str()).filter(|_| self.build.is_empty())
    }
}

/// The name that pixi makes for an entry of a manifest's `platforms`.
pub(crate) fn of_manifest(subdir: &str, entry: &Node) -> String {
    name(subdir, said(entry))
}

/// The virtual packages by which a lock tells an entry of a manifest's `platforms` apart, as it has them.
pub(crate) fn virtual_packages(subdir: &str, entry: &Node) -> Vec<String> {
    let all = told_apart(subdir, said(entry)).into_iter();
    let text = |one: Virtual| match (one.version.as_str(), one.build.as_str()) {
        (version, "") => format!("{}={version}", one.name),
        (version, build) => format!("{}={version}={build}", one.name),
    };
    all.map(text).collect()
}

/// The virtual packages that an entry of a manifest's `platforms` asks for.
fn said(entry: &Node) -> Vec<Virtual> {
    let mut all = Vec::new();
    for (key, value) in entry.mapping().unwrap_or_default() {
        let name = match key.name.as_str() {
            "osx" => "macos",
            name => name,
        };
        if name.starts_with("__") {
            all.push(Virtual::of_text(name, value.text().unwrap_or_default()));
            continue;
        }
        let Some((_, own)) = KEYS.iter().find(|(key, _)| *key == name) else {
            continue;
        };
        let version = value.get("driver").unwrap_or(value).text();
        let version = version.unwrap_or_default();
        all.push(match name {
            ARCHSPEC => Virtual::new(own, "0", version),
            _ => Virtual::new(own, version, ""),
        });
        if let Some(arch) = value.get("arch").and_then(Node::text) {
            all.push(Virtual::new("__cuda_arch", arch, ""));
        }
    }
    all
}

/// The name that pixi makes for an entry of a lock's `platforms`.
pub(crate) fn of_lock(subdir: &str, entry: &Node) -> String {
    let listed = entry.get("virtual-packages").and_then(Node::list);
    of_virtual_packages(
        subdir,
        listed.unwrap_or_default().iter().filter_map(Node::text),
    )
}

/// The name that pixi makes for a platform with the virtual packages that a lock lists.
pub(crate) fn of_virtual_packages<'a>(
    subdir: &str,
    listed: impl Iterator<Item = &'a str>,
) -> String {
    let all = listed.map(|text| {
        let (name, value) = text.split_once('=').unwrap_or((text, "0"));
        Virtual::of_text(name.trim(), value)
    });
    name(subdir, all.collect())
}

/// Whether a lock's name of a platform is one that pixi counts up: `p1`.
pub(crate) fn is_counted(name: &str) -> bool {
    let number = name.strip_prefix('p').unwrap_or_default();
    !number.is_empty() && number.bytes().all(|c| c.is_ascii_digit())
}

/// Whether a platform's name is one of those that `pattern` stands for: each `*` is any text.
pub(crate) fn is_of_pattern(name: &str, pattern: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(last) = parts.next_back() else {
        return name == pattern;
    };
    let Some(mut rest) = name.strip_prefix(first) else {
        return false;
    };
    for part in parts {
        // The first place leaves the most for the other parts.
        let Some((_, after)) = rest.split_once(part) else {
            return false;
        };
        rest = after;
    }
    rest.ends_with(last)
}

/// Those that not every machine of the platform has, sorted.
fn told_apart(subdir: &str, mut all: Vec<Virtual>) -> Vec<Virtual> {
    all.retain(|one| !one.is_default(subdir));
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

fn name(subdir: &str, all: Vec<Virtual>) -> String {
    let mut all = told_apart(subdir, all);
    let mut parts = vec![subdir.to_owned()];
    for (key, own) in KEYS {
        let found = all.iter().position(|one| one.name == *own);
        let value = found.and_then(|at| Some((at, all[at].of_key(key)?.to_owned())));
        if let Some((at, value)) = value {
            all.remove(at);
            parts.push(format!("{key}-{}", segment(&value)));
        }
    }
    for one in all {
        let value = if one.build.is_empty() {
            one.version
        } else {
            format!("{}={}", one.version, one.build)
        };
        parts.push(format!("{}-{}", segment(&one.name), segment(&value)));
    }
    parts.join("-")
}

/// A text with dashes instead of everything that is neither a letter nor a digit.
fn segment(text: &str) -> String {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    words.join("-")
}

#[cfg(test)]
mod tests {
    use super::{is_counted, is_of_pattern, of_lock, of_manifest, virtual_packages};
    use crate::yaml;
    use condafront_model::source::SourceFile;

    fn tree(text: &str) -> yaml::Node {
        yaml::read(&SourceFile::new("pixi.lock", text), text).unwrap()
    }

    #[test]
    fn names_are_those_that_pixi_makes() {
        let cases = [
            ("linux-64", "{platform: linux-64}", "linux-64"),
            (
                "linux-64",
                "{platform: linux-64, cuda: '12.9'}",
                "linux-64-cuda-12-9",
            ),
            // The order of the keys does not count, nor does what every machine has.
            (
                "linux-64",
                "{glibc: '2.34', linux: '4.18', platform: linux-64, archspec: x86_64_v3, cuda: '12'}",
                "linux-64-cuda-12-archspec-x86-64-v3-glibc-2-34",
            ),
            (
                "linux-64",
                "{platform: linux-64, cuda: {driver: '12.0', arch: '8.6'}}",
                "linux-64-cuda-12-0-cuda-arch-8-6",
            ),
            (
                "linux-aarch64",
                "{platform: linux-aarch64, __b: '1=x', __a: '2', archspec: aarch64}",
                "linux-aarch64-a-2-b-1-x",
            ),
            (
                "osx-arm64",
                "{platform: osx-arm64, osx: '14.0'}",
                "osx-arm64-macos-14-0",
            ),
        ];
        for (subdir, entry, expected) in cases {
            let entry = tree(entry);
            assert_eq!(of_manifest(subdir, &entry), expected);
            let listed = virtual_packages(subdir, &entry).join(", ");
            let lock = tree(&format!("virtual-packages: [{listed}]"));
            assert_eq!(of_lock(subdir, &lock), expected, "{listed}");
        }
    }

    #[test]
    fn a_lock_has_the_same_names() {
        let entry = "name: p1\nsubdir: linux-64\nvirtual-packages: [__cuda=12.9, __unix=0=0, __linux=4.18, __glibc=2.28, __archspec=0=x86_64]\n";
        assert_eq!(of_lock("linux-64", &tree(entry)), "linux-64-cuda-12-9");
        let plain =
            "name: linux-64\nvirtual-packages: [__linux=4.18, __glibc=2.28, __archspec=0=x86_64]\n";
        assert_eq!(of_lock("linux-64", &tree(plain)), "linux-64");
        let arch = "name: p2\nvirtual-packages: ['__archspec=0=x86_64_v3', '__cuda=12.0', '__cuda_arch=8.6']\n";
        assert_eq!(
            of_lock("linux-64", &tree(arch)),
            "linux-64-cuda-12-0-archspec-x86-64-v3-cuda-arch-8-6"
        );
    }

    #[test]
    fn counted_names_are_known() {
        for (name, expected) in [("p1", true), ("p12", true), ("p", false), ("p1x", false)] {
            assert_eq!(is_counted(name), expected, "{name}");
        }
    }

    #[test]
    fn patterns_stand_for_names() {
        for (pattern, expected) in [
            ("*", true),
            ("linux-*", true),
            ("*cuda*", true),
            ("linux-64-*-12-9", true),
            ("linux**9", true),
            ("*-9-*", false),
            ("win-*", false),
            ("linux-64-cuda-12-9*9", false),
            ("linux-64-cuda-12-9", true),
        ] {
            let found = is_of_pattern("linux-64-cuda-12-9", pattern);
            assert_eq!(found, expected, "{pattern}");
        }
    }
}
