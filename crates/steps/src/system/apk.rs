//! apk, Alpine's package manager.

use std::process::Command;

use super::failure::{Failure, indices};
use super::process::Tool;
use condafront_model::prose;

/// Installs `packages` and keeps no downloads.
pub(super) fn install(
    tool: &mut Tool<'_>,
    program: &str,
    packages: &[String],
) -> Result<(), Failure> {
    let ended = tool
        .run(&command(program, packages))
        .map_err(Failure::new)?;
    if !ended.status.success() {
        return Err(explain(&ended.output, packages));
    }
    Ok(())
}

fn command(program: &str, packages: &[String]) -> Command {
    let mut command = Command::new(program);
    command
        .args(["add", "--no-cache", "--no-progress"])
        .args(packages);
    command
}

/// A package's name: what comes before its version or repository tag.
fn name_of(package: &str) -> &str {
    package.split(['=', '@']).next().unwrap_or(package)
}

/// Why `apk add` failed.
pub(super) fn explain(output: &str, packages: &[String]) -> Failure {
    const UNKNOWN: &str = " (no such package):";
    let unknown: Vec<&str> = output
        .lines()
        .filter_map(|line| Some(line.trim().strip_suffix(UNKNOWN)?.trim()))
        .collect();
    // apk treats an index that it could not read as empty.
    let unread = output.lines().any(|line| {
        line.starts_with("WARNING: ")
            && (line.contains("fetching") || line.contains("opening") || line.contains("Ignoring"))
    });
    if unread {
        return Failure::of_network("apk cannot read the package lists", output, output);
    }
    if !unknown.is_empty() {
        let what = match unknown.len() {
            1 => "package",
            _ => "packages",
        };
        return Failure::new(format!("apk has no {what} {} for this base image", prose::and(prose::code(&unknown))))
            .help("Look up the name at https://pkgs.alpinelinux.org/packages; the package may be in a repository that the base image does not use.")
            .of(indices(packages, &unknown, name_of));
    }
    if let Some((name, providers)) = virtual_package(output) {
        return Failure::new(format!(
            "`{name}` is a virtual package: apk does not choose which package provides it"
        ))
        .help(format!(
            "Write one that does: {}.",
            prose::or(prose::code(&providers))
        ))
        .of(indices(packages, &[name], name_of));
    }
    if let Some((found, wanted)) = broken_pin(output) {
        let name = name_of(wanted);
        let version = found
            .strip_prefix(name)
            .unwrap_or(found)
            .trim_start_matches('-');
        // Without the revision, `-r3`.
        let version = version.split('-').next().unwrap_or(version);
        let begins: Vec<&str> = version.splitn(3, '.').take(2).collect();
        return Failure::new(format!("apk does not have `{wanted}` for this base image"))
            .help(format!(
                "It has `{found}`. Alpine keeps one version of each package: remove the version, or give only its beginning, as in `{name}=~{}`.",
                begins.join(".")
            ))
            .of(indices(packages, &[wanted], |package| package));
    }
    Failure::with_output("apk cannot install the packages", output)
}

/// A virtual package, and what provides it: `mta (virtual):` above `provided by: exim postfix`.
fn virtual_package(output: &str) -> Option<(&str, Vec<&str>)> {
    let mut lines = output.lines().map(str::trim);
    let name = lines.find_map(|line| line.strip_suffix(" (virtual):"))?;
    let first = lines.find_map(|line| line.strip_prefix("provided by:"))?;
    let more = lines.take_while(|line| !line.contains(':'));
    let providers = std::iter::once(first).chain(more);
    let providers: Vec<&str> = providers.flat_map(str::split_whitespace).take(8).collect();
    (!providers.is_empty()).then_some((name, providers))
}

/// The available package and the requested one: `curl-8.9.0-r0:` above `breaks: world[curl=8.8.0-r0]`.
fn broken_pin(output: &str) -> Option<(&str, &str)> {
    let mut found = "";
    for line in output.lines().map(str::trim) {
        if let Some(wanted) = line.strip_prefix("breaks: world[") {
            return Some((found, wanted.strip_suffix(']')?));
        }
        if let Some(package) = line.strip_suffix(':') {
            found = package;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_downloads_are_kept() {
        let command = command("/sbin/apk", &["tini".to_owned(), "curl=~8.9".to_owned()]);
        let args: Vec<_> = command.get_args().collect();
        assert_eq!(
            args,
            ["add", "--no-cache", "--no-progress", "tini", "curl=~8.9"]
        );
    }

    #[test]
    fn what_apk_says_is_told_shortly_at_the_package() {
        let packages = ["tinii", "curl=8.8.0-r0", "htop", "jq=9.0"].map(str::to_owned);
        let outputs = [
            "fetch https://a/main/x86_64/APKINDEX.tar.gz\nERROR: unable to select packages:\n  tinii (no such package):\n    required by: world[tinii]\n",
            "ERROR: unable to select packages:\n  curl-8.9.0-r0:\n    breaks: world[curl=8.8.0-r0]\n",
            "fetch https://a/main/x86_64/APKINDEX.tar.gz\nWARNING: updating and opening https://a/main: temporary error (try again later)\nERROR: unable to select packages:\n  htop (no such package):\n    required by: world[htop]\n",
            "ERROR: unable to select packages:\n  htop (virtual):\n    note: please select one of the 'provided by'\n          packages explicitly\n    provided by: exim opensmtpd\n                 postfix\n    required by: world[htop]\n",
            "ERROR: unable to select packages:\n  jq-1.7-r3:\n    breaks: world[jq=9.0]\n",
            "fetch https://a/main/x86_64/APKINDEX.tar.gz\nWARNING: fetching https://a/main: TLS: server certificate not trusted\nERROR: unable to select packages:\n  htop (no such package):\n    required by: world[htop]\n",
            "ERROR: Unable to lock database: Read-only file system\nERROR: Failed to open apk database: Read-only file system\n",
        ];
        let all = outputs.map(|output| {
            let report = explain(output, &packages).into_report("apk");
            format!(
                "{output}\n=> {report}\nat {:?}\nhelp: {}\n",
                report.culprits,
                report.help.clone().unwrap_or_default()
            )
        });
        insta::assert_snapshot!(all.join("\n----\n"));
    }
}
