//! The runtime files, sourced by every POSIX shell on this machine.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use condafront_step_spec::activation::Recorded;
use condafront_steps::activation::{Activation, Environment, activate, runtime_files};
use proptest::prelude::*;
use tempfile::TempDir;

const SHARE: &str = "/usr/local/share/condafront";
const BASE_ENV: &[(&str, &str)] = &[("PATH", "/usr/bin:/bin"), ("MODE", "plain"), ("DEBUG", "1")];

type Vars = BTreeMap<String, String>;

/// The installed shells, as argument lists.
fn shells() -> Vec<Vec<&'static str>> {
    let all: [&[&str]; 3] = [
        &["/bin/bash", "--noprofile", "--norc"],
        &["/bin/dash"],
        &["/bin/busybox", "ash"],
    ];
    let found: Vec<_> = all
        .iter()
        .filter(|shell| Path::new(shell[0]).exists())
        .map(|shell| shell.to_vec())
        .collect();
    assert!(!found.is_empty(), "no shell to test with");
    found
}

struct Image {
    dir: TempDir,
    default: Activation,
}

impl Image {
    /// Two environments: `base`, with the given variables, and `r`.
    fn new(variables: &[(String, String)], recorded: Option<&Recorded>) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let prefix = dir.path().join("opt").to_string_lossy().into_owned();
        let base_env: Vec<_> = owned(BASE_ENV);
        let base = Environment {
            name: "base",
            prefix: &prefix,
            root_prefix: &prefix,
            condabin: false,
            env_vars_d: &[],
            variables,
            recorded,
            late: &[],
        };
        let r_prefix = format!("{prefix}/envs/r");
        let r_variables = owned(&[("R_HOME", "/r"), ("MODE", "r")]);
        let r = Environment {
            name: "r",
            prefix: &r_prefix,
            variables: &r_variables,
            recorded: None,
            late: &[],
            ..base
        };
        let activations = [activate(&base_env, &base), activate(&base_env, &r)];
        let image = Self {
            dir,
            default: activations[0].clone(),
        };
        for file in runtime_files("base", &activations) {
            let path = image.dir.path().join(file.path.trim_start_matches('/'));
            fs::create_dir_all(path.parent().expect("a parent")).expect("mkdir");
            // Shell files name the directory, which is elsewhere here.
            let share = image.share().to_string_lossy().into_owned();
            let contents = match String::from_utf8(file.contents) {
                Ok(text) if file.path.ends_with(".sh") => text.replace(SHARE, &share).into_bytes(),
                Ok(text) => text.into_bytes(),
                Err(error) => error.into_bytes(),
            };
            fs::write(path, contents).expect("write");
        }
        image
    }

    fn share(&self) -> PathBuf {
        self.dir.path().join(SHARE.trim_start_matches('/'))
    }

    fn prefix(&self) -> String {
        self.dir.path().join("opt").to_string_lossy().into_owned()
    }

    /// The variables of a container of this image.
    fn env(&self) -> Vars {
        self.default.env.iter().cloned().collect()
    }

    /// Sources the hook `times` times in a shell that starts with `env`; returns the variables
    /// afterwards, and the output.
    fn source(&self, shell: &[&str], env: &Vars, options: &str, times: usize) -> (Vars, String) {
        let hook = self.dir.path().join("etc/profile.d/condafront.sh");
        let dump = self.dir.path().join("dump");
        let source = format!(". '{}'\n", hook.display()).repeat(times);
        let script = format!("{options}\n{source}/usr/bin/env -0 >'{}'", dump.display());
        let output = Command::new(shell[0])
            .args(&shell[1..])
            .arg("-c")
            .arg(script)
            .env_clear()
            .envs(env)
            .output()
            .expect("the shell starts");
        assert!(output.status.success(), "{shell:?}: {output:?}");
        let printed = [output.stdout, output.stderr].concat();
        let dump = fs::read(dump).expect("a dump");
        (vars(&dump), String::from_utf8_lossy(&printed).into_owned())
    }
}

fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

fn vars(dump: &[u8]) -> Vars {
    String::from_utf8_lossy(dump)
        .split('\0')
        .filter_map(|entry| entry.split_once('='))
        .filter(|(key, _)| !["_", "PWD", "OLDPWD", "SHLVL"].contains(key))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

fn with(mut env: Vars, changes: &[(&str, &str)]) -> Vars {
    env.extend(owned(changes));
    env
}

fn image() -> Image {
    let recorded = Recorded {
        unset: vec!["DEBUG".to_owned()],
        ..Recorded::default()
    };
    Image::new(
        &owned(&[("MODE", "base"), ("TEXT", "it's\n`$(x)` \"${y}\"\\")]),
        Some(&recorded),
    )
}

#[test]
fn an_active_container_is_left_as_it_is() {
    let image = image();
    for shell in shells() {
        let (after, printed) = image.source(&shell, &image.env(), "set -eu", 2);
        assert_eq!(after, image.env(), "{shell:?}");
        assert_eq!(printed, "");
    }
}

#[test]
fn a_login_shell_that_reset_path_is_active_again() {
    let image = image();
    for shell in shells() {
        let reset = with(
            image.env(),
            &[("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/games")],
        );
        let (after, _) = image.source(&shell, &reset, "set -eu", 2);
        let path = format!(
            "{}/bin:/usr/local/bin:/usr/bin:/bin:/usr/games",
            image.prefix()
        );
        assert_eq!(after, with(image.env(), &[("PATH", &path)]), "{shell:?}");
        // `su -` clears everything.
        let (after, _) = image.source(
            &shell,
            &with(Vars::new(), &[("PATH", "/usr/bin:/bin")]),
            "",
            1,
        );
        assert_eq!(after, image.env(), "{shell:?}");
    }
}

#[test]
fn what_the_user_set_stays() {
    let image = image();
    for shell in shells() {
        let mine = with(image.env(), &[("TEXT", "mine"), ("PATH", "/usr/bin:/bin")]);
        let (after, _) = image.source(&shell, &mine, "", 1);
        assert_eq!(after, with(image.env(), &[("TEXT", "mine")]), "{shell:?}");
    }
}

#[test]
fn skipping_gives_the_plain_image() {
    let image = image();
    for shell in shells() {
        let env = with(image.env(), &[("MAMBA_SKIP_ACTIVATE", "1"), ("OTHER", "x")]);
        let (after, _) = image.source(&shell, &env, "set -eu", 2);
        let plain = owned(BASE_ENV).into_iter().collect();
        let plain = with(plain, &[("MAMBA_SKIP_ACTIVATE", "1"), ("OTHER", "x")]);
        assert_eq!(after, plain, "{shell:?}");
    }
}

#[test]
fn another_environment_replaces_the_first() {
    let image = image();
    for shell in shells() {
        let env = with(image.env(), &[("ENV_NAME", "r")]);
        let (after, _) = image.source(&shell, &env, "set -eu", 2);
        let r = format!("{}/envs/r", image.prefix());
        assert_eq!(after["PATH"], format!("{r}/bin:/usr/bin:/bin"));
        assert_eq!(after["CONDA_PREFIX"], r);
        assert_eq!(after["CONDA_DEFAULT_ENV"], "r");
        assert_eq!(after["R_HOME"], "/r");
        assert_eq!(after["MODE"], "r");
        assert_eq!(after["DEBUG"], "1");
        assert!(!after.contains_key("TEXT"), "{shell:?}");
    }
}

#[test]
fn an_environment_activated_on_top_is_left_alone() {
    let image = image();
    for shell in shells() {
        let env = with(
            image.env(),
            &[
                ("CONDA_SHLVL", "2"),
                ("CONDA_DEFAULT_ENV", "x"),
                ("PATH", "/bin"),
            ],
        );
        let (after, _) = image.source(&shell, &env, "", 1);
        assert_eq!(after, env, "{shell:?}");
    }
}

#[test]
fn scripts_that_variables_cannot_replace_are_sourced_once() {
    let name = str::to_owned;
    let recorded = Recorded {
        scripts: vec![name("a.sh"), name("b c.sh"), name("shell.sh")],
        dynamic: vec![name("b c.sh")],
        shell_only: vec![name("shell.sh")],
        ..Recorded::default()
    };
    let image = Image::new(&[], Some(&recorded));
    let dir = Path::new(&image.prefix()).join("etc/conda/activate.d");
    fs::create_dir_all(&dir).expect("mkdir");
    for script in ["a.sh", "b c.sh", "new.sh", "shell.sh", "other.fish"] {
        let text = format!("echo '{script}'\n");
        fs::write(dir.join(script), text).expect("write");
    }
    for shell in shells() {
        let (_, printed) = image.source(&shell, &image.env(), "", 3);
        assert_eq!(printed, "b c.sh\nnew.sh\n", "{shell:?}");
    }
    let interactive = ["/bin/bash", "--noprofile", "--norc", "-i"];
    let (after, printed) = image.source(&interactive, &image.env(), "PS1='$ '", 3);
    let scripts: Vec<&str> = printed
        .lines()
        .filter(|line| line.ends_with(".sh"))
        .collect();
    assert_eq!(scripts, ["b c.sh", "new.sh", "shell.sh"], "{printed}");
    assert_eq!(after["CONDA_PROMPT_MODIFIER"], "(base) ");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Any value that an environment can hold is restored unchanged in a shell that has lost it, and
    /// is removed again.
    #[test]
    fn any_value_survives_the_shell(value in "[^\0]{0,40}", tail in "['\"`$\\\\\n\t !*?{}()\\[\\]~#;&|<>%-]{0,12}") {
        let value = value + &tail;
        let image = Image::new(&[("VALUE".to_owned(), value.clone())], None);
        for shell in shells() {
            let lost = with(Vars::new(), &[("PATH", "/usr/bin:/bin")]);
            let (after, printed) = image.source(&shell, &lost, "set -eu", 1);
            prop_assert_eq!(&printed, "");
            prop_assert_eq!(after.get("VALUE"), Some(&value));
            let skip = with(after, &[("MAMBA_SKIP_ACTIVATE", "1")]);
            let (after, _) = image.source(&shell, &skip, "set -eu", 1);
            prop_assert_eq!(after.get("VALUE"), None);
        }
    }
}
