//! Checks the section's volumes against the finished image.

use super::session::Session;

use buildkit_llb::Input;

use crate::gateway::error::BuildError;
use condafront_input::section::ImageSection;
use condafront_model::redact::quoted;
use condafront_model::source::Diagnostic;

impl Session<'_> {
    /// Refuses volumes at or below a file of the image: engines do not start containers of it.
    ///
    /// # Errors
    /// A diagnostic at the volume's line, or why the image cannot be built.
    pub(super) async fn check_volumes(
        &self,
        section: &ImageSection,
        root: &Input,
    ) -> Result<(), BuildError> {
        let Input::Output(root) = root else {
            return Ok(());
        };
        if section.volumes.is_empty() {
            return Ok(());
        }
        let image = self.evaluate(root).await?;
        for volume in &section.volumes {
            let path = volume.value.as_str();
            let ends = path.match_indices('/').map(|(end, _)| end).skip(1);
            for end in ends.chain([path.len()]) {
                if self.bridge.is_folder(&image, &path[..end]).await? == Some(false) {
                    let message = format!(
                        "`{}` cannot be a volume: `{}` is a file of the image",
                        quoted(path),
                        quoted(&path[..end])
                    );
                    return Err(Diagnostic::new(message)
                        .at(&self.build_file.file, volume.lines)
                        .help("Write a directory, or a path that the image does not have.")
                        .into());
                }
            }
        }
        Ok(())
    }
}
