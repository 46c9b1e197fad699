//! Measures one side, the way a user and a registry would see it.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use condafront_testkit::engine::{Engine, Store, run, run_within};

use crate::Result;
use crate::conditions::{Builder, Conditions};
use crate::environment::{Change, Environment};
use crate::memory::Watch;
use crate::registry::{Registry, Stored};
use crate::scenario::Scenario;
use crate::side::{Project, Side};

/// The image's repository, and that of another project's image.
const REPOSITORIES: [&str; 2] = ["bench", "other"];

/// The time limit of a build.
const BUILD_LIMIT: Duration = Duration::from_hours(1);

/// How many times the entrypoint runs in [`Scenario::Start`].
const STARTS: u32 = 200;

/// What a scenario costs.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Measured {
    /// From the command's start to its end, in seconds.
    pub(crate) seconds: f64,
    /// Bytes from the channel's server.
    pub(crate) downloaded: f64,
    /// How much the registry's storage grew, or what a host pulled, in bytes.
    pub(crate) moved: f64,
    /// Layers that the first image does not have.
    pub(crate) layers: f64,
    /// The most memory that the machine used at one time, in bytes.
    pub(crate) memory: f64,
}

/// All measurements of one side.
pub(crate) struct Run {
    /// One for each of [`Side::scenarios`].
    pub(crate) measured: Vec<Measured>,
    /// The first image, as pushed.
    pub(crate) image: Stored,
    /// The engine's version.
    pub(crate) engine: String,
}

/// One side of the comparison, with what it runs on.
pub(crate) struct Bench<'a> {
    pub(crate) side: Side,
    pub(crate) environment: &'a Environment,
    pub(crate) micromamba: Option<&'a Path>,
    pub(crate) conditions: Conditions,
    /// A folder for the builds' progress.
    pub(crate) logs: Option<&'a Path>,
}

impl Bench<'_> {
    /// Measures all scenarios, on fresh engines and with a fresh registry.
    pub(crate) fn run(&self) -> Result<Run> {
        let registry = Registry::start()?;
        let address: SocketAddr = registry.address().parse()?;
        let pushed_to = self.conditions.network.to(address)?.to_string();
        let channel = self
            .conditions
            .network
            .to(self.environment.address())?
            .to_string();
        let project = Project::new(self.side, self.environment, channel, self.micromamba)?;
        let builder = self.conditions.builder;
        let engine = Engine::start_fresh(builder.store());
        let version = version(&engine)?;
        let mut day = Day {
            bench: self,
            registry: &registry,
            pushed_to,
            project,
            first: None,
            // A buildkitd runs no containers.
            witness: (builder == Builder::Buildkitd)
                .then(|| Engine::start_fresh(Store::Containerd)),
        };
        let mut measured = Vec::new();
        let mut host = None;
        for scenario in self.side.scenarios(self.environment.size()) {
            measured.push(match scenario {
                Scenario::Cold => day.build(&engine, "first", Change::None, &[])?,
                Scenario::Change(change) => day.change(&engine, change)?,
                Scenario::Targets => day.targets(&engine)?,
                Scenario::EmptyBuilder(change) => day.with_an_empty_builder(&engine, change)?,
                Scenario::Pull => {
                    let host = host.insert(Engine::start_fresh(Store::Containerd));
                    day.pull(host, "first")?
                }
                Scenario::Update => day.pull(host.as_ref().unwrap_or(&engine), "small")?,
                Scenario::Start => day.start(host.as_ref().unwrap_or(&engine))?,
            });
        }
        Ok(Run {
            measured,
            image: day.first.ok_or("nothing was built")?,
            engine: version,
        })
    }
}

/// What the scenarios of a side share.
struct Day<'a> {
    bench: &'a Bench<'a>,
    registry: &'a Registry,
    /// The registry's address through the network.
    pushed_to: String,
    project: Project<'a>,
    first: Option<Stored>,
    /// The engine that tries the images, if it is not the one that builds them.
    witness: Option<Engine>,
}

impl Day<'_> {
    /// The tag of the image with a change. Each build has its own, as in CI. If a tag moves to another image, BuildKit
    /// before pull request 6558 may lose layers that both images share while it unpacks the new one.
    fn tag(change: Change) -> String {
        format!("{change:?}").to_lowercase()
    }

    fn change(&mut self, engine: &Engine, change: Change) -> Result<Measured> {
        self.build(engine, &Self::tag(change), change, &[])
    }

    /// Builds and pushes.
    fn build(
        &mut self,
        engine: &Engine,
        tag: &str,
        change: Change,
        options: &[&str],
    ) -> Result<Measured> {
        let repository = REPOSITORIES[usize::from(change == Change::Project)];
        let image = format!("{}/{repository}:{tag}", self.pushed_to);
        self.project.set(change)?;
        self.bench.environment.clear();
        let before = self.registry.bytes()?;
        let conditions = self.bench.conditions;
        let push = conditions.compression.push();
        let push = [push, "--progress", "rawjson", "--tag", &image];
        let options = [&push, options].concat();
        let mut command = self.project.command(engine, change, conditions, &options);
        let watch = Watch::start();
        let started = Instant::now();
        let output = run_within(&mut command, BUILD_LIMIT).expect_success();
        let seconds = started.elapsed().as_secs_f64();
        let memory = watch.peak() as f64;
        if let Some(logs) = self.bench.logs {
            fs::write(logs.join(format!("{tag}.json")), output.stderr)?;
        }
        let stored = self.registry.image(repository, tag)?;
        let first = self.first.get_or_insert_with(|| stored.clone());
        let measured = Measured {
            seconds,
            downloaded: self.bench.environment.downloaded() as f64,
            moved: (self.registry.bytes()? - before) as f64,
            layers: stored.not_in(first).count() as f64,
            memory,
        };
        self.check(self.witness.as_ref().unwrap_or(engine), &image, change)?;
        Ok(measured)
    }

    /// Asks the frontend for the file's targets.
    fn targets(&self, engine: &Engine) -> Result<Measured> {
        self.project.set(Change::None)?;
        let options = ["--call=targets"];
        let conditions = self.bench.conditions;
        let mut command = self
            .project
            .command(engine, Change::None, conditions, &options);
        let started = Instant::now();
        run_within(&mut command, BUILD_LIMIT).expect_success();
        Ok(Measured {
            seconds: started.elapsed().as_secs_f64(),
            ..Measured::default()
        })
    }

    /// Builds on an engine that has nothing, with the cache of the first build in the registry.
    fn with_an_empty_builder(&mut self, engine: &Engine, change: Change) -> Result<Measured> {
        let cache = format!(
            "type=registry,ref={}/{}-cache",
            self.pushed_to, REPOSITORIES[0]
        );
        if change == Change::None {
            // Not measured: the engine has built this before.
            let to = format!("{cache},mode=max");
            self.build(engine, "cached", change, &["--cache-to", &to])?;
        }
        let empty = Engine::start_fresh(engine.store());
        let tag = format!("empty-{}", Self::tag(change));
        self.build(&empty, &tag, change, &["--cache-from", &cache])
    }

    /// Pulls an image.
    fn pull(&self, host: &Engine, tag: &str) -> Result<Measured> {
        let image = format!("{}/{}:{tag}", self.pushed_to, REPOSITORIES[0]);
        let started = Instant::now();
        run_within(&mut host.docker(["pull", "--quiet", &image]), BUILD_LIMIT).expect_success();
        let seconds = started.elapsed().as_secs_f64();
        let stored = self.registry.image(REPOSITORIES[0], tag)?;
        let first = self.first.as_ref().ok_or("nothing was built")?;
        let new: Vec<u64> = match tag {
            "first" => stored.layers.values().copied().collect(),
            _ => stored.not_in(first).collect(),
        };
        Ok(Measured {
            seconds,
            moved: new.iter().sum::<u64>() as f64,
            layers: new.len() as f64,
            ..Measured::default()
        })
    }

    /// What the image's entrypoint adds to a start, in seconds: in one container, since the start of a container takes a
    /// hundred times as long and varies by more.
    fn start(&self, host: &Engine) -> Result<Measured> {
        // What a container prints shows that it ran: one that prints nothing is run again.
        const REPEAT: &str = "n=$1; shift; i=0; while [ $i -lt $n ]; do \"$@\" /bin/true || exit; i=$((i + 1)); done; echo done";
        let image = format!("{}/{}:first", self.pushed_to, REPOSITORIES[0]);
        let inspect = ["inspect", "--format", "{{json .Config.Entrypoint}}", &image];
        let printed = run(&mut host.docker(inspect)).expect_success().stdout;
        let entrypoint: Vec<String> = serde_json::from_str(&printed)?;
        let seconds = |through: &[&str]| {
            let count = STARTS.to_string();
            let start = [
                "run",
                "--rm",
                "--network",
                "none",
                "--entrypoint",
                "/bin/sh",
            ];
            let shell = [&image, "-c", REPEAT, "sh", &count];
            let arguments = [&start[..], &shell, through].concat();
            let started = Instant::now();
            run(&mut host.docker(arguments)).expect_success();
            started.elapsed().as_secs_f64()
        };
        let through: Vec<&str> = entrypoint.iter().map(String::as_str).collect();
        let with = seconds(&through);
        // `env` alone: a program that runs another one, as every entrypoint does.
        let without = seconds(&["/usr/bin/env"]);
        Ok(Measured {
            seconds: (with - without) / f64::from(STARTS),
            ..Measured::default()
        })
    }

    /// Checks that the image runs and has the requested packages.
    fn check(&self, engine: &Engine, image: &str, change: Change) -> Result<()> {
        let (command, expected) = self.project.check(change);
        let start = ["run", "--rm", "--network", "none", image];
        let mut docker: Command = engine.docker([&start[..], &command].concat());
        let printed = run(&mut docker).expect_success().stdout;
        if printed == expected {
            Ok(())
        } else {
            Err(format!("the image with {change:?} is wrong: it printed {printed:?}").into())
        }
    }
}

/// The version of an engine.
fn version(engine: &Engine) -> Result<String> {
    if engine.store() != Store::Buildkitd {
        let shown = run(&mut engine.docker(["version", "--format", "{{.Server.Version}}"]));
        return Ok(shown.expect_success().stdout.trim().to_owned());
    }
    let shown = run(&mut engine.docker(["buildx", "inspect"])).expect_success();
    let mut lines = shown.stdout.lines();
    let version = lines.find_map(|line| line.trim().strip_prefix("BuildKit version:"));
    Ok(version
        .ok_or("buildx does not say which BuildKit it uses")?
        .trim()
        .to_owned())
}

/// The medians of several runs of a side.
pub(crate) fn medians(runs: &[Run]) -> Vec<Measured> {
    let of = |index: usize, value: fn(&Measured) -> f64| {
        crate::value::median(runs.iter().map(|run| value(&run.measured[index])).collect())
    };
    let count = runs.first().map_or(0, |run| run.measured.len());
    (0..count)
        .map(|index| Measured {
            seconds: of(index, |it| it.seconds),
            downloaded: of(index, |it| it.downloaded),
            moved: of(index, |it| it.moved),
            layers: of(index, |it| it.layers),
            memory: of(index, |it| it.memory),
        })
        .collect()
}
