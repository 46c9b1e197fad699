//! The command-line tool, run as a user runs it.

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

/// The files that a file names are beside it, or else in the current folder.
#[test]
fn files_are_found_as_a_build_finds_them() {
    let dir = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = dir.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let environment = |entries: &[&str]| {
        let lines = entries.iter().map(|entry| format!("    - {entry}\n"));
        let lines: String = lines.collect();
        format!("channels: [c]\ndependencies:\n  - python\n  - pip\n  - pip:\n{lines}")
    };
    write(
        "docs/env.yml",
        &environment(&[
            "-r a.txt",
            "-r b.txt",
            "-r ../c.txt",
            "-r d.txt",
            "./app",
            "..",
        ]),
    );
    write("docs/a.txt", "idna\n-r more/a.txt\n");
    write("docs/more/a.txt", "six\n");
    write("a.txt", "jinja2 ===\n");
    write("b.txt", "six\n");
    write("c.txt", "wheel\n");
    write("docs/bad.yml", &environment(&["-r bad.txt"]));
    write("docs/bad.txt", "idna\njinja2 ===\n");
    write("docs/out.yml", &environment(&["-r ../../c.txt"]));
    write(
        "docs/image.yml",
        "environments:\n  base: env.yml\n  other: ../other.yml\n  third: other.yml\npip: [-r a.txt]\n",
    );
    write("other.yml", &environment(&["-r b.txt", "-r missing.txt"]));
    write("docs/nested.yml", &environment(&["-r more/b.txt"]));
    write("docs/more/b.txt", "./lib\n./missing\n./own\n");
    write("docs/more/lib/pyproject.toml", "");
    write("docs/own/pyproject.toml", "");
    // A list on a server may have the hash that `idna` needs.
    let ones = "1".repeat(64);
    write(
        "docs/web.yml",
        &environment(&[
            "-c https://lists.example/limits.txt",
            &format!("-r https://lists.example/all.txt#sha256={ones}"),
            &format!("six==1.17 --hash=sha256:{ones}"),
            "idna",
        ]),
    );
    let mut all = String::new();
    for file in [
        "env.yml",
        "bad.yml",
        "out.yml",
        "nested.yml",
        "image.yml",
        "web.yml",
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_condafront"))
            .args(["check", &format!("docs/{file}")])
            .current_dir(dir.path())
            .env_remove("BUILDKIT_SESSION_ID")
            .output()
            .unwrap();
        all.push_str(&format!(
            "$ condafront check docs/{file}\n{}\n",
            text(&output)
        ));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn packages_for_builds_are_checked() {
    let mut all = String::new();
    for (pip, build) in [
        ("requests", "- cmake"),
        ("requests", "- numpy scipy"),
        ("requests", "- gcc=14=*=x"),
        ("requests", "- https://user:hunter2@x.example/c::gcc"),
        ("", "- cmake"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let pip = match pip {
            "" => String::new(),
            pip => format!("pip: [{pip}]\n"),
        };
        for (name, text) in [
            (
                "env.yml",
                "channels: [conda-forge]\ndependencies: [python=3.13, pip]\n",
            ),
            (
                "image.yml",
                &format!("environments:\n  base: env.yml\n{pip}build:\n  {build}\n"),
            ),
            (
                "own.yml",
                &format!(
                    "channels: [conda-forge]\ndependencies: [python=3.13, pip]\ncondafront:\n  build:\n    {build}\n  {pip}"
                ),
            ),
        ] {
            std::fs::write(dir.path().join(name), text).unwrap();
        }
        for file in ["own.yml", "image.yml"] {
            let output = Command::new(env!("CARGO_BIN_EXE_condafront"))
                .args(["check", file])
                .current_dir(dir.path())
                .env_remove("BUILDKIT_SESSION_ID")
                .output()
                .unwrap();
            all.push_str(&format!("{}\n", text(&output)));
        }
    }
    assert!(!all.contains("hunter2"), "{all}");
    insta::assert_snapshot!(all);
}

#[test]
fn locks_that_lists_name_are_checked() {
    let lock = "lock-version = \"1.0\"\n[[packages]]\nname = \"demo\"\n";
    let vcs = "vcs = {type = \"git\", url = \"https://git.example/demo\", commit-id = \"0123456789abcdef0123456789abcdef01234567\"}\n";
    let env = "channels: [conda-forge]\ndependencies:\n  - python=3.13\n  - pip:\n    - ";
    let mut all = String::new();
    for (title, list, lock) in [
        ("a lock", "-r pylock.toml", format!("{lock}{vcs}")),
        ("a mistake in it", "-r pylock.toml", lock.to_owned()),
        ("as constraints", "-c pylock.toml", format!("{lock}{vcs}")),
    ] {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("env.yml"), format!("{env}{list}\n")).unwrap();
        std::fs::write(dir.path().join("pylock.toml"), lock).unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_condafront"))
            .args(["check", "env.yml"])
            .current_dir(dir.path())
            .env_remove("BUILDKIT_SESSION_ID")
            .output()
            .unwrap();
        all.push_str(&format!("{title}:\n{}\n", text(&output)));
    }
    insta::assert_snapshot!(all);
}

/// What a build refuses to take from a list for pip, or of categories, `check` refuses too.
#[test]
fn credentials_and_unknown_categories_are_errors() {
    let lock = "version: 1\nmetadata: {}\npackage:\n- {name: zlib, version: '1', manager: conda, platform: linux-64, category: main, url: 'https://c.example/linux-64/zlib-1-0.conda', hash: {md5: 11111111111111111111111111111111}}\n";
    let pylock = "lock-version = '1.0'\nextras = ['socks']\npackages = []\n";
    let newer = pylock.replace("1.0", "1.1");
    let image = "environments: {base: conda-lock.yml}\npip: [-r pylock.toml]\n";
    let env = |entry: &str| {
        format!(
            "channels: [conda-forge]\ndependencies:\n  - python\n  - pip\n  - pip:\n    - {entry}\n"
        )
    };
    let url = "https://me:hunter2@pypi.example/simple";
    let index = format!("PIP_INDEX_URL={url}");
    let mut all = String::new();
    for (title, text, arg) in [
        (
            "an index",
            env(&format!("--index-url {url}\n    - six")),
            "",
        ),
        ("a file", env(&format!("demo @ {url}/demo-1.0.tar.gz")), ""),
        (
            "a repository",
            env("demo @ git+https://me:hunter2@git.example/demo"),
            "",
        ),
        ("a build-arg", env("six"), &*index),
        (
            "a secret's name",
            env("--index-url https://${TOKEN}@pypi.example/simple\n    - six"),
            "",
        ),
        (
            "a category of the pylock.toml",
            image.to_owned(),
            "CONDA_LOCK_CATEGORIES=socks",
        ),
        (
            "a category of neither",
            image.to_owned(),
            "CONDA_LOCK_CATEGORIES=main,sokcs",
        ),
        (
            "a category of no lock, of which one has a warning",
            env("-r pylock.newer.toml"),
            "CONDA_LOCK_CATEGORIES=sokcs",
        ),
        (
            "a category without a lock",
            env("six"),
            "CONDA_LOCK_CATEGORIES=dev",
        ),
    ] {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in [
            ("conda-lock.yml", lock),
            ("pylock.toml", pylock),
            ("pylock.newer.toml", &newer),
            ("it.yml", &text),
        ] {
            std::fs::write(dir.path().join(name), text).unwrap();
        }
        let mut command = Command::new(env!("CARGO_BIN_EXE_condafront"));
        command.args(["check", "it.yml"]).current_dir(dir.path());
        if !arg.is_empty() {
            command.args(["--build-arg", arg]);
        }
        let output = command.output().unwrap();
        all.push_str(&format!("## {title}\n{}\n", self::text(&output)));
    }
    assert!(!all.contains("hunter2"), "{all}");
    insta::assert_snapshot!(all);
}
