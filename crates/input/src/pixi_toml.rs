//! pixi.toml: the manifest of a pixi project (<https://pixi.sh/latest/reference/pixi_manifest/>). An image has the packages of
//! the lock beside it; the manifest says whether that lock is still its own, and what the image is.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::channels::Channels;
use crate::dependency_list::DependencyList;
use crate::env::reader::Reader;
use crate::environment_input::{
    Conda, DEFAULT_ENVIRONMENT, DEV, DeclaredPlatform, EnvironmentInput, Pip, SolveRequest,
};
use crate::place::Place;
use crate::section::image_section::{ImageSection, Located};
use crate::settings::InputSettings;
use crate::yaml::{Key, Node};
use crate::{exclude_newer, match_spec, section, toml};
use condafront_model::channel::{ChannelNames, ChannelPriority};
use condafront_model::lint::{Rule, Warning};
use condafront_model::origin::Origin;
use condafront_model::platform::Platform;
use condafront_model::redact::quoted;
use condafront_model::source::{Diagnostic, Lines, SourceFile};
use condafront_step_spec::solve::Kept;

/// The lock beside the manifest.
const LOCK: &str = "pixi.lock";

/// The table about the project, and what older manifests call it.
const WORKSPACE: &[&str] = &["workspace", "project"];

/// The manifest's tree, if the file looks like one.
///
/// # Errors
/// A diagnostic where it is not TOML.
pub(crate) fn manifest(file: &Arc<SourceFile>, text: &str) -> Result<Option<Node>, Diagnostic> {
    let is_header = |line: &str| WORKSPACE.iter().any(|name| line == format!("[{name}]"));
    if !text.lines().any(|line| is_header(line.trim_end())) {
        return Ok(None);
    }
    let tree = toml::read(file, text)?;
    // Other tools have tables of these names too, but no channels.
    let is_pixi = workspace(&tree).is_some_and(|table| table.get("channels").is_some());
    Ok(Some(tree).filter(|_| is_pixi))
}

fn workspace(tree: &Node) -> Option<&Node> {
    WORKSPACE.iter().find_map(|name| tree.get(name))
}

/// Reads the manifest whose tree is `tree`.
///
/// # Errors
/// A diagnostic at the user's line.
pub(crate) fn read(
    file: &Arc<SourceFile>,
    tree: &Node,
    platform: Platform,
    settings: &InputSettings,
) -> Result<EnvironmentInput, Diagnostic> {
    let manifest = Manifest {
        file,
        tree,
        platform,
    };
    let args = settings.build_args.for_platform(platform);
    let own = tree.get("tool").and_then(|tool| tool.get("condafront"));
    let mut section = match own {
        Some(node) => section::read(file, node, &args)?,
        None => ImageSection::default(),
    };
    exclude_newer::check(&mut section, file)?;
    let lines = workspace(tree).map_or(Lines::one(1), |table| {
        Lines::one(table.lines.first as usize)
    });
    section.lock.get_or_insert(Located {
        value: LOCK.to_owned(),
        lines,
    });
    let mut warnings = match settings.image_file {
        None => section.warnings(file),
        Some(_) => Vec::new(),
    };
    let names = ChannelNames {
        alias: settings
            .channel_alias
            .clone()
            .unwrap_or(ChannelNames::default().alias),
        custom: BTreeMap::new(),
    };
    let mut channels = Channels::new(names, platform, &settings.build_args);
    let environments = tree.get("environments");
    let has_dev = environments.is_some_and(|all| all.get(DEV).is_some());
    let dev = (settings.is_dev && has_dev).then_some(DEV);
    let features = manifest.features(settings.environment.as_deref().or(dev))?;
    manifest.channels(&features, &mut channels)?;
    let mut specs = DependencyList::default();
    for feature in &features {
        for (key, value) in manifest.dependencies(feature) {
            let place = manifest.at(key.lines);
            let Some(text) = spec(&key.name, value) else {
                continue;
            };
            let found = match_spec::read(&text, &mut channels, place)?;
            // Features may ask for the same package, as in polars and its versions.
            let _ = specs.push(found, place);
        }
    }
    let variables = manifest.variables(&features, &mut warnings)?;
    let (channels, of_channels) = channels.finish();
    warnings.extend(of_channels);
    Ok(EnvironmentInput {
        prefix: None,
        variables,
        conda: Conda::Unsolved(SolveRequest {
            channels,
            priority: ChannelPriority::default(),
            exclude_newer: None,
            specs: specs.finish(),
            platforms: manifest.platforms(),
            origin: Origin::default(),
            kept: Kept::default(),
            installed: Vec::new(),
        }),
        pip: Pip::default(),
        section,
        warnings,
        unknown_skips: None,
    })
}

struct Manifest<'a> {
    file: &'a Arc<SourceFile>,
    tree: &'a Node,
    platform: Platform,
}

impl<'a> Manifest<'a> {
    fn at(&self, lines: Lines) -> Place<'a> {
        Place {
            file: self.file,
            lines,
        }
    }

    /// The tables of the features of an environment; the default feature's is the whole manifest.
    ///
    /// # Errors
    /// If the environment lists a feature that the manifest does not have.
    fn features(&self, environment: Option<&str>) -> Result<Vec<&'a Node>, Diagnostic> {
        // pixi.lock has `name@platform` if several platforms are one to conda.
        let name = environment.and_then(|name| name.split('@').next());
        let environments = self.tree.get("environments");
        let own = environments.and_then(|all| all.get(name.unwrap_or(DEFAULT_ENVIRONMENT)));
        let listed = own.and_then(|own| own.list().or_else(|| own.get("features")?.list()));
        let without_default = own
            .and_then(|own| own.get("no-default-feature")?.text())
            .is_some_and(|text| text == "true");
        let default = (!without_default).then_some(self.tree);
        let mut features: Vec<&Node> = default.into_iter().collect();
        for item in listed.unwrap_or_default() {
            features.extend(self.feature(item)?);
        }
        Ok(features)
    }

    /// The table of a feature that an environment lists; `None` for the default feature, which has none of its own.
    fn feature(&self, item: &Node) -> Result<Option<&'a Node>, Diagnostic> {
        let place = self.at(item.lines);
        let Some(name) = item.text() else {
            return Err(place.error(format!("a feature must be a name, not {}", item.what())));
        };
        let all = self.tree.get("feature");
        match all.and_then(|all| all.get(name)) {
            Some(table) => Ok(Some(table)),
            None if name == DEFAULT_ENVIRONMENT => Ok(None),
            None => {
                let tables = all.and_then(Node::mapping).unwrap_or_default();
                let known: Vec<String> = tables.iter().map(|(key, _)| quoted(&key.name)).collect();
                let error = place.error(format!("there is no feature `{}`", quoted(name)));
                Err(match known.as_slice() {
                    [] => error.help("The manifest has no features."),
                    known => {
                        error.help(format!("The manifest's features are {}.", known.join(", ")))
                    }
                })
            }
        }
    }

    /// What a feature has in the table `name`, for every platform and for that of the image.
    fn tables(&self, feature: &'a Node, path: &[&str]) -> Vec<&'a Node> {
        let target = feature.get("target");
        let of_target = ["unix", "linux", self.platform.subdir()];
        let of_target = of_target.into_iter().filter_map(|name| target?.get(name));
        let all = std::iter::once(feature).chain(of_target);
        let find = |node: &'a Node| path.iter().try_fold(node, |node, name| node.get(name));
        all.filter_map(find).collect()
    }

    fn dependencies(&self, feature: &'a Node) -> impl Iterator<Item = &'a (Key, Node)> {
        let tables = self.tables(feature, &["dependencies"]).into_iter();
        tables.flat_map(|table| table.mapping().unwrap_or_default())
    }

    /// Adds the channels of the workspace and of features.
    fn channels(&self, features: &[&'a Node], channels: &mut Channels) -> Result<(), Diagnostic> {
        let own = workspace(self.tree).into_iter();
        let lists = own
            .chain(features.iter().copied())
            .filter_map(|table| table.get("channels")?.list());
        for item in lists.flatten() {
            let name = item.text().or_else(|| item.get("channel")?.text());
            let place = self.at(item.lines);
            let Some(name) = name else {
                return Err(place
                    .error(format!("a channel must be a name, not {}", item.what()))
                    .help("Write a name such as \"conda-forge\", or a URL."));
            };
            channels.add(name, place, place.lines)?;
        }
        Ok(())
    }

    fn platforms(&self) -> Vec<DeclaredPlatform> {
        let list = workspace(self.tree).and_then(|table| table.get("platforms")?.list());
        let named = list.unwrap_or_default().iter().filter_map(|item| {
            Some(DeclaredPlatform {
                subdir: item.text()?.to_owned(),
                lines: item.lines,
            })
        });
        named.collect()
    }

    /// The variables that activation sets.
    fn variables(
        &self,
        features: &[&'a Node],
        warnings: &mut Vec<Warning>,
    ) -> Result<BTreeMap<String, String>, Diagnostic> {
        let reader = Reader {
            file: self.file,
            lines: Vec::new(),
        };
        let mut all = BTreeMap::new();
        // The default feature's come last in an environment's list.
        for feature in features.iter().rev() {
            for table in self.tables(feature, &["activation", "env"]) {
                all.extend(reader.variables(table, warnings)?);
            }
            for scripts in self.tables(feature, &["activation", "scripts"]) {
                warnings.push(Warning {
                    rule: Rule::Ignored,
                    diagnostic: self
                        .at(scripts.lines)
                        .error("activation scripts of the project do not run in an image")
                        .help("Set variables in `[activation.env]`, or run the scripts in the image's command."),
                });
            }
        }
        Ok(all)
    }
}

/// A dependency as a MatchSpec; `None` if it is built from source, which a lock says too.
fn spec(name: &str, value: &Node) -> Option<String> {
    let field = |key: &str| value.get(key).and_then(Node::text);
    let version = value.text().or_else(|| field("version"));
    if ["path", "git", "url"]
        .iter()
        .any(|key| value.get(key).is_some())
    {
        return None;
    }
    let mut text = match field("channel") {
        Some(channel) => format!("{channel}::{name}"),
        None => name.to_owned(),
    };
    match (version, field("build")) {
        (None | Some("*"), None) => {}
        (version, None) => text.push_str(&format!(" {}", version.unwrap_or("*"))),
        (version, Some(build)) => text.push_str(&format!(
            "[version='{}', build='{build}']",
            version.unwrap_or("*")
        )),
    }
    Some(text)
}

#[cfg(test)]
mod tests;
