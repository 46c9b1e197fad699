//! How a process reaches the network.

use buildkit_proto::pb;

/// The network of a process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NetMode {
    /// The worker's sandbox network.
    #[default]
    Sandbox,
    /// The host's network, which needs an entitlement.
    Host,
    /// No network.
    None,
}

impl NetMode {
    pub(super) fn to_pb(self) -> pb::NetMode {
        match self {
            Self::Sandbox => pb::NetMode::Unset,
            Self::Host => pb::NetMode::Host,
            Self::None => pb::NetMode::None,
        }
    }
}

/// The values of proxy variables; empty ones are not set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proxy {
    /// `http_proxy`.
    pub http: String,
    /// `https_proxy`.
    pub https: String,
    /// `ftp_proxy`.
    pub ftp: String,
    /// `no_proxy`.
    pub no_proxy: String,
    /// `all_proxy`.
    pub all: String,
}

impl Proxy {
    pub(super) fn to_pb(&self) -> pb::ProxyEnv {
        pb::ProxyEnv {
            http_proxy: self.http.clone(),
            https_proxy: self.https.clone(),
            ftp_proxy: self.ftp.clone(),
            no_proxy: self.no_proxy.clone(),
            all_proxy: self.all.clone(),
        }
    }
}
