//! Builds the wheels of packages that have none: source archives, folders and repositories.

use buildkit_llb::{Bind, Output};

use super::fetched::{downloaded, made};
use super::network::PipNetwork;
use super::packages::PipPackages;
use super::sources::LocalKind;
use super::supplied::SuppliedPip;
use crate::downloads::{Address, Addresses};
use crate::environment::Environment;
use crate::step::{self, Step};
use condafront_step_spec::args::{ArgsError, StepSpec as _};
use condafront_step_spec::mounts::{FACTS_DIR, INPUT_DIR, OUTPUT_DIR};
use condafront_step_spec::pip::{PipBuildSpec, PipFetchedSpec, PipFile, Tag};

/// The name, in the progress, of the step that reads the wheels' names.
const READ_NAMES: &str = "[pip] read the names of the wheels";

/// Wheels that the build makes.
pub struct PipBuilt {
    /// The wheels, each the only file of its output: those of archives, then those of local packages.
    pub wheels: Vec<Output>,
    /// The output of the step that fetches all archives, if there are any. Build it before the wheels.
    pub fetched: Option<Output>,
    /// The output with the names of the wheels' files.
    pub facts: Output,
    /// The steps that may fail, each with one of its outputs.
    steps: Vec<(Output, Step)>,
}

impl PipBuilt {
    /// The first step whose digest is in `failed`.
    pub fn failing(&self, failed: &[String]) -> Option<&Step> {
        step::failing_of(&self.steps, failed)
    }
}

/// What a wheel is built from.
struct Build<'a> {
    file: PipFile,
    kind: LocalKind,
    output: &'a Output,
    /// Whether the definition pins its content.
    trusted: bool,
    /// The pip to build with, if the environment has none.
    supplied: Option<&'a SuppliedPip>,
    /// Options that say where to find packages to build with.
    options: &'a [String],
    /// Options for this package alone.
    own_options: &'a [String],
    /// The version, if it comes from a tag.
    tag: Option<Tag>,
    /// The folder of the package in what it is built from, if it is not all of that.
    subdir: Option<String>,
}

impl Environment<'_> {
    /// Builds the wheels of the archives of `wanted`, fetched from `addresses`, and of its local packages, in the image
    /// `root`.
    ///
    /// # Errors
    /// When a package's description does not fit into a program's arguments.
    pub fn pip_build(
        &self,
        root: &Output,
        wanted: &PipPackages<'_>,
        addresses: &Addresses,
        network: &PipNetwork,
    ) -> Result<PipBuilt, ArgsError> {
        let artifacts = self.pip_artifacts(wanted);
        let count = wanted.packages.len();
        let supplied = SuppliedPip::new(count, &artifacts, addresses, self.tools.content_cache);
        let check = self.pip_fetched(wanted, &artifacts, addresses, supplied.as_ref())?;
        let fetched = check.as_ref().map(|(output, _)| output.clone());
        let mut steps: Vec<(Output, Step)> = check.into_iter().collect();
        let mut wheels = Vec::new();
        let mut files = Vec::new();
        let options = wanted.build_options.indexes.as_slice();
        for (index, (package, artifact)) in wanted.packages.iter().zip(&artifacts).enumerate() {
            let address = addresses.get(index);
            let build = Build {
                file: downloaded(package),
                kind: LocalKind::Archive,
                output: &artifact.download(address),
                trusted: package.hashes.is_pinned() && self.tools.content_cache,
                supplied: supplied.as_ref(),
                options,
                own_options: wanted.build_options.own(&package.name),
                tag: None,
                subdir: None,
            };
            let mut step = self.build_wheel(root, &build, network)?;
            if address.is_retried() {
                step.retry(self.tools.no_cache);
            }
            files.push(made(&package.label()));
            wheels.push(made_by(step, index, &mut steps));
        }
        for (index, local) in wanted.local.iter().enumerate() {
            if local.kind == LocalKind::Wheel {
                files.push(local.file());
                wheels.push(local.output.clone());
                continue;
            }
            let mut output = local.output.clone();
            let mut subdir = None;
            if let Some(repository) = local.with_history() {
                let url = &repository.url;
                let (mut step, loaded) =
                    self.with_history(root, &output, &local.label, url, network)?;
                step.concerns(&[count + index]);
                steps.push((loaded.clone(), step));
                output = loaded;
                // The history belongs to the whole repository.
                subdir.clone_from(&repository.subdir);
            }
            let build = Build {
                file: local.file(),
                kind: local.kind,
                output: &output,
                trusted: false,
                supplied: supplied.as_ref(),
                options,
                own_options: &local.build_options,
                tag: local.tag(),
                subdir,
            };
            let step = self.build_wheel(root, &build, network)?;
            files.push(made(&local.label));
            wheels.push(made_by(step, count + index, &mut steps));
        }
        let mut step = self.read_names(&files, &wheels)?;
        if addresses.iter().any(Address::is_retried) {
            step.retry(self.tools.no_cache);
        }
        let facts = step.output(FACTS_DIR);
        let facts = step.exec().build()[facts].clone();
        steps.push((facts.clone(), step));
        Ok(PipBuilt {
            wheels,
            fetched,
            facts,
            steps,
        })
    }

    /// The step that reads the names of the `wheels` that are made of `files`.
    fn read_names(&self, files: &[PipFile], wheels: &[Output]) -> Result<Step, ArgsError> {
        let args = PipFetchedSpec {}.to_args(files)?;
        let mut step = self.tools.step(args, READ_NAMES);
        step.concerns(&(0..files.len()).collect::<Vec<_>>());
        for (index, wheel) in wheels.iter().enumerate() {
            step.input(&format!("{INPUT_DIR}/{index}"), wheel, false);
        }
        Ok(step)
    }

    /// A step that builds a wheel. Nothing says in advance what it builds with, so it has the network.
    fn build_wheel(
        &self,
        root: &Output,
        build: &Build<'_>,
        network: &PipNetwork,
    ) -> Result<Step, ArgsError> {
        let mut options = build.own_options.to_vec();
        // The folder has everything that the indexes would provide.
        if !network.is_folder() {
            options.extend_from_slice(build.options);
        }
        let spec = PipBuildSpec {
            prefix: self.prefix.path().to_owned(),
            pip: build.supplied.map(SuppliedPip::path),
            options,
            tag: build.tag.clone(),
            subdir: build.subdir.clone(),
        };
        let name = format!("[pip] build a wheel for {}", build.file.label);
        let args = spec.to_args(std::slice::from_ref(&build.file))?;
        let mut step = self.tools.step_in(root, args, &name);
        let place = format!("{INPUT_DIR}/0");
        match build.kind {
            // Builds write next to the sources.
            LocalKind::Folder => {
                let place = format!("{place}/source");
                step.exec().mount(Bind::discard_writes(place, build.output));
            }
            LocalKind::Wheel | LocalKind::Archive => {
                step.input(&place, build.output, build.trusted);
            }
        }
        if let Some(supplied) = build.supplied {
            supplied.mount(&mut step, self.tools.no_cache);
        }
        network.open(&mut step);
        Ok(step)
    }
}

/// The wheel that `step` builds for the package at `index`; adds the step to `steps`.
fn made_by(mut step: Step, index: usize, steps: &mut Vec<(Output, Step)>) -> Output {
    step.concerns(&[index]);
    let output = step.output(OUTPUT_DIR);
    let output = step.exec().build()[output].clone();
    steps.push((output.clone(), step));
    output
}
