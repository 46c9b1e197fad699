//! Settings from outside a file that affect how it is read: build-args, and the image file that names it.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;

use crate::address_variables;
use crate::environment_input::DEV;
use crate::section;
use crate::section::args::BuildArgs;
use crate::section::exclude_newer::BUILD_ARG as EXCLUDE_NEWER;
use crate::section::file::ImageFile;
use crate::section::image_section::{ExcludeNewer, ImageSection};
use condafront_model::channel::{ChannelPriority, ChannelUrl, NotAPriority};
use condafront_model::cutoff::{Limit, NotACutoff};
use condafront_model::environment_prefix::EnvironmentPrefix;
use condafront_model::source::Diagnostic;

/// The build-arg that says where to find channels that are given by name.
const CHANNEL_ALIAS: &str = "CONDA_CHANNEL_ALIAS";

/// The build-args for inputs of every kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InputSettings {
    /// `ENVIRONMENT`: which environment of a file with several.
    pub environment: Option<String>,
    /// The name that pixi makes for the platform that a manifest's `ENVIRONMENT` chooses, for the lock.
    pub platform_name: Option<String>,
    /// `CONDA_LOCK_CATEGORIES`: which categories besides `main`.
    pub categories: Vec<String>,
    /// Whether the image is for development: what a file calls `dev` belongs to it.
    pub is_dev: bool,
    /// `CONDAFRONT_SKIP`: the packages of a lock to leave out.
    pub skip: Vec<String>,
    /// `UPGRADE`: the packages of an env.yml's own lock that may change; `*` for all.
    pub upgrade: Vec<String>,
    /// `CONDA_CHANNELS`: channels instead of the file's.
    pub channels: Vec<String>,
    /// `CONDA_CHANNEL_ALIAS`: where to find channels that are given by name.
    pub channel_alias: Option<ChannelUrl>,
    /// `CONDA_CHANNEL_PRIORITY`: what the order of channels means, instead of what the file says.
    pub priority: Option<ChannelPriority>,
    /// `CONDA_EXCLUDE_NEWER`: the cutoff instead of the file's.
    pub exclude_newer: Option<Limit>,
    /// All build-args, for values of the image section that refer to them.
    pub build_args: BuildArgs,
    /// Where the environment is in the image, if an image file says so.
    pub prefix: Option<EnvironmentPrefix>,
    /// What the image file says about channels, if an image file names the environment's file.
    pub image_file: Option<ChannelDefaults>,
}

impl InputSettings {
    /// The categories of locks that belong to the image, besides `main`.
    pub fn asked_categories(&self) -> impl Iterator<Item = &str> {
        let dev = self.is_dev.then_some(DEV);
        self.categories.iter().map(String::as_str).chain(dev)
    }

    /// Takes one build-arg, if it is about the input; says whether it is.
    ///
    /// # Errors
    /// An invalid value.
    pub fn set(&mut self, name: &str, value: &str) -> Result<bool, Diagnostic> {
        match name {
            "CONDA_CHANNELS" => self.channels = words(value, &[',']),
            // Its variables may be other build-args.
            CHANNEL_ALIAS => {}
            "CONDA_CHANNEL_PRIORITY" => {
                let priority = value.parse().map_err(|error: NotAPriority| {
                    let help = error.help();
                    invalid(name, error).help(help)
                })?;
                self.priority = Some(priority);
            }
            EXCLUDE_NEWER => {
                let limit = parsed(name, value, str::parse);
                self.exclude_newer = Some(limit.map_err(|error| error.help(NotACutoff::HELP))?);
            }
            "UPGRADE" => self.upgrade = words(value, &[',']),
            "CONDAFRONT_SKIP" => self.skip = words(value, &[',']),
            "CONDA_LOCK_CATEGORIES" => self.categories = words(value, &[',']),
            "ENVIRONMENT" => self.environment = Some(value.to_owned()),
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Takes all build-args, of which [`set`](Self::set()) has seen each.
    ///
    /// # Errors
    /// An invalid value of one that refers to others.
    pub fn set_all(&mut self, args: BuildArgs) -> Result<(), Diagnostic> {
        if let Some(value) = args.get(CHANNEL_ALIAS).filter(|value| !value.is_empty()) {
            self.channel_alias = Some(read_alias(value, &args)?);
        }
        self.build_args = args;
        Ok(())
    }

    /// The same settings, and these logins.
    #[must_use]
    pub fn with_logins(&self, names: BTreeSet<String>) -> Self {
        let all = self.build_args.logins().clone().and(names);
        Self {
            build_args: self.build_args.clone().with_logins(all),
            ..self.clone()
        }
    }

    /// The settings for the file of one of an image's environments.
    pub fn within(&self, environment: &section::Environment, image: &ImageFile) -> Self {
        let name = environment.name.as_ref();
        Self {
            environment: name.map(|name| name.value.clone()),
            prefix: Some(environment.prefix.clone()),
            image_file: Some(ChannelDefaults::of(&image.section)),
            ..self.clone()
        }
    }
}

/// What an image file says about the channels of its environments. Each environment's own section overrides it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChannelDefaults {
    /// Where to find channels that are given by name.
    pub alias: Option<ChannelUrl>,
    /// The folders that contain the channels of these names.
    pub custom: BTreeMap<String, ChannelUrl>,
    /// What the order of channels means.
    pub priority: Option<ChannelPriority>,
    /// Which packages are too new.
    pub exclude_newer: Option<ExcludeNewer>,
}

impl ChannelDefaults {
    /// What an image section says about channels.
    pub(crate) fn of(section: &ImageSection) -> Self {
        let custom = section.custom_channels.iter();
        Self {
            alias: section.channel_alias.as_ref().map(|url| url.value.clone()),
            custom: custom
                .map(|(name, url)| (name.clone(), url.value.clone()))
                .collect(),
            priority: section.channel_priority.as_ref().map(|said| said.value),
            exclude_newer: section
                .exclude_newer
                .as_ref()
                .map(|said| said.value.clone()),
        }
    }

    /// These defaults, with `others` for whatever they do not set.
    pub(crate) fn or(mut self, others: &Self) -> Self {
        self.alias = self.alias.or_else(|| others.alias.clone());
        self.priority = self.priority.or(others.priority);
        self.exclude_newer = self.exclude_newer.or_else(|| others.exclude_newer.clone());
        for (name, url) in &others.custom {
            self.custom
                .entry(name.clone())
                .or_insert_with(|| url.clone());
        }
        self
    }
}

/// The words of a list, separated by spaces or one of `others`.
fn words(value: &str, others: &[char]) -> Vec<String> {
    value
        .split(|c: char| c.is_whitespace() || others.contains(&c))
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Reads the address of the channels that are given by name.
fn read_alias(value: &str, args: &BuildArgs) -> Result<ChannelUrl, Diagnostic> {
    let filled = address_variables::filled(value, args).map_err(|error| {
        let help = error.help();
        invalid(CHANNEL_ALIAS, error).help(help)
    })?;
    ChannelUrl::parse(&filled).map_err(|error| {
        let error = error.about(value);
        let help = error.help();
        invalid(CHANNEL_ALIAS, error).help(help)
    })
}

/// The value of a build-arg.
///
/// # Errors
/// What is wrong with it, with the build-arg's name.
pub fn parsed<T, E: Into<Box<dyn Error + Send + Sync>>>(
    name: &str,
    value: &str,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Result<T, Diagnostic> {
    parse(value).map_err(|error| invalid(name, error))
}

/// The error for a build-arg with an invalid value.
pub fn invalid(name: &str, error: impl Into<Box<dyn Error + Send + Sync>>) -> Diagnostic {
    let error = error.into();
    Diagnostic::new(format!("build-arg {name}: {error}")).caused_by(error)
}
