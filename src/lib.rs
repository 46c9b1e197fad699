//! condafront: a BuildKit frontend that turns conda environments into container images.

pub mod install;
