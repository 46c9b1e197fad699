//! Lists of requirements: the entries of a `pip:` list, which are lines of a requirements file
//! (<https://pip.pypa.io/en/stable/reference/requirements-file-format/>), and the files that they include.

mod address;
mod check;
mod credentials;
mod editable;
mod entry;
mod frozen;
mod hashes;
mod ignored_options;
mod line;
mod list;
mod meant;
mod mistyped;
mod options;
mod other_file;
mod paths;
mod reading;
mod repository;
mod requirement;
mod syntax;
mod variables;
mod web_list;

pub use credentials::{PIP_SETTINGS, check_settings};
pub use list::{BuildOptions, List, ListEntry};
pub use paths::LocalPath;
pub use reading::{IncludedFile, Reading};
pub use repository::Repository;
pub use requirement::{Requirement, Source, is_archive};
pub(crate) use syntax::{DEEPEST, has_names, is_readable, is_shallow, is_valid};
pub use variables::has_credentials;
pub use web_list::WebList;

use crate::file_path::FilePath;
use crate::pip_requirement::PipRequirement;
use crate::section::args::BuildArgs;
use condafront_model::source::{Lines, SourceFile};

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
    let mut reading = Reading::new(&args);
    reading.add(&[first], FilePath::context());
    while let Some(named) = reading.next_file().expect("a list") {
        let opened = match named {
            IncludedFile::Local(named) => {
                let path = named.candidates().expect("a place").remove(0);
                reading.open(&file, path)
            }
            IncludedFile::Web(_) => reading.open_web(text.into()),
        };
        opened.expect("a list");
    }
    reading.finish()
}

#[cfg(test)]
mod tests;
