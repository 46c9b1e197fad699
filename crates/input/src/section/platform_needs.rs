//! `for`: the platforms whose rules an image keeps. Each adds what its platform needs and the file does not have, and is
//! an error where the file says something else. `docs/recipes.md` has the platforms' own pages about it.

mod account;

use super::contract::{CONTRACTS, Contract};
use super::reader::{Name, Reader, digits};
use crate::section::image_section::{
    ImageSection, Located, PackageEntry, Ports, Protocol, SystemPackages,
};
use crate::yaml::{Node, Value};
use condafront_model::nearest::suggestion;
use condafront_model::redact::quoted;
use condafront_model::source::{Diagnostic, Lines};
use condafront_step_spec::account::{DEFAULT_NAME, is_account_name};
use condafront_step_spec::system::Manager;

use account::is_root;
pub(super) use account::{BINDER_ARGS, complete_account};

/// The port of SageMaker's web server.
const SAGEMAKER_PORT: u16 = 8888;
/// Where SageMaker mounts the files of a space or a user, whatever the image's user is called.
const SAGEMAKER_HOME: &str = "/home/sagemaker-user";
/// The label with settings of Dev Containers (<https://containers.dev/implementors/reference/#labels>).
const DEVCONTAINER_LABEL: &str = "devcontainer.metadata";
/// The label by which Snakemake knows images with its environments (`snakemake/deployment/containerize.py`).
const SNAKEMAKE_LABEL: &str = "io.github.snakemake.containerized";
/// Debian's and Alpine's package with `ps`.
const PROCPS: &str = "procps";
/// The same of Fedora and its relatives.
const PROCPS_NG: &str = "procps-ng";

/// Reads `for`: a word, or a list of them.
pub(super) fn read(reader: &Reader<'_>, node: &Node) -> Result<Vec<Located<Contract>>, Diagnostic> {
    let name = Name::from("for");
    let items = match &node.value {
        Value::List(items) => items,
        Value::Scalar { .. } => return Ok(vec![platform(reader, name, node)?]),
        _ => return Err(reader.wrong_kind(name, node, "a word, or a list of words")),
    };
    let mut found: Vec<Located<Contract>> = Vec::new();
    for item in items {
        let contract = platform(reader, name.entry(), item)?;
        if found.iter().all(|known| known.value != contract.value) {
            found.push(contract);
        }
    }
    Ok(found)
}

/// What else platforms are called.
const OTHER_NAMES: [(&str, &str); 10] = [
    ("singularity", "apptainer"),
    ("github", "github-actions"),
    ("actions", "github-actions"),
    ("mybinder", "binder"),
    ("repo2docker", "binder"),
    ("jupyter", "jupyterhub"),
    ("devcontainers", "devcontainer"),
    ("dev-containers", "devcontainer"),
    ("codespaces", "devcontainer"),
    ("okd", "openshift"),
];

/// Platforms that start any image, with any user and entrypoint.
const NEED_NOTHING: [&str; 5] = ["docker", "compose", "podman", "kubernetes", "k8s"];

fn platform(
    reader: &Reader<'_>,
    name: Name<'_>,
    node: &Node,
) -> Result<Located<Contract>, Diagnostic> {
    let refused = match reader.one_of(name, node, CONTRACTS) {
        Ok(found) => return Ok(found),
        Err(error) => error,
    };
    let word = reader.word(name, node)?.value.to_lowercase();
    let other = OTHER_NAMES.iter().find(|(other, _)| *other == word);
    let same = CONTRACTS.iter().find(|(known, _)| *known == word);
    let words: Vec<&str> = word
        .split([',', ' '])
        .filter(|part| !part.is_empty())
        .collect();
    Err(if let Some((_, own)) = other {
        refused.help(suggestion(own))
    } else if let Some((own, _)) = same {
        refused.help(suggestion(own))
    } else if NEED_NOTHING.contains(&word.as_str()) {
        refused.help("Remove it: every image works there.")
    } else if words.len() > 1 {
        let list = quoted(&words.join(", "));
        refused.help(format!("Write a list: for: [{list}]"))
    } else {
        refused
    })
}

/// Adds what else the platforms need.
///
/// # Errors
/// Where the file says something else.
pub(super) fn complete(reader: &Reader<'_>, section: &mut ImageSection) -> Result<(), Diagnostic> {
    for Located { value, lines } in section.contracts.clone() {
        match value {
            Contract::Openshift => {
                let home = section.env.iter().find(|variable| variable.name == "HOME");
                match home {
                    None => {
                        let home = home_of_user(reader, section);
                        section.add(lines, value, format!("env: {{HOME: {home}}}"));
                    }
                    Some(home)
                        if home
                            .value
                            .text()
                            .is_some_and(|text| ["", "/"].contains(&text)) =>
                    {
                        let message = "`HOME` cannot be the root directory: OpenShift starts containers as any user, who cannot write there";
                        let error = reader.error(home.lines, message).at(reader.file, lines);
                        let help = "Remove the variable, or remove `openshift` from `for`.";
                        return Err(error.help(help));
                    }
                    Some(_) => {}
                }
            }
            Contract::Sagemaker => {
                check_sagemaker_workdir(reader, section, lines)?;
                if section.workdir.is_none() {
                    section.workdir = Some(Located {
                        value: SAGEMAKER_HOME.to_owned(),
                        lines,
                    });
                    section.add(lines, value, format!("workdir: {SAGEMAKER_HOME}"));
                }
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
                check_devcontainer_label(reader, section, lines)?;
                let user = reader.args.get("MAMBA_USER");
                if let Some(user) = user.filter(|user| digits::<u32>(user).is_none()) {
                    let settings = format!("[{{\"remoteUser\":\"{user}\"}}]");
                    add_label(section, lines, value, DEVCONTAINER_LABEL, settings);
                }
            }
            Contract::Snakemake => {
                if let Some(label) = section.labels.get(SNAKEMAKE_LABEL)
                    && label.value != "true"
                {
                    let message = format!(
                        "the label `{SNAKEMAKE_LABEL}` must be true for Snakemake to use the image's environments"
                    );
                    let error = reader.error(label.lines, message).at(reader.file, lines);
                    return Err(error.help("Remove the label, or remove `snakemake` from `for`."));
                }
                add_label(section, lines, value, SNAKEMAKE_LABEL, "true".to_owned());
            }
            Contract::Nextflow => add_ps(reader, section, lines),
            _ => {}
        }
    }
    Ok(())
}

/// Refuses a working directory that is not among the files of a space. One that is relative to the base's is not known yet.
fn check_sagemaker_workdir(
    reader: &Reader<'_>,
    section: &ImageSection,
    lines: Lines,
) -> Result<(), Diagnostic> {
    let Some(workdir) = section.workdir.as_ref() else {
        return Ok(());
    };
    let path = workdir.value.as_str();
    let below = path.strip_prefix(SAGEMAKER_HOME);
    let is_in = below.is_some_and(|below| below.is_empty() || below.starts_with('/'));
    let leads_out = path.split('/').any(|part| part == "..");
    if !path.starts_with('/') || (is_in && !leads_out) {
        return Ok(());
    }
    let message = format!(
        "`workdir` must be {SAGEMAKER_HOME} or a directory in it: SageMaker Studio mounts its users' files there"
    );
    let error = reader.error(workdir.lines, message).at(reader.file, lines);
    Err(error.help("Remove the line, or remove `sagemaker` from `for`."))
}

/// Refuses settings for Dev Containers that no editor can read. They are an object or a list of objects
/// (<https://containers.dev/implementors/reference/#labels>).
fn check_devcontainer_label(
    reader: &Reader<'_>,
    section: &ImageSection,
    lines: Lines,
) -> Result<(), Diagnostic> {
    let Some(label) = section.labels.get(DEVCONTAINER_LABEL) else {
        return Ok(());
    };
    let is_settings = match serde_json::from_str(&label.value) {
        Ok(serde_json::Value::Object(_)) => true,
        Ok(serde_json::Value::Array(items)) => items.iter().all(serde_json::Value::is_object),
        _ => false,
    };
    if is_settings {
        return Ok(());
    }
    let message =
        format!("the label `{DEVCONTAINER_LABEL}` must be a JSON object, or a list of them");
    let error = reader.error(label.lines, message).at(reader.file, lines);
    Err(error.help(format!(
        "For example: labels: {{{DEVCONTAINER_LABEL}: '[{{\"remoteUser\":\"ada\"}}]'}}"
    )))
}

/// The home of the image's user, as far as the file says: an account of the base image can have a different one.
fn home_of_user(reader: &Reader<'_>, section: &ImageSection) -> String {
    let user = section.user.as_ref();
    let number = user.and_then(|user| user.value.name.as_deref());
    let name = reader.args.get("MAMBA_USER").or(number);
    match name {
        Some(name) if is_root(name) => "/root".to_owned(),
        Some(name) if is_account_name(name) => format!("/home/{name}"),
        _ => format!("/home/{DEFAULT_NAME}"),
    }
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
