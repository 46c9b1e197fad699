//! Build secrets whose values addresses need.

use std::collections::BTreeMap;
use std::fmt;

/// The values of build secrets by name. They are never shown.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secrets(BTreeMap<String, String>);

impl Secrets {
    /// The value of a secret. Files and the output of `echo` end with a line break, which is not part of it.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let value = self.0.get(name)?;
        Some(value.trim_end_matches(['\n', '\r']))
    }

    /// Whether the secret `name` is known.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Adds others.
    pub fn extend(&mut self, others: Self) {
        self.0.extend(others.0);
    }
}

impl FromIterator<(String, String)> for Secrets {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(secrets: I) -> Self {
        Self(secrets.into_iter().collect())
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_not_shown() {
        let one = ("PASSWORD".to_owned(), "hunter2\n".to_owned());
        let secrets = Secrets::from_iter([one]);
        assert_eq!(secrets.get("PASSWORD"), Some("hunter2"));
        assert_eq!(format!("{secrets:?}"), "{\"PASSWORD\"}");
    }
}
