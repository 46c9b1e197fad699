mod any_input;

use super::*;
use crate as input;
use condafront_model::channel::ChannelPriority;
use condafront_model::source::Lines;

fn read(text: &str, platform: Platform, args: &[(&str, &str)]) -> EnvironmentInput {
    let mut settings = InputSettings {
        build_args: args.iter().copied().collect(),
        ..InputSettings::default()
    };
    for (name, value) in args.iter().filter(|(_, value)| !value.is_empty()) {
        settings.set(name, value).unwrap();
    }
    settings.set_all(args.iter().copied().collect()).unwrap();
    let file = SourceFile::new("env.yml", text);
    input::read(&file, platform, &settings).unwrap_or_else(|error| panic!("{error}"))
}

fn request(input: &EnvironmentInput) -> &SolveRequest {
    match &input.conda {
        Conda::Unsolved(request) => request,
        Conda::Locked(_) => panic!("env.yml is not a lock"),
    }
}

fn channels(input: &EnvironmentInput) -> Vec<String> {
    let list = &request(input).channels;
    list.iter().map(|channel| channel.url.recorded()).collect()
}

fn specs(input: &EnvironmentInput) -> Vec<&str> {
    let list = &request(input).specs;
    list.iter().map(|spec| spec.spec.as_str()).collect()
}

const EVERYTHING: &str = "\
# syntax=org/condafront
name: lab
channels:
  - bioconda
  - https://conda.example/forge/linux-64
  - internal/label/dev
  - nodefaults
dependencies:
  - python=3.12
  - bioconda::samtools >=1.2
  - gcc_linux-64  # [linux64]
  - gcc_linux-aarch64  # [aarch64]
  - sel(linux): patchelf
  - sel(win): pywin32
  - nvidia/noarch::cuda-toolkit
  - pip
  - pip:
    - requests>=2  # for the API
    - pywin32  # [win]
    - -r requirements.txt
  - zlib
variables:
  TEXT: a b
  NUMBER: 3.10
  TRUTH: true
  EMPTY: ''
platforms: [linux-64, linux-aarch64, osx-arm64]
condafront:
  channel_priority: flexible
  exclude_newer: {cutoff: 2026-11-01, channels: {bioconda: false}, packages: {numpy: 2026-11-05}}
  channel_alias: https://mirror.example/conda
  custom_channels:
    internal: https://conda.example/ours
x-anchors: ignored
";

#[test]
fn everything_in_a_file_is_read() {
    let input = read(EVERYTHING, Platform::LinuxAmd64, &[]);
    assert_eq!(input.warnings, []);
    insta::assert_debug_snapshot!(input);
}

#[test]
fn a_line_for_another_platform_is_ignored() {
    let text = EVERYTHING.replace("/linux-64\n", "\n");
    let input = read(&text, Platform::LinuxArm64, &[]);
    let specs = specs(&input);
    assert!(specs.contains(&"gcc_linux-aarch64"), "{specs:?}");
    assert!(!specs.contains(&"gcc_linux-64"), "{specs:?}");
}

#[test]
fn values_of_the_section_may_refer_to_build_args() {
    let text = "channels: [a]\ndependencies: [b]\ncondafront:\n  base: registry/${NAME}:${TAG:-1}-${TARGETARCH}\n  workdir: /home/${MAMBA_USER}\n";
    let base = |platform, args: &[(&str, &str)]| {
        let section = read(text, platform, args).section;
        let workdir = section.workdir.map(|workdir| workdir.value);
        (section.base.unwrap().value, workdir.unwrap())
    };
    let pair = |base: &str, workdir: &str| (base.to_owned(), workdir.to_owned());
    assert_eq!(
        base(Platform::LinuxArm64, &[("NAME", "lab"), ("TAG", "")]),
        pair("registry/lab:1-arm64", "/home/mambauser")
    );
    assert_eq!(
        base(
            Platform::LinuxAmd64,
            &[("NAME", "lab"), ("MAMBA_USER", "ada")]
        ),
        pair("registry/lab:1-amd64", "/home/ada")
    );
}

#[test]
fn build_args_override_the_file() {
    let args = [
        ("CONDA_CHANNELS", "conda-forge, internal"),
        ("CONDA_CHANNEL_ALIAS", "https://other.example"),
        ("CONDA_CHANNEL_PRIORITY", "strict"),
    ];
    let input = read(EVERYTHING, Platform::LinuxAmd64, &args);
    assert_eq!(
        channels(&input),
        [
            "https://other.example/conda-forge",
            "https://conda.example/ours/internal",
            "https://other.example/bioconda",
            "https://other.example/nvidia",
        ]
    );
    assert_eq!(request(&input).priority, ChannelPriority::Strict);
    let of_file = request(&input).channels[0].lines;
    assert_eq!(of_file, Lines::one(3));
}

#[test]
fn a_file_that_says_little_has_defaults() {
    let input = read("dependencies:\n- numpy\n", Platform::LinuxAmd64, &[]);
    assert_eq!(channels(&input), ["https://conda.anaconda.org/conda-forge"]);
    assert_eq!(request(&input).priority, ChannelPriority::Strict);
    assert_eq!(input.prefix, None);
    assert!(input.pip.is_empty());
}

#[test]
fn what_an_export_says_about_its_folder_is_no_news() {
    for (head, is_doubtful) in [
        ("name: lab\nprefix: /home/me/miniconda3/envs/lab\n", false),
        ("name: lab\nprefix: C:\\Users\\me\\envs\\lab\n", false),
        ("name: lab\nprefix: /srv/other\n", true),
        ("prefix: /srv/lab\n", true),
        ("name: lab\nprefix:\n", true),
    ] {
        let text = format!("{head}channels: [a]\ndependencies: [b]\n");
        let input = read(&text, Platform::LinuxAmd64, &[]);
        assert_eq!(!input.warnings.is_empty(), is_doubtful, "{head}");
    }
}

#[test]
fn a_dash_with_nothing_but_a_comment_after_it_asks_for_nothing() {
    let text = "channels: [a]\ndependencies:\n  - b\n  - # widgets\n  -\n  - c\n";
    let input = read(text, Platform::LinuxAmd64, &[]);
    assert_eq!(specs(&input), ["b", "c"]);
    let places = input.warnings.iter().map(|warning| {
        assert_eq!(warning.rule, Rule::Ignored);
        warning.diagnostic.locations[0].lines
    });
    assert_eq!(places.collect::<Vec<_>>(), [Lines::one(4), Lines::one(5)]);
}

#[test]
fn what_conda_would_add_is_known() {
    for (text, args, implied) in [
        ("channels: [pytorch, nvidia]\n", &[][..], true),
        ("channels: [https://conda.example/private]\n", &[], true),
        ("channels: [pytorch, nodefaults]\n", &[], false),
        ("channels: [pytorch, conda-forge]\n", &[], false),
        ("channels: [pytorch, defaults]\n", &[], false),
        (
            "channels: [https://mirror.example/conda/conda-forge/]\n",
            &[],
            false,
        ),
        ("", &[], false),
        (
            "channels: [pytorch]\n",
            &[("CONDA_CHANNELS", "nvidia")],
            false,
        ),
    ] {
        let text = format!("{text}dependencies: [python]\n");
        let input = read(&text, Platform::LinuxAmd64, args);
        let origin = request(&input).origin;
        assert_eq!(origin.implied_defaults, implied, "{text}");
        assert_eq!(origin.exported_on, None);
    }
}

#[test]
fn an_exports_prefix_tells_its_system() {
    for (prefix, system) in [
        (
            "C:\\Users\\ada\\miniconda3\\envs\\lab",
            Some(OtherSystem::Windows),
        ),
        ("/Users/ada/miniforge3/envs/lab", Some(OtherSystem::MacOs)),
        ("/home/ada/miniforge3/envs/lab", None),
    ] {
        let text = format!("dependencies: [python]\nprefix: {prefix}\n");
        let input = read(&text, Platform::LinuxAmd64, &[]);
        assert_eq!(request(&input).origin.exported_on, system, "{prefix}");
    }
}

#[test]
fn names_follow_one_rule_in_all_files() {
    let long = "n".repeat(151);
    for name in ["a$b", ".a", "-a", "", long.as_str()] {
        for text in [
            format!("name: \"{name}\"\ndependencies: [numpy]\n"),
            format!("environments:\n  \"{name}\": env.yml\n"),
        ] {
            let file = SourceFile::new("env.yml", text);
            let settings = InputSettings::default();
            let source = input::BuildSource::File(file);
            let outcome = input::read_build_source(&source, Platform::LinuxAmd64, &settings);
            assert!(
                outcome.is_err_and(|error| !error.locations.is_empty()),
                "{name}"
            );
        }
    }
}

#[test]
fn a_variable_that_linux_does_not_pass_on_is_an_error_at_its_line() {
    let text = format!(
        "dependencies: [numpy]\nvariables:\n  SHORT: x\n  LONG: {}\n",
        "x".repeat(300 << 10)
    );
    let file = SourceFile::new("env.yml", text);
    let error = input::read(&file, Platform::LinuxAmd64, &InputSettings::default()).unwrap_err();
    assert_eq!(error.locations[0].lines, Lines::one(4));
    assert_eq!(
        error.message,
        "the variable LONG has 301 KiB, but Linux passes at most 128 KiB to a program"
    );
}

#[test]
fn an_environment_has_at_most_a_hundred_channels() {
    let text = |count: usize| {
        let list: String = (0..count)
            .map(|number| format!("  - https://conda{number}.example/a\n"))
            .collect();
        format!("channels:\n{list}dependencies: [b]\n")
    };
    let file = SourceFile::new("env.yml", text(101));
    let read = |file| crate::read(file, Platform::LinuxAmd64, &InputSettings::default());
    let error = read(&file).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the environment has more than 100 channels\nRemove channels: most packages are in conda-forge."
    );
    assert_eq!(error.locations[0].lines.first, 102);
    assert!(read(&SourceFile::new("env.yml", text(100))).is_ok());
}

#[test]
fn an_entry_for_pip_may_have_several_lines() {
    let hash = format!("--hash=sha256:{}", "1".repeat(64));
    for section in [
        format!(
            "  - pip:\n    - |\n      six==1 \\\n        {hash}\n      # more\n      idna\n    - flask\n"
        ),
        format!(
            "condafront:\n  pip:\n    - |\n      six==1 \\\n        {hash}\n      # more\n      idna\n    - flask\n"
        ),
    ] {
        let text = format!("channels: [c]\ndependencies:\n  - python\n  - pip\n{section}");
        let input = read(&text, Platform::LinuxAmd64, &[]);
        let section = &input.section.pip;
        let list = match &input.pip {
            Pip::Unsolved(list) => list,
            Pip::Locked(_) => section,
        };
        let found: Vec<(&str, Lines)> = list
            .iter()
            .map(|one| (one.text.as_str(), one.lines))
            .collect();
        let six = format!("six==1   {hash}");
        let line = |wanted: &str| {
            let at = text.lines().position(|line| line.contains(wanted));
            at.map_or(0, |at| at + 1)
        };
        let lines = |first: &str, last: &str| Lines {
            first: Lines::one(line(first)).first,
            last: Lines::one(line(last)).last,
        };
        assert_eq!(
            found,
            [
                (six.as_str(), lines("six", "--hash")),
                ("idna", lines("idna", "idna")),
                ("flask", lines("flask", "flask")),
            ]
        );
    }
}

#[test]
fn what_a_key_in_a_list_for_pip_means_is_named() {
    for (entry, meant) in [
        ("six: 1.0", Some("six==1.0")),
        ("six: '>=1,<2'", Some("six>=1,<2")),
        ("six: ^1.2", Some("six>=1.2,<2")),
        ("six: latest", Some("six")),
        ("'six[a]': 1.0", Some("six[a]==1.0")),
        ("six==1.0: x", None),
        ("six: x", None),
        ("'six>=1': 2", None),
    ] {
        let text = format!("channels: [c]\ndependencies:\n  - python\n  - pip:\n    - {entry}\n");
        let file = SourceFile::new("env.yml", text);
        let error = input::read(&file, Platform::LinuxAmd64, &InputSettings::default());
        let help = error.unwrap_err().help.unwrap_or_default();
        match meant {
            Some(meant) => assert!(help.starts_with(&format!("Write `- {meant}`,")), "{help}"),
            None => assert!(help.contains("without the colon"), "{entry}: {help}"),
        }
    }
}
