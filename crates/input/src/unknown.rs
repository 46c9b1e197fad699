//! Files of an unknown kind: what they seem to be, and what to build from instead.

use std::sync::Arc;

use crate::leftover;
use crate::yaml::{Node, Value};
use condafront_model::nearest::nearest;
use condafront_model::redact;
use condafront_model::source::{Diagnostic, Lines, SourceFile};

/// The first line that is neither blank nor a comment, and its number, counted from 1.
pub(super) fn first_line(text: &str) -> Option<(usize, &str)> {
    let is_blank = |line: &str| line.is_empty() || line.starts_with('#');
    let mut lines = (1..).zip(text.lines().map(str::trim));
    lines.find(|(_, line)| !is_blank(line))
}

/// The message for a file that is not YAML: `error`, unless it is easy to see what the file is.
pub(super) fn not_yaml(file: &Arc<SourceFile>, text: &str, error: Diagnostic) -> Diagnostic {
    look(file, text).unwrap_or_else(|| leftover::explained_near(file, error))
}

/// The message for YAML of an unknown kind.
pub(super) fn kind(file: &Arc<SourceFile>, text: &str, tree: &Node) -> Diagnostic {
    let name = file.name();
    let keys = tree.mapping().unwrap_or_default();
    let find = |is_meant: fn(&str) -> bool| keys.iter().find(|(key, _)| is_meant(&key.name));
    if let Some((key, _)) = find(|key| nearest(key, ["dependencies"]).is_some()) {
        let key_name = redact::quoted(&key.name);
        return Diagnostic::new(format!("{name} has `{key_name}:`, but no `dependencies:`"))
            .at(file, key.lines)
            .help("Write `dependencies:`.");
    }
    if let Some(diagnostic) = of_project(file, tree) {
        return diagnostic;
    }
    if let Some((key, _)) = find(|key| ["name", "channels", "condafront"].contains(&key)) {
        return Diagnostic::new(format!(
            "{name} is an environment file without dependencies"
        ))
        .at(file, key.lines)
        .help("Add a `dependencies:` list with the packages to install.");
    }
    if let Some((key, _)) = find(|key| key == "environments") {
        return Diagnostic::new(format!("{name} is an image file, not an environment"))
            .at(file, key.lines)
            .help("Build it directly with -f: an image file names environment files and locks.");
    }
    if let Value::List(_) = tree.value {
        return Diagnostic::new(format!("{name} is a list, not an environment file"))
            .at(file, tree.lines)
            .help("Write `dependencies:` above the list if it names packages.");
    }
    if let Some(diagnostic) = look(file, text) {
        return diagnostic;
    }
    let lines = match tree.value {
        Value::Mapping(_) => Lines::one(first_line(text).map_or(1, |(number, _)| number)),
        _ => tree.lines,
    };
    Diagnostic::new(format!("{name} is not a file that condafront recognises"))
        .at(file, lines)
        .help("Use an environment file (with `dependencies:`), an explicit lock (with a line @EXPLICIT), a conda-lock.yml or a pixi.lock.")
}

/// The message for files that describe projects and packages, not environments.
fn of_project(file: &Arc<SourceFile>, tree: &Node) -> Option<Diagnostic> {
    let (name, has) = (file.name(), |key: &str| tree.get(key).is_some());
    let (key, message, help) = if has("conda_env") || has("python_env") {
        let key = if has("conda_env") {
            "conda_env"
        } else {
            "python_env"
        };
        (
            key,
            format!("{name} is a project of MLflow"),
            "Build from the conda.yaml that it names, or from an environment file of your own.",
        )
    } else if let Some(found) = of_anaconda_project(file, tree) {
        return Some(found);
    } else if has("package") && (has("requirements") || has("build") || has("source")) {
        (
            "package",
            format!("{name} is a recipe, from which a package is built"),
            "Build from an environment file that lists packages under `dependencies:`.",
        )
    } else {
        return None;
    };
    let mut keys = tree.mapping()?.iter();
    let (key, _) = keys.find(|(known, _)| known.name == key)?;
    Some(Diagnostic::new(message).at(file, key.lines).help(help))
}

/// The message for the files of anaconda-project (<https://anaconda-project.readthedocs.io/en/latest/reference.html>).
fn of_anaconda_project(file: &Arc<SourceFile>, tree: &Node) -> Option<Diagnostic> {
    let (name, has) = (file.name(), |key: &str| tree.get(key).is_some());
    let last = name.rsplit('/').next().unwrap_or(name);
    let is_named = last.starts_with("anaconda-project");
    let has_packages = has("packages") && !has("package");
    if !(is_named
        || has("env_specs")
        || has("locking_enabled")
        || has_packages
        || has_commands(tree))
    {
        return None;
    }
    let specs = tree
        .get("env_specs")
        .and_then(Node::mapping)
        .unwrap_or_default();
    let has_own = specs.iter().any(|(_, spec)| spec.get("packages").is_some());
    let into_file =
        "Put the packages of one environment into an environment file, under `dependencies:`.";
    let (message, keys, help): (_, &[&str], _) = if has("locking_enabled")
        || last.starts_with("anaconda-project-lock")
    {
        (
            format!("{name} is a lock of anaconda-project, which has no URLs of packages"),
            &["env_specs", "locking_enabled"],
            into_file,
        )
    } else if has_packages {
        (
            format!("{name} is a project of anaconda-project, which lists `packages:`"),
            &["packages"],
            into_file,
        )
    } else if has_own {
        (
            format!(
                "{name} is a project of anaconda-project, which lists packages below `env_specs:`"
            ),
            &["env_specs"],
            into_file,
        )
    } else {
        (
            format!("{name} is a project of anaconda-project that lists no packages"),
            &[
                "commands",
                "env_specs",
                "services",
                "downloads",
                "variables",
                "channels",
                "name",
            ],
            "Write an environment file with the packages under `dependencies:`, and what to run as `cmd:` under `condafront:`.",
        )
    };
    let known = tree.mapping().unwrap_or_default();
    let mut places = keys
        .iter()
        .filter_map(|key| known.iter().find(|(known, _)| known.name == **key));
    let lines = places.next().map_or(tree.lines, |(key, _)| key.lines);
    Some(Diagnostic::new(message).at(file, lines).help(help))
}

/// Whether a file has commands in the form of anaconda-project.
fn has_commands(tree: &Node) -> bool {
    const KINDS: &[&str] = &["unix", "windows", "bokeh_app", "notebook"];
    let commands = tree.get("commands").and_then(Node::mapping);
    let mut commands = commands.unwrap_or_default().iter();
    commands.any(|(_, command)| KINDS.iter().any(|kind| command.get(kind).is_some()))
}

/// The message for files of other tools that have `dependencies` as well.
pub(super) fn of_another_tool(file: &Arc<SourceFile>, tree: &Node) -> Option<Diagnostic> {
    let (name, has) = (file.name(), |key: &str| tree.get(key).is_some());
    let dependencies = tree.get("dependencies")?;
    let (message, help) = if has("build_dependencies") && has("python") {
        (
            format!("{name} is MLflow's list of packages for pip"),
            "Build from the conda.yaml that MLflow writes next to it.",
        )
    } else if has("files") && dependencies.mapping().is_some() {
        (
            format!("{name} is the input of rapids-dependency-file-generator"),
            "Build from an environment file that it generates, such as those in conda/environments.",
        )
    } else {
        return None;
    };
    let (key, _) = tree
        .mapping()?
        .iter()
        .find(|(key, _)| key.name == "dependencies")?;
    Some(Diagnostic::new(message).at(file, key.lines).help(help))
}

/// What a file seems to be, judging by its first line.
fn look(file: &Arc<SourceFile>, text: &str) -> Option<Diagnostic> {
    let (number, line) = first_line(text)?;
    let name = file.name();
    if line.starts_with("version https://git-lfs.github.com/") {
        let message = format!("{name} is a pointer of Git LFS, not the file itself");
        let error = Diagnostic::new(message).at(file, Lines::one(number));
        return Some(error.help("Load the file with `git lfs pull`.").settled());
    }
    let is_page = line.starts_with('<') && !line.starts_with("<%");
    if !is_page && let Some(statement) = leftover::first_statement(file) {
        return Some(statement);
    }
    let (message, help) = if is_page {
        (
            format!("{name} is a web page"),
            "Download the file again; if it needs a login, the server may send a page instead.",
        )
    } else if is_dockerfile(line) {
        (
            format!("{name} is a Dockerfile"),
            "Name the environment file with -f, or build this file without the condafront syntax.",
        )
    } else if is_listing(text) {
        (
            format!("{name} is what `conda list` prints"),
            "Write an environment file with `conda env export`, or a lock with `conda list --explicit --md5`.",
        )
    } else if is_package_list(text) {
        let of_pip = ["=pypi_0", "=<pip>"];
        if let Some((number, line)) = (1..)
            .zip(text.lines())
            .find(|(_, line)| of_pip.iter().any(|build| line.trim_end().ends_with(build)))
        {
            let requirement = line.trim().splitn(3, '=').take(2).collect::<Vec<_>>();
            return Some(
                Diagnostic::new(format!("{name} is a list that `conda list --export` wrote"))
                    .at(file, Lines::one(number))
                    .help(format!(
                        "Write `dependencies:` above it, and a dash and a space in front of each entry. This entry and others with its build were installed by pip: write them as `{}` under `- pip:`.",
                        redact::quoted(&requirement.join("=="))
                    )),
            );
        }
        (
            format!(
                "{name} is a bare list of packages, as written by pip and `conda list --export`"
            ),
            "Write `dependencies:` above it, and a dash and a space in front of each entry: `- numpy=1.26`. Put pip packages under `- pip:`.",
        )
    } else {
        return None;
    };
    Some(
        Diagnostic::new(message)
            .at(file, Lines::one(number))
            .help(help),
    )
}

/// Whether the comments at the top are those of `conda list`.
fn is_listing(text: &str) -> bool {
    let comments = text.lines().map(str::trim_start);
    let mut comments = comments.take_while(|line| line.is_empty() || line.starts_with('#'));
    comments.any(|line| line.starts_with("# packages in environment at "))
}

fn is_dockerfile(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let instruction = words.next().unwrap_or_default();
    ["FROM", "ARG"].contains(&instruction.to_ascii_uppercase().as_str())
        && words
            .next()
            .is_some_and(|word| !word.starts_with([':', '=']))
}

/// Whether each line is `numpy`, `numpy=1.26=0`, `numpy>=1.26` or a pip option, and at least one has a version.
pub(crate) fn is_package_list(text: &str) -> bool {
    let lines = text.lines().map(str::trim);
    let mut lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    let is_name = |c: char| c.is_alphanumeric() || "-_.".contains(c);
    let mut versions = 0;
    let is_list = lines.all(|line| {
        let rest = line.trim_start_matches(is_name);
        versions += usize::from(rest.trim_start().starts_with(['=', '<', '>', '~', '!']));
        let is_short =
            rest.is_empty() || rest.starts_with(['=', '<', '>', '~', '!', '[', ';', ' ']);
        rest.len() < line.len() && is_short && !rest.contains(": ")
    });
    is_list && versions > 0
}
