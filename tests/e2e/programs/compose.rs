//! `examples/develop` with Docker Compose.

use std::fs::{self, File};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use condafront_testkit::engine::{Output, Store, run};
use condafront_testkit::needs;

use crate::examples::example::Example;
use crate::pip;
use crate::project::{Project, base, frontend};

const DEADLINE: Duration = Duration::from_mins(3);

/// A folder with a `compose.yaml`. Dropping it takes its containers down.
struct Stack {
    project: Project,
    folder: std::path::PathBuf,
}

impl Stack {
    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.project.engine.tool(&needs::compose());
        command.args(["--project-name", self.project.name()]);
        command.args(args).current_dir(&self.folder);
        command
    }

    #[track_caller]
    fn compose(&self, args: &[&str]) -> Output {
        run(&mut self.command(args)).expect_success()
    }

    /// Runs python in the app's container until it prints this; `log` is for the message if it never does.
    #[track_caller]
    fn wait_for(&self, script: &str, expected: &str, log: impl Fn() -> String) {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let exec = ["exec", "-T", "app", "python", "-c", script];
            let said = run(&mut self.command(&exec));
            if said.stdout == expected {
                return;
            }
            assert!(Instant::now() < deadline, "{said:?}\n{}", log());
            thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        run(&mut self.command(&["down", "--volumes", "--timeout", "1"]));
    }
}

/// `compose watch`. Dropping it ends it.
struct Watch(Child);

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Prints the app's page.
const PAGE: &str = "import urllib.request
print(urllib.request.urlopen('http://localhost:5000').read().decode(), end='')";

#[test]
#[ignore = "needs Docker Compose"]
fn needs_compose_an_app_is_built_started_watched_and_rebuilt() {
    let project = Project::new(Store::Containerd);
    let index = pip::fill_index(&project);
    let (_, index) = index.split_once('=').expect("a build-arg");
    let (_, folder) = Example::new(&project, "develop").copied();
    // What stands for conda-forge, PyPI and Docker Hub; the example's own file stays as it is.
    let here = format!(
        "services:\n  app:\n    image: {name}-app\n    build:\n      network: host\n      additional_contexts:\n        org/condafront: docker-image://{frontend}\n        debian:13-slim: docker-image://{base}\n      args:\n        CONDA_MIRRORS: https://conda.anaconda.org/conda-forge={channel}\n        CONDAFRONT_INSTALLER: native\n        PIP_INDEX_URL: {index}\n    ports: !override [\"127.0.0.1::5000\"]\n",
        name = project.name(),
        frontend = frontend(),
        base = base(),
        channel = project.channel(),
    );
    fs::write(folder.join("compose.override.yaml"), here).expect("what differs here");
    let stack = Stack { project, folder };

    stack.compose(&["build"]);
    // It waits until the health check of env.yml has succeeded.
    stack.compose(&["up", "--detach", "--no-build", "--wait"]);
    let state = stack.compose(&["ps", "--format", "{{.Health}}"]).stdout;
    assert_eq!(state, "healthy\n");
    stack.wait_for(PAGE, "hello\n", String::new);
    let exec = [
        "exec",
        "-T",
        "app",
        "sh",
        "-c",
        "echo $CONDA_PREFIX; id -un",
    ];
    assert_eq!(stack.compose(&exec).stdout, "/opt/conda\nmambauser\n");

    let log = stack.project.path("watch.log");
    let out = File::create(&log).expect("a log");
    let mut watch = stack.command(&["watch", "--no-up"]);
    watch
        .stdin(Stdio::null())
        .stdout(out.try_clone().expect("a log"))
        .stderr(out);
    let _watch = Watch(watch.spawn().expect("compose starts"));
    let said = || fs::read_to_string(&log).expect("the log");
    let deadline = Instant::now() + DEADLINE;
    while !said().contains("Watch enabled") {
        assert!(Instant::now() < deadline, "{}", said());
        thread::sleep(Duration::from_millis(100));
    }
    let change = |file: &str, from: &str, to: &str| {
        let path = stack.folder.join(file);
        let text = fs::read_to_string(&path).expect("a file of the example");
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text, "{file}");
        fs::write(path, changed).expect("the changed file");
    };
    change("greeter.py", "\"hello", "\"changed");
    stack.wait_for(PAGE, "changed\n", said);
    change("env.yml", "  - flask\n", "  - flask\n  - tqdm\n");
    stack.wait_for("import tqdm; print('there')", "there\n", said);
}
