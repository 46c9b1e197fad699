//! Merges and differences of filesystems.

use buildkit_proto::pb;

use crate::caps;
use crate::node::{Input, Inputs, NONE, Node, Output};
use crate::options::{OpOptions, Options};

/// Merges filesystems without copying (BuildKit 0.10).
///
/// Later inputs win. The layers of the result are those of all inputs. An input that is a merge counts as its inputs: the
/// result is the same, and the daemon has one less to keep and to look for.
///
/// ```
/// use buildkit_llb::{Image, Input, Merge};
///
/// let [a, b] = ["a", "b"].map(|name| Image::new(format!("docker.io/example/{name}:1")).build());
/// let both = Merge::new([&a, &b]).build();
/// assert!(both.output().is_some());
/// assert_eq!(Merge::new([&a]).build(), Input::from(&a));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Merge {
    inputs: Vec<Output>,
    options: Options,
}

impl Merge {
    /// Merges inputs, the lowest one first. Empty filesystems are omitted.
    pub fn new(inputs: impl IntoIterator<Item = impl Into<Input>>) -> Self {
        let outputs = inputs.into_iter().flat_map(|input| match input.into() {
            Input::Scratch => Vec::new(),
            Input::Output(output) if output.node.is_merge => output.node.inputs.clone(),
            Input::Output(output) => vec![output],
        });
        Self {
            inputs: outputs.collect(),
            options: Options::new(),
        }
    }

    /// Builds the operation; a single input, or none, needs no operation.
    #[must_use]
    pub fn build(&self) -> Input {
        match self.inputs.as_slice() {
            [] => Input::Scratch,
            [only] => only.into(),
            several => {
                let mut inputs = Inputs::default();
                let indices = several
                    .iter()
                    .map(|output| pb::MergeInput {
                        input: inputs.push(output),
                    })
                    .collect();
                let op = pb::op::Op::Merge(pb::MergeOp { inputs: indices });
                let node = Node::new(inputs, None, op, [caps::MERGE_OP], &self.options);
                Output::first(node).into()
            }
        }
    }
}

impl OpOptions for Merge {
    fn options_mut(&mut self) -> &mut Options {
        &mut self.options
    }
}

/// The changes between two filesystems (BuildKit 0.10).
///
/// ```
/// use buildkit_llb::{Diff, Exec, Image};
///
/// let base = Image::new("docker.io/library/debian:13").build();
/// let mut exec = Exec::new(&base, "apt-get", ["install", "-y", "git"]);
/// let changed = exec.write_root();
/// let layer = Diff::new(&base, &exec.build()[changed]).build();
/// assert!(layer.output().is_some());
/// ```
#[derive(Clone, Debug)]
pub struct Diff {
    lower: Input,
    upper: Input,
    options: Options,
}

impl Diff {
    /// The changes from `lower` to `upper`.
    pub fn new(lower: impl Into<Input>, upper: impl Into<Input>) -> Self {
        Self {
            lower: lower.into(),
            upper: upper.into(),
            options: Options::new(),
        }
    }

    /// Builds the operation. If `lower` is empty, the result is `upper` and no
    /// operation is needed.
    #[must_use]
    pub fn build(&self) -> Input {
        let Input::Output(lower) = &self.lower else {
            return self.upper.clone();
        };
        let mut inputs = Inputs::default();
        let lower = inputs.push(lower);
        let upper = self
            .upper
            .output()
            .map_or(NONE, |output| inputs.push(output));
        let op = pb::op::Op::Diff(pb::DiffOp {
            lower: Some(pb::LowerDiffInput { input: lower }),
            upper: Some(pb::UpperDiffInput { input: upper }),
        });
        Output::first(Node::new(inputs, None, op, [caps::DIFF_OP], &self.options)).into()
    }
}

impl OpOptions for Diff {
    fn options_mut(&mut self) -> &mut Options {
        &mut self.options
    }
}
