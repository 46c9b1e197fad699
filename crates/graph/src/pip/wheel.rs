//! Builds wheels.

use buildkit_llb::{Bind, Output};

use super::network::PipNetwork;
use super::sources::{Local, LocalKind};
use super::supplied::SuppliedPip;
use crate::environment::Environment;
use crate::step::Step;
use condafront_input::requirements::List;
use condafront_step_spec::args::{ArgsError, StepSpec as _};
use condafront_step_spec::mounts::{INPUT_DIR, OUTPUT_DIR};
use condafront_step_spec::pip::{PipBuildSpec, PipFile};

/// The wheel of a package that no index has, the only file in its output.
#[derive(Clone, Debug)]
pub struct Wheel {
    /// The wheel.
    pub output: Output,
    /// The step that builds it, if it must be built.
    pub(super) step: Option<Step>,
}

impl Wheel {
    /// The wheel that `step` builds for the package at `index`.
    pub(super) fn made_by(mut step: Step, index: usize) -> Self {
        step.concerns(&[index]);
        let output = step.output(OUTPUT_DIR);
        Self {
            output: step.exec().build()[output].clone(),
            step: Some(step),
        }
    }
}

/// What a wheel is built from.
pub(super) struct Build<'a> {
    pub(super) file: PipFile,
    pub(super) kind: LocalKind,
    pub(super) output: &'a Output,
    /// Whether the definition pins its content.
    pub(super) trusted: bool,
    /// The pip to build with, if the environment has none.
    pub(super) supplied: Option<&'a SuppliedPip>,
    /// Options that say where to find packages to build with.
    pub(super) options: &'a [String],
    /// Options for this package alone.
    pub(super) own_options: &'a [String],
}

impl<'a> Build<'a> {
    /// A build of a local package, with the environment's pip and without options.
    pub(super) fn of(local: &'a Local) -> Self {
        Self {
            file: local.file(),
            kind: local.kind,
            output: &local.output,
            trusted: false,
            supplied: None,
            options: &[],
            own_options: &[],
        }
    }
}

impl Environment<'_> {
    /// Wheels of the packages in the build context and in repositories, built in the image `root`.
    ///
    /// # Errors
    /// When a package's description does not fit into a program's arguments.
    pub fn pip_wheels(
        &self,
        root: &Output,
        list: &List,
        local: &[Local],
        network: &PipNetwork,
    ) -> Result<Vec<Wheel>, ArgsError> {
        let options = list.build_options().indexes;
        let wheel = |local: &Local| {
            if local.kind == LocalKind::Wheel {
                return Ok(Wheel {
                    output: local.output.clone(),
                    step: None,
                });
            }
            let build = Build {
                options: &options,
                own_options: list
                    .entries()
                    .get(local.entry)
                    .and_then(|entry| entry.requirement())
                    .map_or(&[], |requirement| &requirement.build_options),
                ..Build::of(local)
            };
            let step = self.pip_build(root, &build, network)?;
            Ok(Wheel::made_by(step, local.entry))
        };
        local.iter().map(wheel).collect()
    }

    /// A step that builds a wheel. Nothing says in advance what it builds with, so it has the network.
    pub(super) fn pip_build(
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
