//! Channels: their names and where they are.

mod address;
mod error;
mod names;

pub use address::ChannelUrl;
pub use error::{ChannelError, NotAUrl};
pub use names::{ChannelNames, NO_DEFAULTS, Named, split_subdir};

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

/// Whether the channel at this address has packages of all kinds: conda-forge, or one of those in `defaults`.
pub fn is_general(url: &str) -> bool {
    let last = url.trim_end_matches('/').rsplit('/').next();
    last.is_some_and(|name| ["conda-forge", "main", "defaults", "anaconda"].contains(&name))
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

impl ChannelPriority {
    /// The words for all of them.
    pub const WORDS: &[(&str, Self)] = &[("strict", Self::Strict), ("flexible", Self::Flexible)];

    /// Why conda's third word is not one of them.
    pub const DISABLED: &str = "With `disabled`, the newest version of a package would come from any channel, even if it was not built for the packages of the others. Use `flexible`, which takes a package from a later channel only if no earlier one has one that fits.";
}

impl std::str::FromStr for ChannelPriority {
    type Err = NotAPriority;

    fn from_str(text: &str) -> Result<Self, NotAPriority> {
        let mut words = Self::WORDS.iter();
        let found = words.find(|(word, _)| *word == text);
        found
            .map(|(_, priority)| *priority)
            .ok_or_else(|| NotAPriority(text.to_owned()))
    }
}

/// A text that is not a channel priority.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not a channel priority", crate::redact::quoted(.0))]
pub struct NotAPriority(String);

impl NotAPriority {
    /// What to write instead.
    pub fn help(&self) -> String {
        let words = ChannelPriority::WORDS.iter().map(|(word, _)| *word);
        match self.0.as_str() {
            "disabled" => ChannelPriority::DISABLED.to_owned(),
            other => crate::nearest::did_you_mean(other, words)
                .unwrap_or_else(|| "Use `strict` or `flexible`.".to_owned()),
        }
    }
}
