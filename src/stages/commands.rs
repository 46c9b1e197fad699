//! What the image section adds on top of the environments: files, then commands.

use super::additions::Additions;
use super::copy::Copied;
use super::run::Ran;

use buildkit_llb::{Input, Output};

use crate::gateway::error::BuildError;

/// A copy or a command, and the image after it.
enum Step<'a> {
    Copied(Copied<'a>),
    Ran(Ran<'a>),
}

impl Step<'_> {
    fn image(&self) -> &Input {
        match self {
            Self::Copied(copied) => &copied.image,
            Self::Ran(ran) => &ran.image,
        }
    }
}

impl Additions<'_> {
    /// The image `root` with all copies and commands, and the names of its new layers. They are built here, so that a
    /// failure is reported at its line.
    pub(super) async fn onto(&self, root: Input) -> Result<(Input, Vec<String>), BuildError> {
        let adds_nothing = self.section.copy.is_empty() && self.section.run.is_empty();
        if let Input::Output(root) = &root
            && !adds_nothing
        {
            self.session.settle(root).await?;
        }
        let mut root = root;
        let mut names = Vec::new();
        let mut steps = Vec::new();
        let mut copies = Vec::new();
        let copied = self.copies(&root, &mut copies).await;
        for copied in copies {
            names.push(copied.name());
            root = copied.image.clone();
            steps.push(Step::Copied(copied));
        }
        match copied {
            // Looking up an owner's name builds the copies before it.
            Err(BuildError::Gateway(error)) => return Err(self.explain(&steps, error).await),
            copied => copied?,
        }
        let run_options = self.run_options()?;
        for number in 0..self.section.run.len() {
            let ran = match self.command(&root, number, &run_options).await {
                Ok(ran) => ran,
                // An earlier step may be the one that failed.
                Err(BuildError::Gateway(error)) => return Err(self.explain(&steps, error).await),
                Err(error) => return Err(error),
            };
            names.push(ran.name());
            root = ran.image.clone();
            steps.push(Step::Ran(ran));
        }
        if let Some(last) = steps.last().and_then(|step| step.image().output())
            && let Err(error) = self.session.evaluate(last).await
        {
            return Err(match error {
                BuildError::Gateway(error) => self.explain(&steps, error).await,
                error => error,
            });
        }
        Ok((root, names))
    }

    /// Why one of the steps failed.
    async fn explain(
        &self,
        steps: &[Step<'_>],
        error: crate::gateway::error::GatewayError,
    ) -> BuildError {
        let failed = error.vertices();
        let is_it = |output: &Output| failed.contains(&output.digest().to_string());
        let step = steps
            .iter()
            .find(|step| step.image().output().is_some_and(is_it));
        if error.is_cancelled() {
            return error.into();
        }
        match step {
            Some(Step::Copied(copied)) => self.explain_copy(copied, error).await,
            Some(Step::Ran(ran)) => self.explain_run(ran, error).await,
            // BuildKit refuses some commands before it builds anything.
            None => self.explain_refusal(error),
        }
    }
}
