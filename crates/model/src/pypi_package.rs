//! A PyPI package that is pinned to one file.

use std::sync::Arc;

use url::Url;

use crate::package::{Hashes, PackageUrl};
use crate::source::{Lines, Location, SourceFile};

/// A PyPI package, pinned to one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PipPackage {
    /// Its name as written in the lock.
    pub name: String,
    /// Its version, if the lock gives it.
    pub version: Option<String>,
    /// The wheel or source archive.
    pub url: PackageUrl,
    /// The hashes that the file must have.
    pub hashes: Hashes,
    /// Whether it is asked for by this URL, rather than found in an index. A lock does not say so.
    pub is_direct: bool,
    /// The file's size in bytes, if the lock gives it.
    pub size: Option<u64>,
    /// The lines of the user's file that ask for it.
    pub lines: Lines,
    /// The user's file, if it is not the environment's own.
    pub file: Option<Arc<SourceFile>>,
    /// What its metadata says that it needs, if that is known.
    pub requires_dist: Vec<String>,
    /// The versions of python that its metadata says that it works with, if that is known.
    pub requires_python: Option<String>,
}

impl PipPackage {
    /// The file at `url` without a version or hashes, for tests.
    ///
    /// # Panics
    /// Where the text is no URL.
    #[doc(hidden)]
    pub fn example(url: &str) -> Self {
        let url = PackageUrl::new(Url::parse(url).expect("a URL"));
        let file_name = url.url().path().rsplit('/').next().unwrap_or_default();
        let name = file_name.split('-').next().unwrap_or_default();
        Self {
            name: name.to_owned(),
            version: None,
            hashes: Hashes::default(),
            url,
            is_direct: false,
            size: None,
            lines: Lines::one(1),
            file: None,
            requires_dist: Vec::new(),
            requires_python: None,
        }
    }

    /// The place that asks for it; `environment` is the environment's own file.
    pub fn location(&self, environment: &Arc<SourceFile>) -> Location {
        Location {
            file: Arc::clone(self.file.as_ref().unwrap_or(environment)),
            lines: self.lines,
        }
    }

    /// Its name and version, for messages.
    pub fn label(&self) -> String {
        match &self.version {
            Some(version) => format!("{} {version}", self.name),
            None => self.name.clone(),
        }
    }

    /// The name of its file.
    pub fn file_name(&self) -> String {
        self.url.file_name()
    }

    /// The version in the name of its file, if there is one: `NAME-VERSION-….whl` or `NAME-VERSION.tar.gz`.
    pub fn file_version(&self) -> Option<String> {
        let name = self.file_name();
        if let Some(parts) = name.strip_suffix(".whl") {
            return parts.split('-').nth(1).map(str::to_owned);
        }
        let stem = SDIST_SUFFIXES
            .iter()
            .find_map(|end| name.strip_suffix(end))?;
        let (_, version) = stem.rsplit_once('-')?;
        Some(version.to_owned())
    }

    /// Whether it is a wheel whose content is pinned, so that no pip is needed to install it.
    pub fn is_pinned_wheel(&self) -> bool {
        self.kind() == Some(FileKind::Wheel) && self.hashes.sha256.is_some()
    }

    /// Whether it is a source archive, which must be built.
    pub fn is_archive(&self) -> bool {
        self.kind() == Some(FileKind::Source)
    }

    /// The kind of its file; `None` if pip would not know it either.
    pub fn kind(&self) -> Option<FileKind> {
        FileKind::of_name(&self.file_name())
    }
}

/// The suffixes of source archives that pip can build.
const SDIST_SUFFIXES: [&str; 6] = [".tar.gz", ".zip", ".tgz", ".tar.bz2", ".tar.xz", ".tar"];

/// The kind of a file, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A wheel, ready to install.
    Wheel,
    /// A source archive, which must be built.
    Source,
}

impl FileKind {
    /// The kind of the file with this name; `None` if pip would not know it either.
    pub fn of_name(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        let is_plain = !name.starts_with('.') && !name.chars().any(|c| c == '/' || c.is_control());
        if !is_plain {
            None
        } else if name.ends_with(".whl") {
            Some(Self::Wheel)
        } else if SDIST_SUFFIXES.iter().any(|suffix| name.ends_with(suffix)) {
            Some(Self::Source)
        } else {
            None
        }
    }
}

/// A package's name as pip compares names: lower case, with `-` for every run of `-`, `_` and `.`
/// (<https://packaging.python.org/en/latest/specifications/name-normalization/>).
pub fn normalized(name: &str) -> String {
    let parts = name
        .split(['-', '_', '.'])
        .filter(|part| !part.is_empty())
        .map(str::to_ascii_lowercase);
    parts.collect::<Vec<_>>().join("-")
}

/// The normalized name at the start of a requirement. One that metadata has on several lines may start with a line break.
pub fn requirement_name(text: &str) -> Option<String> {
    let text = text.trim_start();
    let end = text.find(|c| !is_name_char(c)).unwrap_or(text.len());
    let name = normalized(&text[..end]);
    Some(name).filter(|name| !name.is_empty())
}

/// Whether a marker, what is behind the `;` of a requirement, is about an extra.
pub fn is_for_extra(marker: &str) -> bool {
    let is_word_char = |c: char| c.is_alphanumeric() || c == '_';
    let mut words = marker.split(|c| !is_word_char(c));
    words.any(|word| word == "extra")
}

/// Whether a character may be in the name of a PyPI package.
pub fn is_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-_.".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_as_pip_does() {
        for name in [
            "Zope.Interface",
            "zope-interface",
            "ZOPE__interface",
            "zope-_.interface",
        ] {
            assert_eq!(normalized(name), "zope-interface");
        }
    }

    #[test]
    fn requirements_start_with_their_names() {
        for (text, expected) in [
            ("Foo_Bar (>=1.0)", Some("foo-bar")),
            ("foo.bar[a,b]~=1.0", Some("foo-bar")),
            ("\n foo>=1", Some("foo")),
            ("foo@ https://f.example", Some("foo")),
            ("(foo)", None),
        ] {
            assert_eq!(requirement_name(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn markers_about_extras_are_known() {
        assert!(is_for_extra(" extra == 'all'"));
        assert!(is_for_extra("python_version < '3.9' and (extra=='a')"));
        assert!(!is_for_extra("os_name == 'extras'"));
        assert!(!is_for_extra(""));
    }

    #[test]
    fn kinds_of_files() {
        let kind = |url: &str| PipPackage::example(url).kind();
        let wheel = Some(FileKind::Wheel);
        assert_eq!(kind("https://f.example/a-1.0-py3-none-any.whl#x"), wheel);
        assert_eq!(
            kind("https://f.example/a-1.0%2Bcpu-py3-none-any.whl"),
            wheel
        );
        let source = Some(FileKind::Source);
        assert_eq!(kind("https://f.example/a-1.0.tar.gz?x=y"), source);
        assert_eq!(kind("https://f.example/a-1.0.ZIP"), source);
        for url in ["", "a-1.0.exe", "a%2Fb.whl", ".whl", "a.whl/"] {
            let url = format!("https://f.example/{url}");
            assert_eq!(kind(&url), None, "{url}");
        }
        let name =
            PipPackage::example("https://f.example/a-1.0%2Bcpu-py3-none-any.whl").file_name();
        assert_eq!(name, "a-1.0+cpu-py3-none-any.whl");
    }
}
