//! What the channels of an environment are read with, whichever kind of file describes it. A build-arg overrides the environment's
//! own file, and that overrides the image file that names it.

use std::sync::Arc;

use crate::channels::Channels;
use crate::exclude_newer;
use crate::lock_terms::CutoffTerm;
use crate::section::image_section::{ExcludeNewer as Said, Located};
use crate::settings::{ChannelDefaults, InputSettings};
use condafront_model::channel::{Channel, ChannelNames, ChannelPriority};
use condafront_model::cutoff::Limit;
use condafront_model::lint::Warning;
use condafront_model::platform::Platform;
use condafront_model::source::SourceFile;
use condafront_step_spec::solve::ExcludeNewer;

/// The settings for the channels of one environment.
pub(super) struct ChannelSettings<'s> {
    settings: &'s InputSettings,
    said: ChannelDefaults,
    names: ChannelNames,
    platform: Platform,
}

impl<'s> ChannelSettings<'s> {
    /// The settings for an environment whose own file says `own`.
    pub(super) fn new(
        own: ChannelDefaults,
        settings: &'s InputSettings,
        platform: Platform,
    ) -> Self {
        let said = match &settings.image_file {
            Some(image_file) => own.or(image_file),
            None => own,
        };
        let alias = settings.channel_alias.as_ref().or(said.alias.as_ref());
        let names = ChannelNames {
            alias: alias.cloned().unwrap_or(ChannelNames::default().alias),
            custom: said.custom.clone(),
        };
        Self {
            settings,
            said,
            names,
            platform,
        }
    }

    /// An empty list, for the channels that the environment names.
    pub(super) fn channels(&self) -> Channels {
        let args = &self.settings.build_args;
        Channels::new(self.names.clone(), self.platform, args)
    }

    /// What the order of channels means, if anything says so.
    pub(super) fn priority(&self) -> Option<ChannelPriority> {
        self.settings.priority.or(self.said.priority)
    }

    /// Which packages of these channels are too new.
    pub(super) fn exclude_newer(&self, channels: &[Channel]) -> Option<ExcludeNewer<Limit>> {
        exclude_newer::requested(
            self.said.exclude_newer.as_ref(),
            self.settings.exclude_newer,
            channels,
            &self.names,
            self.platform,
        )
    }

    /// What a lock with these channels must keep to, if the environment's own file says so much.
    pub(super) fn cutoff_term(&self, said: &Located<Said>, channels: &[Channel]) -> CutoffTerm {
        exclude_newer::term(said, channels, &self.names, self.platform)
    }

    /// The warnings about cutoffs: the build-arg's, and those that the image section of the environment's own `file` sets.
    pub(super) fn cutoff_warnings(
        &self,
        own: Option<&Located<Said>>,
        file: &Arc<SourceFile>,
        channels: &[Channel],
    ) -> Vec<Warning> {
        let settings = self.settings;
        let of_build_arg = exclude_newer::of_build_arg(settings.exclude_newer);
        let mut warnings: Vec<Warning> = of_build_arg.into_iter().collect();
        if let Some(own) = own {
            warnings.extend(exclude_newer::warnings(
                own,
                file,
                &settings.build_args,
                settings.channels.is_empty().then_some(channels),
                &self.names,
                self.platform,
            ));
        }
        warnings
    }
}
