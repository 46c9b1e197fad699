//! The command-line tool, run as a user runs it.

mod checks;

use std::process::{Command, Output};

const LOCK: &str = "\
# syntax=org/condafront
# platform: linux-64
@EXPLICIT
https://conda.example/forge/linux-64/libzlib-1.3.1-hb9d3cd8_2.conda#sha256:1111111111111111111111111111111111111111111111111111111111111111
https://conda.example/forge/noarch/tzdata-2025b-h78e105d_0.conda
";

const ENV: &str = "\
# syntax=org/condafront
name: lab
channels: [conda-forge]
dependencies:
  - python=3.12
  - bioconda::samtools
  - gcc_linux-64  # [linux64]
  - numpy>=1.26
  - numpy
  - pip:
    - requests
";

const BASE: &str = "\
# syntax=org/condafront
channels: [conda-forge]
dependencies: [numpy]
condafront:
  base: debian:13@sha256:00
";

const LATE: &str = "\
# My environment.
# syntax=org/condafront
channels: [conda-forge]
dependencies: [numpy]
";

const WRONG: &str = "\
# syntax=org/condafront
channels: [conda-forge]
dependencies:
  - python=3.12
  - numpy=>1.26
";

/// Runs `condafront` in a folder that holds a lock and environment files.
fn condafront(args: &[&str]) -> Output {
    let dir = tempfile::tempdir().unwrap();
    let files = [
        ("env.lock", LOCK),
        ("env.yml", ENV),
        ("late.yml", LATE),
        ("base.yml", BASE),
        ("wrong.yml", WRONG),
    ];
    for (name, text) in files {
        std::fs::write(dir.path().join(name), text).unwrap();
    }
    Command::new(env!("CARGO_BIN_EXE_condafront"))
        .args(args)
        .current_dir(dir.path())
        .env_remove("BUILDKIT_SESSION_ID")
        .output()
        .unwrap()
}

fn text(output: &Output) -> String {
    format!(
        "{}{}exit {}\n",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
        output.status.code().unwrap_or(-1)
    )
}

#[test]
fn without_arguments_it_prints_the_help() {
    let output = condafront(&[]);
    assert!(output.status.success());
    let help = String::from_utf8_lossy(&output.stdout);
    assert!(help.contains("Usage: condafront COMMAND FILE"), "{help}");
    assert!(help.contains("Only a build adds system packages"), "{help}");
}

#[test]
fn mistakes_on_the_command_line_are_explained() {
    let mut all = String::new();
    for args in [
        &["check"][..],
        &["check", "missing.lock"],
        &["check", "-"],
        &["check", "."],
        &["check", "/dev/zero"],
        &["check", "env.yml", "--build-arg", "BASE_IMAGE=Debian:13"],
        &["chekc", "env.lock"],
        &["build"],
        &["lock", "env.yml"],
        &["outline", "env.yml"],
        &["missing.yml"],
        &["env.lock"],
        &["install", "env.lock"],
        &["verify", "env.lock"],
        &["check", "env.lock", "more"],
        &["check", "env.lock", "--nonsense"],
        &["check", "-f", "env.lock"],
        &["check", "env.lock", "--platform", "windows/amd64"],
        &["check", "env.lock", "--platform", "linux-64"],
        &["check", "env.lock", "--platform", "arm64"],
        &["check", "env.lock", "--platform", "linux/amd64,linux/arm64"],
        &["check", "env.lock", "--platform", "linux/arm64"],
        &["llb", "env.lock", "--build-arg", "CONDAFRONT_LAYERS"],
        &["llb", "env.lock", "--build-arg", "CONDAFRONT_LAYERS=0"],
        &["llb", "env.lock", "--build-arg", "BASE_IMAGE=Not An Image"],
    ] {
        let output = condafront(args);
        assert!(!output.status.success(), "{args:?}");
        all.push_str(&format!(
            "$ condafront {}\n{}\n",
            args.join(" "),
            text(&output)
        ));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn the_version_is_a_command_too() {
    let of = |args: &[&str]| text(&condafront(args));
    assert_eq!(of(&["version"]), of(&["--version"]));
}

/// The command-line tool finds what a build finds without an engine.
#[test]
fn the_image_and_the_installer_are_checked() {
    let base = condafront(&["check", "base.yml"]);
    let installer = [
        "CONDAFRONT_INSTALLER=micromamba",
        "MICROMAMBA_VERSION=2.3.0",
    ];
    let [choice, version] = installer;
    let installer = condafront(&[
        "check",
        "env.lock",
        "--build-arg",
        choice,
        "--build-arg",
        version,
    ]);
    insta::assert_snapshot!(text(&base) + &text(&installer));
}

/// Nobody may be reading what goes wrong.
#[test]
fn a_closed_pipe_is_no_failure_of_its_own() {
    let script = "\"$0\" check missing.lock 2>&1 | true; exit ${PIPESTATUS[0]}";
    let ended = Command::new("bash")
        .args(["-c", script, env!("CARGO_BIN_EXE_condafront")])
        .output()
        .expect("bash runs");
    assert_eq!(ended.status.code(), Some(1));
}

/// `docker build` does not hand this file to condafront.
#[test]
fn a_syntax_line_that_docker_build_does_not_see_is_told() {
    insta::assert_snapshot!(text(&condafront(&["check", "late.yml"])));
}

#[test]
fn a_lock_is_checked() {
    insta::assert_snapshot!(text(&condafront(&["check", "env.lock"])));
}

#[test]
fn an_environment_file_is_checked() {
    let mut all = String::new();
    for args in [
        &["check", "env.yml"][..],
        &["check", "env.yml", "--platform", "linux/arm64"],
        &[
            "check",
            "env.yml",
            "--build-arg",
            "CONDA_CHANNELS=https://me:hunter2@conda.example/forge",
        ],
        &["check", "wrong.yml"],
        &["graph", "env.yml"],
    ] {
        let output = condafront(args);
        all.push_str(&format!(
            "$ condafront {}\n{}\n",
            args.join(" "),
            text(&output)
        ));
    }
    // Only the echoed command line has it.
    let shown = all.replacen("hunter2", "…", 1);
    assert!(!shown.contains("hunter2"), "{shown}");
    insta::assert_snapshot!(shown);
}

#[test]
fn the_graph_is_written_in_three_forms() {
    let native = [
        "--build-arg",
        "CONDAFRONT_INSTALLER=native",
        "--build-arg",
        "BASE_IMAGE=scratch",
    ];
    let with = |args: &[&str]| condafront(&[args, &native].concat());
    insta::assert_snapshot!(text(&with(&["llb", "env.lock", "--text"])));
    let bytes = with(&["llb", "env.lock"]).stdout;
    let definition =
        <buildkit_llb::pb::Definition as prost::Message>::decode(bytes.as_slice()).unwrap();
    assert!(buildkit_llb::Output::from_definition(&definition).is_ok());
    let dot = String::from_utf8(with(&["graph", "env.lock"]).stdout).unwrap();
    assert!(
        dot.starts_with("digraph") && dot.contains("libzlib 1.3.1"),
        "{dot}"
    );
}
