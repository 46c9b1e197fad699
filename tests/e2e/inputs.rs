//! Every kind of build file: built on a real engine, run, and compared with what the file says.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use condafront_testkit::channel::{Channel, HashStyle, Package};
use condafront_testkit::engine::{self, Store};
use condafront_testkit::needs::micromamba;
use serde_json::Value;

use crate::failure::{error_of, masked};
use crate::pip;
use crate::project::{Project, frontend};

/// The environment that all the files here describe.
const SPECS: [&str; 5] = [
    "python",
    "pip",
    "noarch-demo",
    "activate-demo",
    "bumpme=1.0",
];

/// `name version build` of each record in an environment, sorted, and what these commands print.
fn installed_and(project: &Project, prefix: &str, commands: &str) -> (BTreeSet<String>, String) {
    let program = format!(
        "import glob, json\n\
         for path in glob.glob('{prefix}/conda-meta/*.json'):\n\
         \x20   record = json.load(open(path))\n\
         \x20   print(record['name'], record['version'], record['build'])\n"
    );
    let script = format!("set -e; python -c \"{program}\"; echo --; {commands}");
    let output = project.run(&[], &["sh", "-c", &script]).expect_success();
    let (records, said) = output.stdout.split_once("--\n").expect("both");
    (
        records.lines().map(str::to_owned).collect(),
        said.to_owned(),
    )
}

/// `name version build` of each record in an environment, sorted.
fn installed(project: &Project, prefix: &str) -> BTreeSet<String> {
    installed_and(project, prefix, "").0
}

/// The same for packages.
fn described(packages: &[&Package]) -> BTreeSet<String> {
    packages
        .iter()
        .map(|package| format!("{} {} {}", package.name, package.version, package.build))
        .collect()
}

fn closure() -> Vec<&'static Package> {
    Channel::open().closure(&SPECS)
}

/// An env.yml with the specs, for an environment with this name.
fn env_yml(project: &Project, name: &str) -> String {
    let mut text = format!(
        "# syntax={}\nname: {name}\nchannels:\n  - {}\ndependencies:\n",
        frontend(),
        project.channel()
    );
    for spec in SPECS {
        writeln!(text, "  - {spec}").expect("text");
    }
    text
}

/// A PyPI package on the project's server.
struct Wheel {
    /// Its entry in an explicit lock.
    line: String,
    url: String,
    sha256: String,
}

impl Wheel {
    fn serve(project: &Project) -> Self {
        let line = pip::serve(project, "hello.world", &pip::hello("1.0"));
        let (_, address) = line.trim().split_once(" @ ").expect("an address");
        let (url, sha256) = address.split_once("#sha256=").expect("a hash");
        let [url, sha256] = [url, sha256].map(str::to_owned);
        Self { line, url, sha256 }
    }
}

fn conda_lock_yml(project: &Project, packages: &[&Package], wheel: &Wheel) -> String {
    let mut text = format!(
        "# syntax={}\nversion: 1\nmetadata:\n  content_hash:\n    linux-64: {}\n  channels:\n  - url: conda-forge\n    used_env_vars: []\n  platforms:\n  - linux-64\n  sources:\n  - environment.yml\npackage:\n",
        frontend(),
        "0".repeat(64)
    );
    for package in packages {
        let url = project.package_url(package);
        let dependencies: String = package
            .depends
            .iter()
            .map(|spec| {
                let (name, version) = spec.split_once(' ').unwrap_or((spec, ""));
                format!("    {name}: '{version}'\n")
            })
            .collect();
        let dependencies = match dependencies.as_str() {
            "" => " {}\n".to_owned(),
            lines => format!("\n{lines}"),
        };
        write!(
            text,
            "- name: {}\n  version: '{}'\n  manager: conda\n  platform: linux-64\n  dependencies:{dependencies}  url: {url}\n  hash:\n    md5: {}\n    sha256: {}\n  category: main\n  optional: false\n",
            package.name, package.version, package.md5, package.sha256
        )
        .expect("text");
    }
    write!(
        text,
        "- name: hello-world\n  version: '1.0'\n  manager: pip\n  platform: linux-64\n  dependencies: {{}}\n  url: {}\n  hash:\n    sha256: {}\n  category: main\n  optional: false\n",
        wheel.url, wheel.sha256
    )
    .expect("text");
    // Packages of other platforms and categories are ignored.
    text.push_str("- name: bumpme\n  version: '9'\n  manager: conda\n  platform: osx-arm64\n  dependencies: {}\n  url: http://gone.invalid/noarch/bumpme-9-0.conda\n  hash: {md5: 00000000000000000000000000000000}\n  category: main\n  optional: false\n");
    text.push_str("- name: dev-tool\n  version: '9'\n  manager: conda\n  platform: linux-64\n  dependencies: {}\n  url: http://gone.invalid/noarch/dev-tool-9-0.conda\n  hash: {md5: 00000000000000000000000000000000}\n  category: dev\n  optional: true\n");
    text
}

fn pixi_lock(project: &Project, packages: &[&Package], wheel: &Wheel) -> String {
    let channel = project.channel();
    let mut text = format!(
        "# syntax={}\nversion: 6\nenvironments:\n  default:\n    channels:\n    - url: {channel}/\n    packages:\n      linux-64:\n",
        frontend()
    );
    for package in packages {
        writeln!(text, "      - conda: {channel}/{}", package.path()).expect("text");
    }
    writeln!(text, "      - pypi: {}", wheel.url).expect("text");
    text.push_str("packages:\n");
    for package in packages {
        write!(
            text,
            "- conda: {channel}/{}\n  sha256: {}\n  md5: {}\n",
            package.path(),
            package.sha256,
            package.md5
        )
        .expect("text");
        if !package.depends.is_empty() {
            text.push_str("  depends:\n");
            for spec in &package.depends {
                writeln!(text, "  - {spec}").expect("text");
            }
        }
        writeln!(text, "  size: {}", package.size).expect("text");
    }
    write!(
        text,
        "- pypi: {}\n  name: hello-world\n  version: '1.0'\n  sha256: {}\n",
        wheel.url, wheel.sha256
    )
    .expect("text");
    text
}

#[test]
fn every_kind_of_file_gives_its_packages() {
    let project = Project::new(Store::Containerd);
    let packages = closure();
    let wheel = Wheel::serve(&project);
    let lock = project.lock_text(&packages, HashStyle::Sha256) + &wheel.line;
    let conda_lock = conda_lock_yml(&project, &packages, &wheel);
    for (name, text, prefix, has_wheel) in [
        ("explicit.lock", lock, "/opt/conda", true),
        ("conda-lock.yml", conda_lock, "/opt/conda", true),
        (
            "pixi.lock",
            pixi_lock(&project, &packages, &wheel),
            "/opt/conda",
            true,
        ),
        ("env.yml", env_yml(&project, "base"), "/opt/conda", false),
        (
            "named.yml",
            env_yml(&project, "lab"),
            "/opt/conda/envs/lab",
            false,
        ),
    ] {
        project.write(name, text);
        project.build_file(name, &[]).expect_success();
        let (command, printed) = if has_wheel {
            ("hello", "hello 1.0\n")
        } else {
            ("", "")
        };
        let (found, said) = installed_and(&project, prefix, command);
        assert_eq!(found, described(&packages), "{name}");
        assert_eq!(said, printed, "{name}");
    }
}

/// What PowerShell's `>` writes. BuildKit does not see the syntax line in it.
#[test]
fn a_file_in_utf_16_is_read() {
    let project = Project::new(Store::Containerd);
    let syntax = format!("BUILDKIT_SYNTAX={}", frontend());
    let args = ["--build-arg", &syntax];
    let write = |name: &str, text: String| {
        let text = format!("\u{feff}{}", text.replace('\n', "\r\n"));
        let units = text.encode_utf16().flat_map(u16::to_le_bytes);
        project.write(name, units.collect::<Vec<u8>>());
    };
    write("env.yml", env_yml(&project, "base"));
    project.build_file("env.yml", &args).expect_success();
    assert_eq!(installed(&project, "/opt/conda"), described(&closure()));

    write(
        "bad.yml",
        env_yml(&project, "base") + "  - numpy=>1.26  # größer\n",
    );
    let output = project.build_file("bad.yml", &args).expect_failure();
    // BuildKit shows the line of the decoded text.
    let line = env_yml(&project, "base").lines().count() + 1;
    let shown = format!(" {line} | >>>   - numpy=>1.26  # größer");
    assert!(error_of(&output).contains(&shown), "{}", output.stderr);
}

/// No file at all: an empty folder, and build-args.
#[test]
fn specs_are_enough() {
    let project = Project::new(Store::Containerd);
    std::fs::create_dir(project.path("empty")).expect("a folder");
    let channel = project.channel();
    let syntax = format!("BUILDKIT_SYNTAX={}", frontend());
    let specs = format!("CONDA_SPECS={}", SPECS.join(" "));
    let channels = format!("CONDA_CHANNELS={channel}");
    let args = [&syntax, &specs, &channels];
    let args: Vec<&str> = args.iter().flat_map(|arg| ["--build-arg", arg]).collect();
    project.build_folder("empty", &args).expect_success();
    assert_eq!(installed(&project, "/opt/conda"), described(&closure()));

    // A file with only the syntax line counts as no file.
    let args = &args[2..];
    project.write("empty/Dockerfile", format!("# syntax={}\n", frontend()));
    project.build_folder("empty", args).expect_success();

    // A file and specs contradict each other.
    project.write("both.yml", env_yml(&project, "base"));
    let output = project.build_file("both.yml", args).expect_failure();
    insta::assert_snapshot!("specs_beside_a_file", masked(&project, &error_of(&output)));
}

#[test]
fn the_environment_of_a_file_is_active() {
    let project = Project::new(Store::Containerd);
    let text =
        env_yml(&project, "lab") + "variables:\n  LAB_PORT: 8888\n  LAB_TITLE: \"a 'b' $c\"\n";
    project.write("env.yml", text);
    project.build_file("env.yml", &[]).expect_success();
    let echo = "echo $CONDA_DEFAULT_ENV $CONDA_PREFIX $LAB_PORT \"$LAB_TITLE\"; which python";
    let expected = "lab /opt/conda/envs/lab 8888 a 'b' $c\n/opt/conda/envs/lab/bin/python\n";
    for options in [
        &["--entrypoint", ""][..],
        &["--user", "1234:5678"],
        &["--env", "ENV_NAME=lab"],
    ] {
        let output = project.run(options, &["sh", "-c", echo]).expect_success();
        assert_eq!(output.stdout, expected, "{options:?}");
    }
    // The user also owns the directories above it, so that more environments can be made.
    let more = format!("{echo}; mkdir /opt/conda/envs/more && touch /opt/conda/x");
    let output = project.run(&[], &["sh", "-c", &more]).expect_success();
    assert_eq!(output.stdout, expected);
    // Without activation, its variables are not set.
    let output = project.run(
        &["--env", "MAMBA_SKIP_ACTIVATE=1"],
        &["sh", "-c", "echo $LAB_PORT"],
    );
    assert_eq!(output.expect_success().stdout, "\n");
}

/// A written lock gives the same image as the file itself.
#[test]
fn a_written_lock_gives_the_same_layers() {
    let project = Project::new(Store::Containerd);
    project.write("env.yml", env_yml(&project, "base"));
    project
        .build_file("env.yml", &["--target", "lock", "--output", "out"])
        .expect_success();
    let path = project.path("out/conda-linux-64.lock");
    let written = std::fs::read_to_string(&path).expect("the lock was written out");
    let files: Vec<_> = std::fs::read_dir(project.path("out"))
        .expect("a folder")
        .collect();
    assert_eq!(files.len(), 1);
    let urls: Vec<&str> = written
        .lines()
        .filter(|line| line.starts_with("http"))
        .collect();
    assert_eq!(urls.len(), closure().len(), "{written}");
    for package in closure() {
        let url = project.package_url(package);
        let entry = format!("{url}#sha256:{}", package.sha256);
        assert!(urls.contains(&entry.as_str()), "no {entry} in {written}");
    }

    // A second run writes the same text, and the lock gives the same layers as it is.
    let syntax = format!("# syntax={}\n", frontend());
    assert!(written.starts_with(&syntax), "{written}");
    project
        .build_file(
            "env.yml",
            &["--no-cache", "--target", "lock", "--output", "again"],
        )
        .expect_success();
    let again = std::fs::read_to_string(project.path("again/conda-linux-64.lock"));
    assert_eq!(again.expect("a lock"), written);

    let solved = project.push_file("env.yml", "solved", &[]);
    project.write("written.lock", &written);
    let locked = project.push_file("written.lock", "locked", &[]);
    assert_eq!(solved.layers, locked.layers);
}

#[test]
#[ignore = "needs a micromamba"]
fn needs_micromamba_it_takes_the_written_lock() {
    let project = Project::new(Store::Containerd);
    project.write("env.yml", env_yml(&project, "base"));
    project
        .build_file("env.yml", &["--target", "lock", "--output", "out"])
        .expect_success();
    let root = tempfile::tempdir().expect("a folder");
    let mut command = std::process::Command::new(micromamba());
    command
        .args(["create", "--yes", "--no-rc", "--prefix"])
        .arg(root.path().join("env"))
        .arg("--root-prefix")
        .arg(root.path().join("root"))
        .arg("--file")
        .arg(project.path("out/conda-linux-64.lock"));
    engine::run(&mut command).expect_success();
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(root.path().join("env/conda-meta")).expect("records") {
        let path = entry.expect("an entry").path();
        if path
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            let record = std::fs::read(&path).expect("a record");
            let record: Value = serde_json::from_slice(&record).expect("JSON");
            let text = |key: &str| record[key].as_str().unwrap_or_default().to_owned();
            found.insert(format!(
                "{} {} {}",
                text("name"),
                text("version"),
                text("build")
            ));
        }
    }
    assert_eq!(found, described(&closure()));
}
