//! The platforms of a manifest, and what it expects of the machines.

use std::borrow::Cow;

use super::needs::Needs;
use super::refusals::Refusals;
use super::workspace::{Environment, Feature, Workspace};
use crate::environment_input::{DeclaredPlatform, DeclaredSystem, Machine, RequestedSpec};
use crate::locked::choices;
use crate::platform_name;
use crate::yaml::Node;
use condafront_model::platform::{self, Platform};
use condafront_model::prose;
use condafront_model::redact::quoted;
use condafront_model::source::{Diagnostic, Lines};

/// What an environment needs and where it runs.
pub(super) struct Machines {
    /// The platforms that all of its features are for.
    pub(super) platforms: Vec<DeclaredPlatform>,
    /// What a solve can count on.
    pub(super) system: DeclaredSystem,
    /// What the image must have.
    pub(super) specs: Vec<RequestedSpec>,
    /// The error that the image's platform is not one of them.
    pub(super) other_platform: Option<Diagnostic>,
    /// The name that pixi makes for the platform that the user chose.
    pub(super) chosen: Option<String>,
    /// The entry of the platform that is chosen.
    pub(super) entry: Option<Machine>,
    /// The entries of all platforms that its features are for.
    pub(super) entries: Vec<Machine>,
}

/// An entry of `platforms` of the workspace.
struct Entry<'a> {
    /// Its own name, or the one that pixi makes for it.
    name: Cow<'a, str>,
    /// The name that pixi makes for it, which is in its locks.
    made: String,
    subdir: &'a str,
    node: &'a Node,
}

impl Entry<'_> {
    fn machine(&self) -> Machine {
        Machine {
            name: self.name.clone().into_owned(),
            made: self.made.clone(),
            subdir: self.subdir.to_owned(),
            virtual_packages: platform_name::virtual_packages(self.subdir, self.node),
        }
    }
}

/// Reads them. A solve counts on what any of the environments `together`, which are solved at once, needs. `asked` is the name
/// of the platform that the user chose, if several are one to conda.
///
/// # Errors
/// An invalid platform or version; or an unknown platform that the user chose.
pub(super) fn read<'a>(
    workspace: &Workspace<'a>,
    environment: &Environment<'a>,
    together: &Environment<'a>,
    asked: Option<&str>,
    refusals: &mut Refusals,
) -> Result<Machines, Diagnostic> {
    let mut machines = find(workspace, environment, together, asked, refusals)?;
    machines.other_platform = other_platform(workspace, &machines.platforms);
    if let Some(error) = &machines.other_platform {
        refusals.refuse_as(error.clone());
    }
    Ok(machines)
}

/// The name in the manifest of the platform that is chosen, if it is not conda's own.
pub(super) fn own_name<'a>(
    workspace: &Workspace<'a>,
    environment: &Environment<'a>,
    asked: Option<&str>,
) -> Option<String> {
    // The request reads the platforms again, and reports what is wrong.
    let mut refusals = Refusals::new(workspace.kind.tool);
    let machines = find(workspace, environment, environment, asked, &mut refusals).ok()?;
    let name = machines.entry?.name;
    (name != workspace.platform.subdir()).then_some(name)
}

/// The error that the platform of the image is not among those that are `declared`.
fn other_platform(workspace: &Workspace<'_>, declared: &[DeclaredPlatform]) -> Option<Diagnostic> {
    let wanted = workspace.platform.subdir();
    if declared.is_empty() || declared.iter().any(|one| one.subdir == wanted) {
        return None;
    }
    let names: Vec<&str> = declared.iter().map(|one| one.subdir.as_str()).collect();
    let mut error = Diagnostic::new(format!(
        "{} is for {}, not for {wanted}",
        workspace.file.name(),
        names.join(", ")
    ));
    for one in declared {
        error = error.at(workspace.file, one.lines);
    }
    let can = Platform::ALL.into_iter();
    let can = can.filter(|one| names.contains(&one.subdir()));
    let can: Vec<String> = can.map(|one| format!("--platform {one}")).collect();
    Some(error.help(if can.is_empty() {
        format!("Add {wanted} to `platforms`.")
    } else {
        format!(
            "Build with {}, or add {wanted} to `platforms`.",
            prose::or(can)
        )
    }))
}

fn find<'a>(
    workspace: &Workspace<'a>,
    environment: &Environment<'a>,
    together: &Environment<'a>,
    asked: Option<&str>,
    refusals: &mut Refusals,
) -> Result<Machines, Diagnostic> {
    let reader = Reader { workspace };
    let all = reader.entries()?;
    let wanted = workspace.platform.subdir();
    let mut supported: Vec<&Entry<'_>> = all.iter().collect();
    for feature in &environment.features {
        let Some(names) = reader.names_of(*feature)? else {
            continue;
        };
        let exact = |entry: &Entry<'_>| names.iter().any(|(name, _)| *name == entry.name);
        let has_exact = |subdir: &str| all.iter().any(|one| one.subdir == subdir && exact(one));
        let is_its = |entry: &&Entry<'_>| {
            exact(entry)
                || !has_exact(entry.subdir) && names.iter().any(|(name, _)| *name == entry.subdir)
        };
        supported.retain(is_its);
        // The error that it is for other platforms is at the feature.
        if !supported.iter().any(|entry| entry.subdir == wanted) && !all.is_empty() {
            let named = names.iter().map(|(name, lines)| DeclaredPlatform {
                subdir: (*name).to_owned(),
                lines: *lines,
            });
            let others: Vec<DeclaredPlatform> = named.filter(|one| one.subdir != wanted).collect();
            return Ok(Machines {
                platforms: if others.is_empty() {
                    declared(&all.iter().collect::<Vec<_>>())
                } else {
                    others
                },
                system: DeclaredSystem::default(),
                specs: Vec::new(),
                other_platform: None,
                chosen: None,
                entry: None,
                entries: Vec::new(),
            });
        }
    }
    let own: Vec<&Entry<'_>> = supported
        .iter()
        .copied()
        .filter(|entry| entry.subdir == wanted)
        .collect();
    let chosen = reader.choose(&own, asked, refusals)?;
    let made = chosen.filter(|_| asked.is_some());
    let made = made.map(|entry| entry.made.clone());
    let machine = chosen.map(Entry::machine);
    let chosen = chosen.map(|entry| entry.node);
    let own = Needs::read(workspace, chosen, environment, refusals)?;
    let all = Needs::read(workspace, chosen, together, refusals)?;
    own.warn_of_kernel(workspace, refusals);
    Ok(Machines {
        platforms: declared(&supported),
        specs: own.specs(),
        system: all.system(),
        other_platform: None,
        chosen: made,
        entry: machine,
        entries: supported.into_iter().map(Entry::machine).collect(),
    })
}

fn declared(entries: &[&Entry<'_>]) -> Vec<DeclaredPlatform> {
    let mut platforms: Vec<DeclaredPlatform> = Vec::new();
    for entry in entries {
        if !platforms.iter().any(|known| known.subdir == entry.subdir) {
            platforms.push(DeclaredPlatform {
                subdir: entry.subdir.to_owned(),
                lines: entry.node.lines,
            });
        }
    }
    platforms
}

struct Reader<'w, 'a> {
    workspace: &'w Workspace<'a>,
}

impl<'a> Reader<'_, 'a> {
    fn entries(&self) -> Result<Vec<Entry<'a>>, Diagnostic> {
        let Some(list) = self.workspace.value("platforms") else {
            return Ok(Vec::new());
        };
        let items = self.list(list)?;
        items.iter().map(|item| self.entry(item)).collect()
    }

    fn list(&self, node: &'a Node) -> Result<&'a [Node], Diagnostic> {
        node.list().ok_or_else(|| {
            let place = self.workspace.at(node.lines);
            place
                .error(format!("`platforms` must be a list, not {}", node.what()))
                .help("Write `platforms = [\"linux-64\"]`.")
        })
    }

    fn entry(&self, item: &'a Node) -> Result<Entry<'a>, Diagnostic> {
        let name = item.text().or_else(|| item.get("name")?.text());
        let subdir = item.get("platform").and_then(Node::text).or(name);
        let place = self.workspace.at(item.lines);
        let Some(subdir) = subdir else {
            let error = format!("a platform must be a name, not {}", item.what());
            return Err(place.error(error).help("For example: \"linux-64\""));
        };
        if subdir == platform::NOARCH {
            let help = format!(
                "Write \"{}\" instead, or remove it.",
                self.workspace.platform.subdir()
            );
            return Err(place.error(platform::NOARCH_IS_NONE).help(help));
        }
        if !platform::is_subdir(subdir) {
            let error = format!("`{}` is not a platform", quoted(subdir));
            let help = match platform::known_elsewhere_as(subdir) {
                Some(meant) => format!("Write \"{meant}\"."),
                None => "For example: \"linux-64\"".to_owned(),
            };
            return Err(place.error(error).help(help));
        }
        let made = platform_name::of_manifest(subdir, item);
        Ok(Entry {
            name: name.map_or_else(|| made.clone().into(), Cow::Borrowed),
            made,
            subdir,
            node: item,
        })
    }

    /// The one of several platforms that are the image's to conda; the user may have `asked` for one.
    fn choose<'e>(
        &self,
        own: &[&'e Entry<'a>],
        asked: Option<&str>,
        refusals: &mut Refusals,
    ) -> Result<Option<&'e Entry<'a>>, Diagnostic> {
        let wanted = self.workspace.platform.subdir();
        let mut named = own.iter().copied();
        let chosen = match (asked, own) {
            (Some(name), _) => named.find(|entry| entry.name == name || entry.made == name),
            (None, [only]) => Some(*only),
            (None, _) => named.find(|entry| entry.name == wanted),
        };
        let Some(first) = own.first().filter(|_| chosen.is_none()) else {
            return Ok(chosen);
        };
        let names: Vec<&str> = own.iter().map(|entry| entry.name.as_ref()).collect();
        if let Some(asked) = asked {
            return Err(Diagnostic::new(format!(
                "build-arg ENVIRONMENT: {} has no platform `{}` that is {wanted}",
                self.workspace.file.name(),
                quoted(asked)
            ))
            .help(choices(asked, &names, "platforms")));
        }
        let names: Vec<String> = names.into_iter().map(quoted).collect();
        let names = names.join(", ");
        let message = format!("several platforms are {wanted}: {names}");
        let help = format!(
            "Choose one: --build-arg ENVIRONMENT=default@{}",
            quoted(&first.name)
        );
        refusals.refuse_as(
            self.workspace
                .at(first.node.lines)
                .error(message)
                .help(help),
        );
        Ok(None)
    }

    /// The platforms that a feature lists.
    fn names_of(&self, feature: Feature<'a>) -> Result<Option<Vec<(&'a str, Lines)>>, Diagnostic> {
        let own = feature.table.filter(|_| !feature.is_default());
        let Some(list) = own.and_then(|table| table.get("platforms")) else {
            return Ok(None);
        };
        let items = self.list(list)?.iter();
        let names = items.map(|item| {
            let error = || {
                let error = format!("a platform must be a name, not {}", item.what());
                self.workspace.at(item.lines).error(error)
            };
            Ok((item.text().ok_or_else(error)?, item.lines))
        });
        names.collect::<Result<Vec<_>, _>>().map(Some)
    }
}
