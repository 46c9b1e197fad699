//! How steps reach the network.

use buildkit_llb::{Exec, NetMode, Proxy};

use crate::authorities;
use condafront_input::options::Options;

/// How a step reaches the network.
#[derive(Clone, Debug, Default)]
pub struct NetworkAccess {
    /// `docker build --network`.
    mode: NetMode,
    /// The proxies from the usual build-args, which are not part of any cache key.
    proxy: Option<Proxy>,
}

impl NetworkAccess {
    /// Reads the user's options: `--network`, and the proxies from the usual build-args.
    pub fn from_options(options: &Options) -> Self {
        let mode = match options.get("force-network-mode") {
            Some("host") => NetMode::Host,
            Some("none") => NetMode::None,
            _ => NetMode::Sandbox,
        };
        let mut proxy = Proxy::default();
        for (name, value) in options.build_args() {
            if let Some(place) = proxy_place(&mut proxy, name) {
                value.clone_into(place);
            }
        }
        Self {
            mode,
            proxy: (proxy != Proxy::default()).then_some(proxy),
        }
    }

    /// No network.
    pub(crate) fn none() -> Self {
        Self {
            mode: NetMode::None,
            proxy: None,
        }
    }

    /// Another network, with the same proxies.
    pub(crate) fn with_mode(&self, mode: NetMode) -> Self {
        Self {
            mode,
            ..self.clone()
        }
    }

    /// Gives an operation the network, and the authorities to trust there. It knows the proxies whether it has the network or
    /// not.
    pub(crate) fn open(&self, exec: &mut Exec) {
        exec.network(self.mode);
        if self.mode != NetMode::None {
            authorities::mount(exec);
        }
        if let Some(proxy) = &self.proxy {
            exec.proxy(proxy);
        }
    }
}

/// Whether a build-arg of this name is a proxy.
pub(crate) fn is_proxy(name: &str) -> bool {
    proxy_place(&mut Proxy::default(), name).is_some()
}

/// Where the value of the build-arg `name` goes, if it is a proxy.
fn proxy_place<'a>(proxy: &'a mut Proxy, name: &str) -> Option<&'a mut String> {
    match name.to_ascii_lowercase().as_str() {
        "http_proxy" => Some(&mut proxy.http),
        "https_proxy" => Some(&mut proxy.https),
        "ftp_proxy" => Some(&mut proxy.ftp),
        "no_proxy" => Some(&mut proxy.no_proxy),
        "all_proxy" => Some(&mut proxy.all),
        _ => None,
    }
}
