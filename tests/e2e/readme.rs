//! The README's first screen, typed.

use condafront_testkit::engine::Store;

use crate::project::{LOCK, Project, base, frontend};

const README: &str = include_str!("../../README.md");

fn block(language: &str) -> &'static str {
    let fence = format!("```{language}\n");
    let (_, rest) = README.split_once(&fence).expect("a code block");
    rest.split("```").next().unwrap_or_default()
}

#[test]
fn three_lines_and_one_command() {
    let project = Project::new(Store::Containerd);
    // The channel of the README is out of reach here: another package stands in for its one.
    project.lock(&["prefix-demo"]);
    let packages = std::fs::read_to_string(project.path(LOCK)).unwrap();
    let package = packages.lines().last().unwrap();
    let lines: Vec<&str> = block("text").lines().collect();
    assert!(
        lines[2].starts_with("https://") && lines.len() == 3,
        "{lines:?}"
    );
    project.write(LOCK, [lines[0], lines[1], package, ""].join("\n"));

    let command: Vec<&str> = block("sh")
        .lines()
        .next()
        .unwrap()
        .split_whitespace()
        .collect();
    let (context, words) = command[1..].split_last().unwrap();
    assert_eq!((command[0], *context), ("docker", "."));
    let frontend = format!("org/condafront=docker-image://{}", frontend());
    let base = format!("debian:13-slim=docker-image://{}", base());
    let here = [
        "--build-context",
        &frontend,
        "--build-context",
        &base,
        "--build-arg",
        "CONDAFRONT_INSTALLER=native",
    ];
    project
        .docker(&[words, &here, &["-t", project.tag(), context]].concat())
        .expect_success();
    let output = project.run(&[], &["prefix-demo"]).expect_success();
    assert!(
        output.stdout.contains("program /opt/conda"),
        "{}",
        output.stdout
    );
    project.docker(&["image", "rm", "env"]);
}
