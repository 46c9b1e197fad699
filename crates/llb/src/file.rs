//! Changes files without a process.

mod action;
mod copy;
mod make;
mod owner;
mod path;
mod unset;

pub use action::{Action, Rm};
pub use copy::Copy;
pub use make::{Mkdir, Mkfile, Symlink};
pub use owner::{Account, Owner};
pub(crate) use path::clean_path;

use buildkit_proto::pb;

use crate::caps;
use crate::node::{Input, Inputs, NONE, Node, Output};
use crate::options::{OpOptions, Options};

/// A chain of file actions on a filesystem, as one operation.
///
/// Each action works on the result of the one before it.
///
/// ```
/// use buildkit_llb::{Copy, File, Image, Input, Mkdir, Mkfile, Owner};
///
/// let tools = Image::new("docker.io/library/busybox:1.37").build();
/// let files = File::on(Input::Scratch)
///     .then(Mkdir::new("/app/bin").parents())
///     .then(Copy::new(&tools, "/bin/busybox", "/app/bin/").mode(0o755))
///     .then(Mkfile::new("/app/note", "hello\n").owner(Owner::ids(1000, 1000)))
///     .build();
/// assert!(files.output().is_some());
/// ```
#[derive(Clone, Debug)]
pub struct File {
    base: Input,
    actions: Vec<Action>,
    options: Options,
}

impl File {
    /// Changes a filesystem, with the actions of [`File::then`].
    pub fn on(base: impl Into<Input>) -> Self {
        Self {
            base: base.into(),
            actions: Vec::new(),
            options: Options::new(),
        }
    }

    /// Adds an action.
    pub fn then(&mut self, action: impl Into<Action>) -> &mut Self {
        self.actions.push(action.into());
        self
    }

    /// Builds the operation. Without actions, no operation is needed, and the result is
    /// the filesystem itself.
    #[must_use]
    pub fn build(&self) -> Input {
        if self.actions.is_empty() {
            return self.base.clone();
        }
        let mut inputs = Inputs::default();
        let base = inputs.index_of(&self.base);
        // Actions are numbered after all inputs, so these come first.
        let secondary: Vec<i64> = self
            .actions
            .iter()
            .map(|action| action.from().map_or(NONE, |input| inputs.index_of(input)))
            .collect();

        let mut caps = vec![caps::FILE_BASE];
        let mut actions = Vec::with_capacity(self.actions.len());
        let targets = inputs.len()..;
        let mut input = base;
        for ((action, secondary_input), target) in self.actions.iter().zip(secondary).zip(targets) {
            caps.extend(action.caps());
            actions.push(pb::FileAction {
                input,
                secondary_input,
                output: NONE,
                action: Some(action.to_pb(base)),
            });
            input = target;
        }
        if let Some(last) = actions.last_mut() {
            last.output = 0;
        }

        let op = pb::op::Op::File(pb::FileOp { actions });
        Output::first(Node::new(inputs, None, op, caps, &self.options)).into()
    }
}

impl OpOptions for File {
    fn options_mut(&mut self) -> &mut Options {
        &mut self.options
    }
}
