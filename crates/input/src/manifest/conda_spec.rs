//! What an entry of a table of dependencies asks for: a MatchSpec, or a package that has to be built.

use super::contradictions::Table;
use super::workspace::Workspace;
use crate::place::Place;
use crate::toml_words::bare;
use crate::version_range;
use crate::yaml::{Key, Node};
use condafront_model::nearest::did_you_mean;
use condafront_model::redact::quoted;
use condafront_model::source::Diagnostic;

/// The keys of a dependency, each with its name in a MatchSpec.
const FIELDS: &[(&str, &str)] = &[
    ("version", "version"),
    ("build", "build"),
    ("build-number", "build_number"),
    ("file-name", "fn"),
    ("subdir", "subdir"),
    ("md5", "md5"),
    ("sha256", "sha256"),
    ("license", "license"),
    ("license-family", "license_family"),
];

/// The keys of a dependency that is somewhere else, or that have a form of their own.
const OTHER_FIELDS: &[&str] = &[
    "channel",
    "extras",
    "flags",
    "track-features",
    "when",
    "url",
    "path",
    "git",
    "branch",
    "tag",
    "rev",
    "lfs",
    "subdirectory",
    "workspace",
];

/// What a dependency asks for.
pub(super) enum Wanted {
    /// A package of a channel.
    Spec(String),
    /// One that has to be built.
    Source,
    /// A built package that is not in a channel.
    File,
}

impl Wanted {
    /// What the entry `name` asks for.
    ///
    /// # Errors
    /// A diagnostic at what is invalid in it.
    pub(super) fn of(
        workspace: &Workspace<'_>,
        name: &str,
        node: &Node,
        place: Place<'_>,
    ) -> Result<Self, Diagnostic> {
        Reader { workspace }.wanted(name, node, place)
    }
}

struct Reader<'w, 'a> {
    workspace: &'w Workspace<'a>,
}

impl Reader<'_, '_> {
    fn wanted(&self, name: &str, node: &Node, place: Place<'_>) -> Result<Wanted, Diagnostic> {
        if let Some(version) = self.workspace.version(name, node)? {
            check_notation(name, version, place)?;
            return Ok(Wanted::Spec(match version.trim() {
                "" | "*" => name.to_owned(),
                version => format!("{name} {version}"),
            }));
        }
        let Some(fields) = node.mapping() else {
            return Err(place
                .error(format!(
                    "`{}` must be a version or a table, not {}",
                    quoted(name),
                    node.what()
                ))
                .help("For example: python = \"3.13.*\""));
        };
        self.check_fields(fields)?;
        if node.get("workspace").is_some() {
            return self.inherited(name, fields, place);
        }
        self.of_fields(name, &fields.iter().collect::<Vec<_>>(), place)
    }

    fn check_fields(&self, fields: &[(Key, Node)]) -> Result<(), Diagnostic> {
        let known = || {
            let own = FIELDS.iter().map(|(key, _)| *key);
            own.chain(OTHER_FIELDS.iter().copied())
        };
        let unknown = fields
            .iter()
            .find(|(key, _)| !known().any(|name| name == key.name));
        let Some((key, _)) = unknown else {
            return Ok(());
        };
        let mut error = self
            .workspace
            .at(key.lines)
            .error(format!("a dependency has no key `{}`", quoted(&key.name)));
        error.help = did_you_mean(&key.name, known());
        Err(error)
    }

    /// `{ workspace = true }`: what `[workspace.dependencies]` says of the package, and the other keys of the entry.
    fn inherited(
        &self,
        name: &str,
        own: &[(Key, Node)],
        place: Place<'_>,
    ) -> Result<Wanted, Diagnostic> {
        let pool = self.workspace.value("dependencies");
        let table = Table {
            name,
            place,
            fields: &own.iter().collect::<Vec<_>>(),
        };
        table.check_inherited()?;
        let Some(base) = pool.and_then(|pool| pool.get(name)) else {
            return Err(place
                .error(format!(
                    "`[workspace.dependencies]` has no `{}`",
                    quoted(name)
                ))
                .help("Add it there, or write the version here."));
        };
        self.check_fields(base.mapping().unwrap_or_default())?;
        let own = own.iter().filter(|(key, _)| key.name != "workspace");
        let own: Vec<&(Key, Node)> = own.collect();
        if base.text().is_some() && own.is_empty() {
            return self.wanted(name, base, place);
        }
        let version = base.text().map(|_| {
            let key = Key {
                name: "version".to_owned(),
                lines: base.lines,
            };
            (key, base.clone())
        });
        let inherited = base.mapping().unwrap_or_default().iter().chain(&version);
        let is_own = |key: &Key| own.iter().any(|(known, _)| known.name == key.name);
        let mut fields: Vec<&(Key, Node)> = inherited.filter(|(key, _)| !is_own(key)).collect();
        fields.extend(&own);
        self.of_fields(name, &fields, place)
    }

    fn of_fields(
        &self,
        name: &str,
        fields: &[&(Key, Node)],
        place: Place<'_>,
    ) -> Result<Wanted, Diagnostic> {
        Table {
            name,
            place,
            fields,
        }
        .check_conda()?;
        let field = |name: &str| fields.iter().find(|(key, _)| key.name == name);
        let text = |name: &str| match field(name) {
            None => Ok(None),
            Some((key, node)) => node.text().map(Some).ok_or_else(|| {
                let error = format!("`{}` must be a string, not {}", key.name, node.what());
                self.workspace.at(key.lines).error(error)
            }),
        };
        if let Some((key, node)) = field("version")
            && let Some(version) = self.workspace.version(&key.name, node)?
        {
            check_notation(&key.name, version, self.workspace.at(key.lines))?;
        }
        let is_package = |text: &str| [".conda", ".tar.bz2"].iter().any(|end| text.ends_with(end));
        if field("path").is_some() || field("git").is_some() {
            return Ok(match text("path")? {
                Some(path) if is_package(path) => Wanted::File,
                _ => Wanted::Source,
            });
        }
        if let Some(url) = text("url")? {
            let hash = match (text("sha256")?, text("md5")?) {
                (Some(sha256), _) => format!("#sha256:{sha256}"),
                (None, Some(md5)) => format!("#{md5}"),
                (None, None) => String::new(),
            };
            return Ok(if is_package(url) {
                Wanted::Spec(format!("{url}{hash}"))
            } else {
                Wanted::Source
            });
        }
        let mut parts = Vec::new();
        for (key, part) in FIELDS {
            let Some(value) = text(key)? else {
                continue;
            };
            if *key != "version" || value.trim() != "*" {
                parts.push(format!("{part}={}", in_quotes(value, place)?));
            }
        }
        for (key, part) in [
            ("extras", "extras"),
            ("flags", "flags"),
            ("track-features", "track_features"),
        ] {
            if let Some((_, node)) = field(key) {
                parts.push(format!("{part}={}", self.list(key, node)?));
            }
        }
        if let Some((_, node)) = field("when") {
            let condition = self.condition(node)?;
            parts.push(format!("when={}", in_quotes(&condition, place)?));
        }
        let named = match text("channel")? {
            Some(channel) => format!("{channel}::{name}"),
            None => name.to_owned(),
        };
        Ok(Wanted::Spec(if parts.is_empty() {
            named
        } else {
            format!("{named}[{}]", parts.join(", "))
        }))
    }

    /// A list of strings, as in a MatchSpec.
    fn list(&self, key: &str, node: &Node) -> Result<String, Diagnostic> {
        let place = self.workspace.at(node.lines);
        let items = node.list().and_then(|items| {
            let texts = items.iter().map(Node::text);
            texts.collect::<Option<Vec<_>>>()
        });
        let Some(items) = items else {
            let error = format!("`{key}` must be a list of strings");
            return Err(place
                .error(error)
                .help(format!("For example: {key} = [\"a\", \"b\"]")));
        };
        let items = items.into_iter().map(|item| match key {
            // Names, which a MatchSpec has without quotation marks.
            "extras" => Ok(item.to_owned()),
            _ => in_quotes(item, place),
        });
        Ok(format!(
            "[{}]",
            items.collect::<Result<Vec<_>, _>>()?.join(", ")
        ))
    }

    /// A condition: a MatchSpec, or a table with `all`, `any` or `package`.
    fn condition(&self, node: &Node) -> Result<String, Diagnostic> {
        if let Some(text) = node.text() {
            return Ok(text.to_owned());
        }
        for (key, word) in [("all", " and "), ("any", " or ")] {
            if let Some(items) = node.get(key).and_then(Node::list) {
                let parts = items.iter().map(|item| self.condition(item));
                let parts = parts.collect::<Result<Vec<_>, _>>()?;
                return Ok(format!("({})", parts.join(word)));
            }
        }
        let package = node.get("package").and_then(Node::text);
        let fields = node.mapping().unwrap_or_default();
        let is_simple = fields
            .iter()
            .all(|(key, _)| ["package", "version"].contains(&key.name.as_str()));
        match package.filter(|_| is_simple) {
            Some(package) => Ok(match node.get("version").and_then(Node::text) {
                Some(version) => format!("{package} {version}"),
                None => package.to_owned(),
            }),
            None => Err(self
                .workspace
                .at(node.lines)
                .error("`when` must be a string, or a table with `all`, `any`, or `package` and `version`")
                .help("For example: when = \"python <3.11\"")),
        }
    }
}

/// Refuses the version of `key` if it is in the notation of another tool.
fn check_notation(key: &str, version: &str, place: Place<'_>) -> Result<(), Diagnostic> {
    match version_range::meant(version) {
        None => Ok(()),
        Some(range) => Err(place
            .error(format!(
                "`{}` {}",
                quoted(version),
                version_range::fault(version, "conda")
            ))
            .help(format!("Write {} = \"{range}\".", bare(key)))),
    }
}

fn in_quotes(value: &str, place: Place<'_>) -> Result<String, Diagnostic> {
    let mark = ['\'', '"'].into_iter().find(|mark| !value.contains(*mark));
    match mark {
        Some(mark) => Ok(format!("{mark}{value}{mark}")),
        None => Err(place
            .error(format!(
                "`{}` has quotation marks of both kinds",
                quoted(value)
            ))
            .help("Use one kind.")),
    }
}
