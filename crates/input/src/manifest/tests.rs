mod contradictions;
mod current;
mod pairs;
mod platforms;
mod projects;
mod solve;
mod spellings;
mod variables;
mod written_for;

use super::*;
use crate::own_lock::{LocalProject, OwnLock, Surroundings};
use crate::read as of_kind;
use condafront_model::source::{Level, Lines};

const MANIFEST: &str = "\
[workspace]
name = \"demo\"
channels = [\"conda-forge\"]
platforms = [\"linux-64\", \"osx-arm64\"]

[activation.env]
DEMO = \"1\"

[dependencies]
python = \"3.12.*\"
numpy = { version = \">=2\", channel = \"conda-forge\" }
demo-own = { path = \"own\" }

[target.linux-64.dependencies]
libblas = { version = \"*\", build = \"*mkl\" }

[target.win-64.dependencies]
pywin32 = \"*\"

[feature.test]
channels = [\"bioconda\"]
dependencies = { pytest = \"*\" }
activation = { env = { DEMO = \"2\", TEST = \"3\" } }

[environments]
test = [\"test\"]
lone = { features = [\"test\"], no-default-feature = true }

[tool.condafront]
base = \"ubuntu:24.04\"
cmd = [\"python\"]
";

fn read_for(text: &str, environment: Option<&str>) -> Result<EnvironmentInput, Diagnostic> {
    let settings = InputSettings {
        environment: environment.map(str::to_owned),
        ..InputSettings::default()
    };
    let file = SourceFile::new("pixi.toml", text);
    of_kind::read(&file, Platform::LinuxAmd64, &settings)
}

#[test]
fn a_manifest_says_what_its_lock_must_have_and_what_the_image_is() {
    let specs = |environment: Option<&str>| {
        let input = read_for(MANIFEST, environment).unwrap();
        let Conda::Unsolved(request) = input.conda else {
            panic!("locked");
        };
        let channels = request.channels.into_iter().map(|channel| channel.name);
        let specs = request.specs.into_iter();
        let specs = specs.map(|asked| (asked.spec, asked.lines.first));
        let variables: Vec<(String, String)> = input.variables.into_iter().collect();
        (
            specs.collect::<Vec<_>>(),
            channels.collect::<Vec<_>>(),
            variables,
        )
    };
    let (default, channels, variables) = specs(None);
    let names: Vec<u32> = default.iter().map(|(_, line)| *line).collect();
    assert_eq!(names, [10, 11, 12, 15]);
    let numpy = &default[1].0;
    assert!(numpy.contains("conda-forge::numpy") && numpy.contains(">=2"));
    assert_eq!(channels, ["conda-forge"]);
    assert_eq!(variables, [("DEMO".to_owned(), "1".to_owned())]);
    let (test, channels, variables) = specs(Some("test"));
    assert_eq!(test.len(), 5);
    assert_eq!(test[0].1, 22);
    assert_eq!(channels, ["bioconda", "conda-forge"]);
    let named = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(variables, [named("DEMO", "2"), named("TEST", "3")]);
    let (lone, ..) = specs(Some("lone"));
    assert_eq!(lone, [("pytest".to_owned(), 22)]);
    let section = read_for(MANIFEST, None).unwrap().section;
    assert_eq!(section.base.unwrap().lines, Lines::one(30));
    assert_eq!(section.lock, None);
}

#[test]
fn an_image_for_development_has_the_environment_dev_if_there_is_one() {
    let specs = |text: &str, is_dev, environment: Option<&str>| {
        let settings = InputSettings {
            is_dev,
            environment: environment.map(str::to_owned),
            ..InputSettings::default()
        };
        let file = SourceFile::new("pixi.toml", text);
        let input = of_kind::read(&file, Platform::LinuxAmd64, &settings).unwrap();
        let Conda::Unsolved(request) = input.conda else {
            panic!("locked");
        };
        let specs = request.specs.into_iter();
        specs.map(|asked| asked.spec).collect::<Vec<_>>()
    };
    let with_dev = MANIFEST.replace("\nlone = ", "\ndev = ");
    let dev = specs(&with_dev, false, Some("dev"));
    let default = specs(&with_dev, false, None);
    assert_ne!(dev, default);
    assert_eq!(specs(&with_dev, true, None), dev);
    assert_eq!(specs(&with_dev, true, Some("default")), default);
    assert_eq!(specs(MANIFEST, true, None), default);
}

#[test]
fn the_lock_must_be_that_of_the_manifest() {
    let lock = |version: &str| {
        let url =
            |name: &str| format!("https://conda.anaconda.org/conda-forge/linux-64/{name}.conda");
        let urls = [
            url("python-3.12.1-h0_0"),
            url(&format!("numpy-{version}-py312_0")),
            url("libblas-3.9.0-1_mkl"),
        ];
        let list = |indent: &str, rest: &str| -> String {
            urls.iter()
                .map(|url| format!("{indent}- conda: {url}\n{rest}"))
                .collect()
        };
        let hash = format!("  sha256: {}\n", "0".repeat(64));
        let text = format!(
            "version: 6\nenvironments:\n  default:\n    channels: []\n    packages:\n      linux-64:\n{}packages:\n{}",
            list("      ", ""),
            list("", &hash)
        );
        SourceFile::new("pixi.lock", text)
    };
    let file = SourceFile::new("pixi.toml", MANIFEST);
    let skipping = InputSettings {
        skip: vec!["demo-own".to_owned()],
        ..InputSettings::default()
    };
    let installed = |version: &str, settings: &InputSettings| {
        let input = of_kind::read(&file, Platform::LinuxAmd64, settings).unwrap();
        let own = OwnLock::of(&file, &input, Platform::LinuxAmd64).unwrap();
        let lock = lock(version);
        // The names to skip are those of a complete lock.
        let found = own.read(&lock, &InputSettings::default()).unwrap();
        own.installed(input, found, &lock, &Surroundings::example(settings, None))
    };
    let error = installed("2.1.0", &InputSettings::default()).unwrap_err();
    assert_eq!(error.locations[0].lines, Lines::one(12));
    let input = installed("2.1.0", &skipping).unwrap();
    assert_eq!(input.locked().unwrap().len(), 3);
    assert_eq!(input.variables["DEMO"], "1");
    let error = installed("1.26.4", &skipping).unwrap_err();
    assert_eq!(error.locations[0].lines, Lines::one(11));
    assert!(error.message.contains("has numpy 1.26.4"), "{error}");
    let help = error.help.unwrap_or_default();
    assert!(help.contains("`pixi lock`"), "{help}");
}

#[test]
fn mistakes_read_well() {
    let mut all = String::new();
    for (title, text) in [
        ("Not TOML", MANIFEST.replace("\"demo\"", "demo")),
        (
            "An unknown key of the image",
            MANIFEST.replace("cmd =", "comand ="),
        ),
        ("Not a version", MANIFEST.replace("3.12.*", "3.12.*.1.*")),
        (
            "Not a channel",
            MANIFEST.replace("[\"conda-forge\"]", "[1, true, [2]]"),
        ),
        (
            "Not a variable",
            MANIFEST.replace("DEMO = \"1\"", "DE-MO = \"1\""),
        ),
        (
            "Not a feature",
            MANIFEST.replace(
                "test = [\"test\"]",
                "default = [\n  \"test\",\n  \"tset\",\n]",
            ),
        ),
        (
            "Not a feature's name",
            MANIFEST.replace("test = [\"test\"]", "default = { features = [[1]] }"),
        ),
        (
            "No feature at all",
            "[workspace]\nchannels = []\n[environments]\ndefault = [\"a\"]\n".to_owned(),
        ),
        (
            "Another tool's",
            "[workspace]\nmembers = [\"a\"]\n".to_owned(),
        ),
    ] {
        let error = read_for(&text, None).expect_err(title).render(Level::Error);
        all.push_str(&format!("{title}\n{error}\n\n"));
    }
    insta::assert_snapshot!(all);
    let scripts = MANIFEST.replace(
        "[activation.env]",
        "[activation]\nscripts = [\"a.sh\"]\n[activation.env]",
    );
    let warnings = read_for(&scripts, None).unwrap().warnings;
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    let none = scripts.replace("[\"a.sh\"]", "[]");
    assert_eq!(read_for(&none, None).unwrap().warnings, []);
}
