//! A build step: condafront's own program, run in the frontend image without network.

use buildkit_llb::{Bind, Exec, Input, NetMode, OpOptions, Options, Output, Slot, Tmpfs};

use crate::cache_key::retry_step;
use condafront_step_spec::args::variable;
use condafront_step_spec::failure_report::REPORT_DIRS;
use condafront_step_spec::mounts::{OUTPUT_DIR, PARTS_DIR};

/// A step: first built up, then kept next to its outputs to find its report if it fails.
#[derive(Clone, Debug)]
pub struct Step {
    name: String,
    exec: Exec,
    packages: Vec<usize>,
}

impl Step {
    /// `program <args>` in `root`, whose changes are discarded unless [`Exec::write_root`] is called.
    pub(crate) fn new(
        root: impl Into<Input>,
        program: &str,
        args: Vec<String>,
        options: &Options,
    ) -> Self {
        let mut args = args.into_iter();
        let mut exec = Exec::new(root, program, args.next());
        for (index, arg) in args.enumerate() {
            exec.env(variable(index), arg);
        }
        exec.cwd("/").network(NetMode::None).options(options);
        exec.mount(Tmpfs::new("/tmp"));
        Self {
            name: options.shown_name().unwrap_or(program).to_owned(),
            exec,
            packages: Vec::new(),
        }
    }

    /// Its name in the progress.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Sets which packages of the plan are in the step's own list.
    pub(crate) fn concerns(&mut self, packages: &[usize]) -> &mut Self {
        self.packages = packages.to_vec();
        self
    }

    /// The index in the plan of the package at `index` in the step's own list.
    pub fn package(&self, index: usize) -> Option<usize> {
        self.packages.get(index).copied()
    }

    /// Mounts `from` at `path`, read-only. `trusted` says that BuildKit need not hash the content because the
    /// definition pins it.
    pub(crate) fn input(&mut self, path: &str, from: &Output, trusted: bool) -> &mut Self {
        let mut bind = Bind::read_only(path, from);
        if trusted {
            bind.content_cache(buildkit_llb::ContentCache::Off);
        }
        self.exec.mount(bind);
        self
    }

    /// An empty directory at `path` that becomes an output.
    pub(crate) fn output(&mut self, path: &str) -> Slot {
        self.exec.output(path, Input::Scratch)
    }

    /// The outputs that become this many layers.
    pub(crate) fn layers(&mut self, count: u16) -> Vec<Slot> {
        let further = (1..count).map(|part| format!("{PARTS_DIR}/{part}"));
        let folders = std::iter::once(OUTPUT_DIR.to_owned()).chain(further);
        folders.map(|folder| self.output(&folder)).collect()
    }

    /// Makes the directory `prefix` of the step's root writable. The output is `root`, the whole of that root, with the
    /// changes below `prefix` and no others.
    pub(crate) fn changes_below(&mut self, root: &Output, prefix: &str) -> Slot {
        self.exec.output_below(prefix, root, prefix)
    }

    /// Makes the rest of the root writable too, for programs that expect that. Their changes are discarded.
    pub(crate) fn discard_changes(&mut self) -> &mut Self {
        // BuildKit lets a program write to its root only if that is an output. Nothing uses it.
        let _unused = self.exec.write_root();
        self
    }

    /// Makes it a different step from the one that failed in this build because an input was missing. `no_cache` says
    /// that the build ignores caches from the start.
    pub(crate) fn retry(&mut self, no_cache: bool) -> &mut Self {
        retry_step(&mut self.exec, no_cache);
        self
    }

    /// Where, among its mounts, it may leave a report if it fails.
    pub fn report_mounts(&self) -> impl Iterator<Item = usize> {
        let dirs = REPORT_DIRS.iter();
        dirs.filter_map(|dir| self.exec.output_position(dir))
    }

    /// The builder of the operation itself.
    pub(crate) fn exec(&mut self) -> &mut Exec {
        &mut self.exec
    }
}

/// The first of `steps`, each given with one of its outputs, whose digest is in `failed`.
pub(crate) fn failing<'a>(
    steps: impl IntoIterator<Item = (&'a Output, &'a Step)>,
    failed: &[String],
) -> Option<&'a Step> {
    let mut steps = steps.into_iter();
    let (_, step) = steps.find(|(output, _)| failed.contains(&output.digest().to_string()))?;
    Some(step)
}

/// The same for steps that are kept with one of their outputs.
pub(crate) fn failing_of<'a>(steps: &'a [(Output, Step)], failed: &[String]) -> Option<&'a Step> {
    failing(steps.iter().map(|(output, step)| (output, step)), failed)
}

#[cfg(test)]
mod tests {
    use buildkit_llb::Image;
    use condafront_step_spec::mounts::{FACTS_DIR, INPUT_DIR};

    use super::*;

    #[test]
    fn reports_are_in_the_outputs_where_steps_leave_them() {
        let root = Image::new("condafront").build();
        let mut step = Step::new(&root, "/program", Vec::new(), &Options::new());
        assert_eq!(step.report_mounts().count(), 0);
        step.output(OUTPUT_DIR);
        step.input(INPUT_DIR, &root, false);
        // `/`, `/in`, `/out`, `/tmp`.
        assert_eq!(step.report_mounts().collect::<Vec<_>>(), [2]);
        step.output(FACTS_DIR);
        // `/`, `/facts`, `/in`, `/out`, `/tmp`.
        assert_eq!(step.report_mounts().collect::<Vec<_>>(), [1, 3]);
    }
}
