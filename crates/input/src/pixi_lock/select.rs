//! Which packages of a pixi.lock are requested, and on which lines.

mod platforms;

use std::str::FromStr;
use std::sync::Arc;

use rattler_lock::UrlOrPath;

use super::maker::Maker;
use crate::environment_input::{DEFAULT_ENVIRONMENT, DEV};
use crate::locked::choices;
use crate::settings::InputSettings;
use crate::yaml::{Key, Node};
use condafront_model::channel::NO_DEFAULTS;
use condafront_model::platform::Platform;
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
    /// The packages, in the lock's order.
    pub(super) selectors: Vec<Selector<'a>>,
}

/// A line of an environment that requests a package.
#[derive(Clone, Copy)]
pub(super) struct Selector<'a> {
    pub(super) kind: Kind,
    /// Its URL, path or other identifier.
    pub(super) text: &'a str,
    /// Its name, if the line gives it.
    pub(super) name: Option<&'a str>,
    pub(super) lines: Lines,
}

impl<'a> Selector<'a> {
    /// Reads an entry of an environment.
    fn read(item: &'a Node) -> Option<Self> {
        let (kind, text) = Kind::ALL.iter().find_map(|(key, kind)| {
            let text = item.get(key).and_then(Node::text)?;
            Some((*kind, text))
        })?;
        Some(Self {
            kind,
            text,
            name: item.get("name").and_then(Node::text),
            lines: item.lines,
        })
    }

    /// The packages that any environment requests for any platform.
    pub(super) fn all(tree: &'a Node) -> impl Iterator<Item = Self> {
        let items = lists(tree).filter_map(|(_, list)| list.list()).flatten();
        items.filter_map(Self::read)
    }

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

/// The lists of packages of all environments, each with its platform.
fn lists(tree: &Node) -> impl Iterator<Item = &(Key, Node)> {
    let environments = tree.get("environments").and_then(Node::mapping);
    let environments = environments.unwrap_or_default().iter();
    environments
        .filter_map(|(_, environment)| environment.get("packages")?.mapping())
        .flatten()
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
            again: Maker::of(tree).again(),
            is_asked: settings.environment.is_some() && settings.image_file.is_none(),
            chooser: match settings.image_file {
                Some(_) => "`name` in the image file",
                None => "the build-arg ENVIRONMENT",
            },
        };
        finder.check_version()?;
        finder.check_size()?;
        let asked = asked(tree, settings);
        let (key, node) = finder.environment(asked.environment)?;
        let (platform, list) = finder.platform(key, node, &asked)?;
        Ok(Self {
            environment: &key.name,
            platform: &platform.name,
            selectors: finder.selectors(list)?,
        })
    }
}

/// What the settings ask for.
struct Asked<'a> {
    environment: &'a str,
    /// The name of the platform, if they choose one.
    platform: Option<&'a str>,
    /// The name that pixi makes for that platform.
    made: Option<&'a str>,
}

/// What the settings ask for.
fn asked<'a>(tree: &Node, settings: &'a InputSettings) -> Asked<'a> {
    let environments = tree.get("environments");
    let has_dev = environments.is_some_and(|all| all.get(DEV).is_some());
    let own = if settings.is_dev && has_dev {
        DEV
    } else {
        DEFAULT_ENVIRONMENT
    };
    let asked = settings.environment.as_deref().unwrap_or(own);
    let (environment, platform) = match asked.split_once('@') {
        Some((name, platform)) => (name, Some(platform)),
        None => (asked, None),
    };
    Asked {
        environment,
        platform,
        made: settings.platform_name.as_deref(),
    }
}

/// The addresses of the channels that the packages of an environment were chosen from, as the lock has them.
pub(super) fn channels<'a>(tree: &'a Node, settings: &InputSettings) -> Vec<&'a str> {
    let environments = tree.get("environments");
    let environment = environments.and_then(|all| all.get(asked(tree, settings).environment));
    let listed = environment.and_then(|found| found.get("channels")?.list());
    let listed = listed.unwrap_or_default().iter();
    listed
        .filter_map(|one| one.text().or_else(|| one.get("url")?.text()))
        .filter(|url| url.trim_end_matches('/').rsplit('/').next() != Some(NO_DEFAULTS))
        .collect()
}

struct Finder<'a, 'f> {
    file: &'f Arc<SourceFile>,
    tree: &'a Node,
    platform: Platform,
    /// Help for an inconsistent lock.
    again: &'static str,
    /// Whether the user has chosen an environment with a build-arg.
    is_asked: bool,
    /// What chooses one.
    chooser: &'static str,
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
                .help_to_write_again(self.again));
        };
        match node.text().and_then(|text| text.parse::<u64>().ok()) {
            Some(1 | 4..=NEWEST) => Ok(()),
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
                .help_to_write_again(format!("{} Valid versions are 4 to {NEWEST}.", self.again))),
        }
    }

    fn check_size(&self) -> Result<(), Diagnostic> {
        for (platform, list) in lists(self.tree) {
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
            .help_to_write_again(self.again)
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
            let choices = choices(name, &known, "environments");
            let missing = format!(
                "{} has no environment `{}`",
                self.file.name(),
                redact::quoted(name)
            );
            if self.is_asked {
                return Diagnostic::new(format!("build-arg ENVIRONMENT: {missing}")).help(choices);
            }
            let key = self.tree.mapping().unwrap_or_default().iter();
            let key = key
                .map(|(key, _)| key)
                .find(|key| key.name == "environments");
            let lines = key.map_or(node.lines, |key| key.lines);
            self.error(missing, lines)
                .help(format!("Choose one with {}. {choices}", self.chooser))
        })?;
        Ok((key, node))
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
            .help_to_write_again(self.again)
        })?;
        items
            .iter()
            .map(|item| {
                Selector::read(item).ok_or_else(|| {
                    self.error(
                        "an entry of an environment must be a mapping with the key `conda` or `pypi`",
                        item.lines,
                    )
                    .help_to_write_again(self.again)
                })
            })
            .collect()
    }
}
