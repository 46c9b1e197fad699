//! Finds the whole names of commits that a list names by their beginnings.

use buildkit_llb::Output;
use futures_util::future::try_join_all;

use super::linked::Linked;
use super::pip_list::load;
use crate::gateway::error::BuildError;
use condafront_graph::pip::{Local, PipNetwork};
use condafront_input::requirements::Repository;
use condafront_model::source::Location;
use condafront_step_spec::history::GIT_COMMIT_FILE;

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
    ) -> Result<Vec<(Local, Location)>, BuildError> {
        let whole = local.iter().map(async |(local, place)| {
            let repository = local.repository.as_ref();
            let repository = repository.filter(|it| chosen(local, it));
            let Some(repository) = repository.filter(|it| it.is_loaded_by_steps()) else {
                return Ok(None);
            };
            let (step, found) =
                self.environment
                    .whole_commit(root, repository, &local.label, network)?;
            let location = |_: &_| Some(place.clone());
            let reference = self.session.run_at(&found, &step, location).await?;
            let commit: Option<String> =
                self.session.read_json(&reference, GIT_COMMIT_FILE).await?;
            Ok::<_, BuildError>(commit)
        });
        let whole = try_join_all(whole).await?;
        let all = local.into_iter().zip(whole);
        Ok(all
            .map(|((mut local, place), commit)| {
                if let (Some(repository), Some(commit)) = (&mut local.repository, commit) {
                    repository.reference = Some(commit);
                    local.output = load(repository, &place);
                }
                (local, place)
            })
            .collect())
    }
}
