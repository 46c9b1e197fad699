//! Makes the build fetch all files before the image is touched.

use buildkit_llb::Output;

use super::packages::PipPackages;
use super::supplied::SuppliedPip;
use crate::downloads::{Addresses, Artifact, unpinned_md5};
use crate::environment::Environment;
use crate::step::Step;
use condafront_model::pypi_package::PipPackage;
use condafront_step_spec::args::{ArgsError, StepSpec as _};
use condafront_step_spec::mounts::{FACTS_DIR, INPUT_DIR};
use condafront_step_spec::pip::{PipFetchedSpec, PipFile};
use condafront_step_spec::wheel::{DirectUrl, Origin};

impl Environment<'_> {
    /// The step that has the packages of `wanted` fetched and verifies them, after its output; `None` if there are none.
    pub(super) fn pip_fetched(
        &self,
        wanted: &PipPackages<'_>,
        artifacts: &[Artifact],
        addresses: &Addresses,
        supplied: Option<&SuppliedPip>,
    ) -> Result<Option<(Output, Step)>, ArgsError> {
        if artifacts.is_empty() {
            return Ok(None);
        }
        let files: Vec<PipFile> = wanted.packages.iter().map(downloaded).collect();
        let name = "[pip] check the downloads";
        let mut step = self.tools.step(PipFetchedSpec {}.to_args(&files)?, name);
        step.concerns(&(0..files.len()).collect::<Vec<_>>());
        self.mount_downloads(&mut step, wanted, artifacts, addresses, supplied);
        let fetched = step.output(FACTS_DIR);
        let fetched = step.exec().build()[fetched].clone();
        Ok(Some((fetched, step)))
    }

    /// Mounts the packages of `wanted`, each under its index, and the supplied pip, if there is one.
    pub(super) fn mount_downloads(
        &self,
        step: &mut Step,
        wanted: &PipPackages<'_>,
        artifacts: &[Artifact],
        addresses: &Addresses,
        supplied: Option<&SuppliedPip>,
    ) {
        if let Some(supplied) = supplied {
            supplied.mount(step, self.tools.no_cache);
        }
        for (index, (package, artifact)) in wanted.packages.iter().zip(artifacts).enumerate() {
            let address = addresses.get(index);
            if address.is_retried() {
                step.retry(self.tools.no_cache);
            }
            let trusted = package.hashes.is_pinned() && self.tools.content_cache;
            let output = artifact.download(address);
            step.input(&format!("{INPUT_DIR}/{index}"), &output, trusted);
        }
    }
}

/// How a step that gets a download describes it.
pub(super) fn downloaded(package: &PipPackage) -> PipFile {
    PipFile {
        md5: unpinned_md5(&package.hashes),
        direct_url: direct_url(package),
        ..made(&package.label())
    }
}

/// The same for a file that the build itself has made.
pub(super) fn made(label: &str) -> PipFile {
    PipFile {
        label: label.to_owned(),
        md5: None,
        sha256: None,
        direct_url: None,
    }
}

/// What the image says about where `package` comes from, if it is asked for by its URL.
pub fn direct_url(package: &PipPackage) -> Option<DirectUrl> {
    let sha256 = package
        .hashes
        .sha256
        .clone()
        .filter(|_| package.is_direct)?;
    Some(DirectUrl {
        url: package.url.recorded_file().into(),
        origin: Origin::File { sha256 },
    })
}
