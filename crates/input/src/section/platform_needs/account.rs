//! What the platforms of `for` need of the account that the image's user is.

use crate::section::args::BuildArgs;
use crate::section::contract::Contract;
use crate::section::image_section::{ImageSection, Located};
use crate::section::reader::{Reader, digits};
use condafront_model::redact::quoted;
use condafront_model::source::{Diagnostic, Lines};
use condafront_step_spec::account::{MAX_ID, SHARED_GID, UserRequest, is_account_name};

/// The build-args by which Binder names the user.
const NAME_ARG: &str = "NB_USER";
const UID_ARG: &str = "NB_UID";
/// Both.
pub(in crate::section) const BINDER_ARGS: [&str; 2] = [NAME_ARG, UID_ARG];

/// The account that a platform needs.
fn account(contract: Contract, args: &BuildArgs) -> Account {
    let given = |name: &str| args.get(name).filter(|value| !value.is_empty());
    match contract {
        Contract::Openshift => Account {
            gid: Some(SHARED_GID),
            ..Account::default()
        },
        Contract::Binder => Account {
            name: Some(given(NAME_ARG).unwrap_or("jovyan").to_owned()),
            uid: Some(given(UID_ARG).and_then(digits).unwrap_or(1000)),
            is_never_root: true,
            ..Account::default()
        },
        Contract::Sagemaker => Account {
            name: Some("sagemaker-user".to_owned()),
            uid: Some(1000),
            gid: Some(100),
            ..Account::default()
        },
        Contract::Devcontainer => Account {
            uid: Some(1000),
            ..Account::default()
        },
        _ => Account::default(),
    }
}

/// What is needed of an account. Where it does not say otherwise, root will do too.
#[derive(Debug, Default)]
struct Account {
    /// The name, unless the file has one.
    name: Option<String>,
    uid: Option<u32>,
    gid: Option<u32>,
    is_never_root: bool,
}

/// Adds what the platforms need of the account, before other values refer to it.
///
/// # Errors
/// Where the file, a build-arg or another platform needs something else.
pub(in crate::section) fn complete_account(
    reader: &Reader<'_>,
    section: &mut ImageSection,
) -> Result<(), Diagnostic> {
    let contracts = section.contracts.clone();
    let binder = contracts.iter().find(|it| it.value == Contract::Binder);
    if let Some(binder) = binder {
        check_binder(reader, binder.lines)?;
    }
    let of_file = section
        .user
        .as_ref()
        .and_then(|user| user.value.name.as_deref());
    let given = reader
        .args
        .get("MAMBA_USER")
        .filter(|name| !name.is_empty());
    // Where root may start an image, no other number counts.
    if !given.or(of_file).is_some_and(is_root) {
        check_each_other(reader, &contracts)?;
    }
    for contract in &contracts {
        if contract.value == Contract::Openshift {
            share(reader, section, contract.lines)?;
        }
        let wanted = account(contract.value, reader.args);
        complete_user(reader, section, contract, &wanted)?;
    }
    Ok(())
}

/// Refuses platforms that need different accounts.
fn check_each_other(
    reader: &Reader<'_>,
    contracts: &[Located<Contract>],
) -> Result<(), Diagnostic> {
    for (index, one) in contracts.iter().enumerate() {
        for other in contracts.iter().skip(index + 1) {
            let [a, b] = [one, other].map(|it| account(it.value, reader.args));
            let parts = [("user id", a.uid, b.uid), ("group id", a.gid, b.gid)];
            for (what, first, second) in parts {
                if let (Some(first), Some(second)) = (first, second)
                    && first != second
                {
                    let message = format!(
                        "no image fits both: `{}` needs the {what} {first}, and `{}` the {what} {second}",
                        one.value.name(),
                        other.value.name()
                    );
                    let help = "Build an image for each, from two files or with a build-arg: for: \"${PLATFORM}\"";
                    return Err(reader.error(other.lines, message).help(help));
                }
            }
        }
    }
    Ok(())
}

/// Rejects build-args of Binder that do not name a user whom it can start.
fn check_binder(reader: &Reader<'_>, lines: Lines) -> Result<(), Diagnostic> {
    const ROOT: &str = "`binder` does not run images as root";
    let of_uid = |uid: &str| match digits::<u64>(uid) {
        Some(0) => Some(ROOT.to_owned()),
        Some(uid) if uid <= MAX_ID.into() => None,
        _ => Some(format!("it must be a number from 1 to {MAX_ID}")),
    };
    let of_name = |name: &str| match name {
        name if is_root(name) => Some(ROOT.to_owned()),
        name if is_account_name(name) => None,
        _ => Some("it is not a valid account name".to_owned()),
    };
    let given = |arg| reader.args.get(arg).filter(|value| !value.is_empty());
    let wrong = [
        (
            UID_ARG,
            "1000",
            given(UID_ARG).and_then(|it| Some((it, of_uid(it)?))),
        ),
        (
            NAME_ARG,
            "jovyan",
            given(NAME_ARG).and_then(|it| Some((it, of_name(it)?))),
        ),
    ];
    for (arg, example, found) in wrong {
        if let Some((value, why)) = found {
            let message = format!("the build-arg {arg} is `{}`: {why}", quoted(value));
            let error = reader.error(lines, message);
            return Err(error.help(format!("Use --build-arg {arg}={example}.")));
        }
    }
    Ok(())
}

/// Whether a name, or the number that is given in its place, is root's.
pub(super) fn is_root(name: &str) -> bool {
    name == "root" || digits::<u32>(name) == Some(0)
}

/// Lets the group write.
fn share(reader: &Reader<'_>, section: &mut ImageSection, lines: Lines) -> Result<(), Diagnostic> {
    match &section.group_writable {
        Some(said) if !said.value => {
            let message = "`group_writable` cannot be false: OpenShift starts containers as any user of the image's group";
            let error = reader.error(said.lines, message).at(reader.file, lines);
            Err(error.help("Remove the line, or remove `openshift` from `for`."))
        }
        Some(_) => Ok(()),
        None => {
            section.group_writable = Some(Located { value: true, lines });
            section.add(lines, Contract::Openshift, "group_writable: true");
            Ok(())
        }
    }
}

/// Adds what `wanted` says of the account to the section's user.
fn complete_user(
    reader: &Reader<'_>,
    section: &mut ImageSection,
    contract: &Located<Contract>,
    wanted: &Account,
) -> Result<(), Diagnostic> {
    let said = section.user.as_ref().map(|user| user.lines);
    let mut user = match &section.user {
        Some(user) => user.value.clone(),
        None => UserRequest::default(),
    };
    let given_name = reader
        .args
        .get("MAMBA_USER")
        .filter(|name| !name.is_empty());
    let others = Others {
        reader,
        contract,
        said,
        given_name,
    };
    let name = given_name.or(user.name.as_deref()).map(str::to_owned);
    if name.as_deref().is_some_and(is_root) {
        return if wanted.is_never_root {
            Err(others.root())
        } else {
            Ok(())
        };
    }
    let number = name.as_deref().and_then(digits);
    others.check("uid", "MAMBA_USER_ID", wanted.uid, user.uid.or(number))?;
    others.check("gid", "MAMBA_USER_GID", wanted.gid, user.gid)?;
    let added = wanted.add_to(&mut user, name.as_deref());
    if !added.is_empty() {
        let text = format!("user: {{{}}}", added.join(", "));
        section.add(contract.lines, contract.value, text);
        section.user = Some(Located {
            value: user,
            lines: said.unwrap_or(contract.lines),
        });
    }
    Ok(())
}

/// What others say of the account that a platform needs: the key `user`, and the build-args.
struct Others<'a> {
    reader: &'a Reader<'a>,
    contract: &'a Located<Contract>,
    /// The lines of `user`.
    said: Option<Lines>,
    /// The build-arg with the name, or with a number in its place.
    given_name: Option<&'a str>,
}

impl Others<'_> {
    /// The error that the account is root.
    fn root(&self) -> Diagnostic {
        let (what, lines, way) = match (self.given_name, self.said) {
            (None, Some(lines)) => ("", lines, "Use another user"),
            _ => (
                ", and the build-arg MAMBA_USER is root's",
                self.contract.lines,
                "Remove the build-arg",
            ),
        };
        let platform = self.contract.value.name();
        let message = format!("`{platform}` does not run images as root{what}");
        self.refuse(message, lines, way)
    }

    /// Refuses another number for `field` than the `wanted` one: in the build-arg `arg`, or as what `user` `has`.
    fn check(
        &self,
        field: &str,
        arg: &str,
        wanted: Option<u32>,
        has: Option<u32>,
    ) -> Result<(), Diagnostic> {
        let Some(wanted) = wanted else { return Ok(()) };
        let platform = self.contract.value.name();
        let given = self.reader.args.get(arg).filter(|value| !value.is_empty());
        let given_number = self.given_name.filter(|name| digits::<u32>(name).is_some());
        let (arg, given) = match (given, given_number) {
            (None, Some(number)) if field == "uid" => ("MAMBA_USER", Some(number)),
            (given, _) => (arg, given),
        };
        if let Some(given) = given.filter(|given| digits::<u32>(given) != Some(wanted)) {
            let message = format!(
                "`{platform}` needs the {field} {wanted}, and the build-arg {arg} is {}",
                quoted(given)
            );
            return Err(self.refuse(message, self.contract.lines, "Remove the build-arg"));
        }
        if let (Some(has), Some(lines)) = (has, self.said)
            && has != wanted
            && given.is_none()
        {
            let message = format!("`{platform}` needs the {field} {wanted}, and `user` has {has}");
            let way = format!("Write {field}: {wanted}");
            return Err(self.refuse(message, lines, &way));
        }
        Ok(())
    }

    fn refuse(&self, message: String, lines: Lines, way: &str) -> Diagnostic {
        let error = self.reader.error(lines, message);
        let error = if lines == self.contract.lines {
            error
        } else {
            error.at(self.reader.file, self.contract.lines)
        };
        let platform = self.contract.value.name();
        error.help(format!("{way}, or remove `{platform}` from `for`."))
    }
}

impl Account {
    /// Adds what `user`, whose name is `name`, does not have. Returns what was added, as in a file.
    fn add_to(&self, user: &mut UserRequest, name: Option<&str>) -> Vec<String> {
        let mut added = Vec::new();
        if name.is_none()
            && let Some(name) = &self.name
        {
            user.name = Some(name.clone());
            added.push(format!("name: {}", quoted(name)));
        }
        if name.and_then(digits::<u32>).is_none()
            && user.uid.is_none()
            && let Some(uid) = self.uid
        {
            user.uid = Some(uid);
            added.push(format!("uid: {uid}"));
        }
        if user.gid.is_none()
            && let Some(gid) = self.gid
        {
            user.gid = Some(gid);
            added.push(format!("gid: {gid}"));
        }
        added
    }
}
