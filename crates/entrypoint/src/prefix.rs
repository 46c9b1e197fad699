//! What activating a conda environment changes, before any activation script runs.
//!
//! The rules are conda's (`conda/activate.py`) and micromamba's (`libmamba/src/core/activation.cpp`).

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

use crate::activation::Variables;
use crate::json::{self, Value};
use crate::path_list::{DEFAULT_PATH, join, split};
use crate::record::Change;
use crate::reserved::is_reserved;

/// The name that conda gives the environment at the root prefix.
pub(crate) const BASE: &str = "base";

/// What conda writes as the value of a variable that activation removes.
const UNSET: &str = "***unset***";

/// An environment, as read from its directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// Its name: `base`, the name of a directory below `envs`, or a path.
    pub name: OsString,
    /// Its directory in the image, absolute.
    pub prefix: OsString,
    /// The root prefix, `/opt/conda`.
    pub root_prefix: OsString,
    /// Whether the root prefix has a `condabin` directory, from an installed conda or mamba.
    pub condabin: bool,
    /// Variables of `etc/conda/env_vars.d`, then those of the environment file; later values win. Reserved ones have no
    /// effect.
    pub variables: Vec<(String, String)>,
}

impl Environment {
    /// The changes that activation makes to the variables `plain` of a plain image.
    ///
    /// The order is fixed: `PATH` and conda's own variables, then those of the environment, sorted.
    pub fn changes(&self, plain: &Variables) -> Vec<Change> {
        let mut changes = vec![
            set("PATH", self.path(plain)),
            set("CONDA_PREFIX", self.prefix.clone()),
            set("CONDA_DEFAULT_ENV", self.name.clone()),
            set("CONDA_SHLVL", "1".into()),
            set("MAMBA_ROOT_PREFIX", self.root_prefix.clone()),
            set("ENV_NAME", self.name.clone()),
        ];
        // Without a locale, programs treat text as ASCII. `C.UTF-8` needs no locale data.
        if !["LANG", "LC_ALL"]
            .iter()
            .any(|key| plain.contains_key(OsStr::new(key)))
        {
            changes.push(set("LANG", "C.UTF-8".into()));
        }
        for (key, value) in spellings(&self.variables) {
            let change = if value == UNSET {
                Change::Unset(key.into())
            } else {
                Change::Set(key.into(), value.into())
            };
            changes.retain(|earlier| earlier.key() != change.key());
            changes.push(change);
        }
        changes
    }

    fn path(&self, plain: &Variables) -> OsString {
        let default = OsString::from(DEFAULT_PATH);
        let plain = plain.get(OsStr::new("PATH")).unwrap_or(&default);
        let mut dirs = vec![below(&self.prefix, "bin")];
        if self.condabin {
            dirs.push(below(&self.root_prefix, "condabin"));
        }
        let rest: Vec<OsString> = split(plain)
            .into_iter()
            .filter(|dir| !dirs.contains(dir))
            .collect();
        dirs.extend(rest);
        join(&dirs)
    }

    /// Reads an environment without a record, which a derived image created. `name` is its name or
    /// its absolute directory. `None` if there is no environment there.
    pub(crate) fn find(root: &Path, root_prefix: &OsStr, name: &OsStr) -> Option<Self> {
        let (name, prefix) = if name == BASE {
            (name.to_owned(), root_prefix.to_owned())
        } else if Path::new(name).is_absolute() {
            (name.to_owned(), name.to_owned())
        } else {
            let envs = below(root_prefix, "envs");
            (
                name.to_owned(),
                Path::new(&envs).join(name).into_os_string(),
            )
        };
        let dir = in_root(root, &prefix);
        if !dir.join("conda-meta").is_dir() {
            return None;
        }
        Some(Self {
            name,
            variables: read_variables(&dir),
            condabin: in_root(root, &below(root_prefix, "condabin")).is_dir(),
            prefix,
            root_prefix: root_prefix.to_owned(),
        })
    }
}

/// A path in the image, as a path below `root`.
pub(crate) fn in_root(root: &Path, path: &OsStr) -> PathBuf {
    let path = Path::new(path);
    root.join(path.strip_prefix("/").unwrap_or(path))
}

/// The variables in a file of `etc/conda/env_vars.d`, an object of names and values. Empty if the
/// text is anything else: conda also continues, with a warning.
fn parse_env_vars(text: &str) -> Vec<(String, String)> {
    json::parse(text).map(members).unwrap_or_default()
}

/// The variables in `conda-meta/state`, which `conda env config vars set` writes.
fn parse_state(text: &str) -> Vec<(String, String)> {
    let Some(Value::Object(state)) = json::parse(text) else {
        return Vec::new();
    };
    state
        .into_iter()
        .find(|(key, _)| key == "env_vars")
        .map(|(_, vars)| members(vars))
        .unwrap_or_default()
}

/// File names of the activation scripts of the environment at `dir`, in conda's order.
pub fn activation_scripts(dir: &Path) -> Vec<OsString> {
    let mut scripts = file_names(&dir.join("etc/conda/activate.d"));
    scripts.retain(|name| Path::new(name).extension() == Some(OsStr::new("sh")));
    scripts
}

fn read_variables(dir: &Path) -> Vec<(String, String)> {
    let vars_d = dir.join("etc/conda/env_vars.d");
    let mut variables = Vec::new();
    for name in file_names(&vars_d) {
        if let Ok(text) = fs::read_to_string(vars_d.join(name)) {
            variables.extend(parse_env_vars(&text));
        }
    }
    if let Ok(text) = fs::read_to_string(dir.join("conda-meta/state")) {
        variables.extend(parse_state(&text));
    }
    variables
}

/// Sorted names of the files in a directory; none if it cannot be read.
fn file_names(dir: &Path) -> Vec<OsString> {
    let mut names: Vec<OsString> = fs::read_dir(dir)
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.path().is_file())
        .map(|entry| entry.file_name())
        .collect();
    names.sort();
    names
}

/// Each variable under its name and, unless that one exists too, under its name in capitals: conda
/// exports only the latter, but plans to stop that (conda issue 13713). Sorted by name, without reserved ones.
fn spellings(variables: &[(String, String)]) -> BTreeMap<String, String> {
    let mut out = BTreeMap::new();
    for (key, value) in variables {
        out.insert(key.to_uppercase(), value.clone());
    }
    for (key, value) in variables {
        out.insert(key.clone(), value.clone());
    }
    out.retain(|key, value| is_variable(key, value) && !is_reserved(key));
    out
}

/// Whether a process environment can contain the pair.
fn is_variable(key: &str, value: &str) -> bool {
    !key.is_empty() && !key.contains(['=', '\0']) && !value.contains('\0')
}

fn members(value: Value) -> Vec<(String, String)> {
    let Value::Object(members) = value else {
        return Vec::new();
    };
    members
        .into_iter()
        .filter_map(|(key, value)| match value {
            Value::String(text) | Value::Literal(text) => Some((key, text)),
            Value::Object(_) | Value::Array => None,
        })
        .collect()
}

fn below(dir: &OsStr, name: &str) -> OsString {
    Path::new(dir).join(name).into_os_string()
}

fn set(key: &str, value: OsString) -> Change {
    Change::Set(key.into(), value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reserved::RESERVED;

    fn base(variables: &[(&str, &str)]) -> Environment {
        Environment {
            name: BASE.into(),
            prefix: "/opt/conda".into(),
            root_prefix: "/opt/conda".into(),
            condabin: false,
            variables: variables
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect(),
        }
    }

    fn shown(changes: &[Change]) -> Vec<String> {
        changes
            .iter()
            .map(|change| match change.value() {
                Some(value) => format!("{}={}", change.key().display(), value.display()),
                None => format!("-{}", change.key().display()),
            })
            .collect()
    }

    #[test]
    fn conda_variables_come_first_and_others_are_sorted() {
        let plain = Variables::from([("PATH".into(), "/usr/bin:/bin".into())]);
        let changes = base(&[("Z", "1"), ("A", "2"), ("Z", "3"), ("OLD", UNSET)]).changes(&plain);
        let expected = [
            "PATH=/opt/conda/bin:/usr/bin:/bin",
            "CONDA_PREFIX=/opt/conda",
            "CONDA_DEFAULT_ENV=base",
            "CONDA_SHLVL=1",
            "MAMBA_ROOT_PREFIX=/opt/conda",
            "ENV_NAME=base",
            "LANG=C.UTF-8",
            "A=2",
            "-OLD",
            "Z=3",
        ];
        assert_eq!(shown(&changes), expected);
    }

    #[test]
    fn the_image_keeps_its_locale_and_the_environment_may_set_one() {
        let plain = Variables::from([("LANG".into(), "de_DE.UTF-8".into())]);
        let changes = base(&[]).changes(&plain);
        assert!(changes.iter().all(|change| change.key() != "LANG"));
        let changes = base(&[("LANG", "en_US.UTF-8")]).changes(&Variables::new());
        assert_eq!(
            shown(&changes).last().map(String::as_str),
            Some("LANG=en_US.UTF-8")
        );
    }

    #[test]
    fn condabin_follows_the_environment() {
        let environment = Environment {
            condabin: true,
            name: "r".into(),
            prefix: "/opt/conda/envs/r".into(),
            ..base(&[])
        };
        let plain = Variables::from([("PATH".into(), "/bin:/opt/conda/condabin".into())]);
        assert_eq!(
            shown(&environment.changes(&plain))[0],
            "PATH=/opt/conda/envs/r/bin:/opt/conda/condabin:/bin"
        );
    }

    #[test]
    fn variables_keep_their_case_and_are_also_in_capitals() {
        let changes =
            base(&[("http_proxy", "p"), ("Two", "2"), ("TWO", "1")]).changes(&Variables::new());
        let shown = shown(&changes);
        assert_eq!(
            shown[7..],
            ["HTTP_PROXY=p", "TWO=1", "Two=2", "http_proxy=p"]
        );
    }

    #[test]
    fn the_images_own_variables_cannot_be_set() {
        let variables = RESERVED.iter().map(|name| (*name, "x"));
        let others = [
            ("path", "/x"),
            ("Path", "/y"),
            ("env_name", "z"),
            ("USER", "me"),
        ];
        let variables: Vec<(&str, &str)> = variables.chain(others).collect();
        let plain = Variables::from([("PATH".into(), "/bin".into())]);
        let changes = shown(&base(&variables).changes(&plain));
        let mut expected = shown(&base(&[]).changes(&plain));
        expected.extend(["Path=/y", "USER=me", "env_name=z", "path=/x"].map(str::to_owned));
        assert_eq!(changes, expected);
        let unset: Vec<(&str, &str)> = RESERVED.iter().map(|name| (*name, UNSET)).collect();
        let changes = shown(&base(&unset).changes(&plain));
        assert!(changes.iter().all(|change| !change.starts_with('-')));
    }

    #[test]
    fn impossible_names_are_left_out() {
        let changes = base(&[("", "x"), ("A=B", "x"), ("C", "a\0b")]).changes(&Variables::new());
        assert_eq!(changes.len(), 7);
    }

    #[test]
    fn condas_files_are_read() {
        assert_eq!(
            parse_env_vars(r#"{"A": "x", "N": 1, "L": []}"#),
            [
                ("A".to_owned(), "x".to_owned()),
                ("N".to_owned(), "1".to_owned())
            ]
        );
        assert_eq!(
            parse_state(r#"{"version": 1, "env_vars": {"A": "x"}}"#),
            [("A".to_owned(), "x".to_owned())]
        );
        assert!(parse_env_vars("[]").is_empty());
        assert!(parse_state("nonsense").is_empty());
    }
}
