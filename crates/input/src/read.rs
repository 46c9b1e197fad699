//! Recognises the kind of a build file, and reads it.

use std::sync::Arc;

use crate::build_source::BuildSource;
use crate::environment_input::{Categories, DEFAULT_ENVIRONMENT, EnvironmentInput};
use crate::explicit_lock::is_explicit;
use crate::section::file::{ImageFile, is_image_file, read_image_file};
use crate::settings::InputSettings;
use crate::toml_words::{as_written, warnings_as_written};
use crate::{
    conda_lock, env, exclude_newer, explicit, leftover, locked, manifest, pixi_lock, unknown, yaml,
};
use condafront_model::platform::Platform;
use condafront_model::source::{Diagnostic, SourceFile};

/// The content of a build file, or of the build-args in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BuildInput {
    /// One environment.
    Environment(Box<EnvironmentInput>),
    /// An image file, which names the files of environments.
    Image(Box<ImageFile>),
}

/// Reads what a build is made from.
///
/// # Errors
/// Those of [`read`] or [`Specs::read`](crate::specs::Specs::read), and those of an image file.
pub fn read_build_source(
    source: &BuildSource,
    platform: Platform,
    settings: &InputSettings,
) -> Result<BuildInput, Diagnostic> {
    let environment = match source {
        BuildSource::Specs(specs) => specs.read(platform)?,
        BuildSource::File(file) => match image_file(file, platform, settings)? {
            Some(image) => return Ok(BuildInput::Image(Box::new(image))),
            None => read(file, platform, settings)?,
        },
    };
    Ok(BuildInput::Environment(Box::new(environment)))
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
        Ok(text) if !is_explicit(text) && leftover::of_git(file, text).is_none() => {
            yaml::read(file, text).ok()
        }
        // Its errors are reported when it is read as another kind.
        _ => None,
    };
    let Some(tree) = tree.filter(is_image_file) else {
        return Ok(None);
    };
    let args = settings.build_args.for_platform(platform);
    let read = || {
        let mut image = read_image_file(file, &tree, &args)?;
        exclude_newer::check(&mut image.section, file)?;
        Ok(Some(image))
    };
    read().map_err(|error| leftover::explained(file, error))
}

/// Reads a file of any kind that describes an environment.
///
/// # Errors
/// A diagnostic at the user's line: not text, of no known kind, or an error of the kind's reader; or one that names the
/// build-arg with a package that a lock does not have. For an image file's environments, see
/// [`check_skips`](crate::check_skips).
pub fn read(
    file: &Arc<SourceFile>,
    platform: Platform,
    settings: &InputSettings,
) -> Result<EnvironmentInput, Diagnostic> {
    let mut input = read_kind(file, platform, settings)?;
    input.warnings = warnings_as_written(input.warnings);
    let is_lock =
        input.unknown_skips.is_some() || input.section.lock.is_some() || input.beside.is_some();
    if !is_lock && !settings.skip.is_empty() && settings.image_file.is_none() {
        let why = "it leaves packages out of locks";
        let warning = locked::without_effect("CONDAFRONT_SKIP", file, why);
        input.warnings.push(warning);
    }
    Ok(input)
}

fn read_kind(
    file: &Arc<SourceFile>,
    platform: Platform,
    settings: &InputSettings,
) -> Result<EnvironmentInput, Diagnostic> {
    let text = file.text()?;
    if unknown::first_line(text).is_none() {
        let help = if file.name().ends_with(".toml") {
            "Write [workspace] with channels = [\"conda-forge\"] and platforms = [\"linux-64\"], and the packages below [dependencies]: python = \"3.13.*\"."
        } else {
            "Write a `dependencies:` list, or a line @EXPLICIT and then one package URL per line."
        };
        let error = Diagnostic::new(format!("{} lists no packages", file.name()));
        return Err(error.help(help));
    }
    if let Some(error) = leftover::of_git(file, text) {
        return Err(error);
    }
    of_kind(file, text, platform, settings).map_err(|error| leftover::explained(file, error))
}

/// Reads a file of the kind that `text` shows.
fn of_kind(
    file: &Arc<SourceFile>,
    text: &str,
    platform: Platform,
    settings: &InputSettings,
) -> Result<EnvironmentInput, Diagnostic> {
    if is_explicit(text) {
        if let Some(template) = leftover::first_template(file) {
            return Err(template);
        }
        let mut input = explicit::read(file, text, platform, settings)?;
        let why = "an explicit lock has one environment and no categories";
        input.categories = Categories::None(why);
        let environment = settings.environment.as_deref();
        if environment.is_some_and(|name| name != DEFAULT_ENVIRONMENT) {
            let warning = locked::without_effect("ENVIRONMENT", file, why);
            input.warnings.push(warning);
        }
        return Ok(input);
    }
    if let Some(tree) = manifest::manifest(file, text).map_err(as_written)? {
        return manifest::read(file, &tree, platform, settings).map_err(as_written);
    }
    let tree = yaml::read(file, text).map_err(|error| unknown::not_yaml(file, text, error))?;
    let has = |key: &str| tree.get(key).is_some();
    if conda_lock::is_conda_lock(&tree) {
        conda_lock::read(file, &tree, platform, settings)
    } else if has("version") && has("environments") {
        let mut input = pixi_lock::read(file, text, &tree, platform, settings)?;
        input.categories = Categories::None("it has environments, not categories");
        Ok(input)
    } else if let Some(error) = unknown::of_another_tool(file, &tree) {
        Err(error)
    } else if has("dependencies") {
        env::read(file, text, &tree, platform, settings)
    } else {
        Err(unknown::kind(file, text, &tree))
    }
}

#[cfg(test)]
mod tests;
