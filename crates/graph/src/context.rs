//! The build context as graphs use it.

use buildkit_llb::Output;

/// The context as a file system.
#[derive(Clone, Debug)]
pub struct ContextState {
    /// The file system.
    pub state: Output,
    /// The folder in it that is the context; empty for the root.
    pub subdir: String,
    /// Patterns of what a copy has to leave out, as the file system has it still.
    pub exclude: Vec<String>,
}
