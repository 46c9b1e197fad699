//! Runs the base image's own programs.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::authorities;
use crate::child::{self, Ended};
use condafront_model::stamp::EPOCH;

/// How much of the end of a program's output is kept to explain a failure, in bytes.
const KEPT_BYTES: usize = 64 << 10;

/// Runs programs and shows their output.
pub(super) struct Tool<'a> {
    log: &'a mut dyn Write,
    lists_read: bool,
    /// The file with the authorities that programs trust, if not those that they trust anyway.
    authorities: Option<&'a str>,
}

impl<'a> Tool<'a> {
    pub(super) fn new(log: &'a mut dyn Write, authorities: Option<&'a str>) -> Self {
        Self {
            log,
            lists_read: false,
            authorities,
        }
    }

    /// Whether the package manager has read its package lists in this step.
    pub(super) fn has_read_lists(&self) -> bool {
        self.lists_read
    }

    /// Records that it has.
    pub(super) fn lists_are_read(&mut self) {
        self.lists_read = true;
    }

    /// The file with the authorities that programs trust, if not those that they trust anyway.
    pub(super) fn authorities(&self) -> Option<&'a str> {
        self.authorities
    }

    /// Runs `command`, in English and without prompts.
    ///
    /// # Errors
    /// A message if it cannot be run at all.
    pub(super) fn run(&mut self, command: &Command) -> Result<Ended, String> {
        self.run_into(command, true)
    }

    /// Runs `command` without showing its output in the build's log.
    ///
    /// # Errors
    /// A message if it cannot be run at all.
    pub(super) fn quietly(&mut self, command: &Command) -> Result<Ended, String> {
        self.run_into(command, false)
    }

    fn run_into(&mut self, command: &Command, shown: bool) -> Result<Ended, String> {
        let mut nowhere = std::io::sink();
        let (log, kept): (&mut dyn Write, usize) = if shown {
            (&mut *self.log, KEPT_BYTES)
        } else {
            (&mut nowhere, usize::MAX)
        };
        let program = command.get_program().to_string_lossy();
        child::run(&program, with_settings(command, self.authorities), log, kept).map_err(|error| {
            if error.is_foreign() {
                format!(
                    "{program} is built for another processor: the builder needs emulation to run it"
                )
            } else {
                format!("{program} {error}")
            }
        })
    }
}

/// The same command with the settings for every program: no input, no prompts, English, the authorities to trust, and a fixed
/// time (useradd(8) writes the day of a change into `/etc/shadow`).
fn with_settings(command: &Command, authorities: Option<&str>) -> Command {
    let mut copy = Command::new(command.get_program());
    copy.args(command.get_args())
        .current_dir("/")
        .stdin(Stdio::null());
    copy.env("DEBIAN_FRONTEND", "noninteractive")
        .env("LC_ALL", "C")
        .env_remove("LANGUAGE")
        .env("SOURCE_DATE_EPOCH", EPOCH.to_string())
        .envs(authorities::variables(authorities));
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => copy.env(name, value),
            None => copy.env_remove(name),
        };
    }
    if let Some(dir) = command.get_current_dir() {
        copy.current_dir(dir);
    }
    copy
}
