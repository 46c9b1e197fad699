//! Manifests without a lock: what they ask of a solve and of pip.

use std::fmt::Write as _;

use super::*;
use crate::environment_input::SolveRequest;
use crate::file_path::FilePath;
use crate::own_lock;
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
fn pypi_packages_become_lines_that_pip_understands() {
    let text = r#"[workspace]
channels = ["conda-forge"]
platforms = ["linux-64"]

[dependencies]
python = "3.13.*"

[pypi-dependencies]
any = "*"
some = ">=1,<2"
extra = { version = "~=1.0", extras = ["a", "b"], env-markers = "python_version < '4'" }
own = { path = ".", editable = true }
other = { path = "./my libs/[x]", extras = ["cli"] }
up = { path = "../shared" }
commit = { git = "https://git.example/team/commit.git", rev = "abc", subdirectory = "py" }
tag = { git = "ssh://git@git.example/team/tag", tag = "v1", extras = ["dev"] }
web = { url = "https://files.example/web-1.0-py3-none-any.whl" }

[pypi-options]
index-url = "https://pypi.example/simple"
extra-index-urls = ["https://more.example/simple", { url = "https://last.example/simple" }]
find-links = [{ url = "https://files.example/links" }]
index-strategy = "unsafe-best-match"
no-build = ["any"]
no-binary = ["some"]
prerelease-mode = "allow"
no-build-isolation = false

[target.linux-64.pypi-dependencies]
Some = "==1.5"
"#;
    let input = read_as("pixi.toml", text, None);
    insta::assert_snapshot!(asked(&input));
    let Pip::Unsolved(list) = &input.pip else {
        panic!("no list");
    };
    let args = BuildArgs::default();
    let mut reading = Reading::new(&args);
    reading.add(list, FilePath::build_file());
    assert_eq!(reading.next_file(), Ok(None));
}

#[test]
fn a_pyproject_says_more_about_python() {
    let text = r#"[project]
name = "my-app"
requires-python = ">= 3.12, <4"
dependencies = ["requests>=2", "numpy ; python_version < '4'"]

[project.optional-dependencies]
test = ["pytest"]
all = ["extra", "My_App[test, ]"]

[dependency-groups]
docs = ["sphinx"]
dev = [{ include-group = "docs" }, "black"]

[tool.pixi.workspace]
channels = ["conda-forge"]
platforms = ["linux-64"]

[tool.pixi.pypi-dependencies]
my-app = { path = ".", editable = true }

[tool.pixi.feature.test.dependencies]
hypothesis = "*"

[tool.pixi.environments]
all = { features = ["all", "test"] }
dev = { features = ["dev"], no-default-feature = true }

[tool.condafront]
cmd = ["my-app"]
"#;
    let mut all = String::new();
    for environment in [None, Some("all"), Some("dev")] {
        let input = read_as("pyproject.toml", text, environment);
        assert!(input.section.cmd.is_some());
        assert_eq!(input.beside.as_ref().unwrap().lock.value, "pixi.lock");
        all.push_str(&format!("--- {environment:?}\n{}", asked(&input)));
    }
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
fn what_only_the_tool_can_do_needs_its_lock() {
    let start = "[workspace]\nchannels = [\"conda-forge\"]\nplatforms = [\"linux-64\"]\n";
    let mut all = String::new();
    for rest in [
        "channel-priority = \"disabled\"\n",
        "solve-strategy = \"lowest\"\n",
        "exclude-newer = \"1h30m\"\n",
        "[dependencies]\nown = { path = \"own\" }\n",
        "[dependencies]\nown = { git = \"https://git.example/own\" }\n",
        "[dev]\nown = { path = \"own\" }\n",
        "[pypi-dependencies]\na = { version = \"*\", index = \"https://pypi.example\" }\n",
        "[pypi-dependencies]\na = \"*\"\n[pypi-options]\nextra-index-urls = [\"https://pypi.example\"]\n",
        "[pypi-dependencies]\na = \"*\"\n[pypi-options]\nno-build-isolation = [\"a\"]\n",
        "[pypi-dependencies]\na = \"*\"\n[pypi-options]\nprerelease-mode = \"disallow\"\n",
        "[pypi-dependencies]\na = \"*\"\n[pypi-options]\nfind-links = [{ path = \"links\" }]\n",
        "[pypi-dependencies]\na = \"*\"\n[pypi-options.dependency-overrides]\nb = \"*\"\n",
    ] {
        let text = format!("{start}{rest}[feature.a.dependencies]\nb = \"*\"\n");
        let input = read_as("pixi.toml", &text, None);
        let file = SourceFile::new("pixi.toml", text.as_str());
        let own = OwnLock::of(&file, &input, Platform::LinuxAmd64).unwrap();
        let error = own.without(input).expect_err(rest);
        all.push_str(&format!("{}\n\n", error.render(Level::Error)));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn how_prereleases_count_is_known_without_pypi_packages() {
    let read = |rest: &str| {
        let text = format!(
            "[workspace]\nchannels = [\"conda-forge\"]\nplatforms = [\"linux-64\"]\n{rest}[feature.more.pypi-options]\nprerelease-mode = \"explicit\"\n[environments]\nmore = [\"more\"]\n"
        );
        ["default", "more"].map(|environment| {
            let input = read_as("pixi.toml", &text, Some(environment));
            input.beside.unwrap()
        })
    };
    for (rest, mode) in [
        ("", None),
        (
            "[pypi-options]\nprerelease-mode = \"allow\"\n",
            Some("allow"),
        ),
        (
            "[workspace.pypi-options]\nprerelease-mode = \"disallow\"\nextra-index-urls = [\"https://pypi.example\"]\n",
            Some("disallow"),
        ),
    ] {
        let [default, more] = read(rest);
        assert_eq!(default.indexes.prerelease_mode.as_deref(), mode, "{rest}");
        let of_feature = more.indexes.prerelease_mode.as_deref();
        assert_eq!(of_feature, Some("explicit"), "{rest}");
        // There is nothing to find otherwise than pixi does.
        assert_eq!(default.unsolvable, None, "{rest}");
        assert_eq!(more.unsolvable, None, "{rest}");
    }
    let [default, _] =
        read("[pypi-dependencies]\na = \"*\"\n[pypi-options]\nprerelease-mode = \"allow\"\n");
    assert_eq!(default.indexes.prerelease_mode.as_deref(), Some("allow"));
}

#[test]
fn a_group_that_is_included_must_be_there() {
    let text = "[dependency-groups]\ndev = [\n  { include-group = \"nope\" },\n]\n[tool.pixi.workspace]\nchannels = []\n[tool.pixi.environments]\ndefault = [\"dev\"]\n";
    let error = read_for(text, None).unwrap_err();
    assert_eq!(error.message, "there is no dependency group `nope`");
    assert_eq!(error.locations[0].lines, Lines::one(3));
    assert_eq!(error.help.as_deref(), Some("The groups are dev."));
}

#[test]
fn groups_that_include_each_other_are_read_once() {
    let read = |groups: String| {
        let text = format!(
            "[dependency-groups]\n{groups}[tool.pixi.workspace]\nchannels = []\n[tool.pixi.environments]\ndefault = [\"g0\"]\n"
        );
        read_for(&text, None)
    };
    let includes = |times: usize, next: usize| {
        let one = format!("{{ include-group = \"g{next}\" }}");
        vec![one; times].join(", ")
    };
    let chain = |length: usize, times: usize| {
        let group = |n: usize| format!("g{n} = [{}]\n", includes(times, n + 1));
        let groups: String = (0..length).map(group).collect();
        format!("{groups}g{length} = [\"a\"]\n")
    };
    let input = read(chain(40, 2)).unwrap();
    let Pip::Unsolved(list) = &input.pip else {
        panic!("{:?}", input.pip);
    };
    assert_eq!(list.len(), 1);
    let error = read(chain(3000, 1)).unwrap_err();
    assert_eq!(
        error.message,
        "more than 50 groups include one another in a chain"
    );
    assert_eq!(error.locations[0].lines, Lines::one(52));
}

#[test]
fn pip_comes_only_with_packages_for_it() {
    let start = "[workspace]\nchannels = [\"conda-forge\"]\n[dependencies]\npython = \"*\"\n";
    let specs = |rest: &str| {
        let input = read_as("pixi.toml", &format!("{start}{rest}"), None);
        let request = request(&input);
        assert!(request.without_pip);
        let specs = request.specs.iter();
        specs
            .map(|one| (one.spec.clone(), one.is_implied))
            .collect::<Vec<_>>()
    };
    let of = |name: &str, is_implied| (name.to_owned(), is_implied);
    assert_eq!(specs(""), [of("python", false)]);
    let both = [of("python", false), of("pip", true)];
    assert_eq!(specs("[pypi-dependencies]\na = \"*\"\n"), both);
    let section = "[tool.condafront]\npip = [\"a\"]\n";
    assert_eq!(specs(section), both);
    let asked = format!("pip = \"*\"\n{section}");
    assert_eq!(specs(&asked), [of("python", false), of("pip", false)]);
}

#[test]
fn sources_for_uv_are_not_left_out() {
    let read = |rest: &str| {
        let text = format!(
            "[project]\nname = \"app\"\ndependencies = [\"My_Lib>=1\"]\n[tool.uv.sources]\nmy-lib = {{ path = \"../lib\" }}\nother = {{ index = \"b\" }}\n[tool.pixi.workspace]\nchannels = [\"conda-forge\"]\n{rest}"
        );
        let input = read_as("pyproject.toml", &text, None);
        input.beside.unwrap().unsolvable
    };
    insta::assert_snapshot!(read("").unwrap().render(Level::Error));
    let said = "[tool.pixi.pypi-dependencies]\nmy-lib = { path = \"../lib\" }\n";
    assert_eq!(read(said), None);
}

#[test]
fn a_lock_of_another_name_is_not_solved_without_what_only_the_tool_can_do() {
    let start = "[workspace]\nchannels = [\"conda-forge\"]\nplatforms = [{ platform = \"linux-64\", linux = \"6.1\" }]\n[tool.condafront]\nlock = \"conda-{platform}.lock\"\n";
    let read = |rest: &str| {
        let text = format!("{start}{rest}");
        let input = read_as("pixi.toml", &text, None);
        let file = SourceFile::new("pixi.toml", text.as_str());
        let own = OwnLock::of(&file, &input, Platform::LinuxAmd64).unwrap();
        assert_eq!(own.path, "conda-linux-64.lock");
        assert!(!own.is_optional());
        (own.without(input.clone()), own_lock::to_solve(input))
    };
    let (without, to_solve) = read("[dependencies]\npython = \"*\"\n");
    let missing = without.unwrap_err().message;
    assert!(missing.contains("is missing"), "{missing}");
    assert_eq!(to_solve.unwrap().warnings.len(), 1);
    let (_, to_solve) = read("[dependencies]\nown = { path = \"own\" }\n");
    assert_eq!(to_solve.unwrap_err().locations[0].lines, Lines::one(7));
}

#[test]
fn packages_can_be_too_new() {
    let text = r#"[workspace]
channels = [{ channel = "fresh", exclude-newer = "0d" }, "conda-forge"]
platforms = ["linux-64"]
exclude-newer = "2026-11-01"
[dependencies]
python = "*"
[exclude-newer]
openssl = "0d"
numpy = "2026-11-05"
"#;
    let input = read_as("pixi.toml", text, None);
    let asked = request(&input).exclude_newer.clone();
    let asked = asked.map(|asked| asked.map(|limit| limit.to_string()));
    assert_eq!(
        serde_json::to_string(&asked).unwrap(),
        r#"{"cutoff":"2026-11-01","channels":{"0":null},"by_name":{"numpy":"2026-11-05","openssl":null}}"#
    );
    let without = text.replace("exclude-newer = \"2026-11-01\"\n", "");
    let input = read_as(
        "pixi.toml",
        &format!("{without}[pypi-dependencies]\na = \"*\"\n[pypi-exclude-newer]\na = \"7d\"\n"),
        None,
    );
    let only = request(&input).exclude_newer.clone();
    let only = only.map(|asked| asked.map(|limit| limit.to_string()));
    assert_eq!(
        serde_json::to_string(&only).unwrap(),
        r#"{"channels":{"0":null},"by_name":{"numpy":"2026-11-05","openssl":null}}"#
    );
    let of_pypi = &input.beside.as_ref().unwrap().warnings;
    assert_eq!(of_pypi[0].diagnostic.locations[0].lines, Lines::one(11));
    let table = text.replace(
        "exclude-newer = \"2026-11-01\"\n",
        "exclude-newer = { cutoff = \"7d\" }\n",
    );
    let error = read_for(&table, None).unwrap_err();
    assert_eq!(error.message, "a cutoff must be a string, not a table");
    let spec = format!("{text}\"numpy 2\" = \"0d\"\n");
    let error = read_for(&spec, None).unwrap_err();
    assert_eq!(error.message, "`numpy 2` is not the name of a package");
    let own = format!("{text}[tool.condafront]\nexclude_newer = \"2026-10-01\"\n");
    let own = read_as("pixi.toml", &own, None);
    let cutoff = request(&own).exclude_newer.as_ref().unwrap().cutoff;
    assert_eq!(cutoff.unwrap().to_string(), "2026-10-01");
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
fn what_pypi_packages_a_lock_must_have() {
    let start = "[workspace]\nchannels = [\"conda-forge\"]\nplatforms = [\"linux-64\"]\n[dependencies]\npytorch = \"*\"\nattrs = \"*\"\n[pypi-dependencies]\n";
    let sha256 = "0".repeat(64);
    let channel = "https://conda.anaconda.org/conda-forge/linux-64";
    let wheel = "https://files.example/idna-3.10-py3-none-any.whl";
    let text = format!(
        "version: 6\nenvironments:\n  default:\n    channels: []\n    packages:\n      linux-64:\n      - conda: {channel}/pytorch-2.0-0.conda\n      - conda: {channel}/attrs-25.0-0.conda\n      - pypi: {wheel}\n      - pypi: ./app\npackages:\n- conda: {channel}/pytorch-2.0-0.conda\n  sha256: '{sha256}'\n  purls: ['pkg:pypi/torch?source=hash-mapping']\n- conda: {channel}/attrs-25.0-0.conda\n  sha256: '{sha256}'\n- pypi: {wheel}\n  name: idna\n  version: '3.10'\n  sha256: '{sha256}'\n- pypi: ./app\n  name: my-app\n  version: 0.1.0\n"
    );
    let lock = SourceFile::new("pixi.lock", text);
    let others = [
        "idna = \"*\"",
        "torch = \"*\"",
        "attrs = \"*\"",
        "my_app = { path = \"./app\" }",
    ];
    let check = |line: &str, skip: &str| {
        let name = |line: &str| line.split(' ').next().unwrap().to_lowercase();
        let others = others.iter().filter(|other| name(other) != name(line));
        let others: String = others.map(|other| format!("{other}\n")).collect();
        let text = format!("{start}{line}\n{others}");
        let file = SourceFile::new("pixi.toml", text.as_str());
        let settings = InputSettings {
            skip: skip.split_whitespace().map(str::to_owned).collect(),
            ..InputSettings::default()
        };
        let input = of_kind::read(&file, Platform::LinuxAmd64, &settings)?;
        let own = OwnLock::of(&file, &input, Platform::LinuxAmd64).unwrap();
        let folder = crate::file_path::FilePath::context();
        let list = own
            .list_of_manifest(&input.pip, &folder, &settings)?
            .unwrap();
        let found = own.read(&lock, &settings)?;
        let found = own.installed(input, found, &lock, Some(&list), &settings);
        found.map(drop)
    };
    for line in [
        "idna = \">=3\"",
        "Torch = \"*\"",
        "attrs = \"*\"",
        "my_app = { path = \"./app\", editable = true }",
    ] {
        assert_eq!(check(line, ""), Ok(()), "{line}");
    }
    assert_eq!(check("idna = \"*\"", "idna"), Ok(()));
    let mut all = String::new();
    for line in [
        "idna = \">=4\"",
        "requests = \"*\"",
        "other = { path = \"./other\" }",
    ] {
        let error = check(line, "").unwrap_err().render(Level::Error);
        all.push_str(&format!("{error}\n\n"));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn mistakes_in_tables_are_reported_at_their_lines() {
    let start = "[workspace]\nchannels = [\"conda-forge\"]\nplatforms = [\"linux-64\"]\n";
    let mut all = String::new();
    for rest in [
        "[dependencies]\npython = \"3\"\nnumpy = [\"1\"]\n",
        "[dependencies]\nnumpy = { verison = \"1\" }\n",
        "[dependencies]\nnumpy = { version = [1] }\n",
        "[dependencies]\nnumpy = { extras = \"a\" }\n",
        "[dependencies]\nnumpy = { when = { none = [] } }\n",
        "[dependencies]\nnumpy = { workspace = true }\n",
        "[pypi-dependencies]\na = \"1.0\"\n",
        "[pypi-dependencies]\na = { vresion = \"1.0\" }\n",
        "[pypi-dependencies]\na = { version = \"*\", extras = \"b\" }\n",
        "[pypi-dependencies]\na = [1]\n",
        "[pypi-dependencies]\na = \"*\"\n[pypi-options]\nindex-url = [\"a\"]\n",
        "[system-requirements]\ncuda = \"twelve\"\n",
        "[environments]\ndefault = \"test\"\n",
        "[environments]\ndefault = { feature = [\"test\"] }\n",
        "[environments]\ndefault = { features = \"test\" }\n",
        "[environments]\ndefault = { features = [], solve_group = \"a\" }\n",
        "[environments]\ndefault = { features = [], no-default-feature = \"yes\" }\n",
        "[environments]\ndefault = { features = [], solve-group = [] }\n",
        "channel-priority = \"lenient\"\n",
    ] {
        let text = format!("{start}{rest}");
        let error = read_for(&text, None).expect_err(rest).render(Level::Error);
        all.push_str(&format!("{error}\n\n"));
    }
    for (text, environment) in [
        (start.replace("\"linux-64\"", "\"linux64\""), None),
        (start.replace("\"linux-64\"", "1, [2]"), None),
        (start.replace("[\"conda-forge\"]", "\"conda-forge\""), None),
        (start.replace("\"conda-forge\"", "{ channel = \"a\", prio = 1 }"), None),
        (start.replace("\"conda-forge\"", "{ channel = \"a\", priority = \"b\" }"), None),
        (start.to_owned(), Some("tests")),
        (
            "[project]\ndependencies = [\"a\"]\n[dependency-groups]\na = [{ include-group = \"b\" }]\nb = [{ include-group = \"a\" }]\n[tool.pixi.workspace]\nchannels = []\n[tool.pixi.environments]\ndefault = [\"a\"]\n".to_owned(),
            None,
        ),
    ] {
        let error = read_for(&text, environment).expect_err(&text);
        all.push_str(&format!("{}\n\n", error.render(Level::Error)));
    }
    insta::assert_snapshot!(all);
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

#[test]
fn keys_below_tables_are_pointed_out_too() {
    let text = r#"[workspace]
channels = ["conda-forge"]
chanels = ["bioconda"]
platforms = [
  { name = "gpu", platform = "linux-64", cuda = "12", __own = "1" },
  { name = "box", platform = "linux-64", cudda = "12" },
]
[activation]
environment = { A = "1" }
[target.gpu]
[target.linux.dependancies]
a = "*"
[target."linux-*".dependencies]
[target.linux-65.dependencies]
a = "*"
[target.osx.activation]
envv = {}
[environments.x]
target.unixx.tasks = {}
activation.script = []
"#;
    let input = read_as("pixi.toml", text, Some("default@gpu"));
    let warnings = input.warnings.iter();
    let lines: Vec<u32> = warnings
        .map(|one| one.diagnostic.locations[0].lines.first)
        .collect();
    assert_eq!(lines, [9, 11, 14, 17, 20, 19, 3, 6]);
    let error = input.beside.unwrap().unsolvable.unwrap();
    assert_eq!(error.locations[0].lines, Lines::one(10));
}

#[test]
fn keys_without_effect_are_pointed_out() {
    let text = "[workspace]\nchannels = [\"conda-forge\"]\n[dependancies]\na = \"*\"\n[dependencies]\nb = \"*\"\n[feature.x]\ndependecies = {}\n[activation.env]\nA = \"$CONDA_PREFIX/lib\"\nB = \"5$\"\nC = '\\$HOME'\nPATH = \"$A:$PATH\"\n[workspace.dependencies]\nnumpy = \"*\"\n";
    let input = read_as("pixi.toml", text, None);
    let warnings = input.warnings.iter();
    let found: Vec<(u32, Rule)> = warnings
        .map(|one| (one.diagnostic.locations[0].lines.first, one.rule))
        .collect();
    assert_eq!(
        found,
        [
            (3, Rule::Ignored),
            (8, Rule::Ignored),
            (15, Rule::Ignored),
            (13, Rule::ReservedVariable),
            (10, Rule::UnexpandedVariable),
        ]
    );
    assert_eq!(input.variables["B"], "5$");
    assert_eq!(input.variables["C"], "$HOME");
    let inherited = text.replace("b = \"*\"", "numpy = { workspace = true }");
    let input = read_as("pixi.toml", &inherited, None);
    let lines = input.warnings.iter();
    let mut lines = lines.map(|one| one.diagnostic.locations[0].lines.first);
    assert!(!lines.any(|line| line == 15));
}

#[test]
fn what_would_install_nothing_or_something_else_is_reported() {
    let workspace = "[workspace]\nchannels = [\"conda-forge\"]\n";
    let with = |more: &str| format!("{workspace}{more}\n");
    let dependency = |more: &str| with(&format!("[dependencies]\n{more}"));
    let mut all = String::new();
    for (name, text) in [
        ("pixi.toml", with("dependencies = [\"numpy\"]")),
        (
            "pixi.toml",
            "[project]\nname = \"a\"\nchannels = []\ndependencies = [\"numpy\"]\n".to_owned(),
        ),
        ("pixi.toml", with("[project]\nname = \"a\"")),
        ("pixi.toml", String::new()),
        ("pyproject.toml", "# later\n".to_owned()),
        ("pixi.toml", dependency("python = \"^3.10\"")),
        ("pixi.toml", dependency("python = { version = \"~3.10\" }")),
        ("pixi.toml", dependency("python = \">=3.10 <3.12\"")),
        ("pixi.toml", dependency("python = \"~=3.10 <3.12\"")),
        ("pixi.toml", dependency("python = \"latest\"")),
        ("pixi.toml", dependency("python = \"==latest\"")),
        ("pixi.toml", dependency("python = \"~=3\"")),
        ("pixi.toml", dependency("python = \"*, <4\"")),
        ("pixi.toml", dependency("python = \"3.*.1\"")),
        ("pixi.toml", with("[pypi-dependencies]\nidna = \">=3 <4\"")),
        (
            "pixi.toml",
            with("[pypi-dependencies]\nidna = \"~=3.1 !=3.2\""),
        ),
        (
            "pixi.toml",
            with("[tool.condafront]\nlock = \"conda-{arch}.lock\""),
        ),
    ] {
        let file = SourceFile::new(name, text.as_str());
        let error = crate::read(&file, Platform::LinuxAmd64, &settings(None));
        let shown = match error {
            Ok(_) => format!("{text}: no error\n"),
            Err(error) => crate::as_written(error).render(Level::Error),
        };
        all.push_str(&format!("{shown}\n\n"));
    }
    let beside = with("[project]\nname = \"a\"");
    let input = read_as("conda.toml", &beside, None);
    assert_eq!(
        input.warnings[0].diagnostic.locations[0].lines,
        Lines::one(3)
    );
    let cutoff = read_as("pixi.toml", &with("exclude-newer = \"yesterday\""), None);
    let error = cutoff.beside.unwrap().unsolvable.unwrap();
    all.push_str(&crate::as_written(error).render(Level::Error));
    insta::assert_snapshot!(all);
}
