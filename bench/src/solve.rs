//! `make bench ARGS=solve`: measures a solve with package lists as long as conda-forge's.

use std::io::{Write, stdout};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use condafront_model::channel::ChannelPriority;
use condafront_model::origin::Origin;
use condafront_step_spec::args::StepSpec as _;
use condafront_step_spec::solve::{
    Glibc, Kept, PACKAGES_FILE, RepodataSpec, SolveChannel, SolveSpec, SolvedPackage, System,
};
use nix::sys::resource::{UsageWho, getrusage};

use crate::Result;
use crate::conda_forge::{self, LINUX_64, NOARCH};

/// The requested packages.
const SPECS: &[&str] = &[
    "python 3.12.*",
    "numpy",
    "pandas",
    "scipy",
    "h5py",
    "jupyterlab",
];

/// The name of each subdir's package list, as in conda-forge.
const LIST: &str = "repodata.json.zst";

/// Solves `runs` times with the frontend's own binary, like the steps of the build: in file systems with nothing else but
/// their input, and on one processor.
pub(crate) fn run(program: &Path, runs: usize) -> Result<()> {
    let mut out = stdout();
    writeln!(
        out,
        "making package lists with {LINUX_64} and {NOARCH} records"
    )?;
    let (root, second) = (tempfile::tempdir()?, tempfile::tempdir()?);
    for root in [&root, &second] {
        std::fs::copy(program, root.path().join("condafront"))?;
        std::fs::create_dir(root.path().join("out"))?;
    }
    let mut sizes = Vec::new();
    for (index, json) in conda_forge::lists([LINUX_64, NOARCH])
        .into_iter()
        .enumerate()
    {
        let folder = root.path().join(format!("in/{index}"));
        std::fs::create_dir_all(&folder)?;
        let compressed = zstd::encode_all(json.as_bytes(), 9)?;
        sizes.push((json.len(), compressed.len()));
        std::fs::write(folder.join(LIST), compressed)?;
    }
    for (subdir, (plain, compressed)) in ["linux-64", "noarch"].iter().zip(&sizes) {
        writeln!(
            out,
            "{subdir}: {} MB, {} MB compressed",
            plain / 1_000_000,
            compressed / 1_000_000
        )?;
    }
    let mut times = Vec::new();
    for number in 1..=runs {
        let before = getrusage(UsageWho::RUSAGE_CHILDREN)?;
        let start = Instant::now();
        step(root.path(), reach()?)?;
        let found = start.elapsed().as_secs_f64();
        // What one step writes is what the next one reads.
        let records = second.path().join("in");
        if number > 1 {
            std::fs::remove_dir_all(&records)?;
        }
        std::fs::rename(root.path().join("out"), &records)?;
        std::fs::create_dir(root.path().join("out"))?;
        let start = Instant::now();
        step(second.path(), solve()?)?;
        let chosen = start.elapsed().as_secs_f64();
        let elapsed = found + chosen;
        let after = getrusage(UsageWho::RUSAGE_CHILDREN)?;
        let seconds = |usage: &nix::sys::resource::Usage| {
            let (user, system) = (usage.user_time(), usage.system_time());
            (user.tv_sec() + system.tv_sec()) as f64
                + (user.tv_usec() + system.tv_usec()) as f64 / 1e6
        };
        let busy = seconds(&after) - seconds(&before);
        // In kilobytes: the maximum of all children, and the first step is the largest.
        let memory = after.max_rss() / 1000;
        writeln!(
            out,
            "run {number}: {found:.2} s to find records, {chosen:.2} s to choose; {busy:.2} s CPU time; peak memory {memory} MB"
        )?;
        times.push(elapsed);
    }
    times.sort_by(f64::total_cmp);
    let answer = std::fs::read(second.path().join("out").join(PACKAGES_FILE))?;
    let packages: Vec<SolvedPackage> = serde_json::from_slice(&answer)?;
    writeln!(
        out,
        "\nsolving {} for linux-64 with one processor: {} packages in {:.2} s (median), aim: under 3 s and 1 GB",
        SPECS.join(", "),
        packages.len(),
        times[times.len() / 2]
    )?;
    Ok(())
}

/// The request to the step.
fn question() -> (SolveSpec, [RepodataSpec; 2]) {
    let spec = SolveSpec {
        subdir: "linux-64".to_owned(),
        channels: vec![SolveChannel {
            name: "conda-forge".to_owned(),
            url: "https://conda.anaconda.org/conda-forge".to_owned(),
            group: None,
        }],
        priority: ChannelPriority::Strict,
        specs: SPECS.iter().map(|spec| (*spec).to_owned()).collect(),
        system: System {
            glibc: Glibc::Base("2.41".to_owned()),
            archspec: Some("x86_64".to_owned()),
            cuda: None,
            cuda_arch: None,
        },
        exclude_newer: None,
        origin: Origin::default(),
        kept: Kept::default(),
    };
    let files = ["linux-64", "noarch"].map(|subdir| RepodataSpec {
        channel: 0,
        subdir: subdir.to_owned(),
        file: LIST.to_owned(),
        address: None,
    });
    (spec, files)
}

/// The arguments of the step that finds the reachable records.
fn reach() -> Result<Vec<String>> {
    let (spec, files) = question();
    let args = spec.reach().to_args(&files);
    Ok(args.map_err(|error| error.to_string())?)
}

/// The arguments of the step that chooses among them.
fn solve() -> Result<Vec<String>> {
    let (spec, files) = question();
    let args = spec
        .of_reachable()
        .to_args(&files.map(|file| file.reachable()));
    Ok(args.map_err(|error| error.to_string())?)
}

/// Runs a step in its file system.
fn step(root: &Path, args: Vec<String>) -> Result<()> {
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", "0", "unshare", "--map-root-user", "chroot"]);
    let output = command.arg(root).arg("/condafront").args(args).output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&output.stderr).into_owned().into())
}

/// The release binary of the frontend image.
pub(crate) fn program() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    PathBuf::from(target).join("frontend/condafront")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_can_be_solved() {
        let input = tempfile::tempdir().unwrap();
        for (index, json) in conda_forge::lists([0, 0]).into_iter().enumerate() {
            let folder = input.path().join(index.to_string());
            std::fs::create_dir(&folder).unwrap();
            std::fs::write(folder.join(LIST), json).unwrap();
        }
        let (spec, files) = question();
        let packages = condafront_steps::solve::solve(&spec, &files, input.path()).unwrap();
        assert!(packages.len() > 100, "{}", packages.len());
    }
}
