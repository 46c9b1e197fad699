//! `make bench`: compares condafront with Dockerfiles that install the same lock.
//!
//! Each side builds on fresh engines and pushes to a fresh registry. See `docs/benchmark.md`.

mod arguments;
mod chart;
mod conda_forge;
mod conditions;
mod dockerfile;
mod engine_solve;
mod environment;
mod measure;
mod memory;
mod network;
mod registry;
mod report;
mod scenario;
mod side;
mod solve;
mod value;

use std::error::Error;
use std::fs;
use std::io::{Write, stdout};
use std::path::Path;

use lexopt::Parser;

use arguments::{Arguments, USAGE};
use environment::{Environment, Size};
use measure::{Bench, Run};
use report::Report;
use scenario::Scenario;
use side::Side;
use value::Value;

/// A result with any error.
type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let mut out = stdout();
    let Some(arguments) = Arguments::parse(Parser::from_env())? else {
        out.write_all(USAGE.as_bytes())?;
        return Ok(());
    };
    if arguments.solve && arguments.engine {
        return engine_solve::run(arguments.records, arguments.runs);
    }
    if arguments.solve {
        return solve::run(&solve::program(), arguments.runs);
    }
    if let Some(logs) = &arguments.logs {
        fs::create_dir_all(logs)?;
    }
    fs::create_dir_all(&arguments.to)?;
    let micromamba = side::micromamba()?;
    let micromamba = micromamba.as_ref().map(tempfile::TempDir::path);
    for size in &arguments.sizes {
        measure(&arguments, *size, micromamba)?;
    }
    Ok(())
}

/// Measures an environment, prints the tables, and writes them and the chart.
fn measure(arguments: &Arguments, size: Size, micromamba: Option<&Path>) -> Result<()> {
    let mut out = stdout();
    let environment = Environment::new(size);
    let load = report::load_average();
    let other_frontend = side::has_other_frontend().then_some(Side::OtherFrontend);
    let mut runs: Vec<(Side, Vec<Run>)> = Side::all(micromamba.is_some())
        .into_iter()
        .take(arguments.sides)
        .chain(other_frontend)
        .map(|side| (side, Vec::new()))
        .collect();
    for number in 1..=arguments.runs {
        for (side, runs) in &mut runs {
            let (name, title) = (size.name(), side.title());
            writeln!(out, "{name}, run {number} of {}: {title}", arguments.runs)?;
            let logs = arguments.logs.as_ref();
            let logs = logs.map(|logs| logs.join(format!("{name}-{number}-{side:?}")));
            if let Some(logs) = &logs {
                fs::create_dir_all(logs)?;
            }
            let bench = Bench {
                side: *side,
                environment: &environment,
                micromamba,
                conditions: arguments.conditions,
                logs: logs.as_deref(),
            };
            runs.push(bench.run()?);
        }
    }
    let report = Report {
        environment: &environment,
        conditions: arguments.conditions,
        runs,
        load,
    };
    let text = report.markdown();
    write!(out, "\n{text}")?;
    let name = format!("{}{}", size.name(), arguments.conditions.suffix());
    let write = |extension: &str, text: &str| {
        fs::write(arguments.to.join(format!("{name}.{extension}")), text)
    };
    write("md", &format!("# Benchmark: {}\n\n{text}", size.title()))?;
    write("svg", &chart_of(&report, size))?;
    Ok(())
}

/// The chart of the times of builds and pulls.
fn chart_of(report: &Report<'_>, size: Size) -> String {
    let medians = report.medians();
    let titles: Vec<&str> = medians.iter().map(|(side, _)| side.title()).collect();
    let lines: Vec<chart::Line> = Scenario::all(size)
        .into_iter()
        .enumerate()
        .filter(|(_, scenario)| !matches!(scenario, Scenario::Targets | Scenario::Start))
        .map(|(index, scenario)| {
            let seconds = |(_, of): &(Side, Vec<measure::Measured>)| of[index].seconds;
            let values = medians.iter().map(seconds).map(Value::Seconds);
            (scenario.title(), values.collect())
        })
        .collect();
    chart::svg(&titles, &lines)
}
