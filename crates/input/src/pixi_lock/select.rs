//! Which packages of a pixi.lock are requested, and on which lines.

use std::str::FromStr;
use std::sync::Arc;

use rattler_lock::UrlOrPath;

use super::damage::AGAIN;
use crate::environment_input::DEFAULT_ENVIRONMENT;
use crate::locked::{choices, other_platform};
use crate::settings::InputSettings;
use crate::yaml::{Key, Node};
use condafront_model::platform::{self, Platform};
use condafront_model::redact;
use condafront_model::source::{Diagnostic, Lines, SourceFile};

/// The newest version of pixi.lock that `rattler_lock` reads; the oldest with this layout is 4.
const NEWEST: u64 = 7;

/// The most packages that one environment may have for one platform: `rattler_lock` takes quadratic time.
const MOST_PACKAGES: usize = 10_000;

/// The packages of one environment for one platform.
pub(super) struct Selection<'a> {
    /// The environment's name.
    pub(super) environment: &'a str,
    /// The platform's name in the lock.
    pub(super) platform: &'a str,
    /// Where its packages are listed.
    pub(super) lines: Lines,
    /// The packages, in the lock's order.
    pub(super) selectors: Vec<Selector<'a>>,
}

/// A line of an environment that requests a package.
#[derive(Clone, Copy)]
pub(super) struct Selector<'a> {
    pub(super) kind: Kind,
    /// Its URL, path or other identifier.
    pub(super) text: &'a str,
    pub(super) lines: Lines,
}

impl Selector<'_> {
    /// The text as `rattler_lock` represents it.
    pub(super) fn location(&self) -> Option<UrlOrPath> {
        UrlOrPath::from_str(self.text).ok()
    }
}

/// The kind of a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Conda,
    CondaSource,
    Pypi,
}

impl Kind {
    const ALL: [(&'static str, Self); 3] = [
        ("conda", Self::Conda),
        ("conda_source", Self::CondaSource),
        ("pypi", Self::Pypi),
    ];
}

impl<'a> Selection<'a> {
    /// Finds what the settings ask for: `ENVIRONMENT` is an environment's name, or `NAME@PLATFORM` if a lock has several
    /// platforms with the same subdir (for example, with and without a GPU).
    pub(super) fn find(
        file: &Arc<SourceFile>,
        tree: &'a Node,
        platform: Platform,
        settings: &'a InputSettings,
    ) -> Result<Self, Diagnostic> {
        let finder = Finder {
            file,
            tree,
            platform,
        };
        finder.check_version()?;
        finder.check_size()?;
        let asked = settings
            .environment
            .as_deref()
            .unwrap_or(DEFAULT_ENVIRONMENT);
        let (environment, asked_platform) = match asked.split_once('@') {
            Some((name, platform)) => (name, Some(platform)),
            None => (asked, None),
        };
        let (key, node) = finder.environment(environment)?;
        let (platform, list) = finder.platform(key, node, asked_platform)?;
        Ok(Self {
            environment: &key.name,
            platform: &platform.name,
            lines: platform.lines,
            selectors: finder.selectors(list)?,
        })
    }
}

struct Finder<'a, 'f> {
    file: &'f Arc<SourceFile>,
    tree: &'a Node,
    platform: Platform,
}

impl<'a> Finder<'a, '_> {
    fn error(&self, message: impl Into<String>, lines: Lines) -> Diagnostic {
        Diagnostic::new(message).at(self.file, lines)
    }

    fn check_version(&self) -> Result<(), Diagnostic> {
        let Some(node) = self.tree.get("version") else {
            return Err(self
                .error(
                    format!("{} has no version", self.file.name()),
                    Lines::one(1),
                )
                .help(AGAIN));
        };
        match node.text().and_then(|text| text.parse::<u64>().ok()) {
            Some(4..=NEWEST) => Ok(()),
            Some(version) if version > NEWEST => Err(self
                .error(
                    format!(
                        "{} has version {version}, but condafront {} reads pixi.lock only up to version {NEWEST}",
                        self.file.name(),
                        env!("CARGO_PKG_VERSION")
                    ),
                    node.lines,
                )
                .help("Build with a newer condafront, or regenerate the lock file with an older pixi.")),
            _ => Err(self
                .error(
                    format!(
                        "`{}` is not a valid version of a pixi.lock with environments",
                        redact::quoted(node.text().unwrap_or(node.what()))
                    ),
                    node.lines,
                )
                .help(format!("{AGAIN} Valid versions are 4 to {NEWEST}."))),
        }
    }

    fn check_size(&self) -> Result<(), Diagnostic> {
        let environments = self.tree.get("environments").and_then(Node::mapping);
        let lists = environments
            .unwrap_or_default()
            .iter()
            .filter_map(|(_, environment)| environment.get("packages")?.mapping())
            .flatten();
        for (platform, list) in lists {
            let count = list.list().map_or(0, <[Node]>::len);
            if count > MOST_PACKAGES {
                return Err(self
                    .error(
                        format!("an environment lists {count} packages"),
                        platform.lines,
                    )
                    .help(format!(
                        "Make the environment smaller: condafront installs at most {MOST_PACKAGES}."
                    )));
            }
        }
        Ok(())
    }

    /// A node that must be a mapping.
    fn mapping(&self, node: &'a Node, what: &str) -> Result<&'a [(Key, Node)], Diagnostic> {
        node.mapping().ok_or_else(|| {
            self.error(
                format!("`{what}:` must be a mapping, not {}", node.what()),
                node.lines,
            )
            .help(AGAIN)
        })
    }

    fn environment(&self, name: &str) -> Result<(&'a Key, &'a Node), Diagnostic> {
        let node = self.tree.get("environments").unwrap_or(self.tree);
        let environments = self.mapping(node, "environments")?;
        let found = environments.iter().find(|(key, _)| key.name == name);
        let (key, node) = found.ok_or_else(|| {
            let known: Vec<&str> = environments
                .iter()
                .map(|(key, _)| key.name.as_str())
                .collect();
            Diagnostic::new(format!(
                "build-arg ENVIRONMENT: {} has no environment `{}`",
                self.file.name(),
                redact::quoted(name)
            ))
            .help(choices(name, &known, "environments"))
        })?;
        Ok((key, node))
    }

    /// The platform's entry in an environment's `packages`.
    fn platform(
        &self,
        environment: &Key,
        node: &'a Node,
        asked: Option<&str>,
    ) -> Result<(&'a Key, &'a Node), Diagnostic> {
        let name = redact::quoted(&environment.name);
        let packages = node.get("packages").ok_or_else(|| {
            self.error(
                format!("the environment {name} has no packages"),
                environment.lines,
            )
            .help(AGAIN)
        })?;
        let listed = self.mapping(packages, "packages")?;
        let subdirs = self.subdirs()?;
        let subdir_of = |key: &'a Key| -> &'a str {
            let declared = subdirs.iter().find(|(name, _)| *name == key.name);
            declared.map_or(key.name.as_str(), |(_, subdir)| subdir)
        };
        for (key, _) in listed {
            if subdirs.is_empty() && !platform::is_subdir(&key.name) && key.name != "noarch" {
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
            .filter(|(key, _)| subdir_of(key) == self.platform.subdir())
            .filter(|(key, _)| asked.is_none_or(|asked| key.name == asked))
            .collect();
        let exact = fitting
            .iter()
            .find(|(key, _)| key.name == self.platform.subdir());
        match (fitting.as_slice(), exact) {
            ([one], _) | (_, Some(one)) => Ok((&one.0, &one.1)),
            ([], _) => Err(self.no_platform(environment, packages, listed, subdir_of, asked)),
            (several, None) => {
                let names: Vec<&str> = several.iter().map(|(key, _)| key.name.as_str()).collect();
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
        subdir_of: impl Fn(&'a Key) -> &'a str,
        asked: Option<&str>,
    ) -> Diagnostic {
        let names: Vec<&str> = listed.iter().map(|(key, _)| key.name.as_str()).collect();
        if let Some(asked) = asked {
            let fits = listed
                .iter()
                .any(|(key, _)| subdir_of(key) == self.platform.subdir());
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
        let found = listed.iter().map(|(key, _)| subdir_of(key)).collect();
        let what = format!("the environment {}", environment.name);
        let lines = listed.first().map_or(packages.lines, |(key, _)| key.lines);
        other_platform(&what, found, self.platform, self.file, lines)
    }

    /// The conda subdir of each platform of the lock; only version 7 has its own names for platforms.
    fn subdirs(&self) -> Result<Vec<(&'a str, &'a str)>, Diagnostic> {
        let Some(node) = self.tree.get("platforms") else {
            return Ok(Vec::new());
        };
        let wrong = |node: &Node| {
            self.error(
                "`platforms:` must be a list of mappings with a name",
                node.lines,
            )
            .help(AGAIN)
        };
        let list = node.list().ok_or_else(|| wrong(node))?;
        list.iter()
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
                Ok((name, subdir.0))
            })
            .collect()
    }

    fn selectors(&self, list: &'a Node) -> Result<Vec<Selector<'a>>, Diagnostic> {
        if list.is_null() {
            return Ok(Vec::new());
        }
        let items = list.list().ok_or_else(|| {
            self.error(
                format!("a platform's packages must be a list, not {}", list.what()),
                list.lines,
            )
            .help(AGAIN)
        })?;
        items
            .iter()
            .map(|item| {
                let found = Kind::ALL.iter().find_map(|(key, kind)| {
                    let text = item.get(key).and_then(Node::text)?;
                    Some((*kind, text))
                });
                let (kind, text) = found.ok_or_else(|| {
                    self.error(
                        "an entry of an environment must be a mapping with the key `conda` or `pypi`",
                        item.lines,
                    )
                    .help(AGAIN)
                })?;
                Ok(Selector {
                    kind,
                    text,
                    lines: item.lines,
                })
            })
            .collect()
    }
}
