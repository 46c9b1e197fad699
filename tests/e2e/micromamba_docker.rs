//! What people are used to from micromamba-docker and other tests do not cover.

use std::fs;

use condafront_testkit::engine::Store;
use condafront_testkit::needs::micromamba;

use crate::activation::{ACTIVE, PROBE, built};
use crate::image::{Container, Image, each_prints};
use crate::project::{LOCK, Project, frontend};

/// A typical Dockerfile, except for its first lines, which installed the environment.
#[test]
fn a_dockerfile_stays_as_it_is_but_for_the_installation() {
    let project = built();
    project.write("probe.py", PROBE);
    let derived = Image::from_dockerfile(
        &project,
        &format!(
            r#"FROM {}
COPY --chown=$MAMBA_USER:$MAMBA_USER probe.py /tmp/probe.py
ARG MAMBA_DOCKERFILE_ACTIVATE=1
RUN python /tmp/probe.py /tmp/built
USER root
RUN apt-get --version && touch /usr/local/share/by-root
USER $MAMBA_USER
ENTRYPOINT ["/usr/local/bin/_entrypoint.sh", "python"]
CMD ["/tmp/probe.py"]
"#,
            project.tag()
        ),
    );
    assert_eq!(derived.run(&[], &[]).expect_success().stdout, ACTIVE);
    let show = "print(open('/tmp/built').read(), end='')";
    let said = derived.run(&[], &["-c", show]).expect_success();
    assert_eq!(said.stdout, ACTIVE);
}

/// GitHub's runner starts a container with another entrypoint and home, and runs each step's script with `docker exec`.
#[test]
fn steps_of_github_actions_are_active() {
    let project = built();
    let options = ["--user", "root", "-e", "HOME=/github/home", "--entrypoint"];
    let options = [&options[..], &["tail"]].concat();
    let container = Container::start(&project, &options, &["-f", "/dev/null"]);
    project.write("step.sh", format!("python -c '{PROBE}'\n"));
    let step = project.path("step.sh");
    project
        .docker(&[
            "cp",
            &step.to_string_lossy(),
            &format!("{}:/step.sh", container.id()),
        ])
        .expect_success();
    for shell in [
        "sh -e",
        "bash --noprofile --norc -e -o pipefail",
        // The shell that micromamba-docker's documentation recommends.
        "_entrypoint.sh /bin/bash --noprofile --norc -eo pipefail",
    ] {
        let command: Vec<&str> = shell.split(' ').chain(["/step.sh"]).collect();
        let said = container.exec(&[], &command).expect_success();
        assert_eq!(said.stdout, ACTIVE, "{shell}");
    }
}

/// As in micromamba-docker, where a new user has the same `.bashrc`.
#[test]
fn a_user_made_later_is_active() {
    let project = built();
    let derived = Image::from_dockerfile(
        &project,
        &format!(
            "FROM {}\nUSER root\nRUN useradd --create-home --shell /bin/bash grace\nUSER grace\n",
            project.tag()
        ),
    );
    let python = format!("python -c '{PROBE}'");
    let python = shlex::try_quote(&python).expect("a word");
    let shells = ["-c", "-i -c", "-l -c"].map(|it| format!("bash {it} {python}"));
    let mut commands: Vec<_> = shells.iter().map(|it| (it.as_str(), ACTIVE)).collect();
    commands.push(("id -un; realpath ~", "grace\n/home/grace\n"));
    // Without condafront's entrypoint.
    let run = |words: &[&str]| derived.run(&["--entrypoint", words[0]], &words[1..]);
    each_prints(run, &commands);
}

#[test]
fn a_home_that_is_given_stays() {
    let project = built();
    for user in ["mambauser", "root", "1001:1001"] {
        let options = ["--user", user, "-e", "HOME=/srv"];
        let commands = ["bash -c 'echo $HOME'", "bash -i -c 'echo $HOME'"].map(|it| (it, "/srv\n"));
        each_prints(|words| project.run(&options, words), &commands);
    }
}

#[test]
fn a_lock_makes_an_environment_with_a_name() {
    let project = Project::new(Store::Containerd);
    project.lock(&["bumpme", "env-vars-demo"]);
    project.write(
        "image.yml",
        format!(
            "# syntax={}\nenvironments: {{my_env: {LOCK}}}\n",
            frontend()
        ),
    );
    project.build_file("image.yml", &[]).expect_success();
    let show = "echo $CONDA_DEFAULT_ENV $ENV_VARS_DEMO; cat $CONDA_PREFIX/share/bumpme/version.txt";
    let said = project.run(&[], &["sh", "-c", show]).expect_success();
    assert_eq!(said.stdout, "my_env it's set\n2.0\n");
}

/// Only in interactive shells: elsewhere it is the program.
#[test]
fn conda_is_a_function_of_shells() {
    let project = Project::new(Store::Containerd);
    project
        .lock(&["python", "conda"])
        .build(&[])
        .expect_success();
    let function = "a function: conda --version\n";
    let program = "conda 25.9.1\n";
    let commands = [
        ("bash -i -c 'conda --version'", function),
        ("bash -l -i -c 'conda --version'", function),
        ("sh -c 'conda --version'", program),
        ("bash -c 'conda --version'", program),
        ("bash -l -c 'conda --version'", program),
    ];
    each_prints(|words| project.run(&[], words), &commands);
}

#[test]
#[ignore = "needs a micromamba"]
fn needs_micromamba_one_in_the_image_goes_on_from_there() {
    let program = micromamba();
    let project = Project::new(Store::Containerd);
    project
        .lock(&["python", "bumpme=1.0"])
        .build(&[])
        .expect_success();
    fs::copy(&program, project.path("micromamba")).expect("a copy of micromamba");
    let derived = Image::from_dockerfile(
        &project,
        &format!(
            "FROM {}\nCOPY --chmod=755 micromamba /usr/local/bin/micromamba\n",
            project.tag()
        ),
    );
    let channel = project.channel();
    let script = format!(
        "set -e
        options='--yes --quiet --override-channels --channel {channel}'
        micromamba install $options --name base bumpme=2.0 >&2
        cat $CONDA_PREFIX/share/bumpme/version.txt
        micromamba create $options --name other file-kinds activate-demo >&2
        micromamba run --name other file-kinds
        ENV_NAME=other _entrypoint.sh sh -c 'echo $CONDA_DEFAULT_ENV; file-kinds'
        micromamba list --name base | grep -c python
        bash -i -c 'micromamba activate other; echo $CONDA_DEFAULT_ENV $CONDA_SHLVL; micromamba deactivate; echo $CONDA_DEFAULT_ENV'
        "
    );
    let run = ["run", "--rm", "--network", "host", derived.tag()];
    let said = project.docker(&[&run[..], &["bash", "-c", &script]].concat());
    let said = said.expect_success().stdout;
    assert_eq!(
        said,
        "2.0\nfile-kinds\nother\nfile-kinds\n2\nother 2\nbase\n"
    );
}
