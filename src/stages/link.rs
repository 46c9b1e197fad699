//! An image whose environments are linked: its layers, its account, and what steps found out.

use super::assembly::Image;
use super::ground::Ground;
use super::linked::ImagePlan;
use super::session::Session;
use super::snakemake;

use futures_util::future::try_join_all;
use tokio::sync::OnceCell;

use crate::gateway::error::BuildError;
use crate::image::section;
use condafront_graph::account::Account;
use condafront_model::lint::{Rule, Warning};
use condafront_model::source::{Diagnostic, Lines};
use condafront_model::stamp::Ownership;
use condafront_step_spec::account::{AccountFacts, AccountSpec, FACTS_FILE};
use condafront_step_spec::failure_report::Culprit;

impl<'a> Ground<'a> {
    /// Finds and links the packages of all environments, and creates the account. `plan` is for the packages.
    ///
    /// # Errors
    /// When a solve, a download, a package or the account makes it impossible.
    pub(super) async fn link<'b>(
        &'b self,
        plan: &'b OnceCell<ImagePlan<'a>>,
    ) -> Result<Image<'b>, BuildError> {
        let Self { session, input, .. } = self;
        let user = &self.choices.user;
        let tools = self.tools();
        let install = async |owner: Ownership| {
            let plan = plan.get_or_try_init(|| self.plan()).await?;
            let linked = plan.environments.iter().map(|one| one.install(self, owner));
            let linked = try_join_all(linked).await?;
            Ok::<_, BuildError>((linked, plan))
        };
        let workdir_lines = input.section.workdir.as_ref().map(|workdir| workdir.lines);
        // Conda packages do not depend on system packages, so both are found and installed in parallel.
        let prepare = async {
            let ready = session
                .system_packages(&self.base, &tools, &input.section)
                .await?;
            let under = ready.base.state.output();
            let spec = AccountSpec {
                user: user.value.clone(),
                workdir: self.workdir.clone(),
                links: snakemake::links(input),
            };
            let account = tools.account(&spec, under)?;
            let found = session.account_facts(&account, user.lines, workdir_lines);
            let found = found.await?;
            Ok::<_, BuildError>((ready, account, found))
        };
        let guessed = self.choices.ownership();
        let ((mut environments, plan), (base, account, found)) =
            tokio::try_join!(install(guessed), prepare)?;
        let owner = found.user.ownership();
        if owner != guessed {
            // The base image already has an account with that name.
            (environments, _) = install(owner).await?;
        }
        for environment in &environments {
            environment.warn().await?;
        }
        session.warn(&account_notices(&found.notices)).await?;
        let asked = self.workdir.clone();
        let workdir = asked.or_else(|| section::default_workdir(&self.base.config, &found));
        Ok(Image {
            session: *session,
            tools,
            base,
            base_lines: self.choices.base.lines,
            libc: found.libc,
            links: found.links,
            stacking: self.stacking,
            layers: self.layers,
            account,
            user: found.user,
            made_workdir: found.made_workdir,
            environments,
            shared: &plan.shared,
            left_out: input.left_out,
            default: input.default,
            section: &input.section,
            workdir,
        })
    }
}

impl Session<'_> {
    /// Creates the account; `user` and `workdir` are the lines that ask for it and for the working directory.
    async fn account_facts(
        &self,
        account: &Account,
        user: Option<Lines>,
        workdir: Option<Lines>,
    ) -> Result<AccountFacts, BuildError> {
        const HELP: &str =
            "Choose the account with the build-args MAMBA_USER, MAMBA_USER_ID and MAMBA_USER_GID.";
        const KEY: &str = "Change `user`; the build-args MAMBA_USER, MAMBA_USER_ID and MAMBA_USER_GID override it.";
        const WORKDIR: &str =
            "Use a directory of the base image, or a path that does not exist yet.";
        let lines = |culprit: &Culprit| workdir.filter(|_| matches!(culprit, Culprit::File(_)));
        let run = self.run(&account.facts, &account.step, lines);
        let reference = run.await.map_err(|error| match (error, user) {
            (BuildError::Diagnostic(found), _) if !found.locations.is_empty() => {
                found.help(WORKDIR).into()
            }
            (BuildError::Diagnostic(found), Some(lines)) => {
                found.at(self.file, lines).help(KEY).into()
            }
            (BuildError::Diagnostic(found), None) => found.help(HELP).into(),
            (error, _) => error,
        })?;
        self.read_json(&reference, FACTS_FILE).await
    }
}

/// The account step's notices, as warnings.
fn account_notices(notices: &[String]) -> Vec<Warning> {
    let warning = |notice: &String| Warning {
        rule: Rule::Account,
        diagnostic: Diagnostic::new(notice),
    };
    notices.iter().map(warning).collect()
}
