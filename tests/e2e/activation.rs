//! The environment is active however a container starts.

use std::collections::BTreeSet;

use condafront_testkit::engine::{Output, Store};

use crate::image::{Container, Image, each_prints, inspect};
use crate::project::{Project, base};

/// Packages with each kind of activation: scripts, scripts that define shell functions or depend on the container, and
/// variables without a script.
pub(crate) const PACKAGES: &[&str] =
    &["python", "activate-demo", "activate-shell", "env-vars-demo"];

/// Prints the signs of an active environment, or writes them to the file given as its argument.
pub(crate) const PROBE: &str = r#"
import os, shutil, sys
names = "CONDA_PREFIX CONDA_DEFAULT_ENV CONDA_SHLVL ACTIVATE_DEMO_HOME ACTIVATE_DEMO_FOUND ENV_VARS_DEMO LANG"
lines = [name + "=" + os.environ.get(name, "is unset") for name in names.split()]
first = os.environ["PATH"].split(":")[0]
times = os.environ["PATH"].split(":").count("/opt/conda/bin")
lines += [sys.executable, f"{first} is first and in PATH {times} time(s)"]
print(*lines, sep="\n", file=open(sys.argv[1], "w") if sys.argv[1:] else sys.stdout)
"#;

/// What [`PROBE`] prints.
pub(crate) const ACTIVE: &str = "\
CONDA_PREFIX=/opt/conda
CONDA_DEFAULT_ENV=base
CONDA_SHLVL=1
ACTIVATE_DEMO_HOME=/opt/conda/share/activate-demo
ACTIVATE_DEMO_FOUND=yes
ENV_VARS_DEMO=it's set
LANG=C.UTF-8
/opt/conda/bin/python
/opt/conda/bin is first and in PATH 1 time(s)
";

/// A project with the image of [`PACKAGES`].
pub(crate) fn built() -> Project {
    Project::with_shared_image(Store::Containerd, "activation", |project| {
        project.lock(PACKAGES).build(&[]).expect_success();
    })
}

#[track_caller]
fn assert_active(output: Output) {
    let output = output.expect_success();
    let stdout = output.stdout.replace("\r\n", "\n");
    assert_eq!(stdout, ACTIVE, "{}\n{}", output.command, output.stderr);
}

/// Every kind of shell, without the command it is to run.
const SHELLS: &[&str] = &[
    "sh -c",
    "sh -l -c",
    "bash -c",
    "bash -i -c",
    "bash -l -c",
    "bash -l -i -c",
    // With the few variables that cron, sshd and sudo leave.
    "env -i HOME=/home/mambauser /bin/bash -l -c",
    "env -i HOME=/home/mambauser /bin/bash -i -c",
    "env -i HOME=/home/mambauser /bin/sh -l -c",
];

/// The words of `shell`, followed by the text it is to run.
fn in_shell<'a>(shell: &'a str, text: &'a str) -> Vec<&'a str> {
    shell.split(' ').chain([text]).collect()
}

#[test]
fn a_container_is_active_however_it_starts() {
    let project = built();
    let python = ["python", "-c", PROBE];
    assert_active(project.run(&[], &python));
    assert_active(project.run(&["--entrypoint", "python"], &["-c", PROBE]));
    for options in [
        &["--user", "1234:5678"][..],
        &["--user", "1234"],
        &["--user", "root"],
        &["--read-only"],
        &["--read-only", "--user", "1234:5678"],
        &["--read-only", "--user", "1234:5678", "--entrypoint", "env"],
        &["--tty"],
    ] {
        assert_active(project.run(options, &python));
    }
}

#[test]
fn shells_are_active() {
    let project = built();
    let python = format!("python -c '{PROBE}'");
    // Also in one that is active already.
    let quoted = shlex::try_quote(&python).expect("a word");
    let shells = ["sh -c", "bash -i -c", "bash -l -c"].map(|it| format!("{it} {quoted}"));
    let commands = shells.each_ref().map(|it| (it.as_str(), ACTIVE));
    for options in [&[][..], &["--user", "1234:5678"], &["--user", "root"]] {
        each_prints(|words| project.run(options, words), &commands);
    }
    for (options, shell) in [
        (&["--tty"][..], "bash -i -c"),
        (&["--tty"], "bash -l -c"),
        (&["--read-only"], "bash -l -c"),
        (&["--entrypoint", "bash"], "-l -c"),
    ] {
        assert_active(project.run(options, &in_shell(shell, &python)));
    }
    // A session: the base image's own command, and shells that read typed input.
    project.write("typed", format!("{python}\nexit\n"));
    let run = ["run", "--rm", "--interactive", "--network", "none"];
    for command in [&[][..], &["bash", "-i"], &["bash", "-l"], &["sh"]] {
        let args = [&run[..], &[project.tag()], command].concat();
        assert_active(project.docker_with_input(&args, "typed"));
    }
}

#[test]
fn commands_in_a_running_container_are_active() {
    let project = built();
    let container = Container::start(&project, &[], &["sleep", "infinity"]);
    let command = ["python", "-c", PROBE];
    assert_active(container.exec(&[], &command));
    assert_active(container.exec(&["--user", "1234:5678"], &command));
    assert_active(container.exec(&["--user", "root"], &command));
    let python = format!("python -c '{PROBE}'");
    for shell in SHELLS {
        assert_active(container.exec(&[], &in_shell(shell, &python)));
    }
    assert_active(container.exec(&["--tty"], &in_shell("bash -i -c", &python)));
    for su in ["su - mambauser -c", "su mambauser -c", "su - root -c"] {
        assert_active(container.exec(&["--user", "root"], &in_shell(su, &python)));
    }
}

#[test]
fn what_variables_cannot_express_is_there() {
    let project = built();
    let stdout = |options: &[&str], command: &[&str]| {
        let output = project.run(options, command).expect_success();
        output.stdout.replace("\r\n", "\n")
    };
    let cache = "import os; print(os.environ['ACTIVATE_SHELL_CACHE'])";
    let python = ["python", "-c", cache];
    assert_eq!(
        stdout(&[], &python),
        "/home/mambauser/.cache/activate-shell\n"
    );
    assert_eq!(
        stdout(&["--user", "root"], &python),
        "/root/.cache/activate-shell\n"
    );
    // A user that the image does not know has a writable home.
    assert_eq!(
        stdout(&["--user", "1234:5678"], &python),
        "/tmp/.cache/activate-shell\n"
    );
    let function = ["bash", "-i", "-c", "activate_shell_function"];
    assert_eq!(
        stdout(&["--user", "1234:5678"], &function),
        "from a function\n"
    );
    let function = ["bash", "-i", "-c", "activate_shell_function; echo \"$PS1\""];
    let said = stdout(&["--tty"], &function);
    let prompt = said.strip_prefix("from a function\n").expect("a function");
    assert!(prompt.starts_with("(base) "), "{prompt}");
    assert_eq!(prompt.matches("(base)").count(), 1, "{prompt}");
    let container = Container::start(&project, &[], &["sleep", "infinity"]);
    let login = ["bash", "-l", "-c", "echo $ACTIVATE_SHELL_CACHE"];
    let output = container.exec(&[], &login).expect_success();
    assert_eq!(output.stdout, "/home/mambauser/.cache/activate-shell\n");
}

#[test]
fn what_the_user_sets_wins() {
    let project = built();
    let show = "echo $ACTIVATE_DEMO_HOME $ENV_VARS_DEMO";
    let options = ["-e", "ACTIVATE_DEMO_HOME=mine", "-e", "ENV_VARS_DEMO=too"];
    let commands = ["sh -c", "bash -l -c", "bash -i -c"].map(|it| format!("{it} '{show}'"));
    let expected: Vec<_> = commands
        .iter()
        .map(|it| (it.as_str(), "mine too\n"))
        .collect();
    each_prints(|words| project.run(&options, words), &expected);
}

#[test]
fn skipping_activation_gives_the_plain_base() {
    let project = built();
    // The set of variables; those that a shell sets itself are the same in both images.
    let base = base();
    const SHELLS: [&str; 4] = ["env", "sh -c env", "bash -l -c env", "bash -i -c env"];
    let script = SHELLS.join("; echo --; ");
    let plain = |image: &str, options: &[&str]| -> Vec<BTreeSet<String>> {
        let run = ["run", "--rm", "--network", "none", "--hostname", "plain"];
        let root = ["--workdir", "/", "--user", "root"];
        let command = ["sh", "-c", &script];
        let output = project.docker(&[&run[..], &root, options, &[image], &command].concat());
        let output = output.expect_success().stdout;
        let shells = output.split("--\n");
        shells
            .map(|lines| lines.lines().map(str::to_owned).collect())
            .collect()
    };
    let expected_more: BTreeSet<String> = [
        "MAMBA_SKIP_ACTIVATE=1",
        "MAMBA_USER=mambauser",
        "MAMBA_USER_ID=57439",
        "MAMBA_USER_GID=57439",
    ]
    .map(str::to_owned)
    .into();
    let all_found = plain(project.tag(), &["-e", "MAMBA_SKIP_ACTIVATE=1"]);
    let all_wanted = plain(&base, &[]);
    assert_eq!(
        (all_found.len(), all_wanted.len()),
        (SHELLS.len(), SHELLS.len())
    );
    for ((shell, found), wanted) in SHELLS.iter().zip(&all_found).zip(&all_wanted) {
        let more: BTreeSet<String> = found.difference(wanted).cloned().collect();
        assert_eq!(more, expected_more, "{shell}");
        assert!(wanted.is_subset(found), "{shell}: {found:?}");
    }
    let output = project.run(&["-e", "MAMBA_SKIP_ACTIVATE=1"], &["python", "-V"]);
    assert_eq!(output.expect_failure().status.code(), Some(127));
}

#[test]
fn env_name_chooses_an_environment() {
    let project = built();
    assert_active(project.run(&["-e", "ENV_NAME=base"], &["python", "-c", PROBE]));
    let output = project.run(&["-e", "ENV_NAME=nonsense"], &["python", "-c", PROBE]);
    let output = output.expect_failure();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        output.stderr,
        "condafront-entrypoint: ENV_NAME=nonsense: no such environment; this image has: base\n"
    );
    // As after `micromamba create -n other` in a derived image.
    let derived = Image::from_dockerfile(
        &project,
        &format!(
            "FROM {}\n\
             RUN mkdir -p /opt/conda/envs/other/bin /opt/conda/envs/other/conda-meta && \
             touch /opt/conda/envs/other/conda-meta/history && \
             ln -s /bin/true /opt/conda/envs/other/bin/only-other\n",
            project.tag()
        ),
    );
    let show =
        "echo $CONDA_DEFAULT_ENV $CONDA_PREFIX ${ACTIVATE_DEMO_HOME-is unset} $PATH; only-other";
    let shells = ["sh -c", "bash -l -c", "bash -i -c"].map(|it| format!("{it} '{show}' || exit"));
    let command = ["sh", "-c", &shells.join("; ")];
    let output = derived
        .run(&["-e", "ENV_NAME=other"], &command)
        .expect_success();
    let said: Vec<&str> = output.stdout.lines().collect();
    assert_eq!(said.len(), shells.len(), "{said:?}");
    for (shell, said) in shells.iter().zip(said) {
        assert!(
            said.starts_with("other /opt/conda/envs/other is unset /opt/conda/envs/other/bin:"),
            "{shell}: {said}"
        );
        assert!(!said.contains("/opt/conda/bin"), "{shell}: {said}");
    }
    let output = derived.run(&["-e", "ENV_NAME=nonsense"], &["true"]);
    assert!(
        output
            .expect_failure()
            .stderr
            .ends_with("this image has: base, other\n")
    );
}

#[test]
fn the_configuration_activates() {
    let project = built();
    let config = inspect(&project, project.tag(), "{{json .Config}}");
    assert_eq!(config["User"], "57439:57439");
    assert_eq!(config["Cmd"][0], "bash");
    let entrypoint = serde_json::json!(["/usr/local/bin/condafront-entrypoint"]);
    assert_eq!(config["Entrypoint"], entrypoint);
    let env: Vec<&str> = config["Env"]
        .as_array()
        .expect("variables")
        .iter()
        .filter_map(serde_json::Value::as_str)
        .collect();
    for expected in [
        "PATH=/opt/conda/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "CONDA_PREFIX=/opt/conda",
        "MAMBA_ROOT_PREFIX=/opt/conda",
        "ENV_NAME=base",
        "ACTIVATE_DEMO_HOME=/opt/conda/share/activate-demo",
        "ENV_VARS_DEMO=it's set",
    ] {
        assert!(env.contains(&expected), "{expected} in {env:?}");
    }
    let names: BTreeSet<&str> = env.iter().filter_map(|v| v.split('=').next()).collect();
    assert_eq!(names.len(), env.len(), "a variable is set twice: {env:?}");
}
