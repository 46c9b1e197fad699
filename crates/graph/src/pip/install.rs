//! Makes pip install wheels into the image.

use buildkit_llb::Output;

use super::fetched::{downloaded, made};
use super::packages::PipPackages;
use super::supplied::SuppliedPip;
use crate::downloads::Addresses;
use crate::environment::Environment;
use crate::step::{self, Step};
use condafront_step_spec::args::{ArgsError, StepSpec as _};
use condafront_step_spec::mounts::{FACTS_DIR, INPUT_DIR};
use condafront_step_spec::pip::{PipFile, PipInstallSpec};

/// The image with PyPI packages.
pub struct PipInstalled {
    /// The image.
    pub root: Output,
    /// The output of the step that fetches all files, if there are any. Build it before the image.
    pub fetched: Option<Output>,
    /// What the step found.
    pub facts: Output,
    /// The layer's name.
    pub name: String,
    /// The steps that may fail, each with one of its outputs.
    steps: Vec<(Output, Step)>,
}

impl PipInstalled {
    /// The first step whose digest is in `failed`.
    pub fn failing(&self, failed: &[String]) -> Option<&Step> {
        step::failing_of(&self.steps, failed)
    }
}

impl Environment<'_> {
    /// Installs the packages of `wanted`, fetched from `addresses`, and its wheels into the image `root`.
    ///
    /// # Errors
    /// When a package's description does not fit into a program's arguments.
    pub fn pip_install(
        &self,
        root: &Output,
        wanted: &PipPackages<'_>,
        addresses: &Addresses,
    ) -> Result<PipInstalled, ArgsError> {
        let packages = wanted.packages;
        let artifacts = self.pip_artifacts(wanted);
        let supplied = SuppliedPip::new(
            packages.len(),
            &artifacts,
            addresses,
            self.tools.content_cache,
        );
        let spec = PipInstallSpec {
            prefix: self.prefix.path().to_owned(),
            site_packages: wanted.python.site_packages.clone(),
            pip: supplied.as_ref().map(SuppliedPip::path),
            uid: self.user.owner.uid,
            gid: self.user.owner.gid,
            group_writable: self.user.group_writable,
        };
        let name = match packages.len() + wanted.wheels.len() {
            1 => "[pip] install 1 package".to_owned(),
            count => format!("[pip] install {count} packages"),
        };
        let mut files: Vec<PipFile> = packages.iter().map(downloaded).collect();
        files.extend(wanted.wheels.iter().map(|wheel| PipFile {
            direct_url: wheel.direct_url.clone(),
            ..made(&wheel.label)
        }));
        let mut step = self.tools.step_in(root, spec.to_args(&files)?, &name);
        step.concerns(&(0..files.len()).collect::<Vec<_>>());
        self.mount_downloads(&mut step, wanted, &artifacts, addresses, supplied.as_ref());
        for (index, wheel) in wanted.wheels.iter().enumerate() {
            let place = format!("{INPUT_DIR}/{}", packages.len() + index);
            step.input(&place, &wheel.output, false);
        }
        let changed = step.changes_below(root, self.prefix.path());
        let facts = step.output(FACTS_DIR);
        let built = step.exec().build();
        let root = built[changed].clone();
        let facts = built[facts].clone();
        let mut steps = vec![(root.clone(), step)];
        let check = self.pip_fetched(wanted, &artifacts, addresses, supplied.as_ref())?;
        let fetched = check.as_ref().map(|(output, _)| output.clone());
        steps.extend(check);
        Ok(PipInstalled {
            root,
            fetched,
            facts,
            name,
            steps,
        })
    }
}
