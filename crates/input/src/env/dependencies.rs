//! The `dependencies:` list: MatchSpecs, `pip:` lists, and lines for other platforms.

use std::sync::Arc;

use super::reader::Reader;
use crate::channels::Channels;
use crate::dependency_list::DependencyList;
use crate::environment_input::RequestedSpec;
use crate::logical_lines::lines_of_entry;
use crate::look_alike;
use crate::match_spec;
use crate::pip_requirement::PipRequirement;
use crate::requirements::is_valid;
use crate::selector::{self, Verdict};
use crate::version_range;
use crate::yaml::{Key, Node, ScalarKind, Value};
use condafront_model::lint::{Rule, Warning};
use condafront_model::mistakes::check_each;
use condafront_model::redact;
use condafront_model::source::{Diagnostic, Lines};

/// The keys that belong next to the list.
const OF_THE_FILE: &[&str] = &["channels", "variables", "platforms", "prefix", "condafront"];

/// The dependencies found so far.
pub(super) struct Dependencies<'a> {
    reader: &'a Reader<'a>,
    channels: &'a mut Channels,
    list: DependencyList,
    pip: Vec<PipRequirement>,
    /// The lines of the first `pip:` list that is not empty.
    pip_list: Option<Lines>,
    /// The number of entries for other platforms.
    dropped: usize,
    warnings: Vec<Warning>,
}

/// The content of the list.
pub(super) struct Found {
    pub(super) specs: Vec<RequestedSpec>,
    pub(super) pip: Vec<PipRequirement>,
    pub(super) warnings: Vec<Warning>,
}

/// Reads the list.
pub(super) fn read(
    reader: &Reader<'_>,
    key: &Key,
    node: &Node,
    channels: &mut Channels,
) -> Result<Found, Diagnostic> {
    let items = match &node.value {
        Value::List(items) if !items.is_empty() => items,
        Value::List(_) | Value::Null => {
            return Err(reader
                .at_key(key)
                .error("`dependencies:` lists no packages")
                .help("List the packages to install, one per line: `- python=3.12`."));
        }
        _ => return Err(no_list(reader, node)),
    };
    let mut found = Dependencies {
        reader,
        channels,
        list: DependencyList::default(),
        pip: Vec::new(),
        pip_list: None,
        dropped: 0,
        warnings: Vec::new(),
    };
    check_each(items, |item| found.item(item))?;
    found.finish(key)
}

fn no_list(reader: &Reader<'_>, node: &Node) -> Diagnostic {
    let text = node.text().unwrap_or_default().trim();
    let dash = look_alike::find(text.get(..3).unwrap_or_default());
    let help = if let Some(found) = dash {
        format!("The list has {}. {}", found.name(), found.help())
    } else if text.starts_with('-') {
        "Write a space after each dash: `- numpy`.".to_owned()
    } else if let Some([(key, value), ..]) = node.mapping() {
        format!(
            "Write a list: `- {}`.",
            joined(&key.name, value.text().unwrap_or_default())
        )
    } else {
        "Write one package per line, each after a dash: `- numpy`.".to_owned()
    };
    reader
        .at(node)
        .error(format!(
            "`dependencies:` must be a list, not {}",
            node.what()
        ))
        .help(help)
}

/// `name` and what follows its colon, as a dependency.
fn joined(name: &str, value: &str) -> String {
    // YAML also reads `channel:: name` as a key, with one of the colons in it.
    let name = redact::quoted(name.trim().trim_end_matches(':'));
    let value = redact::quoted(value.trim());
    match value.chars().next() {
        None | Some('*') => name,
        Some('^') => match version_range::meant(&value).as_deref() {
            None | Some("*") => name,
            Some(range) => format!("{name}{range}"),
        },
        Some('=' | '<' | '>' | '!' | '~') => format!("{name}{value}"),
        Some(c) if c.is_ascii_digit() => format!("{name}={value}"),
        Some(_) => format!("{name}::{value}"),
    }
}

impl Dependencies<'_> {
    /// Whether an entry applies to the platform; a comment on its line may say otherwise.
    fn is_for_platform(&mut self, item: &Node) -> bool {
        let place = self.reader.at(item);
        let (lines, platform) = (&self.reader.lines, self.channels.platform());
        selector::is_for_platform(place, lines, platform, &mut self.warnings)
    }

    fn item(&mut self, item: &Node) -> Result<(), Diagnostic> {
        let place = self.reader.at(item);
        if !self.is_for_platform(item) {
            self.dropped += 1;
            return Ok(());
        }
        match &item.value {
            Value::Scalar {
                text,
                kind: ScalarKind::String,
            } => {
                let dependency = match_spec::read_as_conda(text, self.channels, place)?;
                self.warnings.extend(self.list.push(dependency, place));
                Ok(())
            }
            Value::Mapping(entries) if !entries.is_empty() => entries
                .iter()
                .try_for_each(|(key, value)| self.entry(key, value, item)),
            Value::Null if self.is_bare_dash(item) => {
                self.empty(item);
                Ok(())
            }
            Value::Null | Value::Mapping(_) => Err(place
                .error("a dependency is empty")
                .help("Name a package after the dash, or remove the line.")),
            Value::List(_) => Err(place
                .error("a dependency must be a string, not a list")
                .help("Write one package per line, all with the same indentation.")),
            Value::Scalar { text, .. } => Err(place
                .error(format!(
                    "`{}` is {}, not a package name",
                    redact::quoted(text),
                    item.what()
                ))
                .help("Write the name first, as in `- python=3.12`. If it is a package name, put it in quotes.")),
        }
    }

    /// Whether an entry is a dash and nothing else, which micromamba passes over.
    fn is_bare_dash(&self, item: &Node) -> bool {
        let line = self.reader.lines.get(item.lines.first as usize - 1);
        let line = line.map(|line| line.split('#').next().unwrap_or_default());
        line.is_some_and(|line| line.trim() == "-")
    }

    /// Warns about an entry that asks for nothing.
    fn empty(&mut self, item: &Node) {
        self.warnings.push(Warning {
            rule: Rule::Ignored,
            diagnostic: self
                .reader
                .at(item)
                .error("an entry of the list is empty")
                .help("Name a package after the dash, or remove the line."),
        });
    }

    /// An entry that is a mapping: `key`, whose `value` it is, is one of the keys of `item`.
    fn entry(&mut self, key: &Key, value: &Node, item: &Node) -> Result<(), Diagnostic> {
        if key.name == "pip" {
            return self.pip_list(key, value);
        }
        if let Some(selector) = key
            .name
            .strip_prefix("sel(")
            .and_then(|rest| rest.strip_suffix(')'))
        {
            return self.selected(selector, key, value);
        }
        let name = redact::quoted(&key.name);
        let error = self
            .reader
            .at_key(key)
            .error(format!("`{name}:` is a key, not a dependency"));
        let of_pip = key.name.strip_prefix(|c: char| ['p', 'P'].contains(&c));
        let of_pip = of_pip.and_then(|rest| rest.strip_prefix("ip"));
        let is_pips = of_pip.is_some_and(|rest| !rest.starts_with(char::is_alphanumeric));
        Err(match value.text() {
            _ if ["if", "then", "else"].contains(&key.name.as_str()) => error.help(
                "For a platform, write a comment after the dependency: `- numpy  # [linux64]`.",
            ),
            _ if OF_THE_FILE.contains(&key.name.as_str()) => error.help(
                "It is a key of the file: start it in the column of `dependencies:`, without a dash.",
            ),
            Some(package) if ["name", "package", "conda"].contains(&key.name.as_str()) => {
                let version = item.get("version").and_then(Node::text).unwrap_or_default();
                error.help(format!("Write `- {}`.", joined(package, version)))
            }
            None if is_pips && value.list().is_some() => error.help(match of_pip {
                None | Some("") => "Write `pip:`, in lower case.".to_owned(),
                Some(version) => format!(
                    "Write two entries: `- pip{}`, and `- pip:` with the list.",
                    redact::quoted(version.trim_end())
                ),
            }),
            Some(text) => error.help(format!("Write `- {}`.", joined(&key.name, text))),
            None if value.is_null() => error.help(format!("Write `- {name}`, without the colon.")),
            None => error.help("Write one package per line: only `pip:` has its own list."),
        })
    }

    /// `sel(linux): numpy`, micromamba's syntax for lines that apply to some platforms only
    /// (`libmamba/src/api/install.cpp`, `eval_selector`).
    fn selected(&mut self, selector: &str, key: &Key, value: &Node) -> Result<(), Diagnostic> {
        match selector::judge(selector.trim(), self.channels.platform()) {
            Some(Verdict::Drop) => {
                self.dropped += 1;
                Ok(())
            }
            Some(Verdict::Keep) => match &value.value {
                Value::List(items) => check_each(items, |item| self.item(item)),
                _ => self.item(value),
            },
            Some(Verdict::Unknown) | None => Err(self
                .reader
                .at_key(key)
                .error(format!("`sel({})` does not name a platform", redact::quoted(selector)))
                .help("Write sel(linux), sel(unix), sel(osx), sel(win) or a conda platform such as sel(linux-64).")),
        }
    }

    fn pip_list(&mut self, key: &Key, value: &Node) -> Result<(), Diagnostic> {
        let Some(items) = value.list() else {
            if value.is_null() {
                self.warnings.push(Warning {
                    rule: Rule::Ignored,
                    diagnostic: self
                        .reader
                        .at_key(key)
                        .error("`pip:` lists no packages")
                        .help("Indent pip packages deeper than `- pip:`, or write `- pip` for pip alone."),
                });
                return Ok(());
            }
            let text = value.text().unwrap_or("requests");
            return Err(self
                .reader
                .at(value)
                .error(format!("`pip:` must be a list, not {}", value.what()))
                .help(format!(
                    "Write each requirement on its own line below it: `- {}`.",
                    redact::quoted(text)
                )));
        };
        check_each(items, |item| {
            if !self.is_for_platform(item) {
                return Ok(());
            }
            let is_blank = item.text().is_some_and(|text| text.trim().is_empty());
            if is_blank || item.is_null() && self.is_bare_dash(item) {
                self.empty(item);
                return Ok(());
            }
            let lines = self.requirements(item)?;
            self.pip.extend(lines);
            self.pip_list.get_or_insert(key.lines);
            Ok(())
        })
    }

    /// The lines of an entry of a list for pip.
    fn requirements(
        &self,
        item: &Node,
    ) -> Result<impl Iterator<Item = PipRequirement> + use<>, Diagnostic> {
        let place = self.reader.at(item);
        let text = match &item.value {
            Value::Scalar {
                text,
                kind: ScalarKind::String,
            } => text,
            Value::Mapping(entries) => {
                let (name, version) = entries
                    .first()
                    .map_or(("", None), |(key, value)| (key.name.as_str(), value.text()));
                let is_list = version.is_none() && name == "pip";
                let version = version.unwrap_or_default();
                let (name, version) = (redact::quoted(name), redact::quoted(version));
                let is_line = name.starts_with('-') || name.contains([' ', '@', '/']);
                let help = if is_list {
                    "Write its entries in this list, with the same indentation.".to_owned()
                } else if version.is_empty() && !is_line {
                    format!("Write `- {name}`, without the colon.")
                } else if is_line {
                    let rest = if version.is_empty() { "" } else { " " };
                    format!(
                        "YAML reads what comes before a colon as a key. Put the line in quotes: `- \"{name}:{rest}{version}\"`"
                    )
                } else {
                    match with_version(&name, &version) {
                        Some(meant) => format!("Write `- {meant}`, as in a requirements file."),
                        None => format!(
                            "YAML reads what comes before a colon as a key. Write `- {name}`, without the colon and what follows it."
                        ),
                    }
                };
                return Err(place
                    .error(format!("`{name}:` is a key, not a requirement"))
                    .help(help));
            }
            Value::Null => {
                return Err(place
                    .error("a pip requirement is empty")
                    .help("Name a package after the dash, or remove the line."));
            }
            _ => {
                return Err(place
                    .error(format!(
                        "a pip requirement must be a string, not {}",
                        item.what()
                    ))
                    .help("Write it as in a requirements file: `- requests>=2`."));
            }
        };
        let file = Arc::clone(self.reader.file);
        let found = lines_of_entry(text, item.lines).into_iter();
        Ok(found.map(move |(text, lines)| PipRequirement {
            text,
            file: Arc::clone(&file),
            lines,
        }))
    }

    fn finish(mut self, key: &Key) -> Result<Found, Diagnostic> {
        if self.list.is_empty() && self.pip.is_empty() {
            let platform = self.channels.platform();
            let error = self.reader.at_key(key);
            return Err(if self.dropped > 0 {
                error
                    .error(format!("none of the dependencies is for {}", platform.subdir()))
                    .help(format!(
                        "Check the selectors in the comments, and list what to install for {platform}."
                    ))
            } else {
                error
                    .error("`dependencies:` lists no packages")
                    .help("List the packages to install, one per line: `- python=3.12`.")
            });
        }
        if let Some(lines) = self.pip_list
            && !self.list.has("pip")
        {
            self.list.add("pip", lines);
            self.warnings.push(Warning {
                rule: Rule::MissingPip,
                diagnostic: Diagnostic::new(
                    "the environment has pip packages, but pip is not among its dependencies: it is added",
                )
                .at(self.reader.file, lines)
                .help("Add `- pip` to the dependencies, with a version if you need a certain one."),
            });
        }
        Ok(Found {
            specs: self.list.finish(),
            pip: self.pip,
            warnings: self.warnings,
        })
    }
}

/// The requirement that `name: version` means, in the notation of other tools.
fn with_version(name: &str, version: &str) -> Option<String> {
    let is_number = version.starts_with(|c: char| c.is_ascii_digit());
    let range = match version_range::meant(version) {
        Some(range) if range == "*" => String::new(),
        Some(range) => range,
        None if is_number => format!("=={version}"),
        None => version.to_owned(),
    };
    let meant = format!("{name}{range}");
    // A name with a version has it already.
    let is_name = is_valid(&format!("{name}==1"));
    (is_name && (range.is_empty() || !range.starts_with(char::is_alphanumeric)) && is_valid(&meant))
        .then_some(meant)
}
