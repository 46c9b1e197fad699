//! A conda package as an input names it: its URL, its hashes and its name.

use std::fmt;

use url::Url;

use crate::redact;
use crate::source::Lines;

/// One package of an environment, pinned to one archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// Name, version and build, from the archive's name.
    pub id: PackageId,
    /// The platform folder of the channel: `linux-64`, `noarch`, …
    pub subdir: String,
    /// Its URL in the input.
    pub url: PackageUrl,
    /// The hashes that the archive must have.
    pub hashes: Hashes,
    /// Size of the archive in bytes, if the input gives it.
    pub size: Option<u64>,
    /// The lines of the user's file that ask for it.
    pub lines: Lines,
}

impl Package {
    /// A package for tests: version 1.0 of `name` on linux-64, pinned by its SHA-256, asked for in the first line.
    ///
    /// # Panics
    /// Where no package can have the name.
    #[doc(hidden)]
    pub fn example(name: &str) -> Self {
        let id = PackageId::from_file_name(&format!("{name}-1.0-0.conda"))
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let url = format!("https://c.example/conda-forge/linux-64/{}", id.file_name());
        Self {
            id,
            subdir: "linux-64".to_owned(),
            url: PackageUrl::new(Url::parse(&url).unwrap_or_else(|error| panic!("{url}: {error}"))),
            hashes: Hashes {
                sha256: Some("0".repeat(64)),
                md5: None,
            },
            size: None,
            lines: Lines::one(1),
        }
    }

    /// Whether it has no machine code, so that one archive fits every platform.
    pub fn is_noarch(&self) -> bool {
        self.subdir == "noarch"
    }
}

/// The identity of a package: the parts of its archive's name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PackageId {
    /// Name, such as `numpy`.
    pub name: String,
    /// Version, such as `2.1.0`.
    pub version: String,
    /// Build string, such as `py312h1103770_0`.
    pub build: String,
    /// The archive's format.
    pub format: ArchiveFormat,
}

/// The archive formats of conda packages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ArchiveFormat {
    /// `.conda`: a zip of zstd-compressed tar files.
    Conda,
    /// `.tar.bz2`.
    TarBz2,
}

impl ArchiveFormat {
    /// The file name extension, with its dot.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Conda => ".conda",
            Self::TarBz2 => ".tar.bz2",
        }
    }
}

/// Why a file name is not that of a conda package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PackageNameError {
    /// Neither `.conda` nor `.tar.bz2`.
    #[error("its name ends in neither .conda nor .tar.bz2")]
    Suffix,
    /// Not `name-version-build`.
    #[error("its name is not of the form <name>-<version>-<build>")]
    Parts,
    /// Longer than a file's name can be (`NAME_MAX`).
    #[error("its name has more than 255 bytes")]
    TooLong,
    /// A character that package names cannot have.
    #[error("its name has a character that package names cannot have")]
    Character,
}

impl PackageId {
    /// Reads `numpy-2.1.0-py312h1103770_0.conda`.
    ///
    /// # Errors
    /// When the name is not of that form (<https://docs.conda.io/projects/conda-build/en/stable/concepts/package-naming-conv.html>).
    pub fn from_file_name(file_name: &str) -> Result<Self, PackageNameError> {
        let (stem, format) = [ArchiveFormat::Conda, ArchiveFormat::TarBz2]
            .into_iter()
            .find_map(|format| Some((file_name.strip_suffix(format.suffix())?, format)))
            .ok_or(PackageNameError::Suffix)?;
        if file_name.len() > 255 {
            return Err(PackageNameError::TooLong);
        }
        let mut parts = stem.rsplitn(3, '-');
        let (Some(build), Some(version), Some(name)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(PackageNameError::Parts);
        };
        if [name, version, build].iter().any(|part| part.is_empty()) {
            return Err(PackageNameError::Parts);
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || "._+!-~@=".contains(c);
        if !stem.chars().all(plain) {
            return Err(PackageNameError::Character);
        }
        Ok(Self {
            name: name.to_owned(),
            version: version.to_owned(),
            build: build.to_owned(),
            format,
        })
    }

    /// The archive's name.
    pub fn file_name(&self) -> String {
        format!("{self}{}", self.format.suffix())
    }
}

impl fmt::Display for PackageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.name, self.version, self.build)
    }
}

/// The hashes that an archive must have; an input gives either, both or neither.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hashes {
    /// SHA-256 as 64 lower-case hex digits.
    pub sha256: Option<String>,
    /// MD5 as 32 lower-case hex digits.
    pub md5: Option<String>,
}

impl Hashes {
    /// Whether BuildKit can verify the download itself, and needs no network if it already has it.
    pub fn is_pinned(&self) -> bool {
        self.sha256.is_some()
    }

    /// Whether these and `other` may be those of the same file.
    pub fn agree(&self, other: &Self) -> bool {
        self.pairs(other)
            .iter()
            .all(|(a, b)| a.is_none() || b.is_none() || a == b)
    }

    /// Whether these and `other` show that they are those of the same file.
    pub fn prove_equal(&self, other: &Self) -> bool {
        let mut pairs = self.pairs(other).into_iter();
        self.agree(other) && pairs.any(|(a, b)| a.is_some() && a == b)
    }

    fn pairs<'a>(&'a self, other: &'a Self) -> [(&'a Option<String>, &'a Option<String>); 2] {
        [(&self.sha256, &other.sha256), (&self.md5, &other.md5)]
    }

    /// Adds those of `other`, which are of the same file.
    pub fn complete(&mut self, other: Self) {
        self.sha256 = self.sha256.take().or(other.sha256);
        self.md5 = self.md5.take().or(other.md5);
    }
}

/// The address of a package. What an input or a server gives may carry credentials (`user:password@`, `/t/<token>/`): they
/// are never shown, and never fetched with.
#[derive(Clone, PartialEq, Eq)]
pub struct PackageUrl {
    url: Url,
    file_name: Option<String>,
}

impl PackageUrl {
    /// Wraps an absolute http(s) URL.
    pub fn new(url: Url) -> Self {
        Self {
            url,
            file_name: None,
        }
    }

    /// The same for a file that has this name, whatever the URL ends in.
    pub fn with_file_name(self, file_name: impl Into<String>) -> Self {
        Self {
            file_name: Some(file_name.into()),
            ..self
        }
    }

    /// The file's name: its own, or the end of the path.
    pub fn file_name(&self) -> String {
        if let Some(name) = &self.file_name {
            return name.clone();
        }
        let last = self.url.path().rsplit('/').next().unwrap_or_default();
        percent_encoding::percent_decode_str(last)
            .decode_utf8_lossy()
            .into_owned()
    }

    /// The URL as it is, with any credentials.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The URL as it may be recorded in `conda-meta`: without credentials, but with a query that only switches something, such as
    /// `raw=true`, because the file is downloaded from there again.
    pub fn recorded(&self) -> Url {
        let mut url = self.recorded_file();
        redact::strip(&mut url);
        url
    }

    /// The same for a file that is no conda package, in whose path `/t/` is not followed by a token.
    pub fn recorded_file(&self) -> Url {
        let mut url = self.url.clone();
        redact::strip_login(&mut url);
        if url.query().is_some_and(redact::is_secret) {
            url.set_query(None);
        }
        url.set_fragment(None);
        url
    }

    /// The address of the channel that a conda package is in, as it is recorded, without a trailing slash.
    pub fn channel(&self) -> String {
        let recorded = self.recorded();
        // <channel>/<subdir>/<archive>
        let channel = recorded.as_str().rsplitn(3, '/').nth(2);
        channel.unwrap_or_default().to_owned()
    }

    /// Whether it carries a user, a password or a token.
    pub fn has_credentials(&self) -> bool {
        let mut url = self.url.clone();
        redact::strip(&mut url);
        url != self.url
    }

    /// Whether it carries a user or a password.
    pub fn has_login(&self) -> bool {
        !self.url.username().is_empty() || self.url.password().is_some()
    }

    /// The host, for messages about secrets and mirrors.
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }
}

impl fmt::Display for PackageUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&redact::masked(self.url.as_str()))
    }
}

impl fmt::Debug for PackageUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PackageUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split_from_the_right() {
        let id = PackageId::from_file_name("ca-certificates-2024.8.30-hbcca054_0.conda").unwrap();
        assert_eq!(
            (id.name.as_str(), id.version.as_str(), id.build.as_str()),
            ("ca-certificates", "2024.8.30", "hbcca054_0")
        );
        assert_eq!(id.file_name(), "ca-certificates-2024.8.30-hbcca054_0.conda");
    }

    #[test]
    fn other_file_names_are_refused() {
        use PackageNameError::*;
        for (name, error) in [
            ("numpy-2.1.0-0.whl", Suffix),
            ("numpy.conda", Parts),
            (".conda", Parts),
            ("-1-0.conda", Parts),
            ("a b-1-0.tar.bz2", Character),
        ] {
            assert_eq!(PackageId::from_file_name(name), Err(error), "{name}");
        }
    }

    #[test]
    fn credentials_are_neither_shown_nor_recorded() {
        let url = |text: &str| PackageUrl::new(Url::parse(text).unwrap());
        let token = url("https://conda.example/t/tk-123/main/noarch/a-1-0.conda");
        assert_eq!(
            token.to_string(),
            "https://conda.example/t/***/main/noarch/a-1-0.conda"
        );
        assert_eq!(
            token.recorded().as_str(),
            "https://conda.example/main/noarch/a-1-0.conda"
        );
        let user = url("https://me:secret@conda.example/main/noarch/a-1-0.conda?sig=abc");
        assert!(!format!("{user} {user:?} {}", user.recorded()).contains("secret"));
        assert!(!format!("{user} {user:?} {}", user.recorded()).contains("abc"));
        assert_eq!(user.host(), "conda.example");
        assert_eq!(user.recorded().query(), None);
        assert_eq!(token.channel(), "https://conda.example/main");
        // What is needed to download the file again stays, with the file.
        let switched = url("https://me:secret@g.example/raw/a-1-0.conda?raw=true#sha256:0");
        assert_eq!(switched.channel(), "https://g.example");
        for recorded in [switched.recorded(), switched.recorded_file()] {
            assert_eq!(
                recorded.as_str(),
                "https://g.example/raw/a-1-0.conda?raw=true"
            );
        }
    }
}
