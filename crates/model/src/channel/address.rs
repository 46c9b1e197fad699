//! A channel's address.

use std::fmt;

use url::Url;

use super::error::{ChannelError, NotAUrl};
use crate::package::PackageUrl;
use crate::placeholder;

/// A channel's address. As with a [`PackageUrl`], its credentials are never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct ChannelUrl {
    url: Url,
    /// Whether what the user wrote has placeholders instead of credentials.
    has_placeholder: bool,
}

impl ChannelUrl {
    /// Wraps an absolute http(s) URL; trailing slashes are removed.
    pub fn new(mut url: Url) -> Self {
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&path);
        Self {
            url,
            has_placeholder: false,
        }
    }

    /// Reads an absolute http(s) URL, as users write a channel's address.
    ///
    /// # Errors
    /// When the text is not such a URL.
    pub fn parse(text: &str) -> Result<Self, ChannelError> {
        let bare = placeholder::without(text);
        let url = address(bare.as_deref().unwrap_or(text))?;
        Ok(Self::new(url).with_placeholder(bare.is_some()))
    }

    /// The same address, written with placeholders for credentials if `has_placeholder`.
    #[must_use]
    pub fn with_placeholder(mut self, has_placeholder: bool) -> Self {
        self.has_placeholder |= has_placeholder;
        self
    }

    /// Whether it was written with placeholders for credentials (`/t/<TOKEN>/`), which are left out.
    pub fn has_placeholder(&self) -> bool {
        self.has_placeholder
    }

    /// The folder `path` below this one.
    pub fn below(&self, path: &str) -> Self {
        let url = self.join(path).url().clone();
        Self::new(url).with_placeholder(self.has_placeholder)
    }

    /// Whether it carries a user, a password or a token.
    pub fn has_credentials(&self) -> bool {
        PackageUrl::new(self.url.clone()).has_credentials()
    }

    /// The host, for messages about secrets and mirrors.
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// Whether it is one of Anaconda's own channels, which its terms of service cover
    /// (<https://www.anaconda.com/legal/terms/terms-of-service>). Channels that others upload are not.
    pub fn is_anacondas(&self) -> bool {
        const OWN: &[&str] = &["anaconda", "main", "msys2", "pkgs", "r"];
        let recorded = PackageUrl::new(self.url.clone()).recorded();
        let first = recorded.path_segments().and_then(|mut parts| parts.next());
        match self.host() {
            // The second redirects to the first.
            "repo.anaconda.com" | "repo.continuum.io" => true,
            "conda.anaconda.org" => first.is_some_and(|name| OWN.contains(&name)),
            _ => false,
        }
    }

    /// The address of a file below the channel: `linux-64/repodata.json.zst`.
    pub fn join(&self, path: &str) -> PackageUrl {
        let mut url = self.url.clone();
        url.set_path(&format!("{}/{path}", url.path().trim_end_matches('/')));
        PackageUrl::new(url)
    }

    /// The address as it is recorded: without credentials, query, fragment and trailing slash.
    pub fn recorded(&self) -> String {
        let recorded = PackageUrl::new(self.url.clone()).recorded();
        recorded.as_str().trim_end_matches('/').to_owned()
    }
}

impl fmt::Display for ChannelUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        PackageUrl::new(self.url.clone()).fmt(f)
    }
}

impl fmt::Debug for ChannelUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChannelUrl({self})")
    }
}

/// Reads an absolute http(s) URL.
pub(super) fn address(text: &str) -> Result<Url, ChannelError> {
    let text = text.trim();
    if is_path(text) {
        return Err(ChannelError::OnOneMachine(text.to_owned()));
    }
    let not_a_url = |reason: NotAUrl| ChannelError::NotAUrl {
        text: text.to_owned(),
        reason,
    };
    if !text.contains("://") {
        return Err(if text.contains('.') {
            ChannelError::NoScheme(text.to_owned())
        } else {
            not_a_url(NotAUrl::NoScheme)
        });
    }
    let mut url = Url::parse(text).map_err(|error| not_a_url(error.into()))?;
    url.set_fragment(None);
    if url.query().is_some_and(|query| !query.is_empty()) {
        return Err(ChannelError::Query(text.to_owned()));
    }
    url.set_query(None);
    match url.scheme() {
        "http" | "https" => Ok(url),
        "file" => Err(ChannelError::OnOneMachine(text.to_owned())),
        scheme => Err(ChannelError::Scheme(scheme.to_owned())),
    }
}

/// Whether `text` is a path, or the URL of one.
pub(super) fn is_path(text: &str) -> bool {
    let drive = text.as_bytes().get(1..3);
    text.starts_with(['/', '.', '~', '\\'])
        || text.starts_with("file:")
        || drive.is_some_and(|part| part == b":\\" || part == b":/")
}
