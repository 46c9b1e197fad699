//! The contract between the build graph and the steps that run inside the build: each step's arguments and results, where
//! its mounts are, and how it reports a failure. Data only.

pub mod account;
pub mod activation;
pub mod args;
pub mod authorities;
pub mod channel_folder;
pub mod diff;
pub mod facts;
pub mod failure_report;
pub mod group_writable;
pub mod history;
pub mod install;
pub mod inventory;
pub mod local_channel;
pub mod mounts;
pub mod pip;
pub mod pip_metadata;
pub mod pip_variables;
pub mod prove;
pub mod solve;
pub mod system;
pub mod timeout;
pub mod verify;
pub mod wheel;
