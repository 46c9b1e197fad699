//! The server's certificates. `certificates/make` makes them.

use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// The certificate of the authority that issues all certificates, as PEM.
pub const AUTHORITY: &str = include_str!("../../certificates/authority.pem");

const KEY: &str = include_str!("../../certificates/server.key");

/// A certificate for a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certificate {
    /// A valid one.
    Good,
    /// It is no longer valid.
    Expired,
    /// It is for another server.
    OtherHost,
    /// A valid one for the servers of `company.example`, which a proxy presents in their place.
    Proxied,
}

impl Certificate {
    fn pem(self) -> &'static str {
        match self {
            Self::Good => include_str!("../../certificates/good.pem"),
            Self::Expired => include_str!("../../certificates/expired.pem"),
            Self::OtherHost => include_str!("../../certificates/other.pem"),
            Self::Proxied => include_str!("../../certificates/proxied.pem"),
        }
    }

    /// What speaks TLS for a server with this certificate.
    pub(super) fn acceptor(self) -> TlsAcceptor {
        let certificate =
            CertificateDer::from_pem_slice(self.pem().as_bytes()).expect("a certificate");
        let key = PrivateKeyDer::from_pem_slice(KEY.as_bytes()).expect("a key");
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions of TLS")
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .expect("the key is that of the certificate");
        Arc::new(config).into()
    }
}
