//! Where steps find their inputs and put their outputs.

/// Where a step finds its inputs: package `n` is a file inside the directory `/in/<n>`.
pub const INPUT_DIR: &str = "/in";

/// Where a step writes what becomes a layer.
pub const OUTPUT_DIR: &str = "/out";

/// Where an install step puts the further parts of a layer that it divides: part `n`, counted from 1, goes to
/// `/parts/<n>`.
pub const PARTS_DIR: &str = "/parts";

/// Where a step writes what the frontend and later steps read.
pub const FACTS_DIR: &str = "/facts";

/// Where shards are kept between builds, by their hashes.
pub const SHARDS_DIR: &str = "/shards";

/// Where the output of `python-runtime` is mounted for an install step that compiles bytecode.
pub const PYTHON_DIR: &str = "/python";

/// Where the directory with the micromamba binary is mounted.
pub const MICROMAMBA_DIR: &str = "/micromamba";

/// Where `python-runtime` finds the base image.
pub const BASE_DIR: &str = "/base";
