//! The platforms of a pixi.lock's environments.

use super::{Asked, Finder};
use crate::locked::{choices, other_platform};
use crate::platform_name;
use crate::yaml::{Key, Node};
use condafront_model::platform;
use condafront_model::redact;
use condafront_model::source::{Diagnostic, Lines};

/// A platform that a lock declares.
struct Declared<'a> {
    /// The lock's own name for it.
    name: &'a str,
    /// Its conda subdir.
    subdir: &'a str,
    /// The name that pixi makes for it.
    made: String,
}

/// The platforms that a lock declares.
#[derive(Default)]
struct Subdirs<'a>(Vec<Declared<'a>>);

impl<'a> Subdirs<'a> {
    fn declared(&self, platform: &Key) -> Option<&Declared<'a>> {
        self.0.iter().find(|one| one.name == platform.name)
    }

    /// The conda subdir of a platform.
    fn of(&self, platform: &'a Key) -> &'a str {
        let declared = self.declared(platform);
        declared.map_or(platform.name.as_str(), |one| one.subdir)
    }

    /// The name of a platform that its manifest knows too.
    fn shown<'n>(&'n self, platform: &'n Key) -> &'n str {
        let declared = self.declared(platform);
        let declared = declared.filter(|one| platform_name::is_counted(one.name));
        declared.map_or(platform.name.as_str(), |one| one.made.as_str())
    }

    fn is_asked(&self, platform: &Key, asked: &Asked<'_>) -> bool {
        let Some(name) = asked.platform else {
            return true;
        };
        let made = self.declared(platform).map(|one| one.made.as_str());
        platform.name == name || made == Some(name) || asked.made.is_some() && made == asked.made
    }
}

/// Whether a list of packages has none.
fn is_empty(list: &Node) -> bool {
    list.is_null() || list.list().is_some_and(<[Node]>::is_empty)
}

impl<'a> Finder<'a, '_> {
    /// The platform's entry in an environment's `packages`.
    pub(super) fn platform(
        &self,
        environment: &Key,
        node: &'a Node,
        asked: &Asked<'_>,
    ) -> Result<(&'a Key, &'a Node), Diagnostic> {
        let name = redact::quoted(&environment.name);
        let Some(packages) = node.get("packages").filter(|node| !node.is_null()) else {
            return Err(self.empty(environment, "is empty", environment.lines));
        };
        let listed = self.mapping(packages, "packages")?;
        if listed.iter().all(|(_, list)| is_empty(list)) {
            return Err(self.empty(environment, "is empty", environment.lines));
        }
        let subdirs = self.subdirs()?;
        for (key, _) in listed {
            if subdirs.0.is_empty() && !platform::is_subdir(&key.name) && key.name != "noarch" {
                return Err(self
                    .error(
                        format!("`{}` is not a conda platform", redact::quoted(&key.name)),
                        key.lines,
                    )
                    .help(
                        "Use conda's name for the platform, such as linux-64 or linux-aarch64.",
                    ));
            }
        }
        let fitting: Vec<&(Key, Node)> = listed
            .iter()
            .filter(|(key, _)| subdirs.of(key) == self.platform.subdir())
            .filter(|(key, _)| subdirs.is_asked(key, asked))
            .collect();
        let exact = fitting
            .iter()
            .find(|(key, _)| key.name == self.platform.subdir());
        match (fitting.as_slice(), exact) {
            ([one], _) | (_, Some(one)) if is_empty(&one.1) => {
                let what = format!("has no packages for {}", self.platform.subdir());
                Err(self.empty(environment, &what, one.0.lines))
            }
            ([one], _) | (_, Some(one)) => Ok((&one.0, &one.1)),
            ([], _) => {
                let asked = asked.platform;
                Err(self.no_platform(environment, packages, listed, &subdirs, asked))
            }
            (several, None) => {
                let names: Vec<&str> = several.iter().map(|(key, _)| subdirs.shown(key)).collect();
                Err(self
                    .error(
                        format!(
                            "the environment {name} has several platforms for {}: {}",
                            self.platform.subdir(),
                            names.join(", ")
                        ),
                        packages.lines,
                    )
                    .help(format!(
                        "Choose one with --build-arg ENVIRONMENT={name}@{}.",
                        names[0]
                    )))
            }
        }
    }

    fn no_platform(
        &self,
        environment: &Key,
        packages: &Node,
        listed: &'a [(Key, Node)],
        subdirs: &Subdirs<'a>,
        asked: Option<&str>,
    ) -> Diagnostic {
        let names: Vec<&str> = listed.iter().map(|(key, _)| subdirs.shown(key)).collect();
        if let Some(asked) = asked {
            let fits = listed
                .iter()
                .any(|(key, _)| subdirs.of(key) == self.platform.subdir());
            if fits {
                return Diagnostic::new(format!(
                    "build-arg ENVIRONMENT: the environment {} has no platform `{}` for {}",
                    environment.name,
                    redact::quoted(asked),
                    self.platform.subdir()
                ))
                .help(choices(asked, &names, "platforms"));
            }
        }
        let found = listed.iter().map(|(key, _)| subdirs.of(key)).collect();
        let what = format!("the environment {}", environment.name);
        let lines = listed.first().map_or(packages.lines, |(key, _)| key.lines);
        let error = other_platform(&what, found, self.platform, self.file, lines);
        match (self.others(), &error.help) {
            (Some(others), Some(help)) => {
                let help = format!("{help} Or choose {others}");
                error.help(help)
            }
            _ => error,
        }
    }

    /// The error for an environment that has nothing to install.
    fn empty(&self, environment: &Key, what: &str, lines: Lines) -> Diagnostic {
        let name = redact::quoted(&environment.name);
        let error = self.error(format!("the environment {name} {what}"), lines);
        match self.others() {
            Some(others) => error.help(format!("Choose {others}")).settled(),
            None => error.help_to_write_again(format!("Add packages to it. {}", self.again)),
        }
    }

    /// What to choose instead: the environments that have packages for the platform.
    fn others(&self) -> Option<String> {
        let subdirs = self.subdirs().unwrap_or_default();
        let fits = |(key, list): &(Key, Node)| {
            subdirs.of(key) == self.platform.subdir() && !is_empty(list)
        };
        let environments = self.tree.get("environments").and_then(Node::mapping);
        let others = environments.unwrap_or_default().iter();
        let others: Vec<String> = others
            .filter(|(_, node)| {
                let listed = node.get("packages").and_then(Node::mapping);
                listed.unwrap_or_default().iter().any(fits)
            })
            .map(|(key, _)| redact::quoted(&key.name))
            .collect();
        (!others.is_empty()).then(|| {
            format!(
                "another environment with {}: {}.",
                self.chooser,
                others.join(", ")
            )
        })
    }

    /// The conda subdir of each platform of the lock; only version 7 has its own names for platforms.
    fn subdirs(&self) -> Result<Subdirs<'a>, Diagnostic> {
        let Some(node) = self.tree.get("platforms") else {
            return Ok(Subdirs::default());
        };
        let wrong = |node: &Node| {
            self.error(
                "`platforms:` must be a list of mappings with a name",
                node.lines,
            )
            .help_to_write_again(self.again)
        };
        let list = node.list().ok_or_else(|| wrong(node))?;
        let subdirs = list
            .iter()
            .map(|item| {
                let name = item.get("name").and_then(Node::text);
                let name = name.ok_or_else(|| wrong(item))?;
                let subdir = match item.get("subdir") {
                    Some(node) => (node.text().unwrap_or_default(), node.lines),
                    None => (name, item.lines),
                };
                if !platform::is_subdir(subdir.0) && subdir.0 != "noarch" {
                    return Err(self
                        .error(format!("`{}` is not a conda platform", redact::quoted(subdir.0)), subdir.1)
                        .help("Use conda's name, such as linux-64 or linux-aarch64, or add it as `subdir:` to a platform with another name."));
                }
                Ok(Declared {
                    name,
                    subdir: subdir.0,
                    made: platform_name::of_lock(subdir.0, item),
                })
            })
            .collect::<Result<_, _>>()?;
        Ok(Subdirs(subdirs))
    }
}
