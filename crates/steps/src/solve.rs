//! The steps `condafront reach` and `condafront solve`: the first finds the records that a request can reach in the repodata
//! of its channels, the second chooses packages among them.
//!
//! Repodata is mounted, and the answer is a file; only shards are downloaded by the first step itself. See `docs/solve.md`.

mod answer;
mod bounds;
mod conflict;
mod dates;
mod document;
mod download;
mod error;
mod foreign;
pub(crate) mod fuzzing;
mod kept;
mod list;
mod needs;
mod priority;
mod reachable;
mod records;
mod repodata;
mod request;
mod requirements;
mod search;
mod several;
mod shards;
mod solver;
mod text;
mod too_new;
mod unavailable;
mod unsatisfiable;
mod virtual_packages;
mod wording;

use std::io::Write;
use std::path::Path;
use std::thread;

use crate::install::error::unwritable;
use crate::install::write_json;
use bounds::Bounds;
use condafront_model::redact::masked;
use condafront_model::visible::visible_line;
use condafront_step_spec::args::StepSpec as _;
use condafront_step_spec::failure_report::FailureReport;
use condafront_step_spec::solve::{
    PACKAGES_FILE, ReachSpec, RepodataSpec, SolveSpec, SolvedPackage, UNUSABLE_FILE, Unusable,
};
use error::SolveError;
use records::Records;
pub(crate) use repodata::read_records;
use repodata::{Purpose, Repodata};
use request::Request;
use search::Search;
use shards::Reason;
use solver::NoAnswer;

/// Runs the step `reach` with `args`; `input`, `output` and `facts` are its mounts. What it found goes to `log`.
///
/// # Errors
/// When a channel's repodata or a MatchSpec cannot be used.
pub(crate) fn reach(
    args: &[String],
    input: &Path,
    output: &Path,
    facts: &Path,
    log: &mut dyn Write,
) -> Result<(), SolveError> {
    let (ReachSpec(spec), files) = ReachSpec::from_args(args)?;
    let has_shards = files.iter().any(RepodataSpec::is_sharded);
    let reached = write_reachable(&spec, &files, input, output)?;
    for fault in &reached.faults {
        let file = &files[fault.list.file];
        writeln!(
            log,
            "{}/{}: its shards are not used{}: {}",
            spec.channels[file.channel].name,
            file.subdir,
            if fault.list.may_pass { " for now" } else { "" },
            visible_line(&masked(&fault.reason))
        )
        .map_err(unwritable)?;
    }
    if reached.faults.is_empty() {
        for file in files.iter().filter(|file| !file.is_sharded()) {
            let channel = &spec.channels[file.channel].name;
            let subdir = &file.subdir;
            writeln!(log, "{channel}/{subdir}: found in its whole repodata").map_err(unwritable)?;
        }
        writeln!(log, "records found: {}", reached.count).map_err(unwritable)?;
    }
    if has_shards {
        let unusable: Vec<Unusable> = reached.faults.iter().map(|fault| fault.list).collect();
        write_json(&facts.join(UNUSABLE_FILE), &unusable)?;
    }
    Ok(())
}

/// Runs the step `solve` with `args`; `input` and `output` are its mounts. What it found goes to `log`.
///
/// # Errors
/// When there is no solution.
pub(crate) fn run(
    args: &[String],
    input: &Path,
    output: &Path,
    log: &mut dyn Write,
) -> Result<(), SolveError> {
    let (spec, files) = SolveSpec::from_args(args)?;
    let packages = find(&spec, &files, input)?;
    // For the build log: BuildKit's progress does not show whether a step ran or came from a registry cache.
    writeln!(log, "packages chosen: {}", packages.len()).map_err(unwritable)?;
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

/// Writes the records of `files` that `spec` can reach: those of file `n` into the directory `n` below `output`. Returns the
/// lists of shards that cannot be used; if there are any, nothing is written.
///
/// # Errors
/// What is wrong with a file, or with a MatchSpec.
pub fn reachable(
    spec: &SolveSpec,
    files: &[RepodataSpec],
    input: &Path,
    output: &Path,
) -> Result<Vec<Fault>, FailureReport> {
    let ReachSpec(spec) = spec.reach();
    Ok(write_reachable(&spec, files, input, output)?.faults)
}

/// What a search for records has found.
struct Reached {
    /// The number of records.
    count: usize,
    /// The lists of shards that cannot be used. If there are any, nothing is written.
    faults: Vec<Fault>,
}

/// Why a list of shards cannot be used.
#[derive(Debug)]
pub struct Fault {
    /// The list.
    pub list: Unusable,
    /// Why.
    pub reason: String,
}

fn write_reachable(
    spec: &SolveSpec,
    files: &[RepodataSpec],
    input: &Path,
    output: &Path,
) -> Result<Reached, SolveError> {
    let (spec, files) = (spec.clone(), files.to_vec());
    let (input, output) = (input.to_owned(), output.to_owned());
    Bounds::default().keep(move |_| {
        let Loaded {
            repodata, records, ..
        } = load(&spec, &files, &input, Purpose::Reach)?;
        let faults = repodata.iter().enumerate().filter_map(|(file, data)| {
            let Reason { text, may_pass } = data.fault()?;
            let list = Unusable { file, may_pass };
            Some(Fault { list, reason: text })
        });
        let faults: Vec<Fault> = faults.collect();
        drop(repodata);
        let mut count = 0;
        if faults.is_empty() {
            for (index, records) in records.files.into_iter().enumerate() {
                count += records.len();
                reachable::write(records, &output.join(index.to_string()))?;
            }
        }
        Ok(Reached { count, faults })
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
        let loaded = load(&spec, &files, &input, Purpose::Choose)?;
        let search = Search {
            solve: &spec,
            request: &loaded.request,
            repodata: &loaded.repodata,
            records: &loaded.records,
            stop,
        };
        let found = kept::solve(&search).map_err(|none| match none {
            NoAnswer::Conflict(conflict) => unsatisfiable::explain(&search, conflict).into(),
            NoAnswer::Failure(error) => error,
        })?;
        requirements::check_extras(&search, &found)?;
        Ok(answer::answer(
            &loaded.request,
            &loaded.repodata,
            found,
            spec.own,
        ))
    })
}

/// What a request is about.
struct Loaded {
    repodata: Vec<Repodata>,
    request: Request,
    records: Records,
}

fn load(
    spec: &SolveSpec,
    files: &[RepodataSpec],
    input: &Path,
    purpose: Purpose,
) -> Result<Loaded, SolveError> {
    let mut repodata = read_all(spec, files, input, purpose)?;
    if purpose == Purpose::Reach {
        Repodata::join(&mut repodata);
        let names = request::likely_names(spec);
        for data in &repodata {
            data.prepare(&names);
        }
    }
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
    purpose: Purpose,
) -> Result<Vec<Repodata>, SolveError> {
    thread::scope(|scope| {
        let readers: Vec<_> = files
            .iter()
            .enumerate()
            .map(|(index, file)| {
                scope.spawn(move || Repodata::read(spec, file, input, index, purpose))
            })
            .collect();
        readers
            .into_iter()
            .map(|reader| reader.join().unwrap_or(Err(SolveError::Solver)))
            .collect()
    })
}
