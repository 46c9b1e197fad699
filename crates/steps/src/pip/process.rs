//! Runs the environment's own python and pip.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::masked_log::{MaskedLog, Secrets};
use crate::authorities::{self, Trust};
use crate::child;
use condafront_entrypoint::path_list::DEFAULT_PATH;
use condafront_entrypoint::prefix::activation_scripts;
use condafront_entrypoint::shell::{behind_scripts, find_shell};
use condafront_model::certificate::CertificateFault;
use condafront_model::redact;
use condafront_step_spec::failure_report::{Culprit, FailureReport};
use condafront_step_spec::pip::{CONFIG_SECRET, NETRC_SECRET, WORK_DIR};
use condafront_step_spec::pip_variables::is_version;

/// How much of pip's output is searched for the reason of a failure, in bytes.
const KEPT_BYTES: usize = 512 << 10;

/// The end of the message for a program that is built for another processor.
const FOREIGN: &str = "is for another platform, whose programs this builder cannot run";

/// What to do about it.
const NOT_FOREIGN: &str = "Use a builder for that platform, or set up emulation on this one (docker run --privileged --rm tonistiigi/binfmt --install all).";

/// The environment's python, with the variables of the active environment and none of the builder's.
pub(super) fn python(prefix: &Path) -> Command {
    let mut command = in_environment(&prefix.join("bin/python"), prefix);
    command.env("PYTHONHASHSEED", "0");
    command
}

/// Whether the environment's python is python 2, which knows fewer options.
fn is_python_2(prefix: &Path) -> bool {
    let program = prefix.join("bin/python").canonicalize();
    program.is_ok_and(|path| {
        let name = path.file_name().unwrap_or_default();
        name.to_string_lossy().starts_with("python2")
    })
}

/// The path of a program of the environment at `prefix`, or of the image.
pub(super) fn program(name: &str, prefix: &Path) -> Option<PathBuf> {
    let folders = DEFAULT_PATH.split(':').map(PathBuf::from);
    let folders = std::iter::once(prefix.join("bin")).chain(folders);
    folders
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
}

/// A `program`, with the variables of the active environment and none of the builder's.
pub(super) fn in_environment(program: &Path, prefix: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .current_dir("/")
        .env_clear()
        .env("PATH", format!("{}/bin:{DEFAULT_PATH}", prefix.display()))
        .env("CONDA_PREFIX", prefix)
        .env("HOME", "/tmp")
        .env("LC_ALL", "C.UTF-8");
    command
}

/// The environment's pip, or the one at the path `pip`, running `subcommand`. It has no settings except those that the
/// caller adds.
pub(super) fn pip(prefix: &Path, pip: Option<&str>, subcommand: &str) -> Command {
    let words = pip.map_or(vec!["-m", "pip"], |path| vec![path]);
    let words: Vec<&OsStr> = words.into_iter().map(OsStr::new).collect();
    pip_as(prefix, &words, subcommand)
}

/// The same for a pip that the environment's python runs with these arguments.
pub(super) fn pip_as(prefix: &Path, words: &[&OsStr], subcommand: &str) -> Command {
    let mut command = python(prefix);
    command
        // Ignore variables and the user's site, and write no bytecode for pip itself. Python 2 has no `-I`: it also looks for
        // modules in the working directory or, for a script, in the script's folder.
        .args(if is_python_2(prefix) {
            &["-E", "-s", "-B"][..]
        } else {
            &["-I", "-B"]
        })
        .args(words)
        .arg(subcommand)
        .args([
            "--no-cache-dir",
            "--no-input",
            "--disable-pip-version-check",
        ])
        .env("PIP_CONFIG_FILE", "/dev/null")
        // Variables, because older versions reject options that they do not know.
        .env("PIP_ROOT_USER_ACTION", "ignore")
        .env("PIP_NO_PYTHON_VERSION_WARNING", "1")
        .env("PIP_BREAK_SYSTEM_PACKAGES", "1");
    command
}

/// `command`, one of [`python`] or [`pip`], after the activation scripts of the environment at `prefix`: those of compilers say
/// how to call them. As it is without scripts, or without a shell in the image.
pub(super) fn activated(command: Command, prefix: &Path) -> Command {
    let folder = prefix.join("etc/conda/activate.d");
    let scripts = activation_scripts(prefix).into_iter();
    let scripts: Vec<OsString> = scripts.map(|name| folder.join(name).into()).collect();
    let path = command.get_envs().find(|(name, _)| *name == "PATH");
    let path = path.and_then(|(_, value)| value).unwrap_or_default();
    let Some(shell) = find_shell(Path::new("/"), path).filter(|_| !scripts.is_empty()) else {
        return command;
    };
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words = words.map(OsStr::to_owned).collect();
    let mut words = behind_scripts(shell, &scripts, words).into_iter();
    let mut activated = Command::new(words.next().unwrap_or_default());
    activated.args(words).current_dir("/").env_clear();
    let variables = command.get_envs();
    activated.envs(variables.filter_map(|(name, value)| Some((name, value?))));
    activated
}

/// Runs `command`; its output goes to `log` line by line, without secrets.
///
/// # Errors
/// The end of its output, if it failed.
pub(super) fn run(command: Command, log: &mut dyn Write) -> Result<(), String> {
    let secrets = Secrets::of(&command);
    run_program("pip", "the environment's python", command, &secrets, log)
}

/// The same for the program `name`, which is part of `whose`, without these `secrets`.
pub(super) fn run_program(
    name: &str,
    whose: &str,
    command: Command,
    secrets: &Secrets,
    log: &mut dyn Write,
) -> Result<(), String> {
    let mut masked = MaskedLog::new(log, secrets);
    let ended = child::run(name, command, &mut masked, KEPT_BYTES).map_err(|error| {
        if error.is_foreign() {
            format!("{whose} {FOREIGN}")
        } else {
            format!("it {error}")
        }
    })?;
    masked
        .finish()
        .map_err(|error| format!("it has output that cannot be copied: {error}"))?;
    if ended.status.success() {
        return Ok(());
    }
    let text = secrets.masked(&ended.output);
    Err(match text.trim() {
        "" => format!("it printed nothing ({})", ended.status),
        _ => text,
    })
}

/// The first words of pip's long-winded errors.
const WORDY: &[&str] = &["Hashes are required", "THESE PACKAGES DO NOT MATCH"];

/// What precedes the versions that need another python.
const OTHER_PYTHON: &str =
    "Ignored the following versions that require a different python version: ";

/// What precedes versions that their authors have withdrawn.
const YANKED: &str = "Ignored the following yanked versions";

/// Why pip failed, in short: its error lines, or the last lines of output if there are none.
pub(super) fn reason(output: &str) -> String {
    const MOST: usize = 8;
    const LAST: usize = 5;
    let lines = || output.lines().map(str::trim_end);
    let mut errors: Vec<&str> = Vec::new();
    let mut notes = Vec::new();
    let mut in_conflict = false;
    let mut in_error = false;
    for line in lines() {
        // The details of an error are indented below it.
        in_error = in_error && line.starts_with("    ");
        if in_error {
            errors.push(line);
            continue;
        }
        let error = line.trim_start().strip_prefix("ERROR: ");
        // These errors repeat the lines before them.
        let is_new = |error: &&str| {
            !(error.starts_with("ResolutionImpossible")
                || error.starts_with("No matching distribution found") && !errors.is_empty())
        };
        let error = error.filter(is_new);
        if let Some(versions) = error.and_then(|error| error.strip_prefix(OTHER_PYTHON)) {
            notes.push(format!("for another python: {}", last(versions, ';')));
            continue;
        }
        let error = error.filter(|error| !error.starts_with(YANKED));
        if let Some(error) = error.filter(|error| !errors.contains(error)) {
            // The rest is advice, which condafront words itself.
            let is_wordy = WORDY.iter().any(|start| error.starts_with(start));
            let first = error.split_once(". ").filter(|_| is_wordy);
            errors.push(first.map_or(error, |(first, _)| first));
            in_error = true;
        }
        in_conflict = line == "The conflict is caused by:" || (in_conflict && !line.is_empty());
        if in_conflict {
            errors.push(line);
        }
    }
    if errors.is_empty() {
        errors = lines().filter(|line| !line.trim().is_empty()).collect();
        errors.drain(..errors.len().saturating_sub(LAST));
    }
    let shown = errors.into_iter().map(with_last_versions).chain(notes);
    let shown: Vec<String> = shown.take(MOST).collect();
    shown.join("\n")
}

/// The end of a list, which has the newest versions.
fn last(list: &str, separator: char) -> String {
    const MOST: usize = 6;
    let items: Vec<&str> = list.split(separator).map(str::trim).collect();
    let shown = items[items.len().saturating_sub(MOST)..].join(&format!("{separator} "));
    if items.len() > MOST {
        format!("…{separator} {shown}")
    } else {
        shown
    }
}

/// An error line with only the newest of the versions that there are.
fn with_last_versions(line: &str) -> String {
    const VERSIONS: &str = "(from versions: ";
    let Some((before, after)) = line.rsplit_once(VERSIONS) else {
        return line.to_owned();
    };
    match after.split_once(')') {
        Some((versions, after)) => format!("{before}{VERSIONS}{}){after}", last(versions, ',')),
        None => line.to_owned(),
    }
}

/// A failure of pip while `doing` something; `reason` may have several lines.
pub(super) fn failure(doing: &str, reason: &str) -> FailureReport {
    let break_or_blank = if reason.contains('\n') { '\n' } else { ' ' };
    let reason = redact::masked(reason);
    let mut report = FailureReport::new(format!("pip cannot {doing}:{break_or_blank}{reason}"));
    report.help = emulation(&reason).map(str::to_owned);
    report
}

/// What to do about a program for another processor, if that is the `reason` of a failure.
pub(super) fn emulation(reason: &str) -> Option<&'static str> {
    reason.contains(FOREIGN).then_some(NOT_FOREIGN)
}

/// What is wrong with the certificate of an index, if that is why pip failed: with the server, and what to do.
pub(super) fn certificate(output: &str) -> Option<(String, &'static str)> {
    let lines = || {
        output
            .lines()
            .filter_map(|line| Some((line, CertificateFault::in_text(line)?)))
    };
    let (_, fault) = lines().next()?;
    let server = lines().find_map(|(line, _)| server(line));
    let to = server.map(|server| format!(" to {server}"));
    let message = format!("no secure connection{}: {fault}", to.unwrap_or_default());
    Some((message, fault.help()))
}

/// The server that a line is about: `Could not fetch URL https://pypi.example/simple/: …`, or in urllib3's words
/// `HTTPSConnectionPool(host='pypi.example', port=443)`.
pub(super) fn server(line: &str) -> Option<String> {
    if let Some((_, address)) = line.split_once("https://") {
        let server = address.split(['/', ' ']).next()?;
        return Some(server.rsplit('@').next().unwrap_or(server).to_owned());
    }
    let (_, rest) = line.split_once("host='")?;
    let (host, rest) = rest.split_once('\'')?;
    let port = rest.strip_prefix(", port=");
    let port = port.and_then(|rest| rest.split(')').next());
    Some(match port {
        None | Some("443") => host.to_owned(),
        Some(port) => format!("{host}:{port}"),
    })
}

/// Passes the builder's network settings to `command`: proxies, pip's own settings, the authorities to trust, and these
/// `variables`. Downloads and builds go to [`WORK_DIR`], because they may need a lot of space.
///
/// # Errors
/// Authorities that cannot be used.
pub(super) fn with_network(
    command: &mut Command,
    variables: &BTreeSet<&str>,
) -> Result<(), FailureReport> {
    command.env("TMPDIR", WORK_DIR);
    for (name, value) in std::env::vars_os() {
        let known = name.to_str().is_some_and(|name| {
            let is_proxy = name.to_ascii_lowercase().ends_with("_proxy");
            is_proxy || name.starts_with("PIP_") || is_version(name) || variables.contains(name)
        });
        if known {
            command.env(name, value);
        }
    }
    for (name, path) in [("PIP_CONFIG_FILE", CONFIG_SECRET), ("NETRC", NETRC_SECRET)] {
        if Path::new(path).exists() {
            command.env(name, path);
        }
    }
    let file = Trust::of_build().and_then(|trust| trust.file());
    let file = file.map_err(|report| FailureReport {
        // The first line of the list asks for an index.
        culprits: vec![Culprit::Package(0)],
        ..report
    })?;
    command.envs(authorities::variables(file));
    Ok(())
}

/// Whether pip knows servers besides those in its list: from its variables or its configuration. A list's `--index-url` takes the
/// place of `PIP_INDEX_URL`.
pub(super) fn has_own_index() -> bool {
    let mut variables = ["PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS"].into_iter();
    variables.any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
        || std::fs::metadata(CONFIG_SECRET).is_ok_and(|file| file.is_file() && file.len() > 0)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_python_for_another_platform_is_explained() {
        let dir = tempfile::tempdir().unwrap();
        let python = dir.path().join("bin/python");
        std::fs::create_dir(dir.path().join("bin")).unwrap();
        // The header of a program for a processor that does not exist.
        let mut elf = b"\x7fELF\x02\x01\x01".to_vec();
        elf.resize(64, 0);
        elf[16] = 2;
        elf[18..20].copy_from_slice(&[0xff, 0xfe]);
        std::fs::write(&python, elf).unwrap();
        std::fs::set_permissions(&python, std::fs::Permissions::from_mode(0o755)).unwrap();
        let output = run(super::python(dir.path()), &mut std::io::sink()).unwrap_err();
        let report = failure("install the PyPI packages", &reason(&output));
        assert!(report.message.contains("for another platform"), "{report}");
        assert!(report.help.is_some());
    }

    #[test]
    fn the_server_whose_certificate_is_not_accepted_is_named() {
        let fault = "(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has expired (_ssl.c:1028)'))";
        for (line, expected) in [
            (
                "Could not fetch URL https://me:pw@i.example:8443/simple/six/: There was a problem confirming the ssl certificate: ",
                " to i.example:8443",
            ),
            (
                "HTTPSConnectionPool(host='i.example', port=443): ",
                " to i.example",
            ),
            (
                "HTTPSConnectionPool(host='i.example', port=84): ",
                " to i.example:84",
            ),
            ("WARNING: Retrying ", ""),
        ] {
            let (message, _) = certificate(&format!("Collecting six\n{line}{fault}\n")).unwrap();
            let expected = format!(
                "no secure connection{expected}: the server's certificate has expired, or is not valid yet"
            );
            assert_eq!(message, expected);
        }
        assert_eq!(
            certificate("Collecting certifi\nERROR: No matching distribution\n"),
            None
        );
    }

    #[test]
    fn output_of_pip_has_no_secrets() {
        let mut command = Command::new("/bin/sh");
        let script = "echo fetching https://me:pw@i.example/x; echo \"with $TOKEN\" >&2; exit 1";
        command.env("TOKEN", "tk-12345").args(["-c", script]);
        let mut log = Vec::new();
        let error = run(command, &mut log).unwrap_err();
        let log = String::from_utf8(log).unwrap();
        for text in [error, log] {
            assert_eq!(text, "fetching https://***@i.example/x\nwith ***\n");
        }
    }
}
