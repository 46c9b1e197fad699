//! The solver, on made-up channels: compared with expectations and with a real micromamba.

mod answers;
mod channels;
mod dates;
mod extras;
mod kept;
mod mistakes;
mod properties;
mod reachable;
mod requests;
mod shards;
mod unreadable;

use std::path::Path;

use condafront_step_spec::failure_report::FailureReport;
use condafront_step_spec::solve::{RepodataSpec, SolveSpec, SolvedPackage};
use condafront_steps::solve::{reachable, solve};
use condafront_testkit::repodata::Repodata;
use condafront_testkit::server::Server;

/// A channel's address in MatchSpecs and in answers.
fn url(channel: &str) -> String {
    format!("https://conda.example/{channel}")
}

/// A request to these channels, with glibc 2.36 and without CUDA.
fn question(channels: &[&str], specs: &[&str]) -> SolveSpec {
    SolveSpec::example(channels.iter().map(|name| (*name, url(name))), specs)
}

/// Solves the request with these channels' repodata, and checks that their reachable records alone give the same packages, found
/// in whole lists and in shards.
fn ask(spec: &SolveSpec, channels: &[&Repodata]) -> Result<Vec<SolvedPackage>, FailureReport> {
    let found = ask_lists(spec, channels);
    let server = Server::start();
    let (input, records) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let files = shards::served(&server, channels, input.path());
    match (&found, chosen(spec, &files, input.path(), records.path())) {
        (Ok(packages), of_shards) => match of_shards.unwrap() {
            Some(of_shards) => assert_eq!(of_shards, *packages),
            // Packages elsewhere: shards name them by themselves, so that whole lists are taken.
            None => assert!(channels.iter().any(|channel| channel.has_base_url())),
        },
        (Err(report), of_shards) => assert!(!matches!(of_shards, Ok(Some(_))), "{report:?}"),
    }
    found
}

/// What is chosen among the reachable records of these files; `None` if shards among them cannot be used, so that a build takes
/// the whole lists.
fn chosen(
    spec: &SolveSpec,
    files: &[RepodataSpec],
    input: &Path,
    records: &Path,
) -> Result<Option<Vec<SolvedPackage>>, FailureReport> {
    if !reachable(spec, files, input, records)?.is_empty() {
        return Ok(None);
    }
    let files: Vec<RepodataSpec> = files.iter().map(RepodataSpec::reachable).collect();
    solve(&spec.of_reachable(), &files, records).map(Some)
}

/// The same, in whole lists only.
fn ask_lists(
    spec: &SolveSpec,
    channels: &[&Repodata],
) -> Result<Vec<SolvedPackage>, FailureReport> {
    let input = tempfile::tempdir().unwrap();
    let files = mounted(channels, input.path());
    let found = solve(spec, &files, input.path());
    let records = tempfile::tempdir().unwrap();
    let of_lists = chosen(spec, &files, input.path(), records.path());
    match &found {
        Ok(packages) => assert_eq!(of_lists.unwrap().as_ref(), Some(packages)),
        Err(report) => drop(of_lists.expect_err(&report.message)),
    }
    found
}

/// Puts the channels' repodata where a solve finds it.
fn mounted(channels: &[&Repodata], input: &Path) -> Vec<RepodataSpec> {
    let mut files = Vec::new();
    for (channel, repodata) in channels.iter().enumerate() {
        for subdir in ["linux-64", "noarch"] {
            let json = repodata.json(subdir);
            // A different kind of file for each subdir, so that both kinds are read.
            let (file, bytes) = match subdir {
                "noarch" => ("repodata.json", json.into_bytes()),
                _ => ("repodata.json.zst", compressed(&json)),
            };
            mount(input, files.len(), file, &bytes);
            files.push(RepodataSpec {
                channel,
                subdir: subdir.to_owned(),
                file: file.to_owned(),
                address: None,
            });
        }
    }
    files
}

/// Writes a file to where a solve finds its repodata `index`.
fn mount(input: &Path, index: usize, file: &str, bytes: &[u8]) {
    let folder = input.join(index.to_string());
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(file), bytes).unwrap();
}

fn compressed(text: &str) -> Vec<u8> {
    zstd::encode_all(text.as_bytes(), 3).unwrap()
}
