//! `for`: the platforms whose rules an image keeps. Each adds what its platform needs and the file does not have, and is
//! an error where the file says something else. `docs/recipes.md` has the platforms' own pages about it.

use super::args::BuildArgs;
use super::contract::{CONTRACTS, Contract};
use super::reader::{Name, Reader, digits};
use crate::section::image_section::{
    ImageSection, Located, PackageEntry, Ports, Protocol, SystemPackages,
};
use crate::yaml::{Node, Value};
use condafront_model::redact::quoted;
use condafront_model::source::{Diagnostic, Lines};
use condafront_step_spec::account::{DEFAULT_NAME, SHARED_GID, UserRequest};
use condafront_step_spec::system::Manager;

/// The port of SageMaker's web server.
const SAGEMAKER_PORT: u16 = 8888;
/// The label with settings of Dev Containers (<https://containers.dev/implementors/reference/#labels>).
const DEVCONTAINER_LABEL: &str = "devcontainer.metadata";
/// The label by which Snakemake knows images with its environments (`snakemake/deployment/containerize.py`).
const SNAKEMAKE_LABEL: &str = "io.github.snakemake.containerized";
/// Debian's and Alpine's package with `ps`.
const PROCPS: &str = "procps";
/// The same of Fedora and its relatives.
const PROCPS_NG: &str = "procps-ng";

/// The account that a platform needs.
fn account(contract: Contract, args: &BuildArgs) -> Account {
    let given = |name: &str| args.get(name).filter(|value| !value.is_empty());
    match contract {
        Contract::Openshift => Account {
            gid: Some(SHARED_GID),
            ..Account::default()
        },
        Contract::Binder => Account {
            name: Some(given("NB_USER").unwrap_or("jovyan").to_owned()),
            uid: Some(given("NB_UID").and_then(digits).unwrap_or(1000)),
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

/// Reads `for`: a word, or a list of them.
pub(super) fn read(reader: &Reader<'_>, node: &Node) -> Result<Vec<Located<Contract>>, Diagnostic> {
    let name = Name::from("for");
    let items = match &node.value {
        Value::List(items) => items,
        Value::Scalar { .. } => return Ok(vec![reader.one_of(name, node, CONTRACTS)?]),
        _ => return Err(reader.wrong_kind(name, node, "a word, or a list of words")),
    };
    let mut found: Vec<Located<Contract>> = Vec::new();
    for item in items {
        let contract = reader.one_of(name.entry(), item, CONTRACTS)?;
        if found.iter().all(|known| known.value != contract.value) {
            found.push(contract);
        }
    }
    Ok(found)
}

/// Adds what the platforms need of the account, before other values refer to it.
///
/// # Errors
/// Where the file, a build-arg or another platform needs something else.
pub(super) fn complete_account(
    reader: &Reader<'_>,
    section: &mut ImageSection,
) -> Result<(), Diagnostic> {
    let contracts = section.contracts.clone();
    let binder = contracts.iter().find(|it| it.value == Contract::Binder);
    if let Some(binder) = binder {
        check_binder(reader, binder.lines)?;
    }
    check_each_other(reader, &contracts)?;
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
    let given = |name: &str| reader.args.get(name).filter(|value| !value.is_empty());
    if let Some(uid) = given("NB_UID")
        && digits::<u32>(uid).is_none_or(|uid| uid == 0)
    {
        let message = format!(
            "the build-arg NB_UID is `{}`: `binder` needs the number of a user other than root",
            quoted(uid)
        );
        return Err(reader
            .error(lines, message)
            .help("Use --build-arg NB_UID=1000."));
    }
    if let Some(name) = given("NB_USER")
        && is_root(name)
    {
        let message = format!(
            "the build-arg NB_USER is `{}`: `binder` does not run images as root",
            quoted(name)
        );
        return Err(reader
            .error(lines, message)
            .help("Use --build-arg NB_USER=jovyan."));
    }
    Ok(())
}

/// Whether a name, or the number that is given in its place, is root's.
fn is_root(name: &str) -> bool {
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
    let name = given_name.or(user.name.as_deref()).map(str::to_owned);
    let number: Option<u32> = name.as_deref().and_then(digits);
    let platform = contract.value.name();
    let refuse = |message: String, lines: Lines, way: &str| {
        let error = reader.error(lines, message);
        let error = if lines == contract.lines {
            error
        } else {
            error.at(reader.file, contract.lines)
        };
        error.help(format!("{way}, or remove `{platform}` from `for`."))
    };
    if name.as_deref().is_some_and(is_root) {
        if !wanted.is_never_root {
            return Ok(());
        }
        let (what, lines, way) = match (given_name, said) {
            (None, Some(lines)) => ("", lines, "Use another user"),
            _ => (
                ", and the build-arg MAMBA_USER is root's",
                contract.lines,
                "Remove the build-arg",
            ),
        };
        let message = format!("`{platform}` does not run images as root{what}");
        return Err(refuse(message, lines, way));
    }
    let parts = [
        ("uid", "MAMBA_USER_ID", wanted.uid, user.uid.or(number)),
        ("gid", "MAMBA_USER_GID", wanted.gid, user.gid),
    ];
    for (field, arg, wanted, has) in parts {
        let Some(wanted) = wanted else { continue };
        let given = reader.args.get(arg).filter(|value| !value.is_empty());
        let given_number = given_name.filter(|name| digits::<u32>(name).is_some());
        let (arg, given) = match (given, given_number) {
            (None, Some(number)) if field == "uid" => ("MAMBA_USER", Some(number)),
            (given, _) => (arg, given),
        };
        if let Some(given) = given.filter(|given| digits::<u32>(given) != Some(wanted)) {
            let message = format!(
                "`{platform}` needs the {field} {wanted}, and the build-arg {arg} is {}",
                quoted(given)
            );
            return Err(refuse(message, contract.lines, "Remove the build-arg"));
        }
        if let (Some(has), Some(lines)) = (has, said)
            && has != wanted
            && given.is_none()
        {
            let message = format!("`{platform}` needs the {field} {wanted}, and `user` has {has}");
            let way = format!("Write {field}: {wanted}");
            return Err(refuse(message, lines, &way));
        }
    }
    let mut added = Vec::new();
    if name.is_none()
        && let Some(name) = &wanted.name
    {
        user.name = Some(name.clone());
        added.push(format!("name: {}", quoted(name)));
    }
    if number.is_none()
        && user.uid.is_none()
        && let Some(uid) = wanted.uid
    {
        user.uid = Some(uid);
        added.push(format!("uid: {uid}"));
    }
    if user.gid.is_none()
        && let Some(gid) = wanted.gid
    {
        user.gid = Some(gid);
        added.push(format!("gid: {gid}"));
    }
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

/// Adds what else the platforms need.
pub(super) fn complete(reader: &Reader<'_>, section: &mut ImageSection) {
    for Located { value, lines } in section.contracts.clone() {
        match value {
            Contract::Openshift if !sets_home(section) => {
                let home = home(reader);
                section.add(lines, value, format!("env: {{HOME: {home}}}"));
            }
            Contract::Sagemaker => {
                let port = Ports {
                    first: SAGEMAKER_PORT,
                    last: SAGEMAKER_PORT,
                    protocol: Protocol::Tcp,
                };
                let mut ports = section.expose.iter();
                let has = ports.any(|it| {
                    it.value.protocol == port.protocol
                        && (it.value.first..=it.value.last).contains(&SAGEMAKER_PORT)
                });
                if !has {
                    section.expose.push(Located { value: port, lines });
                    section.add(lines, value, format!("expose: [{SAGEMAKER_PORT}]"));
                }
            }
            Contract::Devcontainer => {
                let user = reader.args.get("MAMBA_USER");
                if let Some(user) = user.filter(|user| digits::<u32>(user).is_none()) {
                    let settings = format!("[{{\"remoteUser\":\"{user}\"}}]");
                    add_label(section, lines, value, DEVCONTAINER_LABEL, settings);
                }
            }
            Contract::Snakemake => {
                add_label(section, lines, value, SNAKEMAKE_LABEL, "true".to_owned());
            }
            Contract::Nextflow => add_ps(reader, section, lines),
            _ => {}
        }
    }
}

/// The home of the image's user, as far as the file says: an account of the base image can have a different one.
fn home(reader: &Reader<'_>) -> String {
    match reader.args.get("MAMBA_USER") {
        Some(name) if is_root(name) => "/root".to_owned(),
        Some(name) => format!("/home/{name}"),
        None => format!("/home/{DEFAULT_NAME}"),
    }
}

fn sets_home(section: &ImageSection) -> bool {
    section.env.iter().any(|variable| variable.name == "HOME")
}

fn add_label(
    section: &mut ImageSection,
    lines: Lines,
    contract: Contract,
    name: &str,
    value: String,
) {
    if !section.labels.contains_key(name) {
        let text = format!("labels: {{{name}: '{value}'}}");
        section
            .labels
            .insert(name.to_owned(), Located { value, lines });
        section.add(lines, contract, text);
    }
}

/// Adds the system package with `ps`, where the package manager is known.
fn add_ps(reader: &Reader<'_>, section: &mut ImageSection, lines: Lines) {
    let base = reader.args.get("BASE_IMAGE").filter(|arg| !arg.is_empty());
    let base = base.or(section.base.as_ref().map(|base| base.value.as_str()));
    let packages = match &mut section.packages {
        Some(packages) => packages,
        none if base.is_none_or(is_debian) => none.insert(SystemPackages {
            manager: Manager::Apt,
            entries: Vec::new(),
            lines,
        }),
        None => return,
    };
    let name = match packages.manager {
        Manager::Dnf => PROCPS_NG,
        Manager::Apt | Manager::Apk => PROCPS,
    };
    let is_it = |entry: &Located<PackageEntry>| match &entry.value {
        PackageEntry::Package(package) => package.split(['=', ':']).next() == Some(name),
        // It may have it. What the build proves decides.
        PackageEntry::File(_) => false,
    };
    if !packages.entries.iter().any(is_it) {
        packages.entries.push(Located {
            value: PackageEntry::Package(name.to_owned()),
            lines,
        });
        let manager = packages.manager.name();
        section.add(lines, Contract::Nextflow, format!("{manager}: [{name}]"));
    }
}

/// Whether an image's name is that of Debian or Ubuntu, perhaps of a mirror. The default base is Debian.
fn is_debian(image: &str) -> bool {
    let image = image.split('@').next().unwrap_or_default();
    let name = image.rsplit('/').next().unwrap_or_default();
    let name = name.split(':').next().unwrap_or_default();
    ["debian", "ubuntu"].contains(&name)
}

#[cfg(test)]
mod tests;
