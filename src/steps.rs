//! The steps inside the build: subcommands that the graph's execs run.

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use serde::de::DeserializeOwned;

use crate::install::Mounts;
use crate::install::spec::{BASE_DIR, FACTS_DIR, OUTPUT_DIR};
use crate::{account, activation, install};

/// A step's name and what runs it with the arguments after the name.
type Step = (&'static str, fn(&[String]) -> Result<(), Box<dyn Error>>);

const STEPS: &[Step] = &[
    ("install", |args| {
        Ok(install::install(args, &Mounts::default())?)
    }),
    ("python-runtime", |args| {
        Ok(install::python_runtime(
            args,
            &Mounts::default(),
            Path::new(BASE_DIR),
        )?)
    }),
    ("collect", |args| {
        Ok(install::collect(args, &Mounts::default())?)
    }),
    ("pick", |args| Ok(install::pick(args, &Mounts::default())?)),
    ("post-link", |args| {
        Ok(install::post_link(args, &mut std::io::stderr())?)
    }),
    ("account", |args| {
        let request = from_json(args)?;
        let [base, out, facts] = [BASE_DIR, OUTPUT_DIR, FACTS_DIR].map(Path::new);
        account::run(&request, base, out, facts)?;
        Ok(())
    }),
    ("record-activation", |args| {
        let spec = from_json(args)?;
        let recorded = activation::record(
            &spec,
            &std::env::current_exe()?,
            Path::new("/tmp/condafront"),
        )?;
        let path = Path::new(FACTS_DIR).join(activation::RECORDED_FILE);
        std::fs::write(path, serde_json::to_vec(&recorded)?)?;
        Ok(())
    }),
    ("dump-env", |args| match args {
        [file] => Ok(activation::dump_environment(Path::new(file))?),
        _ => Err("dump-env takes the file to write".into()),
    }),
];

fn from_json<T: DeserializeOwned>(args: &[String]) -> Result<T, Box<dyn Error>> {
    match args {
        [json] => Ok(serde_json::from_str(json)?),
        _ => Err("this step takes one JSON argument".into()),
    }
}

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
