//! The states of a shell that sources activation scripts, and what two runs of them have in common.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};

use condafront_entrypoint::activation::Variables;
use condafront_model::reserved::is_reserved;
use condafront_step_spec::activation::Recorded;

/// Variables that the shell manages itself, or that a container's user gets from elsewhere.
const NOISE: &[&str] = &[
    "_", "SHLVL", "PWD", "OLDPWD", "PS1", "PS2", "PS4", "USER", "LOGNAME", "HOSTNAME", "TERM",
    "IFS", "OPTIND", "PPID", "LINENO", "COLUMNS", "LINES", "SHELL",
];

/// A shell's state between two scripts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Snapshot {
    pub(super) env: Variables,
    /// Functions, aliases and completions, as the shell lists them.
    pub(super) definitions: Vec<u8>,
    /// What the script before this state printed.
    pub(super) log: String,
}

/// What activation does: what two runs of the scripts have in common, and which scripts do more than that. `first` and
/// `second` are the states before the first script and after each of them.
pub(super) fn compare(scripts: &[OsString], first: &[Snapshot], second: &[Snapshot]) -> Recorded {
    let mut recorded = Recorded::default();
    for (index, script) in scripts.iter().enumerate() {
        let name = lossy(script);
        let changed = changed_keys(&first[index].env, &first[index + 1].env)
            .union(&changed_keys(&second[index].env, &second[index + 1].env))
            .any(|key| fixed_value(key, &first[index + 1], &second[index + 1]).is_none());
        if changed {
            recorded.dynamic.push(name.clone());
        }
        if first[index].definitions != first[index + 1].definitions {
            recorded.shell_only.push(name.clone());
        }
        let log = &first[index + 1].log;
        if !log.is_empty() {
            recorded.log.push_str(&format!("{name}:\n{log}"));
            if !log.ends_with('\n') {
                recorded.log.push('\n');
            }
        }
        recorded.scripts.push(name);
    }
    let ends = (first.first(), first.last(), second.last());
    if let (Some(start), Some(end), Some(other_end)) = ends {
        for key in changed_keys(&start.env, &end.env) {
            match fixed_value(&key, end, other_end) {
                Some(Some(value)) => {
                    recorded.set.insert(lossy(&key), value);
                }
                Some(None) => recorded.unset.push(lossy(&key)),
                None => {}
            }
        }
    }
    recorded
}

/// A variable's value, or its absence, if it is the same in both runs and valid in JSON.
#[expect(
    clippy::option_option,
    reason = "whether it is fixed, and whether it has a value"
)]
fn fixed_value(key: &OsStr, first: &Snapshot, second: &Snapshot) -> Option<Option<String>> {
    let value = first.env.get(key);
    if value != second.env.get(key) || key.to_str().is_none() {
        return None;
    }
    match value {
        None => Some(None),
        Some(value) => value.to_str().map(|text| Some(text.to_owned())),
    }
}

fn changed_keys(before: &Variables, after: &Variables) -> BTreeSet<OsString> {
    before
        .keys()
        .chain(after.keys())
        .filter(|key| before.get(*key) != after.get(*key))
        .filter(|key| !is_noise(key))
        .cloned()
        .collect()
}

fn is_noise(key: &OsStr) -> bool {
    let key = key.to_string_lossy();
    // The definitions include exported functions of bash.
    // Scripts may add to PATH. No other variable of the image is theirs to set.
    let is_the_images = is_reserved(&key) && key != "PATH";
    NOISE.contains(&key.as_ref())
        || is_the_images
        || key.starts_with("BASH_FUNC_")
        || key.starts_with("BASHOPTS")
}

/// Text for a message or a record.
pub(super) fn lossy(text: &OsStr) -> String {
    text.to_string_lossy().into_owned()
}
