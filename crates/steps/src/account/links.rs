//! Links of the base image in the way of layers. A layer with a directory in the place of a link would replace the link.

use std::path::{Path, PathBuf};

use super::error::AccountError;
use crate::root::Root;
use condafront_entrypoint::store::DIR;
use condafront_model::environment_prefix::ROOT_PREFIX;
use condafront_step_spec::account::LinkedDirectory;
use condafront_step_spec::activation::{ENTRYPOINT, PROFILE_DIR};

/// The links on the way to the directories that layers write into, parents first.
pub(super) fn below(root: &Root) -> Result<Vec<LinkedDirectory>, AccountError> {
    let environments = format!("{ROOT_PREFIX}/envs");
    let programs = Path::new(ENTRYPOINT).parent().unwrap_or(Path::new("/"));
    let places = [
        Path::new(&environments),
        programs,
        Path::new(DIR),
        Path::new(PROFILE_DIR),
    ];
    let mut found: Vec<LinkedDirectory> = Vec::new();
    for place in places {
        let mut path = PathBuf::from("/");
        for name in place.components().skip(1) {
            path.push(name);
            let shown = path.display().to_string();
            let is_link = root
                .outside(&root.resolve_parent(&path)?)
                .symlink_metadata()
                .is_ok_and(|meta| meta.is_symlink());
            if !is_link || found.iter().any(|link| link.path == shown) {
                continue;
            }
            let target = root.resolve(&path)?;
            if root.metadata(&target)?.is_some_and(|meta| !meta.is_dir()) {
                return Err(AccountError::NotADirectory(shown));
            }
            found.push(LinkedDirectory {
                path: shown,
                target: target.display().to_string(),
            });
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}
