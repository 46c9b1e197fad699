//! One program, three roles: the frontend that BuildKit starts, a step inside the build, and a small command-line tool.

use std::process::ExitCode;

use condafront::{cli, frontend};
use condafront_steps::{has_handed_over, is_step, restart, run as run_step};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args_os()
        .skip(1)
        .map(|arg| arg.to_string_lossy().into_owned())
        .collect();
    match args.split_first() {
        Some((name, _)) if is_step(name) && has_handed_over() => restart(&args),
        None if frontend::is_started_by_buildkit() => frontend::run(),
        Some((name, rest)) if is_step(name) => run_step(name, rest),
        _ => cli::run(&args),
    }
}
