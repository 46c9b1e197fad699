//! Build-args, as used in values.

use std::collections::BTreeMap;

use crate::logins::Logins;
use condafront_model::platform::Platform;

/// The build-args of a build by name, with the logins that stand in place of credentials in addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BuildArgs {
    args: BTreeMap<String, String>,
    logins: Logins,
}

impl BuildArgs {
    /// The value of a build-arg, which may be empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.args.get(name).map(String::as_str)
    }

    /// The same build-args with these logins.
    #[must_use]
    pub fn with_logins(self, logins: Logins) -> Self {
        Self { logins, ..self }
    }

    /// The logins.
    pub fn logins(&self) -> &Logins {
        &self.logins
    }

    /// The names of the build-args.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.args.keys().map(String::as_str)
    }

    /// Adds the build-args that Dockerfiles predefine, for an image of this platform
    /// (<https://docs.docker.com/reference/dockerfile/#automatic-platform-args-in-the-global-scope>).
    pub fn for_platform(&self, platform: Platform) -> Self {
        let mut all = self.clone();
        all.or_insert("TARGETPLATFORM", platform.to_string());
        all.or_insert("TARGETOS", platform.os());
        all.or_insert("TARGETARCH", platform.architecture());
        all.or_insert("TARGETVARIANT", "");
        all
    }

    /// Adds a build-arg unless it already has a value that is not empty.
    pub(super) fn or_insert(&mut self, name: &str, value: impl Into<String>) {
        if self.get(name).is_none_or(str::is_empty) {
            self.args.insert(name.to_owned(), value.into());
        }
    }

    /// The build-args that a shell command mentions as `$NAME` or `${NAME…}`.
    pub(super) fn mentioned(&self, text: &str) -> BTreeMap<String, String> {
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        text.split('$')
            .skip(1)
            .filter_map(|after| {
                // `${#NAME}` and `${!NAME}` count as well.
                let after = after.trim_start_matches(['{', '#', '!']);
                let end = after.find(|c| !is_name(c)).unwrap_or(after.len());
                self.args.get_key_value(&after[..end])
            })
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for BuildArgs {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(args: I) -> Self {
        let pairs = args.into_iter();
        Self {
            args: pairs.map(|(n, v)| (n.into(), v.into())).collect(),
            logins: Logins::default(),
        }
    }
}
