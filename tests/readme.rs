//! What the README says is true.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use condafront::options::build_args::BUILD_ARGS;
use condafront_graph::plan::micromamba;
use condafront_graph::plan::micromamba::MicromambaVersion;
use condafront_input as input;
use condafront_input::{Conda, InputSettings};
use condafront_model::platform::Platform;
use condafront_model::source::SourceFile;

const README: &str = include_str!("../README.md");
const USAGE: &str = include_str!("../docs/usage.md");

/// The contents of the code blocks in one language.
fn blocks(language: &str) -> Vec<&'static str> {
    let fence = format!("```{language}\n");
    README
        .split(&fence)
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .collect()
}

#[test]
fn the_first_example_is_an_environment() {
    let file = SourceFile::new("env.yml", blocks("yaml")[0]);
    let input = input::read(&file, Platform::LinuxAmd64, &InputSettings::default()).unwrap();
    let Conda::Unsolved(request) = input.conda else {
        panic!("{input:?}");
    };
    let specs: Vec<&str> = request
        .specs
        .iter()
        .map(|spec| spec.spec.as_str())
        .collect();
    assert_eq!(specs, ["python 3.13.*", "numpy"]);
    assert_eq!(request.channels[0].name, "conda-forge");
    assert!(input.warnings.is_empty(), "{:?}", input.warnings);
}

#[test]
fn the_build_args_in_the_table_exist() {
    let table = USAGE
        .lines()
        .skip_while(|line| !line.starts_with("| `--build-arg`"))
        .take_while(|line| line.starts_with('|'))
        .skip(2)
        .filter_map(|line| line.split('|').nth(1));
    let names: Vec<&str> = table
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .collect();
    assert!(names.len() > 5, "{names:?}");
    for name in names {
        assert!(BUILD_ARGS.iter().any(|arg| arg.name == name), "{name}");
    }
}

#[test]
fn the_commands_of_the_tool_work() {
    let dir = tempfile::tempdir().unwrap();
    let package = micromamba::package(&MicromambaVersion::default(), Platform::LinuxAmd64).unwrap();
    let lock = format!("@EXPLICIT\n{}\n", package.url);
    std::fs::write(dir.path().join("conda-linux-64.lock"), lock).unwrap();
    std::fs::write(dir.path().join("env.yml"), blocks("yaml")[0]).unwrap();
    let lines = blocks("sh").into_iter().flat_map(str::lines);
    let commands: Vec<&str> = lines
        .filter_map(|line| line.strip_prefix("condafront "))
        .filter_map(|line| line.split('|').next())
        .collect();
    assert!(commands.len() >= 3, "{commands:?}");
    for command in commands {
        let output = Command::new(env!("CARGO_BIN_EXE_condafront"))
            .args(command.split_whitespace())
            .current_dir(dir.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{command}: {output:?}");
    }
}

#[test]
fn the_two_commands_of_the_repository_exist() {
    let makefile = include_str!("../Makefile");
    for line in blocks("sh").into_iter().flat_map(str::lines) {
        if let Some(target) = line.strip_prefix("make ") {
            assert!(makefile.contains(&format!("\n{target}:")), "{target}");
        }
    }
}

/// Paths in backticks, as in `src/main.rs`.
#[test]
fn files_that_the_documents_name_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let docs = fs::read_dir(root.join("docs")).expect("the documents");
    let mut files: Vec<PathBuf> = docs.map(|entry| entry.expect("an entry").path()).collect();
    files.extend(["README.md", "CONTRIBUTING.md"].map(|name| root.join(name)));
    files.retain(|file| file.extension().is_some_and(|end| end == "md"));
    let mut found = 0;
    for file in files {
        let text = fs::read_to_string(&file).expect("a document");
        let words = text.split('`').skip(1).step_by(2);
        let folders = ["crates/", "proto/", "scripts/", "src/", "tests/"];
        for path in words.filter(|word| folders.iter().any(|folder| word.starts_with(folder))) {
            let path = path.split(' ').next().unwrap_or(path);
            assert!(root.join(path).exists(), "{}: {path}", file.display());
            found += 1;
        }
    }
    assert!(found > 50, "{found}");
}
