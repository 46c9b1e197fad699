//! PyPI packages, installed after the conda packages by the environment's own pip, or by one that condafront supplies.
//!
//! A locked package is a file that is fetched like a conda package. One step without network installs all of these
//! files into the image built so far ([`install`]) and makes the result reproducible. Packages that are not locked are
//! first resolved by a step with network ([`resolve`](resolve())), then fetched and installed in the same way.

mod build;
mod build_failure;
mod commit;
mod editable;
mod fetched;
pub(crate) mod fuzzing;
mod git;
mod history;
mod install;
mod list_files;
mod masked_log;
mod metadata;
mod origins;
mod process;
mod report;
mod resolve;
mod resolve_failure;
mod unreachable;

pub(crate) use build::build;
pub(crate) use commit::find as find_commit;
pub(crate) use editable::edit;
pub(crate) use fetched::fetched;
pub(crate) use history::load as load_history;
pub(crate) use install::install;
pub(crate) use metadata::hand_over as hand_over_metadata;
pub(crate) use resolve::resolve;
