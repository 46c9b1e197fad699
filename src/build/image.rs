//! The target `image`: from packages to an image with the environment.

use super::assembly::Image;
use super::{Session, as_diagnostic};

use buildkit_llb::SourceFile as LlbFile;
use buildkit_llb::caps::EXEC_MOUNT_CONTENT_CACHE;
use buildkit_proto::gateway;

use crate::account::{self, AccountFacts, User};
use crate::choices::{Choice, Choices};
use crate::context::named::{Finder, Found};
use crate::failure_report::Culprit;
use crate::gateway::error::BuildError;
use crate::gateway::requirements;
use crate::graph::account::Account;
use crate::graph::environment::Environment;
use crate::graph::image::Stacking;
use crate::image::section;
use crate::input::{self, Conda, EnvironmentInput, Rule, Warning};
use crate::plan::Plan;
use crate::plan::groups::Layers as LayerCount;
use crate::plan::place::Place;
use crate::source::{Diagnostic, Lines};
use crate::stamp::Owner;

impl Session<'_> {
    /// The target `image`.
    pub(super) async fn image(&self) -> Result<gateway::Result, BuildError> {
        let file = &self.build_file.file;
        let input = input::read(file, self.platform, &self.settings.input)?;
        self.warn(&input.warnings).await?;
        let finish = async |image: &Image<'_>, account: &Account, user: &User| {
            image.finish(account, user).await
        };
        self.with_image(&input, finish).await
    }

    /// Links the packages of an environment for the session's platform, and goes on with `next`.
    pub(super) async fn with_image<T>(
        &self,
        input: &EnvironmentInput,
        next: impl AsyncFnOnce(&Image<'_>, &Account, &User) -> Result<T, BuildError>,
    ) -> Result<T, BuildError> {
        let file = &self.build_file.file;
        crate::pip::check_entries(&input.pip, file)?;
        let place = Place::of(input.name.as_deref()).map_err(as_diagnostic)?;
        let choices = Choices::new(&self.settings, &input.section);
        let stacking = self.stacking(&choices.layers)?;
        let finder = self.finder(self.platform);
        let (base, programs) =
            tokio::try_join!(self.base(&finder, &choices.base), self.programs())?;
        let workdir = section::workdir(&base.config, &input.section);
        let (packages, solved) = match &input.conda {
            Conda::Locked(packages) => (packages.clone(), Vec::new()),
            Conda::Unsolved(request) => {
                let solved = self
                    .packages(request, self.platform, &programs, &base.state)
                    .await?;
                (solved.packages, solved.facts)
            }
        };
        let layers = match (stacking, choices.layers.value) {
            (Stacking::Copy, _) => LayerCount::AtMost(1),
            (Stacking::Merge, layers) => layers.unwrap_or_default(),
        };
        let plan = Plan::new(packages, self.platform, layers);
        crate::pip::check(&plan.packages, &input.pip, file)?;
        let micromamba = self.micromamba(&finder, choices.installer).await?;
        let mut environment = Environment {
            plan: &plan,
            place: &place,
            file: LlbFile::new(
                file.name(),
                file.excerpt_of(
                    plan.packages
                        .iter()
                        .map(|package| package.lines)
                        .chain(input.pip.lines()),
                ),
            )
            .language(file.language()),
            frontend: &programs,
            base: base.state.output(),
            micromamba: micromamba.as_ref(),
            user: choices.owner(),
            no_cache: self.options.no_cache(),
            content_cache: self.bridge.abilities().has(EXEC_MOUNT_CONTENT_CACHE.id),
        };
        let account = environment
            .account(&choices.user.value, workdir.as_deref())
            .map_err(as_diagnostic)?;
        let workdir_lines = input.section.workdir.as_ref().map(|workdir| workdir.lines);
        let (mut installed, found) = tokio::try_join!(
            self.install(&environment),
            self.account_facts(&account, choices.user.lines, workdir_lines)
        )?;
        let owner = Owner {
            uid: found.user.uid,
            gid: found.user.gid,
        };
        if owner != environment.user {
            // The base already had an account of that name.
            environment.user = owner;
            installed = self.install(&environment).await?;
        }
        let (layers, facts) = installed;
        self.warn(&self.notices(&plan, &facts.notices)).await?;
        self.warn(&account_notices(&found.notices)).await?;
        let image = Image {
            session: self,
            environment: &environment,
            base: &base,
            stacking,
            layers: &layers,
            facts: &facts,
            solved: &solved,
            variables: &input.variables,
            pip: &input.pip,
            section: &input.section,
            workdir: workdir.as_deref(),
        };
        next(&image, &account, &found.user).await
    }

    /// Makes the account; `user` and `workdir` are the lines that ask for it and for the working directory.
    async fn account_facts(
        &self,
        account: &Account,
        user: Option<Lines>,
        workdir: Option<Lines>,
    ) -> Result<AccountFacts, BuildError> {
        const HELP: &str =
            "The build-args MAMBA_USER, MAMBA_USER_ID and MAMBA_USER_GID choose the account.";
        const KEY: &str =
            "Change `user`; the build-args MAMBA_USER, MAMBA_USER_ID and MAMBA_USER_GID beat it.";
        const WORKDIR: &str =
            "A working directory is a folder of the base image, or one that is made.";
        let lines = |culprit: &Culprit| workdir.filter(|_| matches!(culprit, Culprit::File(_)));
        let run = self.run(&account.facts, &account.step, lines);
        let reference = run.await.map_err(|error| match (error, user) {
            (BuildError::Diagnostic(found), _) if !found.locations.is_empty() => {
                found.help(WORKDIR).into()
            }
            (BuildError::Diagnostic(found), Some(lines)) => {
                found.at(&self.build_file.file, lines).help(KEY).into()
            }
            (BuildError::Diagnostic(found), None) => found.help(HELP).into(),
            (error, _) => error,
        })?;
        self.read_json(&reference, account::FACTS_FILE).await
    }

    /// The base image. What is wrong with it is told at the line that names it.
    pub(super) async fn base(
        &self,
        finder: &Finder<'_>,
        choice: &Choice<String>,
    ) -> Result<Found, BuildError> {
        let found = finder.base(&choice.value).await;
        found.map_err(|error| match (error, choice.lines) {
            (BuildError::Diagnostic(diagnostic), Some(lines)) => {
                diagnostic.at(&self.build_file.file, lines).into()
            }
            (error, _) => error,
        })
    }

    /// How this engine can stack layers, and whether that is what the user asked for.
    fn stacking(&self, layers: &Choice<Option<LayerCount>>) -> Result<Stacking, Diagnostic> {
        let merge = buildkit_llb::caps::MERGE_OP.id;
        if self.bridge.abilities().has(merge) {
            return Ok(Stacking::Merge);
        }
        match layers.value {
            Some(LayerCount::AtMost(2..)) => {
                let mut diagnostic = requirements::missing(merge, self.bridge.abilities());
                let help = diagnostic.help.take().unwrap_or_default();
                Err(match layers.lines {
                    Some(lines) => diagnostic
                        .at(&self.build_file.file, lines)
                        .help(format!("{help} Or leave `layers` away: the image then has one layer of packages.")),
                    None => diagnostic.help(format!("{help} Or leave CONDAFRONT_LAYERS away: the image then has one layer of packages.")),
                })
            }
            _ => Ok(Stacking::Copy),
        }
    }
}

/// What the account step noticed, as findings.
fn account_notices(notices: &[String]) -> Vec<Warning> {
    let warning = |notice: &String| Warning {
        rule: Rule::Account,
        diagnostic: Diagnostic::new(notice),
    };
    notices.iter().map(warning).collect()
}
