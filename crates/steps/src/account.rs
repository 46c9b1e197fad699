//! The step `condafront account`: creates the image's user without any tool of the base image, and
//! reports what the frontend needs to know about that base image.
//!
//! The base image is mounted read-only; the output is a layer to put on top of it.

mod base;
mod database;
mod error;
pub(crate) mod fuzzing;
mod home;
mod layer;
mod links;
mod user;

use std::fs;
use std::path::Path;

use crate::root::Root;
pub(crate) use base::{libc, os_name, os_release};
use condafront_model::stamp::Owner;
use condafront_step_spec::account::{AccountFacts, AccountSpec, FACTS_FILE, LIBC_FILE};
use condafront_step_spec::activation::ENTRYPOINT;
use database::Databases;
pub use error::AccountError;
use layer::Layer;

/// The entrypoint's name in micromamba-docker's images.
const ENTRYPOINT_ALIAS: &str = "/usr/local/bin/_entrypoint.sh";
const TEMPORARY: &str = "/tmp";

/// Creates the account layer in `out` for the base image at `base`, and writes the facts into the
/// directory `facts`. If the base image lacks the image's working directory, the layer has it too,
/// owned by the user, and so are the links that the image needs.
///
/// # Errors
/// A user that is not possible on this base image, or a failing file operation.
pub fn run(
    spec: &AccountSpec,
    base: &Path,
    out: &Path,
    facts: &Path,
) -> Result<AccountFacts, AccountError> {
    let root = Root::new(base);
    let shells = base::shells(&root)?;
    let databases = Databases::read(&root)?;
    let decision = user::decide(&spec.user, &databases, &shells)?;
    let mut layer = Layer::new(&root, out)?;
    decision.databases.write(&databases, &mut layer)?;
    home::write(&root, &mut layer, &decision)?;
    // Programs rely on it, and it is the home of users without an account.
    if root.metadata(Path::new(TEMPORARY))?.is_none() {
        layer.dir(TEMPORARY, 0o1777, Owner::ROOT)?;
    }
    let mut made_workdir = false;
    if let Some(path) = &spec.workdir {
        let user = decision.user.ownership();
        let failed = |source| AccountError::Workdir {
            path: path.clone(),
            source: Box::new(source),
        };
        made_workdir = layer
            .dirs(path, user.mode(0o755), user.owner)
            .map_err(failed)?;
    }
    for (path, target) in &spec.links {
        layer.symlink(path, Path::new(target), Owner::ROOT)?;
    }
    let alias_target = Path::new(ENTRYPOINT).file_name().unwrap_or_default();
    layer.symlink(ENTRYPOINT_ALIAS, Path::new(alias_target), Owner::ROOT)?;
    layer.finish()?;
    let found = AccountFacts {
        has_home: home::exists(&root, &decision.user)?,
        made_workdir,
        user: decision.user,
        notices: decision.notices,
        libc: base::libc(&root)?,
        links: links::below(&root)?,
    };
    let path = facts.join(FACTS_FILE);
    let json = serde_json::to_vec(&found).map_err(|e| AccountError::io(&path, e.into()))?;
    fs::write(&path, json).map_err(|e| AccountError::io(&path, e))?;
    Ok(found)
}

/// Finds the C library of the base image at `base`, and writes it into the directory `facts`.
///
/// # Errors
/// A failing file operation.
pub(crate) fn find_libc(base: &Path, facts: &Path) -> Result<(), AccountError> {
    let libc = base::libc(&Root::new(base))?;
    let path = facts.join(LIBC_FILE);
    let json = serde_json::to_vec(&libc).map_err(|e| AccountError::io(&path, e.into()))?;
    fs::write(&path, json).map_err(|e| AccountError::io(&path, e))
}
