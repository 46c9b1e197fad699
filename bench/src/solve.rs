//! `make bench ARGS=solve`: measures a solve with a channel as long as conda-forge, from shards and from whole lists.

use std::fs;
use std::io::{Read as _, Write, stdout};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use condafront_model::channel::ChannelPriority;
use condafront_model::origin::Origin;
use condafront_step_spec::args::StepSpec as _;
use condafront_step_spec::solve::{
    Glibc, Kept, PACKAGES_FILE, RECORDS_FILE, RepodataSpec, SHARDS_FILE, SolveChannel, SolveSpec,
    SolvedPackage, System, UNUSABLE_FILE, Unusable,
};
use condafront_testkit::repodata::next;
use condafront_testkit::server::Server;
use condafront_testkit::shards::{Shards, shards};
use tempfile::TempDir;

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

/// The channel's subdirs.
const SUBDIRS: [&str; 2] = ["linux-64", "noarch"];

/// The name of each subdir's whole list, as in conda-forge.
const LIST: &str = "repodata.json.zst";

/// Where the first step finds its records.
#[derive(Clone, Copy, PartialEq, Eq)]
enum From {
    /// In a list of shards, and in the shards that it downloads.
    Shards,
    /// In whole lists.
    Lists,
}

impl From {
    const BOTH: [Self; 2] = [Self::Shards, Self::Lists];

    /// The file of each subdir that BuildKit downloads for the step.
    fn file(self) -> &'static str {
        match self {
            Self::Shards => SHARDS_FILE,
            Self::Lists => LIST,
        }
    }
}

/// A channel at one time.
struct Published {
    lists: [Vec<u8>; 2],
    shards: [Shards; 2],
}

impl Published {
    /// Compresses the lists and makes shards of them, which the server has from now on.
    fn new(lists: &[String; 2], server: &Server) -> Result<Self> {
        let compressed = lists
            .iter()
            .map(|json| zstd::encode_all(json.as_bytes(), 9))
            .collect::<std::io::Result<Vec<_>>>()?;
        let made = lists.each_ref().map(|json| shards(json, "shards/"));
        for (subdir, shards) in SUBDIRS.iter().zip(&made) {
            let folder = format!("/{subdir}");
            shards.serve(server, &folder, &format!("{folder}/shards"));
        }
        let lists = compressed.try_into().map_err(|_| "two lists")?;
        Ok(Self {
            lists,
            shards: made,
        })
    }

    /// The file of each subdir that BuildKit downloads.
    fn files(&self, from: From) -> [&[u8]; 2] {
        match from {
            From::Lists => self.lists.each_ref().map(Vec::as_slice),
            From::Shards => self.shards.each_ref().map(|shards| shards.list.as_slice()),
        }
    }
}

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
    let spec = SolveSpec {
        subdir: "linux-64".to_owned(),
        channels: vec![SolveChannel {
            name: "conda-forge".to_owned(),
            url: "https://conda.anaconda.org/conda-forge".to_owned(),
            group: None,
        }],
        priority: ChannelPriority::Strict,
        specs: SPECS.iter().map(|spec| (*spec).to_owned()).collect(),
        own: None,
        system: System {
            glibc: Glibc::Base("2.41".to_owned()),
            archspec: Some("x86_64".to_owned()),
            cuda: None,
            cuda_arch: None,
        },
        exclude_newer: None,
        without_pip: false,
        origin: Origin::default(),
        kept: Kept::default(),
        installed: Vec::new(),
    };
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
mod tests {
    use super::*;
    use condafront_steps::solve::{reachable, solve};
    use serde_json::json;

    #[test]
    fn the_request_can_be_solved() {
        let input = tempfile::tempdir().unwrap();
        for (index, json) in conda_forge::lists([0, 0]).into_iter().enumerate() {
            let folder = input.path().join(index.to_string());
            fs::create_dir(&folder).unwrap();
            fs::write(folder.join(LIST), json).unwrap();
        }
        let (spec, files) = question(From::Lists, &Server::start());
        let packages = condafront_steps::solve::solve(&spec, &files, input.path()).unwrap();
        assert!(packages.len() > 100, "{}", packages.len());
    }

    /// A number that looks random and is the same in each run (FNV-1a).
    fn mixed(number: u64, text: &str) -> u64 {
        let start = 0xcbf2_9ce4_8422_2325 ^ number;
        text.bytes().fold(start, |sum, byte| {
            (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        }) >> 16
    }

    /// A list with some of the records of `list`.
    fn subset(list: &serde_json::Value, is_in: impl Fn(&str) -> bool) -> String {
        let mut found = json!({"info": list["info"], "removed": [], "repodata_version": 1});
        for key in ["packages", "packages.conda"] {
            let all = list[key].as_object().unwrap().iter();
            let some = all.filter(|(file, _)| is_in(file));
            found[key] = some
                .map(|(file, record)| (file.clone(), record.clone()))
                .collect();
        }
        found.to_string()
    }

    /// What the requests of a side find: with the records that they reach, and without that step.
    fn found(from: From, published: &Published, server: &Server, specs: &[&str]) -> [Answer; 2] {
        let (input, records) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        for (index, bytes) in published.files(from).iter().enumerate() {
            let folder = input.path().join(index.to_string());
            fs::create_dir(&folder).unwrap();
            fs::write(folder.join(from.file()), bytes).unwrap();
        }
        let (mut spec, files) = question(from, server);
        spec.specs = specs.iter().map(|spec| (*spec).to_owned()).collect();
        let unusable = reachable(&spec, &files, input.path(), records.path()).unwrap();
        assert!(unusable.is_empty(), "{unusable:?}");
        let reached = files.each_ref().map(RepodataSpec::reachable);
        let chosen = solve(&spec.of_reachable(), &reached, records.path()).ok();
        let present = match from {
            From::Lists => solve(&spec, &files, input.path()).ok(),
            // Only whole lists can be solved at once.
            From::Shards => chosen.clone(),
        };
        [chosen, present]
    }

    type Answer = Option<Vec<SolvedPackage>>;

    #[test]
    fn fifty_subsets_have_the_same_answer_from_shards_and_from_lists() {
        let lists = conda_forge::lists([0, 0]);
        let lists = lists
            .each_ref()
            .map(|list| serde_json::from_str(list).unwrap());
        let names: Vec<&str> = conda_forge::libraries().collect();
        let is_library = |file: &str| {
            names.iter().any(|name| {
                file.strip_prefix(name)
                    .is_some_and(|rest| rest.starts_with('-'))
            })
        };
        let lists = lists
            .each_ref()
            .map(|list| serde_json::from_str(&subset(list, is_library)).unwrap());
        let mut answers = 0;
        for number in 0..50 {
            let is_in = |file: &str| mixed(number, file).is_multiple_of(8);
            let lists = lists.each_ref().map(|list| subset(list, is_in));
            let server = Server::start();
            let published = Published::new(&lists, &server).unwrap();
            let count = u64::try_from(names.len()).unwrap();
            let wanted = ["a", "b"].map(|which| {
                let index = usize::try_from(mixed(number, which) % count).unwrap();
                names[index]
            });
            let [of_shards, _] = found(From::Shards, &published, &server, &wanted);
            let [of_lists, present] = found(From::Lists, &published, &server, &wanted);
            answers += usize::from(present.is_some());
            assert_eq!(of_shards, present, "subset {number}: {wanted:?}");
            assert_eq!(of_lists, present, "subset {number}: {wanted:?}");
        }
        assert!(answers > 5, "{answers}");
    }

    #[test]
    fn both_sides_are_in_the_table() {
        let cost = |seconds| Cost {
            seconds,
            memory: 4e6 * seconds,
        };
        let run = |factor| Run {
            first: (1e6 * factor, [cost(factor), cost(0.5)]),
            again: (2e3 * factor, cost(0.25)),
        };
        let measured = [1.0, 10.0].map(|factor| vec![run(factor); 3]);
        let text = table(&measured);
        let rows: Vec<&str> = text.lines().collect();
        assert_eq!(
            rows[2],
            "| a new builder: from the server | 1.0 MB | 10.0 MB | 0.10 |"
        );
        assert_eq!(rows[5], "| choose | 0.50 s | 0.50 s | 1.00 |");
    }
}
