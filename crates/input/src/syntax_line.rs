//! The `# syntax` line, by which `docker build` finds the frontend.

use std::sync::Arc;

use crate::place::Place;
use condafront_model::lint::{Rule, Warning};
use condafront_model::redact::quoted;
use condafront_model::source::{Lines, SourceFile};

/// The directives that BuildKit reads at the top of a file, each once
/// (`frontend/dockerfile/parser/directives.go`).
const DIRECTIVES: [&str; 3] = ["syntax", "check", "escape"];

/// The images with the frontend for Dockerfiles.
const OF_DOCKERFILES: [&str; 2] = ["docker/dockerfile", "docker/dockerfile-upstream"];

/// A warning about a `# syntax` line that does not hand the file to condafront. A file without one can be right: the
/// build-arg `BUILDKIT_SYNTAX` does the same.
pub fn warning(file: &Arc<SourceFile>) -> Option<Warning> {
    let lines = (1..).zip(file.lossy_text().lines());
    let mut is_top = true;
    for (number, line) in lines {
        let is_shebang = number == 1 && line.starts_with("#!");
        let found = directive(line);
        is_top &= is_shebang
            || found
                .as_ref()
                .is_some_and(|(name, _)| DIRECTIVES.contains(&name.as_str()));
        let Some((_, image)) = found.filter(|(name, _)| name == "syntax") else {
            // Below the comments at the top, such a line is a comment about something else.
            if !line.trim().is_empty() && !line.trim_start().starts_with('#') {
                return None;
            }
            continue;
        };
        let place = Place {
            file,
            lines: Lines::one(number),
        };
        let diagnostic = if !is_top {
            place
                .error("docker build does not see this line: it must be the first one of the file")
                .help("Move it to the top, above comments and blank lines.")
        } else if is_for_dockerfiles(image) {
            let message = format!(
                "docker build reads this file as a Dockerfile: `{}` is not condafront",
                quoted(image)
            );
            place.error(message).help("Write # syntax=org/condafront.")
        } else {
            return None;
        };
        let rule = Rule::Ignored;
        return Some(Warning { rule, diagnostic });
    }
    None
}

/// The name and the value of a directive: `# syntax=org/condafront`.
fn directive(line: &str) -> Option<(String, &str)> {
    let (name, value) = line.strip_prefix('#')?.split_once('=')?;
    let name = name.trim().to_ascii_lowercase();
    let value = value.trim();
    let is_word = name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (!name.is_empty() && is_word && !value.is_empty()).then_some((name, value))
}

fn is_for_dockerfiles(image: &str) -> bool {
    let image = image.trim_start_matches("docker.io/");
    let name = image.split(['@', ':']).next().unwrap_or(image);
    OF_DOCKERFILES.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Option<(u32, String)> {
        let warning = warning(&SourceFile::new("env.yml", text))?;
        let line = warning.diagnostic.locations[0].lines.first;
        Some((line, warning.diagnostic.message))
    }

    #[test]
    fn a_line_that_docker_build_does_not_see_is_told() {
        for (text, line) in [
            ("\n# syntax=org/condafront\ndependencies: []\n", 2),
            ("# my environment\n#syntax = org/condafront:1\n", 2),
            ("# a=b\n# syntax=org/condafront\n", 2),
            (" \n# check=skip=all\n# Syntax=org/condafront\n", 3),
        ] {
            let (at, message) = told(text).expect(text);
            assert_eq!(at, line, "{text}");
            assert!(message.contains("does not see this line"), "{message}");
        }
    }

    #[test]
    fn a_line_that_names_another_frontend_is_told() {
        for image in [
            "docker/dockerfile:1",
            "docker.io/docker/dockerfile",
            "docker/dockerfile-upstream:master@sha256:00",
        ] {
            let (_, message) = told(&format!("# syntax={image}\n")).expect(image);
            assert!(message.contains("as a Dockerfile"), "{message}");
        }
    }

    #[test]
    fn other_files_are_fine() {
        for text in [
            "# syntax=org/condafront\n",
            "#!/usr/bin/env condafront\n# check=skip=all\n#syntax=registry.example/x/conda:1\n",
            "dependencies: []\n# syntax=docker/dockerfile:1\n",
            "# the syntax=value pairs below\ndependencies: []\n",
            "# syntax=\n",
            "",
        ] {
            assert_eq!(told(text), None, "{text}");
        }
    }
}
