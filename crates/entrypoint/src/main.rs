//! The entrypoint of an image: its whole command line is the user's command.

use std::error::Error as _;
use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use condafront_entrypoint::home::Identity;
use condafront_entrypoint::launch::{Problem, prepare};

fn main() -> ExitCode {
    let problem = run();
    match problem.source() {
        Some(cause) => eprintln!("condafront-entrypoint: {problem}: {cause}"),
        None => eprintln!("condafront-entrypoint: {problem}"),
    }
    ExitCode::from(problem.exit_code())
}

/// Executes the user's command in place of this process; returns only if that fails.
fn run() -> Problem {
    let command: Vec<OsString> = std::env::args_os().skip(1).collect();
    let identity = std::fs::read_to_string("/proc/self/status")
        .ok()
        .and_then(|status| Identity::from_status(&status));
    let env = std::env::vars_os().collect();
    match prepare(Path::new("/"), command, env, identity.as_ref()) {
        Ok(launch) => {
            for warning in &launch.warnings {
                eprintln!("condafront-entrypoint: {warning}");
            }
            launch.exec()
        }
        Err(problem) => problem,
    }
}
