//! The user's description of the image: the *image section*, which is the `condafront` key of an env.yml, and the *image
//! file*, which has the same keys at its top level and lists environments.
//!
//! Pure: text in, checked types out. Nothing here knows the base image, the build context or the engine. Values that
//! depend on them keep their lines ([`Located`]), so that later errors can point at them. `docs/image.md` describes the
//! keys.

pub(crate) mod args;
mod build;
mod command;
mod contract;
mod copy;
mod duration;
mod env;
pub(crate) mod exclude_newer;
pub(crate) mod expand;
pub(crate) mod file;
mod findings;
pub(crate) mod image_section;
pub(crate) mod keys;
mod options;
mod outline;
pub(crate) mod packages;
mod platform_findings;
mod platform_needs;
mod read;
mod reader;
mod run;
mod runtime;
mod schema;
mod signal;
mod unexpanded;
mod user;

pub use args::BuildArgs;
pub use contract::Contract;
pub use expand::{ExpandError, Template};
pub use file::{Environment, ImageFile};
pub use image_section::{
    BuildPackages, Command, CopyFiles, EnvVar, ExcludeNewer, Healthcheck, ImageSection, Located,
    Mode, Mount, MountKind, Network, PackageEntry, Ports, Protocol, RunCommand, Sharing,
    SystemPackages, Timing,
};
pub use outline::{Argument, Outline, Secret, outline};
pub use packages::read_package_list;
pub use read::section_of;
pub use run::mounted_at_root;
pub use schema::schema;

pub(crate) use keys::is_key;
pub use keys::{KeyInfo, keys};
pub(crate) use read::read;

#[cfg(test)]
pub(crate) mod mistakes;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod published;
#[cfg(test)]
pub(crate) mod tests;
