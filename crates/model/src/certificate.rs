//! What programs say about a server's certificate that they do not accept.

use std::fmt;

/// What is wrong with a server's certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateFault {
    /// It is from an authority that is not trusted.
    UnknownAuthority,
    /// It is too old, or too new.
    Expired,
    /// It is for another server.
    OtherHost,
    /// Something else.
    Refused,
}

/// What Go, OpenSSL, GnuTLS, rustls, curl and apk say, in small letters. A text that says two things says the first one.
const TEXTS: &[(CertificateFault, &[&str])] = &[
    (
        CertificateFault::Expired,
        &[
            "certificate has expired",
            "certificate expired",
            "uses expired certificate",
            "certificate is not yet valid",
            "certificate not valid yet",
            "uses not yet valid certificate",
            "invalid peer certificate: expired",
            "invalid peer certificate: notvalidyet",
        ],
    ),
    (
        CertificateFault::OtherHost,
        &[
            "hostname mismatch",
            "ip address mismatch",
            "certificate is valid for ",
            "certificate is not valid for any names",
            "doesn't contain any ip sans",
            "relies on legacy common name",
            "certificate subject name",
            "certificate subject doesn't match host",
            "name in the certificate does not match",
            "certificate not valid for name",
            "invalid peer certificate: notvalidforname",
        ],
    ),
    (
        CertificateFault::UnknownAuthority,
        &[
            "certificate signed by unknown authority",
            "unable to get local issuer certificate",
            "unable to get issuer certificate",
            "unable to verify the first certificate",
            "self-signed certificate",
            "self signed certificate",
            "certificate issuer is unknown",
            "invalid peer certificate: unknownissuer",
            "certificate is not trusted",
            "server certificate not trusted",
            "no system certificates available",
            "unable to locally verify the issuer's authority",
            // No authority is known at all.
            "problem with the ssl ca cert",
            "error setting certificate verify locations",
            "error setting certificate file",
            "error adding trust anchors from file",
            "suitable tls ca certificate bundle",
        ],
    ),
    (
        CertificateFault::Refused,
        &[
            "certificate verify failed",
            "certificate verification failed",
            "certificate_verify_failed",
            "error in the certificate verification",
            "invalid peer certificate: ",
            "ssl peer certificate ",
            "x509: ",
        ],
    ),
];

impl CertificateFault {
    /// The fault that a text of any program is about, if it is about one.
    pub fn in_text(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        let said = |(_, words): &&(Self, &[&str])| words.iter().any(|word| text.contains(word));
        TEXTS.iter().find(said).map(|(fault, _)| *fault)
    }

    /// What to do if the build's own steps do not accept the certificate.
    pub fn help(self) -> &'static str {
        match self {
            Self::UnknownAuthority => {
                "Pass the certificate of the server's authority with --secret id=CA_CERTIFICATES,src=ca.pem. If the build has this secret, add the certificate to its file."
            }
            Self::Refused => {
                "If the server's authority is your own, pass its certificate with --secret id=CA_CERTIFICATES,src=ca.pem. Otherwise, check whether the server's certificate has expired or is for a different server."
            }
            Self::Expired | Self::OtherHost => self.help_with_server(),
        }
    }

    /// What to do if the builder itself does not accept the certificate.
    pub fn help_for_builder(self) -> &'static str {
        match self {
            Self::UnknownAuthority | Self::Refused => {
                "The builder itself downloads this, and the secret CA_CERTIFICATES does not reach it. Add the certificate of the server's authority to those that the builder trusts: see docs/certificates.md."
            }
            Self::Expired | Self::OtherHost => self.help_with_server(),
        }
    }

    fn help_with_server(self) -> &'static str {
        match self {
            Self::Expired => {
                "Have the server's certificate renewed. If it is valid, correct the builder's clock."
            }
            _ => {
                "Use a name or address that the certificate is for, or have a certificate issued for this one."
            }
        }
    }
}

impl fmt::Display for CertificateFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownAuthority => "the server's certificate is from an unknown authority",
            Self::Expired => "the server's certificate has expired, or is not valid yet",
            Self::OtherHost => "the server's certificate is for a different server",
            Self::Refused => "the server's certificate is not accepted",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_programs_say_is_understood() {
        use CertificateFault::{Expired, OtherHost, Refused, UnknownAuthority};
        for (text, expected) in [
            (
                "Get \"https://c.example/f\": tls: failed to verify certificate: x509: certificate signed by unknown authority",
                UnknownAuthority,
            ),
            (
                "x509: certificate has expired or is not yet valid: current time 2026-01-01T00:00:00Z is after 2025-01-01T00:00:00Z",
                Expired,
            ),
            (
                "x509: certificate is valid for a.example, not b.example",
                OtherHost,
            ),
            (
                "x509: cannot validate certificate for 10.0.0.1 because it doesn't contain any IP SANs",
                OtherHost,
            ),
            (
                "x509: certificate specifies an incompatible key usage",
                Refused,
            ),
            (
                "(Caused by SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: unable to get local issuer certificate (_ssl.c:1028)')))",
                UnknownAuthority,
            ),
            (
                "certificate verify failed: Hostname mismatch, certificate is not valid for 'b.example'. (_ssl.c:1028)",
                OtherHost,
            ),
            (
                "Certificate verification failed: The certificate is NOT trusted. The certificate chain uses expired certificate.",
                Expired,
            ),
            (
                "Certificate verification failed: The certificate is NOT trusted. The certificate issuer is unknown.  Could not handshake: Error in the certificate verification.",
                UnknownAuthority,
            ),
            (
                "io: invalid peer certificate: UnknownIssuer",
                UnknownAuthority,
            ),
            (
                "io: invalid peer certificate: certificate expired: verified at 1 (UNIX), but certificate is not valid after 0",
                Expired,
            ),
            (
                "invalid peer certificate: certificate not valid for name \"b.example\"; certificate is only valid for a.example",
                OtherHost,
            ),
            (
                "Curl error (60): SSL peer certificate or SSH remote key was not OK for https://a [SSL certificate problem: self-signed certificate in certificate chain]",
                UnknownAuthority,
            ),
            (
                "Curl error (77): Problem with the SSL CA cert (path? access rights?) for https://a/repodata/repomd.xml []",
                UnknownAuthority,
            ),
            (
                "fatal: unable to access 'https://g.example/x.git/': error setting certificate verify locations:  CAfile: /etc/ssl/certs/ca-certificates.crt",
                UnknownAuthority,
            ),
            (
                "OSError: Could not find a suitable TLS CA certificate bundle, invalid path: /etc/ssl/certs/ca.crt",
                UnknownAuthority,
            ),
            (
                "fatal: unable to access 'https://g.example/x.git/': server certificate verification failed. CAfile: none CRLfile: none",
                Refused,
            ),
        ] {
            assert_eq!(CertificateFault::in_text(text), Some(expected), "{text}");
            assert!(!expected.help().is_empty() && !expected.help_for_builder().is_empty());
        }
        for text in [
            "Collecting certifi",
            "connection refused",
            "tls: handshake failure",
        ] {
            assert_eq!(CertificateFault::in_text(text), None, "{text}");
        }
    }
}
