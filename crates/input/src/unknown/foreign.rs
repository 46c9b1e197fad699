//! YAML and JSON files of other tools, by their keys.

use std::sync::Arc;

use super::text::LISTED;
use crate::python_files::{self, own_name};
use crate::yaml::Node;
use condafront_model::source::{Diagnostic, Lines, SourceFile};

/// A kind of file, and how it is recognised.
struct Kind {
    /// Keys that it has; the message is at the first of them.
    all: &'static [&'static str],
    /// Keys of which it has at least one, unless there are none here.
    any: &'static [&'static str],
    /// What it is.
    what: &'static str,
    /// What to do.
    help: &'static str,
}

const BUILD_AN_ENVIRONMENT: &str =
    "Build from an environment file that lists packages under `dependencies:`.";

const OUT_OF_A_PROJECT: &str =
    "Put the packages of one environment into an environment file, under `dependencies:`.";

/// The kinds that have no `dependencies`. A kind comes before those that have fewer of its keys.
const KINDS: &[Kind] = &[
    Kind {
        all: &["lockfileVersion"],
        any: &[],
        what: "an npm or pnpm lock file",
        help: BUILD_AN_ENVIRONMENT,
    },
    Kind {
        all: &[],
        any: &["conda_env", "python_env"],
        what: "an MLflow project",
        help: "Build from the conda.yaml that it names, or from an environment file of your own.",
    },
    Kind {
        all: &["image", "conda_file"],
        any: &[],
        what: "an Azure Machine Learning environment",
        help: "Build from the conda file under `conda_file:`, as a file of its own. Its image can be the `base:` of the `condafront:` section.",
    },
    Kind {
        all: &["env_specs", "locking_enabled"],
        any: &[],
        what: "an anaconda-project lock file",
        help: "Put its packages for one environment and platform into an environment file, under `dependencies:`.",
    },
    Kind {
        all: &["lockVersion", "packages"],
        any: &[],
        what: "a lock of mambajs",
        help: "Build from the environment file that it was made from, or list its packages in one.",
    },
    Kind {
        all: &["packages"],
        any: &["info", "packages.conda"],
        what: "the repodata of a channel",
        help: "Name the channel in an environment file, under `channels:`.",
    },
    Kind {
        all: &["packages", "version"],
        any: &[],
        what: "a pixi.lock without `environments`",
        help: "Regenerate the lock file with `pixi lock`.",
    },
    Kind {
        all: &["package", "version"],
        any: &[],
        what: "a conda-lock.yml without `metadata`",
        help: "Regenerate the lock file with `conda-lock lock`.",
    },
    Kind {
        all: &["package"],
        any: &["requirements", "build", "source"],
        what: "a recipe for building a package",
        help: BUILD_AN_ENVIRONMENT,
    },
    Kind {
        all: &["outputs"],
        any: &["recipe", "context", "requirements", "build", "source"],
        what: "a recipe for building packages",
        help: BUILD_AN_ENVIRONMENT,
    },
    Kind {
        all: &["packages"],
        any: &[],
        what: "an anaconda-project file, which lists `packages:`",
        help: OUT_OF_A_PROJECT,
    },
    Kind {
        all: &["env_specs"],
        any: &[],
        what: "an anaconda-project file, whose packages are below `env_specs:`",
        help: OUT_OF_A_PROJECT,
    },
    Kind {
        all: &["environments", "commands"],
        any: &[],
        what: "a conda-project file",
        help: "Build one of the environment files that it lists.",
    },
    Kind {
        all: &["specs"],
        any: &[],
        what: "a file of another tool, which lists packages under `specs:`",
        help: "List them under `dependencies:` in an environment file.",
    },
    Kind {
        all: &[],
        any: &[
            "channel_priority",
            "channel_alias",
            "default_channels",
            "custom_channels",
            "ssl_verify",
            "show_channel_urls",
            "auto_activate_base",
            "envs_dirs",
            "pkgs_dirs",
        ],
        what: "a conda configuration file (.condarc)",
        help: "Name its channels in an environment file. The keys of its section `condafront:` set the rest.",
    },
    Kind {
        all: &["actions", "success"],
        any: &[],
        what: "what conda prints with --json",
        help: LISTED,
    },
    Kind {
        all: &["jobs"],
        any: &[],
        what: "a GitHub Actions workflow",
        help: BUILD_AN_ENVIRONMENT,
    },
    Kind {
        all: &["apiVersion", "kind"],
        any: &[],
        what: "a Kubernetes object",
        help: "Build the image from an environment file, and name the image in this file.",
    },
    Kind {
        all: &["package"],
        any: &["requirements", "build", "source", "about"],
        what: "a recipe for building a package",
        help: BUILD_AN_ENVIRONMENT,
    },
    Kind {
        all: &["services"],
        any: &[],
        what: "a Docker Compose file",
        help: "Build with `docker compose build`, and name the environment file in it under `build: {dockerfile: …}`.",
    },
    Kind {
        all: &[],
        any: &["roles", "collections"],
        what: "an Ansible Galaxy requirements file",
        help: BUILD_AN_ENVIRONMENT,
    },
    Kind {
        all: &["spack"],
        any: &[],
        what: "a Spack environment",
        help: "List the conda packages of the same names in an environment file, under `dependencies:`.",
    },
    Kind {
        all: &["R", "Packages"],
        any: &[],
        what: "an renv lock file",
        help: "List its packages as conda packages in an environment file: `- r-ggplot2`.",
    },
    Kind {
        all: &["cells", "nbformat"],
        any: &[],
        what: "a notebook",
        help: "Build from an environment file that lists what the notebook imports.",
    },
];

/// The message for a file without `dependencies`.
pub(super) fn without_dependencies(file: &Arc<SourceFile>, tree: &Node) -> Option<Diagnostic> {
    let name = file.name();
    if let Some(found) = python_files::lock_in_json(tree) {
        let error = Diagnostic::new(format!("{name} is {}", found.what));
        return Some(error.at(file, first(tree)).help(found.help).settled());
    }
    if let Some(item) = tree.list().and_then(<[Node]>::first)
        && item.get("dist_name").is_some()
    {
        let error = Diagnostic::new(format!("{name} is what `conda list --json` prints"));
        return Some(error.at(file, first(tree)).help(LISTED));
    }
    let has = |key: &&str| tree.get(key).is_some();
    let is_it = |kind: &&Kind| {
        kind.all.iter().all(has) && (kind.any.is_empty() || kind.any.iter().any(has))
    };
    let Some(kind) = KINDS.iter().find(is_it) else {
        return project_without_packages(file, tree);
    };
    let mut shown = kind.all.iter().chain(kind.any).filter(|key| has(key));
    at_key(
        file,
        tree,
        shown.next()?,
        &format!("{name} is {}", kind.what),
        kind.help,
    )
}

/// The message for a project of anaconda-project that only has commands
/// (<https://anaconda-project.readthedocs.io/en/latest/reference.html>).
fn project_without_packages(file: &Arc<SourceFile>, tree: &Node) -> Option<Diagnostic> {
    const COMMANDS: [&str; 4] = ["unix", "windows", "bokeh_app", "notebook"];
    let mut commands = tree.get("commands")?.mapping()?.iter();
    let is_command = |command: &Node| COMMANDS.iter().any(|kind| command.get(kind).is_some());
    if !commands.any(|(_, command)| is_command(command)) {
        return None;
    }
    let message = format!(
        "{} is an anaconda-project file that lists no packages",
        file.name()
    );
    let help = "Write an environment file with the packages under `dependencies:`, and what to run as `cmd:` under `condafront:`.";
    at_key(file, tree, "commands", &message, help)
}

/// The message for a file that has `dependencies` as well.
pub(super) fn with_dependencies(file: &Arc<SourceFile>, tree: &Node) -> Option<Diagnostic> {
    let (name, has) = (file.name(), |key: &str| tree.get(key).is_some());
    let is_mapping = tree.get("dependencies")?.mapping().is_some();
    let (message, help) = if has("build_dependencies") && has("python") {
        (
            format!("{name} is MLflow's list of packages for pip"),
            "Build from the conda.yaml that MLflow writes next to it.",
        )
    } else if has("files") && is_mapping {
        (
            format!("{name} is the input of rapids-dependency-file-generator"),
            "Build from an environment file that it generates, such as those in conda/environments.",
        )
    } else if is_mapping && has("lockfileVersion") {
        (
            format!("{name} is an npm or pnpm lock file"),
            BUILD_AN_ENVIRONMENT,
        )
    } else if is_mapping && (has("devDependencies") || own_name(name) == "package.json") {
        (format!("{name} is an npm project"), BUILD_AN_ENVIRONMENT)
    } else {
        return None;
    };
    at_key(file, tree, "dependencies", &message, help)
}

fn at_key(
    file: &Arc<SourceFile>,
    tree: &Node,
    key: &str,
    message: &str,
    help: &str,
) -> Option<Diagnostic> {
    let mut keys = tree.mapping()?.iter();
    let (key, _) = keys.find(|(known, _)| known.name == key)?;
    Some(Diagnostic::new(message).at(file, key.lines).help(help))
}

fn first(tree: &Node) -> Lines {
    Lines::one(tree.lines.first as usize)
}
