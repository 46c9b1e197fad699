//! The active environment: the variables in the image config's `Env`, and the files that keep it
//! active in shells and let the entrypoint switch to another one.

mod files;
mod image;
mod record;
mod shell_files;
mod snapshot;

pub(crate) use files::hook;
pub use files::runtime_files;
pub use image::{Activation, Environment, activate, left_out, with_user};
pub(crate) use record::dump_environment;
pub use record::{RecordError, record};
