//! Image names, as Docker writes them.

use std::str::FromStr;

use oci_spec::distribution::{ParseError, Reference};

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
pub(crate) struct ImageName(Reference);

/// An invalid image name, which Docker would refuse as well.
#[derive(Debug, thiserror::Error)]
#[error("`{name}` is not a valid image name: {source}")]
pub(crate) struct ImageNameError {
    name: String,
    source: ParseError,
}

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
        Reference::from_str(text)
            .map(Self)
            .map_err(|source| ImageNameError {
                name: text.to_owned(),
                source,
            })
    }
}

impl ImageName {
    /// The whole name, `docker.io/library/debian:13-slim`, for LLB.
    pub(crate) fn canonical(&self) -> String {
        self.0.whole()
    }

    /// The whole name with the digest that it resolves to.
    pub(crate) fn pinned(&self, digest: &str) -> String {
        match self.0.digest() {
            Some(_) => self.0.whole(),
            None => format!("{}@{digest}", self.0.whole()),
        }
    }

    /// The name as people write it, without Docker Hub's default parts and `:latest`; named contexts are looked up by
    /// it (`frontend/dockerui/namedcontext.go`).
    pub(crate) fn familiar(&self) -> String {
        let name = self.0.whole();
        let name = name.strip_prefix("docker.io/").unwrap_or(&name);
        let name = name.strip_prefix("library/").unwrap_or(name);
        name.strip_suffix(":latest").unwrap_or(name).to_owned()
    }
}

#[cfg(test)]
mod tests {
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
}
