//! The target `lock`: what is solved, written down.

use super::assembly::Image;
use super::{Session, as_diagnostic};

use buildkit_llb::{File, Input, Mkfile, OpOptions};
use buildkit_proto::gateway;

use crate::account::User;
use crate::choices::Choices;
use crate::explicit_lock::{self, ExplicitLock};
use crate::gateway::client::Evaluate;
use crate::gateway::error::BuildError;
use crate::graph::account::Account;
use crate::input::{self, Conda, DeclaredPlatform, EnvironmentInput, Pip, PipPackage};
use crate::package::Package;
use crate::platform::Platform;
use crate::source::Diagnostic;

impl Session<'_> {
    /// One file per platform.
    pub(super) async fn locks(&self) -> Result<gateway::Result, BuildError> {
        let mut files = File::on(Input::Scratch);
        for platform in self.lock_platforms()? {
            let text = self.lock(platform).await?;
            let path = format!("/{}", explicit_lock::file_name(platform));
            files.then(Mkfile::new(path, text).mode(0o644));
        }
        files.name("[lock] write what was solved");
        let files = files.build();
        let reference = match files.output() {
            Some(output) => self.solve(output, Evaluate::Lazily).await?.to_proto(),
            None => gateway::Ref::default(),
        };
        Ok(gateway::Result {
            result: Some(gateway::result::Result::Ref(reference)),
            ..Default::default()
        })
    }

    async fn lock(&self, platform: Platform) -> Result<String, BuildError> {
        let file = &self.build_file.file;
        let input = input::read(file, platform, &self.settings.input)?;
        self.warn(&input.warnings).await?;
        let (packages, pip) = match &input.pip {
            Pip::Unsolved(list) if !list.is_empty() => self.found_by_pip(&input, platform).await?,
            Pip::Unsolved(_) => (self.conda_packages(&input, platform).await?, Vec::new()),
            Pip::Locked(pip) => (self.conda_packages(&input, platform).await?, pip.clone()),
        };
        Ok(explicit_lock::render(&ExplicitLock {
            platform,
            name: input.name.as_deref(),
            variables: &input.variables,
            packages: &packages,
            pip: &pip,
            source: Some(file.name()),
        }))
    }

    async fn conda_packages(
        &self,
        input: &EnvironmentInput,
        platform: Platform,
    ) -> Result<Vec<Package>, BuildError> {
        let request = match &input.conda {
            Conda::Locked(packages) => return Ok(packages.clone()),
            Conda::Unsolved(request) => request,
        };
        let finder = self.finder(platform);
        let choices = Choices::new(&self.settings, &input.section);
        // The image is only looked at for its libc.
        let base = async {
            match self.settings.overrides.glibc() {
                Some(_) => Ok(Input::Scratch),
                None => Ok(self.base(&finder, &choices.base).await?.state),
            }
        };
        let (base, programs) = tokio::try_join!(base, self.programs())?;
        let solved = self.packages(request, platform, &programs, &base).await?;
        Ok(solved.packages)
    }

    /// The conda packages, and what pip finds in an image that has them.
    async fn found_by_pip(
        &self,
        input: &EnvironmentInput,
        platform: Platform,
    ) -> Result<(Vec<Package>, Vec<PipPackage>), BuildError> {
        if platform != self.platform {
            let diagnostic = Diagnostic::new(format!(
                "what pip finds for {platform} can only be found out on a builder of that platform"
            ))
            .help(format!(
                "Give --platform {}, or lock the file with conda-lock.",
                self.platform
            ));
            let first = input.pip.lines().first().copied();
            return Err(match first {
                Some(lines) => diagnostic.at(&self.build_file.file, lines).into(),
                None => diagnostic.into(),
            });
        }
        let found = async |image: &Image<'_>, account: &Account, _: &User| {
            let (root, _) = image.linked(account).await?;
            let pip = match &root {
                Input::Output(root) => image.pip_files(root).await?.0.into_owned(),
                Input::Scratch => Vec::new(),
            };
            Ok((image.environment.plan.packages.clone(), pip))
        };
        self.with_image(input, found).await
    }

    /// The platforms that `--platform` names, those that the file is for, or else the engine's own.
    fn lock_platforms(&self) -> Result<Vec<Platform>, BuildError> {
        let mut platforms = self.options.platforms().map_err(as_diagnostic)?;
        if platforms.is_empty() {
            let file = &self.build_file.file;
            let input = input::read(file, self.platform, &self.settings.input)?;
            if let Conda::Unsolved(request) = input.conda {
                let subdir = |platform: &DeclaredPlatform| Platform::from_subdir(&platform.subdir);
                platforms = request.platforms.iter().filter_map(subdir).collect();
            }
        }
        if platforms.is_empty() {
            platforms.push(self.platform);
        }
        platforms.sort_unstable();
        platforms.dedup();
        Ok(platforms)
    }
}
