//! What docs/inputs.md says is true.

use condafront::options::settings::Settings;
use condafront_input as input;
use condafront_input::specs::Specs;
use condafront_input::{Conda, EnvironmentInput, InputSettings, SolveRequest};
use condafront_model::channel::ChannelPriority;
use condafront_model::platform::Platform;
use condafront_model::source::{Diagnostic, SourceFile};

const DOC: &str = include_str!("../docs/inputs.md");

/// The contents of the code blocks in one language.
fn blocks(language: &str) -> Vec<&'static str> {
    let fence = format!("```{language}\n");
    let parts = DOC.split(&fence).skip(1);
    parts.filter_map(|rest| rest.split("```").next()).collect()
}

/// What is in backticks in the first column of the table below a line.
fn entries(heading: &str) -> Vec<String> {
    let (_, rest) = DOC.split_once(heading).expect("a heading");
    rest.lines()
        .skip_while(|line| !line.starts_with('|'))
        .take_while(|line| line.starts_with('|'))
        .skip(2)
        .filter_map(|line| line.strip_prefix("| ")?.split(" | ").next())
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .map(|entry| entry.replace("\\|", "|"))
        .collect()
}

fn read(text: &str, settings: &InputSettings) -> Result<EnvironmentInput, Diagnostic> {
    input::read(
        &SourceFile::new("env.yml", text),
        Platform::LinuxAmd64,
        settings,
    )
}

fn request(input: &EnvironmentInput) -> &SolveRequest {
    match &input.conda {
        Conda::Unsolved(request) => request,
        Conda::Locked(_) => panic!("this is a lock"),
    }
}

fn settings(args: &[(&str, &str)]) -> Settings {
    Settings::from_build_args(args.iter().copied()).unwrap()
}

#[test]
fn the_examples_are_read_without_a_warning() {
    let examples = blocks("yaml");
    assert!(examples.len() >= 3);
    for example in examples {
        let input = read(example, &InputSettings::default())
            .unwrap_or_else(|error| panic!("{error}\n{example}"));
        assert_eq!(input.warnings, [], "{example}");
    }
}

#[test]
fn every_spelling_of_a_dependency_is_read() {
    let spellings = entries("### Dependencies");
    assert!(spellings.len() >= 15, "{spellings:?}");
    for spelling in spellings {
        let text = format!("channels: [conda-forge]\ndependencies:\n  - \"{spelling}\"\n");
        let input =
            read(&text, &InputSettings::default()).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(request(&input).specs.len(), 1, "{spelling}");
    }
}

#[test]
fn every_spelling_of_a_channel_is_read() {
    let spellings = entries("## Channels");
    assert!(spellings.len() >= 6, "{spellings:?}");
    for spelling in spellings {
        let text = format!("channels: [\"{spelling}\"]\ndependencies: [numpy]\n");
        read(&text, &InputSettings::default()).unwrap_or_else(|error| panic!("{error}"));
    }
}

#[test]
fn the_custom_channel_has_the_documented_urls() {
    let example = blocks("yaml")[2];
    let input = read(example, &InputSettings::default()).unwrap();
    let channels = request(&input).channels.iter();
    let addresses: Vec<String> = channels.map(|channel| channel.url.recorded()).collect();
    assert_eq!(
        addresses,
        [
            "https://conda.example/ours/internal",
            "https://mirror.example/conda/conda-forge"
        ]
    );
}

#[test]
fn build_args_of_the_tables_are_read() {
    let args = entries("Build-args override the file:");
    let pairs: Vec<(&str, &str)> = args.iter().filter_map(|arg| arg.split_once('=')).collect();
    assert_eq!(pairs.len(), 4, "{args:?}");
    let input = read("dependencies: [numpy]\n", &settings(&pairs).input).unwrap();
    let request = request(&input);
    assert_eq!(
        request.channels[0].url.recorded(),
        "https://mirror.example/conda/bioconda"
    );
    assert_eq!(request.priority, ChannelPriority::Flexible);
    let cutoff = request
        .exclude_newer
        .as_ref()
        .and_then(|asked| asked.cutoff)
        .map(|cutoff| cutoff.to_string());
    assert_eq!(cutoff.as_deref(), Some("2026-11-01"));
}

#[test]
fn the_commands_without_a_file_are_read() {
    let mut specs = Vec::new();
    let commands = blocks("sh").join("\n").replace("\\\n", " ");
    for command in commands.lines().filter(|line| !line.is_empty()) {
        let words = shlex::split(command).expect("a command");
        let args: Vec<(&str, &str)> = words
            .windows(2)
            .filter(|pair| pair[0] == "--build-arg")
            .filter_map(|pair| pair[1].split_once('='))
            .collect();
        assert!(args.len() >= 2, "{command}");
        let settings = settings(&args);
        let asked = Specs::new(&settings.specs, &settings.input).unwrap();
        let input = asked.read(Platform::LinuxAmd64).unwrap();
        assert_eq!(input.warnings, []);
        specs.extend(request(&input).specs.iter().map(|spec| spec.spec.clone()));
    }
    assert_eq!(
        specs,
        [
            "python 3.12.*",
            "numpy",
            "samtools >=1.2",
            "multiqc >=1.12,<2"
        ]
    );
}
