//! What a build is made from: its file, or the specs of a build without one.

use std::sync::Arc;

use crate::settings::InputSettings;
use crate::specs::Specs;
use crate::unknown::first_line;
use condafront_model::source::{Diagnostic, Lines, SourceFile};

/// What a build is made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BuildSource {
    /// The build file.
    File(Arc<SourceFile>),
    /// The build-args, in place of a file that is missing or empty.
    Specs(Box<Specs>),
}

impl BuildSource {
    /// What a build with this build file and these entries of `CONDA_SPECS` is made from. A missing file is an empty one.
    ///
    /// # Errors
    /// A diagnostic in the file, if there are specs and the file has more than blank lines and comments.
    pub fn of(
        file: &Arc<SourceFile>,
        specs: &[String],
        settings: &InputSettings,
    ) -> Result<Self, Diagnostic> {
        if specs.is_empty() {
            return Ok(Self::File(Arc::clone(file)));
        }
        match first_line(file.lossy_text()) {
            Some((number, _)) => Err(beside(file, Lines::one(number))),
            None => Ok(Self::Specs(Box::new(Specs::new(specs, settings)?))),
        }
    }
}

/// The error for `CONDA_SPECS` together with a file that says something at `lines`.
fn beside(file: &Arc<SourceFile>, lines: Lines) -> Diagnostic {
    Diagnostic::new(format!(
        "build-arg CONDA_SPECS is for a build without a file, but there is {}",
        file.name()
    ))
    .at(file, lines)
    .help("Remove the build-arg and add its packages to the file, or build from an empty folder.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn specs_take_the_place_of_a_file_that_says_nothing() {
        let of = |text: &str, specs: &[&str]| {
            let specs: Vec<String> = specs.iter().map(|spec| (*spec).to_owned()).collect();
            BuildSource::of(
                &SourceFile::new("env.yml", text),
                &specs,
                &InputSettings::default(),
            )
        };
        for empty in ["", "\n", "\u{feff}# syntax=org/condafront\n\n"] {
            assert!(matches!(of(empty, &[]), Ok(BuildSource::File(_))));
            assert!(matches!(of(empty, &["numpy"]), Ok(BuildSource::Specs(_))));
        }
        for text in [
            "\ndependencies: [numpy]\n",
            "# The image\nenvironments: {base: env.yml}\n",
        ] {
            assert!(matches!(of(text, &[]), Ok(BuildSource::File(_))));
            let error = of(text, &["numpy"]).unwrap_err();
            assert_eq!(error.locations[0].file.name(), "env.yml");
            assert_eq!(error.locations[0].lines, Lines::one(2));
        }
    }
}
