//! The readers of trees as functions of bytes, for `tests/fuzz`.

use condafront_model::source::{Diagnostic, SourceFile};

use crate::{toml, yaml};

/// Reads YAML and TOML as trees; what is wrong with either.
pub fn trees(data: &[u8]) -> Vec<Diagnostic> {
    let file = SourceFile::new("env.yml", data);
    let text = file.lossy_text();
    let errors = [yaml::read(&file, text).err(), toml::read(&file, text).err()];
    errors.into_iter().flatten().collect()
}
