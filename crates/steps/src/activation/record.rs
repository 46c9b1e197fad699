//! The step `condafront record-activation`: runs packages' activation scripts once, in the
//! finished image, and records what they change.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use condafront_entrypoint::prefix::activation_scripts;
use condafront_entrypoint::shell::{find_shell, quote};
use condafront_entrypoint::store::{decode_variables, encode_variables};
use thiserror::Error;

use super::snapshot::{Snapshot, compare, lossy};
use crate::child::{self, ChildError, Ended};
use crate::install::error::Cause;
use condafront_model::stamp::Owner;
use condafront_step_spec::activation::{RecordSpec, Recorded};
use condafront_step_spec::timeout::Timeout;

/// The longest output of a script to keep, in bytes.
const MAX_LOG: usize = 16 * 1024;

/// Why activation could not be recorded.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RecordError {
    /// There are scripts, but no shell to run them.
    #[error(
        "the environment has activation scripts ({}), but the image has no shell to run them; \
         use a base image with one, or add the package bash to the environment",
        .0.join(", ")
    )]
    NoShell(Vec<String>),
    /// The shell cannot parse a script.
    #[error("the activation script {script} is not valid for {shell}:\n{output}{}", needs_bash(.shell))]
    Syntax {
        /// The script's file name.
        script: String,
        /// The shell, as a path in the image.
        shell: String,
        /// What the shell printed.
        output: String,
    },
    /// A script ended the shell that sourced it.
    #[error("the activation script {script} ended the shell ({status}); it printed:\n{output}")]
    Ended {
        /// The script's file name.
        script: String,
        /// How the shell ended.
        status: String,
        /// What the script printed.
        output: String,
    },
    /// A script does not come to an end.
    #[error("the activation script {script} did not end within {limit}")]
    Endless {
        /// The script's file name.
        script: String,
        /// How long it was given.
        limit: Timeout,
    },
    /// The shell failed before the first script.
    #[error("cannot run {shell} to source activation scripts ({status}):\n{output}")]
    Shell {
        /// The shell, as a path in the image.
        shell: String,
        /// How the shell ended.
        status: String,
        /// What it printed.
        output: String,
    },
    /// The shell could not be started, or not be followed to its end.
    #[error("{shell} {source}")]
    Child {
        /// The shell, as a path in the image.
        shell: String,
        /// What went wrong.
        source: Cause,
    },
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: String,
        /// The cause.
        source: io::Error,
    },
}

fn needs_bash(shell: &str) -> &'static str {
    if is_bash(OsStr::new(shell)) {
        ""
    } else {
        "\nIf the script is written for bash, add the package bash to the environment, or use a \
         base image that has it."
    }
}

/// Sources the scripts of `spec`'s environment twice, as different users, and compares the results.
///
/// `driver` is this program, which the shell calls as `driver dump-env FILE`. `work` is created as a
/// directory for temporary files.
///
/// # Errors
/// No shell, a script that cannot be parsed or that ends the shell, or a failing file operation. A
/// failing command in a script is not an error, as in conda.
pub fn record(spec: &RecordSpec, driver: &Path, work: &Path) -> Result<Recorded, RecordError> {
    let scripts = activation_scripts(Path::new(&spec.prefix));
    if scripts.is_empty() {
        return Ok(Recorded::default());
    }
    let names = || scripts.iter().map(|name| lossy(name)).collect();
    let path = spec.env.iter().find(|(key, _)| key == "PATH");
    let path = path.map(|(_, value)| OsStr::new(value)).unwrap_or_default();
    let shell = find_shell(Path::new("/"), path).ok_or_else(|| RecordError::NoShell(names()))?;
    let session = Session {
        spec,
        scripts: &scripts,
        shell: &shell,
        driver,
    };
    for script in &scripts {
        session.check_syntax(script)?;
    }
    // Values that differ between two users, homes and directories depend on the run.
    let first = session.run(&work.join("a"), spec.uid, spec.gid)?;
    let second = session.run(&work.join("b"), spec.uid ^ 1, spec.gid ^ 1)?;
    Ok(compare(&scripts, &first, &second))
}

/// Writes the environment of this process to `file`, as `NAME=VALUE` entries that end in NUL.
/// This is the step `condafront dump-env`: not every image has an `env` that can do it.
///
/// # Errors
/// The file cannot be written.
pub(crate) fn dump_environment(file: &Path) -> io::Result<()> {
    fs::write(file, encode_variables(&std::env::vars_os().collect()))
}

struct Session<'a> {
    spec: &'a RecordSpec,
    scripts: &'a [OsString],
    shell: &'a OsStr,
    driver: &'a Path,
}

impl Session<'_> {
    fn script_path(&self, script: &OsStr) -> PathBuf {
        Path::new(&self.spec.prefix)
            .join("etc/conda/activate.d")
            .join(script)
    }

    fn check_syntax(&self, script: &OsStr) -> Result<(), RecordError> {
        let mut command = Command::new(self.shell);
        command.arg("-n").arg(self.script_path(script));
        let user = Owner {
            uid: self.spec.uid,
            gid: self.spec.gid,
        };
        let output = match run_quietly(command, user, self.shell)? {
            Ok(output) => output,
            Err(limit) => return Err(endless(script, limit)),
        };
        if output.status.success() {
            return Ok(());
        }
        Err(RecordError::Syntax {
            script: lossy(script),
            shell: lossy(self.shell),
            output: output.output,
        })
    }

    /// Sources all scripts in one shell, in order, as conda does. Returns the state before the
    /// first one and after each.
    fn run(&self, dir: &Path, uid: u32, gid: u32) -> Result<Vec<Snapshot>, RecordError> {
        let io = |source| RecordError::Io {
            path: dir.display().to_string(),
            source,
        };
        fs::create_dir_all(dir).map_err(io)?;
        let mut command = Command::new(self.shell);
        if is_bash(self.shell) {
            command.args(["--noprofile", "--norc"]);
        }
        command
            .arg("-c")
            .arg(self.program(dir))
            .current_dir(dir)
            .env_clear()
            .envs(self.spec.env.iter().map(|(key, value)| (key, value)))
            .env("HOME", dir)
            .env("USER", format!("user{uid}"))
            .env("LOGNAME", format!("user{uid}"))
            .env("HOSTNAME", format!("host{uid}"));
        let user = Owner { uid, gid };
        if child::is_root() {
            chown(dir, Some(uid), Some(gid)).map_err(io)?;
            fs::set_permissions(dir, fs::Permissions::from_mode(0o755)).map_err(io)?;
        }
        match run_quietly(command, user, self.shell)? {
            Ok(ended) => self.read_snapshots(dir, &ended),
            Err(limit) => {
                let is_over = |index: &usize| Files::new(dir, *index).env.exists();
                let over = (0..self.scripts.len()).take_while(is_over).count();
                Err(endless(&self.scripts[over.saturating_sub(1)], limit))
            }
        }
    }

    /// The shell program: plain lines without variables or functions that a script could overwrite.
    fn program(&self, dir: &Path) -> OsString {
        let mut program = OsString::new();
        let mut line = |pieces: &[&OsStr]| {
            for piece in pieces {
                program.push(piece);
            }
            program.push("\n");
        };
        let definitions = if is_bash(self.shell) {
            "{ alias || :; declare -f || :; complete -p || :; } >"
        } else {
            "{ alias || :; } >"
        };
        for index in 0..=self.scripts.len() {
            let files = Files::new(dir, index);
            if let Some(script) = index.checked_sub(1).map(|before| &self.scripts[before]) {
                line(&[
                    OsStr::new(". "),
                    &quote(self.script_path(script).as_os_str()),
                    OsStr::new(" >"),
                    &quote(files.log.as_os_str()),
                    OsStr::new(" 2>&1 </dev/null"),
                ]);
            }
            line(&[
                OsStr::new(definitions),
                &quote(files.definitions.as_os_str()),
                OsStr::new(" 2>/dev/null"),
            ]);
            line(&[
                &quote(self.driver.as_os_str()),
                OsStr::new(" dump-env "),
                &quote(files.env.as_os_str()),
                OsStr::new(" </dev/null"),
            ]);
        }
        program
    }

    fn read_snapshots(&self, dir: &Path, output: &Ended) -> Result<Vec<Snapshot>, RecordError> {
        let mut snapshots = Vec::with_capacity(self.scripts.len() + 1);
        for index in 0..=self.scripts.len() {
            let files = Files::new(dir, index);
            let log = fs::read(&files.log).unwrap_or_default();
            let Ok(env) = fs::read(&files.env) else {
                return Err(match index.checked_sub(1) {
                    None => RecordError::Shell {
                        shell: lossy(self.shell),
                        status: output.status.to_string(),
                        output: output.output.clone(),
                    },
                    Some(before) => RecordError::Ended {
                        script: lossy(&self.scripts[before]),
                        status: output.status.to_string(),
                        output: shorten(&log) + &output.output,
                    },
                });
            };
            snapshots.push(Snapshot {
                env: decode_variables(&env),
                definitions: fs::read(&files.definitions).unwrap_or_default(),
                log: shorten(&log),
            });
        }
        Ok(snapshots)
    }
}

/// Where the state after script `index` is written; 0 is the state before the first one.
struct Files {
    env: PathBuf,
    definitions: PathBuf,
    log: PathBuf,
}

impl Files {
    fn new(dir: &Path, index: usize) -> Self {
        let file = |kind: &str| dir.join(format!("{index}.{kind}"));
        Self {
            env: file("env"),
            definitions: file("definitions"),
            log: file("log"),
        }
    }
}

/// Runs `command` as `user`; its own output is short. Inside, the time that it was given if it did not end.
fn run_quietly(
    mut command: Command,
    user: Owner,
    program: &OsStr,
) -> Result<Result<Ended, Timeout>, RecordError> {
    command.stdin(Stdio::null());
    let what = "the shell that sources activation scripts";
    match child::run_as(user, what, command, &mut io::stderr(), MAX_LOG) {
        Ok(ended) => Ok(Ok(ended)),
        Err(ChildError::Silent(limit)) => Ok(Err(limit)),
        Err(error) => Err(RecordError::Child {
            shell: lossy(program),
            source: error.into(),
        }),
    }
}

fn endless(script: &OsStr, limit: Timeout) -> RecordError {
    RecordError::Endless {
        script: lossy(script),
        limit,
    }
}

fn shorten(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(MAX_LOG)]).into_owned()
}

fn is_bash(shell: &OsStr) -> bool {
    Path::new(shell).file_name() == Some(OsStr::new("bash"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_that_cannot_be_run_is_no_file_that_cannot_be_read() {
        let shell = OsStr::new("/missing/bash");
        let user = Owner::ROOT;
        let error = run_quietly(Command::new(shell), user, shell).unwrap_err();
        assert_eq!(
            error.to_string(),
            "/missing/bash cannot be run: No such file or directory (os error 2)"
        );
    }
}
