//! Installs PyPI packages into the image.

use buildkit_llb::Output;

use super::network::PipNetwork;
use super::packages::PipPackages;
use super::sources::LocalKind;
use super::supplied::SuppliedPip;
use super::wheel::{Build, Wheel};
use crate::downloads::{Addresses, unpinned_md5};
use crate::environment::Environment;
use crate::step::{self, Step};
use condafront_model::pypi_package::{FileKind, PipPackage};
use condafront_step_spec::args::{ArgsError, StepSpec as _};
use condafront_step_spec::mounts::{FACTS_DIR, INPUT_DIR};
use condafront_step_spec::pip::{PipFetchedSpec, PipFile, PipInstallSpec};

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
        let steps = self.steps.iter().map(|(output, step)| (output, step));
        step::failing(steps, failed)
    }
}

impl Environment<'_> {
    /// Installs the packages of `wanted`, fetched from `addresses`, into the image `root`.
    ///
    /// # Errors
    /// When a package's description does not fit into a program's arguments.
    pub fn pip_install(
        &self,
        root: &Output,
        wanted: &PipPackages<'_>,
        addresses: &Addresses,
        network: &PipNetwork,
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
            uid: self.user.uid,
            gid: self.user.gid,
        };
        let name = match packages.len() + wanted.wheels.len() + wanted.local.len() {
            1 => "[pip] install 1 package".to_owned(),
            count => format!("[pip] install {count} packages"),
        };
        let fetched: Vec<PipFile> = packages.iter().map(file).collect();
        let mut files = fetched.clone();
        files.extend(wanted.wheels.iter().map(|(label, _)| built(label)));
        files.extend(wanted.local.iter().map(|local| match local.kind {
            LocalKind::Wheel => local.file(),
            LocalKind::Archive | LocalKind::Folder => built(&local.label),
        }));
        let mut step = self.tools.step_in(root, spec.to_args(&files)?, &name);
        step.concerns(&(0..files.len()).collect::<Vec<_>>());
        if let Some(supplied) = &supplied {
            supplied.mount(&mut step, self.tools.no_cache);
        }
        let mut check = self.tools.step(
            PipFetchedSpec {}.to_args(&fetched)?,
            "[pip] check the downloads",
        );
        check.concerns(&(0..packages.len()).collect::<Vec<_>>());
        if let Some(supplied) = &supplied {
            supplied.mount(&mut check, self.tools.no_cache);
        }
        let mut steps = Vec::new();
        for (index, (package, artifact)) in packages.iter().zip(&artifacts).enumerate() {
            let address = addresses.get(index);
            if address.is_retried() {
                step.retry(self.tools.no_cache);
                check.retry(self.tools.no_cache);
            }
            let mut output = artifact.download(address);
            let mut trusted = package.hashes.is_pinned() && self.tools.content_cache;
            check.input(&format!("{INPUT_DIR}/{index}"), &output, trusted);
            if package.kind() == Some(FileKind::Source) {
                let source = Build {
                    file: file(package),
                    kind: LocalKind::Archive,
                    output: &output,
                    trusted,
                    supplied: supplied.as_ref(),
                    options: &wanted.build_options.indexes,
                    own_options: wanted.build_options.own(&package.name),
                };
                let mut build = self.pip_build(root, &source, network)?;
                if address.is_retried() {
                    build.retry(self.tools.no_cache);
                }
                let wheel = Wheel::made_by(build, index);
                output = wheel.output.clone();
                trusted = false;
                steps.extend(wheel.step.map(|build| (wheel.output, build)));
            }
            step.input(&format!("{INPUT_DIR}/{index}"), &output, trusted);
        }
        for (index, (_, wheel)) in wanted.wheels.iter().enumerate() {
            let place = format!("{INPUT_DIR}/{}", packages.len() + index);
            step.input(&place, wheel, false);
        }
        for (index, local) in wanted.local.iter().enumerate() {
            let index = packages.len() + wanted.wheels.len() + index;
            let mut output = local.output.clone();
            if local.kind != LocalKind::Wheel {
                let source = Build {
                    supplied: supplied.as_ref(),
                    options: &wanted.build_options.indexes,
                    ..Build::of(local)
                };
                let wheel = Wheel::made_by(self.pip_build(root, &source, network)?, index);
                output = wheel.output.clone();
                steps.extend(wheel.step.map(|build| (wheel.output, build)));
            }
            step.input(&format!("{INPUT_DIR}/{index}"), &output, false);
        }
        let changed = step.changes_below(root, self.prefix.path());
        let facts = step.output(FACTS_DIR);
        let built = step.exec().build();
        let root = built[changed].clone();
        let facts = built[facts].clone();
        steps.push((root.clone(), step));
        let fetched = (!artifacts.is_empty()).then(|| {
            let fetched = check.output(FACTS_DIR);
            let fetched = check.exec().build()[fetched].clone();
            steps.push((fetched.clone(), check));
            fetched
        });
        Ok(PipInstalled {
            root,
            fetched,
            facts,
            name,
            steps,
        })
    }
}

fn file(package: &PipPackage) -> PipFile {
    PipFile {
        md5: unpinned_md5(&package.hashes),
        ..built(&package.label())
    }
}

/// A file that the build itself has made.
fn built(label: &str) -> PipFile {
    PipFile {
        label: label.to_owned(),
        md5: None,
        sha256: None,
    }
}
