//! The conda packages that an environment of a manifest asks for, as MatchSpecs.

use super::conda_spec::Wanted;
use super::refusals::Refusals;
use super::workspace::{Environment, Feature, Workspace};
use crate::channels::Channels;
use crate::dependency_list::DependencyList;
use crate::match_spec;
use crate::yaml::{Key, Node};
use condafront_model::lint::{Rule, Warning};
use condafront_model::mistakes::check_each;
use condafront_model::redact::quoted;
use condafront_model::source::Diagnostic;
use std::collections::BTreeMap;

/// The tables of dependencies. Of one package, a later table's entry replaces an earlier one's.
const TABLES: &[&str] = &["dependencies", "host-dependencies", "build-dependencies"];

/// Reads the dependencies of an environment into `list`.
///
/// # Errors
/// A diagnostic at the invalid ones.
pub(super) fn read<'a>(
    workspace: &Workspace<'a>,
    environment: &Environment<'a>,
    channels: &mut Channels,
    list: &mut DependencyList,
    refusals: &mut Refusals,
) -> Result<Vec<Warning>, Diagnostic> {
    let reader = Reader { workspace };
    reader.check_pool()?;
    let mut warnings = Vec::new();
    for feature in &environment.features {
        check_each(reader.entries(*feature, TABLES)?, |(key, node)| {
            let place = workspace.at(key.lines);
            match Wanted::of(workspace, &key.name, node, place)? {
                Wanted::Spec(text) => {
                    let found = match_spec::read(&text, channels, place)?;
                    // Features may ask for the same package, as in polars and its versions.
                    let doubts = list.push(found, place);
                    warnings.extend(doubts.filter(|one| one.rule != Rule::DuplicatePackage));
                }
                wanted @ (Wanted::Source | Wanted::File) => {
                    let name = quoted(&key.name);
                    if matches!(wanted, Wanted::Source) {
                        let error = format!(
                            "`{name}` is the source of a conda package, but a build installs only built packages"
                        );
                        refusals.refuse_source(place, error);
                    } else {
                        let error = format!(
                            "`{name}` is the file of a package, but conda packages come from channels"
                        );
                        refusals.refuse_file(place, error);
                    }
                    // A lock must have it nevertheless.
                    let found = match_spec::read(&key.name, channels, place)?;
                    drop(list.push(found, place));
                }
            }
            Ok(())
        })?;
        let constraints = reader.entries(*feature, &["constraints"])?;
        check_each(constraints, |(key, node)| {
            let place = workspace.at(key.lines);
            if let Wanted::Spec(text) = Wanted::of(workspace, &key.name, node, place)? {
                let text = only_if_present(&text, &key.name);
                let found = match_spec::read(&text, channels, place)?;
                drop(list.push(found, place));
            }
            Ok(())
        })?;
        for node in workspace.tables(*feature, &["dev"]) {
            for (key, _) in workspace.entries(node, "dev")? {
                refusals.refuse(
                    workspace.at(key.lines),
                    format!(
                        "only pixi knows what `{}` needs to be built",
                        quoted(&key.name)
                    ),
                );
            }
        }
    }
    Ok(warnings)
}

/// A spec that limits a package without asking for it.
fn only_if_present(spec: &str, name: &str) -> String {
    match spec.strip_suffix(']') {
        Some(open) => format!("{open}, when='{name}']"),
        None => format!("{spec}[when='{name}']"),
    }
}

struct Reader<'w, 'a> {
    workspace: &'w Workspace<'a>,
}

impl<'a> Reader<'_, 'a> {
    /// Checks that what others can inherit is a table, rather than a list of packages to install.
    fn check_pool(&self) -> Result<(), Diagnostic> {
        match self.workspace.value("dependencies") {
            Some(pool) if pool.mapping().is_none() => Err(self
                .workspace
                .at(pool.lines)
                .error("the workspace cannot have a list of `dependencies`")
                .help("Write conda packages in [dependencies]: numpy = \">=2\". PyPI packages go in [pypi-dependencies].")),
            _ => Ok(()),
        }
    }

    /// The entries of a feature's tables, each package once.
    fn entries(
        &self,
        feature: Feature<'a>,
        tables: &[&str],
    ) -> Result<Vec<&'a (Key, Node)>, Diagnostic> {
        let mut found: Vec<&(Key, Node)> = Vec::new();
        let mut places: BTreeMap<String, usize> = BTreeMap::new();
        let targets = self.workspace.tables(feature, &[]);
        for target in targets {
            for name in tables {
                let Some(table) = target.get(name) else {
                    continue;
                };
                for entry in self
                    .workspace
                    .packages(table, name, str::to_ascii_lowercase)?
                {
                    let name = entry.0.name.to_ascii_lowercase();
                    let place = *places.entry(name).or_insert(found.len());
                    match found.get_mut(place) {
                        Some(known) => *known = entry,
                        None => found.push(entry),
                    }
                }
            }
        }
        Ok(found)
    }
}
