//! The section as a whole.

use std::sync::Arc;

use super::args::BuildArgs;
use super::keys::{FILE_KEYS, KEYS, OTHER_WORDS, info};
use super::reader::{Name, Reader};
use super::{
    build, command, copy, env, exclude_newer, options, packages, platform_needs, run, runtime, user,
};
use crate::json::SYNTAX_COMMENT;
use crate::section::image_section::{Command, ImageSection, Located, PLATFORM};
use crate::yaml::{self, Key, Node};
use condafront_model::nearest::{nearest, suggestion};
use condafront_model::prose;
use condafront_model::redact::quoted;
use condafront_model::source::{Diagnostic, SourceFile};
use condafront_step_spec::system::Manager;

/// What the keys belong to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Parent {
    /// Under `condafront:` of an env.yml.
    Section,
    /// At the top level of an image file.
    ImageFile,
}

/// Reads the image section, the value of `condafront` in an env.yml.
///
/// # Errors
/// A diagnostic at the first key, in the file's order, that is unknown or has an invalid value; after that, at keys that
/// contradict each other.
pub(crate) fn read(
    file: &Arc<SourceFile>,
    node: &Node,
    args: &BuildArgs,
) -> Result<ImageSection, Diagnostic> {
    let reader = Reader { file, args };
    if node.is_null() {
        return Ok(ImageSection::default());
    }
    let Some(entries) = node.mapping() else {
        let message = format!("`condafront` must be a mapping, not {}", node.what());
        let error = reader.error(node.lines, message);
        return Err(error.help("For example: condafront: {base: ubuntu:24.04, user: ada}"));
    };
    let entries: Vec<&(Key, Node)> = entries.iter().collect();
    read_entries(file, &entries, args, Parent::Section)
}

/// The image section of an env.yml, for tests.
///
/// # Panics
/// Where the file has no valid one.
#[doc(hidden)]
pub fn section_of(file: &Arc<SourceFile>, args: &BuildArgs) -> ImageSection {
    let tree = yaml::read(file, file.text().expect("text")).expect("YAML");
    let node = tree.get("condafront").expect("an image section");
    read(file, node, args).expect("a valid image section")
}

/// Reads keys and values, of either.
pub(super) fn read_entries(
    file: &Arc<SourceFile>,
    entries: &[&(Key, Node)],
    args: &BuildArgs,
    parent: Parent,
) -> Result<ImageSection, Diagnostic> {
    let reader = Reader { file, args };
    let mut section = ImageSection::default();
    // Other values may refer to the account.
    let node_of = |name: &str| {
        let found = entries.iter().find(|(key, _)| key.name == name);
        found.map(|(_, node)| node)
    };
    if let Some(node) = node_of("group_writable") {
        let value = reader.flag("group_writable".into(), node)?;
        section.group_writable = Some(Located {
            value,
            lines: node.lines,
        });
    }
    if let Some(node) = node_of("user") {
        section.user = Some(user::read(&reader, node)?);
    }
    if let Some(node) = node_of("for") {
        section.contracts = platform_needs::read(&reader, node)?;
        platform_needs::complete_account(&reader, &mut section)?;
    }
    let args = user::with_account(args, &section);
    let reader = Reader { file, args: &args };
    for (key, node) in entries {
        read_key(&reader, key, node, parent, &mut section)?;
    }
    check_together(&reader, &section)?;
    platform_needs::complete(&reader, &mut section)?;
    Ok(section)
}

/// Finds keys that contradict each other.
fn check_together(reader: &Reader<'_>, section: &ImageSection) -> Result<(), Diagnostic> {
    let file = reader.file;
    let lang = section.env.iter().find(|variable| variable.name == "LANG");
    if let (Some(locale), Some(lang)) = (&section.locale, lang) {
        let error = reader.error(lang.lines, "both `locale` and `env` set LANG");
        return Err(error.at(file, locale.lines).help("Keep one of the two."));
    }
    if let (Some(entrypoint), Some(cmd)) = (&section.entrypoint, &section.cmd)
        && let Command::Shell(text) = &entrypoint.value
        && !uses_arguments(text)
        && cmd.value != Command::Exec(Vec::new())
    {
        let error = reader.error(
            cmd.lines,
            "`cmd` has no effect with an `entrypoint` in shell form",
        );
        return Err(error.at(file, entrypoint.lines).help(
            "Write the entrypoint as a list, or end it with \"$0\" \"$@\", which is where the shell puts the command.",
        ));
    }
    Ok(())
}

/// Whether a shell command uses its arguments, `"$@"` or `${1}`.
fn uses_arguments(text: &str) -> bool {
    text.split('$').skip(1).any(|rest| {
        let rest = rest.strip_prefix('{').unwrap_or(rest);
        rest.starts_with(|c: char| c.is_ascii_digit() || "@*#".contains(c))
    })
}

fn read_key(
    reader: &Reader<'_>,
    key: &Key,
    node: &Node,
    parent: Parent,
    section: &mut ImageSection,
) -> Result<(), Diagnostic> {
    let name = Name::from(key.name.as_str());
    match key.name.as_str() {
        "base" => {
            let found = reader.word(name, node)?;
            if found.value.contains(char::is_whitespace) {
                let message = format!("`{}` is not a valid image name", quoted(&found.value));
                return Err(reader.error(found.lines, message));
            }
            section.base = Some(found);
        }
        // Read before all others.
        "user" | "group_writable" | "for" => {}
        "apt" => system_packages(reader, Manager::Apt, key, node, section)?,
        "apk" => system_packages(reader, Manager::Apk, key, node, section)?,
        "dnf" => system_packages(reader, Manager::Dnf, key, node, section)?,
        "pip" => section.pip = packages::pip(reader, node)?,
        "build" => section.build = build::read(reader, node)?,
        "copy" => section.copy = copy::read(reader, node)?,
        "run" => section.run = run::read(reader, node)?,
        "env" => section.env = env::read(reader, node)?,
        "workdir" => section.workdir = Some(reader.word(name, node)?),
        "cmd" => section.cmd = Some(command::read(reader, name, node)?),
        "entrypoint" => section.entrypoint = Some(command::read(reader, name, node)?),
        "shell" => section.shell = Some(command::shell(reader, node)?),
        "expose" => section.expose = runtime::expose(reader, node)?,
        "volumes" => section.volumes = runtime::volumes(reader, node)?,
        "labels" => section.labels = env::labels(reader, node)?,
        "healthcheck" => section.healthcheck = Some(runtime::healthcheck(reader, node)?),
        "stopsignal" => section.stopsignal = Some(runtime::stopsignal(reader, node)?),
        "locale" => section.locale = Some(options::locale(reader, node)?),
        "layers" => section.layers = Some(options::layers(reader, node)?),
        "installer" => section.installer = Some(options::installer(reader, node)?),
        "trim" => section.trim = options::trim(reader, node)?,
        "channel_priority" => {
            section.channel_priority = Some(options::channel_priority(reader, node)?);
        }
        "exclude_newer" => section.exclude_newer = Some(exclude_newer::read(reader, node)?),
        "lock" if parent == Parent::ImageFile => {
            let error = reader.error(key.lines, "`lock` is about one environment, not the image");
            return Err(error.help("Put it under `condafront:` in the environment's own file."));
        }
        "lock" => {
            let found = reader.word(name, node)?;
            let path = packages::named_file(reader, &found)?;
            check_placeholders(reader, &found)?;
            section.lock = Some(found.map(|_| path));
        }
        "channel_alias" => section.channel_alias = Some(options::channel_alias(reader, node)?),
        "custom_channels" => {
            section.custom_channels = options::custom_channels(reader, node)?;
        }
        _ => return Err(unknown_key(reader, key, parent)),
    }
    Ok(())
}

/// Checks what is in braces in the name of a lock.
fn check_placeholders(reader: &Reader<'_>, name: &Located<String>) -> Result<(), Diagnostic> {
    let in_braces = name.value.split('{').skip(1);
    let mut in_braces = in_braces.filter_map(|rest| Some(rest.split_once('}')?.0));
    match in_braces.find(|found| format!("{{{found}}}") != PLATFORM) {
        None => Ok(()),
        Some(found) => {
            let message = format!(
                "`{{{}}}` is not a placeholder for the name of a lock",
                quoted(found)
            );
            let help = format!(
                "The only one is {PLATFORM}, conda's name of the platform: conda-{PLATFORM}.lock"
            );
            Err(reader.error(name.lines, message).help(help))
        }
    }
}

fn system_packages(
    reader: &Reader<'_>,
    manager: Manager,
    key: &Key,
    node: &Node,
    section: &mut ImageSection,
) -> Result<(), Diagnostic> {
    let packages = packages::read(reader, manager, key, node)?;
    if let Some(other) = &section.packages {
        let message = format!(
            "`{}` and `{}` cannot both be used",
            other.manager.name(),
            manager.name()
        );
        let error = reader.error(packages.lines, message);
        return Err(error
            .at(reader.file, other.lines)
            .help("Keep the one that the base image has: apt on Debian and Ubuntu, apk on Alpine, dnf on Fedora."));
    }
    section.packages = Some(packages);
    Ok(())
}

/// The error for an unknown key.
fn unknown_key(reader: &Reader<'_>, key: &Key, parent: Parent) -> Diagnostic {
    let name = key.name.as_str();
    let whole = match parent {
        Parent::Section => "the image section",
        Parent::ImageFile => "an image file",
    };
    if name.is_empty() {
        return reader.error(
            key.lines,
            format!("a key of {whole} is empty or not a string"),
        );
    }
    let error = reader.error(key.lines, format!("{whole} has no key `{}`", quoted(name)));
    if parent == Parent::ImageFile && name == "condafront" {
        return error
            .help("In an image file, write the keys of the image section at the top level.");
    }
    if parent == Parent::ImageFile && ["channels", "dependencies", "name"].contains(&name) {
        return error.help("Put it in an env.yml, and list that file under `environments`.");
    }
    if parent == Parent::ImageFile && name == "syntax" {
        return error.help(SYNTAX_COMMENT);
    }
    if parent == Parent::Section && FILE_KEYS.iter().any(|key| key.name == name) {
        let file = reader.file.name();
        return error.help(format!(
            "Put it in an image file, a separate file that names this one: environments: {{base: {file}}}"
        ));
    }
    let alias = OTHER_WORDS
        .iter()
        .find(|(other, _)| *other == name.to_lowercase());
    let mut known: Vec<&str> = KEYS.iter().map(|key| key.name).collect();
    if parent == Parent::ImageFile {
        known.extend(FILE_KEYS.iter().map(|key| key.name));
    }
    let near = alias.map(|(_, own)| *own);
    let near = near.or_else(|| nearest(name, known.iter().copied()));
    match near {
        Some(near) => {
            let example = info(near).map(|key| key.example).unwrap_or_default();
            error.help(format!("{} {example}", suggestion(near)))
        }
        None => {
            let own = KEYS.iter().map(|key| key.name);
            error.help(format!("The keys are {}.", prose::and(prose::code(own))))
        }
    }
}
