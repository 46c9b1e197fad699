//! The code that runs inside the build's exec steps: linking packages into a layer, and the small
//! steps around that.
//!
//! Each step is a subcommand of a single static binary and runs in a root that contains nothing
//! else: no shell, no libc. Its inputs are read-only mounts below `/in`. Its outputs are the mounts
//! `/out`, which becomes a layer (with `/parts` where one is too large), and `/facts`, a few bytes for later steps and the frontend.

mod archive;
mod bytecode;
mod carry;
mod changed;
mod collect;
mod compiler;
mod contained;
mod distributions;
mod divide;
mod downloaded;
mod entry;
mod env_vars;
pub mod error;
pub(crate) mod fuzzing;
mod hashing;
mod link;
mod metadata;
mod micromamba;
mod mounts;
mod native;
mod normalize;
mod overwritten;
mod package;
mod pick;
mod placed;
mod places;
mod post_link;
mod record;
mod runtime;
mod share;
mod step;
mod tree;
mod trim;
mod wheel;

pub(crate) use bytecode::source_of;
pub(crate) use carry::Times;
pub(crate) use changed::{messages as messages_about, settle};
pub use collect::collect;
pub(crate) use contained::distribution;
pub(crate) use distributions::is_core_metadata;
pub use downloaded::is_web_page;
pub(crate) use downloaded::is_web_page_at;
pub(crate) use hashing::{Digests, digests};
pub use mounts::Mounts;
pub use pick::pick;
pub use post_link::post_link;
pub use runtime::python_runtime;
pub(crate) use share::share;
pub use step::install;
pub(crate) use step::write_json;
pub use wheel::install_wheels;
pub(crate) use wheel::{fuzzing as fuzzing_of_wheels, programs};
