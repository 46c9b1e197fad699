//! Where the steps that install find their inputs, and where they put their outputs.

use std::path::PathBuf;

use condafront_step_spec::mounts::{
    FACTS_DIR, INPUT_DIR, MICROMAMBA_DIR, OUTPUT_DIR, PARTS_DIR, PYTHON_DIR,
};

/// Where a step's mounts are.
#[derive(Debug, Clone)]
pub struct Mounts {
    /// Package `n` is a file in the directory `<input>/<n>`.
    pub input: PathBuf,
    /// What becomes the layer.
    pub output: PathBuf,
    /// The further layers of a step that has several are the folders `<parts>/<n>`, counted from 1.
    pub parts: PathBuf,
    /// What the frontend and later steps read.
    pub facts: PathBuf,
    /// The output of `python-runtime`.
    pub python: PathBuf,
    /// The directory with the micromamba binary.
    pub micromamba: PathBuf,
}

impl Default for Mounts {
    /// The paths that the planner mounts at.
    fn default() -> Self {
        Mounts {
            input: INPUT_DIR.into(),
            output: OUTPUT_DIR.into(),
            parts: PARTS_DIR.into(),
            facts: FACTS_DIR.into(),
            python: PYTHON_DIR.into(),
            micromamba: MICROMAMBA_DIR.into(),
        }
    }
}
