//! One folder of `examples/`: the commands in its README, and stand-ins for the internet.

use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};

use condafront_testkit::channel::Channel;
use condafront_testkit::engine::{Output, run};

use crate::image::Container;
use crate::project::{Project, base, frontend};

/// An example whose commands are run one after another.
///
/// conda-forge, bioconda and Docker Hub cannot be reached: the test channels are used as mirrors, and named contexts
/// replace the frontend image and the base images. The example's files are not changed.
pub(crate) struct Example<'a> {
    project: &'a Project,
    folder: PathBuf,
    commands: VecDeque<String>,
    contexts: Vec<(String, String)>,
    args: Vec<(String, String)>,
    options: Vec<&'static str>,
    replaced: Vec<(String, String)>,
}

/// Fetches a page in the container that this runs in, as soon as it is served.
const PAGE: &str = "
import http.client, sys, time, urllib.request
deadline = time.monotonic() + 60
while True:
    try:
        print(urllib.request.urlopen(sys.argv[1]).read().decode(), end='')
        break
    except (OSError, http.client.HTTPException):
        if time.monotonic() > deadline:
            raise
        time.sleep(0.1)
";

impl<'a> Example<'a> {
    /// The example of this name.
    pub(crate) fn new(project: &'a Project, name: &str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("examples")
            .join(name);
        let readme = fs::read_to_string(folder.join("README.md")).expect("the example's README");
        Self::of(project, folder, &readme)
    }

    /// The commands of this README, for the project's own folder.
    pub(crate) fn of_project(project: &'a Project, readme: &str) -> Self {
        Self::of(project, project.path("."), readme)
    }

    fn of(project: &'a Project, folder: PathBuf, readme: &str) -> Self {
        project
            .server
            .mount("/bioconda", Channel::bioconda().directory());
        let mirror = format!("https://conda.anaconda.org={}", project.server.url("/"));
        Self {
            project,
            folder,
            commands: commands(readme),
            contexts: vec![
                image_context("org/condafront", &frontend()),
                image_context("debian:13-slim", &base()),
            ],
            args: vec![
                ("CONDA_MIRRORS".to_owned(), mirror),
                ("CONDAFRONT_INSTALLER".to_owned(), "native".to_owned()),
            ],
            options: Vec::new(),
            replaced: Vec::new(),
        }
    }

    /// Works on a copy of the folder, and returns the copy's path.
    pub(crate) fn copied(mut self) -> (Self, PathBuf) {
        let copy = self.project.path("copy");
        fs::create_dir(&copy).expect("a folder for the copy");
        for entry in fs::read_dir(&self.folder).expect("the example's folder") {
            let entry = entry.expect("an entry in the example's folder");
            fs::copy(entry.path(), copy.join(entry.file_name())).expect("a copied file");
        }
        self.folder.clone_from(&copy);
        (self, copy)
    }

    /// Replaces a base image with another image.
    pub(crate) fn base(mut self, name: &str, image: &str) -> Self {
        self.contexts.retain(|(known, _)| known != name);
        self.contexts.push(image_context(name, image));
        self
    }

    /// Sets a build-arg for all builds, in addition to the README's or instead of a default.
    pub(crate) fn build_arg(mut self, name: &str, value: &str) -> Self {
        self.args.retain(|(known, _)| known != name);
        self.args.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Gives build steps that need a network the machine's, where the tests' servers are.
    pub(crate) fn with_the_network(mut self) -> Self {
        self.options = vec!["--network", "host"];
        self
    }

    /// Uses the installer that the example chooses.
    pub(crate) fn with_its_installer(mut self) -> Self {
        self.args.retain(|(name, _)| name != "CONDAFRONT_INSTALLER");
        self
    }

    /// Replaces a part of the commands, such as the registry.
    pub(crate) fn replace(mut self, from: &str, to: &str) -> Self {
        self.replaced.push((from.to_owned(), to.to_owned()));
        self
    }

    /// Runs the following commands on the engine of another project.
    pub(crate) fn continue_on(&mut self, project: &'a Project) {
        self.project = project;
    }

    /// Runs the README's next command, which must contain `beginning`.
    #[track_caller]
    pub(crate) fn run(&mut self, beginning: &str) -> Output {
        self.try_run(beginning).expect_success()
    }

    /// Like [`Example::run`], for a command that may fail.
    #[track_caller]
    pub(crate) fn try_run(&mut self, beginning: &str) -> Output {
        let command = self.next(beginning);
        self.execute(&command)
    }

    /// Runs the README's next command, but keeps it as the next one.
    #[track_caller]
    pub(crate) fn rehearse(&mut self, beginning: &str) -> Output {
        let command = self.next(beginning);
        self.commands.push_front(command.clone());
        self.execute(&command)
    }

    /// Starts the README's next command, a `docker run` that keeps running, with additional options.
    #[track_caller]
    pub(crate) fn start(&mut self, options: &[&str]) -> Container<'a> {
        let command = self.next("docker run ");
        let words = self.words(&command);
        let words = words.iter().map(String::as_str).skip(2);
        let words: Vec<&str> = words.filter(|word| *word != "--rm").collect();
        let run = ["run", "--detach"];
        let args = [&run[..], options, &without_machine(&words)].concat();
        let output = self.project.docker(&args).expect_success();
        Container::started(self.project, output.stdout.trim())
    }

    /// Starts the README's next command, a `docker run` that keeps running, with its ports published as any ports of
    /// this machine's loopback.
    #[track_caller]
    pub(crate) fn start_published(&mut self) -> Container<'a> {
        let command = self.next("docker run ");
        let words = self.words(&command);
        let words = words.iter().skip(2).filter(|word| *word != "--rm");
        let mut args = owned(&["run", "--detach"]);
        let mut is_port = false;
        for word in words {
            let port = word.rsplit(':').next().unwrap_or_default();
            args.push(if is_port {
                format!("127.0.0.1::{port}")
            } else {
                word.clone()
            });
            is_port = word == "-p";
        }
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let output = self.project.docker(&args).expect_success();
        Container::started(self.project, output.stdout.trim())
    }

    /// Checks that every command of the README was run.
    #[track_caller]
    pub(crate) fn finish(&self) {
        assert!(self.commands.is_empty(), "not run: {:?}", self.commands);
    }

    #[track_caller]
    fn next(&mut self, beginning: &str) -> String {
        let command = self.commands.pop_front().expect("another command");
        assert!(command.contains(beginning), "{command}");
        command
    }

    fn words(&self, command: &str) -> Vec<String> {
        let command = self
            .replaced
            .iter()
            .fold(command.to_owned(), |text, (from, to)| {
                text.replace(from, to)
            });
        shlex::split(&command).unwrap_or_else(|| panic!("{command} is not a command"))
    }

    fn execute(&self, command: &str) -> Output {
        let words = self.words(command);
        let (variables, words): (Vec<_>, Vec<_>) = {
            let first = words.iter().position(|word| word == "docker");
            let (variables, rest) = words.split_at(first.expect("docker"));
            (
                variables.to_vec(),
                rest.iter().map(String::as_str).collect(),
            )
        };
        let args = match words[1..] {
            ["build", ref rest @ ..] => self.build(rest),
            ["buildx", "bake", ref rest @ ..] => self.bake(rest),
            ["run", ref rest @ ..] => {
                let rest = without_machine(rest);
                owned(&[&["run"], &rest[..]].concat())
            }
            _ => panic!("{command} is not supported"),
        };
        let mut docker = self.project.engine.docker(&args);
        for variable in &variables {
            let (name, value) = variable.split_once('=').expect("a variable's value");
            docker.env(name, value);
        }
        run(docker.current_dir(&self.folder))
    }

    fn build(&self, rest: &[&str]) -> Vec<String> {
        let mut args = owned(&["build", "--progress", "plain"]);
        args.extend(owned(&self.options));
        for (name, value) in &self.contexts {
            args.extend(["--build-context".to_owned(), format!("{name}={value}")]);
        }
        for (name, value) in &self.args {
            args.extend(["--build-arg".to_owned(), format!("{name}={value}")]);
        }
        args.extend(owned(rest));
        args
    }

    fn bake(&self, rest: &[&str]) -> Vec<String> {
        let mut args = owned(&["buildx", "bake", "--progress", "plain"]);
        for (kind, pairs) in [("contexts", &self.contexts), ("args", &self.args)] {
            for (name, value) in pairs {
                args.extend(["--set".to_owned(), format!("*.{kind}.{name}={value}")]);
            }
        }
        args.extend(owned(rest));
        args
    }
}

/// The content of a page that a running container serves.
#[track_caller]
pub(crate) fn page(container: &Container<'_>, url: &str) -> String {
    let command = ["python", "-c", PAGE, url];
    container.exec(&[], &command).expect_success().stdout
}

/// The commands in a README's `sh` blocks.
fn commands(readme: &str) -> VecDeque<String> {
    readme
        .split("```sh\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .flat_map(str::lines)
        .map(str::to_owned)
        .collect()
}

/// The arguments of `docker run` without network, and without options for the machine's ports and GPUs.
fn without_machine<'w>(words: &[&'w str]) -> Vec<&'w str> {
    let mut kept = vec!["--network", "none"];
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if matches!(*word, "-p" | "--gpus") {
            words.next();
        } else {
            kept.push(word);
        }
    }
    kept
}

fn image_context(name: &str, image: &str) -> (String, String) {
    (name.to_owned(), format!("docker-image://{image}"))
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}
