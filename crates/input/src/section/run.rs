//! `run`: commands of the build, with caches and secrets. Variables in a command belong to the shell; the build-args that
//! it mentions are set as environment variables for it.

use std::collections::BTreeSet;

use super::copy::bits;
use super::reader::{Fields, Name, Reader};
use super::{command, env, user};
use crate::section::image_section::{
    Command, Located, Mount, MountKind, Network, RunCommand, Sharing,
};
use crate::yaml::{Key, Node, ScalarKind, Value};
use condafront_model::image_path::absolute;
use condafront_model::redact::quoted;
use condafront_model::source::{Diagnostic, Lines};

const FIELDS: &[&str] = &["run", "mounts", "network", "user"];
const CACHE: &[&str] = &[
    "type", "target", "id", "sharing", "readonly", "mode", "uid", "gid",
];
const SECRET: &[&str] = &[
    "type", "id", "target", "env", "required", "mode", "uid", "gid",
];
const MOUNT: &str = "the `mounts` of `run`";
const MOUNT_FORM: &str = "For example: mounts: [{type: cache, target: /root/.cache}, {type: secret, id: token, env: TOKEN}]";

/// Other names for a mount's keys in Dockerfiles.
pub(super) const MOUNT_ALIASES: &[(&str, &str)] = &[
    ("dst", "target"),
    ("destination", "target"),
    ("ro", "readonly"),
];

/// Reads `run`.
pub(super) fn read(reader: &Reader<'_>, node: &Node) -> Result<Vec<RunCommand>, Diagnostic> {
    let name = Name::from("run");
    match &node.value {
        Value::List(items) => items.iter().map(|item| entry(reader, item)).collect(),
        Value::Scalar { .. } | Value::Mapping(_) => Ok(vec![entry(reader, node)?]),
        Value::Null => Err(reader.wrong_kind(name, node, "a command or a list of commands")),
    }
}

fn entry(reader: &Reader<'_>, node: &Node) -> Result<RunCommand, Diagnostic> {
    let name = Name::from("run").entry();
    if node.mapping().is_none() {
        let command = command::read_something(reader, name, node)?;
        return Ok(finished(reader, command.value, node.lines));
    }
    let fields = reader.fields(name, node, FIELDS)?;
    let Some(command) = fields.read("run", "run", |name, node| {
        command::read_something(reader, name, node)
    })?
    else {
        let error = reader.error(fields.lines, "an entry in `run` has no command");
        return Err(error.help("For example: run: [{run: make, network: none}]"));
    };
    let mut run = finished(reader, command.value, fields.lines);
    let mounts = fields.read("mounts", "run", |name, node| {
        let items = reader.list(name, node)?;
        items.iter().map(|item| mount(reader, item)).collect()
    })?;
    run.mounts = mounts.unwrap_or_default();
    const NETWORKS: &[(&str, Network)] = &[
        ("default", Network::Default),
        ("none", Network::None),
        ("host", Network::Host),
    ];
    let network = fields.read("network", "run", |name, node| {
        reader.one_of(name, node, NETWORKS)
    })?;
    run.network = network.map(|found| found.value).unwrap_or_default();
    run.user = fields.read("user", "run", |name, node| user::owner(reader, name, node))?;
    Ok(run)
}

fn finished(reader: &Reader<'_>, command: Command, lines: Lines) -> RunCommand {
    let args = match &command {
        Command::Shell(text) => reader.args.mentioned(text),
        Command::Exec(words) => words
            .iter()
            .flat_map(|word| reader.args.mentioned(word))
            .collect(),
    };
    RunCommand {
        command,
        mounts: Vec::new(),
        network: Network::default(),
        user: None,
        args,
        lines,
    }
}

/// A mapping, or a string as in a Dockerfile's `RUN --mount=`.
fn mount(reader: &Reader<'_>, node: &Node) -> Result<Mount, Diagnostic> {
    if node.mapping().is_some() {
        return typed_mount(reader, node);
    }
    if node.text().is_none() {
        let message = format!("an entry in {MOUNT} must be a mapping, not {}", node.what());
        return Err(reader.error(node.lines, message).help(MOUNT_FORM));
    }
    let text = reader.raw("mounts".into(), node)?;
    let mut entries: Vec<(Key, Node)> = Vec::new();
    let mut names = BTreeSet::new();
    for part in text.value.split(',') {
        // A key alone is a flag.
        let (name, value) = part.split_once('=').unwrap_or((part, "true"));
        let key = Key {
            name: name.trim().to_owned(),
            lines: node.lines,
        };
        if !names.insert(key.name.clone()) {
            let message = format!("`{}` appears twice", quoted(&key.name));
            return Err(reader.error(node.lines, message));
        }
        let value = Node {
            value: Value::Scalar {
                text: value.to_owned(),
                kind: ScalarKind::String,
            },
            lines: node.lines,
        };
        entries.push((key, value));
    }
    let mapping = Node {
        value: Value::Mapping(entries),
        lines: node.lines,
    };
    typed_mount(reader, &mapping)
}

fn typed_mount(reader: &Reader<'_>, node: &Node) -> Result<Mount, Diagnostic> {
    #[derive(Clone, Copy)]
    enum Kind {
        Cache,
        Secret,
    }
    const KINDS: &[(&str, Kind)] = &[("cache", Kind::Cache), ("secret", Kind::Secret)];
    let node = &with_own_names(node);
    let Some(kind) = node.get("type") else {
        let error = reader.error(node.lines, format!("an entry in {MOUNT} needs a `type`"));
        return Err(error.help(MOUNT_FORM));
    };
    match reader
        .one_of(Name::from("type").of("mounts"), kind, KINDS)?
        .value
    {
        Kind::Cache => cache(reader, &reader.fields("cache".into(), node, CACHE)?),
        Kind::Secret => secret(reader, &reader.fields("secret".into(), node, SECRET)?),
    }
}

fn with_own_names(node: &Node) -> Node {
    let mut node = node.clone();
    if let Value::Mapping(entries) = &mut node.value {
        for (key, _) in entries {
            if let Some((_, own)) = MOUNT_ALIASES.iter().find(|(other, _)| *other == key.name) {
                key.name = (*own).to_owned();
            }
        }
    }
    node
}

fn cache(reader: &Reader<'_>, fields: &Fields<'_>) -> Result<Mount, Diagnostic> {
    const SHARINGS: &[(&str, Sharing)] = &[
        ("shared", Sharing::Shared),
        ("private", Sharing::Private),
        ("locked", Sharing::Locked),
    ];
    let Some(target) = word(reader, fields, "target")? else {
        let error = reader.error(fields.lines, "a cache needs a `target`");
        return Err(error.help("Set it to the directory where the command finds the cache."));
    };
    let sharing = fields.read("sharing", "mounts", |name, node| {
        reader.one_of(name, node, SHARINGS)
    })?;
    let readonly = fields.read("readonly", "mounts", |name, node| reader.flag(name, node))?;
    let kind = MountKind::Cache {
        // As in a Dockerfile.
        id: word(reader, fields, "id")?.unwrap_or_else(|| target.clone()),
        target,
        sharing: sharing.map(|found| found.value).unwrap_or_default(),
        readonly: readonly.unwrap_or(false),
    };
    finished_mount(reader, fields, kind)
}

fn secret(reader: &Reader<'_>, fields: &Fields<'_>) -> Result<Mount, Diagnostic> {
    let target = word(reader, fields, "target")?;
    let id = match (word(reader, fields, "id")?, &target) {
        (Some(id), _) => id,
        // As in a Dockerfile.
        (None, Some(target)) => {
            let name = target.rsplit('/').next().unwrap_or_default();
            name.to_owned()
        }
        (None, None) => String::new(),
    };
    if id.is_empty() {
        let error = reader.error(fields.lines, "a secret needs an `id`");
        return Err(error.help("Use the id in docker build --secret id=…"));
    }
    let env = fields.read("env", "mounts", |name, node| {
        let found = reader.word(name, node)?;
        env::checked_name(reader, &found.value, found.lines)?;
        Ok(found.value)
    })?;
    let required = fields.read("required", "mounts", |name, node| reader.flag(name, node))?;
    let kind = MountKind::Secret {
        id,
        target,
        env,
        required: required.unwrap_or(false),
    };
    finished_mount(reader, fields, kind)
}

fn word(
    reader: &Reader<'_>,
    fields: &Fields<'_>,
    name: &'static str,
) -> Result<Option<String>, Diagnostic> {
    let found = fields.read(name, "mounts", |name, node| reader.word(name, node))?;
    Ok(found.map(|found| found.value))
}

/// The error that `target`, the target of a mount, is the root of the image. It has no place yet.
pub fn mounted_at_root(target: &str) -> Diagnostic {
    let target = quoted(target);
    Diagnostic::new(format!(
        "nothing can be mounted at `{target}`, the root of the image"
    ))
    .help("Set `target` to a folder or file below it.")
}

fn finished_mount(
    reader: &Reader<'_>,
    fields: &Fields<'_>,
    kind: MountKind,
) -> Result<Mount, Diagnostic> {
    let id = |name: Name<'_>, node: &Node| {
        let found: Located<String> = reader.word(name, node)?;
        user::owner_id(reader, name, &found)
    };
    let mode = fields.read("mode", "mounts", |name, node| {
        let found = reader.word(name, node)?;
        bits(&found.value).ok_or_else(|| {
            let message = format!("{name} cannot be `{}`", quoted(&found.value));
            let error = reader.error(found.lines, message);
            error.help("Write it in octal: 0400")
        })
    })?;
    let target = match &kind {
        MountKind::Cache { target, .. } => Some(target),
        MountKind::Secret { target, .. } => target.as_ref(),
    };
    // Where a relative one is depends on the base.
    if let Some(target) =
        target.filter(|target| target.starts_with('/') && absolute("", target) == "/")
    {
        return Err(mounted_at_root(target).at(reader.file, fields.lines));
    }
    Ok(Mount {
        kind,
        mode,
        uid: fields.read("uid", "mounts", id)?,
        gid: fields.read("gid", "mounts", id)?,
        lines: fields.lines,
    })
}
