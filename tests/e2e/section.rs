//! The image section of an env.yml takes effect.

use condafront_testkit::channel::{Channel, package};
use condafront_testkit::engine::{Output, Store};
use serde_json::{Value, json};

use crate::failure::Failures;
use crate::image::{Image, history, inspect};
use crate::project::{Project, base, frontend, on_both_stores};

const FILE: &str = "env.yml";

/// `docker build` of an env.yml with this section, without the build-args that other tests use.
fn build(project: &Project, section: &str, args: &[&str]) -> Output {
    build_with(project, "FROM_FILE: \"yes\"", section, args)
}

/// The same with these variables of the environment.
fn build_with(project: &Project, variables: &str, section: &str, args: &[&str]) -> Output {
    let channel = project.channel();
    let text = format!(
        "# syntax={}\nchannels: [{channel}]\ndependencies: [bumpme, prefix-demo]\nvariables: {{{variables}}}\ncondafront:\n{section}",
        frontend()
    );
    project.write(FILE, text);
    project.build_image(&[&["-f", FILE], args, &["."]].concat())
}

/// Prints its arguments, who runs it, where, and what it sees; makes a file in the current directory. It needs a program of
/// the environment.
const PROGRAM: &str = r#"prefix-demo > made && printf '%s\n' "$*" "$PWD" "$(id -u)" "$(id -g)" "$HOME" "$GREETING" "$SEEN""#;

fn everything(base: &str) -> String {
    format!(
        "  base: {base}:${{TAG}}
  user: {{name: ada, uid: 1000, gid: 100}}
  layers: 1
  installer: native
  env:
    APP: /srv/lab/app
    PATH: ${{APP}}/bin:${{PATH}}
    GREETING: ${{GREETING:-hello}} from ${{MAMBA_USER}}
    SEEN: ${{FROM_FILE}}
  workdir: /srv/lab/app
  entrypoint: [sh, -c, {program}, program]
  cmd: [a, b]
  shell: [/bin/bash, -c]
  expose: [8888, 53/udp]
  volumes: [/data]
  labels:
    org.example.version: ${{VERSION:-none}}
    org.example.kind: file
  healthcheck: {{cmd: python -c pass, interval: 30s, retries: 2}}
  stopsignal: SIGINT
",
        program = json!(PROGRAM)
    )
}

fn variable<'a>(config: &'a Value, name: &str) -> Option<&'a str> {
    let all = config["Env"].as_array().expect("variables");
    let mut pairs = all
        .iter()
        .filter_map(|entry| entry.as_str()?.split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
}

fn every_key_takes_effect(store: Store) {
    let project = Project::new(store);
    let (name, tag) = base()
        .rsplit_once(':')
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .expect("a tag");
    let tag = format!("TAG={tag}");
    let section = everything(&name);
    // What belongs to the image is left out.
    let variables = "FROM_FILE: \"yes\", PATH: /nowhere, ENV_NAME: prod, HOME: /data, CONDA_PREFIX: /nowhere, MAMBA_SKIP_ACTIVATE: 1, path: /lower";
    build_with(&project, variables, &section, &["--build-arg", &tag]).expect_success();

    let config = inspect(&project, project.tag(), "{{json .Config}}");
    assert_eq!(config["User"], "1000:100");
    assert_eq!(config["WorkingDir"], "/srv/lab/app");
    assert_eq!(config["Entrypoint"][1], "sh");
    assert_eq!(config["Entrypoint"].as_array().map(Vec::len), Some(5));
    assert_eq!(config["Cmd"], json!(["a", "b"]));
    assert_eq!(config["Shell"], json!(["/bin/bash", "-c"]));
    assert_eq!(
        config["ExposedPorts"],
        json!({"8888/tcp": {}, "53/udp": {}})
    );
    assert_eq!(config["Volumes"], json!({"/data": {}}));
    let labels = json!({"org.example.version": "none", "org.example.kind": "file"});
    assert_eq!(config["Labels"], labels);
    let test = json!(["CMD-SHELL", "python -c pass"]);
    assert_eq!(config["Healthcheck"]["Test"], test);
    assert_eq!(config["Healthcheck"]["Interval"], 30_000_000_000_u64);
    assert_eq!(config["Healthcheck"]["Retries"], 2);
    assert_eq!(config["StopSignal"], "SIGINT");
    let path = variable(&config, "PATH").expect("a path");
    assert!(
        path.starts_with("/srv/lab/app/bin:/opt/conda/bin:"),
        "{path}"
    );
    assert_eq!(variable(&config, "path"), Some("/lower"));
    assert_eq!(variable(&config, "ENV_NAME"), Some("base"));
    assert_eq!(variable(&config, "HOME"), None);

    let said = project.run(&[], &[]).expect_success().stdout;
    let expected = "a b\n/srv/lab/app\n1000\n100\n/home/ada\nhello from ada\nyes\n";
    assert_eq!(said, expected);
    // A command replaces `cmd`, not the entrypoint; only --entrypoint can start a shell.
    let said = project.run(&[], &["c"]).expect_success().stdout;
    assert!(said.starts_with("c\n"), "{said}");
    let shell = ["--entrypoint", "bash"];
    let owners = "stat -c '%U:%G' /srv/lab /srv/lab/app; stat -c %U /srv; id -un";
    let output = project.run(&shell, &["-c", owners]).expect_success();
    assert_eq!(output.stdout, "ada:users\nada:users\nroot\nada\n");

    // condafront's entrypoint runs before the section's.
    let output = project.run(&["-e", "ENV_NAME=nope"], &[]).expect_failure();
    assert!(
        output.stderr.contains("ENV_NAME=nope: no such environment"),
        "{}",
        output.stderr
    );
    let stranger = ["--user", "4321:4321", "-w", "/tmp"];
    let output = project.run(&stranger, &[]).expect_success();
    assert!(
        output.stdout.contains("\n4321\n4321\n/tmp\n"),
        "{}",
        output.stdout
    );

    let history = history(&project, project.tag());
    let count = |start: &str| {
        history
            .iter()
            .filter(|line| line.starts_with(start))
            .count()
    };
    assert_eq!(
        count("[base] account, working directory /srv/lab/app"),
        1,
        "{history:?}"
    );
    assert_eq!(count("[install 1/1] "), 1, "{history:?}");
}

#[test]
fn build_args_override_keys() {
    let project = Project::new(Store::Containerd);
    let other = Image::from_dockerfile(&project, &format!("FROM {}\nENV OTHER=yes\n", base()));
    let base_arg = format!("BASE_IMAGE={}", other.tag());
    let mut args = Vec::new();
    for arg in [
        "TAG=none",
        &base_arg,
        "MAMBA_USER=bob",
        "MAMBA_USER_ID=2000",
        "GREETING=ciao",
        "VERSION=1.2",
    ] {
        args.extend(["--build-arg", arg]);
    }
    args.extend(["--label", "org.example.kind=given"]);
    build(&project, &everything("no.such.registry/image"), &args).expect_success();
    let config = inspect(&project, project.tag(), "{{json .Config}}");
    assert_eq!(config["User"], "2000:100");
    assert_eq!(variable(&config, "OTHER"), Some("yes"));
    let labels = json!({"org.example.version": "1.2", "org.example.kind": "given"});
    assert_eq!(config["Labels"], labels);
    let said = project.run(&[], &[]).expect_success().stdout;
    let expected = "a b\n/srv/lab/app\n2000\n100\n/home/bob\nciao from bob\nyes\n";
    assert_eq!(said, expected);
}

#[test]
fn commands_in_shell_form_are_active() {
    let project = Project::new(Store::Containerd);
    let section = format!(
        "  base: {}\n  user: \"1234:100\"\n  installer: native\n  shell: [/bin/bash, -ec]\n  workdir: work\n  cmd: echo ${{BASH_VERSION:+bash}} $CONDA_PREFIX $PWD; touch made; false; echo never\n",
        base()
    );
    build(&project, &section, &[]).expect_success();
    let output = project.run(&[], &[]).expect_failure();
    assert_eq!(output.stdout, "bash /opt/conda /work\n");
    let owner = ["stat", "-c", "%u:%g", ".", "/opt/conda"];
    let output = project.run(&[], &owner).expect_success();
    assert_eq!(output.stdout, "1234:100\n1234:100\n");
}

on_both_stores!(every_key_takes_effect);

#[test]
fn sections_that_make_no_sense() {
    let project = Project::new(Store::Containerd);
    let mut failures = Failures::new(&project);
    let usual = format!("  installer: native\n  base: {}\n", base());
    let mistakes = [
        ("a misspelt key", "  bsae: ubuntu:24.04\n".to_owned()),
        (
            "a string that should be a list",
            "  base: ubuntu:24.04\n  apt: libgl1\n".to_owned(),
        ),
        (
            "a build-arg that is not set",
            "  base: ubuntu:${UBUNTU}\n".to_owned(),
        ),
        (
            "a base that is not a valid image name",
            "  installer: native\n  base: Debian:13\n".to_owned(),
        ),
        (
            "a user of the base image with another ID",
            format!("{usual}  user: {{name: daemon, uid: 5}}\n"),
        ),
        (
            "a working directory that is a file",
            format!("{usual}  workdir: /etc/passwd\n"),
        ),
        (
            "a volume that is a file",
            format!("{usual}  volumes:\n    - /data\n    - /etc/passwd\n"),
        ),
        (
            "a volume below a file",
            format!("{usual}  volumes: [/etc/passwd/data]\n"),
        ),
        (
            "a variable that is not set",
            format!("{usual}  env:\n    LD_LIBRARY_PATH: /srv/lib:${{LD_LIBRARY_PATH}}\n"),
        ),
    ];
    for (title, section) in &mistakes {
        failures.add_output(title, build(&project, section, &[]));
    }
    let classic = Project::new(Store::Classic);
    let mut of_classic = Failures::new(&classic);
    let layers = format!("{usual}  layers: 40\n");
    of_classic.add_output(
        "many layers on an engine that cannot merge",
        build(&classic, &layers, &[]),
    );
    insta::assert_snapshot!(format!("{}{}", failures.text(), of_classic.text()));
}

/// Values at the limits of Linux and Docker.
#[test]
fn an_image_with_the_largest_values_starts() {
    let project = Project::new(Store::Containerd);
    let channel = project.channel();
    // With `LARGE=` and a NUL, 128 KiB.
    let large = "x".repeat((128 << 10) - 7);
    let text = format!(
        "# syntax={}\nchannels: [{channel}]\ndependencies: [bumpme]\ncondafront:\n  installer: native\n  base: {}\n  user: {{uid: 2147483647}}\n  volumes: [/data/../srv/data]\n  env:\n    LARGE: {large}\n",
        frontend(),
        base()
    );
    project.write(FILE, text);
    let epoch = ["--build-arg", "SOURCE_DATE_EPOCH=9223372036"];
    project
        .build_image(&[&["-f", FILE], &epoch[..], &["."]].concat())
        .expect_success();
    let config = inspect(&project, project.tag(), "{{json .Config}}");
    assert_eq!(config["Volumes"], json!({"/srv/data": {}}));
    let said = ["sh", "-c", "id -u; echo ${#LARGE}"];
    let output = project.run(&[], &said).expect_success();
    assert_eq!(output.stdout, format!("2147483647\n{}\n", large.len()));
}

/// What a package and a base image bring.
#[test]
fn variables_with_which_no_container_would_start() {
    let project = Project::new(Store::Containerd);
    let mut failures = Failures::new(&project);
    let long = "x".repeat(300 << 10);
    for (title, variables) in [
        (
            "a package with a long variable",
            format!(r#"{{"LONG": "{long}"}}"#),
        ),
        (
            "a package with a name of two lines",
            r#"{"A\nPATH=/evil": "x"}"#.to_owned(),
        ),
    ] {
        let path = "etc/conda/env_vars.d/bad.json";
        let (package, archive) = package("bad", "1.0", &[(path, &variables, 0o644)]);
        let path = format!("/{}/{}", title.replace(' ', "-"), package.path());
        project.server.put(&path, archive);
        let good = Channel::open().find("bumpme");
        let lock = format!(
            "@EXPLICIT\n{}#{}\n{}#{}\n",
            project.package_url(good),
            good.sha256,
            project.server.url(&path),
            package.sha256
        );
        failures.add(title, lock, &[]);
    }
    let half = "x".repeat(70_000);
    let section = format!(
        "  installer: native\n  base: {}\n  env:\n    HALF: {half}\n    WHOLE: ${{HALF}}${{HALF}}\n",
        base()
    );
    failures.add_output(
        "a variable that becomes long",
        build(&project, &section, &[]),
    );
    insta::assert_snapshot!(failures.text().replace(&half[..4000], "xxx"));
}
