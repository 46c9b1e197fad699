//! Variables that a shell sets, one after the other, when it activates the environment of a pixi manifest. Their values may
//! refer to variables of the image, which are known only when it is made.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::place::Place;
use crate::reserved;
use crate::section::expand::{ExpandError, Template};
use crate::section::image_section::EnvVar;
use condafront_model::environment_prefix::EnvironmentPrefix;
use condafront_model::execve;
use condafront_model::lint::{Rule, Warning};
use condafront_model::redact::quoted;
use condafront_model::source::{Diagnostic, SourceFile};

/// What pixi sets itself. An image does not have these.
const OF_PIXI: &str = "PIXI_";

/// These variables, in the order in which they are set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ActivationVariables(Vec<EnvVar>);

/// Their values in an image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ActivationValues {
    /// The variables, in the order in which they are set.
    pub values: Vec<(String, String)>,
    /// Warnings about what the image does not have.
    pub warnings: Vec<Warning>,
}

impl ActivationVariables {
    /// Adds a variable, which is set after those before it.
    pub(crate) fn push(&mut self, variable: EnvVar) {
        self.0.push(variable);
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether values depend on the image, and so on what its packages' scripts set.
    pub fn need_image(&self) -> bool {
        self.0.iter().any(|one| one.value.text().is_none())
    }

    /// The values in an image that has the variables `env` when its environment at `prefix` is active; `file` is the one
    /// that they were read from.
    ///
    /// # Errors
    /// A diagnostic at the variable's line if its value is impossible, or would hide the environment's programs.
    pub fn resolve(
        &self,
        file: &Arc<SourceFile>,
        env: &[(String, String)],
        prefix: &EnvironmentPrefix,
    ) -> Result<ActivationValues, Diagnostic> {
        let of_image = env.iter();
        let mut known: BTreeMap<&str, String> = of_image
            .map(|(name, value)| (name.as_str(), value.clone()))
            .collect();
        let mut resolved = ActivationValues::default();
        for one in &self.0 {
            let place = Place {
                file,
                lines: one.lines,
            };
            let expanded = one
                .value
                .expand_as_shell(&|name| known.get(name).map(String::as_str));
            let (value, unset) = expanded.map_err(|error| impossible(place, &one.name, error))?;
            execve::check_value(&one.name, &value).map_err(|why| {
                place
                    .error(format!("the variable {} {why}", quoted(&one.name)))
                    .help(why.help())
                    .caused_by(why)
            })?;
            let programs = format!("{}/bin", prefix.path());
            let is_own = |dir: &str| dir.trim_end_matches('/') == programs;
            if one.name == "PATH" && !value.split(':').any(is_own) {
                return Err(reserved::path_without_environment(&value, place));
            }
            // When the file was read, there was a warning about pixi's own.
            let unset = unset.iter().filter(|name| !name.starts_with(OF_PIXI));
            let is_later =
                |name: &String| *name != one.name && self.0.iter().any(|other| other.name == *name);
            let warning = |name: &String| {
                if is_later(name) {
                    later_warning(place, &one.name, name)
                } else {
                    unset_warning(place, &one.name, name, &unset_help(name))
                }
            };
            resolved.warnings.extend(unset.map(warning));
            known.insert(&one.name, value.clone());
            resolved.values.push((one.name.clone(), value));
        }
        Ok(resolved)
    }
}

/// The error for a variable whose value cannot be expanded.
pub(crate) fn impossible(place: Place<'_>, name: &str, error: ExpandError) -> Diagnostic {
    let message = match &error {
        ExpandError::Required(required, why) if why.is_empty() => {
            format!("{required} is required for {}", quoted(name))
        }
        ExpandError::Required(required, why) => format!("{required} is required: {}", quoted(why)),
        ExpandError::Unset(unset) => format!("the image has no variable {unset}"),
        other => format!("the variable {} cannot be set: {other}", quoted(name)),
    };
    place.error(message).caused_by(error)
}

/// Warnings about variables in the value of `name` that pixi sets and no image has.
pub(crate) fn warnings_of_pixi(place: Place<'_>, name: &str, value: &Template) -> Vec<Warning> {
    let warning = |unset: &str| {
        let example = match unset {
            "PIXI_PROJECT_ROOT" => "/srv/app",
            _ => "…",
        };
        let help = format!(
            "Write ${{{unset}:-{example}}} with the value for the image: pixi still uses its own."
        );
        unset_warning(place, name, unset, &help)
    };
    unset_of_pixi(value)
        .iter()
        .map(|name| warning(name))
        .collect()
}

/// The variables of pixi without which a part of the value would be empty.
fn unset_of_pixi(value: &Template) -> BTreeSet<String> {
    // Other variables are not known yet, and they can decide which parts there are.
    let with = |other: Option<&'static str>| {
        let lookup = move |name: &str| other.filter(|_| !name.starts_with(OF_PIXI));
        let expanded = value.expand_as_shell(&lookup);
        expanded.map(|(_, unset)| unset).unwrap_or_default()
    };
    let unset = [None, Some("x")].into_iter().flat_map(with);
    unset.filter(|name| name.starts_with(OF_PIXI)).collect()
}

fn unset_warning(place: Place<'_>, name: &str, unset: &str, help: &str) -> Warning {
    Warning {
        rule: Rule::UnexpandedVariable,
        diagnostic: place
            .error(format!(
                "the image has no variable {unset}, so it is empty in {}",
                quoted(name)
            ))
            .help(help),
    }
}

fn later_warning(place: Place<'_>, name: &str, later: &str) -> Warning {
    Warning {
        rule: Rule::UnexpandedVariable,
        diagnostic: place
            .error(format!(
                "{later} is set after {}, so it is empty there",
                quoted(name)
            ))
            .help("pixi sets the variables of an environment's features first, those of the default feature last, and in each of them those below `target` first."),
    }
}

fn unset_help(unset: &str) -> String {
    if unset.ends_with("PATH") {
        format!(
            "An empty entry can mean the current directory. Write ${{{unset}:+:${unset}}} for `:${unset}`, or ${{{unset}:-}} if it may be empty."
        )
    } else {
        format!("Write ${{{unset}:-}} if it may be empty.")
    }
}
