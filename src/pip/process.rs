//! Running the environment's own python and pip.

use std::io::{Write, pipe};
use std::path::Path;
use std::process::Command;

use super::spec::WORK_DIR;
use crate::failure_report::FailureReport;
use crate::install::copy_output;
use crate::redact;

/// Where programs are besides the environment's own.
const SYSTEM_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// How much of what pip prints is looked through for the reason of a failure, in bytes.
const KEPT_BYTES: usize = 64 << 10;

/// The environment's python with the active environment's variables and none of the builder's.
pub(super) fn python(prefix: &Path) -> Command {
    let mut command = Command::new(prefix.join("bin/python"));
    command
        .current_dir("/")
        .env_clear()
        .env("PATH", format!("{}/bin:{SYSTEM_PATH}", prefix.display()))
        .env("CONDA_PREFIX", prefix)
        .env("HOME", "/tmp")
        .env("LC_ALL", "C.UTF-8")
        .env("PYTHONHASHSEED", "0");
    command
}

/// The environment's pip, or another one that can be run at `pip`, as `subcommand`, with no settings but those that the caller adds.
pub(super) fn pip(prefix: &Path, pip: Option<&str>, subcommand: &str) -> Command {
    let mut command = python(prefix);
    command
        // Nothing of the working directory or the user's, and no bytecode of pip itself.
        .args(["-I", "-B"])
        .args(pip.map_or(vec!["-m", "pip"], |path| vec![path]))
        .arg(subcommand)
        .args([
            "--no-cache-dir",
            "--no-input",
            "--disable-pip-version-check",
        ])
        .env("PIP_CONFIG_FILE", "/dev/null")
        // As variables, because older versions refuse options that they do not know.
        .env("PIP_ROOT_USER_ACTION", "ignore")
        .env("PIP_BREAK_SYSTEM_PACKAGES", "1");
    command
}

/// Runs `command`; what it prints goes to `log` as it comes.
///
/// # Errors
/// What it printed last, if it failed.
pub(super) fn run(mut command: Command, log: &mut dyn Write) -> Result<(), String> {
    let io = |error: std::io::Error| format!("cannot run it: {error}");
    let (mut reader, writer) = pipe().map_err(io)?;
    let second = writer.try_clone().map_err(io)?;
    let mut child = command.stdout(writer).stderr(second).spawn().map_err(io)?;
    // It holds the pipe's other end; reading would never end.
    drop(command);
    let output = copy_output(&mut reader, log, KEPT_BYTES).map_err(io)?;
    let status = child.wait().map_err(io)?;
    if status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output).into_owned();
    Err(match text.trim() {
        "" => format!("it printed nothing ({status})"),
        _ => text,
    })
}

/// Why pip failed, shortly: its own error lines, or the last ones if it has none.
pub(super) fn reason(output: &str) -> String {
    const MOST: usize = 8;
    const LAST: usize = 5;
    let lines = || output.lines().map(str::trim_end);
    let mut errors: Vec<&str> = Vec::new();
    let mut in_conflict = false;
    for line in lines() {
        let error = line.trim_start().strip_prefix("ERROR: ");
        // These say no more than the lines before them.
        let is_new = |error: &&str| {
            !(error.starts_with("ResolutionImpossible")
                || error.starts_with("No matching distribution found") && !errors.is_empty())
        };
        let error = error.filter(is_new);
        if let Some(error) = error.filter(|error| !errors.contains(error)) {
            errors.push(error);
        }
        in_conflict = line == "The conflict is caused by:" || (in_conflict && !line.is_empty());
        if in_conflict {
            errors.push(line);
        }
    }
    if errors.is_empty() {
        errors = lines().filter(|line| !line.trim().is_empty()).collect();
        errors.drain(..errors.len().saturating_sub(LAST));
    }
    errors.truncate(MOST);
    errors.join("\n")
}

/// A failure of pip while `doing` something, for a `reason` of maybe several lines.
pub(super) fn failure(doing: &str, reason: &str) -> FailureReport {
    let break_or_blank = if reason.contains('\n') { '\n' } else { ' ' };
    let reason = redact::masked(reason);
    FailureReport::new(format!("pip cannot {doing}:{break_or_blank}{reason}"))
}

/// Leaves `command` what the builder says about its network: proxies, and pip's own settings. It may need much space for
/// what it downloads and builds.
pub(super) fn with_network(command: &mut Command) {
    command.env("TMPDIR", WORK_DIR);
    for (name, value) in std::env::vars_os() {
        let known = name.to_str().is_some_and(|name| {
            name.to_ascii_lowercase().ends_with("_proxy") || name.starts_with("PIP_")
        });
        if known {
            command.env(name, value);
        }
    }
}
