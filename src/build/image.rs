//! The target `image`: from packages to an image with the environment.

use super::assembly::Image;
use super::{Session, as_diagnostic};

use buildkit_llb::SourceFile as LlbFile;
use buildkit_llb::caps::EXEC_MOUNT_CONTENT_CACHE;
use buildkit_proto::gateway;

use crate::account::{self, AccountFacts};
use crate::gateway::error::BuildError;
use crate::gateway::requirements;
use crate::graph::account::Account;
use crate::graph::environment::Environment;
use crate::graph::image::Stacking;
use crate::input::{self, Conda, Rule, Warning};
use crate::plan::Plan;
use crate::plan::groups::Layers as LayerCount;
use crate::plan::place::Place;
use crate::source::Diagnostic;
use crate::stamp::Owner;

impl Session<'_> {
    /// The target `image`.
    pub(super) async fn image(&self) -> Result<gateway::Result, BuildError> {
        let file = &self.build_file.file;
        let input = input::read(file, self.platform, &self.settings.input)?;
        crate::pip::check_input(&input, file)?;
        self.warn(&input.warnings).await?;
        let place = Place::of(input.name.as_deref()).map_err(as_diagnostic)?;
        let stacking = self.stacking()?;
        let finder = self.finder(self.platform);
        let (base, programs) = tokio::try_join!(finder.base(&self.settings.base), self.programs())?;
        let packages = match input.conda {
            Conda::Locked(packages) => packages,
            Conda::Unsolved(request) => {
                self.packages(&request, self.platform, &programs, &base.state)
                    .await?
            }
        };
        let layers = match (stacking, self.settings.layers) {
            (Stacking::Copy, _) => LayerCount::AtMost(1),
            (Stacking::Merge, layers) => layers.unwrap_or_default(),
        };
        let plan = Plan::new(packages, self.platform, layers);
        crate::pip::check(&plan.packages, &input.pip, file)?;
        let micromamba = self.micromamba(&finder).await?;
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
            user: self.settings.owner(),
            no_cache: self.options.no_cache(),
            content_cache: self.bridge.abilities().has(EXEC_MOUNT_CONTENT_CACHE.id),
        };
        let account = environment
            .account(&self.settings.user)
            .map_err(as_diagnostic)?;
        let (mut installed, found) =
            tokio::try_join!(self.install(&environment), self.account_facts(&account))?;
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
            variables: &input.variables,
            pip: &input.pip,
        };
        image.finish(&account, &found.user).await
    }

    async fn account_facts(&self, account: &Account) -> Result<AccountFacts, BuildError> {
        const HELP: &str =
            "The build-args MAMBA_USER, MAMBA_USER_ID and MAMBA_USER_GID choose the account.";
        let run = self.run(&account.facts, &account.step, |_| None);
        let reference = run.await.map_err(|error| match error {
            BuildError::Diagnostic(diagnostic) => BuildError::from(diagnostic.help(HELP)),
            error => error,
        })?;
        self.read_json(&reference, account::FACTS_FILE).await
    }

    /// How this engine can stack layers, and whether that is what the user asked for.
    fn stacking(&self) -> Result<Stacking, Diagnostic> {
        let merge = buildkit_llb::caps::MERGE_OP.id;
        if self.bridge.abilities().has(merge) {
            return Ok(Stacking::Merge);
        }
        match self.settings.layers {
            Some(LayerCount::AtMost(2..)) => {
                let mut diagnostic = requirements::missing(merge, self.bridge.abilities());
                let help = diagnostic.help.take().unwrap_or_default();
                Err(diagnostic.help(format!("{help} Or leave CONDAFRONT_LAYERS away: the image then has one layer of packages.")))
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
