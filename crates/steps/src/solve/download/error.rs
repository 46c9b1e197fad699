//! Why a download failed, and whether it may work later.

use std::io;
use std::time::Duration;

use url::Url;

use condafront_model::certificate::CertificateFault;
use condafront_model::package::PackageUrl;
use condafront_step_spec::timeout::Timeout;

/// Why a file is not available.
#[derive(Debug, thiserror::Error)]
pub(in crate::solve) enum DownloadError {
    /// The server does not give it.
    #[error("{}: {source}", PackageUrl::new(.url.clone()))]
    Server {
        url: Url,
        #[source]
        source: Box<ureq::Error>,
    },
    /// It breaks off.
    #[error("{}: {source}", PackageUrl::new(.url.clone()))]
    Read {
        url: Url,
        #[source]
        source: io::Error,
    },
    /// It takes too long.
    #[error("{} did not arrive within {}", PackageUrl::new(.url.clone()), Timeout::of(*.limit))]
    Slow { url: Url, limit: Duration },
    /// It is too large.
    #[error("{} has more than {} MiB", PackageUrl::new(.url.clone()), .limit >> 20)]
    TooLarge { url: Url, limit: u64 },
    /// It is another file.
    #[error("{} does not have the SHA-256 that the list says", PackageUrl::new(.0.clone()))]
    Hash(Url),
}

impl DownloadError {
    /// Why there is no answer to a request, which may take the time `limit`.
    pub(super) fn answer(url: &Url, error: ureq::Error, limit: Duration) -> Self {
        let url = url.clone();
        match error {
            ureq::Error::Timeout(ureq::Timeout::Global) => Self::Slow { url, limit },
            error => Self::Server {
                url,
                source: Box::new(error),
            },
        }
    }

    /// Why an answer, which may take the time `limit`, does not arrive as a whole.
    pub(super) fn body(url: &Url, error: io::Error, limit: Duration) -> Self {
        let url = url.clone();
        // An I/O error can hold one of ureq's.
        match ureq::Error::from(error) {
            ureq::Error::Timeout(_) => Self::Slow { url, limit },
            error => Self::Read {
                url,
                source: error.into_io(),
            },
        }
    }

    /// Whether the network or the server is to blame, so that the file may be available later.
    pub(in crate::solve) fn may_pass(&self) -> bool {
        match self {
            Self::Server { source, .. } => match &**source {
                ureq::Error::StatusCode(status) => {
                    matches!(status, 408 | 425 | 429 | 500 | 502..=504)
                }
                // The next build may trust the authority.
                error if certificate_fault(error).is_some() => true,
                ureq::Error::Io(error) => error.kind() != io::ErrorKind::InvalidData,
                ureq::Error::Timeout(_)
                | ureq::Error::HostNotFound
                | ureq::Error::ConnectionFailed
                | ureq::Error::ConnectProxyFailed(_) => true,
                _ => false,
            },
            Self::Read { .. } | Self::Slow { .. } => true,
            Self::Hash(_) | Self::TooLarge { .. } => false,
        }
    }

    /// What is wrong with the server's certificate, if that is it.
    pub(in crate::solve) fn certificate_fault(&self) -> Option<CertificateFault> {
        match self {
            Self::Server { source, .. } => certificate_fault(source),
            _ => None,
        }
    }

    /// Whether to ask once more in a moment. A server that does not answer costs time, and the whole repodata serves as well.
    pub(super) fn is_worth_a_try(&self) -> bool {
        match self {
            Self::Server { source, .. } => {
                self.may_pass()
                    && certificate_fault(source).is_none()
                    && matches!(**source, ureq::Error::StatusCode(_) | ureq::Error::Io(_))
            }
            Self::Read { source, .. } => source.kind() != io::ErrorKind::TimedOut,
            Self::Hash(_) => true,
            Self::Slow { .. } | Self::TooLarge { .. } => false,
        }
    }
}

/// What is wrong with the server's certificate, if that is it.
fn certificate_fault(error: &ureq::Error) -> Option<CertificateFault> {
    CertificateFault::in_text(&error.to_string())
}
