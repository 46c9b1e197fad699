//! `make bench`: compares condafront with a Dockerfile that installs the same lock in one `RUN`.
//!
//! Each side builds on a fresh engine and pushes to a fresh registry. See `docs/benchmark.md`.

mod conda_forge;
mod dockerfile;
mod measure;
mod registry;
mod report;
mod side;
mod solve;
mod workload;

use std::error::Error;
use std::io::{Write, stdout};
use std::path::PathBuf;

use lexopt::{Arg, Parser, ValueExt};

use measure::Run;
use report::Report;
use side::{Installer, Side};
use workload::Workload;

const USAGE: &str = "\
usage: make bench [ARGS=\"--runs N --logs DIR\"]
       make bench ARGS=\"solve --runs N\"

  solve        measure a solve with package lists as long as conda-forge's
  --runs N     measure everything N times (default 1) and print the medians
  --logs DIR   write each build's progress to DIR (docker build --progress rawjson)

environment:
  MICROMAMBA   a micromamba binary to install with, on both sides
";

/// A result with any error.
type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The command line.
struct Arguments {
    solve: bool,
    runs: usize,
    logs: Option<PathBuf>,
}

impl Arguments {
    /// `None` if the user asks for help.
    fn parse(mut parser: Parser) -> Result<Option<Self>> {
        let mut arguments = Self {
            solve: false,
            runs: 1,
            logs: None,
        };
        while let Some(argument) = parser.next()? {
            match argument {
                Arg::Value(value) if value == "solve" => arguments.solve = true,
                Arg::Long("runs") => arguments.runs = parser.value()?.parse()?,
                Arg::Long("logs") => arguments.logs = Some(parser.value()?.into()),
                Arg::Short('h') | Arg::Long("help") => return Ok(None),
                other => return Err(other.unexpected().into()),
            }
        }
        if arguments.runs == 0 {
            return Err("--runs must be at least 1".into());
        }
        Ok(Some(arguments))
    }
}

fn main() -> Result<()> {
    let mut out = stdout();
    let Some(arguments) = Arguments::parse(Parser::from_env())? else {
        out.write_all(USAGE.as_bytes())?;
        return Ok(());
    };
    if arguments.solve {
        return solve::run(&solve::program(), arguments.runs);
    }
    if let Some(logs) = &arguments.logs {
        std::fs::create_dir_all(logs)?;
    }
    let workload = Workload::new();
    let installer = Installer::from_env()?;
    let load = report::load_average();
    let mut runs: [Vec<Run>; 2] = [Vec::new(), Vec::new()];
    for number in 1..=arguments.runs {
        for (side, runs) in Side::BOTH.into_iter().zip(&mut runs) {
            writeln!(out, "run {number} of {}: {side}", arguments.runs)?;
            let logs = arguments
                .logs
                .as_ref()
                .map(|logs| logs.join(format!("{number}-{side}")));
            runs.push(measure::run_side(
                side,
                &workload,
                &installer,
                logs.as_deref(),
            )?);
        }
    }
    let report = Report::new(&runs, &workload, &installer, &load);
    write!(out, "\n{report}")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Option<Arguments>> {
        Arguments::parse(Parser::from_args(arguments))
    }

    #[test]
    fn arguments() {
        assert_eq!(parse(&[]).unwrap().unwrap().runs, 1);
        let given = parse(&["--runs", "3", "--logs", "there"]).unwrap().unwrap();
        assert_eq!((given.runs, given.logs), (3, Some(PathBuf::from("there"))));
        assert!(parse(&["solve"]).unwrap().unwrap().solve);
        assert!(parse(&["--help"]).unwrap().is_none());
        for wrong in [&["--runs", "0"][..], &["--runs", "many"], &["--fast"]] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
