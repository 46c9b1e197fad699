//! A build step: condafront's own program, run in the frontend image without network.

use buildkit_llb::{Bind, Exec, Input, NetMode, OpOptions, Options, Output, Slot, Tmpfs};

use super::PROGRAM;
use condafront_step_spec::failure_report::{EXPLAIN, REPORT_DIR};

/// A step: first built up, then kept next to its outputs to find out why it failed.
#[derive(Clone, Debug)]
pub struct Step {
    exec: Exec,
    packages: Vec<usize>,
}

impl Step {
    /// `condafront <args>` in the frontend's own image.
    pub fn new(frontend: &Output, args: Vec<String>, options: &Options) -> Self {
        Self::in_root(frontend, PROGRAM, args, options)
    }

    /// `program <args>` in another root, whose changes are discarded unless [`Exec::write_root`] is called.
    pub fn in_root(
        root: impl Into<Input>,
        program: &str,
        args: Vec<String>,
        options: &Options,
    ) -> Self {
        let mut exec = Exec::new(root, program, args);
        exec.cwd("/").network(NetMode::None).options(options);
        exec.mount(Tmpfs::new("/tmp"));
        Self {
            exec,
            packages: Vec::new(),
        }
    }

    /// Sets which packages of the plan are in the step's own list.
    pub fn concerns(&mut self, packages: &[usize]) -> &mut Self {
        self.packages = packages.to_vec();
        self
    }

    /// The index in the plan of the package at `index` in the step's own list.
    pub fn package(&self, index: usize) -> Option<usize> {
        self.packages.get(index).copied()
    }

    /// Mounts `from` at `path`, read-only. `trusted` says that BuildKit need not hash the content because the
    /// definition pins it.
    pub fn input(&mut self, path: &str, from: &Output, trusted: bool) -> &mut Self {
        let mut bind = Bind::read_only(path, from);
        if trusted {
            bind.content_cache(buildkit_llb::ContentCache::Off);
        }
        self.exec.mount(bind);
        self
    }

    /// An empty directory at `path` that becomes an output.
    pub fn output(&mut self, path: &str) -> Slot {
        self.exec.output(path, Input::Scratch)
    }

    /// Makes it a different step from the one that failed in this build because an input was missing, since BuildKit
    /// remembers that failure (see [`Addresses`](super::downloads::Addresses)). `no_cache` says that the build ignores
    /// caches from the start, in which case only a different cache key helps.
    pub fn retry(&mut self, no_cache: bool) -> &mut Self {
        self.exec.ignore_cache();
        if no_cache {
            self.exec.env("CONDAFRONT_RETRY", "1");
        }
        self
    }

    /// Runs the step again so that it reports what goes wrong instead of failing: a directory with the report.
    pub fn explain(&self) -> Output {
        let mut exec = self.exec.clone();
        exec.first_arg(EXPLAIN)
            .name("[conda] find out why that failed")
            .ignore_cache()
            .export_cache(false);
        let report = exec.output(REPORT_DIR, Input::Scratch);
        exec.build()[report].clone()
    }

    /// The builder of the operation itself.
    pub fn exec(&mut self) -> &mut Exec {
        &mut self.exec
    }
}
