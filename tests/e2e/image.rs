//! Images besides the project's own, and containers that keep running.

use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use condafront_testkit::engine::Output;
use serde_json::Value;

use crate::project::{Project, kept_by};

/// How long to wait for a container.
const DEADLINE: Duration = Duration::from_mins(1);

/// How often to look at what it has said.
const POLL: Duration = Duration::from_millis(100);

/// An image made from a Dockerfile by the engine's own frontend. It is removed with the engine.
pub(crate) struct Image<'a> {
    project: &'a Project,
    tag: String,
}

impl<'a> Image<'a> {
    /// Builds the Dockerfile without network, in the project's folder.
    pub(crate) fn from_dockerfile(project: &'a Project, dockerfile: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let tag = format!("{}-derived-{number}", project.name());
        let file = format!("Dockerfile.{number}");
        project.write(&file, dockerfile);
        let (file, folder) = (project.path(&file), project.path("."));
        let (file, folder) = (file.to_string_lossy(), folder.to_string_lossy());
        let usual = ["build", "--network", "none", "-f", &file, "-t", &tag];
        let kept = kept_by(project.engine.store());
        project
            .docker(&[&usual[..], kept, &[&folder]].concat())
            .expect_success();
        Self::named(project, tag)
    }

    /// An image that something else makes under this name.
    pub(crate) fn named(project: &'a Project, tag: String) -> Self {
        Self { project, tag }
    }

    /// Its name.
    pub(crate) fn tag(&self) -> &str {
        &self.tag
    }

    /// `docker run` of this image without network.
    pub(crate) fn run(&self, options: &[&str], command: &[&str]) -> Output {
        let run = ["run", "--rm", "--network", "none"];
        self.project
            .docker(&[&run[..], options, &[&self.tag], command].concat())
    }
}

/// A running container. Dropping it kills and removes it.
pub(crate) struct Container<'a> {
    project: &'a Project,
    id: String,
}

impl<'a> Container<'a> {
    /// Starts the project's image in the background.
    pub(crate) fn start(project: &'a Project, options: &[&str], command: &[&str]) -> Self {
        let run = ["run", "--detach", "--network", "none"];
        let output = project
            .docker(&[&run[..], options, &[project.tag()], command].concat())
            .expect_success();
        Self::started(project, output.stdout.trim())
    }

    /// A container that something else has started.
    pub(crate) fn started(project: &'a Project, id: &str) -> Self {
        Self {
            project,
            id: id.to_owned(),
        }
    }

    /// The engine's ID for it.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// `docker exec` in it.
    pub(crate) fn exec(&self, options: &[&str], command: &[&str]) -> Output {
        self.project
            .docker(&[&["exec"], options, &[&self.id], command].concat())
    }

    /// Where this machine reaches a port that it publishes.
    pub(crate) fn address(&self, port: u16) -> String {
        let port = port.to_string();
        let published = self.project.docker(&["port", &self.id, &port]);
        let published = published.expect_success().stdout;
        published.lines().next().expect("an address").to_owned()
    }

    /// The first address in its output that begins like this.
    pub(crate) fn address_in_logs(&self, beginning: &str) -> String {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let logs = self.project.docker(&["logs", &self.id]).expect_success();
            let all = format!("{}{}", logs.stdout, logs.stderr);
            let found = all
                .split_whitespace()
                .find(|word| word.starts_with(beginning));
            if let Some(found) = found {
                return found.to_owned();
            }
            assert!(Instant::now() < deadline, "no {beginning} in {all}");
            sleep(POLL);
        }
    }

    /// Waits until its output contains this line.
    pub(crate) fn wait_for(&self, line: &str) {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let logs = self.project.docker(&["logs", &self.id]).expect_success();
            if logs.stdout.lines().any(|found| found == line) {
                return;
            }
            assert!(
                Instant::now() < deadline,
                "no {line:?} in {:?} {:?}",
                logs.stdout,
                logs.stderr
            );
            sleep(POLL);
        }
    }

    /// `docker stop`, with a time limit that no test reaches. Returns the exit code and the output.
    pub(crate) fn stop(&self) -> (i64, String) {
        let limit = (DEADLINE * 2).as_secs().to_string();
        self.project
            .docker(&["stop", "--time", &limit, &self.id])
            .expect_success();
        let state = inspect(self.project, &self.id, "{{json .State.ExitCode}}");
        let logs = self.project.docker(&["logs", &self.id]).expect_success();
        (state.as_i64().expect("an exit code"), logs.stdout)
    }
}

impl Drop for Container<'_> {
    fn drop(&mut self) {
        self.project.docker(&["rm", "--force", &self.id]);
    }
}

/// Runs these commands in one container, each in a shell of its own, and checks what each of them prints. `run` starts the
/// container with the words that it is given.
#[track_caller]
pub(crate) fn each_prints(run: impl FnOnce(&[&str]) -> Output, commands: &[(&str, &str)]) {
    const END: &str = "-- ended with ";
    let script: String = commands
        .iter()
        .map(|(command, _)| format!("({command}\n)\necho \"{END}$?\"\n"))
        .collect();
    let output = run(&["sh", "-c", &script]).expect_success();
    let mut rest = output.stdout.as_str();
    for (command, expected) in commands {
        let (printed, after) = rest
            .split_once(END)
            .unwrap_or_else(|| panic!("{command}: {output:?}"));
        let (code, after) = after.split_once('\n').unwrap_or((after, ""));
        assert_eq!(
            (printed, code),
            (*expected, "0"),
            "{command}: {}",
            output.stderr
        );
        rest = after;
    }
}

/// How each layer of an image was made, from `docker history`, with the base image's layers first.
pub(crate) fn history(project: &Project, image: &str) -> Vec<String> {
    let history = ["history", "--no-trunc", "--format", "{{.CreatedBy}}", image];
    let said = project.docker(&history).expect_success().stdout;
    said.lines().rev().map(str::to_owned).collect()
}

/// A part of the output of `docker inspect`.
pub(crate) fn inspect(project: &Project, name: &str, format: &str) -> Value {
    let output = project
        .docker(&["inspect", "--format", format, name])
        .expect_success();
    serde_json::from_str(&output.stdout).expect("docker inspect writes JSON")
}
