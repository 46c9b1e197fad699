//! How a process is confined.

use buildkit_proto::pb;

/// The confinement of a process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SecurityMode {
    /// That of a container.
    #[default]
    Sandbox,
    /// None; this needs an entitlement.
    Insecure,
}

impl SecurityMode {
    pub(super) fn to_pb(self) -> pb::SecurityMode {
        match self {
            Self::Sandbox => pb::SecurityMode::Sandbox,
            Self::Insecure => pb::SecurityMode::Insecure,
        }
    }
}
