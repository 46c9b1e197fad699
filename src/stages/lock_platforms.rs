//! The platforms that locks are written for.

use super::session::Session;

use std::sync::Arc;

use futures_util::future::try_join_all;

use crate::gateway::error::BuildError;
use condafront_input as input;
use condafront_input::{BuildSource, Conda, DeclaredPlatform, InputSettings};
use condafront_model::lint::{Rule, Warning};
use condafront_model::platform::Platform;
use condafront_model::source::{Diagnostic, SourceFile};

impl Session<'_> {
    /// The platforms of `--platform`, or else those that the files declare, or else the engine's own.
    pub(super) async fn lock_platforms(&self) -> Result<Vec<Platform>, BuildError> {
        let mut platforms = self.options.platforms()?;
        if platforms.is_empty() {
            for (file, settings) in &self.files_of_environments().await? {
                let session = self.about(file);
                for declared in session.declared_platforms(settings).await? {
                    match Platform::from_subdir(&declared.subdir) {
                        Some(platform) => platforms.push(platform),
                        None => session.warn(&[session.no_lock_for(&declared)]).await?,
                    }
                }
            }
        }
        if platforms.is_empty() {
            platforms.push(self.platform);
        }
        platforms.sort_unstable();
        platforms.dedup();
        Ok(platforms)
    }

    /// The files that describe the environments, with the settings for each.
    async fn files_of_environments(
        &self,
    ) -> Result<Vec<(Arc<SourceFile>, InputSettings)>, BuildError> {
        let BuildSource::File(file) = self.source else {
            return Ok(Vec::new());
        };
        let settings = &self.settings.input;
        match input::image_file(file, self.platform, settings)? {
            None => Ok(vec![(Arc::clone(file), settings.clone())]),
            Some(image) => {
                let files = image.environments.iter();
                let found =
                    try_join_all(files.map(|one| self.beside_build_file(&one.file))).await?;
                let files = found.into_iter().zip(&image.environments);
                Ok(files
                    .map(|(found, one)| (found.file, settings.within(one, &image)))
                    .collect())
            }
        }
    }

    /// The platforms that an environment file declares: a manifest those of the chosen environment, or else of all whose lock
    /// is written. The engine's own may not be among them.
    async fn declared_platforms(
        &self,
        settings: &InputSettings,
    ) -> Result<Vec<DeclaredPlatform>, BuildError> {
        let settings = self.for_file(self.file, settings).await?;
        let read = |settings: &InputSettings| {
            let read = |platform| input::read(self.file, platform, settings);
            let first = read(self.platform);
            first.or_else(|error| {
                let mut others = Platform::ALL.into_iter();
                others.find_map(|other| read(other).ok()).ok_or(error)
            })
        };
        // Lock files declare no platforms to solve for. Their errors are reported when they are read.
        let Ok(first) = read(&settings) else {
            return Ok(Vec::new());
        };
        let own_lock = first.beside.as_ref();
        let own_lock = own_lock.filter(|_| first.section.lock.is_none());
        let names = match (own_lock, &settings.environment) {
            (Some(own_lock), None) => own_lock.environments.as_slice(),
            _ => &[],
        };
        let others = names.iter().filter_map(|name| {
            let environment = Some(name.clone());
            read(&InputSettings {
                environment,
                ..settings.clone()
            })
            .ok()
        });
        let mut platforms: Vec<DeclaredPlatform> = Vec::new();
        for input in others.chain([first.clone()]) {
            let Conda::Unsolved(request) = input.conda else {
                continue;
            };
            for one in request.platforms {
                if !platforms.iter().any(|known| known.subdir == one.subdir) {
                    platforms.push(one);
                }
            }
        }
        Ok(platforms)
    }

    fn no_lock_for(&self, declared: &DeclaredPlatform) -> Warning {
        let diagnostic = Diagnostic::new(format!("no lock is written for {}", declared.subdir))
            .at(self.file, declared.lines)
            .help("condafront only solves for Linux. Use conda-lock or pixi for other platforms.");
        Warning {
            rule: Rule::Ignored,
            diagnostic,
        }
    }
}
