//! What the environments of an image share: the base image, the programs of steps, and what the user chose.

use super::input::{EnvironmentFile, ImageInput};
use super::session::Session;
use super::session::native;

use buildkit_llb::Output;

use crate::context::named::{Finder, Found};
use crate::gateway::error::BuildError;
use crate::gateway::requirements;
use crate::image::section;
use crate::options::choices::{Choice, Choices};
use condafront_graph::Tools;
use condafront_graph::environment::Micromamba;
use condafront_graph::image::Stacking;
use condafront_model::layers::Layers as LayerCount;
use condafront_model::source::Diagnostic;

/// What the environments of an image share.
pub(super) struct Ground<'a> {
    /// The build; errors point at the build file.
    pub(super) session: Session<'a>,
    /// The user's files.
    pub(super) input: &'a ImageInput,
    /// What the user chose.
    pub(super) choices: Choices,
    /// How layers are stacked.
    pub(super) stacking: Stacking,
    /// The base image.
    pub(super) base: Found,
    /// The file system in which steps run.
    pub(super) programs: Output,
    /// The micromamba that installs packages, if it is the installer.
    pub(super) micromamba: Option<Micromamba>,
    /// How many layers packages are spread over.
    pub(super) layers: LayerCount,
    /// The working directory that the image section asks for.
    pub(super) workdir: Option<String>,
}

impl Ground<'_> {
    /// What all steps share.
    pub(super) fn tools(&self) -> Tools<'_> {
        self.session.tools(&self.programs)
    }

    /// What the steps of one environment share.
    pub(super) fn tools_of<'b>(&'b self, one: &'b EnvironmentFile) -> Tools<'b> {
        Tools {
            environment: self.input.label_of(one),
            ..self.tools()
        }
    }
}

impl<'a> Session<'a> {
    /// Finds what the environments of an image share.
    ///
    /// # Errors
    /// When the engine or the base image cannot be used for it.
    pub(super) async fn ground(&self, input: &'a ImageInput) -> Result<Ground<'a>, BuildError> {
        for one in &input.environments {
            self.about(&one.file).check_pip(&one.pip.asked)?;
        }
        let choices = Choices::new(self.settings, &input.section);
        let stacking = self.stacking(&choices.layers)?;
        let layers = match (stacking, choices.layers.value) {
            (Stacking::Copy, _) => LayerCount::AtMost(1),
            (Stacking::Merge, layers) => layers.unwrap_or_default(),
        };
        let finder = self.finder();
        let (base, programs) =
            tokio::try_join!(self.base(&finder, &choices.base), self.programs())?;
        self.check_base(&choices.base, &base.config)?;
        // It runs on the builder, whatever platform it links packages for.
        let builder = self.on(native(self.bridge));
        let micromamba = builder.micromamba(choices.installer).await?;
        let file = &self.build_file.file;
        let workdir = section::workdir(&base.config, &input.section, file)?;
        Ok(Ground {
            session: *self,
            input,
            choices,
            stacking,
            base,
            programs,
            micromamba,
            layers,
            workdir,
        })
    }

    /// The base image. Its errors are reported at the line that names it.
    pub(super) async fn base(
        &self,
        finder: &Finder<'_>,
        choice: &Choice<String>,
    ) -> Result<Found, BuildError> {
        let found = finder.base(&choice.value).await;
        found.map_err(|error| {
            let told = match error {
                BuildError::Diagnostic(diagnostic) => *diagnostic,
                error => return error,
            };
            match choice.lines {
                Some(lines) => told.at(self.file, lines).into(),
                None => told.into(),
            }
        })
    }

    /// How this engine can stack layers; an error if that is not enough for what the user asked for.
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
                        .at(self.file, lines)
                        .help(format!("{help} Or remove `layers`: the image then has one layer of packages.")),
                    None => diagnostic.help(format!("{help} Or remove CONDAFRONT_LAYERS: the image then has one layer of packages.")),
                })
            }
            _ => Ok(Stacking::Copy),
        }
    }
}
