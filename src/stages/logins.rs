//! The logins that a build has: which of the secrets that BuildKit sends to servers are given.

use std::collections::BTreeSet;
use std::sync::Arc;

use buildkit_llb::Definition;

use super::session::{Session, native};
use crate::context::named::Finder;
use crate::gateway::client::Bridge;
use crate::gateway::error::BuildError;
use crate::gateway::own_image;
use crate::gateway::solving::Evaluate;
use crate::options::inputs::CHANNEL;
use crate::options::settings::Settings;
use condafront_graph::{programs, write_environment};
use condafront_input::options::Options;
use condafront_input::section::BuildArgs;
use condafront_input::{InputSettings, Logins, check_options, login_names};
use condafront_model::source::SourceFile;

/// The settings of a build, with the logins for the addresses in its build-args.
///
/// # Errors
/// An invalid build-arg, or secrets that cannot be read.
pub(crate) async fn settings(bridge: &Bridge, options: &Options) -> Result<Settings, BuildError> {
    // No server is asked for anything.
    if options.get(&format!("context:{CHANNEL}")).is_some() {
        return Ok(Settings::with_logins(
            options.build_args(),
            Logins::Unknown,
        )?);
    }
    let args: BuildArgs = options.build_args().collect();
    let values = options.build_args().map(|(_, value)| value);
    let names = values.flat_map(|value| login_names(value, &args)).collect();
    let given = given(bridge, options, names).await?;
    Ok(Settings::with_logins(
        options.build_args(),
        Logins::Given(given),
    )?)
}

/// The same settings with what the build file says about the lint, and the logins for the addresses in it.
///
/// # Errors
/// As [`for_file`](Session::for_file()), and a diagnostic at a `# check=` that is not valid.
pub(crate) async fn for_build_file(
    bridge: &Bridge,
    options: &Options,
    settings: Settings,
    file: &Arc<SourceFile>,
) -> Result<Settings, BuildError> {
    let input = with_logins(bridge, options, &settings.input, file).await?;
    let check = check_options(file, options.build_args())?;
    Ok(Settings {
        input,
        check,
        ..settings
    })
}

impl Session<'_> {
    /// The settings for reading a file, with the logins for the addresses in it.
    ///
    /// # Errors
    /// Secrets that cannot be read.
    pub(super) async fn for_file(
        &self,
        file: &Arc<SourceFile>,
        settings: &InputSettings,
    ) -> Result<InputSettings, BuildError> {
        with_logins(self.bridge, self.options, settings, file).await
    }
}

async fn with_logins(
    bridge: &Bridge,
    options: &Options,
    settings: &InputSettings,
    file: &Arc<SourceFile>,
) -> Result<InputSettings, BuildError> {
    if *settings.build_args.logins() == Logins::Unknown {
        return Ok(settings.clone());
    }
    // That it is text is checked where it is read.
    let text = file.text().unwrap_or_default();
    let names = login_names(text, &settings.build_args);
    Ok(settings.with_logins(given(bridge, options, names).await?))
}

/// Those of `names` that are secrets of the build.
async fn given(
    bridge: &Bridge,
    options: &Options,
    names: BTreeSet<String>,
) -> Result<BTreeSet<String>, BuildError> {
    if names.is_empty() {
        return Ok(names);
    }
    let finder = Finder {
        bridge,
        options,
        platform: native(bridge),
    };
    let programs = programs(&own_image::find(finder).await?);
    let definition = Definition::of(&programs);
    let root = bridge.solve(definition, Evaluate::Now).await?;
    Ok(bridge
        .given_secrets(&names, &root, write_environment())
        .await?)
}
