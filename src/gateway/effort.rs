//! How much is built again when BuildKit has lost results.

use std::collections::HashMap;

use buildkit_llb::Definition;
use buildkit_proto::pb;

/// How much is built again because BuildKit has lost results.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Effort {
    /// Nothing.
    #[default]
    Usual,
    /// Every step. BuildKit does not merge a vertex that ignores the cache with one that does not (`loadUnlocked` in
    /// `solver/jobs.go`), so steps that this build has already run with the cache run once more.
    Steps,
    /// Also what comes from web servers and from the client.
    Everything,
}

impl Effort {
    /// What to try after this.
    pub(super) fn more(self) -> Option<Self> {
        match self {
            Self::Usual => Some(Self::Steps),
            Self::Steps => Some(Self::Everything),
            Self::Everything => None,
        }
    }

    /// What the user is told about it.
    pub(super) fn notice(self) -> Option<&'static str> {
        match self {
            Self::Usual => None,
            Self::Steps => Some("[cache] the engine has lost a result: every step runs again"),
            Self::Everything => Some(
                "[cache] the engine has lost a result: everything is downloaded and built again",
            ),
        }
    }

    /// The graph to build, and the original digest of each operation that has another one in it.
    pub(super) fn apply(
        self,
        definition: &Definition,
    ) -> (pb::Definition, HashMap<String, String>) {
        match self {
            Self::Usual => (definition.to_pb().clone(), HashMap::new()),
            Self::Steps => (
                definition.clone().ignoring_cache().into_pb(),
                HashMap::new(),
            ),
            Self::Everything => {
                let (definition, originals) = definition.clone().fetching_again();
                (definition.into_pb(), originals)
            }
        }
    }
}
