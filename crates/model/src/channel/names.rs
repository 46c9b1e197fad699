//! Resolves what users write for a channel to its address.
//!
//! The rules are conda's (<https://docs.conda.io/projects/conda/en/stable/user-guide/configuration/settings.html>): a name
//! is a folder below the channel alias, or below the address that `custom_channels` has for it or for its first parts; a
//! URL is used as it is; `defaults` means Anaconda's channels.

use std::collections::BTreeMap;

use url::Url;

use super::address::{ChannelUrl, address, is_path};
use super::error::ChannelError;
use crate::placeholder;
use crate::platform::{self, Platform};
use crate::visible::unfit;

/// What stands in a list of channels for none: it asks conda not to add its own. Other tools take it for a channel without
/// packages.
pub const NO_DEFAULTS: &str = "nodefaults";

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

/// The channel that a user's text means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Its name, without credentials.
    pub name: String,
    /// Its address.
    pub url: ChannelUrl,
}

impl ChannelNames {
    /// The channels that a text means, highest priority first. None for `nodefaults`, which asks to use only the
    /// file's channels: builds always do.
    ///
    /// # Errors
    /// When it does not name a channel that a build for `platform` can use.
    pub fn resolve(&self, text: &str, platform: Platform) -> Result<Vec<Named>, ChannelError> {
        let text = text.trim();
        if let Some(what) = unfit(text) {
            let text = text.to_owned();
            return Err(ChannelError::Unfit { text, what });
        }
        match placeholder::without(text) {
            Some(bare) => {
                let mut found = self.bare(bare.trim(), platform)?;
                for named in &mut found {
                    named.url = named.url.clone().with_placeholder(true);
                }
                Ok(found)
            }
            None => self.bare(text, platform),
        }
    }

    /// The same for a text without a placeholder.
    fn bare(&self, text: &str, platform: Platform) -> Result<Vec<Named>, ChannelError> {
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
            NO_DEFAULTS => Ok(Vec::new()),
            "defaults" if !self.custom.contains_key("defaults") => {
                Ok(["pkgs/main", "pkgs/r"].map(|name| self.named(name)).into())
            }
            name => {
                let found = self.named(name);
                Ok(vec![Named {
                    name: without_token(name).to_owned(),
                    ..found
                }])
            }
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

/// The channel of `t/<token>/channel`: conda finds it below `/t/<token>/` at the alias.
fn without_token(name: &str) -> &str {
    let after = name
        .strip_prefix("t/")
        .and_then(|rest| rest.split_once('/'));
    after.map_or(name, |(_, channel)| channel)
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
