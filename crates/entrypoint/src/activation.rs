//! Switches a process's variables from one active environment to another, or to none.
//!
//! A variable whose value is neither the plain image's nor the one from activation was set by the
//! user (`docker run -e`, a derived image's `ENV`), and is not changed.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

use crate::path_list::{Additions, DEFAULT_PATH, exchange};
use crate::record::{Change, Record};

/// The environment variables of a process or an image.
pub type Variables = BTreeMap<OsString, OsString>;

const PATH: &str = "PATH";

/// Makes `wanted` the active environment in `env`, instead of `active`; `None` is the plain image.
///
/// `plain` has the base image's values of all variables that any record changes.
pub(crate) fn switch(
    env: &mut Variables,
    plain: &Variables,
    active: Option<&Record>,
    wanted: Option<&Record>,
) {
    switch_path(env, plain, active, wanted);
    if let Some(record) = active {
        for change in variables(record) {
            let key = change.key();
            if env.get(key).map(OsString::as_os_str) == change.value() {
                match plain.get(key) {
                    Some(value) => env.insert(key.to_owned(), value.clone()),
                    None => env.remove(key),
                };
            }
        }
    }
    if let Some(record) = wanted {
        for change in variables(record) {
            let key = change.key();
            let users_own = env
                .get(key)
                .is_some_and(|value| plain.get(key) != Some(value));
            match change {
                _ if users_own => {}
                Change::Set(key, value) => {
                    env.insert(key.clone(), value.clone());
                }
                Change::Unset(key) => {
                    env.remove(key);
                }
            }
        }
    }
}

fn variables(record: &Record) -> impl Iterator<Item = &Change> {
    record.changes.iter().filter(|change| change.key() != PATH)
}

fn switch_path(
    env: &mut Variables,
    plain: &Variables,
    active: Option<&Record>,
    wanted: Option<&Record>,
) {
    let default = OsString::from(DEFAULT_PATH);
    let plain_path = plain.get(OsStr::new(PATH)).unwrap_or(&default);
    let activated = |record: Option<&Record>| {
        let path = record?.change(OsStr::new(PATH))?.value()?;
        Some(path.to_owned())
    };
    // What the plain image has stays.
    let old = activated(active).map(|path| Additions::between(plain_path, &path));
    let new = wanted.and_then(|record| {
        let path = activated(wanted)?;
        Some(Additions::of_environment(&record.prefix, plain_path, &path))
    });
    let current = env.get(OsStr::new(PATH)).unwrap_or(plain_path);
    let path = exchange(current, &old.unwrap_or_default(), &new.unwrap_or_default());
    env.insert(PATH.into(), path);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vars(pairs: &[(&str, &str)]) -> Variables {
        pairs
            .iter()
            .map(|(key, value)| (key.into(), value.into()))
            .collect()
    }

    fn record(prefix: &str, path: &str, changes: Vec<Change>) -> Record {
        let mut all = vec![
            Change::Set("PATH".into(), path.into()),
            Change::Set("CONDA_PREFIX".into(), prefix.into()),
        ];
        all.extend(changes);
        Record {
            prefix: prefix.into(),
            changes: all,
            scripts: Vec::new(),
        }
    }

    fn set(key: &str, value: &str) -> Change {
        Change::Set(key.into(), value.into())
    }

    fn base() -> Record {
        record(
            "/c",
            "/c/bin:/usr/bin:/bin",
            vec![
                set("MODE", "base"),
                set("LANG", "C.UTF-8"),
                Change::Unset("DEBUG".into()),
            ],
        )
    }

    fn plain() -> Variables {
        vars(&[("PATH", "/usr/bin:/bin"), ("MODE", "plain"), ("DEBUG", "1")])
    }

    fn activated() -> Variables {
        let mut env = plain();
        switch(&mut env, &plain(), None, Some(&base()));
        env
    }

    #[test]
    fn activation_applies_every_change() {
        let expected = vars(&[
            ("PATH", "/c/bin:/usr/bin:/bin"),
            ("CONDA_PREFIX", "/c"),
            ("MODE", "base"),
            ("LANG", "C.UTF-8"),
        ]);
        assert_eq!(activated(), expected);
    }

    #[test]
    fn deactivation_restores_the_plain_image() {
        let mut env = activated();
        switch(&mut env, &plain(), Some(&base()), None);
        assert_eq!(env, plain());
    }

    #[test]
    fn what_the_user_set_stays() {
        let mut env = activated();
        env.insert("MODE".into(), "mine".into());
        env.insert("PATH".into(), "/app:/c/bin:/usr/bin:/bin".into());
        env.insert("OTHER".into(), "x".into());
        env.insert("R_HOME".into(), "/my/r".into());
        let other = record(
            "/c/envs/r",
            "/c/envs/r/bin:/usr/bin:/bin",
            vec![set("R_HOME", "/c/envs/r/lib/R"), set("MODE", "r")],
        );
        switch(&mut env, &plain(), Some(&base()), Some(&other));
        let expected = vars(&[
            ("PATH", "/app:/c/envs/r/bin:/usr/bin:/bin"),
            ("CONDA_PREFIX", "/c/envs/r"),
            ("MODE", "mine"),
            ("DEBUG", "1"),
            ("OTHER", "x"),
            ("R_HOME", "/my/r"),
        ]);
        assert_eq!(env, expected);
    }

    #[test]
    fn a_plain_image_that_has_the_environments_directory_keeps_it() {
        let plain = vars(&[("PATH", "/usr/bin:/c/bin:/bin")]);
        let wanted = record("/c", "/c/bin:/usr/bin:/bin", Vec::new());
        let mut env = plain.clone();
        let path = |env: &Variables| env.get(OsStr::new("PATH")).cloned();
        switch(&mut env, &plain, None, Some(&wanted));
        assert_eq!(path(&env), Some("/usr/bin:/c/bin:/bin".into()));
        env.insert("PATH".into(), "/usr/bin".into());
        switch(&mut env, &plain, None, Some(&wanted));
        assert_eq!(path(&env), Some("/c/bin:/usr/bin".into()));
        let other = record("/d", "/d/bin:/usr/bin:/c/bin:/bin", Vec::new());
        switch(&mut env, &plain, Some(&wanted), Some(&other));
        assert_eq!(path(&env), Some("/d/bin:/c/bin:/usr/bin".into()));
        switch(&mut env, &plain, Some(&other), None);
        assert_eq!(path(&env), Some("/c/bin:/usr/bin".into()));
    }

    #[test]
    fn a_container_without_path_gets_the_default_one() {
        let mut env = Variables::new();
        let wanted = record("/c", &format!("/c/bin:{DEFAULT_PATH}"), Vec::new());
        switch(&mut env, &Variables::new(), None, Some(&wanted));
        assert_eq!(
            env.get(OsStr::new("PATH")),
            Some(&format!("/c/bin:{DEFAULT_PATH}").into())
        );
    }
}
