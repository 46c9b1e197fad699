//! The user's files.

use condafront_input::file_path::FilePath;
use condafront_input::pylock::{self, MarkerEnvironment};
use condafront_input::requirements::{IncludedFile, Reading};
use condafront_input::section::BuildArgs;
use condafront_input::specs::{Specs, words};
use condafront_input::{
    BuildInput, BuildSource, Conda, InputSettings, KnownCategories, Pip, PipRequirement,
    check_options, fuzzing, read_build_source,
};
use condafront_model::lint;
use condafront_model::platform::Platform;
use condafront_model::source::{Diagnostic, Level, Lines, SourceFile};

/// YAML and TOML as trees.
pub(crate) fn trees(data: &[u8]) {
    fuzzing::trees(data).iter().for_each(check);
}

/// A build file of any kind.
pub(crate) fn build_file(data: &[u8]) {
    read("env.yml", data);
}

/// A pixi.toml.
pub(crate) fn pixi_toml(data: &[u8]) {
    read("pixi.toml", data);
}

/// A pyproject.toml with a table for pixi.
pub(crate) fn pyproject(data: &[u8]) {
    read("pyproject.toml", data);
}

fn read(name: &str, data: &[u8]) {
    let file = SourceFile::new(name, data);
    if let Err(error) = check_options(&file, std::iter::empty()) {
        check(&error);
    }
    let source = BuildSource::File(file);
    let settings = InputSettings::default();
    let found = read_build_source(&source, Platform::LinuxAmd64, &settings);
    let warnings = match &found {
        Ok(BuildInput::Environment(input)) => {
            if let Pip::Unsolved(list) = &input.pip {
                let args = BuildArgs::default();
                read_list(list, &args, None);
            }
            check_packages(&input.conda);
            input.warnings.as_slice()
        }
        Ok(BuildInput::Image(image)) => image.warnings.as_slice(),
        Err(error) => {
            check(error);
            &[]
        }
    };
    for warning in lint::shown(warnings) {
        check(&warning.diagnostic);
    }
    let again = read_build_source(&source, Platform::LinuxAmd64, &settings);
    assert!(found == again, "the same file is read in two ways");
}

/// What becomes paths and addresses must be neither of them.
fn check_packages(conda: &Conda) {
    if let Conda::Locked(packages) = conda {
        for package in packages {
            let name = &package.id.name;
            assert!(!name.contains(['/', '\n', '\0']), "{name:?}");
        }
    }
}

/// The value of `CONDA_SPECS`.
pub(crate) fn specs(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let settings = InputSettings::default();
    let Ok(entries) = words(&text) else {
        return;
    };
    match Specs::new(&entries, &settings).and_then(|specs| specs.read(Platform::LinuxAmd64)) {
        Ok(input) => input.warnings.iter().for_each(|it| check(&it.diagnostic)),
        Err(error) => check(&error),
    }
}

/// A requirements file, which may name itself.
pub(crate) fn requirements(data: &[u8]) {
    let first = PipRequirement {
        text: "-r requirements.txt".to_owned(),
        file: SourceFile::new("env.yml", "pip: [-r requirements.txt]\n"),
        lines: Lines::one(1),
    };
    let file = SourceFile::new("requirements.txt", data);
    let args = BuildArgs::default();
    read_list(&[first], &args, Some(&file));
}

/// A pylock.toml, and what an environment gets of it.
pub(crate) fn pylock(data: &[u8]) {
    let file = SourceFile::new("pylock.toml", data);
    let lock = match pylock::read(&file, FilePath::context()) {
        Ok(lock) => lock,
        Err(error) => return check(&error),
    };
    for warning in lint::shown(&lock.warnings) {
        check(&warning.diagnostic);
    }
    let values = [
        ("python_version", "3.13"),
        ("python_full_version", "3.13.5"),
        ("sys_platform", "linux"),
    ];
    let values = values.map(|(name, value)| (name, value.to_owned()));
    let environment = MarkerEnvironment {
        values: values.into(),
        ..MarkerEnvironment::default()
    };
    let categories: Vec<String> = lock.categories().map(str::to_owned).collect();
    let mut known = KnownCategories::default();
    known.add_pylock(&lock);
    let own = known.check(&categories);
    assert!(own.is_ok(), "its own categories are unknown");
    let rank = |name: &str| name.ends_with(".whl").then_some(name.len());
    if let Err(error) = lock.choose(environment, "3.13.5", &categories, rank) {
        check(&error);
    }
}

/// Reads a list; `file` stands for each file that it names.
fn read_list(list: &[PipRequirement], args: &BuildArgs, file: Option<&std::sync::Arc<SourceFile>>) {
    let mut reading = Reading::new(args);
    reading.add(list, FilePath::context());
    loop {
        let named = match reading.next_file() {
            Ok(Some(named)) => named,
            Ok(None) => return drop(reading.finish()),
            Err(error) => return check(&error),
        };
        let Some(file) = file else { return };
        let opened = match named {
            IncludedFile::Local(named) => named.candidates().and_then(|mut places| {
                let place = places.remove(0);
                reading.open(file, place)
            }),
            IncludedFile::Web(_) => reading.open_web(file.bytes().to_vec()),
        };
        if let Err(error) = opened {
            return check(&error);
        }
    }
}

/// An error must be one that can be shown, at a place in its file.
fn check(diagnostic: &Diagnostic) {
    let shown = diagnostic.render(Level::Error);
    let is_hidden = |c: char| c.is_control() && c != '\n';
    assert!(!shown.contains(is_hidden), "{shown:?}");
    for location in &diagnostic.locations {
        let lines = location.file.lossy_text().lines().count().max(1);
        let Lines { first, last } = location.lines;
        assert!(first >= 1 && first <= last, "{first} to {last}");
        assert!(last as usize <= lines + 1, "line {last} of {lines}");
    }
}
