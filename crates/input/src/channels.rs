//! The channels of an environment, collected from all places that name them.

use crate::address_variables::{self, AddressError, FilledAddress, credentials_warning};
use crate::place::Place;
use crate::section::args::BuildArgs;
use condafront_model::channel::{Channel, ChannelNames, ChannelUrl, Named, split_subdir};
use condafront_model::lint::{Rule, Warning};
use condafront_model::platform::Platform;
use condafront_model::redact;
use condafront_model::source::{Diagnostic, Lines};

/// The channel that is used if none is named. Conda would use Anaconda's own, whose terms not everyone can accept, and
/// micromamba none at all.
const FALLBACK: &str = "conda-forge";

/// How many channels an environment may have: a build downloads the lists of all of them.
const MOST: usize = 100;

/// The warning that a file names no channel, with what to do about it.
pub(super) fn unnamed(place: Place<'_>, help: &str) -> Warning {
    let message = format!("no channel is named: packages come from {FALLBACK}");
    Warning {
        rule: Rule::NoChannel,
        diagnostic: place.error(message).help(help),
    }
}

/// The channels that have been named so far.
pub(super) struct Channels {
    names: ChannelNames,
    platform: Platform,
    args: BuildArgs,
    list: Vec<Channel>,
    warnings: Vec<Warning>,
}

/// The channel of one dependency.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SpecChannel {
    /// Its address as it is recorded.
    pub(super) url: String,
    /// The platform folder that the package must be in.
    pub(super) subdir: Option<String>,
}

impl Channels {
    /// No channels; `args` have the values of variables in addresses.
    pub(super) fn new(names: ChannelNames, platform: Platform, args: &BuildArgs) -> Self {
        Self {
            names,
            platform,
            args: args.clone(),
            list: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    /// These channels, and those that follow.
    pub(super) fn starting_with(self, list: Vec<Channel>) -> Self {
        Self { list, ..self }
    }

    pub(super) fn platform(&self) -> Platform {
        self.platform
    }

    /// Adds the channels that an entry of a channel list means. Errors and warnings point at `place`; the channels are
    /// recorded at `lines` of the build file.
    pub(super) fn add(
        &mut self,
        text: &str,
        place: Place<'_>,
        lines: Lines,
    ) -> Result<(), Diagnostic> {
        for named in self.resolve(text, place)? {
            self.push(named, place, lines)?;
        }
        Ok(())
    }

    /// Adds the channel of `channel::spec`, after all channels so far.
    pub(super) fn of_spec(
        &mut self,
        text: &str,
        place: Place<'_>,
    ) -> Result<SpecChannel, Diagnostic> {
        let (channel, subdir) = split_subdir(text.trim());
        let found = self.resolve(channel, place)?;
        let Some(named) = found.into_iter().next() else {
            return Err(place
                .error(format!("`{}` is not a channel", redact::quoted(text)))
                .help("Write a channel's name before `::`, such as conda-forge."));
        };
        Ok(SpecChannel {
            url: self.push(named, place, place.lines)?,
            subdir: subdir.map(str::to_owned),
        })
    }

    /// The same for a channel whose address is known.
    pub(super) fn at_url(
        &mut self,
        url: ChannelUrl,
        place: Place<'_>,
    ) -> Result<String, Diagnostic> {
        let name = url.recorded();
        self.push(Named { name, url }, place, place.lines)
    }

    /// An address with the values of its variables, and without credentials. A warning says if they were written out.
    pub(super) fn filled(&mut self, text: &str, place: Place<'_>) -> Result<String, Diagnostic> {
        let FilledAddress { text, left_out } =
            address_variables::fill(text, &self.args).map_err(|error| error.at(place))?;
        if let Some(host) = left_out {
            let (message, help) = credentials_warning("the channel's address", &host);
            let warning = place.error(message).help(help);
            let is_known = |known: &Warning| known.diagnostic.message == warning.message;
            if !self.warnings.iter().any(is_known) {
                self.warnings.push(Warning {
                    rule: Rule::CredentialsInUrl,
                    diagnostic: warning,
                });
            }
        }
        Ok(text)
    }

    /// Uses conda-forge if there is no channel yet. Returns whether it does.
    pub(super) fn or_fallback(&mut self, place: Place<'_>) -> Result<bool, Diagnostic> {
        let is_empty = self.list.is_empty();
        if is_empty {
            self.add(FALLBACK, place, place.lines)?;
        }
        Ok(is_empty)
    }

    pub(super) fn finish(self) -> (Vec<Channel>, Vec<Warning>) {
        (self.list, self.warnings)
    }

    /// The channels that a text means.
    fn resolve(&mut self, text: &str, place: Place<'_>) -> Result<Vec<Named>, Diagnostic> {
        let filled = self.filled(text, place)?;
        let found = self.names.resolve(&filled, self.platform);
        let found = found.map_err(|error| {
            let error = error.about(text);
            let help = error.help();
            Diagnostic::of(error).at(place.file, place.lines).help(help)
        })?;
        match found.iter().find(|named| named.url.has_credentials()) {
            Some(named) => Err(AddressError::Name(named.url.host().to_owned()).at(place)),
            None => Ok(found),
        }
    }

    /// Adds a channel if it is new, and returns its recorded address.
    ///
    /// # Errors
    /// A diagnostic if there are too many.
    fn push(&mut self, named: Named, place: Place<'_>, lines: Lines) -> Result<String, Diagnostic> {
        let recorded = named.url.recorded();
        if self
            .list
            .iter()
            .any(|channel| channel.url.recorded() == recorded)
        {
            return Ok(recorded);
        }
        if self.list.len() == MOST {
            return Err(place
                .error(format!("the environment has more than {MOST} channels"))
                .help("Remove channels: most packages are in conda-forge."));
        }
        self.warn_of_placeholder(&named.url, place);
        self.warn_of_terms(&named, place);
        self.list.push(Channel {
            name: named.name,
            url: named.url,
            lines,
        });
        Ok(recorded)
    }

    fn warn_of_placeholder(&mut self, url: &ChannelUrl, place: Place<'_>) {
        let is_known =
            |channel: &Channel| channel.url.has_placeholder() && channel.url.host() == url.host();
        if !url.has_placeholder() || self.list.iter().any(is_known) {
            return;
        }
        let host = url.host();
        self.warnings.push(Warning {
            rule: Rule::CredentialsInUrl,
            diagnostic: place
                .error(format!(
                    "the channel's address has only a placeholder for the credentials for {host}, which is ignored"
                ))
                .help(format!(
                    "If the channel needs them, pass them with --secret id=HTTP_AUTH_TOKEN_{host}; otherwise remove the placeholder."
                )),
        });
    }

    fn warn_of_terms(&mut self, named: &Named, place: Place<'_>) {
        if !named.url.is_anacondas() || self.list.iter().any(|channel| channel.url.is_anacondas()) {
            return;
        }
        self.warnings.push(warning_of_terms(&named.url, place));
    }
}

/// The warning that one of Anaconda's own channels, `url`, is used.
pub(crate) fn warning_of_terms(url: &ChannelUrl, place: Place<'_>) -> Warning {
    Warning {
        rule: Rule::AnacondaChannel,
        diagnostic: place
            .error(format!(
                "{url} is one of Anaconda's own channels: larger organisations need a licence to use it"
            ))
            .help("See https://www.anaconda.com/legal. The channel conda-forge has nearly all of the same packages and is free for everyone."),
    }
}
