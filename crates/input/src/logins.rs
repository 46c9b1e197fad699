//! The logins that a build has for hosts.

use std::collections::BTreeSet;

/// The hosts for which the build has a login: a secret that BuildKit sends as a header. It looks for them by these names
/// (`getAuthSecrets` in its `source/http/source.go`), so their values are of no interest here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Logins {
    /// The names of the secrets that are given, among those that were looked for.
    Given(BTreeSet<String>),
    /// There is no build whose secrets could be looked at, so that every host may have one.
    Unknown,
}

impl Default for Logins {
    fn default() -> Self {
        Self::Given(BTreeSet::new())
    }
}

impl Logins {
    /// The names that the login for a host can have.
    pub fn names(host: &str) -> [String; 2] {
        ["HTTP_AUTH_TOKEN_", "HTTP_AUTH_HEADER_"].map(|kind| format!("{kind}{host}"))
    }

    /// Whether the host has a login.
    pub(crate) fn has(&self, host: &str) -> bool {
        match self {
            Self::Given(given) => Self::names(host).iter().any(|name| given.contains(name)),
            Self::Unknown => true,
        }
    }

    /// These and others.
    #[must_use]
    pub fn and(self, others: BTreeSet<String>) -> Self {
        match self {
            Self::Given(mut given) => {
                given.extend(others);
                Self::Given(given)
            }
            Self::Unknown => Self::Unknown,
        }
    }
}
