//! The steps `condafront reach` and `condafront solve`: the first finds the records that a request can reach in the repodata
//! of its channels, the second chooses packages among them.
//!
//! They run without network: repodata is mounted, and the answer is a file. See `docs/solve.md`.

mod answer;
mod bounds;
mod conflict;
mod dates;
mod error;
mod foreign;
mod priority;
mod reachable;
mod records;
mod repodata;
mod request;
mod requirements;
mod search;
mod several;
mod solver;
mod too_new;
mod unavailable;
mod unsatisfiable;
mod virtual_packages;
mod wording;

use std::path::Path;
use std::thread;

use crate::install::write_json;
use bounds::Bounds;
use condafront_step_spec::args::StepSpec as _;
use condafront_step_spec::failure_report::FailureReport;
use condafront_step_spec::solve::{
    PACKAGES_FILE, ReachSpec, RepodataSpec, SolveSpec, SolvedPackage,
};
use error::SolveError;
use records::Records;
use repodata::Repodata;
pub(crate) use repodata::read_records;
use request::Request;
use search::Search;
use solver::{Attempt, NoAnswer};

/// Runs the step `reach` with `args`; `input` and `output` are its mounts.
///
/// # Errors
/// When a channel's repodata or a MatchSpec cannot be used.
pub(crate) fn reach(args: &[String], input: &Path, output: &Path) -> Result<(), SolveError> {
    let (spec, files) = ReachSpec::from_args(args)?;
    let count = write_reachable(spec, files, input, output)?;
    eprintln!("records found: {count}");
    Ok(())
}

/// Runs the step `solve` with `args`; `input` and `output` are its mounts.
///
/// # Errors
/// When there is no solution.
pub(crate) fn run(args: &[String], input: &Path, output: &Path) -> Result<(), SolveError> {
    let (spec, files) = SolveSpec::from_args(args)?;
    let packages = find(&spec, &files, input)?;
    // For the build log: BuildKit's progress does not show whether a step ran or came from a registry cache.
    eprintln!("packages chosen: {}", packages.len());
    Ok(write_json(&output.join(PACKAGES_FILE), &packages)?)
}

/// Solves `spec`; file `n` of `files` is in the directory `n` below `input`.
///
/// # Errors
/// Why there is no solution, and which part of the request is to blame.
pub fn solve(
    spec: &SolveSpec,
    files: &[RepodataSpec],
    input: &Path,
) -> Result<Vec<SolvedPackage>, FailureReport> {
    Ok(find(spec, files, input)?)
}

/// Writes the records of `files` that `spec` can reach: those of file `n` into the directory `n` below `output`.
///
/// # Errors
/// What is wrong with a file, or with a MatchSpec.
pub fn reachable(
    spec: &SolveSpec,
    files: &[RepodataSpec],
    input: &Path,
    output: &Path,
) -> Result<(), FailureReport> {
    write_reachable(spec.reach(), files.to_vec(), input, output)?;
    Ok(())
}

fn write_reachable(
    ReachSpec(spec): ReachSpec,
    files: Vec<RepodataSpec>,
    input: &Path,
    output: &Path,
) -> Result<usize, SolveError> {
    let (input, output) = (input.to_owned(), output.to_owned());
    Bounds::default().keep(move |_| {
        // The repodata is not needed any longer.
        let Loaded { records, .. } = load(&spec, &files, &input)?;
        let mut count = 0;
        for (index, records) in records.files.into_iter().enumerate() {
            count += records.len();
            reachable::write(records, &output.join(index.to_string()))?;
        }
        Ok(count)
    })
}

fn find(
    spec: &SolveSpec,
    files: &[RepodataSpec],
    input: &Path,
) -> Result<Vec<SolvedPackage>, SolveError> {
    let (spec, files, input) = (spec.clone(), files.to_vec(), input.to_owned());
    // The solver panics on some data that it considers impossible but that a channel's repodata may contain.
    Bounds::default().keep(move |stop| {
        let loaded = load(&spec, &files, &input)?;
        let search = Search {
            solve: &spec,
            request: &loaded.request,
            repodata: &loaded.repodata,
            records: &loaded.records,
            stop,
        };
        let found = solver::solve(&search, &Attempt::of(&search)).map_err(|none| match none {
            NoAnswer::Conflict(conflict) => unsatisfiable::explain(&search, conflict).into(),
            NoAnswer::Failure(error) => error,
        })?;
        requirements::check_extras(&search, &found)?;
        Ok(answer::answer(&loaded.request, &loaded.repodata, found))
    })
}

/// What a request is about.
struct Loaded {
    repodata: Vec<Repodata>,
    request: Request,
    records: Records,
}

fn load(spec: &SolveSpec, files: &[RepodataSpec], input: &Path) -> Result<Loaded, SolveError> {
    let repodata = read_all(spec, files, input)?;
    let request = Request::read(spec, &repodata)?;
    let records = Records::load(spec, &request, &repodata, request.dates.as_ref())?;
    Ok(Loaded {
        repodata,
        request,
        records,
    })
}

/// Reads all files in parallel: a solve spends most of its time here.
fn read_all(
    spec: &SolveSpec,
    files: &[RepodataSpec],
    input: &Path,
) -> Result<Vec<Repodata>, SolveError> {
    thread::scope(|scope| {
        let readers: Vec<_> = files
            .iter()
            .enumerate()
            .map(|(index, file)| scope.spawn(move || Repodata::read(spec, file, input, index)))
            .collect();
        readers
            .into_iter()
            .map(|reader| reader.join().unwrap_or(Err(SolveError::Solver)))
            .collect()
    })
}
