//! The build context as graphs use it.

use buildkit_llb::Output;

/// The context as a file system.
#[derive(Clone, Debug)]
pub struct ContextState {
    /// The file system.
    pub state: Output,
    /// The folder in it that is the context; empty for the root.
    pub subdir: String,
    /// Patterns of what a copy must leave out because the file system still has it.
    pub exclude: Vec<String>,
}

impl ContextState {
    /// The path in the file system of what is at `path` in the context.
    pub fn full(&self, path: &str) -> String {
        match (self.subdir.as_str(), path) {
            ("", path) => path.to_owned(),
            (subdir, "") => subdir.to_owned(),
            (subdir, path) => format!("{subdir}/{path}"),
        }
    }
}
