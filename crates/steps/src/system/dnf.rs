//! dnf, the package manager of Fedora and its relatives; dnf5, microdnf and yum take the same arguments.

use std::fs;
use std::process::Command;

use super::failure::{Failure, indices};
use super::process::Tool;
use condafront_model::prose;
use condafront_step_spec::system::DNF_CACHE;

/// The texts before and after the name of a missing package: dnf and dnf5, microdnf, yum.
const UNKNOWN: [(&str, &str); 3] = [
    ("No match for argument: ", ""),
    ("No package matches '", "'"),
    ("No package ", " available"),
];

/// Output that shows that a package list cannot be read: dnf, dnf5, microdnf, yum.
const UNREAD: [&str; 4] = [
    "Failed to download metadata for repo",
    "Failed to download metadata",
    "cannot update repo",
    "Cannot find a valid baseurl",
];

/// Installs `packages`; the downloads stay in the step's cache mount.
pub(super) fn install(
    tool: &mut Tool<'_>,
    program: &str,
    packages: &[String],
) -> Result<(), Failure> {
    let kind = Kind::of(program);
    let ended = tool
        .run(&command(program, kind, packages, tool.authorities()))
        .map_err(Failure::new)?;
    let unknown = unknown(&ended.output);
    // yum skips packages that it does not know.
    if !ended.status.success() || !unknown.is_empty() {
        return Err(explain(&ended.output, &unknown, packages));
    }
    if kind == Kind::Micro {
        tool.run(Command::new(program).args(["clean", "all"]))
            .map_err(Failure::new)?;
    }
    Ok(())
}

/// The kinds of programs that take different settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// dnf 4 and yum.
    Python,
    /// dnf 5, often installed as `dnf`.
    Five,
    /// microdnf, which knows few settings.
    Micro,
}

impl Kind {
    fn of(program: &str) -> Self {
        let real = fs::canonicalize(program).unwrap_or_else(|_| program.into());
        match real.file_name().and_then(|name| name.to_str()) {
            Some("dnf5") => Self::Five,
            Some("microdnf") => Self::Micro,
            _ => Self::Python,
        }
    }
}

fn command(program: &str, kind: Kind, packages: &[String], authorities: Option<&str>) -> Command {
    let cache = match kind {
        Kind::Python => Some("cachedir"),
        // The setting that applies to root.
        Kind::Five => Some("system_cachedir"),
        Kind::Micro => None,
    };
    let mut command = Command::new(program);
    command.args(["-y", "install", "--setopt=install_weak_deps=0"]);
    if let Some(setting) = cache {
        command
            .arg(format!("--setopt={setting}={DNF_CACHE}"))
            .arg("--setopt=keepcache=1");
    }
    if let Some(file) = authorities.filter(|_| kind != Kind::Micro) {
        command.arg(format!("--setopt=sslcacert={file}"));
    }
    command.args(packages);
    command
}

/// The packages that dnf did not find.
pub(super) fn unknown(output: &str) -> Vec<&str> {
    let mut found: Vec<&str> = Vec::new();
    for line in output.lines() {
        let name = UNKNOWN.iter().find_map(|(start, end)| {
            let (_, rest) = line.split_once(start)?;
            match *end {
                "" => Some(rest.trim()),
                end => Some(rest.split_once(end)?.0),
            }
        });
        if let Some(name) = name.filter(|name| !found.contains(name)) {
            found.push(name);
        }
    }
    found
}

/// Why an install failed.
pub(super) fn explain(output: &str, unknown: &[&str], packages: &[String]) -> Failure {
    if UNREAD.iter().any(|mark| output.contains(mark)) {
        return Failure::of_network("dnf cannot read the package lists", output, output);
    }
    if !unknown.is_empty() {
        let what = match unknown.len() {
            1 => "package",
            _ => "packages",
        };
        return Failure::new(format!("dnf has no {what} {} for this base image", prose::and(prose::code(unknown))))
            .help("Check the name, and the version if there is one. The package may be in a repository that the base image does not use, such as EPEL.")
            .of(indices(packages, unknown, |package| package));
    }
    Failure::with_output("dnf cannot install the packages", output)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weak_dependencies_are_skipped_and_downloads_are_cached() {
        let args = |kind| {
            let packages = ["mesa-libGL".to_owned()];
            let command = command("/usr/bin/dnf", kind, &packages, Some("/all.pem"));
            let args = command.get_args().map(|arg| arg.to_string_lossy());
            args.collect::<Vec<_>>().join(" ")
        };
        assert_eq!(
            [Kind::Python, Kind::Five, Kind::Micro].map(args),
            [
                "-y install --setopt=install_weak_deps=0 --setopt=cachedir=/.condafront-dnf --setopt=keepcache=1 --setopt=sslcacert=/all.pem mesa-libGL",
                "-y install --setopt=install_weak_deps=0 --setopt=system_cachedir=/.condafront-dnf --setopt=keepcache=1 --setopt=sslcacert=/all.pem mesa-libGL",
                "-y install --setopt=install_weak_deps=0 mesa-libGL",
            ]
        );
    }

    #[test]
    fn what_dnf_says_is_told_shortly_at_the_package() {
        let packages = ["mesa-libGLL", "curl-1.0", "htop"].map(str::to_owned);
        let outputs = [
            // dnf 4
            "Last metadata expiration check: 0:00:10 ago.\nNo match for argument: mesa-libGLL\nNo match for argument: curl-1.0\nError: Unable to find a match: mesa-libGLL curl-1.0\n",
            // dnf 5
            "Updating and loading repositories:\nRepositories loaded.\nFailed to resolve the transaction:\nNo match for argument: curl-1.0\nYou can try to add to command line:\n  --skip-unavailable to skip unavailable packages\n",
            // microdnf
            "error: No package matches 'mesa-libGLL'\n",
            // yum
            "No package mesa-libGLL available.\nInstalled:\n  htop.x86_64 0:2.2.0-3.el7\n",
            "Errors during downloading metadata for repository 'fedora':\n  - Curl error (6): Could not resolve hostname for https://a [Could not resolve host: a]\nError: Failed to download metadata for repo 'fedora': Cannot prepare internal mirrorlist\n",
            "Errors during downloading metadata for repository 'a':\n  - Curl error (60): SSL peer certificate or SSH remote key was not OK for https://a [SSL certificate problem: self-signed certificate in certificate chain]\nError: Failed to download metadata for repo 'a': Cannot download repomd.xml\n",
            "Error: Transaction test error:\n  file /usr/bin/a from install of b conflicts with file from package c\n",
        ];
        let all = outputs.map(|output| {
            let report = explain(output, &unknown(output), &packages).into_report("dnf");
            format!(
                "{output}\n=> {report}\nat {:?}\nhelp: {}\n",
                report.culprits,
                report.help.clone().unwrap_or_default()
            )
        });
        insta::assert_snapshot!(all.join("\n----\n"));
    }
}
