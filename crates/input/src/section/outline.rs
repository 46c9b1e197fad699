//! What a file asks of the command line: build-args and secrets.
//!
//! This only looks at the text, so that it works before anything has a value.

use std::sync::Arc;

use super::args::BuildArgs;
use super::expand::{Need, Template};
use super::file::is_image_file;
use super::platform_needs::BINDER_ARGS;
use super::reader::truth;
use super::run::MOUNT_ALIASES;
use crate::address_variables::{login_names, variables};
use crate::explicit_lock::is_explicit;
use crate::toml;
use crate::yaml::{self, Node, Value};
use condafront_model::source::SourceFile;
use condafront_step_spec::pip_variables::variables as pip_variables;

/// What the image section, or an image file, asks of the command line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outline {
    /// The build-args, in the order in which the file mentions them, each once.
    pub args: Vec<Argument>,
    /// The secrets of commands, each once.
    pub secrets: Vec<Secret>,
}

/// A build-arg of the file's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Argument {
    /// Its name.
    pub name: String,
    /// Whether the build fails without it.
    pub required: bool,
    /// What the file says about it: the message of `${NAME:?message}`.
    pub message: Option<String>,
    /// The value that the file has for it: `8888` of `${NAME:-8888}`.
    pub default: Option<String>,
}

/// A secret of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secret {
    /// Its id: `docker build --secret id=…`.
    pub id: String,
    /// Whether the build fails without it.
    pub required: bool,
}

/// Names that always have a value, as in Dockerfiles, or belong to the image.
const NOT_OWN: [&str; 6] = [
    "TARGETPLATFORM",
    "TARGETOS",
    "TARGETARCH",
    "TARGETVARIANT",
    "PATH",
    "HOME",
];

/// Keys whose variables belong to a shell or to the program that is run.
const COMMANDS: [&str; 5] = ["run", "cmd", "entrypoint", "shell", "healthcheck"];

/// The outline of a build file; empty if it asks for nothing, or cannot be read.
pub fn outline(file: &Arc<SourceFile>) -> Outline {
    let mut found = Outline::default();
    let Ok(text) = file.text() else {
        return found;
    };
    if is_explicit(text) {
        for line in text
            .lines()
            .filter(|line| !line.trim_start().starts_with('#'))
        {
            found.address(line.trim());
        }
        return found;
    }
    let is_toml = toml::is_likely(text);
    let tree = if is_toml {
        toml::read(file, text)
    } else {
        yaml::read(file, text)
    };
    let Ok(tree) = tree else {
        return found;
    };
    let section = if is_toml {
        tree.get("tool").and_then(|tool| tool.get("condafront"))
    } else if is_image_file(&tree) {
        Some(&tree)
    } else {
        found.environment(&tree);
        tree.get("condafront")
    };
    for (key, node) in section.and_then(Node::mapping).unwrap_or_default() {
        match key.name.as_str() {
            "environments" => found.environments(node),
            "run" => found.secrets_of(node),
            "env" => found.variables(node),
            "pip" => found.pip(node),
            "for" => found.platforms(node),
            name if COMMANDS.contains(&name) => {}
            _ => found.text_of(node, true),
        }
    }
    found
}

impl Outline {
    /// The channels of an environment file, and its list for pip.
    fn environment(&mut self, tree: &Node) {
        for channel in tree
            .get("channels")
            .and_then(Node::list)
            .unwrap_or_default()
        {
            if let Some(address) = channel.text() {
                self.address(address);
            }
        }
        let dependencies = tree.get("dependencies").and_then(Node::list);
        for entry in dependencies.unwrap_or_default() {
            if let Some(list) = entry.get("pip") {
                self.pip(list);
            }
        }
    }

    /// An address: its variables are build-args, and the login for its host is a secret.
    fn address(&mut self, address: &str) {
        for name in variables(address) {
            self.add(&name, Need::Value);
        }
        for id in login_names(address, &BuildArgs::default()) {
            self.secret(&id, false);
        }
    }

    /// A list for pip.
    fn pip(&mut self, list: &Node) {
        for entry in list.list().unwrap_or_default() {
            for name in entry.text().into_iter().flat_map(pip_variables) {
                self.merge(Argument {
                    name: name.to_owned(),
                    required: true,
                    message: Some("or give a secret of this name".to_owned()),
                    default: None,
                });
            }
        }
    }

    /// The build-args that platforms of `for` set.
    fn platforms(&mut self, node: &Node) {
        let word = node.text().into_iter();
        let words = node
            .list()
            .unwrap_or_default()
            .iter()
            .filter_map(Node::text);
        if word.chain(words).any(|platform| platform == "binder") {
            for name in BINDER_ARGS {
                self.add(name, Need::Nothing);
            }
        }
    }

    fn environments(&mut self, node: &Node) {
        for (_, environment) in node.mapping().unwrap_or_default() {
            let Some(when) = environment.get("when").and_then(Node::text) else {
                self.text_of(environment, true);
                continue;
            };
            if when.contains('$') {
                self.text(when, true);
            } else {
                self.add(when, Need::Nothing);
            }
        }
    }

    /// The values of `env`. Any name may be a variable of the base image; one that is set above is no build-arg.
    fn variables(&mut self, node: &Node) {
        let entries = node.mapping().unwrap_or_default();
        for (number, (_, value)) in entries.iter().enumerate() {
            let mut of_value = Self::default();
            of_value.text_of(value, false);
            for argument in of_value.args {
                let mut above = entries.iter().take(number);
                if !above.any(|(key, _)| key.name == argument.name) {
                    self.merge(argument);
                }
            }
        }
    }

    fn secrets_of<'n>(&mut self, node: &'n Node) {
        for command in node.list().unwrap_or_default() {
            let mounts = command.get("mounts").and_then(Node::list);
            for mount in mounts.unwrap_or_default() {
                let said = |key| property(mount, key);
                if said("type") != Some("secret") {
                    continue;
                }
                let last = |path: &'n str| path.rsplit('/').next();
                let Some(id) = said("id").or_else(|| said("target").and_then(last)) else {
                    continue;
                };
                self.secret(id, said("required").and_then(truth) == Some(true));
            }
        }
    }

    fn secret(&mut self, id: &str, required: bool) {
        match self.secrets.iter_mut().find(|secret| secret.id == id) {
            Some(secret) => secret.required |= required,
            None => self.secrets.push(Secret {
                id: id.to_owned(),
                required,
            }),
        }
    }

    fn text_of(&mut self, node: &Node, required: bool) {
        match &node.value {
            Value::Null => {}
            Value::Scalar { text, .. } => self.text(text, required),
            Value::List(items) => {
                for item in items {
                    self.text_of(item, required);
                }
            }
            Value::Mapping(entries) => {
                for (_, item) in entries {
                    self.text_of(item, required);
                }
            }
        }
    }

    /// The variables of a value; `required` says that a name without a value is an error.
    fn text(&mut self, text: &str, required: bool) {
        let Ok(template) = Template::parse(text) else {
            return;
        };
        template.visit(&mut |name, need| match need {
            Need::Value if !required => self.add(name, Need::Nothing),
            need => self.add(name, need),
        });
    }

    fn add(&mut self, name: &str, need: Need<'_>) {
        let text = |word: &Template| word.text().map(str::to_owned);
        let (required, message, default) = match need {
            Need::Nothing => (false, None, None),
            Need::Value => (true, None, None),
            Need::Default(word) => (false, None, text(word)),
            Need::Required(message) => (true, text(message), None),
        };
        self.merge(Argument {
            name: name.to_owned(),
            required,
            message: message.filter(|message| !message.is_empty()),
            default: default.filter(|default| !default.is_empty()),
        });
    }

    fn merge(&mut self, argument: Argument) {
        if NOT_OWN.contains(&argument.name.as_str()) {
            return;
        }
        let mut known = self.args.iter_mut();
        match known.find(|known| known.name == argument.name) {
            Some(known) => {
                known.required |= argument.required;
                known.message = known.message.take().or(argument.message);
                known.default = known.default.take().or(argument.default);
            }
            None => self.args.push(argument),
        }
    }
}

/// What a mount says about `key`, as a mapping or as in a Dockerfile: `type=secret,id=token,required`.
fn property<'n>(mount: &'n Node, key: &str) -> Option<&'n str> {
    let aliases = MOUNT_ALIASES.iter().filter(|(_, own)| *own == key);
    let mut names = std::iter::once(key).chain(aliases.map(|(other, _)| *other));
    let Some(text) = mount.text() else {
        return names.find_map(|name| mount.get(name)?.text());
    };
    names.find_map(|name| {
        let parts = text.split(',').map(str::trim);
        let mut pairs = parts.map(|part| part.split_once('=').unwrap_or((part, "true")));
        pairs.find(|(own, _)| *own == name).map(|(_, value)| value)
    })
}

#[cfg(test)]
mod tests;
