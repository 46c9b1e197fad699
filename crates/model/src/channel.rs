//! Channels: their names and where they are.

mod address;
mod error;
mod names;

pub use address::ChannelUrl;
pub use error::ChannelError;
pub use names::{ChannelNames, Named, split_subdir};

use crate::nearest::nearest;
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
