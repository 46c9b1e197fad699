//! `user`, and owners by name or number.

use super::args::BuildArgs;
use super::reader::{Name, Reader, digits};
use crate::section::image_section::{ImageSection, Located};
use crate::yaml::Node;
use condafront_model::redact::quoted;
use condafront_model::source::Diagnostic;
use condafront_step_spec::account::{
    DEFAULT_ID, DEFAULT_NAME, MAX_ID, MAX_NAME_LEN, SHARED_GID, UserRequest, is_account_name,
};

const FIELDS: &[&str] = &["name", "uid", "gid"];
const ROOT: &str = "root";

/// `ada`, `root`, `1000`, `1000:100`, or a mapping.
pub(super) fn read(reader: &Reader<'_>, node: &Node) -> Result<Located<UserRequest>, Diagnostic> {
    let key = Name::from("user");
    let request = if node.mapping().is_some() {
        from_mapping(reader, node)?
    } else if node.text().is_some() {
        let found = reader.word(key, node)?;
        let (name, group) = match found.value.split_once(':') {
            Some((name, group)) => (name, Some(group)),
            None => (found.value.as_str(), None),
        };
        let place = |value| Located {
            value,
            lines: found.lines,
        };
        checked_name(reader, key, &place(name))?;
        let gid = group.map(|group| group_id(reader, name, &place(group)));
        UserRequest {
            name: Some(name.to_owned()),
            gid: gid.transpose()?,
            ..UserRequest::default()
        }
    } else {
        return Err(reader.wrong_kind(key, node, "a name, a number, or a mapping"));
    };
    let is_number_of_root = |name: &str| digits::<u32>(name) == Some(0);
    let name = request.name.as_deref();
    let is_root = name.is_some_and(|name| name == ROOT || is_number_of_root(name));
    if is_root && (request.uid.unwrap_or(0) != 0 || request.gid.unwrap_or(0) != 0) {
        let error = reader.error(node.lines, "the user root has uid 0 and gid 0");
        return Err(error.help("Use another name, or remove the numbers."));
    }
    if !is_root && request.uid == Some(0) {
        let error = reader.error(node.lines, "only the user root can have uid 0");
        return Err(error.help("Write user: root, or use another uid."));
    }
    Ok(Located {
        value: request,
        lines: node.lines,
    })
}

/// The number of a group, which must be one: the image may not have a group of that name.
fn group_id(reader: &Reader<'_>, user: &str, found: &Located<&str>) -> Result<u32, Diagnostic> {
    if !is_account_name(found.value) {
        return account_id(reader, "gid".into(), found)
            .map_err(|error| error.help("Give the group by its number: user: ada:100"));
    }
    let (user, group) = (quoted(user), quoted(found.value));
    let message = format!("`user` gives the group by its name, `{group}`, not by its number");
    let field = match digits::<u64>(&user) {
        Some(_) => "uid",
        None => "name",
    };
    Err(reader.error(found.lines, message).help(format!(
        "Write user: {{{field}: {user}, gid: 100}} with the number of the group {group}, or user: {user}:100"
    )))
}

fn from_mapping(reader: &Reader<'_>, node: &Node) -> Result<UserRequest, Diagnostic> {
    let fields = reader.fields("user".into(), node, FIELDS)?;
    let name = fields.read("name", "user", |name, node| {
        let found = reader.word(name, node)?;
        if digits::<u64>(&found.value).is_some() {
            let error = reader.error(found.lines, format!("{name} is a number"));
            return Err(error.help(format!("Write it as uid: {}", quoted(&found.value))));
        }
        checked_name(reader, name, &found)?;
        Ok(found.value)
    })?;
    let id = |name: Name<'_>, node| {
        let found = reader.word(name, node)?;
        account_id(reader, name, &found)
    };
    let uid = fields.read("uid", "user", id)?;
    let gid = fields.read("gid", "user", id)?;
    if (&name, uid, gid) == (&None, None, None) {
        return Err(reader
            .error(node.lines, "`user` is empty")
            .help("Set at least one of `name`, `uid` and `gid`."));
    }
    Ok(UserRequest {
        name: match uid {
            Some(0) => name.or_else(|| Some(ROOT.to_owned())),
            _ => name,
        },
        uid,
        gid,
        ..UserRequest::default()
    })
}

fn checked_name<T: AsRef<str>>(
    reader: &Reader<'_>,
    key: Name<'_>,
    found: &Located<T>,
) -> Result<(), Diagnostic> {
    let name = found.value.as_ref();
    if name
        .bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_digit())
    {
        return account_id(reader, key, found).map(drop);
    }
    if is_account_name(name) {
        return Ok(());
    }
    let message = format!("{key}: `{}` is not a valid account name", quoted(name));
    Err(reader.error(found.lines, message).help(format!(
        "Use at most {MAX_NAME_LEN} letters, digits and _ - . and begin with a letter or _."
    )))
}

/// A number that the image's user or its group can have.
fn account_id<T: AsRef<str>>(
    reader: &Reader<'_>,
    key: Name<'_>,
    found: &Located<T>,
) -> Result<u32, Diagnostic> {
    id_up_to(MAX_ID, reader, key, found).map_err(|error| {
        error.help("Choose one in this range: Docker cannot start containers with others.")
    })
}

/// A number that the owner or the group of a file can have.
pub(super) fn owner_id<T: AsRef<str>>(
    reader: &Reader<'_>,
    key: Name<'_>,
    found: &Located<T>,
) -> Result<u32, Diagnostic> {
    // The highest number means "nobody" to the kernel.
    id_up_to(u32::MAX - 1, reader, key, found)
}

fn id_up_to<T: AsRef<str>>(
    most: u32,
    reader: &Reader<'_>,
    key: Name<'_>,
    found: &Located<T>,
) -> Result<u32, Diagnostic> {
    let text = found.value.as_ref();
    digits(text).filter(|id| *id <= most).ok_or_else(|| {
        let message = format!(
            "{key} cannot be `{}`: it must be a number from 0 to {most}",
            quoted(text)
        );
        reader.error(found.lines, message)
    })
}

/// `name`, `name:group`, or numbers for either.
pub(super) fn owner(reader: &Reader<'_>, key: Name<'_>, node: &Node) -> Result<String, Diagnostic> {
    let found = reader.word(key, node)?;
    let is_part =
        |part: &str| is_account_name(part) || digits::<u32>(part).is_some_and(|id| id < u32::MAX);
    let is_owner = match found.value.split_once(':') {
        Some((user, group)) => is_part(user) && is_part(group),
        None => is_part(&found.value),
    };
    if !is_owner {
        let message = format!("{key} cannot be `{}`", quoted(&found.value));
        return Err(reader.error(found.lines, message).help(
            "Write a name or a number, optionally with a group after a colon: ada, 1000:100",
        ));
    }
    Ok(found.value)
}

/// The build-args, with those for the account added if the section sets their values or nothing does: `${MAMBA_USER}` can
/// be used whether or not it is given.
pub(super) fn with_account(args: &BuildArgs, section: &ImageSection) -> BuildArgs {
    const NAME: &str = "MAMBA_USER";
    const UID: &str = "MAMBA_USER_ID";
    const GID: &str = "MAMBA_USER_GID";
    let mut all = args.clone();
    let request = section.user.as_ref().map(|user| &user.value);
    let is_default = request.is_none()
        && [NAME, UID, GID]
            .iter()
            .all(|arg| args.get(arg).is_none_or(str::is_empty));
    let name = request.and_then(|user| user.name.as_deref());
    // A number in place of a name is the uid of an account that the base image may have, under any name.
    if name.is_none_or(is_account_name) {
        all.or_insert(NAME, name.unwrap_or(DEFAULT_NAME));
    }
    let uid = request.and_then(|user| user.uid);
    let shared = section.group_writable.as_ref();
    let shared = shared.is_some_and(|shared| shared.value);
    let gid = request.and_then(|user| user.gid);
    let gid = gid.or(shared.then_some(SHARED_GID)).or(uid);
    let default = is_default.then_some(DEFAULT_ID);
    for (arg, id) in [(UID, uid.or(default)), (GID, gid.or(default))] {
        if let Some(id) = id {
            all.or_insert(arg, id.to_string());
        }
    }
    all
}
