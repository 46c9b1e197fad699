//! Files from HTTP servers.

use super::operation::Source;
use crate::caps;
use crate::digest::Digest;
use crate::node::Output;
use crate::options::{OpOptions, Options};

/// A file fetched over HTTP, as a filesystem with only that file.
///
/// With a checksum, the cache key contains neither the URL nor the time, so
/// mirrors share the cache and a hit needs no network. The operation has no
/// platform, so builds for several platforms share it. The file time is the
/// `Last-Modified` of the response, or 1970.
///
/// ```
/// use buildkit_llb::{Digest, Http};
///
/// let archive = Http::new("https://example.com/data.tar")
///     .checksum(Digest::of(b"the content"))
///     .filename("data.tar")
///     .build();
/// assert_eq!(archive.index(), 0);
/// ```
#[derive(Clone, Debug)]
pub struct Http {
    source: Source,
}

impl Http {
    /// The file at an `http://` or `https://` URL.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            source: Source::new(url.into(), caps::SOURCE_HTTP),
        }
    }

    /// The SHA-256 that the content must have; daemons check no other algorithm.
    pub fn checksum(&mut self, digest: Digest) -> &mut Self {
        self.source.set_with(
            caps::SOURCE_HTTP_CHECKSUM,
            "http.checksum",
            digest.to_string(),
        );
        self
    }

    /// The name of the file. Set it, or the server may choose one.
    pub fn filename(&mut self, name: impl Into<String>) -> &mut Self {
        self.source.set("http.filename", name);
        self
    }

    /// The mode of the file; defaults to 0600.
    pub fn perm(&mut self, mode: u32) -> &mut Self {
        self.source
            .set_with(caps::SOURCE_HTTP_PERM, "http.perm", octal(mode));
        self
    }

    /// The owner of the file; defaults to root.
    pub fn owner(&mut self, uid: u32, gid: u32) -> &mut Self {
        let cap = caps::SOURCE_HTTP_UID_GID;
        self.source.set_with(cap, "http.uid", uid.to_string());
        self.source.set_with(cap, "http.gid", gid.to_string());
        self
    }

    /// The secret whose value is the `Authorization` header (BuildKit 0.21).
    pub fn auth_header_secret(&mut self, id: impl Into<String>) -> &mut Self {
        self.source
            .set_with(caps::SOURCE_HTTP_AUTH, "http.authheadersecret", id);
        self
    }

    /// The `Accept` header (BuildKit 0.21).
    pub fn accept(&mut self, value: impl Into<String>) -> &mut Self {
        self.source
            .set_with(caps::SOURCE_HTTP_HEADER, "http.header.accept", value);
        self
    }

    /// The `User-Agent` header (BuildKit 0.21).
    pub fn user_agent(&mut self, value: impl Into<String>) -> &mut Self {
        self.source
            .set_with(caps::SOURCE_HTTP_HEADER, "http.header.user-agent", value);
        self
    }

    /// Builds the operation.
    #[must_use]
    pub fn build(&self) -> Output {
        self.source.build(None)
    }
}

/// A file mode in the format of attributes: octal with a leading zero.
fn octal(mode: u32) -> String {
    format!("0{mode:o}")
}

impl OpOptions for Http {
    fn options_mut(&mut self) -> &mut Options {
        &mut self.source.options
    }
}
