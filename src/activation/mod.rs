//! The active environment: what goes into the image config's `Env`, and the files that keep it
//! active in shells and let the entrypoint change it.

mod files;
mod image;
mod record;
mod recorded;
mod shell_files;

pub use files::{ENTRYPOINT, RuntimeFile, hook, runtime_files};
pub use image::{Activation, Environment, activate, with_user};
pub use record::{RECORDED_FILE, RecordError, RecordSpec, dump_environment, record};
pub use recorded::Recorded;
