//! Channels: their names and where they are.

mod names;

pub use names::{ChannelError, ChannelNames, Named, split_subdir};

use std::fmt;

use url::Url;

use crate::nearest::nearest;
use crate::package::PackageUrl;
use crate::source::Lines;

/// A channel of an environment that needs a solve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channel {
    /// The name or URL that the user wrote, without credentials.
    pub name: String,
    /// Its address: the folder that contains `noarch/`, without a trailing slash. May carry credentials.
    pub url: ChannelUrl,
    /// The lines of the user's file that name it.
    pub lines: Lines,
}

impl Channel {
    /// The channel that was probably meant if this one does not exist: a well-known one with a similar name.
    pub fn likely_meant(&self) -> Option<&'static str> {
        const WELL_KNOWN: &[&str] = &["bioconda", "conda-forge", "defaults", "nvidia", "pytorch"];
        let is_known = WELL_KNOWN.contains(&self.name.as_str());
        nearest(&self.name, WELL_KNOWN.iter().copied()).filter(|_| !is_known)
    }
}

/// A channel's address. As with a [`PackageUrl`], its credentials are never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct ChannelUrl(Url);

impl ChannelUrl {
    /// Wraps an absolute http(s) URL; trailing slashes are removed.
    pub fn new(mut url: Url) -> Self {
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&path);
        Self(url)
    }

    /// Reads an absolute http(s) URL, as users write a channel's address.
    ///
    /// # Errors
    /// When the text is not such a URL.
    pub fn parse(text: &str) -> Result<Self, ChannelError> {
        names::address(text).map(Self::new)
    }

    /// The folder `path` below this one.
    pub fn below(&self, path: &str) -> Self {
        Self::new(self.join(path).with_credentials().clone())
    }

    /// Whether it carries a user, a password or a token.
    pub fn has_credentials(&self) -> bool {
        PackageUrl::new(self.0.clone()).has_credentials()
    }

    /// The host, for messages about secrets and mirrors.
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    /// Whether it is one of Anaconda's own channels, which its terms of service cover
    /// (<https://www.anaconda.com/legal/terms/terms-of-service>). Channels that others upload are not.
    pub fn is_anacondas(&self) -> bool {
        const OWN: &[&str] = &["anaconda", "main", "msys2", "pkgs", "r"];
        let recorded = PackageUrl::new(self.0.clone()).recorded();
        let first = recorded.path_segments().and_then(|mut parts| parts.next());
        match self.host() {
            "repo.anaconda.com" => true,
            "conda.anaconda.org" => first.is_some_and(|name| OWN.contains(&name)),
            _ => false,
        }
    }

    /// The address of a file below the channel: `linux-64/repodata.json.zst`.
    pub fn join(&self, path: &str) -> PackageUrl {
        let mut url = self.0.clone();
        url.set_path(&format!("{}/{path}", url.path().trim_end_matches('/')));
        PackageUrl::new(url)
    }

    /// The address as it is recorded: without credentials, query, fragment and trailing slash.
    pub fn recorded(&self) -> String {
        let recorded = PackageUrl::new(self.0.clone()).recorded();
        recorded.as_str().trim_end_matches('/').to_owned()
    }
}

impl fmt::Display for ChannelUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        PackageUrl::new(self.0.clone()).fmt(f)
    }
}

impl fmt::Debug for ChannelUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChannelUrl({self})")
    }
}

/// What the order of channels means
/// (<https://docs.conda.io/projects/conda/en/stable/user-guide/tasks/manage-channels.html#strict-channel-priority>).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChannelPriority {
    /// A package comes from the first channel that has a package of its name.
    #[default]
    Strict,
    /// A package comes from the first channel that has one that satisfies the specs.
    Flexible,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misspelt_names_of_well_known_channels_are_recognised() {
        for (name, meant) in [
            ("conda_forge", Some("conda-forge")),
            ("condaforge", Some("conda-forge")),
            ("biconda", Some("bioconda")),
            ("conda-forge", None),
            ("internal", None),
        ] {
            let channel = Channel {
                name: name.to_owned(),
                url: ChannelUrl::parse("https://conda.example").unwrap(),
                lines: Lines::one(1),
            };
            assert_eq!(channel.likely_meant(), meant, "{name}");
        }
    }
}
