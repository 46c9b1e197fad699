//! Certificate authorities that a build trusts besides the public ones: its secret `CA_CERTIFICATES`.
//!
//! A build mounts the secret into a directory in memory. Most programs trust the authorities in one file, so that file needs
//! the public ones too. It is written to the same directory, of which nothing is left in the image.

use std::error::Error;
use std::ffi::OsStr;
use std::fmt::{self, Write as _};
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::activation::Variables;
use crate::prefix::in_root;

/// The id of the secret.
pub const SECRET: &str = "CA_CERTIFICATES";

/// The directory; no base image has this path.
pub const DIR: &str = "/.condafront-authorities";

/// The file with the secret.
pub const GIVEN_FILE: &str = "/.condafront-authorities/given.pem";

/// The file with all authorities.
pub const ALL_FILE: &str = "/.condafront-authorities/all.pem";

/// The exit code of an entrypoint that cannot use the secret. Shells and `docker run` use it for failures of their own.
pub const EXIT_CODE: u8 = 125;

/// What names a file of authorities to programs: OpenSSL, Go and others; requests; curl; pip; Node; Git; the AWS tools; Cargo.
pub const VARIABLES: [&str; 8] = [
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "PIP_CERT",
    "NODE_EXTRA_CA_CERTS",
    "GIT_SSL_CAINFO",
    "AWS_CA_BUNDLE",
    "CARGO_HTTP_CAINFO",
];

/// Where distributions keep the public authorities: Debian and Alpine, Fedora, SUSE.
const STORES: [&str; 3] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
];

/// Where conda's package `ca-certificates` keeps them, below a prefix.
const CONDA_STORE: &str = "ssl/cacert.pem";

/// Certificates of authorities, as DER (X.690).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorities(Vec<Vec<u8>>);

/// Why the secret cannot be used. Its content is in no message.
#[derive(Debug)]
pub enum AuthoritiesError {
    /// It has nothing.
    Empty,
    /// It has no certificate.
    NoCertificate,
    /// It has certificates in binary form.
    Binary,
    /// It has a private key.
    PrivateKey,
    /// It has something that is not a certificate.
    NotCertificate(String),
    /// The certificate with this number, counted from 1, is damaged.
    Damaged(usize),
    /// A file cannot be read or written.
    File(&'static str, io::Error),
}

impl fmt::Display for AuthoritiesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self {
            Self::Empty => "is empty".to_owned(),
            Self::NoCertificate => "has no certificate".to_owned(),
            Self::Binary => "is in binary form (DER or PKCS #12), not PEM".to_owned(),
            Self::PrivateKey => "has a private key".to_owned(),
            Self::NotCertificate(label) => format!("has a `{label}`, which is not a certificate"),
            Self::Damaged(number) => format!("is damaged: its certificate {number} is not valid"),
            Self::File(doing, error) => format!("cannot be {doing}: {error}"),
        };
        write!(f, "the secret {SECRET} {what}")
    }
}

impl Error for AuthoritiesError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::File(_, error) => Some(error),
            _ => None,
        }
    }
}

impl AuthoritiesError {
    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Binary => {
                "Convert the certificate: openssl x509 -inform der -in ca.der -out ca.pem."
            }
            Self::PrivateKey => {
                "Pass only the certificates of the authorities. A private key must stay with its owner: if others could read this one, replace it."
            }
            Self::File(..) => "Build again: the builder may have run out of memory.",
            _ => {
                "Pass a file with the certificates of the authorities in PEM form: blocks from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----."
            }
        }
    }
}

impl Authorities {
    /// The authorities of the build that this process is a part of; `None` if it has the public ones alone. `root` is the
    /// image.
    ///
    /// # Errors
    /// When the secret is something else.
    pub fn given(root: &Path) -> Result<Option<Self>, AuthoritiesError> {
        match fs::read(in_root(root, OsStr::new(GIVEN_FILE))) {
            Ok(text) => Self::parse(&text).map(Some),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(AuthoritiesError::File("read", error)),
        }
    }

    /// Reads PEM (RFC 7468). Text around the blocks is ignored.
    ///
    /// # Errors
    /// When there is no certificate, or something else than certificates.
    pub fn parse(bytes: &[u8]) -> Result<Self, AuthoritiesError> {
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Err(AuthoritiesError::Empty);
        }
        // What follows the tag of a sequence that is longer than 255 bytes.
        if bytes.starts_with(&[0x30, 0x82]) {
            return Err(AuthoritiesError::Binary);
        }
        let text = String::from_utf8_lossy(bytes);
        // Editors on Windows put a mark in front of the first line.
        let text = text.trim_start_matches('\u{feff}');
        let labels = || text.lines().filter_map(|line| label(line, "BEGIN"));
        if labels().any(|label| label.contains("PRIVATE KEY")) {
            return Err(AuthoritiesError::PrivateKey);
        }
        if let Some(other) = labels().find(|label| !is_certificate(label)) {
            return Err(AuthoritiesError::NotCertificate(other.to_owned()));
        }
        let mut found = Vec::new();
        let mut lines = text.lines();
        while lines.any(|line| label(line, "BEGIN").is_some()) {
            let damaged = AuthoritiesError::Damaged(found.len() + 1);
            let mut body = String::new();
            let is_complete = lines.by_ref().any(|line| {
                let is_end = label(line, "END").is_some_and(is_certificate);
                if !is_end {
                    body.push_str(line.trim());
                }
                is_end
            });
            match decoded(&body).filter(|der| is_complete && is_sequence(der)) {
                Some(der) => found.push(der),
                None => return Err(damaged),
            }
        }
        if found.is_empty() {
            return Err(AuthoritiesError::NoCertificate);
        }
        Ok(Self(found))
    }

    /// Each certificate, as DER.
    pub fn der(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter().map(Vec::as_slice)
    }

    /// Writes the file with these authorities, those that programs in the image at `root` would trust otherwise, and `more`,
    /// and names it in the variables of programs.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn provide<'a>(
        &'a self,
        root: &Path,
        env: &mut Variables,
        more: impl Iterator<Item = &'a [u8]>,
    ) -> Result<(), AuthoritiesError> {
        let all_file = in_root(root, OsStr::new(ALL_FILE));
        let mut all = Vec::new();
        // The program that started this one has replaced what the variables named.
        if VARIABLES.iter().any(|name| names_all(env, name)) {
            all = fs::read(&all_file).unwrap_or_default();
        }
        for file in public_files(root, env) {
            if let Ok(text) = fs::read(in_root(root, file.as_os_str()))
                && !contains(&all, &text)
            {
                all.extend(text);
                all.push(b'\n');
            }
        }
        for der in more.chain(self.der()) {
            let text = pem(der).into_bytes();
            if !contains(&all, &text) {
                all.extend(text);
            }
        }
        // Another process of the same step may read it.
        let written = in_root(root, OsStr::new(DIR)).join(format!("{}.tmp", std::process::id()));
        fs::write(&written, all)
            .and_then(|()| fs::rename(&written, all_file))
            .map_err(|error| AuthoritiesError::File("written", error))?;
        for name in VARIABLES {
            env.insert(name.into(), ALL_FILE.into());
        }
        Ok(())
    }
}

/// The files with the authorities that programs trust by themselves.
fn public_files(root: &Path, env: &Variables) -> Vec<PathBuf> {
    let value = |name: &str| env.get(OsStr::new(name)).filter(|value| !value.is_empty());
    let named = VARIABLES.into_iter().filter(|name| !names_all(env, name));
    let mut files: Vec<PathBuf> = named.filter_map(value).map(PathBuf::from).collect();
    let exists = |file: &&str| in_root(root, OsStr::new(*file)).is_file();
    files.extend(STORES.iter().find(|file| exists(file)).map(PathBuf::from));
    files.extend(value("CONDA_PREFIX").map(|prefix| Path::new(prefix).join(CONDA_STORE)));
    files.sort();
    files.dedup();
    files
}

/// Whether this variable names the file with all authorities.
fn names_all(env: &Variables, name: &str) -> bool {
    env.get(OsStr::new(name))
        .is_some_and(|value| value == ALL_FILE)
}

fn contains(all: &[u8], text: &[u8]) -> bool {
    text.is_empty() || all.windows(text.len()).any(|part| part == text)
}

/// The label of a line that begins or ends a block.
fn label<'a>(line: &'a str, edge: &str) -> Option<&'a str> {
    let rest = line.trim().strip_prefix("-----")?.strip_prefix(edge)?;
    let label = rest.strip_prefix(' ')?.strip_suffix("-----")?;
    let is_label = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == ' ';
    (label.len() <= 40 && label.chars().all(is_label)).then_some(label)
}

fn is_certificate(label: &str) -> bool {
    matches!(label, "CERTIFICATE" | "X509 CERTIFICATE")
}

/// Whether this is one DER sequence, and nothing after it.
fn is_sequence(der: &[u8]) -> bool {
    let (header, length) = match der {
        [0x30, 0x81, a, ..] => (3, usize::from(*a)),
        [0x30, 0x82, a, b, ..] => (4, usize::from(*a) << 8 | usize::from(*b)),
        [0x30, length @ ..=0x7f, ..] => (2, usize::from(*length)),
        _ => return false,
    };
    der.len() == header + length
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Base64 (RFC 4648) without its encoding; `None` if it is something else.
fn decoded(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0u32, 0);
    for c in text.trim_end_matches('=').bytes() {
        let six = ALPHABET.iter().position(|known| *known == c)?;
        bits = bits << 6 | six as u32;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    Some(bytes)
}

/// A certificate as PEM.
fn pem(der: &[u8]) -> String {
    let mut body = String::new();
    for three in der.chunks(3) {
        let bits = three
            .iter()
            .chain([&0, &0])
            .take(3)
            .fold(0u32, |bits, byte| bits << 8 | u32::from(*byte));
        for at in 0..4 {
            let six = (bits >> (18 - 6 * at)) as usize & 63;
            let is_padding = at > three.len();
            body.push(if is_padding {
                '='
            } else {
                char::from(ALPHABET[six])
            });
        }
    }
    let mut text = "-----BEGIN CERTIFICATE-----\n".to_owned();
    for line in body.as_bytes().chunks(64) {
        let _ = writeln!(text, "{}", String::from_utf8_lossy(line));
    }
    text + "-----END CERTIFICATE-----\n"
}

/// Has programs trust the authorities of the build that this process is a part of, if it has any.
///
/// # Errors
/// When the secret cannot be used.
pub(crate) fn provide(root: &Path, env: &mut Variables) -> Result<(), AuthoritiesError> {
    match Authorities::given(root)? {
        Some(authorities) => authorities.provide(root, env, std::iter::empty()),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
