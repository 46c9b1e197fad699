//! The python that compiles an environment's modules.
//!
//! Bytecode depends on python's version and not on the machine, so a python for the builder's own platform can compile
//! for all platforms.

use buildkit_llb::Output;

use super::environment::{Downloads, Environment, Python};
use condafront_model::package::Package;
use condafront_model::platform::Platform;
use condafront_step_spec::args::ArgsError;
use condafront_step_spec::args::StepSpec as _;
use condafront_step_spec::install::PythonRuntimeSpec;
use condafront_step_spec::install::Trim;
use condafront_step_spec::mounts::{BASE_DIR, OUTPUT_DIR};

/// Which python compiles modules.
#[derive(Clone, Debug, Default)]
pub enum Compiler {
    /// The environment's own, a program for the builder's own platform.
    #[default]
    Own,
    /// The environment's own, a program for another platform that the builder's kernel can run.
    Emulated(Platform),
    /// One that is not in the environment: packages for the builder's platform, and a file system with a C library for
    /// them.
    Other {
        /// Python's package, and those that it needs to start.
        packages: Vec<Package>,
        /// Where the C library is.
        base: Output,
    },
    /// None: modules are compiled when they are first used.
    None,
}

impl Compiler {
    /// The packages to fetch for it that are not in the environment.
    pub(super) fn packages(&self) -> &[Package] {
        match self {
            Self::Other { packages, .. } => packages,
            _ => &[],
        }
    }
}

impl Environment<'_> {
    /// A python that install steps can run to compile modules, if any of them needs one.
    pub(super) fn python_runtime(
        &self,
        downloads: &Downloads,
    ) -> Result<Option<Python>, ArgsError> {
        let Some(python) = self
            .plan
            .python
            .as_ref()
            .filter(|_| self.plan.has_modules() && !self.trim.contains(&Trim::Bytecode))
        else {
            return Ok(None);
        };
        let first_other = self.fetched().count() - self.compiler.packages().len();
        let (base, indices, subdir) = match (self.compiler, self.base) {
            (Compiler::Own, Some(base)) => (base, python.runtime.clone(), None),
            (Compiler::Emulated(platform), Some(base)) => (
                base,
                python.runtime.clone(),
                Some(platform.subdir().to_owned()),
            ),
            (Compiler::Other { packages, base }, _) => {
                let indices = (first_other..first_other + packages.len()).collect();
                (base, indices, None)
            }
            (Compiler::None, _) | (_, None) => return Ok(None),
        };
        let spec = PythonRuntimeSpec {
            version: python.version.clone(),
            subdir,
        };
        let args = spec.to_args(&self.specs(&indices))?;
        let name = format!("[conda] python {} for compiling modules", python.version);
        let mut step = self.tools.step(args, name);
        step.input(BASE_DIR, base, self.tools.content_cache);
        self.mount_packages(&mut step, &indices, downloads);
        let out = step.output(OUTPUT_DIR);
        Ok(Some(Python {
            output: step.exec().build()[out].clone(),
            step,
            retried: downloads.any_retried(&indices),
        }))
    }
}
