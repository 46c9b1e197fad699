//! The step that sets up a python to compile modules with.

use buildkit_llb::Output;

use crate::compiler::Compiler;
use crate::environment::Environment;
use crate::packages::Downloads;
use crate::step::Step;
use condafront_step_spec::args::{ArgsError, StepSpec as _};
use condafront_step_spec::install::{PythonRuntimeSpec, Trim};
use condafront_step_spec::mounts::{BASE_DIR, OUTPUT_DIR};

/// A python for install steps.
#[derive(Clone, Debug)]
pub(crate) struct PythonRuntime {
    pub(crate) output: Output,
    pub(crate) step: Step,
    /// Whether the download of one of its packages has already failed.
    pub(crate) retried: bool,
}

impl Environment<'_> {
    /// A python that install steps can run to compile modules, if any of them needs one.
    pub(crate) fn python_runtime(
        &self,
        downloads: &Downloads,
    ) -> Result<Option<PythonRuntime>, ArgsError> {
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
        Ok(Some(PythonRuntime {
            output: step.exec().build()[out].clone(),
            step,
            retried: downloads.any_retried(&indices),
        }))
    }
}
