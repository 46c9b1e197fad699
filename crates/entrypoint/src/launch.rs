//! What the entrypoint does: it prepares the environment and the command, and executes the command.

use std::error::Error;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use crate::activation::{Variables, switch};
use crate::authorities::{self, AuthoritiesError};
use crate::home::{self, Identity};
use crate::prefix::{BASE, Environment, activation_scripts, in_root};
use crate::record::{Record, ScriptUse};
use crate::reserved::{ENV_NAME, SKIP};
use crate::shell::{behind_scripts, find_in_path, find_shell};
use crate::store::Store;

/// The root prefix if neither the variables nor a record name it.
const ROOT_PREFIX: &str = "/opt/conda";

/// A command that is ready to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Launch {
    /// The program and its arguments.
    pub command: Vec<OsString>,
    /// All its environment variables.
    pub env: Variables,
    /// Warnings for the user, one line each.
    pub warnings: Vec<String>,
}

/// Why the user's command does not run.
#[derive(Debug)]
pub enum Problem {
    /// `ENV_NAME` does not name an environment of the image.
    UnknownEnvironment {
        /// The value of `ENV_NAME`.
        name: OsString,
        /// The image's environments.
        known: Vec<OsString>,
    },
    /// The record of an environment cannot be read.
    DamagedRecord(OsString),
    /// The authorities that the build trusts cannot be used.
    Authorities(AuthoritiesError),
    /// No command is given, and the image has no shell.
    NoCommand,
    /// No such program.
    NotFound(OsString),
    /// The program exists, but the interpreter or loader that it names does not.
    NoInterpreter(OsString),
    /// The program exists, but cannot be executed.
    NotExecutable(OsString, io::Error),
}

impl Problem {
    /// The exit status, as in shells: 127 for a missing program, 126 for one that cannot be executed,
    /// [`authorities::EXIT_CODE`] for authorities, 1 for the rest.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::UnknownEnvironment { .. } | Self::DamagedRecord(_) => 1,
            Self::Authorities(_) => authorities::EXIT_CODE,
            Self::NotExecutable(..) => 126,
            Self::NoCommand | Self::NotFound(_) | Self::NoInterpreter(_) => 127,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownEnvironment { name, known } => {
                write!(f, "ENV_NAME={}: no such environment", name.display())?;
                if known.is_empty() {
                    return f.write_str("; this image has none");
                }
                let known = known.join(OsStr::new(", "));
                write!(f, "; this image has: {}", known.display())
            }
            Self::DamagedRecord(name) => write!(
                f,
                "the activation record of the environment {} cannot be read",
                name.display()
            ),
            Self::Authorities(error) => error.fmt(f),
            Self::NoCommand => f.write_str("no command given, and the image has no shell"),
            Self::NotFound(program) => write!(f, "{}: command not found", program.display()),
            Self::NoInterpreter(program) => write!(
                f,
                "{}: the image lacks the interpreter or dynamic loader that it needs",
                program.display()
            ),
            Self::NotExecutable(program, _) => {
                write!(f, "{}: cannot be executed", program.display())
            }
        }
    }
}

impl Error for Problem {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::NotExecutable(_, error) => Some(error),
            _ => None,
        }
    }
}

/// Prepares the command to run in the image at `root` from the user's command line and variables.
///
/// # Errors
/// An unknown environment, a damaged record, or nothing to run.
pub fn prepare(
    root: &Path,
    command: Vec<OsString>,
    env: Variables,
    identity: Option<&Identity>,
) -> Result<Launch, Problem> {
    let mut env = env;
    let useless_home = identity.and_then(|identity| home::provide(root, &mut env, identity));
    let mut warnings: Vec<String> = useless_home.into_iter().collect();
    let active = activate(root, &mut env)?;
    authorities::provide(root, &mut env).map_err(Problem::Authorities)?;
    let path = env.get(OsStr::new("PATH")).cloned().unwrap_or_default();
    let command = if command.is_empty() {
        vec![find_shell(root, &path).ok_or(Problem::NoCommand)?]
    } else {
        command
    };
    let scripts = active
        .map(|record| scripts_to_source(root, &record))
        .unwrap_or_default();
    let command = if scripts.is_empty() {
        command
    } else if let Some(shell) = find_shell(root, &path) {
        behind_scripts(shell, &scripts, command)
    } else {
        let names = scripts.join(OsStr::new(", "));
        warnings.push(format!(
            "not run, because the image has no shell: {}",
            names.display()
        ));
        command
    };
    Ok(Launch {
        command,
        env,
        warnings,
    })
}

impl Launch {
    /// Executes the command in place of this process; returns only if that fails.
    pub fn exec(&self) -> Problem {
        let Some((program, args)) = self.command.split_first() else {
            return Problem::NoCommand;
        };
        let error = Command::new(program)
            .args(args)
            .env_clear()
            .envs(&self.env)
            .exec();
        self.explain(program, error)
    }

    fn explain(&self, program: &OsStr, error: io::Error) -> Problem {
        let program = program.to_owned();
        if error.kind() != ErrorKind::NotFound {
            return Problem::NotExecutable(program, error);
        }
        let exists = if program.as_bytes().contains(&b'/') {
            Path::new(&program).exists()
        } else {
            let path = self
                .env
                .get(OsStr::new("PATH"))
                .cloned()
                .unwrap_or_default();
            find_in_path(Path::new("/"), &path, &program).is_some()
        };
        if exists {
            Problem::NoInterpreter(program)
        } else {
            Problem::NotFound(program)
        }
    }
}

/// Switches the variables to the environment that the user wants, and returns its record.
fn activate(root: &Path, env: &mut Variables) -> Result<Option<Record>, Problem> {
    let store = Store::open(root);
    let active = active_record(&store, env)?;
    let skip = env.get(OsStr::new(SKIP)).is_some_and(|value| value == "1");
    let wanted_name = env
        .get(OsStr::new(ENV_NAME))
        .filter(|name| !name.is_empty())
        .cloned()
        .or_else(|| store.default_name());
    let wanted = match wanted_name {
        Some(name) if !skip => Some(wanted_record(root, &store, env, active.as_ref(), name)?),
        _ => None,
    };
    // Usually the container starts with the wanted environment active.
    if active.as_ref() != wanted.as_ref() {
        switch(env, &store.plain(), active.as_ref(), wanted.as_ref());
    }
    Ok(wanted)
}

/// The recorded environment that is active according to the variables.
fn active_record(store: &Store, env: &Variables) -> Result<Option<Record>, Problem> {
    let Some(name) = env.get(OsStr::new("CONDA_DEFAULT_ENV")) else {
        return Ok(None);
    };
    read_record(store, name)
}

fn read_record(store: &Store, name: &OsStr) -> Result<Option<Record>, Problem> {
    store
        .record(name)
        .map_err(|_| Problem::DamagedRecord(name.to_owned()))
}

fn wanted_record(
    root: &Path,
    store: &Store,
    env: &Variables,
    active: Option<&Record>,
    name: OsString,
) -> Result<Record, Problem> {
    if let Some(record) = read_record(store, &name)? {
        return Ok(record);
    }
    let root_prefix = env
        .get(OsStr::new("MAMBA_ROOT_PREFIX"))
        .map(OsString::as_os_str)
        .or_else(|| {
            let change = active?.change(OsStr::new("MAMBA_ROOT_PREFIX"))?;
            change.value()
        })
        .unwrap_or(OsStr::new(ROOT_PREFIX));
    let Some(environment) = Environment::find(root, root_prefix, &name) else {
        return Err(Problem::UnknownEnvironment {
            known: known_environments(root, store, root_prefix),
            name,
        });
    };
    Ok(Record {
        changes: environment.changes(&store.plain()),
        prefix: environment.prefix,
        scripts: Vec::new(),
    })
}

fn known_environments(root: &Path, store: &Store, root_prefix: &OsStr) -> Vec<OsString> {
    let envs = Path::new(root_prefix).join("envs");
    let mut known = store.names();
    known.extend(
        std::fs::read_dir(in_root(root, envs.as_os_str()))
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.file_name())
            .chain([BASE.into()])
            .filter(|name| Environment::find(root, root_prefix, name).is_some()),
    );
    known.sort();
    known.dedup();
    known
}

/// Paths of the activation scripts to source at the start: those whose effect depends on the run,
/// and those installed in a derived image after the record was made.
fn scripts_to_source(root: &Path, record: &Record) -> Vec<OsString> {
    let skipped = |file: &OsStr| {
        record
            .scripts
            .iter()
            .any(|script| script.file == file && script.used != ScriptUse::Start)
    };
    activation_scripts(&in_root(root, &record.prefix))
        .into_iter()
        .filter(|file| !skipped(file))
        .map(|file| {
            let dir = Path::new(&record.prefix).join("etc/conda/activate.d");
            dir.join(file).into_os_string()
        })
        .collect()
}
