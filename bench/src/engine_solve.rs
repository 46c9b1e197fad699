//! `make bench ARGS="solve --engine"`: the same channel as in [`crate::solve`], in builds of the target `lock` on a real engine,
//! from shards and from whole lists.

use std::fs;
use std::io::{Write, stdout};
use std::path::Path;
use std::time::{Duration, Instant};

use condafront_testkit::engine::{Engine, Store, registry, run_within};
use condafront_testkit::repodata::next;
use condafront_testkit::server::Server;
use condafront_testkit::shards::{Shards, shards};

use crate::Result;
use crate::conda_forge;
use crate::memory::Steps;
use crate::solve::SPECS;
use crate::value::{Value, median};

/// The channel's subdirs.
const SUBDIRS: [&str; 2] = ["linux-64", "noarch"];

/// The channel's path on the server.
const CHANNEL: &str = "/conda-forge";

/// The time limit of a build.
const LIMIT: Duration = Duration::from_mins(30);

/// A build that is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Build {
    /// On an empty engine.
    First,
    /// Again, with the same lists.
    Same,
    /// With the channel's next lists, in which nothing reachable has changed.
    Next,
}

impl Build {
    const ALL: [Self; 3] = [Self::First, Self::Same, Self::Next];

    fn title(self) -> &'static str {
        match self {
            Self::First => "a new builder",
            Self::Same => "nothing changed",
            Self::Next => "the next lists",
        }
    }
}

/// What a build took.
#[derive(Clone, Debug, Default)]
struct Cost {
    seconds: f64,
    /// Bytes from the server.
    downloaded: f64,
    /// The most memory of the step that finds records, and of the one that chooses among them; 0 if it did not run.
    memory: [f64; 2],
    /// How many solves there were.
    solves: usize,
    /// The lock.
    lock: String,
}

/// The channel at one time.
struct Published {
    lists: [Vec<u8>; 2],
    shards: [Shards; 2],
}

impl Published {
    fn new(lists: &[String; 2]) -> Result<Self> {
        let compressed = lists
            .iter()
            .map(|json| zstd::encode_all(json.as_bytes(), 9));
        let compressed = compressed.collect::<std::io::Result<Vec<_>>>()?;
        Ok(Self {
            lists: compressed.try_into().map_err(|_| "two lists")?,
            shards: lists.each_ref().map(|json| shards(json, "shards/")),
        })
    }

    /// Puts it on a server, with or without shards.
    fn serve(&self, server: &Server, with_shards: bool) {
        for (index, subdir) in SUBDIRS.iter().enumerate() {
            let folder = format!("{CHANNEL}/{subdir}");
            server.put(
                &format!("{folder}/repodata.json.zst"),
                self.lists[index].clone(),
            );
            if with_shards {
                self.shards[index].serve(server, &folder, &format!("{folder}/shards"));
            }
        }
    }
}

/// Measures both sides `runs` times, with lists of `records` records.
pub(crate) fn run(records: [usize; 2], runs: usize) -> Result<()> {
    let mut out = stdout();
    let [linux, noarch] = records;
    writeln!(
        out,
        "making a channel with {linux} and {noarch} records, and its next lists"
    )?;
    let lists = conda_forge::lists(records);
    let later = lists.each_ref().map(|list| next(list));
    let published = [Published::new(&lists)?, Published::new(&later)?];
    drop((lists, later));
    let mut measured: [Vec<[Cost; 3]>; 2] = [Vec::new(), Vec::new()];
    for number in 1..=runs {
        for (with_shards, all) in [true, false].into_iter().zip(&mut measured) {
            let side = if with_shards { "shards" } else { "whole lists" };
            writeln!(out, "run {number} of {runs}: {side}")?;
            all.push(side_of(&published, with_shards)?);
        }
    }
    let [shards, lists] = measured
        .each_ref()
        .map(|runs| runs.last().map(|run| run[0].lock.as_str()));
    if shards != lists {
        return Err("shards and whole lists led to different packages".into());
    }
    let packages = shards
        .unwrap_or_default()
        .lines()
        .filter(|line| line.starts_with(CHANNEL))
        .count();
    if packages == 0 {
        return Err("the lock has no packages".into());
    }
    writeln!(
        out,
        "\n{} for linux-64, --target lock: {packages} packages (medians of {runs})\n",
        SPECS.join(", ")
    )?;
    out.write_all(table(&measured).as_bytes())?;
    Ok(())
}

/// All builds of one side, on a fresh engine.
fn side_of(published: &[Published; 2], with_shards: bool) -> Result<[Cost; 3]> {
    let server = Server::start();
    let engine = Engine::start_fresh(Store::Containerd);
    let folder = tempfile::tempdir()?;
    let specs: String = SPECS.iter().map(|spec| format!("- {spec}\n")).collect();
    let channel = server.url(CHANNEL);
    let text = format!(
        "# syntax={}/condafront:dev\nchannels: [{channel}]\ndependencies:\n{specs}",
        registry()
    );
    fs::write(folder.path().join("env.yml"), text)?;
    let build = |build: Build| -> Result<Cost> {
        let now = usize::from(build == Build::Next);
        published[now].serve(&server, with_shards);
        let cost = cost(&engine, &server, folder.path())?;
        let expected = usize::from(build == Build::First);
        if cost.solves != expected {
            return Err(format!("{}: {} solves", build.title(), cost.solves).into());
        }
        Ok(cost)
    };
    Ok([
        build(Build::First)?,
        build(Build::Same)?,
        build(Build::Next)?,
    ])
}

/// Builds once.
fn cost(engine: &Engine, server: &Server, folder: &Path) -> Result<Cost> {
    // The step downloads shards from this machine.
    let mut command = engine.docker([
        "buildx",
        "build",
        "--progress",
        "plain",
        "--network",
        "host",
        "--target",
        "lock",
        "-f",
        "env.yml",
        "-o",
        "locks",
        ".",
    ]);
    command.current_dir(folder);
    server.clear();
    let steps = Steps::watch(["reach", "solve"]);
    let started = Instant::now();
    let output = run_within(&mut command, LIMIT).expect_success();
    let seconds = started.elapsed().as_secs_f64();
    let memory = steps.peaks();
    let lock = fs::read_to_string(folder.join("locks/conda-linux-64.lock"))?;
    // Each run has a server with another port.
    let channel = server.url(CHANNEL);
    Ok(Cost {
        seconds,
        downloaded: server
            .requests()
            .iter()
            .map(|request| request.bytes)
            .sum::<u64>() as f64,
        memory,
        solves: output.stderr.matches("packages chosen: ").count(),
        lock: lock.replace(&channel, CHANNEL),
    })
}

/// The rows of the report, in Markdown.
fn table(measured: &[Vec<[Cost; 3]>; 2]) -> String {
    type Figure = fn(&Cost) -> Value;
    let figures: [(&str, Figure); 4] = [
        ("", |cost| Value::Seconds(cost.seconds)),
        (": from the server", |cost| Value::Bytes(cost.downloaded)),
        (": memory of the step that finds records", |cost| {
            Value::Bytes(cost.memory[0])
        }),
        (": memory of the step that chooses", |cost| {
            Value::Bytes(cost.memory[1])
        }),
    ];
    let mut text = "| | shards | whole lists | ratio |\n|---|---|---|---|\n".to_owned();
    for (index, build) in Build::ALL.into_iter().enumerate() {
        for (name, figure) in &figures {
            let [shards, lists] = measured.each_ref().map(|runs| {
                let values = runs.iter().map(|run| figure(&run[index]).number());
                figure(&runs[0][index]).with(median(values.collect()))
            });
            if shards.number() == 0.0 && lists.number() == 0.0 {
                continue;
            }
            let ratio = shards.number() / lists.number();
            text.push_str(&format!(
                "| {}{name} | {shards} | {lists} | {ratio:.2} |\n",
                build.title()
            ));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_build_is_in_the_table() {
        let cost = |seconds: f64, memory| Cost {
            seconds,
            downloaded: 1e6 * seconds,
            memory,
            ..Cost::default()
        };
        let run = |factor: f64| {
            [
                cost(2.0 * factor, [7e7, 8e7]),
                cost(1.0, [0.0, 0.0]),
                cost(1.5, [7e7 * factor, 0.0]),
            ]
        };
        let measured = [vec![run(1.0); 3], vec![run(5.0); 3]];
        let text = table(&measured);
        let rows: Vec<&str> = text.lines().collect();
        assert_eq!(rows[2], "| a new builder | 2.00 s | 10.00 s | 0.20 |");
        assert_eq!(rows[6], "| nothing changed | 1.00 s | 1.00 s | 1.00 |");
        // What did not run has no line.
        assert_eq!(rows.len(), 2 + 4 + 2 + 3, "{text}");
    }
}
