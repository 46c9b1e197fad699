//! Inspecting finished images, without running anything from them.

use buildkit_llb::{OpOptions as _, Output};

use super::step::Step;
use super::tools::Tools;
use condafront_step_spec::args::{ArgsError, StepSpec as _};
use condafront_step_spec::diff::DiffSpec;
use condafront_step_spec::mounts::{INPUT_DIR, OUTPUT_DIR};
use condafront_step_spec::verify::VerifySpec;

impl Tools<'_> {
    /// Compares `found`, an image, with `expected`. The output has the report.
    ///
    /// # Errors
    /// When the request does not fit into a program's arguments.
    pub fn verify(
        &self,
        spec: &VerifySpec,
        expected: &Output,
        found: &Output,
    ) -> Result<(Output, Step), ArgsError> {
        Ok(self.look_at(
            spec.to_args(&[])?,
            "[verify] compare the image with the file",
            [expected, found],
        ))
    }

    /// Lists how the packages of two images differ. The output has the reports.
    ///
    /// # Errors
    /// When the request does not fit into a program's arguments.
    pub fn diff(
        &self,
        spec: &DiffSpec,
        old: &Output,
        new: &Output,
    ) -> Result<(Output, Step), ArgsError> {
        let name = "[diff] compare the packages of the images";
        Ok(self.look_at(spec.to_args(&[])?, name, [old, new]))
    }

    /// A step that reads two images. It runs in every build: no cache that a build imports answers for it.
    fn look_at(&self, args: Vec<String>, name: &str, images: [&Output; 2]) -> (Output, Step) {
        let mut step = self.step(args, name);
        for (index, image) in images.into_iter().enumerate() {
            // Hashing them would read them once more, and no result is reused.
            step.input(&format!("{INPUT_DIR}/{index}"), image, self.content_cache);
        }
        step.exec().ignore_cache().export_cache(false);
        let out = step.output(OUTPUT_DIR);
        (step.exec().build()[out].clone(), step)
    }
}
