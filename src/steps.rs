//! The steps inside the build: subcommands that the graph's execs run.

use std::error::Error;
use std::process::ExitCode;

use crate::{account, activation, install};

/// A step's name and what runs it with the arguments after the name.
type Step = (&'static str, fn(&[String]) -> Result<(), Box<dyn Error>>);

const STEPS: &[Step] = &[];

/// Whether a subcommand is one of the steps.
pub fn is_step(name: &str) -> bool {
    STEPS.iter().any(|(known, _)| *known == name)
}

/// Runs a step; its error goes to the build's log.
pub fn run(name: &str, args: &[String]) -> ExitCode {
    let step = STEPS.iter().find(|(known, _)| *known == name);
    match step.map(|(_, step)| step(args)) {
        Some(Ok(())) => ExitCode::SUCCESS,
        Some(Err(error)) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
        None => ExitCode::from(2),
    }
}
