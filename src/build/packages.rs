//! Packages: fetched, linked, and asked what they bring.

use super::{Session, as_diagnostic};

use buildkit_llb::Input;

use crate::context::named::Finder;
use crate::gateway::error::BuildError;
use crate::gateway::fetch::fetch_all;
use crate::graph::downloads::Addresses;
use crate::graph::environment::{Environment, Layers, Micromamba};
use crate::install::facts::{EnvironmentFacts, FACTS_FILE};
use crate::install::spec::Installer;
use crate::plan::micromamba;
use crate::source::Diagnostic;

impl Session<'_> {
    /// Downloads and links all packages, and reads what they bring.
    pub(super) async fn install(
        &self,
        environment: &Environment<'_>,
    ) -> Result<(Layers, EnvironmentFacts), BuildError> {
        let mut addresses = Addresses::new(
            environment
                .fetched()
                .map(|package| self.settings.mirrors.candidates(&package.url)),
        );
        // The installer is in no file.
        let in_file = environment.plan.packages.iter();
        let lines = in_file.map(|package| Some(package.lines));
        self.check_provenance(&addresses, lines)?;
        let mut mended = false;
        loop {
            let layers = environment.layers(&addresses).map_err(as_diagnostic)?;
            let error = match self.evaluate(&layers.facts).await {
                Ok(reference) => {
                    let facts = self.read_json(&reference, FACTS_FILE).await?;
                    return Ok((layers, facts));
                }
                Err(BuildError::Gateway(error)) => error,
                Err(error) => return Err(error),
            };
            let failed = error.vertices();
            if let Some(step) = layers.failing(&failed) {
                let explained = self.explain(step, |culprit| environment.lines(step, culprit));
                return Err(explained.await.unwrap_or(error.into()));
            }
            // The failing operation may be one of another build that fetches the same package from elsewhere: BuildKit
            // joins the two.
            if mended || error.is_cancelled() {
                return Err(error.into());
            }
            fetch_all(
                self.bridge,
                &environment.artifacts(),
                &mut addresses,
                &self.build_file.file,
            )
            .await?;
            mended = true;
        }
    }

    /// The micromamba that installs, if it is the one who does: a named context `micromamba`, or conda-forge's package.
    pub(super) async fn micromamba(
        &self,
        finder: &Finder<'_>,
        installer: Installer,
    ) -> Result<Option<Micromamba>, BuildError> {
        if installer == Installer::Native {
            return Ok(None);
        }
        if let Some(found) = finder.named("micromamba").await? {
            return match found.state {
                Input::Output(from) => Ok(Some(Micromamba::Given {
                    from,
                    pinned: found.pinned,
                })),
                Input::Scratch => {
                    Err(Diagnostic::new("the named context micromamba is empty").into())
                }
            };
        }
        let package = micromamba::package(&self.settings.micromamba, self.platform)?;
        let warning = micromamba::warning(&package, &self.settings.micromamba);
        self.warn(warning.as_slice()).await?;
        Ok(Some(Micromamba::Package(Box::new(package))))
    }
}
