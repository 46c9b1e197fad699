//! Runs the post-link scripts of an environment's packages.

use super::linked::Linked;
use super::notices;

use buildkit_llb::Output;

use crate::gateway::error::BuildError;
use condafront_graph::image::PostLinked;
use condafront_model::lint::Warning;
use condafront_step_spec::account::User;
use condafront_step_spec::facts::{POST_LINK_FACTS_FILE, PackageFacts, PostLinkFacts};
use condafront_step_spec::failure_report::Culprit;
use condafront_step_spec::install::PostLinkPackage;

impl Linked<'_> {
    /// Runs the packages' post-link scripts as `user`, right away, so that the people who build see their output if one
    /// fails.
    pub(super) async fn post_link(
        &self,
        below: &Output,
        user: &User,
    ) -> Result<PostLinked, BuildError> {
        let indices = &self.facts.post_link;
        let packages = || {
            let all = &self.facts.packages;
            indices.iter().filter_map(|index| all.get(*index))
        };
        for (index, package) in indices.iter().zip(packages()) {
            if let Some(planned) = self.environment.plan.packages.get(*index) {
                let what = format!("the post-link script of {}", name_and_version(package));
                self.session.must_run(&what, &[planned.lines])?;
            }
        }
        let scripts = packages().map(|package| PostLinkPackage {
            name: package.name.clone(),
            version: package.version.clone(),
            build_number: package.build_number,
        });
        let environment = &self.environment;
        let linked = environment.post_link(below, &user.home, scripts.collect(), indices)?;
        let lines = |culprit: &Culprit| environment.lines(&linked.step, culprit);
        let reference = self.session.run(&linked.facts, &linked.step, lines).await?;
        let facts: PostLinkFacts = self
            .session
            .read_json(&reference, POST_LINK_FACTS_FILE)
            .await?;
        let place = |index| Some(self.session.place(lines(&Culprit::Package(index))?));
        let warnings = facts.notices.iter();
        let warnings: Vec<Warning> = warnings
            .map(|notice| notices::warning(notice, place))
            .collect();
        self.session.warn(&warnings).await?;
        Ok(linked)
    }
}

fn name_and_version(package: &PackageFacts) -> String {
    format!("{} {}", package.name, package.version)
}
