//! `conda-meta/state`: the variables of `conda env config vars set`, which activation exports.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use crate::untrusted::{self, LONGEST_RECORD};

/// The file. It is refused if it has `env_vars` twice: readers disagree about which counts.
#[derive(Deserialize)]
struct State {
    #[serde(default)]
    env_vars: BTreeMap<String, Value>,
}

/// The variables in the file at `path`; `None` if it is not such a file.
pub(super) fn variables(path: &Path) -> Option<BTreeMap<String, Value>> {
    let text = untrusted::read(path, LONGEST_RECORD).ok()?;
    let state: State = serde_json::from_slice(&text).ok()?;
    Some(state.env_vars)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn variables_are_read_in_one_way() {
        let dir = tempfile::tempdir().unwrap();
        let read = |text: &str| {
            let path = dir.path().join("state");
            fs::write(&path, text).unwrap();
            variables(&path).map(|found| found.into_iter().collect::<Vec<_>>())
        };
        let a = |value: &str| Some(vec![("A".to_owned(), Value::from(value))]);
        assert_eq!(read(r#"{"env_vars": {"A": "1"}, "version": 1}"#), a("1"));
        assert_eq!(read(r#"{"env_vars": {"A": "1", "A": "2"}}"#), a("2"));
        assert_eq!(read("{}"), Some(Vec::new()));
        for wrong in [
            "",
            "{",
            r#"{"env_vars": {"A": "1"}, "env_vars": {}}"#,
            r#"{"env_vars": []}"#,
            r#"{"env_vars": {}} {"env_vars": {"A": "1"}}"#,
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
