//! Variables that belong to the image, where a file would set them.

use condafront_model::lint::{Rule, Warning};
use condafront_model::redact::quoted;
use condafront_model::reserved;
use condafront_model::source::Diagnostic;

use crate::place::Place;

/// Why a file cannot set the variable `name` to `value`, and what to do instead; `None` if it can.
fn reason(name: &str, value: &str) -> Option<(&'static str, String)> {
    if !reserved::is_reserved(name) {
        return None;
    }
    Some(match name {
        "PATH" => (
            "the environment's activation sets it",
            format!(
                "To add a directory, write `env: {{PATH: \"{}:${{PATH}}\"}}` in the image section.",
                directories(value)
            ),
        ),
        reserved::HOME => (
            "it is the home of the image's account",
            format!(
                "Remove it. If containers should have another home, write `env: {{HOME: {}}}` in the image section.",
                quoted(value)
            ),
        ),
        reserved::SKIP => (
            "containers would start without the environment",
            format!("Remove it. To start a container like that, use docker run -e {name}=1."),
        ),
        "ENV_NAME" | "CONDA_DEFAULT_ENV" => (
            "it names the active environment",
            "Remove it. `name` names an environment, `default` of an image file chooses the active one, and docker run -e ENV_NAME=… another."
                .to_owned(),
        ),
        "MAMBA_USER" | "MAMBA_USER_ID" | "MAMBA_USER_GID" => (
            "it describes the image's account",
            "Remove it. Choose the account with `user` in the image section, or with the build-arg of this name."
                .to_owned(),
        ),
        _ => (
            "the environment's activation sets it",
            "Remove it.".to_owned(),
        ),
    })
}

/// The directories of a value for `PATH`, without the image's own.
fn directories(value: &str) -> String {
    let is_one = |dir: &&str| !dir.is_empty() && !["$PATH", "${PATH}"].contains(dir);
    let found: Vec<&str> = value.split(':').filter(is_one).collect();
    match found.as_slice() {
        [] => "/srv/bin".to_owned(),
        found => quoted(&found.join(":")),
    }
}

/// The warning that the variable `name` of an environment is left out; `None` if it is not.
pub(crate) fn left_out(name: &str, value: &str, place: Place<'_>) -> Option<Warning> {
    let (why, help) = reason(name, value)?;
    Some(Warning {
        rule: Rule::ReservedVariable,
        diagnostic: place
            .error(format!("the variable {name} is left out: {why}"))
            .help(help),
    })
}

/// The error for an image section that sets `name`; `None` if it may: images can have another home, and add to `PATH`.
pub(crate) fn refused(name: &str, place: Place<'_>) -> Option<Diagnostic> {
    if ["PATH", reserved::HOME].contains(&name) {
        return None;
    }
    let (why, help) = reason(name, "")?;
    let error = place.error(format!("`env` cannot set {name}: {why}"));
    Some(error.help(help))
}

/// The error for a `PATH` without the environment's directory of programs.
pub(crate) fn path_without_environment(value: &str, place: Place<'_>) -> Diagnostic {
    place
        .error("with this PATH, containers would not find the environment's programs")
        .help(format!(
            "Write `PATH: \"{}:${{PATH}}\"`: ${{PATH}} stands for what the image has.",
            directories(value)
        ))
}
