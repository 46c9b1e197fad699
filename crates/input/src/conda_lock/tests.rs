mod entries;
mod mistakes;

use proptest::prelude::*;

use crate as input;
use crate::environment_input::{EnvironmentInput, LockedPip, Pip};
use crate::logins::Logins;
use crate::section::args::BuildArgs;
use crate::settings::InputSettings;
use condafront_model::lint::Rule;
use condafront_model::platform::Platform;
use condafront_model::source::{Diagnostic, Level, Lines, SourceFile};

const MD5: &str = "d7c89558ba9fa0495403155b64376d81";
const SHA: &str = "5d7c0e5f0005f74112a34a7425179f4eb6e73c92f5d109e6af4ddeca407c92ab";

/// A handwritten lock with everything that conda-lock writes, for several platforms and categories.
const LOCK: &str = include_str!("fixtures/several.conda-lock.yml");

fn read_with(
    text: &str,
    platform: Platform,
    categories: &[&str],
) -> Result<EnvironmentInput, Diagnostic> {
    let settings = InputSettings {
        categories: categories.iter().map(|name| (*name).to_owned()).collect(),
        ..InputSettings::default()
    };
    input::read(
        &SourceFile::new("conda-lock.yml", text),
        platform,
        &settings,
    )
}

fn read(text: &str) -> Result<EnvironmentInput, Diagnostic> {
    read_with(text, Platform::LinuxAmd64, &[])
}

/// `line: name version`, the conda packages first.
fn listed(input: &EnvironmentInput) -> Vec<String> {
    let Pip::Locked(LockedPip { files: pip, .. }) = &input.pip else {
        panic!("a lock");
    };
    let conda = input.locked().unwrap().iter();
    let conda = conda.map(|package| {
        let id = &package.id;
        format!("{}: {} {}", package.lines.first, id.name, id.version)
    });
    let pip = pip.iter().map(|package| {
        let version = package.version.as_deref().unwrap_or("?");
        format!("{}: pip {} {version}", package.lines.first, package.name)
    });
    conda.chain(pip).collect()
}

#[test]
fn packages_of_the_category_main_are_read_in_link_order() {
    let input = read(LOCK).unwrap();
    assert_eq!(
        listed(&input),
        [
            "53: zlib 1.3.1",
            "66: python 3.12.8",
            "79: numpy 2.1.0",
            "101: pip idna 3.10",
        ]
    );
    assert!(input.warnings.is_empty(), "{:?}", input.warnings);
    let zlib = &input.locked().unwrap()[0];
    assert_eq!(zlib.hashes.sha256.as_deref(), Some(SHA));
    assert_eq!(zlib.hashes.md5.as_deref(), Some(MD5));
    assert_eq!(zlib.lines, Lines::one(53));
}

#[test]
fn other_platforms_and_categories_are_chosen() {
    let arm = read_with(LOCK, Platform::LinuxArm64, &[]).unwrap();
    assert_eq!(listed(&arm), ["111: zlib 1.3.1"]);
    let dev = read_with(LOCK, Platform::LinuxAmd64, &["dev", "docs"]).unwrap();
    assert_eq!(
        listed(&dev),
        [
            "53: zlib 1.3.1",
            "66: python 3.12.8",
            "79: numpy 2.1.0",
            "123: pytest 8.3.4",
            "101: pip idna 3.10",
        ]
    );
    let main = read_with(LOCK, Platform::LinuxAmd64, &["main"]).unwrap();
    assert_eq!(listed(&main).len(), 4);
}

#[test]
fn an_image_for_development_has_the_category_dev() {
    let listed_for = |is_dev, categories: &[&str]| {
        let settings = InputSettings {
            is_dev,
            categories: categories.iter().map(|name| (*name).to_owned()).collect(),
            ..InputSettings::default()
        };
        let file = SourceFile::new("conda-lock.yml", LOCK);
        listed(&input::read(&file, Platform::LinuxAmd64, &settings).unwrap())
    };
    let with = |categories| listed_for(false, categories);
    assert_ne!(with(&[]), with(&["dev"]));
    assert_eq!(listed_for(true, &[]), with(&["dev"]));
    assert_eq!(listed_for(true, &["dev"]), with(&["dev"]));
    assert_eq!(listed_for(true, &["docs"]), with(&["docs", "dev"]));
}

/// An entry for linux-64; `change` adds, replaces or removes keys.
fn entry(name: &str, change: &[(&str, &str)]) -> String {
    let url = format!("https://c.example/conda-forge/linux-64/{name}-1.0-0.conda");
    let hash = format!("{{md5: {MD5}, sha256: {SHA}}}");
    let mut keys = vec![
        ("name", name),
        ("version", "'1.0'"),
        ("manager", "conda"),
        ("platform", "linux-64"),
        ("url", &url),
        ("hash", &hash),
        ("category", "main"),
    ];
    for (key, value) in change {
        keys.retain(|(known, _)| known != key);
        if !value.is_empty() {
            keys.push((key, value));
        }
    }
    let lines: Vec<String> = keys
        .iter()
        .map(|(key, value)| format!("{key}: {value}"))
        .collect();
    format!("- {}\n", lines.join("\n  "))
}

fn lock(entries: &[String]) -> String {
    format!(
        "version: 1\nmetadata:\n  platforms: [linux-64]\npackage:\n{}",
        entries.concat()
    )
}

#[test]
fn what_conda_lock_has_written_over_the_years_is_read() {
    let without_version = lock(&[entry("a", &[])]).replace("version: 1\n", "");
    let sources = lock(&[entry("a", &[])]).replace(
        "platforms: [linux-64]",
        "platforms: [linux-64]\n  sources: [/home/me/env.yml, dev.yml]\n  content_hash: {linux-64: x}\n  git_metadata: ~\n  channels:\n  - url: conda-forge\n    used_env_vars: []",
    );
    let no_platforms = lock(&[entry("a", &[])]).replace("platforms: [linux-64]", "x: y");
    for (name, text) in [
        ("no version", without_version),
        ("sources", sources),
        ("no platforms", no_platforms),
        ("no category", lock(&[entry("a", &[("category", "")])])),
        (
            "categories",
            lock(&[entry(
                "a",
                &[("category", ""), ("categories", "[dev, main]")],
            )]),
        ),
        (
            "both",
            lock(&[entry("a", &[("category", "dev"), ("categories", "[main]")])]),
        ),
        ("optional", lock(&[entry("a", &[("optional", "true")])])),
        (
            "once per category",
            lock(&[entry("a", &[("category", "dev")]), entry("a", &[])]),
        ),
        (
            "a virtual package",
            lock(&[entry("__glibc", &[("url", "none")]), entry("a", &[])]),
        ),
        (
            "dependencies as a list",
            lock(&[entry("a", &[("dependencies", "['b >=1', c]")])]),
        ),
        (
            "unknown keys",
            lock(&[entry(
                "a",
                &[("build", "'0'"), ("source", "~"), ("novelty", "{x: [y]}")],
            )]),
        ),
        (
            "another platform's entry without a URL",
            lock(&[
                entry("a", &[]),
                entry("b", &[("platform", "win-64"), ("url", "")]),
            ]),
        ),
        (
            "a pixi version with this layout",
            lock(&[entry("a", &[("size", "12")])]).replace("version: 1\n", "version: 3\n"),
        ),
    ] {
        let input = read(&text).map_err(|error| error.render(Level::Error));
        let input = input.unwrap_or_else(|error| panic!("{name}\n{error}"));
        let names: Vec<&str> = input
            .locked()
            .unwrap()
            .iter()
            .map(|package| package.id.name.as_str())
            .collect();
        assert_eq!(names, ["a"], "{name}");
        assert!(input.warnings.is_empty(), "{name}: {:?}", input.warnings);
    }
}

#[test]
fn the_order_depends_on_dependencies_and_not_on_the_file() {
    let entries = [
        entry("a", &[("dependencies", "{z: '>=1', python: ''}")]),
        entry("pip", &[("dependencies", "{python: ''}")]),
        entry("python", &[("dependencies", "{pip: '', z: ''}")]),
        entry("z", &[]),
    ];
    let names = |entries: &[String]| -> Vec<String> {
        let input = read(&lock(entries)).unwrap();
        let packages = input.locked().unwrap().iter();
        packages.map(|package| package.id.name.clone()).collect()
    };
    assert_eq!(names(&entries), ["z", "python", "a", "pip"]);
    let mut reversed = entries;
    reversed.reverse();
    assert_eq!(names(&reversed), ["z", "python", "a", "pip"]);
}

#[test]
fn warnings_read_well() {
    let unhashed = lock(&[
        entry("a", &[("hash", "{}")]),
        entry(
            "b",
            &[
                ("manager", "pip"),
                ("hash", "~"),
                ("url", "https://f.example/b-1.0-py3-none-any.whl"),
            ],
        ),
    ]);
    let token = lock(&[entry(
        "a",
        &[(
            "url",
            "https://me:hunter2@c.example/private/linux-64/a-1.0-0.conda",
        )],
    )]);
    let variables = lock(&[
        entry(
            "a",
            &[(
                "url",
                "https://c.example/t/$TOKEN/private/linux-64/a-1.0-0.conda",
            )],
        ),
        entry(
            "b",
            &[(
                "url",
                "https://${USER}:${PASSWORD}@d.example/private/linux-64/b-1.0-0.conda",
            )],
        ),
    ]);
    let filled = InputSettings {
        build_args: BuildArgs::default().with_logins(Logins::Unknown),
        ..InputSettings::default()
    };
    let read = |text: &str| {
        let file = SourceFile::new("conda-lock.yml", text);
        input::read(&file, Platform::LinuxAmd64, &filled)
    };
    let mut all = String::new();
    for (name, text) in [
        ("no hash", &unhashed),
        ("credentials", &token),
        ("credentials as variables", &variables),
    ] {
        let input = read(text).unwrap();
        all.push_str(&format!("## {name}\n"));
        for warning in &input.warnings {
            let message = warning.diagnostic.to_string();
            assert!(
                !message.contains("hunter2") && !message.contains("tk-1"),
                "{message}"
            );
            let shown = warning.diagnostic.render(Level::Warning);
            all.push_str(&format!("{}: {shown}\n\n", warning.rule.name()));
        }
    }
    let file = SourceFile::new("conda-lock.yml", lock(&[entry("a", &[])]));
    let settings = InputSettings {
        environment: Some("test".to_owned()),
        ..InputSettings::default()
    };
    let input = input::read(&file, Platform::LinuxAmd64, &settings).unwrap();
    assert_eq!(input.warnings[0].rule, Rule::Ignored);
    let shown = input.warnings[0].diagnostic.render(Level::Warning);
    all.push_str(&format!("## a build-arg for other files\n{shown}\n\n"));
    insta::assert_snapshot!(all);
    let input = read(&variables).unwrap();
    let urls: Vec<&str> = input
        .locked()
        .unwrap()
        .iter()
        .map(|package| package.url.url().as_str())
        .collect();
    assert_eq!(
        urls,
        [
            "https://c.example/private/linux-64/a-1.0-0.conda",
            "https://d.example/private/linux-64/b-1.0-0.conda"
        ]
    );
    let file = SourceFile::new("conda-lock.yml", variables);
    let error = input::read(&file, Platform::LinuxAmd64, &InputSettings::default()).unwrap_err();
    assert!(
        error.to_string().contains("a token for c.example"),
        "{error}"
    );
    assert_eq!(error.locations.len(), 1);
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "(\\PC|[\n:{}\\[\\]-]){0,200}") {
        let _ = read(&format!("version: 1\nmetadata: {{}}\npackage:\n{text}"));
    }

    #[test]
    fn no_damage_makes_the_reader_panic(
        start in 0..LOCK.len(), length in 0usize..60, other in "[-a-z0-9:{}\\[\\]&*!|>'\"#%@`,$ \n~.]{0,12}"
    ) {
        let mut text = LOCK.as_bytes().to_vec();
        let end = (start + length).min(text.len());
        text.splice(start..end, other.bytes());
        let text = String::from_utf8_lossy(&text).into_owned();
        for platform in [Platform::LinuxAmd64, Platform::LinuxArm64] {
            let _ = read_with(&text, platform, &["dev"]);
        }
    }

    #[test]
    fn what_is_listed_is_read(names in proptest::collection::btree_set("[a-z][a-z0-9_.-]{0,12}", 1..40)) {
        let entries: Vec<String> = names.iter().map(|name| entry(&format!("'{name}'"), &[
            ("url", &format!("https://c.example/f/noarch/{name}-1.0-0.conda")),
        ])).collect();
        let input = read(&lock(&entries)).unwrap();
        let found: Vec<&str> = input.locked().unwrap().iter().map(|p| p.id.name.as_str()).collect();
        prop_assert_eq!(found.len(), names.len());
        prop_assert!(found.iter().all(|name| names.contains(*name)));
    }
}
