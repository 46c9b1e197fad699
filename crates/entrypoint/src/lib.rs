//! Code shared by the builder of an image, which writes activation records, and the image's
//! entrypoint, which reads them.
//!
//! In an image that condafront builds, the image config's `Env` activates the environment. The
//! entrypoint binary does the rest: another environment (`ENV_NAME`), none (`MAMBA_SKIP_ACTIVATE`),
//! a user without a home, and packages whose scripts must run when the container starts. While an
//! image is built, it also has commands trust the certificate authorities that the build was given.

pub mod activation;
pub mod authorities;
#[doc(hidden)]
pub mod fuzzing;
pub mod home;
mod json;
pub mod launch;
pub mod passwd;
pub mod path_list;
pub mod prefix;
pub mod record;
pub mod reserved;
pub mod shell;
pub mod store;
