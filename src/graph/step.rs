//! A step of the build: this project's own program, run in the frontend image without network.

use buildkit_llb::{Bind, Exec, Input, NetMode, OpOptions, Options, Output, Slot, Tmpfs};

use super::PROGRAM;

/// A step under construction.
pub struct Step {
    exec: Exec,
}

impl Step {
    /// `condafront <args>` in the frontend's own image.
    pub fn new(frontend: &Output, args: Vec<String>, options: &Options) -> Self {
        Self::in_root(frontend, PROGRAM, args, options)
    }

    /// `program <args>` in another root, whose changes are thrown away unless [`Exec::root_output`] is taken.
    pub fn in_root(
        root: impl Into<Input>,
        program: &str,
        args: Vec<String>,
        options: &Options,
    ) -> Self {
        let mut exec = Exec::new(root, program, args);
        exec.cwd("/").network(NetMode::None).options(options);
        exec.mount(Tmpfs::new("/tmp"));
        Self { exec }
    }

    /// Mounts `from` at `path`, read-only. `trusted` says that BuildKit need not hash the content: the definition alone
    /// decides what it is.
    pub fn input(&mut self, path: &str, from: &Output, trusted: bool) -> &mut Self {
        let mut bind = Bind::read_only(path, from);
        if trusted {
            bind = bind.content_cache(buildkit_llb::ContentCache::Off);
        }
        self.exec.mount(bind);
        self
    }

    /// An empty folder at `path` that is kept.
    pub fn output(&mut self, path: &str) -> Slot {
        self.exec.output(path, Input::Scratch)
    }

    /// Sets a variable.
    pub fn env(&mut self, name: &str, value: &str) -> &mut Self {
        self.exec.env(name, value);
        self
    }

    /// The builder of the operation itself.
    pub fn exec(&mut self) -> &mut Exec {
        &mut self.exec
    }
}
