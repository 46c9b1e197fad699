//! Finds the whole names of commits that a list names by their beginnings.

use buildkit_llb::Output;
use futures_util::future::try_join_all;

use super::linked::Linked;
use super::pip_list::load;
use crate::gateway::error::BuildError;
use condafront_graph::pip::{Local, PipNetwork};
use condafront_input::requirements::Repository;
use condafront_model::source::Location;
use condafront_step_spec::history::{FoundCommit, GIT_COMMIT_FILE};

/// What a search for commits has brought.
pub(super) struct WholeCommits {
    /// The packages, with the whole names of the commits that were found.
    pub(super) local: Vec<(Local, Location)>,
    /// Whether there was no git to look for them.
    pub(super) lacks_git: bool,
}

impl Linked<'_> {
    /// `local`, with the commits of those repositories that are `chosen` by their whole names. The git of the image `root` looks
    /// for them.
    ///
    /// # Errors
    /// A name that is not the beginning of one commit's, at the line that has it.
    pub(super) async fn with_whole_commits(
        &self,
        root: &Output,
        local: Vec<(Local, Location)>,
        network: &PipNetwork,
        chosen: impl Fn(&Local, &Repository) -> bool,
    ) -> Result<WholeCommits, BuildError> {
        let found = local.iter().map(async |(local, place)| {
            let repository = local.repository.as_ref();
            let repository = repository.filter(|it| chosen(local, it));
            let Some(repository) = repository.filter(|it| it.is_loaded_by_steps()) else {
                return Ok(FoundCommit::BranchOrTag);
            };
            let (step, found) =
                self.environment
                    .whole_commit(root, repository, &local.label, network)?;
            let location = |_: &_| Some(place.clone());
            let reference = self.session.run_at(&found, &step, location).await?;
            let commit: FoundCommit = self.session.read_json(&reference, GIT_COMMIT_FILE).await?;
            Ok::<_, BuildError>(commit)
        });
        let found = try_join_all(found).await?;
        let lacks_git = found.contains(&FoundCommit::NoGit);
        let all = local.into_iter().zip(found);
        let local = all.map(|((mut local, place), found)| {
            if let (Some(repository), FoundCommit::Whole(commit)) = (&mut local.repository, found) {
                repository.reference = Some(commit);
                local.output = load(repository, &place);
            }
            (local, place)
        });
        Ok(WholeCommits {
            local: local.collect(),
            lacks_git,
        })
    }
}
