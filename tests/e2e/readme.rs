//! The README's first screen, run as written.

use condafront_testkit::engine::Store;

use crate::project::{Project, base, frontend};

const README: &str = include_str!("../../README.md");

fn block(language: &str) -> &'static str {
    let fence = format!("```{language}\n");
    let (_, rest) = README.split_once(&fence).expect("a code block");
    rest.split("```").next().unwrap_or_default()
}

#[test]
fn three_lines_and_one_command() {
    let project = Project::new(Store::Containerd).through_docker();
    let lines = block("yaml");
    assert_eq!(lines.lines().count(), 3, "{lines}");
    project.write("env.yml", lines);

    let command = block("sh").lines().next().unwrap();
    let command: Vec<&str> = command.split_whitespace().collect();
    let (context, words) = command[1..].split_last().unwrap();
    assert_eq!((command[0], *context), ("docker", "."));
    // conda-forge and Docker Hub cannot be reached here: others stand in for them.
    let frontend = format!("org/condafront=docker-image://{}", frontend());
    let base = format!("debian:13-slim=docker-image://{}", base());
    let forge = "https://conda.anaconda.org/conda-forge";
    let mirror = format!(
        "CONDA_MIRRORS={forge}={}",
        project.server.url("/conda-forge")
    );
    let here = [
        "--build-context",
        &frontend,
        "--build-context",
        &base,
        "--build-arg",
        "CONDAFRONT_INSTALLER=native",
        "--build-arg",
        &mirror,
    ];
    assert_eq!(words[0], "build");
    project
        .build_image(&[&words[1..], &here, &[context]].concat())
        .expect_success();
    let (_, run) = README.split_once("`docker run env ").unwrap();
    let (run, _) = run.split_once('`').unwrap();
    let output = project.run(&[], &["sh", "-c", run]).expect_success();
    assert_eq!(output.stderr, "");
}
