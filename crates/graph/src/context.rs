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
