//! Builds one side the way a user would during a day, and measures each build.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use condafront_testkit::engine::{Engine, Store, run, run_within};

use crate::Result;
use crate::registry::{Registry, Stored};
use crate::side::{Installer, Project, Side};
use crate::workload::{PROGRAM, State, Workload};

/// The image's repository.
const REPOSITORY: &str = "bench";

/// The time limit of a build.
const BUILD_LIMIT: Duration = Duration::from_hours(1);

/// A measured build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The first build, on an empty engine and with an empty registry.
    Cold,
    /// The same build again.
    Unchanged,
    /// A package of a few kilobytes has a new version.
    SmallChanged,
    /// A package of 20 MB has a new version.
    LargeChanged,
}

impl Step {
    /// All builds, in order.
    pub(crate) const ALL: [Self; 4] = [
        Self::Cold,
        Self::Unchanged,
        Self::SmallChanged,
        Self::LargeChanged,
    ];

    fn state(self) -> State {
        match self {
            Self::Cold | Self::Unchanged => State::Before,
            Self::SmallChanged => State::SmallChanged,
            Self::LargeChanged => State::LargeChanged,
        }
    }
}

/// The cost of one build and push.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measured {
    /// The time from the command's start to its end.
    pub(crate) time: Duration,
    /// How much the registry's storage grew, in bytes.
    pub(crate) pushed: u64,
}

/// All builds of one side.
pub(crate) struct Run {
    /// One measurement for each of [`Step::ALL`].
    pub(crate) steps: Vec<Measured>,
    /// The first image, as pushed.
    pub(crate) image: Stored,
    /// The size of the image's files in bytes.
    pub(crate) unpacked: u64,
    /// The engine's version.
    pub(crate) engine: String,
}

/// Measures one side on a fresh engine with a fresh registry.
pub(crate) fn run_side(
    side: Side,
    workload: &Workload,
    installer: &Installer,
    logs: Option<&Path>,
) -> Result<Run> {
    let registry = Registry::start()?;
    let engine = Engine::start_fresh(Store::Containerd);
    let project = Project::new(side, workload, installer)?;
    let mut steps = Vec::new();
    let mut first = None;
    for step in Step::ALL {
        // A tag for each build, as in CI. If a tag moves to another image, BuildKit before pull request
        // 6558 may lose layers that both images share while it unpacks the new one.
        let tag = format!("{step:?}").to_lowercase();
        let image = format!("{}/{REPOSITORY}:{tag}", registry.address());
        project.set(step.state())?;
        let before = registry.bytes()?;
        let started = Instant::now();
        let output =
            run_within(&mut project.command(&engine, &image), BUILD_LIMIT).expect_success();
        let time = started.elapsed();
        steps.push(Measured {
            time,
            pushed: registry.bytes()? - before,
        });
        if let Some(logs) = logs {
            fs::write(format!("{}-{step:?}.json", logs.display()), output.stderr)?;
        }
        check(&engine, &image, step.state())?;
        if step == Step::Cold {
            first = Some((
                registry.image(REPOSITORY, &tag)?,
                unpacked(&engine, &image)?,
            ));
        }
    }
    let (stored, unpacked) = first.ok_or("nothing was built")?;
    let version = run(&mut engine.docker(["version", "--format", "{{.Server.Version}}"]));
    Ok(Run {
        steps,
        image: stored,
        unpacked,
        engine: version.expect_success().stdout.trim().to_owned(),
    })
}

fn in_container(engine: &Engine, image: &str, options: &[&str], command: &[&str]) -> String {
    let start = ["run", "--rm", "--network", "none"];
    let arguments = [&start, options, &[image], command].concat();
    run(&mut engine.docker(arguments)).expect_success().stdout
}

/// Checks that the image runs and has the requested packages.
fn check(engine: &Engine, image: &str, state: State) -> Result<()> {
    let printed = in_container(engine, image, &[], &["python", "-c", PROGRAM]);
    if printed == state.expected() {
        Ok(())
    } else {
        Err(format!("the image of {state:?} is wrong: it printed {printed:?}").into())
    }
}

/// The size of the image's files in bytes.
fn unpacked(engine: &Engine, image: &str) -> Result<u64> {
    let options = ["--user", "0", "--entrypoint", "du"];
    let printed = in_container(engine, image, &options, &["-sxB1", "--apparent-size", "/"]);
    let bytes = printed.split_whitespace().next().unwrap_or_default();
    Ok(bytes.parse()?)
}
