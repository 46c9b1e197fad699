//! Turns the base image's variables into those of an image with an active environment.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

use condafront_entrypoint::activation::Variables;
use condafront_entrypoint::path_list::DEFAULT_PATH;
use condafront_entrypoint::prefix;
use condafront_entrypoint::record::{Change, Record, Script, ScriptUse};
use condafront_model::reserved;

use condafront_step_spec::account::User;
use condafront_step_spec::activation::Recorded;

/// What activation needs to know about a conda environment of an image.
#[derive(Debug, Clone, Copy)]
pub struct Environment<'a> {
    /// Its name, `base` for the root prefix.
    pub name: &'a str,
    /// Its directory in the image, absolute.
    pub prefix: &'a str,
    /// The root prefix, `/opt/conda`.
    pub root_prefix: &'a str,
    /// Whether a package puts files into the root prefix's `condabin` (conda and mamba do).
    pub condabin: bool,
    /// Variables of the packages' `etc/conda/env_vars.d`; the last one of each name wins.
    pub env_vars_d: &'a [(String, String)],
    /// The environment file's `variables:`; they override those of packages.
    pub variables: &'a [(String, String)],
    /// What the activation scripts did; `None` if there are none or they have not run yet.
    pub recorded: Option<&'a Recorded>,
    /// Variables that are set after the scripts; a `PATH` among them has the environment's directory.
    pub late: &'a [(String, String)],
}

/// An environment's activation on a particular base image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activation {
    /// The environment's name.
    pub name: String,
    /// All variables for the image config's `Env` when this environment is active: the base image's
    /// in their order, with new values in place, then the new ones.
    pub env: Vec<(String, String)>,
    /// The base image's values of the variables that change.
    pub plain: Variables,
    /// The changes.
    pub record: Record,
}

/// Activates an environment on a base image whose config has the variables `base_env`.
///
/// Has no side effects. It is called once without [`Environment::recorded`], for the variables that
/// the scripts start with ([`RecordSpec`](condafront_step_spec::activation::RecordSpec)), and again with it.
pub fn activate(base_env: &[(String, String)], environment: &Environment<'_>) -> Activation {
    let mut plain: Variables = base_env
        .iter()
        .map(|(key, value)| (key.into(), value.into()))
        .collect();
    // Docker sets this in containers of an image without PATH. Without a directory no command would start.
    let path = plain.entry("PATH".into()).or_default();
    if path.is_empty() {
        *path = DEFAULT_PATH.into();
    }
    let mut changes = changes_without_scripts(environment, &plain);
    if let Some(recorded) = environment.recorded {
        apply_recorded(&mut changes, recorded);
    }
    let late = environment.late.iter();
    let late = late.map(|(key, value)| Change::Set(key.into(), value.into()));
    late.for_each(|change| apply(&mut changes, change));
    changes.retain(|change| match change {
        Change::Set(key, value) => plain.get(key) != Some(value) || key == "PATH",
        Change::Unset(key) => plain.contains_key(key),
    });
    plain.retain(|key, _| changes.iter().any(|change| change.key() == key));
    Activation {
        name: environment.name.to_owned(),
        env: image_env(base_env, &changes),
        plain,
        record: Record {
            prefix: environment.prefix.into(),
            changes,
            scripts: environment.recorded.map(scripts).unwrap_or_default(),
        },
    }
}

/// The variables of a base image that an image built on it cannot have: the entrypoint would take them for what the user
/// of a container wants. The home of the base's own user is not that of another `user`.
pub fn left_out<'a>(base_env: &'a [(String, String)], user: &User) -> Vec<&'a (String, String)> {
    let is_left_out = |(key, value): &&(String, String)| match key.as_str() {
        reserved::SKIP => true,
        reserved::HOME => *value != user.home,
        _ => false,
    };
    base_env.iter().filter(is_left_out).collect()
}

/// A base image's variables without those [`left_out`], and micromamba-docker's that tell builds of derived images who the image's
/// user is (`COPY --chown=$MAMBA_USER:$MAMBA_USER`).
pub fn with_user(base_env: Vec<(String, String)>, user: &User) -> Vec<(String, String)> {
    let left_out: Vec<_> = left_out(&base_env, user).into_iter().cloned().collect();
    let mut env = base_env;
    env.retain(|variable| !left_out.contains(variable));
    for (key, value) in [
        ("MAMBA_USER", user.name.clone()),
        ("MAMBA_USER_ID", user.uid.to_string()),
        ("MAMBA_USER_GID", user.gid.to_string()),
    ] {
        match env.iter_mut().find(|(known, _)| known == key) {
            Some((_, old)) => *old = value,
            None => env.push((key.to_owned(), value)),
        }
    }
    env
}

fn changes_without_scripts(environment: &Environment<'_>, plain: &Variables) -> Vec<Change> {
    let variables = environment.env_vars_d.iter().chain(environment.variables);
    let environment = prefix::Environment {
        name: environment.name.into(),
        prefix: environment.prefix.into(),
        root_prefix: environment.root_prefix.into(),
        condabin: environment.condabin,
        variables: variables.cloned().collect(),
    };
    environment.changes(plain)
}

/// Scripts run after what the files set, so their changes replace earlier ones.
fn apply_recorded(changes: &mut Vec<Change>, recorded: &Recorded) {
    let set = recorded
        .set
        .iter()
        .map(|(key, value)| Change::Set(key.into(), value.into()));
    let unset = recorded.unset.iter().map(|key| Change::Unset(key.into()));
    for change in set.chain(unset) {
        apply(changes, change);
    }
}

fn apply(changes: &mut Vec<Change>, change: Change) {
    match changes.iter_mut().find(|old| old.key() == change.key()) {
        Some(old) => *old = change,
        None => changes.push(change),
    }
}

fn scripts(recorded: &Recorded) -> Vec<Script> {
    recorded
        .scripts
        .iter()
        .map(|file| Script {
            file: file.into(),
            used: if recorded.dynamic.contains(file) {
                ScriptUse::Start
            } else if recorded.shell_only.contains(file) {
                ScriptUse::Shells
            } else {
                ScriptUse::Recorded
            },
        })
        .collect()
}

fn image_env(base_env: &[(String, String)], changes: &[Change]) -> Vec<(String, String)> {
    let changed: BTreeMap<&OsStr, &Change> = changes
        .iter()
        .map(|change| (change.key(), change))
        .collect();
    let mut env: Vec<(String, String)> = Vec::new();
    for (key, value) in base_env {
        match changed.get(OsStr::new(key)) {
            None => env.push((key.clone(), value.clone())),
            Some(Change::Set(_, new)) => env.push((key.clone(), text(new))),
            Some(Change::Unset(_)) => {}
        }
    }
    for change in changes {
        if let Change::Set(key, value) = change
            && !base_env.iter().any(|(old, _)| OsStr::new(old) == key)
        {
            env.push((text(key), text(value)));
        }
    }
    env
}

/// An image config is JSON; everything that arrives here was UTF-8.
fn text(value: &OsString) -> String {
    value.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests;
