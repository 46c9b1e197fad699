//! Manifests without a lock: what they ask of a solve and of pip.

mod cutoff;
mod mistakes;
mod pypi;
mod tool;

use std::fmt::Write as _;

use super::*;
use crate::environment_input::SolveRequest;
use crate::file_path::FilePath;
use crate::requirements::Reading;
use crate::section::args::BuildArgs;
use condafront_model::lint::Rule;

fn settings(environment: Option<&str>) -> InputSettings {
    InputSettings {
        environment: environment.map(str::to_owned),
        ..InputSettings::default()
    }
}

fn read_as(name: &str, text: &str, environment: Option<&str>) -> EnvironmentInput {
    let file = SourceFile::new(name, text);
    let input = of_kind::read(&file, Platform::LinuxAmd64, &settings(environment));
    input.unwrap_or_else(|error| panic!("{}", error.render(Level::Error)))
}

fn request(input: &EnvironmentInput) -> &SolveRequest {
    match &input.conda {
        Conda::Unsolved(request) => request,
        Conda::Locked(_) => panic!("locked"),
    }
}

/// What a manifest asks for, with the lines that ask for it.
fn asked(input: &EnvironmentInput) -> String {
    let request = request(input);
    let mut text = String::new();
    let channels = request.channels.iter().map(|one| one.name.as_str());
    let channels: Vec<&str> = channels.collect();
    let _ = writeln!(
        text,
        "channels: {} ({:?})",
        channels.join(", "),
        request.priority
    );
    let mut list = |title: &str, lines: Vec<(String, u32)>| {
        for (line, number) in lines {
            let _ = writeln!(text, "{title} {number}: {line}");
        }
    };
    let specs = |all: &[crate::RequestedSpec]| {
        let all = all.iter();
        all.map(|one| (one.spec.clone(), one.lines.first)).collect()
    };
    list("conda", specs(&request.specs));
    list("group", specs(&request.group));
    let platforms = request.platforms.iter();
    list(
        "platform",
        platforms
            .map(|one| (one.subdir.clone(), one.lines.first))
            .collect(),
    );
    if let Pip::Unsolved(lines) = &input.pip {
        let lines = lines.iter();
        list(
            "pip",
            lines
                .map(|one| (one.text.clone(), one.lines.first))
                .collect(),
        );
    }
    let warnings = input.warnings.iter();
    list(
        "warning",
        warnings
            .map(|one| {
                let place = &one.diagnostic.locations[0];
                (one.diagnostic.message.clone(), place.lines.first)
            })
            .collect(),
    );
    let beside = input.beside.as_ref();
    list(
        "without a lock",
        beside
            .into_iter()
            .flat_map(|beside| {
                let warnings = beside.warnings.iter().map(|one| &one.diagnostic);
                warnings.chain(&beside.unsolvable)
            })
            .map(|one| (one.message.clone(), one.locations[0].lines.first))
            .collect(),
    );
    let declared = &request.declared;
    for (name, value) in [
        ("cuda", &declared.cuda),
        ("cuda_arch", &declared.cuda_arch),
        ("archspec", &declared.archspec),
    ] {
        if let Some(value) = value {
            let _ = writeln!(text, "declared: {name} {value}");
        }
    }
    text
}

#[test]
fn tables_of_all_kinds_are_merged_as_pixi_does() {
    let text = r#"[workspace]
channels = ["conda-forge", { channel = "nvidia", priority = 2 }]
platforms = ["osx-arm64", "linux-64", "linux-aarch64"]
channel-priority = "strict"

[dependencies]
python = "3.12"
numpy = ">=1"
cmake = "*"
scipy = { version = ">=1", build = "py312*", build-number = ">=1", channel = "bioconda" }
tzdata = { url = "https://conda.example/forge/noarch/tzdata-2025b-0.conda", md5 = "4222072737ccff51314b5ece9c7d6f5a" }
tomli = { version = "*", when = "python <3.11" }
torch = { flags = ["cuda*"], extras = ["a"], when = { any = ["__cuda", { all = ["python >=3", { package = "x", version = ">=1" }] }] } }

[host-dependencies]
numpy = ">=2"

[build-dependencies]
CMake = "3.*"

[target.linux.dependencies]
python = "3.11.*"

[target.linux-64.dependencies]
python = "3.13.*"

[target.osx.dependencies]
pyobjc = "*"

[constraints]
openssl = ">=3"
zlib = { build = "h*" }

[feature.extra]
platforms = ["linux-64"]
channels = ["bioconda"]
dependencies = { numpy = "<3", more = "*" }

[tasks]
start = "python"

[environments]
extra = ["extra"]
"#;
    let mut all = asked(&read_as("pixi.toml", text, None));
    all.push_str("--- extra\n");
    all.push_str(&asked(&read_as("pixi.toml", text, Some("extra"))));
    insta::assert_snapshot!(all);
}

#[test]
fn environments_of_a_solve_group_are_solved_together() {
    let text = r#"[workspace]
channels = ["conda-forge"]
platforms = ["linux-64"]
[dependencies]
python = "*"
[feature.test]
channels = ["tests"]
dependencies = { pytest = "*" }
[feature.old.dependencies]
python = "3.11.*"
[environments]
default = { solve-group = "main" }
test = { features = ["test"], solve-group = "main" }
old = { features = ["old"], solve-group = "main" }
alone = ["test"]
"#;
    let mut all = String::new();
    for environment in [None, Some("test"), Some("alone")] {
        let input = read_as("pixi.toml", text, environment);
        all.push_str(&format!("--- {environment:?}\n{}", asked(&input)));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn what_one_of_a_solve_group_needs_counts_for_all() {
    let text = r#"[workspace]
channels = ["conda-forge"]
platforms = ["linux-64"]
[dependencies]
python = "*"
[feature.gpu]
system-requirements = { cuda = "12.4" }
channel-priority = "flexible"
[environments]
default = { solve-group = "main" }
gpu = { features = ["gpu"], solve-group = "main" }
"#;
    let mut all = String::new();
    for environment in [None, Some("gpu")] {
        let input = read_as("pixi.toml", text, environment);
        all.push_str(&format!("--- {environment:?}\n{}", asked(&input)));
    }
    let lowest = text.replace(
        "channel-priority = \"flexible\"",
        "solve-strategy = \"lowest\"",
    );
    all.push_str(&asked(&read_as("pixi.toml", &lowest, None)));
    insta::assert_snapshot!(all);
}

#[test]
fn machines_are_what_the_manifest_declares() {
    let text = r#"[workspace]
channels = ["conda-forge"]
platforms = [
  "osx-arm64",
  { platform = "linux-64", cuda = "12.0", glibc = "2.28", linux = "6.1" },
  { name = "jetson", platform = "linux-aarch64", cuda = "12.8" },
]
[dependencies]
python = "*"
[system-requirements]
cuda = "12.4"
libc = { family = "glibc", version = "2.17" }
archspec = "x86_64_v3"
macos = "13"
linux = "5.4"
[feature.arm]
platforms = ["jetson"]
[environments]
arm = ["arm"]
"#;
    let mut all = asked(&read_as("pixi.toml", text, None));
    all.push_str("--- arm\n");
    all.push_str(&asked(&read_as("pixi.toml", text, Some("arm"))));
    let several = r#"[workspace]
channels = ["conda-forge"]
platforms = [{ name = "plain", platform = "linux-64" }, { name = "gpu", platform = "linux-64", cuda = "12" }]
[dependencies]
python = "*"
"#;
    for environment in [None, Some("default@gpu"), Some("default@plain")] {
        let input = read_as("pixi.toml", several, environment);
        all.push_str(&format!("--- {environment:?}\n{}", asked(&input)));
    }
    let error = read_for(several, Some("default@big")).unwrap_err();
    all.push_str(&format!("{}\n", error.render(Level::Error)));
    for entry in [
        "cuda = { driver = \"12.0\", arch = \"9\" }",
        "__cuda = \"12.1=0\", __cuda_arch = \"9.0=h100\", __archspec = \"1=zen4\"",
        "__own = \"1\"",
        "glibc = { family = \"musl\", version = \"1.2\" }",
    ] {
        let text = format!(
            "[workspace]\nchannels = [\"conda-forge\"]\nplatforms = [{{ platform = \"linux-64\", {entry} }}]\n"
        );
        let input = read_as("pixi.toml", &text, None);
        all.push_str(&format!("--- {entry}\n{}", asked(&input)));
    }
    for entry in [
        "cuda = { driver = \"12.0\", arch = \"sm_90\" }",
        "cuda = { arch = \"8.6\" }",
    ] {
        let text = several.replace("cuda = \"12\"", entry);
        let error = read_for(&text, Some("default@gpu")).unwrap_err();
        all.push_str(&format!("{}\n", error.render(Level::Error)));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn manifests_of_conda_workspaces_have_another_lock() {
    let text = "[workspace]\nchannels = [\"conda-forge\"]\n[workspace.dependencies]\nnumpy = { version = \">=2\", channel = \"bioconda\" }\nscipy = \">=1\"\n[dependencies]\nnumpy = { workspace = true, build = \"py*\" }\nscipy = { workspace = true }\n";
    let input = read_as("folder/conda.toml", text, None);
    assert_eq!(input.beside.as_ref().unwrap().lock.value, "conda.lock");
    let specs = &request(&input).specs;
    let specs: Vec<&str> = specs.iter().map(|one| one.spec.as_str()).collect();
    assert_eq!(specs.len(), 2);
    assert!(
        specs[0].contains("bioconda::numpy") && specs[0].contains("py*"),
        "{specs:?}"
    );
    let own = SourceFile::new("conda.toml", text);
    let own = OwnLock::of(&own, &input, Platform::LinuxAmd64).unwrap();
    let help = own.missing().help.unwrap_or_default();
    assert!(help.contains("conda workspace lock"), "{help}");
    let inside =
        "[tool.conda.workspace]\nname = \"a\"\n[tool.conda.dependencies]\npython = \"*\"\n";
    let input = read_as("pyproject.toml", inside, None);
    assert_eq!(input.beside.as_ref().unwrap().lock.value, "conda.lock");
    let rules: Vec<Rule> = input.warnings.iter().map(|one| one.rule).collect();
    assert_eq!(rules, [Rule::NoChannel]);
}

#[test]
fn an_environment_has_packages_of_its_own() {
    let text = r#"[project]
name = "app"
[dependency-groups]
test = ["black"]
[tool.pixi.workspace]
channels = ["conda-forge"]
platforms = ["linux-64"]
[tool.pixi.dependencies]
python = "*"
[tool.pixi.feature.test.dependencies]
pytest = "*"
[tool.pixi.environments.test]
solve-group = "main"
channels = ["own"]
[tool.pixi.environments.test.dependencies]
hypothesis = "*"
[tool.pixi.environments.test.target.linux-64]
pypi-dependencies = { coverage = "*" }
activation = { env = { A = "1" } }
[tool.pixi.environments.other]
features = ["test"]
solve-group = "main"
dependencies = { mypy = "*" }
"#;
    let input = read_as("pyproject.toml", text, Some("test"));
    assert_eq!(input.variables["A"], "1");
    let mut all = asked(&input);
    all.push_str("--- other\n");
    all.push_str(&asked(&read_as("pyproject.toml", text, Some("other"))));
    insta::assert_snapshot!(all);
}
