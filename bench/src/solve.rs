//! `make bench ARGS=solve`: measures a solve with a channel as long as conda-forge, from shards and from whole lists.

mod published;

use std::fs;
use std::io::{Read as _, Write, stdout};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use condafront_step_spec::args::StepSpec as _;
use condafront_step_spec::solve::{
    Glibc, PACKAGES_FILE, RECORDS_FILE, RepodataSpec, SHARDS_FILE, SolveSpec, SolvedPackage,
    UNUSABLE_FILE, Unusable,
};
use condafront_testkit::repodata::next;
use condafront_testkit::server::Server;
use tempfile::TempDir;

use self::published::{From, Published, SUBDIRS};
use crate::Result;
use crate::conda_forge::{self, LINUX_64, NOARCH};
use crate::memory::peak_of;
use crate::value::{Value, median};

/// The requested packages.
pub(crate) const SPECS: &[&str] = &[
    "python 3.12.*",
    "numpy",
    "pandas",
    "scipy",
    "h5py",
    "jupyterlab",
];

/// What one step took.
#[derive(Clone, Copy, Default)]
struct Cost {
    seconds: f64,
    /// The most memory that it used at one time.
    memory: f64,
}

/// What one side took, on a builder that has nothing, and again with the channel's next list.
#[derive(Clone, Copy, Default)]
struct Run {
    /// What the server sent, and the steps that find records and choose among them.
    first: (f64, [Cost; 2]),
    /// What the server sent, and the step that finds records. They are the same, so nothing is chosen.
    again: (f64, Cost),
}

/// Measures both sides `runs` times with the frontend's own binary, like the steps of the build: in file systems with
/// nothing else but their input, and on one processor.
pub(crate) fn run(program: &Path, runs: usize) -> Result<()> {
    let mut out = stdout();
    writeln!(
        out,
        "making a channel with {LINUX_64} and {NOARCH} records, with shards and whole lists, and its next lists"
    )?;
    let server = Server::start();
    let lists = conda_forge::lists([LINUX_64, NOARCH]);
    let later = lists.each_ref().map(|list| next(list));
    let [now, later] = [&lists, &later].map(|lists| Published::new(lists, &server));
    let (now, later) = (now?, later?);
    drop(lists);

    let mut measured = From::BOTH.map(|_| Vec::new());
    let mut packages = 0;
    for _ in 0..runs {
        for (from, all) in From::BOTH.into_iter().zip(&mut measured) {
            let (run, count) = Side::new(from, program)?.run(&now, &later, &server)?;
            all.push(run);
            packages = count;
        }
    }
    writeln!(
        out,
        "\n{} for linux-64, on one processor: {packages} packages (medians of {runs})\n",
        SPECS.join(", ")
    )?;
    out.write_all(table(&measured).as_bytes())?;
    Ok(())
}

/// The rows of the report, in Markdown.
fn table(measured: &[Vec<Run>; 2]) -> String {
    type Figure = fn(&Run) -> Value;
    let rows: [(&str, Figure); 8] = [
        ("a new builder: from the server", |run| {
            Value::Bytes(run.first.0)
        }),
        ("find records", |run| Value::Seconds(run.first.1[0].seconds)),
        ("find records, memory", |run| {
            Value::Bytes(run.first.1[0].memory)
        }),
        ("choose", |run| Value::Seconds(run.first.1[1].seconds)),
        ("choose, memory", |run| Value::Bytes(run.first.1[1].memory)),
        ("the next list: from the server", |run| {
            Value::Bytes(run.again.0)
        }),
        ("find the same records", |run| {
            Value::Seconds(run.again.1.seconds)
        }),
        ("find the same records, memory", |run| {
            Value::Bytes(run.again.1.memory)
        }),
    ];
    let mut text = "| | shards | whole lists | ratio |\n|---|---|---|---|\n".to_owned();
    for (name, figure) in rows {
        let [shards, lists] = measured.each_ref().map(|runs| {
            let values = runs.iter().map(|run| figure(run).number());
            figure(&runs[0]).with(median(values.collect()))
        });
        let ratio = shards.number() / lists.number();
        text.push_str(&format!("| {name} | {shards} | {lists} | {ratio:.2} |\n"));
    }
    text
}

/// One side: the file systems of its two steps.
struct Side {
    from: From,
    finding: TempDir,
    choosing: TempDir,
}

impl Side {
    fn new(from: From, program: &Path) -> Result<Self> {
        let side = Self {
            from,
            finding: tempfile::tempdir()?,
            choosing: tempfile::tempdir()?,
        };
        for root in [&side.finding, &side.choosing] {
            fs::copy(program, root.path().join("condafront"))?;
            for folder in ["out", "facts", "shards"] {
                fs::create_dir(root.path().join(folder))?;
            }
        }
        Ok(side)
    }

    /// Solves with the channel as it is now, and finds records again in what it publishes later. Also returns how many
    /// packages were chosen.
    fn run(&self, now: &Published, later: &Published, server: &Server) -> Result<(Run, usize)> {
        let (sent, finding) = self.find(now, server)?;
        let records = self.records()?;
        let input = self.choosing.path().join("in");
        fs::rename(self.finding.path().join("out"), input)?;
        fs::create_dir(self.finding.path().join("out"))?;
        let (spec, files) = question(self.from, server);
        let args = spec
            .of_reachable()
            .to_args(&files.map(|file| file.reachable()));
        let choosing = step(
            self.choosing.path(),
            args.map_err(|error| error.to_string())?,
        )?;
        let again = self.find(later, server)?;
        if self.records()? != records {
            return Err("the next list has other records for this solve".into());
        }
        let answer = fs::read(self.choosing.path().join("out").join(PACKAGES_FILE))?;
        let packages: Vec<SolvedPackage> = serde_json::from_slice(&answer)?;
        let run = Run {
            first: (sent, [finding, choosing]),
            again,
        };
        Ok((run, packages.len()))
    }

    /// Runs the first step with what the channel publishes, and returns how many bytes the server had to send.
    fn find(&self, published: &Published, server: &Server) -> Result<(f64, Cost)> {
        let mut sent = 0;
        for (index, bytes) in published.files(self.from).iter().enumerate() {
            let folder = self.finding.path().join(format!("in/{index}"));
            fs::create_dir_all(&folder)?;
            fs::write(folder.join(self.from.file()), bytes)?;
            sent += bytes.len() as u64;
        }
        server.clear();
        let (spec, files) = question(self.from, server);
        let args = spec.reach().to_args(&files);
        let cost = step(
            self.finding.path(),
            args.map_err(|error| error.to_string())?,
        )?;
        if self.from == From::Shards {
            let file = self.finding.path().join("facts").join(UNUSABLE_FILE);
            let unusable: Vec<Unusable> = serde_json::from_slice(&fs::read(file)?)?;
            if !unusable.is_empty() {
                return Err("the shards could not be used".into());
            }
        }
        let shards = server.requests();
        sent += shards.iter().map(|request| request.bytes).sum::<u64>();
        Ok((sent as f64, cost))
    }

    /// The records that the first step has found.
    fn records(&self) -> Result<Vec<Vec<u8>>> {
        let file = |index| {
            self.finding
                .path()
                .join(format!("out/{index}/{RECORDS_FILE}"))
        };
        let files = (0..SUBDIRS.len()).map(|index| fs::read(file(index)));
        Ok(files.collect::<std::io::Result<_>>()?)
    }
}

/// The request to the steps.
fn question(from: From, server: &Server) -> (SolveSpec, [RepodataSpec; 2]) {
    let url = "https://conda.anaconda.org/conda-forge".to_owned();
    let mut spec = SolveSpec::example([("conda-forge", url)], SPECS);
    spec.system.glibc = Glibc::Base("2.41".to_owned());
    let address = |subdir: &str| server.url(&format!("/{subdir}/{SHARDS_FILE}"));
    let files = SUBDIRS.map(|subdir| RepodataSpec {
        channel: 0,
        subdir: subdir.to_owned(),
        file: from.file().to_owned(),
        address: (from == From::Shards).then(|| address(subdir)),
    });
    (spec, files)
}

/// Runs a step in its file system.
fn step(root: &Path, args: Vec<String>) -> Result<Cost> {
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", "0", "unshare", "--map-root-user", "chroot"]);
    command.arg(root).arg("/condafront").args(args);
    let start = Instant::now();
    let mut child = command
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    // Each of these programs becomes the next. What the kernel says of an ended process includes their memory.
    let status = PathBuf::from(format!("/proc/{}/status", child.id()));
    let mut memory = 0.0;
    let ended = loop {
        memory = peak_of(&status).unwrap_or(memory);
        match child.try_wait()? {
            Some(ended) => break ended,
            None => std::thread::sleep(Duration::from_millis(2)),
        }
    };
    let seconds = start.elapsed().as_secs_f64();
    if ended.success() {
        return Ok(Cost { seconds, memory });
    }
    let mut message = String::new();
    if let Some(mut stderr) = child.stderr.take() {
        stderr.read_to_string(&mut message)?;
    }
    Err(message.into())
}

/// The release binary of the frontend image.
pub(crate) fn program() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    PathBuf::from(target).join("frontend/condafront")
}

#[cfg(test)]
mod tests;
