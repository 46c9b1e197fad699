//! What a text is that is not YAML, or of which YAML makes one string: judged by its first lines, and by its name.

use std::sync::Arc;

use super::list::{self, List, first_line};
use crate::explicit_lock::MARKER;
use crate::leftover;
use crate::locked::address;
use crate::python_files::{in_environment, own_name, project_help};
use condafront_model::platform::is_subdir;
use condafront_model::redact::quoted;
use condafront_model::source::{Diagnostic, Lines, SourceFile};

/// Help for what conda prints about an environment.
pub(super) const LISTED: &str = "Write an environment file with `conda env export`, or a lock with `conda list --explicit --md5`.";

const BUILD_AN_ENVIRONMENT: &str = "Build from an environment file.";

/// What a file seems to be.
pub(super) fn look(file: &Arc<SourceFile>, text: &str) -> Option<Diagnostic> {
    let (number, line) = first_line(text)?;
    let name = file.name();
    let at = |number: usize, message: String| Diagnostic::new(message).at(file, Lines::one(number));
    if line.starts_with('<') && !line.starts_with("<%") {
        let error = at(number, format!("{name} is a web page"));
        return Some(error.help(
            "Download the file again; if it needs a login, the server may send a page instead.",
        ));
    }
    if let Some((number, line)) = misspelt_marker(text) {
        let line = quoted(line);
        let error = at(
            number,
            format!("`{line}` does not make {name} an explicit lock"),
        );
        return Some(error.help(format!("Write {MARKER}, and nothing else on this line.")));
    }
    if is_list_of_urls(text) {
        let error = at(
            number,
            format!("{name} lists URLs of packages, but has no line {MARKER}"),
        );
        return Some(error.help(format!("Write {MARKER} on a line above the first URL.")));
    }
    if let Some(number) = recipe(text) {
        let error = at(number, format!("{name} is a recipe for building a package"));
        return Some(
            error.help("Build from an environment file that lists packages under `dependencies:`."),
        );
    }
    if let Some(statement) = leftover::first_statement(file) {
        return Some(statement);
    }
    match of_another_kind(name, text, line) {
        Some((message, help)) => Some(at(number, message).help(help)),
        None => of_list(file, text, number, line),
    }
}

/// What a file is that nobody means to be an environment, and what to do.
fn of_another_kind(name: &str, text: &str, line: &str) -> Option<(String, String)> {
    let own = own_name(name);
    Some(if ["setup.py", "setup.cfg"].contains(&own) {
        (
            format!("{name} belongs to a Python project, which asks for no conda packages"),
            project_help("python"),
        )
    } else if is_script(text, line) {
        let shown = quoted(own);
        (
            format!("{name} is a script"),
            format!(
                "Build from an environment file. To run the script in the build, add `condafront: {{copy: {{{shown}: ./}}, run: [./{shown}]}}` to it."
            ),
        )
    } else if own == "Snakefile" || own.ends_with(".smk") {
        (
            format!("{name} is a Snakemake workflow"),
            "Build from the environment files that its rules name under `conda:`.".to_owned(),
        )
    } else if own.ends_with(".hcl") {
        (
            format!("{name} is a bake file"),
            format!(
                "Build with `docker buildx bake -f {shown}`, and name the environment file in it: dockerfile = \"env.yml\".",
                shown = quoted(own)
            ),
        )
    } else if own == "apt.txt" {
        (
            format!("{name} is a list of system packages"),
            "Name it in an environment file: `condafront: {apt: [-r apt.txt]}`.".to_owned(),
        )
    } else if own.ends_with("devcontainer.json") {
        (
            format!("{name} describes a development container"),
            "Build from the file that it names under `build: {dockerfile: …}`.".to_owned(),
        )
    } else if is_dockerfile(line) {
        (
            format!("{name} is a Dockerfile"),
            "Name the environment file with -f, or build this file without the condafront syntax."
                .to_owned(),
        )
    } else if is_listing(text) {
        (
            format!("{name} is what `conda list` prints"),
            LISTED.to_owned(),
        )
    } else if line.starts_with("==> ") && line.ends_with(" <==") {
        (
            format!("{name} is the history of a conda environment"),
            LISTED.to_owned(),
        )
    } else if is_ini(text, line) {
        (
            format!("{name} is a configuration file of another tool"),
            BUILD_AN_ENVIRONMENT.to_owned(),
        )
    } else {
        return None;
    })
}

/// The message for a bare list of packages.
fn of_list(file: &Arc<SourceFile>, text: &str, number: usize, line: &str) -> Option<Diagnostic> {
    let name = file.name();
    let at = |number: usize, message: String| Diagnostic::new(message).at(file, Lines::one(number));
    let for_pip = || in_environment(&format!("-r {}", quoted(own_name(name))));
    let as_entries =
        "Write `dependencies:` above it, and a dash and a space in front of each entry";
    let error = match list::list(text)? {
        List::Pip => {
            let help = format!("Name it in an environment file: {}.", for_pip());
            at(number, format!("{name} is a list for pip"))
                .help(help)
                .settled()
        }
        List::Conda => match of_pip(text) {
            Some((number, requirement)) => at(
                number,
                format!("{name} is a list that `conda list --export` wrote"),
            )
            .help(format!(
                "{as_entries}. This entry and others with its build were installed by pip: write them as `{}` under `- pip:`.",
                quoted(&requirement)
            )),
            None => match other_system(text) {
                Some((number, subdir)) => at(
                    number,
                    format!("{name} is a list that `conda list --export` wrote on {}", quoted(subdir)),
                )
                .help("It names builds for that system. Run `conda env export --from-history` there, and build from what it writes."),
                None => at(number, format!("{name} is a bare list of conda packages"))
                    .help(format!("{as_entries}: `- {}`.", quoted(line))),
            },
        },
        List::Either => at(number, format!("{name} is a bare list of packages")).help(format!(
            "{as_entries}: `- {}`. If it is for pip, name it in an environment file instead: {}.",
            quoted(line),
            for_pip()
        )),
    };
    Some(error)
}

/// The line in which `conda list --export` names a system other than Linux, and that system.
fn other_system(text: &str) -> Option<(usize, &str)> {
    let mut lines = (1..).zip(text.lines());
    let (number, subdir) = lines
        .find_map(|(number, line)| Some((number, line.strip_prefix("# platform:")?.trim())))?;
    let is_other = is_subdir(subdir) && !subdir.starts_with("linux-");
    is_other.then_some((number, subdir))
}

/// The first line of `conda list --export` for a package that pip installed, and that package as a requirement.
fn of_pip(text: &str) -> Option<(usize, String)> {
    let is_it = |line: &str| line.ends_with("=pypi_0") || line.ends_with("=<pip>");
    let mut lines = (1..).zip(text.lines().map(str::trim));
    let (number, line) = lines.find(|(_, line)| is_it(line))?;
    let requirement = line.splitn(3, '=').take(2).collect::<Vec<_>>();
    Some((number, requirement.join("==")))
}

/// A line that was meant to make the file an explicit lock: `@explicit`, `@EXPLICIT  # all packages`.
fn misspelt_marker(text: &str) -> Option<(usize, &str)> {
    let is_it = |line: &str| {
        let word = line.strip_prefix('@').unwrap_or_default();
        let word = word.split('#').next().unwrap_or_default();
        word.trim_matches([' ', ':'])
            .eq_ignore_ascii_case(&MARKER[1..])
    };
    let mut lines = (1..).zip(text.lines().map(str::trim));
    lines.find(|(_, line)| is_it(line))
}

/// Whether each line is the URL of a conda package. conda takes such a file for an explicit lock.
fn is_list_of_urls(text: &str) -> bool {
    let lines = text.lines().map(str::trim);
    let mut lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.all(|line| line.contains("://") && address::conda_name(line).is_some())
}

/// The line of a recipe's `package:`, if the text has the sections of a recipe, in which templates are usual.
fn recipe(text: &str) -> Option<usize> {
    let line_of = |key: &str| text.lines().position(|line| line.trim_end() == key);
    let is_built = ["requirements:", "build:", "source:"]
        .into_iter()
        .any(|key| line_of(key).is_some());
    let is_environment = line_of("dependencies:").is_some();
    let at = line_of("package:").filter(|_| is_built && !is_environment)?;
    Some(at + 1)
}

/// Whether a text whose first line of content is `line` is a script of a shell or of Python.
fn is_script(text: &str, line: &str) -> bool {
    let interpreter = text.lines().next().and_then(|line| line.strip_prefix("#!"));
    let is_known = |line: &str| {
        ["sh", "python", "Rscript", "perl"]
            .iter()
            .any(|name| line.contains(name))
    };
    let is_python =
        line.starts_with("import ") || (line.starts_with("from ") && line.contains(" import "));
    let is_environment = || text.lines().any(|line| line.starts_with("dependencies:"));
    (interpreter.is_some_and(is_known) || is_python) && !is_environment()
}

/// Whether a text is what `conda list` or `mamba list` prints, with or without what it prints above the table.
fn is_listing(text: &str) -> bool {
    let is_heading = |line: &str| {
        line.starts_with("# packages in environment at ")
            || line.starts_with("List of packages in environment: ")
    };
    let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty());
    let is_top = |line: &&str| line.starts_with('#') || is_heading(line);
    let is_row = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let has_version = words
            .get(1)
            .is_some_and(|word| word.starts_with(|c: char| c.is_ascii_digit()));
        (3..=4).contains(&words.len()) && has_version && line.contains("  ")
    };
    lines().take_while(is_top).any(is_heading)
        || lines().filter(|line| !line.starts_with('#')).all(is_row)
}

fn is_dockerfile(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let instruction = words.next().unwrap_or_default();
    ["FROM", "ARG"].contains(&instruction.to_ascii_uppercase().as_str())
        && words
            .next()
            .is_some_and(|word| !word.starts_with([':', '=']))
}

/// Whether a text whose first line of content is `line` has sections with keys, as tox.ini and pip.conf have.
fn is_ini(text: &str, line: &str) -> bool {
    let is_section =
        line.starts_with('[') && line.ends_with(']') && !line.contains([',', '"', '\'']);
    is_section && text.lines().any(|line| line.contains('='))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_files_are_known_by_their_names() {
        let mut all = String::new();
        for (name, text) in [
            ("binder/apt.txt", "ffmpeg\nlibgl1\n"),
            ("binder/postBuild", "#!/bin/bash\nset -e\n"),
            ("setup.py", "from setuptools import setup\n"),
            ("setup.cfg", "[metadata]\nname = lab\n"),
            (
                ".devcontainer/devcontainer.json",
                "// For format details, see https://aka.ms/devcontainer.json\n{\n\t\"name\": \"lab\"\n}\n",
            ),
            ("a/requirements.txt", "numpy==1.26.4\n"),
        ] {
            let error = look(&SourceFile::new(name, text), text);
            let error = error.unwrap_or_else(|| panic!("{name}"));
            all.push_str(&format!("{error}\n\n"));
        }
        insta::assert_snapshot!(all);
    }

    #[test]
    fn an_environment_is_none_of_them() {
        for text in [
            "#!/usr/bin/env python\nname: lab\ndependencies:\n  - {python\n",
            "package:\nbuild:\ndependencies:\n  - {python\n",
            "name: lab\ndependencies:\n  - {python\n",
        ] {
            assert_eq!(
                look(&SourceFile::new("env.yml", text), text),
                None,
                "{text}"
            );
        }
    }
}
