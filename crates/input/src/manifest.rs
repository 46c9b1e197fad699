//! Manifests of workspaces: pixi.toml (<https://pixi.sh/latest/reference/pixi_manifest/>), pyproject.toml with `[tool.pixi]` or
//! `[tool.conda]`, and conda.toml of conda-workspaces (<https://conda-incubator.github.io/conda-workspaces/>), which has the
//! same tables.
//!
//! An image has the packages of the lock that the tool writes beside the manifest. If there is none, the manifest is solved
//! like an env.yml.

mod channels;
mod conda_spec;
mod contradictions;
mod cutoff;
mod dependency;
mod keys;
mod kind;
mod known;
mod needs;
mod other;
pub(crate) mod own_project;
mod pypi;
mod pypi_options;
mod pypi_terms;
mod python;
mod refusals;
mod request;
mod system;
mod targets;
mod terms;
mod variables;
mod workspace;

use std::sync::Arc;

use self::kind::Tool;
use self::refusals::Refusals;
use self::request::Request;
use self::workspace::Workspace;
use crate::environment_input::{
    Beside, Categories, Conda, DEFAULT_ENVIRONMENT, DEV, EnvironmentInput, Pip,
};
use crate::section::image_section::{ImageSection, Located};
use crate::settings::InputSettings;
use crate::yaml::{self, Node};
use crate::{exclude_newer, section, toml, unknown};
use condafront_model::platform::Platform;
use condafront_model::source::{Diagnostic, SourceFile};

/// The tree of the manifest `file`; `None` if it is not TOML.
///
/// # Errors
/// A diagnostic where it is meant to be TOML and is not, or one that says what other TOML file it is.
pub(crate) fn manifest(file: &Arc<SourceFile>, text: &str) -> Result<Option<Node>, Diagnostic> {
    let is_named = file.name().ends_with(".toml");
    let is_likely = toml::is_likely(text);
    if !is_named && !is_likely {
        return Ok(None);
    }
    match toml::read(file, text) {
        Ok(tree) if kind::find(file, &tree).is_some() => Ok(Some(tree)),
        Ok(tree) if is_named || !unknown::is_package_list(text) => {
            Err(other::explained(file, &tree))
        }
        Ok(_) => Ok(None),
        Err(error) => {
            // Content counts more than a name.
            let is_yaml = || yaml::read(file, text).is_ok_and(|tree| tree.mapping().is_some());
            let is_meant = kind::is_meant(text) || is_named && (is_likely || !is_yaml());
            if is_meant { Err(error) } else { Ok(None) }
        }
    }
}

/// Reads the manifest whose tree is `tree`.
///
/// # Errors
/// A diagnostic at the user's line, or one that names the build-arg with an unknown environment.
pub(crate) fn read(
    file: &Arc<SourceFile>,
    tree: &Node,
    platform: Platform,
    settings: &InputSettings,
) -> Result<EnvironmentInput, Diagnostic> {
    let Some((kind, root)) = kind::find(file, tree) else {
        return Err(Diagnostic::new(format!(
            "{} is not the manifest of a workspace",
            file.name()
        )));
    };
    let workspace = Workspace {
        file,
        tree,
        root,
        kind,
        platform,
        platform_name: None,
    };
    let old_header = contradictions::check_headers(&workspace)?;
    let section = image_section(&workspace, settings)?;
    let mut warnings = match settings.image_file {
        None => section.warnings(file),
        Some(_) => Vec::new(),
    };
    warnings.extend(old_header);
    warnings.extend(keys::unknown(&workspace));
    let (name, asked_platform) = asked_environment(root, settings);
    let environment = workspace.environment(name)?;
    let platform_name = system::own_name(&workspace, &environment, asked_platform);
    let workspace = Workspace {
        platform_name: platform_name.as_deref(),
        ..workspace
    };
    let mut refusals = Refusals::new(kind.tool);
    let asked = request::Asked {
        workspace: &workspace,
        environment: &environment,
        name,
        platform: asked_platform,
        settings,
    };
    let Request {
        solve,
        listed_channels,
        other_platform,
        platform_name,
        machine,
        machines,
        together,
        mut terms,
    } = asked.request(&section, &mut refusals, &mut warnings)?;
    let (pip, indexes) = pypi::read(&workspace, &environment, &mut refusals)?;
    terms.pypi = pypi_terms::read(&workspace, &environment, &together)?;
    terms.project = own_project::read(&workspace);
    let indexes = terms::indexes(&terms, indexes);
    if !pip.is_empty() {
        cutoff::of_pypi(&workspace, &mut refusals);
    }
    let (variables, late_variables) = variables::ManifestVariables {
        workspace: &workspace,
        environment: &environment,
        name,
        prefix: settings.prefix.as_ref(),
    }
    .read(&mut warnings)?;
    let (unsolvable, of_solve) = refusals.finish();
    let beside = Beside {
        lock: Located {
            value: kind.tool.lock().to_owned(),
            lines: workspace.lines(),
        },
        environments: workspace.environments(),
        listed_channels,
        indexes,
        terms: (kind.tool == Tool::Pixi).then_some(terms),
        other_platform,
        platform_name,
        machine,
        machines,
        unsolvable,
        warnings: of_solve,
    };
    Ok(EnvironmentInput {
        prefix: None,
        variables,
        late_variables,
        conda: Conda::Unsolved(Box::new(solve)),
        pip: if pip.is_empty() {
            Pip::default()
        } else {
            Pip::Unsolved(pip)
        },
        section,
        warnings,
        unknown_skips: None,
        categories: Categories::NoLock,
        beside: Some(beside),
    })
}

/// The table `tool.condafront`.
fn image_section(
    workspace: &Workspace<'_>,
    settings: &InputSettings,
) -> Result<ImageSection, Diagnostic> {
    let args = settings.build_args.for_platform(workspace.platform);
    let tools = workspace.tree.get("tool");
    let mut section = match tools.and_then(|tool| tool.get("condafront")) {
        Some(node) => section::read(workspace.file, node, &args)?,
        None => ImageSection::default(),
    };
    exclude_newer::check(&mut section, workspace.file)?;
    Ok(section)
}

/// The name of the environment to build, and that of its platform if the user chose one.
fn asked_environment<'a>(root: &Node, settings: &'a InputSettings) -> (&'a str, Option<&'a str>) {
    let environments = root.get("environments");
    let has_dev = environments.is_some_and(|all| all.get(DEV).is_some());
    let dev = (settings.is_dev && has_dev).then_some(DEV);
    let asked = settings.environment.as_deref().or(dev);
    let asked = asked.unwrap_or(DEFAULT_ENVIRONMENT);
    // As in a lock, `name@platform` if several platforms are one to conda.
    match asked.split_once('@') {
        Some((name, platform)) => (name, Some(platform)),
        None => (asked, None),
    }
}

#[cfg(test)]
mod tests;
