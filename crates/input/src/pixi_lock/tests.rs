mod mistakes;
mod project;

use proptest::prelude::*;

use crate as input;
use crate::environment_input::{EnvironmentInput, LockedPip, Pip};
use crate::logins::Logins;
use crate::section::args::BuildArgs;
use crate::settings::InputSettings;
use condafront_model::platform::Platform;
use condafront_model::source::{Diagnostic, Level, SourceFile};

const V6: &str = include_str!("fixtures/v6.pixi.lock");
const V7: &str = include_str!("fixtures/v7.pixi.lock");

/// A lock of each version, all with the same packages.
const VERSIONS: [(u8, &str); 6] = [
    (2, include_str!("fixtures/v2.pixi.lock")),
    (3, include_str!("fixtures/v3.pixi.lock")),
    (4, include_str!("fixtures/v4.pixi.lock")),
    (5, include_str!("fixtures/v5.pixi.lock")),
    (6, V6),
    (7, V7),
];

fn read_as(
    text: &str,
    platform: Platform,
    environment: &str,
) -> Result<EnvironmentInput, Diagnostic> {
    let settings = InputSettings {
        environment: (!environment.is_empty()).then(|| environment.to_owned()),
        ..InputSettings::default()
    };
    input::read(&SourceFile::new("pixi.lock", text), platform, &settings)
}

fn read(text: &str) -> Result<EnvironmentInput, Diagnostic> {
    read_as(text, Platform::LinuxAmd64, "")
}

/// The packages, conda packages first, each with the line that requests it.
fn listed<'a>(text: &'a str, input: &EnvironmentInput) -> Vec<(String, &'a str)> {
    let Pip::Locked(LockedPip { files: pip, .. }) = &input.pip else {
        panic!("a lock");
    };
    let line = |number: u32| text.lines().nth(number as usize - 1).unwrap().trim();
    let conda = input.locked().unwrap().iter();
    let conda = conda.map(|package| (package.id.to_string(), line(package.lines.first)));
    let pip = pip.iter().map(|package| {
        let version = package.version.as_deref().unwrap_or("?");
        let shown = format!("pip {} {version}", package.name);
        (shown, line(package.lines.first))
    });
    conda.chain(pip).collect()
}

/// pixi itself leaves no variables, but what others write is read alike.
#[test]
fn variables_in_urls_are_replaced() {
    const WRITTEN: &str = "https://conda.anaconda.org/conda-forge/";
    for (version, lock) in VERSIONS.into_iter().filter(|(version, _)| *version > 3) {
        let with = |base: &str| lock.replace(WRITTEN, base);
        let text = with("https://$USER:${PASSWORD}@${HOST}/forge/");
        let error = read(&text).unwrap_err();
        let shown = error.to_string();
        assert!(shown.contains("variable HOST"), "{version}: {shown}");
        assert_eq!(error.locations.len(), 1, "{version}");
        let args: BuildArgs = [("HOST", "c.example")].into_iter().collect();
        let settings = InputSettings {
            build_args: args.with_logins(Logins::Unknown),
            ..InputSettings::default()
        };
        let file = SourceFile::new("pixi.lock", text);
        let input = input::read(&file, Platform::LinuxAmd64, &settings).unwrap();
        let start = "https://c.example/forge/";
        let mut urls = input.locked().unwrap().iter().map(|one| one.url.url());
        let found = urls.any(|url| url.as_str().starts_with(start));
        assert!(found, "{version}");
    }
}

fn names(text: &str, input: &EnvironmentInput) -> Vec<String> {
    let listed = listed(text, input);
    listed.into_iter().map(|(name, _)| name).collect()
}

#[test]
fn every_version_is_read_in_link_order() {
    for (version, text) in VERSIONS {
        let input = read(text).unwrap_or_else(|error| panic!("{}", error.render(Level::Error)));
        let listed = listed(text, &input);
        let names: Vec<&str> = listed.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            names,
            [
                "zlib-1.3.1-hb9d3cd8_2",
                "python-3.12.8-h9e4cc4f_1_cpython",
                "pip idna 3.10",
            ],
            "version {version}"
        );
        for ((_, line), file) in listed.iter().zip(["zlib-1", "python-3", "idna-3"]) {
            assert!(line.contains(file), "version {version}: {line}");
        }
        assert!(input.warnings.is_empty(), "{:?}", input.warnings);
        let python = &input.locked().unwrap()[1];
        assert_eq!(python.size, Some(31_581_682), "version {version}");
        assert!(python.hashes.sha256.is_some() && python.hashes.md5.is_some());
        let Pip::Locked(LockedPip { files: pip, .. }) = &input.pip else {
            panic!("a lock");
        };
        assert!(pip[0].hashes.sha256.is_some());
    }
}

#[test]
fn an_environment_is_chosen_by_name() {
    let input = read_as(V6, Platform::LinuxAmd64, "test").unwrap();
    assert_eq!(
        names(V6, &input),
        [
            "zlib-1.3.1-hb9d3cd8_2",
            "python-3.12.8-h9e4cc4f_1_cpython",
            "pytest-8.3.4-pyhd8ed1ab_1",
            "pip pyyaml 6.0.2",
        ]
    );
    // Shared packages have separate lines in each environment.
    let test = V6.lines().position(|line| line == "  test:").unwrap();
    let packages = input.locked().unwrap();
    assert!(
        packages
            .iter()
            .all(|package| package.lines.first as usize > test)
    );
}

#[test]
fn an_image_for_development_has_the_environment_dev_if_there_is_one() {
    let read_dev = |text: &str, environment: Option<&str>| {
        let settings = InputSettings {
            is_dev: true,
            environment: environment.map(str::to_owned),
            ..InputSettings::default()
        };
        let file = SourceFile::new("pixi.lock", text);
        input::read(&file, Platform::LinuxAmd64, &settings).unwrap()
    };
    let of = |environment| names(V6, &read_as(V6, Platform::LinuxAmd64, environment).unwrap());
    let with_dev = V6.replace("\n  test:\n", "\n  dev:\n");
    assert_ne!(of("default"), of("test"));
    assert_eq!(names(&with_dev, &read_dev(&with_dev, None)), of("test"));
    let chosen = read_dev(&with_dev, Some("default"));
    assert_eq!(names(&with_dev, &chosen), of("default"));
    assert_eq!(names(V6, &read_dev(V6, None)), of("default"));
}

#[test]
fn names_of_platforms_are_those_of_the_lock() {
    let arm = read_as(V7, Platform::LinuxArm64, "").unwrap();
    assert_eq!(names(V7, &arm), ["zlib-1.3.1-h86ecc28_2"]);
    // Of several platforms, the one with conda's own name is used, unless another is requested.
    let gpu = read_as(V7, Platform::LinuxAmd64, "default@gpu").unwrap();
    assert_eq!(names(V7, &gpu), ["cudnn-9.3.0.75-hc149ed5_0"]);
}

/// What a project needs may be beside it.
#[test]
fn what_packages_need_may_be_a_relative_path() {
    for path in ["demo", "./demo", "../demo", "../../../demo"] {
        let package = format!(
            "pypi: ./\n  name: app\n  version: 1.0.0\n  requires_dist:\n  - demo @ file:{path}\n  - idna"
        );
        let input = read(&one("pypi: ./", &package)).unwrap();
        let Pip::Locked(locked) = &input.pip else {
            panic!("a lock");
        };
        assert_eq!(locked.local.len(), 1, "{path}");
    }
}

#[test]
fn large_environments_are_read_and_huge_ones_refused() {
    let lock = |count: usize| {
        let entries: Vec<String> = (0..count)
            .map(|i| format!("- conda: https://c.example/f/noarch/p{i}-1-0.conda\n"))
            .collect();
        format!(
            "version: 6\nenvironments:\n  default:\n    channels: []\n    packages:\n      linux-64:\n{}packages:\n{}",
            entries
                .iter()
                .map(|entry| format!("      {entry}"))
                .collect::<String>(),
            entries.concat()
        )
    };
    let input = read(&lock(2_000)).unwrap();
    assert_eq!(input.locked().unwrap().len(), 2_000);
    let error = read(&lock(10_001)).unwrap_err();
    assert!(error.message.contains("10001 packages"), "{error}");
}

#[test]
fn warnings_read_well() {
    let token = V6.replace("https://prefix.dev/", "https://me:hunter2@prefix.dev/");
    let unhashed = V6.replace(
        "  md5: d7c89558ba9fa0495403155b64376d81\n  size: 92286\n",
        "  size: 92286\n",
    );
    let unhashed = unhashed.replace(
        "  sha256: 5d7c0e5f0005f74112a34a7425179f4eb6e73c92f5d109e6af4ddeca407c92ab\n  size: 92286\n",
        "  size: 92286\n",
    );
    let mut all = String::new();
    for (name, text) in [("credentials", token), ("no hash", unhashed)] {
        let settings = InputSettings {
            build_args: BuildArgs::default().with_logins(Logins::Unknown),
            ..InputSettings::default()
        };
        let file = SourceFile::new("pixi.lock", text);
        let input = input::read(&file, Platform::LinuxAmd64, &settings).unwrap();
        assert_eq!(input.warnings.len(), 1, "{name}");
        let message = input.warnings[0].diagnostic.to_string();
        assert!(!message.contains("hunter2"), "{message}");
        let shown = input.warnings[0].diagnostic.render(Level::Warning);
        all.push_str(&format!("## {name}\n{shown}\n\n"));
    }
    insta::assert_snapshot!(all);
}

/// Version 6 with one package.
fn one(selector: &str, package: &str) -> String {
    format!(
        "version: 6\nenvironments:\n  default:\n    channels: []\n    packages:\n      linux-64:\n      - {selector}\npackages:\n- {package}\n"
    )
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "(\\PC|[\n:{}\\[\\]-]){0,200}", version in 0..9) {
        let _ = read(&format!("version: {version}\nenvironments:\n{text}"));
        let _ = read(&one("conda: a", &text));
        let _ = read(&one(&format!("pypi: {}", text.replace('\n', " ")), "pypi: a"));
    }

    #[test]
    fn no_damage_makes_the_reader_panic(
        which in 0..VERSIONS.len(), start in 0usize..3000, length in 0usize..60,
        other in "[-a-z0-9:{}\\[\\]&*!|>'\"#%@`,$ \n~.]{0,12}"
    ) {
        let mut text = VERSIONS[which].1.as_bytes().to_vec();
        let start = start % text.len();
        let end = (start + length).min(text.len());
        text.splice(start..end, other.bytes());
        let text = String::from_utf8_lossy(&text).into_owned();
        let _ = read(&text);
        let _ = read_as(&text, Platform::LinuxArm64, "default@arm-board");
    }
}
