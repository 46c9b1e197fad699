//! Warnings about a section that is valid.

use std::sync::Arc;

use crate::place::Place;
use crate::secret_variable;
use crate::section::image_section::ImageSection;
use condafront_model::lint::Warning;
use condafront_model::source::SourceFile;

impl ImageSection {
    /// Warnings about what the section of `file` says.
    pub fn warnings(&self, file: &Arc<SourceFile>) -> Vec<Warning> {
        let secrets = self.env.iter().filter_map(|variable| {
            let place = Place {
                file,
                lines: variable.lines,
            };
            secret_variable::warning(&variable.name, variable.value.text(), place)
        });
        let mut found = self.unexpanded(file);
        found.extend(secrets);
        found
    }
}
