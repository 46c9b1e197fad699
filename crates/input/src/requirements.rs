//! Lists of requirements: the entries of a `pip:` list, which are lines of a requirements file
//! (<https://pip.pypa.io/en/stable/reference/requirements-file-format/>), and the files that they include.

mod entry;
mod list;
mod logical;
mod options;
mod paths;
mod reading;
mod repository;
mod syntax;

pub use entry::{Requirement, Source};
pub use list::{BuildOptions, List, ListEntry};
pub use logical::has_credentials;
pub use reading::{IncludedFile, Reading};
pub use repository::Repository;

use crate::pip_requirement::PipRequirement;
use crate::section::args::BuildArgs;
use condafront_model::source::{Diagnostic, Lines, SourceFile};

/// Checks each entry of a list, as far as possible without reading the files that it names.
///
/// # Errors
/// A diagnostic at the first invalid entry.
pub fn check(list: &[PipRequirement], args: &BuildArgs) -> Result<(), Diagnostic> {
    let mut reading = Reading::new(list, args);
    while reading.next_file()?.is_some() {}
    Ok(())
}

/// The list that a file with this text is, for tests.
///
/// # Panics
/// Where the text is no such list.
#[doc(hidden)]
pub fn list_of(text: &str) -> List {
    let file = SourceFile::new("requirements.txt", text);
    let first = PipRequirement {
        text: "-r requirements.txt".to_owned(),
        file: SourceFile::new("env.yml", "pip: [-r requirements.txt]\n"),
        lines: Lines::one(1),
    };
    let args = BuildArgs::default();
    let mut reading = Reading::new(&[first], &args);
    while reading.next_file().expect("a list").is_some() {
        reading.open(&file).expect("a list");
    }
    reading.finish()
}

#[cfg(test)]
mod tests;
