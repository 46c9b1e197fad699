//! The secrets that stand for credentials in the addresses of channels and packages.

use std::collections::BTreeSet;

use super::provenance::check_credential_args;
use super::session::{Session, native};

use std::sync::Arc;

use buildkit_llb::Definition;

use crate::context::named::Finder;
use crate::gateway::client::Bridge;
use crate::gateway::error::BuildError;
use crate::gateway::own_image;
use crate::gateway::solving::Evaluate;
use crate::options::settings::Settings;
use condafront_graph::{programs, write_environment};
use condafront_input::options::Options;
use condafront_input::section::BuildArgs;
use condafront_input::{InputSettings, Secrets, secret_names};
use condafront_model::source::{Diagnostic, SourceFile};

/// The settings of a build, with the secrets that its build-args refer to.
///
/// # Errors
/// An invalid build-arg, or secrets that cannot be read.
pub(crate) async fn settings(bridge: &Bridge, options: &Options) -> Result<Settings, BuildError> {
    let args: BuildArgs = options.build_args().collect();
    for (_, value) in options.build_args() {
        check_credential_args(options, None, value)?;
    }
    let values = options.build_args().map(|(_, value)| value);
    let names = values.flat_map(secret_names).collect();
    let secrets = read(bridge, options, &args, names).await?;
    Ok(Settings::with_secrets(options.build_args(), &secrets)?)
}

/// The same settings with the secrets that the build file refers to.
///
/// # Errors
/// As [`for_file`](Session::for_file()).
pub(crate) async fn for_build_file(
    bridge: &Bridge,
    options: &Options,
    settings: Settings,
    file: &Arc<SourceFile>,
) -> Result<Settings, BuildError> {
    let input = with_secrets(bridge, options, &settings.input, file).await?;
    Ok(Settings { input, ..settings })
}

impl Session<'_> {
    /// The settings for reading a file, with the secrets that it refers to.
    ///
    /// # Errors
    /// Secrets that cannot be read, or build-args in their place that provenance would show.
    pub(super) async fn for_file(
        &self,
        file: &Arc<SourceFile>,
        settings: &InputSettings,
    ) -> Result<InputSettings, BuildError> {
        with_secrets(self.bridge, self.options, settings, file).await
    }

    /// Refuses build-args that stand for credentials in a file, if the image's provenance would have their values.
    pub(super) fn check_credential_args(&self, file: &Arc<SourceFile>) -> Result<(), Diagnostic> {
        check_file(self.options, file)
    }
}

async fn with_secrets(
    bridge: &Bridge,
    options: &Options,
    settings: &InputSettings,
    file: &Arc<SourceFile>,
) -> Result<InputSettings, BuildError> {
    check_file(options, file)?;
    let names = file.text().map(secret_names).unwrap_or_default();
    let secrets = read(bridge, options, &settings.build_args, names).await?;
    Ok(settings.with_secrets(secrets))
}

fn check_file(options: &Options, file: &Arc<SourceFile>) -> Result<(), Diagnostic> {
    // That it is text is checked where it is read.
    check_credential_args(options, Some(file), file.text().unwrap_or_default())
}

/// Those of `names` that are neither build-args nor known already.
async fn read(
    bridge: &Bridge,
    options: &Options,
    args: &BuildArgs,
    mut names: BTreeSet<String>,
) -> Result<Secrets, BuildError> {
    names.retain(|name| args.get(name).is_none() && !args.secrets().has(name));
    if names.is_empty() {
        return Ok(Secrets::default());
    }
    let finder = Finder {
        bridge,
        options,
        platform: native(bridge),
    };
    let programs = programs(&own_image::find(finder).await?);
    let definition = Definition::of(&programs);
    let root = bridge.solve(definition, Evaluate::Now).await?;
    Ok(bridge.secrets(&names, &root, write_environment()).await?)
}
