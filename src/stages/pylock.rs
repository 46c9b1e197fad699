//! What locks of PyPI packages name for one environment.

use super::linked::Linked;
use super::pip_list::{PipInput, of_repository};

use crate::gateway::error::BuildError;
use condafront_graph::pip::Local;
use condafront_input::pylock::{Chosen, Pylock};
use condafront_input::{LocalPip, pypi};
use condafront_model::pypi_package::PipPackage;
use condafront_model::source::Location;
use condafront_step_spec::solve::Glibc;

/// What locks name.
#[derive(Default)]
pub(super) struct LockedPackages {
    /// Files to download.
    pub(super) files: Vec<PipPackage>,
    /// Packages of the user's folders and of repositories, and where they are named.
    pub(super) local: Vec<(Local, Location)>,
}

impl Linked<'_> {
    /// What locks name for this environment, in an image with this C library.
    ///
    /// # Errors
    /// A diagnostic at what it cannot have.
    pub(super) async fn locked(&self, glibc: &Glibc) -> Result<LockedPackages, BuildError> {
        let PipInput {
            asked,
            locked_local,
            ..
        } = &self.file.pip;
        let mut found = LockedPackages {
            files: asked.locked.clone(),
            local: locked_local.clone(),
        };
        for lock in &asked.pylocks {
            self.add_chosen(lock, glibc, &mut found).await?;
        }
        pypi::check_files(&found.files, &self.file.file)?;
        Ok(found)
    }

    /// Adds what `lock` has for this environment.
    async fn add_chosen(
        &self,
        lock: &Pylock,
        glibc: &Glibc,
        found: &mut LockedPackages,
    ) -> Result<(), BuildError> {
        let session = &self.session;
        let settings = &self.file.settings;
        let categories: Vec<String> = settings.asked_categories().map(str::to_owned).collect();
        let chosen = self
            .environment
            .chosen(lock, session.platform, glibc, &categories)?;
        let mut paths: Vec<LocalPip> = Vec::new();
        for one in chosen {
            match one {
                Chosen::Remote(package) => found.files.push(package),
                Chosen::Local(package) => paths.push(package),
                Chosen::Repository {
                    name,
                    repository,
                    lines,
                } => {
                    let place = Location {
                        file: lock.file.clone(),
                        lines,
                    };
                    found.local.push(of_repository(name, repository, place));
                }
            }
        }
        let mut warnings = Vec::new();
        let named = session.packages_of_lock(&paths, &lock.file, &lock.folder, &mut warnings);
        found.local.extend(named.await?);
        session.warn(&warnings).await
    }
}
