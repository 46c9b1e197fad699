//! The files that `-f` accepts. Their content decides which kind they are; each kind becomes a list of packages.

mod channels;
pub mod conda_lock;
mod dependency_list;
pub mod env;
mod environment_input;
pub mod explicit;
pub mod explicit_lock;
mod locked;
mod match_spec;
mod mistake;
pub mod options;
pub mod package_order;
mod pip_requirement;
pub mod pixi_lock;
mod place;
pub mod pypi;
pub mod requirements;
pub mod section;
mod settings;
pub mod specs;
mod unknown;
pub mod yaml;

use std::sync::Arc;

pub use environment_input::{
    Conda, DeclaredPlatform, EnvironmentInput, Pip, Request, RequestedSpec,
};
pub use pip_requirement::PipRequirement;
pub use settings::{ChannelDefaults, InputSettings, parsed};
pub use unknown::is_empty;

use condafront_model::platform::Platform;
use condafront_model::source::{Diagnostic, SourceFile};
use environment_input::DEFAULT_ENVIRONMENT;
use section::ImageFile;

/// The content of a build file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BuildInput {
    /// One environment.
    Environment(Box<EnvironmentInput>),
    /// An image file, which names the files of environments.
    Image(Box<ImageFile>),
}

/// Reads a build file.
///
/// # Errors
/// Those of [`read`], and those of an image file.
pub fn read_build_file(
    file: &Arc<SourceFile>,
    platform: Platform,
    settings: &InputSettings,
) -> Result<BuildInput, Diagnostic> {
    Ok(match image_file(file, platform, settings)? {
        Some(image) => BuildInput::Image(Box::new(image)),
        None => BuildInput::Environment(Box::new(read(file, platform, settings)?)),
    })
}

/// Reads a file if it is an image file.
///
/// # Errors
/// Those of an image file.
pub fn image_file(
    file: &Arc<SourceFile>,
    platform: Platform,
    settings: &InputSettings,
) -> Result<Option<ImageFile>, Diagnostic> {
    let tree = match file.text() {
        Ok(text) if !explicit::is_explicit(text) => yaml::read(file, text).ok(),
        // Its errors are reported when it is read as another kind.
        _ => None,
    };
    let Some(tree) = tree.filter(section::is_image_file) else {
        return Ok(None);
    };
    if !settings.specs.is_empty() {
        return Err(specs::beside(file));
    }
    let args = settings.build_args.for_platform(platform);
    section::read_image_file(file, &tree, &args).map(Some)
}

/// Reads a file of any kind that describes an environment.
///
/// # Errors
/// A diagnostic at the user's line: not text, of no known kind, or an error of the kind's reader.
pub fn read(
    file: &Arc<SourceFile>,
    platform: Platform,
    settings: &InputSettings,
) -> Result<EnvironmentInput, Diagnostic> {
    if !settings.specs.is_empty() {
        return specs::read_beside(file, settings, platform);
    }
    let text = file.text()?;
    if unknown::first_line(text).is_none() {
        return Err(
            Diagnostic::new(format!("{} lists no packages", file.name()))
                .help("Write a `dependencies:` list, or a line @EXPLICIT and then one package URL per line."),
        );
    }
    if explicit::is_explicit(text) {
        let mut input = explicit::read(file, text, platform)?;
        let why = "an explicit lock has one environment and no categories";
        let given = [
            (
                "ENVIRONMENT",
                settings
                    .environment
                    .as_deref()
                    .unwrap_or(DEFAULT_ENVIRONMENT)
                    != DEFAULT_ENVIRONMENT,
            ),
            ("CONDA_LOCK_CATEGORIES", !settings.categories.is_empty()),
        ];
        for (name, _) in given.into_iter().filter(|(_, given)| *given) {
            let warning = locked::without_effect(name, file, why);
            input.warnings.push(warning);
        }
        return Ok(input);
    }
    let tree = yaml::read(file, text).map_err(|error| unknown::not_yaml(file, text, error))?;
    let has = |key: &str| tree.get(key).is_some();
    if conda_lock::is_conda_lock(&tree) {
        conda_lock::read(file, &tree, platform, settings)
    } else if has("version") && has("environments") {
        pixi_lock::read(file, text, &tree, platform, settings)
    } else if has("dependencies") {
        env::read(file, text, &tree, platform, settings)
    } else {
        Err(unknown::kind(file, text, &tree))
    }
}
