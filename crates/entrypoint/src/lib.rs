//! What is shared by the builder of an image, which writes activation records, and the image's
//! entrypoint, which reads them.
//!
//! An image that condafront builds has its environment active in the image config's `Env`. The
//! entrypoint binary has work to do only where that is not enough: another environment
//! (`ENV_NAME`), none (`MAMBA_SKIP_ACTIVATE`), a user without a home, or packages whose scripts
//! must run when the container starts.

pub mod activation;
pub mod home;
pub mod json;
pub mod launch;
pub mod passwd;
pub mod path_list;
pub mod prefix;
pub mod record;
pub mod shell;
pub mod store;
