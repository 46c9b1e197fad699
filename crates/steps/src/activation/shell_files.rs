//! POSIX shell code that keeps an environment active. It works in bash, dash and busybox ash, also
//! under `set -e` and `set -u`.

use condafront_step_spec::activation::ENTRYPOINT;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use condafront_entrypoint::activation::Variables;
use condafront_entrypoint::path_list::{Additions, DEFAULT_PATH};
use condafront_entrypoint::record::{Change, Record, ScriptUse};
use condafront_entrypoint::shell::quote;
use condafront_entrypoint::store::{DIR, ENVS_DIR};

use super::image::Activation;

/// In [`DIR`], the script that shells source; in an environment's directory, the part for that environment.
pub(super) const ACTIVATE_FILE: &str = "activate.sh";
/// In an environment's directory: the script that restores the plain image.
pub(super) const DEACTIVATE_FILE: &str = "deactivate.sh";

/// The script that shells source; it finds out which environment is active and which should be.
///
/// It does not touch an environment that a user activated on top with conda or micromamba
/// (`CONDA_SHLVL` above 1).
pub(super) fn dispatcher(default: &str) -> Vec<u8> {
    let default = quote(OsStr::new(default)).to_string_lossy().into_owned();
    format!(
        r#"# Keeps the conda environment active in shells: login shells reset PATH, ENV_NAME may ask
# for another environment and MAMBA_SKIP_ACTIVATE=1 for none. Source this file.
case ${{CONDA_SHLVL:-0}} in
0 | 1)
    if [ "${{CONDA_SHLVL-}}" = 0 ]; then unset CONDA_SHLVL; fi
    __condafront_want=${{ENV_NAME:-{default}}}
    if [ "${{MAMBA_SKIP_ACTIVATE-}}" = 1 ]; then __condafront_want=; fi
    __condafront_have=${{CONDA_DEFAULT_ENV-}}
    if [ -n "$__condafront_want" ] && ! [ -r "{DIR}/{ENVS_DIR}/$__condafront_want/{ACTIVATE_FILE}" ]; then
        # An environment without a record, created in a derived image.
        case :${{PATH-}}: in
        *":${{CONDA_PREFIX-}}/bin:"*) __condafront_path=ok ;;
        *) __condafront_path= ;;
        esac
        if [ "$__condafront_have" = "$__condafront_want" ] && [ -n "$__condafront_path" ]; then
            __condafront_new=
        elif ! __condafront_new=$({ENTRYPOINT} /bin/sh -c 'export -p'); then
            __condafront_new=
            __condafront_want=$__condafront_have
        fi
    fi
    if [ -n "$__condafront_have" ] && [ "$__condafront_have" != "$__condafront_want" ] &&
        [ -r "{DIR}/{ENVS_DIR}/$__condafront_have/{DEACTIVATE_FILE}" ]; then
        . "{DIR}/{ENVS_DIR}/$__condafront_have/{DEACTIVATE_FILE}"
    fi
    if [ -n "$__condafront_want" ]; then
        if [ -r "{DIR}/{ENVS_DIR}/$__condafront_want/{ACTIVATE_FILE}" ]; then
            . "{DIR}/{ENVS_DIR}/$__condafront_want/{ACTIVATE_FILE}"
        elif [ -n "${{__condafront_new-}}" ]; then
            eval "$__condafront_new"
        fi
        case $- in
        *i*)
            case ${{PS1-}} in
            '' | "($__condafront_want) "*) ;;
            *)
                PS1="($__condafront_want) $PS1"
                export CONDA_PROMPT_MODIFIER="($__condafront_want) "
                ;;
            esac
            ;;
        esac
    fi
    unset __condafront_want __condafront_have __condafront_path __condafront_new
    ;;
esac
if [ "${{MAMBA_SKIP_ACTIVATE-}}" != 1 ]; then
    case $- in
    *i*)
        # If conda, mamba or micromamba is installed, define its shell function, which can activate.
        for __condafront_tool in conda mamba; do
            if [ -r "${{MAMBA_ROOT_PREFIX-}}/etc/profile.d/$__condafront_tool.sh" ]; then
                . "${{MAMBA_ROOT_PREFIX-}}/etc/profile.d/$__condafront_tool.sh"
            fi
        done
        if command -v micromamba >/dev/null 2>&1; then
            if [ -n "${{BASH_VERSION-}}" ]; then __condafront_tool=bash; else __condafront_tool=posix; fi
            eval "$(micromamba shell hook --shell $__condafront_tool 2>/dev/null)"
        fi
        unset __condafront_tool
        ;;
    esac
fi
"#
    )
    .into_bytes()
}

/// Makes one environment's changes, except to variables that the user set.
pub(super) fn activate_script(activation: &Activation) -> Vec<u8> {
    let mut script = Text::default();
    let plain = plain_path(&activation.plain);
    let additions = activated_path(&activation.record)
        .map(|path| Additions::of_environment(&activation.record.prefix, &plain, path))
        .unwrap_or_default();
    for dir in additions.head.iter().rev() {
        let dir = quote(dir);
        script.line(&[
            OsStr::new("case :${PATH-}: in *:"),
            &dir,
            OsStr::new(":*) ;; *) PATH="),
            &dir,
            OsStr::new("${PATH:+:$PATH} ;; esac"),
        ]);
    }
    for dir in &additions.tail {
        let dir = quote(dir);
        script.line(&[
            OsStr::new("case :${PATH-}: in *:"),
            &dir,
            OsStr::new(":*) ;; *) PATH=${PATH:+$PATH:}"),
            &dir,
            OsStr::new(" ;; esac"),
        ]);
    }
    script.line(&[OsStr::new("export PATH")]);
    for change in shell_variables(&activation.record) {
        let plain = activation.plain.get(change.key());
        match change {
            Change::Set(key, value) => {
                let condition = match plain {
                    Some(plain) => either(&is_unset(key), &is(key, plain)),
                    None => is_unset(key),
                };
                script.when(&condition, &export(key, value));
            }
            Change::Unset(key) => {
                if let Some(plain) = plain {
                    script.when(&is(key, plain), &unset(key));
                }
            }
        }
    }
    script.source_packages_scripts(activation);
    script.0
}

/// Reverts one environment's changes to variables that still have the recorded values.
pub(super) fn deactivate_script(activation: &Activation) -> Vec<u8> {
    let mut script = Text::default();
    // What the plain image has stays.
    let plain = plain_path(&activation.plain);
    let additions = activated_path(&activation.record)
        .map(|path| Additions::between(&plain, path))
        .unwrap_or_default();
    script.line(&[OsStr::new("__condafront_path=:${PATH-}:")]);
    for dir in additions.head.iter().chain(&additions.tail) {
        let dir = quote(dir);
        script.line(&[
            OsStr::new("while case $__condafront_path in *:"),
            &dir,
            OsStr::new(":*) ;; *) false ;; esac; do __condafront_path=${__condafront_path%%:"),
            &dir,
            OsStr::new(":*}:${__condafront_path#*:"),
            &dir,
            OsStr::new(":}; done"),
        ]);
    }
    script.line(&[OsStr::new("__condafront_path=${__condafront_path#:}")]);
    script.line(&[OsStr::new("PATH=${__condafront_path%:}")]);
    for change in shell_variables(&activation.record) {
        let restore = |key: &OsStr| match activation.plain.get(key) {
            Some(plain) => export(key, plain),
            None => unset(key),
        };
        match change {
            Change::Set(key, value) => script.when(&is(key, value), &restore(key)),
            Change::Unset(key) => script.when(&is_unset(key), &restore(key)),
        }
    }
    script.0
}

/// Text made of pieces that may not be UTF-8.
#[derive(Default)]
struct Text(Vec<u8>);

impl Text {
    fn line(&mut self, pieces: &[&OsStr]) {
        for piece in pieces {
            self.0.extend_from_slice(piece.as_bytes());
        }
        self.0.push(b'\n');
    }

    fn when(&mut self, condition: &OsStr, command: &OsStr) {
        self.line(&[
            OsStr::new("if "),
            condition,
            OsStr::new("; then "),
            command,
            OsStr::new("; fi"),
        ]);
    }

    /// Sources, once per shell, the activation scripts that variables cannot replace, and those
    /// installed after the record was made.
    fn source_packages_scripts(&mut self, activation: &Activation) {
        let name = quote(OsStr::new(&activation.name));
        let mut dir = activation.record.prefix.clone();
        dir.push("/etc/conda/activate.d/");
        self.line(&[
            OsStr::new("if [ \"${__condafront_sourced-}\" != "),
            &name,
            OsStr::new(" ]; then"),
        ]);
        self.line(&[OsStr::new("__condafront_sourced="), &name]);
        self.line(&[
            OsStr::new("for __condafront_script in "),
            &quote(&dir),
            OsStr::new("*.sh; do"),
        ]);
        self.line(&[OsStr::new("case ${__condafront_script##*/} in")]);
        for script in &activation.record.scripts {
            let action = match script.used {
                ScriptUse::Recorded => " ) continue ;;",
                ScriptUse::Shells => " ) case $- in *i*) ;; *) continue ;; esac ;;",
                ScriptUse::Start => continue,
            };
            self.line(&[&quote(&script.file), OsStr::new(action)]);
        }
        self.line(&[OsStr::new("esac")]);
        self.line(&[OsStr::new(
            "if [ -r \"$__condafront_script\" ]; then . \"$__condafront_script\"; fi",
        )]);
        self.line(&[OsStr::new("done")]);
        self.line(&[OsStr::new("unset __condafront_script")]);
        self.line(&[OsStr::new("fi")]);
    }
}

fn plain_path(plain: &Variables) -> OsString {
    let path = plain.get(OsStr::new("PATH")).cloned();
    path.unwrap_or_else(|| DEFAULT_PATH.into())
}

fn activated_path(record: &Record) -> Option<&OsStr> {
    record.change(OsStr::new("PATH"))?.value()
}

/// The changes that shells can make: `PATH` is handled separately, and a shell cannot name variables
/// such as `a.b`.
fn shell_variables(record: &Record) -> impl Iterator<Item = &Change> {
    record
        .changes
        .iter()
        .filter(|change| change.key() != "PATH" && is_shell_name(change.key()))
}

fn is_shell_name(name: &OsStr) -> bool {
    let bytes = name.as_bytes();
    bytes.first().is_some_and(|byte| !byte.is_ascii_digit())
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
}

fn is(key: &OsStr, value: &OsStr) -> OsString {
    let mut marked = OsString::from("x");
    marked.push(value);
    words(&[
        OsStr::new("[ \"${"),
        key,
        OsStr::new("+x}${"),
        key,
        OsStr::new("-}\" = "),
        &quote(&marked),
        OsStr::new(" ]"),
    ])
}

fn is_unset(key: &OsStr) -> OsString {
    words(&[OsStr::new("[ -z \"${"), key, OsStr::new("+x}\" ]")])
}

fn either(one: &OsStr, other: &OsStr) -> OsString {
    words(&[one, OsStr::new(" || "), other])
}

fn export(key: &OsStr, value: &OsStr) -> OsString {
    words(&[OsStr::new("export "), key, OsStr::new("="), &quote(value)])
}

fn unset(key: &OsStr) -> OsString {
    words(&[OsStr::new("unset "), key])
}

fn words(pieces: &[&OsStr]) -> OsString {
    let bytes: Vec<u8> = pieces
        .iter()
        .flat_map(|piece| piece.as_bytes())
        .copied()
        .collect();
    OsString::from_vec(bytes)
}
