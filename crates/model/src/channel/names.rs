//! Resolves what users write for a channel to its address.
//!
//! The rules are conda's (<https://docs.conda.io/projects/conda/en/stable/user-guide/configuration/settings.html>): a name
//! is a folder below the channel alias, or below the address that `custom_channels` has for it or for its first parts; a
//! URL is used as it is; `defaults` stands for Anaconda's channels.

use std::collections::BTreeMap;

use url::Url;

use super::ChannelUrl;
use crate::platform::{self, Platform};
use crate::redact;

/// Where to find channels that are given by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelNames {
    /// The folder that contains channels by name.
    pub alias: ChannelUrl,
    /// Channels that are elsewhere: the folder that contains the channel of that name, as in conda's configuration.
    pub custom: BTreeMap<String, ChannelUrl>,
}

impl Default for ChannelNames {
    fn default() -> Self {
        Self {
            alias: fixed("https://conda.anaconda.org"),
            custom: BTreeMap::new(),
        }
    }
}

/// The channel that a user's text stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Its name, without credentials.
    pub name: String,
    /// Its address.
    pub url: ChannelUrl,
}

/// Why a text does not name a channel.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChannelError {
    /// An empty name.
    #[error("a channel has no name")]
    Empty,
    /// A `file:` URL or a path.
    #[error("`{}` is a local folder, which the build cannot see", redact::quoted(.0))]
    OnOneMachine(String),
    /// Neither http nor https.
    #[error("channels cannot be downloaded over `{0}:`")]
    Scheme(String),
    /// A URL without `https://`.
    #[error("`{}` looks like a URL without https://", redact::quoted(.0))]
    NoScheme(String),
    /// Something that is not a valid URL.
    #[error("`{}` is not a URL: {reason}", redact::quoted(text))]
    NotAUrl {
        /// What was written.
        text: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A file in a channel.
    #[error("`{}` is a file in a channel", redact::quoted(.0))]
    File(String),
    /// A MatchSpec.
    #[error("`{}` is a dependency with a channel, not a channel", redact::quoted(.0))]
    Spec(String),
    /// `-c name`.
    #[error("`{}` is a conda option, not a channel", redact::quoted(.0))]
    Option(String),
    /// Several channels in one text.
    #[error("`{}` is more than one channel", redact::quoted(.0))]
    Several(String),
    /// `name[linux-64]`, and other characters that names cannot have.
    #[error("`{}` is not a valid channel name", redact::quoted(.0))]
    Characters(String),
    /// The folder of another platform than the image's.
    #[error("`{}` is a folder for {subdir}, but the image is built for {platform} ({})", redact::quoted(text), platform.subdir())]
    OtherPlatform {
        /// What was written.
        text: String,
        /// Its platform.
        subdir: String,
        /// The image's.
        platform: Platform,
    },
}

impl ChannelError {
    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            Self::Empty => "Write a name such as conda-forge, or a URL.".to_owned(),
            Self::OnOneMachine(_) => {
                "Serve the folder from a web server, and write its http(s) URL.".to_owned()
            }
            Self::Scheme(_) => "Write an http(s) URL, or a name such as conda-forge.".to_owned(),
            Self::NoScheme(text) => format!("Write `https://{}`.", redact::quoted(text)),
            Self::NotAUrl { .. } => {
                "Write a URL such as https://conda.example/channel, or a name such as conda-forge."
                    .to_owned()
            }
            Self::File(_) => {
                "Write the channel's folder, the one that contains noarch and linux-64.".to_owned()
            }
            Self::Spec(text) => {
                let (channel, spec) = text.split_once("::").unwrap_or((text, ""));
                format!(
                    "Write `{}` here, and `{}` under `dependencies:`.",
                    redact::quoted(channel.trim()),
                    redact::quoted(spec.trim())
                )
            }
            Self::Option(_) => "Write the channel alone, such as conda-forge.".to_owned(),
            Self::Several(_) => "Write each as a separate entry.".to_owned(),
            Self::Characters(text) if text.contains('[') => {
                "Remove the brackets; the platform folders are found automatically.".to_owned()
            }
            Self::Characters(_) => {
                "Use letters, digits, `-`, `_`, `.` and `/`, as in conda-forge/label/dev."
                    .to_owned()
            }
            Self::OtherPlatform { .. } => {
                "Remove the platform; the right folder is found automatically.".to_owned()
            }
        }
    }
}

impl ChannelNames {
    /// The channels that a text stands for, highest priority first. None for `nodefaults`, which asks to use only the
    /// file's channels: builds always do.
    ///
    /// # Errors
    /// When it does not name a channel that a build for `platform` can use.
    pub fn resolve(&self, text: &str, platform: Platform) -> Result<Vec<Named>, ChannelError> {
        let text = text.trim();
        if text.starts_with('-') {
            return Err(ChannelError::Option(text.to_owned()));
        }
        if text.contains(char::is_whitespace) {
            return Err(ChannelError::Several(text.to_owned()));
        }
        if text.contains("://") {
            return Ok(vec![from_url(text, platform)?]);
        }
        check_name(text)?;
        let name = text.trim_matches('/');
        let name = match split_subdir(name) {
            (channel, Some(subdir)) => {
                check_platform(text, subdir, platform)?;
                channel
            }
            (channel, None) => channel,
        };
        match name {
            "" => Err(ChannelError::Empty),
            "nodefaults" => Ok(Vec::new()),
            "defaults" if !self.custom.contains_key("defaults") => {
                Ok(["pkgs/main", "pkgs/r"].map(|name| self.named(name)).into())
            }
            name => Ok(vec![self.named(name)]),
        }
    }

    fn named(&self, name: &str) -> Named {
        let mut parent = name;
        let url = loop {
            if let Some(folder) = self.custom.get(parent) {
                break folder.below(name);
            }
            match parent.rsplit_once('/') {
                Some((shorter, _)) => parent = shorter,
                None if parent == "pkgs" => break fixed("https://repo.anaconda.com").below(name),
                None => break self.alias.below(name),
            }
        };
        Named {
            name: name.to_owned(),
            url,
        }
    }
}

/// Splits the platform from `conda-forge/linux-64`.
pub fn split_subdir(channel: &str) -> (&str, Option<&str>) {
    match channel.trim_end_matches('/').rsplit_once('/') {
        Some((channel, last)) if last == "noarch" || platform::is_subdir(last) => {
            (channel, Some(last))
        }
        _ => (channel, None),
    }
}

/// A constant address, known to be valid.
fn fixed(url: &'static str) -> ChannelUrl {
    ChannelUrl::new(Url::parse(url).expect("the address is valid"))
}

fn from_url(text: &str, platform: Platform) -> Result<Named, ChannelError> {
    if text.contains("::") && !text.contains("[::") {
        return Err(ChannelError::Spec(text.to_owned()));
    }
    let mut url = address(text)?;
    let path = url.path().to_owned();
    if let (channel, Some(subdir)) = split_subdir(&path) {
        check_platform(text, subdir, platform)?;
        url.set_path(channel);
    }
    let last = path.rsplit('/').next().unwrap_or_default();
    if last.contains("repodata.json") || last.ends_with(".conda") || last.ends_with(".tar.bz2") {
        return Err(ChannelError::File(text.to_owned()));
    }
    let url = ChannelUrl::new(url);
    Ok(Named {
        name: url.recorded(),
        url,
    })
}

/// Reads an absolute http(s) URL.
pub(super) fn address(text: &str) -> Result<Url, ChannelError> {
    let text = text.trim();
    if is_path(text) {
        return Err(ChannelError::OnOneMachine(text.to_owned()));
    }
    let not_a_url = |reason: String| ChannelError::NotAUrl {
        text: text.to_owned(),
        reason,
    };
    if !text.contains("://") {
        return Err(if text.contains('.') {
            ChannelError::NoScheme(text.to_owned())
        } else {
            not_a_url("it does not begin with https://".to_owned())
        });
    }
    let mut url = Url::parse(text).map_err(|error| not_a_url(error.to_string()))?;
    url.set_fragment(None);
    match url.scheme() {
        "http" | "https" => Ok(url),
        "file" => Err(ChannelError::OnOneMachine(text.to_owned())),
        scheme => Err(ChannelError::Scheme(scheme.to_owned())),
    }
}

fn is_path(text: &str) -> bool {
    let drive = text.as_bytes().get(1..3);
    text.starts_with(['/', '.', '~', '\\'])
        || text.starts_with("file:")
        || drive.is_some_and(|part| part == b":\\" || part == b":/")
}

fn check_name(text: &str) -> Result<(), ChannelError> {
    let is_plain = |c: char| c.is_alphanumeric() || "-_./+".contains(c);
    let owned = || text.to_owned();
    let first = text.split('/').next().unwrap_or_default();
    if text.is_empty() {
        Err(ChannelError::Empty)
    } else if is_path(text) {
        Err(ChannelError::OnOneMachine(owned()))
    } else if text.contains("::") {
        Err(ChannelError::Spec(owned()))
    } else if text.contains(',') {
        Err(ChannelError::Several(owned()))
    } else if first.contains('.') && text.contains('/') {
        Err(ChannelError::NoScheme(owned()))
    } else if !text.chars().all(is_plain) || text.split('/').any(|part| part == "..") {
        Err(ChannelError::Characters(owned()))
    } else {
        Ok(())
    }
}

/// Conda reads `channel/linux-64` as that folder and noarch, which a build for linux-64 reads anyway.
fn check_platform(text: &str, subdir: &str, platform: Platform) -> Result<(), ChannelError> {
    if subdir == "noarch" || subdir == platform.subdir() {
        return Ok(());
    }
    Err(ChannelError::OtherPlatform {
        text: text.to_owned(),
        subdir: subdir.to_owned(),
        platform,
    })
}

#[cfg(test)]
mod tests;
