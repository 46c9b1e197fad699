//! The pip that condafront supplies, in steps.

use buildkit_llb::Output;

use crate::downloads::{Addresses, Artifact};
use crate::step::Step;

/// Where it is mounted; no base image has a directory of this name.
const PIP_DIR: &str = "/.condafront-pip";

/// The pip that condafront supplies, as a file to mount.
pub(super) struct SuppliedPip {
    output: Output,
    file_name: String,
    retried: bool,
    trusted: bool,
}

impl SuppliedPip {
    /// The artifact at `index`, if there is one.
    pub(super) fn new(
        index: usize,
        artifacts: &[Artifact],
        addresses: &Addresses,
        content_cache: bool,
    ) -> Option<Self> {
        let artifact = artifacts.get(index)?;
        let address = addresses.get(index);
        Some(Self {
            output: artifact.download(address),
            file_name: artifact.file_name.clone(),
            retried: address.is_retried(),
            trusted: content_cache && artifact.sha256.is_some(),
        })
    }

    /// The path for python to run: pip's wheel is also a program.
    pub(super) fn path(&self) -> String {
        format!("{PIP_DIR}/{}/pip", self.file_name)
    }

    /// Mounts it in a step.
    pub(super) fn mount(&self, step: &mut Step, no_cache: bool) {
        step.input(PIP_DIR, &self.output, self.trusted);
        if self.retried {
            step.retry(no_cache);
        }
    }
}
