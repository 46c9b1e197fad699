//! Lists on web servers, which `-r` and `-c` name.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use url::Url;

use super::address::{is_web, of_file_page};
use super::variables::has_credentials;
use crate::mistake::Mistake;
use crate::place::Place;
use condafront_model::lint::{Rule, Warning};
use condafront_model::package::PackageUrl;
use condafront_model::redact::{in_full, quoted};
use condafront_model::source::{Diagnostic, Location, SourceFile};
use condafront_step_spec::pip_variables::variables;

/// A list on a web server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebList {
    /// Its address, without the hash.
    pub url: PackageUrl,
    /// The SHA-256 that its content must have, if the address has it.
    pub sha256: Option<String>,
    /// Where it is named.
    pub location: Location,
}

impl WebList {
    /// The list at the address `text`, or, as pip reads it in a list on a web server, at a path relative to that list's
    /// address `base`.
    ///
    /// # Errors
    /// A diagnostic at `location` if it is not the address of a list, or if it has credentials.
    pub(super) fn parse(
        text: &str,
        base: Option<&PackageUrl>,
        location: Location,
    ) -> Result<Self, Diagnostic> {
        let place = Place {
            file: &location.file,
            lines: location.lines,
        };
        let (url, sha256) =
            read(text, base.map(PackageUrl::url)).map_err(|mistake| mistake.at(place))?;
        Ok(Self {
            url,
            sha256,
            location,
        })
    }

    /// The list as a file with this content.
    pub(super) fn file(&self, content: Vec<u8>) -> Arc<SourceFile> {
        SourceFile::new(self.url.to_string(), content)
    }

    /// Whether this is the content that it must have, as far as the address says that.
    pub fn can_be(&self, content: &[u8]) -> bool {
        let pin = self.sha256.as_ref();
        pin.is_none_or(|pin| *pin == hex::encode(Sha256::digest(content)))
    }

    /// The warning that the list can change, unless its address has its hash. `content` is what it says, if it has been read.
    /// `docker build` shows only the message, so that has the hash.
    pub fn unpinned(&self, content: Option<&[u8]>) -> Option<Warning> {
        if self.sha256.is_some() {
            return None;
        }
        let url = &self.url;
        let (message, help) = match content.map(Sha256::digest).map(hex::encode) {
            Some(hash) => (
                format!("the list at {url} may change: pin it with #sha256={hash}"),
                "Add this to the address, or put the list into the build context.",
            ),
            None => (
                format!("the list at {url} may change without a change of this file"),
                "Add its hash to the address, `#sha256=…`, or put the list into the build context. A build shows the hash.",
            ),
        };
        let place = &self.location;
        Some(Warning {
            rule: Rule::Unrepeatable,
            diagnostic: Diagnostic::new(message)
                .at(&place.file, place.lines)
                .help(help),
        })
    }
}

/// The address in `text`, which may be relative to `base`, and the hash in it.
fn read(text: &str, base: Option<&Url>) -> Result<(PackageUrl, Option<String>), Mistake> {
    let shown = quoted(text);
    if let Some(name) = variables(text).first() {
        return Err(Mistake::new(
            format!("BuildKit fetches `{shown}` and does not have ${{{name}}}"),
            format!(
                "Set it with --build-arg {name}=…; if it is a secret, remove it from the address and pass the login with --secret id=HTTP_AUTH_HEADER_<host>,env=…."
            ),
        ));
    }
    if has_credentials(text) {
        return Err(credentials());
    }
    let parsed = match base {
        Some(base) => base.join(text),
        None => Url::parse(text),
    };
    let is_address = |url: &Url| is_web(url.as_str()) && url.has_host();
    let Some(mut url) = parsed.ok().filter(is_address) else {
        return Err(Mistake::new(
            format!("`{shown}` is not the address of a list"),
            "Give its http(s) URL, or put the file into the build context.",
        ));
    };
    // In a relative path, they look like something else.
    if has_credentials(url.as_str()) {
        return Err(credentials());
    }
    if let Some(meant) = of_file_page(&url) {
        return Err(Mistake::new(
            format!("`{shown}` is the page of a file, not the file"),
            format!("Write `{}`.", in_full(&meant)),
        ));
    }
    let fragment = url.fragment().unwrap_or_default();
    if fragment.starts_with("sha256:") {
        return Err(Mistake::new(
            format!("`{shown}` has a hash with a colon"),
            "Write `#sha256=` and the hash after it.",
        ));
    }
    let sha256 = hash(fragment);
    if sha256.as_deref().is_some_and(|hash| !is_sha256(hash)) {
        return Err(Mistake::new(
            format!("`{shown}` has a hash that is not 64 hex digits"),
            "Correct it, or remove it.",
        ));
    }
    url.set_fragment(None);
    Ok((PackageUrl::new(url), sha256))
}

fn credentials() -> Mistake {
    Mistake::new(
        "this line has credentials, which the builder's history and provenance would keep",
        "Remove them, and pass the login as a secret: --secret id=HTTP_AUTH_HEADER_<host>,env=….",
    )
}

/// The SHA-256 in the fragment of an address, which pip itself ignores.
fn hash(fragment: &str) -> Option<String> {
    let mut parts = url::form_urlencoded::parse(fragment.as_bytes());
    let found = parts.find(|(name, _)| name == "sha256");
    found.map(|(_, value)| value.to_ascii_lowercase())
}

fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
