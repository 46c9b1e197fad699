//! Image names, as Docker writes them.
//!
//! The grammar is that of `regexp.go` in <https://github.com/distribution/reference>. Crates have it as a regular expression:
//! compiling it takes longer than everything else in a build in which nothing has changed.

use std::str::FromStr;

use condafront_model::redact::quoted;

/// What an image is built on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum BaseName {
    /// Nothing at all.
    Scratch,
    /// An image from a registry or the engine's own store.
    Image(ImageName),
}

/// An image's name with registry and tag (or digest): `docker.io/library/debian:13-slim`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ImageName {
    /// Registry and repository, `docker.io/library/debian`.
    repository: String,
    /// The tag, if there is one. `latest` is implied only where there is no digest.
    tag: Option<String>,
    digest: Option<String>,
}

/// An invalid image name, which Docker would refuse as well.
#[derive(Debug, thiserror::Error)]
#[error("`{name}` is not a valid image name: {reason}")]
pub(crate) struct ImageNameError {
    /// The name as messages quote it.
    name: String,
    #[source]
    reason: Reason,
}

/// What is wrong with an image name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum Reason {
    #[error("it is empty")]
    Empty,
    #[error("invalid reference format")]
    Format,
    #[error("its repository has more than {LONGEST_PATH} characters")]
    TooLong,
    #[error("its digest has the wrong length")]
    DigestLength,
    #[error("its digest has an unknown algorithm")]
    DigestAlgorithm,
}

/// How many characters a path in a registry can have.
const LONGEST_PATH: usize = 255;

impl FromStr for BaseName {
    type Err = ImageNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "scratch" => Ok(Self::Scratch),
            _ => text.parse().map(Self::Image),
        }
    }
}

impl FromStr for ImageName {
    type Err = ImageNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        read(text).map_err(|reason| ImageNameError {
            name: quoted(text),
            reason,
        })
    }
}

impl ImageName {
    /// Whether it names one image for all time.
    pub(crate) fn is_pinned(&self) -> bool {
        self.digest.is_some()
    }

    /// The whole name, `docker.io/library/debian:13-slim`, for LLB.
    pub(crate) fn canonical(&self) -> String {
        let mut name = self.repository.clone();
        for (sign, part) in [(":", &self.tag), ("@", &self.digest)] {
            if let Some(part) = part {
                name.extend([sign, part]);
            }
        }
        name
    }

    /// The whole name with the digest that it resolves to.
    pub(crate) fn pinned(&self, digest: &str) -> String {
        match self.digest {
            Some(_) => self.canonical(),
            None => format!("{}@{digest}", self.canonical()),
        }
    }

    /// The name as people write it, without Docker Hub's default parts and `:latest`; named contexts are looked up by
    /// it (`frontend/dockerui/namedcontext.go`).
    pub(crate) fn familiar(&self) -> String {
        let name = self.canonical();
        let name = name.strip_prefix("docker.io/").unwrap_or(&name);
        let name = name.strip_prefix("library/").unwrap_or(name);
        name.strip_suffix(":latest").unwrap_or(name).to_owned()
    }
}

fn read(text: &str) -> Result<ImageName, Reason> {
    if text.is_empty() {
        return Err(Reason::Empty);
    }
    let (rest, digest) = match text.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest)),
        None => (text, None),
    };
    // A colon in the last part of the path begins the tag; an earlier one belongs to the registry's port.
    let last = rest.rfind('/').map_or(0, |at| at + 1);
    let (name, tag) = match rest[last..].split_once(':') {
        Some((name, tag)) => (&rest[..last + name.len()], Some(tag)),
        None => (rest, None),
    };
    if !is_name(name) || !tag.is_none_or(is_tag) || !digest.is_none_or(is_digest) {
        return Err(Reason::Format);
    }
    let (registry, path) = split_registry(name);
    if path.len() > LONGEST_PATH {
        return Err(Reason::TooLong);
    }
    if let Some(digest) = digest {
        check_length(digest)?;
    }
    let implied = (tag.is_none() && digest.is_none()).then_some("latest");
    Ok(ImageName {
        repository: format!("{registry}/{path}"),
        tag: tag.or(implied).map(str::to_owned),
        digest: digest.map(str::to_owned),
    })
}

/// Splits a name into the registry and the path there, with the parts that Docker Hub's names leave out.
fn split_registry(name: &str) -> (&str, String) {
    const HUB: &str = "docker.io";
    // Paths have no capitals.
    let is_registry = |part: &str| {
        part == "localhost" || part.contains(|c: char| matches!(c, '.' | ':' | 'A'..='Z'))
    };
    let (registry, path) = match name.split_once('/') {
        Some((first, path)) if is_registry(first) => (first, path),
        _ => (HUB, name),
    };
    let registry = if registry == "index.docker.io" {
        HUB
    } else {
        registry
    };
    if registry == HUB && !path.contains('/') {
        return (registry, format!("library/{path}"));
    }
    (registry, path.to_owned())
}

/// Whether this is a registry and a path, or a path alone.
fn is_name(name: &str) -> bool {
    let is_path = |path: &str| path.split('/').all(is_component);
    is_path(name)
        || name
            .split_once('/')
            .is_some_and(|(host, path)| is_host(host) && is_path(path))
}

/// A host with an optional port.
fn is_host(text: &str) -> bool {
    // An IPv6 address has colons of its own.
    let address_end = text.rfind(']').map_or(0, |at| at + 1);
    let (address, rest) = text.split_at(address_end);
    let (name, port) = rest.split_once(':').unwrap_or((rest, "0"));
    let is_address = |address: &str| {
        let inside = address
            .strip_prefix('[')
            .and_then(|it| it.strip_suffix(']'));
        inside.is_some_and(|inside| {
            !inside.is_empty() && inside.bytes().all(|c| c.is_ascii_hexdigit() || c == b':')
        })
    };
    let is_label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|c| c.is_ascii_alphanumeric() || c == b'-')
    };
    let is_host = match address {
        "" => name.split('.').all(is_label),
        address => name.is_empty() && is_address(address),
    };
    is_host && !port.is_empty() && port.bytes().all(|c| c.is_ascii_digit())
}

/// One part of a path: lower-case letters and digits, with `.`, `_`, `__` or dashes between them.
fn is_component(part: &str) -> bool {
    let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let mut separators = part.split(is_word).filter(|between| !between.is_empty());
    part.starts_with(is_word)
        && part.ends_with(is_word)
        && separators.all(|between| {
            matches!(between, "." | "_" | "__") || between.bytes().all(|c| c == b'-')
        })
}

fn is_tag(tag: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    tag.len() <= 128
        && tag.starts_with(is_word)
        && tag.chars().all(|c| is_word(c) || c == '.' || c == '-')
}

/// An algorithm and at least 32 hexadecimal digits.
fn is_digest(digest: &str) -> bool {
    let Some((algorithm, hex)) = digest.split_once(':') else {
        return false;
    };
    let is_word = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_alphabetic())
            && word.bytes().all(|c| c.is_ascii_alphanumeric())
    };
    algorithm.split(['-', '_', '+', '.']).all(is_word)
        && hex.len() >= 32
        && hex.bytes().all(|c| c.is_ascii_hexdigit())
}

/// Checks the length of a digest (<https://github.com/opencontainers/image-spec/blob/main/descriptor.md#digests>).
fn check_length(digest: &str) -> Result<(), Reason> {
    let (algorithm, hex) = digest.split_once(':').unwrap_or_default();
    let length = match algorithm {
        "sha256" => 64,
        "sha384" => 96,
        "sha512" => 128,
        _ => return Err(Reason::DigestAlgorithm),
    };
    if hex.len() == length {
        Ok(())
    } else {
        Err(Reason::DigestLength)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_completed_and_shortened_as_docker_does() {
        for (name, canonical, familiar) in [
            (
                "debian:13-slim",
                "docker.io/library/debian:13-slim",
                "debian:13-slim",
            ),
            ("debian", "docker.io/library/debian:latest", "debian"),
            ("org/base", "docker.io/org/base:latest", "org/base"),
            (
                "127.0.0.1:5000/x/y:1",
                "127.0.0.1:5000/x/y:1",
                "127.0.0.1:5000/x/y:1",
            ),
        ] {
            let name: ImageName = name.parse().unwrap();
            assert_eq!(
                (name.canonical().as_str(), name.familiar().as_str()),
                (canonical, familiar)
            );
        }
        let name: ImageName = "debian:13".parse().unwrap();
        assert_eq!(
            name.pinned("sha256:ab"),
            "docker.io/library/debian:13@sha256:ab"
        );
        assert!("Debian:13".parse::<BaseName>().is_err());
        assert_eq!("scratch".parse::<BaseName>().ok(), Some(BaseName::Scratch));
    }

    #[test]
    fn passwords_are_not_shown() {
        for (name, shown) in [
            ("https://me:hunter2@r.example/x", "https://***@r.example/x"),
            ("me:hunter2@r.example/x", "***@r.example/x"),
        ] {
            let error = name.parse::<ImageName>().unwrap_err().to_string();
            let expected = format!("`{shown}` is not a valid image name: invalid reference format");
            assert_eq!(error, expected);
        }
    }

    /// From the tests of github.com/distribution/reference.
    #[test]
    fn names_are_read_as_the_reference_implementation_does() {
        let hex = "f".repeat(64);
        for (name, canonical) in [
            ("test.com:tag", "docker.io/library/test.com:tag"),
            ("test.com:5000", "docker.io/library/test.com:5000"),
            ("test.com/repo:tag", "test.com/repo:tag"),
            ("test:5000/repo", "test:5000/repo:latest"),
            ("[::1]:5000/repo:tag", "[::1]:5000/repo:tag"),
            ("[2001:db8::1]/repo", "[2001:db8::1]/repo:latest"),
            (
                "test:5000/repo:tag@sha256:HEX",
                "test:5000/repo:tag@sha256:HEX",
            ),
            ("test:5000/repo@sha256:HEX", "test:5000/repo@sha256:HEX"),
            (
                "lowercase:Uppercase",
                "docker.io/library/lowercase:Uppercase",
            ),
            (
                "sub-dom1.foo.com/bar/baz/quux",
                "sub-dom1.foo.com/bar/baz/quux:latest",
            ),
            (
                "xn--n3h.com/myimage:xn--n3h.com",
                "xn--n3h.com/myimage:xn--n3h.com",
            ),
            ("foo_bar.com:8080", "docker.io/library/foo_bar.com:8080"),
            ("foo/foo_bar.com:8080", "docker.io/foo/foo_bar.com:8080"),
            ("opensuse/leap:15.3", "docker.io/opensuse/leap:15.3"),
            ("index.docker.io/a", "docker.io/library/a:latest"),
            ("localhost/a__b---c.d_e", "localhost/a__b---c.d_e:latest"),
            ("Uppercase/lowercase:tag", "Uppercase/lowercase:tag"),
            ("a:-", ""),
            ("a:.b", ""),
            (":justtag", ""),
            ("@sha256:HEX", ""),
            ("a@sha256:ff", ""),
            ("a@sha256:HEXff", ""),
            ("a@md5:HEX", ""),
            ("a@sha256HEX", ""),
            ("a@sha256:HEX@sha256:HEX", ""),
            ("Uppercase:tag", ""),
            ("test:5000/Uppercase/lowercase:tag", ""),
            ("-foo/bar", ""),
            ("foo-.com/bar", ""),
            ("foo..com/bar", ""),
            ("foo.com:port/bar", ""),
            ("foo.com:/bar", ""),
            ("aa/asdf$$^/aa", ""),
            ("a//b", ""),
            ("a/b/", ""),
            ("a___b", ""),
            ("a..b", ""),
            ("a-", ""),
            ("a/é", ""),
            ("a:é", ""),
            ("", ""),
        ] {
            let [name, canonical] = [name, canonical].map(|text| text.replace("HEX", &hex));
            let found = name.parse::<ImageName>();
            let found = found.map(|name| name.canonical()).unwrap_or_default();
            assert_eq!(found, canonical, "{name}");
        }
        let tag = |length: usize| format!("a:{}", "t".repeat(length)).parse::<ImageName>();
        assert!(tag(128).is_ok() && tag(129).is_err());
        let path = |length: usize| format!("h.org/{}", "p".repeat(length)).parse::<ImageName>();
        assert!(path(255).is_ok() && path(256).is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_refused_or_read(text in "[a-z0-9A-Z._/:@-]{0,30}|.*") {
            if let Ok(name) = text.parse::<ImageName>() {
                let again: ImageName = name.canonical().parse().expect("a valid name");
                prop_assert_eq!(again, name);
            }
        }
    }
}
