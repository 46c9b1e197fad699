//! apt, the package manager of Debian and Ubuntu.
//!
//! Its lists and archives are in a cache mount outside its own directories: none of them gets into the image, and the
//! hooks with which Debian's images clean up (`/etc/apt/apt.conf.d/docker-clean`) do not empty the cache.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::failure::{Failure, indices};
use super::process::Tool;
use crate::child::Ended;
use condafront_model::nearest::did_you_mean;
use condafront_model::prose;
use condafront_step_spec::system::APT_CACHE;

/// Settings that override the base image's (apt.conf(5)).
const SETTINGS: &str = r#"
APT::Get::Assume-Yes "true";
APT::Install-Recommends "false";
APT::Install-Suggests "false";
APT::Keep-Downloaded-Packages "true";
APT::Update::Error-Mode "any";
APT::Color "0";
Acquire::Languages "none";
Acquire::Retries "3";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
Dir::Log::History "/dev/null";
Dir::Log::Terminal "/dev/null";
Dir::Log::Planner "/dev/null";
Dir::Log::Solver "/dev/null";
Dpkg::Use-Pty "0";
Dpkg::Progress-Fancy "0";
Dpkg::Options:: "--force-confdef";
Dpkg::Options:: "--force-confold";
Dpkg::Options:: "--log=/dev/null";
quiet "1";
"#;

/// apt's lists and archives, below the cache mount.
const FOLDERS: [&str; 2] = ["lists/partial", "archives/partial"];

/// Where apt reads the settings from.
const CONFIG: &str = "/tmp/condafront-apt.conf";

/// Reads the package lists and installs `packages`; `program` is apt-get.
pub(super) fn install(
    tool: &mut Tool<'_>,
    program: &str,
    packages: &[String],
) -> Result<(), Failure> {
    add_architectures(tool, packages)?;
    update(tool, program)?;
    let mut command = apt(program);
    command.arg("install").args(packages);
    let ended = tool.run(&command).map_err(Failure::new)?;
    if ended.status.success() {
        return Ok(());
    }
    Err(explain(&ended.output, packages, &mut |query| {
        ask(tool, program, query)
    }))
}

/// Adds the architectures that packages name, as in `libc6:i386`, to dpkg.
fn add_architectures(tool: &mut Tool<'_>, packages: &[String]) -> Result<(), Failure> {
    for architecture in architectures(packages) {
        let mut command = Command::new("dpkg");
        command.args(["--add-architecture", architecture]);
        let ended = tool.run(&command).map_err(Failure::new)?;
        if !ended.status.success() {
            let what = format!("dpkg cannot add the architecture `{architecture}`");
            return Err(Failure::with_output(&what, &ended.output));
        }
    }
    Ok(())
}

/// The architectures in package names, except the words that every dpkg knows.
fn architectures(packages: &[String]) -> BTreeSet<&str> {
    let names = packages
        .iter()
        .filter_map(|package| package.split('=').next());
    let named = names.filter_map(|name| Some(name.split_once(':')?.1));
    named
        .filter(|architecture| !["any", "native", "all"].contains(architecture))
        .collect()
}

/// Reads the package lists, unless this step already has.
pub(super) fn update(tool: &mut Tool<'_>, program: &str) -> Result<(), Failure> {
    if tool.has_read_lists() {
        return Ok(());
    }
    prepare(tool.authorities())
        .map_err(|error| Failure::new(format!("cannot create apt's cache: {error}")))?;
    let ended = tool.run(apt(program).arg("update")).map_err(Failure::new)?;
    if !ended.status.success() {
        return Err(no_lists(&ended));
    }
    tool.lists_are_read();
    Ok(())
}

/// Downloads the archive of one package into the directory `dir`.
pub(super) fn download(
    tool: &mut Tool<'_>,
    program: &str,
    package: &str,
    dir: &Path,
) -> Result<PathBuf, Failure> {
    let mut command = apt(program);
    // The directory belongs to root; apt's own user cannot write there.
    command
        .args(["-o", "APT::Sandbox::User=root", "download", package])
        .current_dir(dir);
    let ended = tool.run(&command).map_err(Failure::new)?;
    let archive = fs::read_dir(dir).ok().into_iter().flatten().flatten();
    let mut archives = archive
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|suffix| suffix == "deb"));
    match archives.next() {
        Some(path) if ended.status.success() => Ok(path),
        _ => Err(Failure::of_network(
            &format!("apt cannot download {package}"),
            &errors(&ended.output),
            &ended.output,
        )),
    }
}

fn prepare(authorities: Option<&str>) -> std::io::Result<()> {
    for folder in FOLDERS {
        fs::create_dir_all(Path::new(APT_CACHE).join(folder))?;
    }
    let places = format!(
        "Dir::State::lists \"{APT_CACHE}/lists\";\nDir::Cache::archives \"{APT_CACHE}/archives\";\n"
    );
    let authorities = authorities.map(|file| format!("Acquire::https::CaInfo \"{file}\";\n"));
    let authorities = authorities.unwrap_or_default();
    fs::write(CONFIG, format!("{SETTINGS}{places}{authorities}"))
}

fn apt(program: &str) -> Command {
    let mut command = Command::new(program);
    // The variable is for programs that apt starts; the base image's settings override it, but not `-c`.
    command.env("APT_CONFIG", CONFIG).args(["-c", CONFIG]);
    command
}

/// Asks apt-cache, which is next to apt-get.
fn ask(tool: &mut Tool<'_>, program: &str, query: &[&str]) -> String {
    let mut command = apt(&program.replace("apt-get", "apt-cache"));
    let answer = tool.quietly(command.args(query));
    answer.map(|ended| ended.output).unwrap_or_default()
}

fn no_lists(ended: &Ended) -> Failure {
    Failure::of_network(
        "apt cannot read the package lists",
        &errors(&ended.output),
        &ended.output,
    )
}

/// apt's own error lines without duplicates; the whole output if there are none.
fn errors(output: &str) -> String {
    const NOISE: &str = "Some index files failed to download";
    let mut seen = BTreeSet::new();
    let is_error = |line: &&str| {
        ["E: ", "Err:", "W: Failed"]
            .iter()
            .any(|mark| line.starts_with(mark))
    };
    let lines = output.lines().filter(is_error);
    let lines = lines.filter(|line| !line.contains(NOISE) && seen.insert(*line));
    let lines: Vec<&str> = lines.collect();
    if lines.is_empty() {
        output.to_owned()
    } else {
        lines.join("\n")
    }
}

/// The text between `start` and `end` in the lines that have both.
fn between<'a>(output: &'a str, start: &str, end: &str) -> Vec<&'a str> {
    let found = output.lines().filter_map(|line| {
        let (_, rest) = line.split_once(start)?;
        match end {
            "" => Some(rest.trim()),
            end => Some(rest.split_once(end)?.0),
        }
    });
    found.collect()
}

/// A package's name: what comes before its version.
fn name_of(package: &str) -> &str {
    package.split('=').next().unwrap_or(package)
}

/// Why an install failed; `ask` asks apt-cache.
pub(super) fn explain(
    output: &str,
    packages: &[String],
    ask: &mut dyn FnMut(&[&str]) -> String,
) -> Failure {
    let mut unknown = between(output, "E: Unable to locate package ", "");
    unknown.extend(between(
        output,
        "E: Couldn't find any package by glob '",
        "'",
    ));
    unknown.extend(between(
        output,
        "E: Couldn't find any package by regex '",
        "'",
    ));
    let mut seen = BTreeSet::new();
    unknown.retain(|name| seen.insert(*name));
    if !unknown.is_empty() {
        return of_unknown(&unknown, ask).of(indices(packages, &unknown, name_of));
    }
    let versions = between(output, "E: Version '", "' was not found");
    let versions: Vec<(&str, &str)> = versions
        .iter()
        .filter_map(|text| text.split_once("' for '"))
        .collect();
    if let Some((version, name)) = versions.first() {
        let wanted: Vec<String> = versions
            .iter()
            .map(|(version, name)| format!("{name}={version}"))
            .collect();
        let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
        let culprits = indices(packages, &wanted, |package| package);
        return of_version(name, version, ask).of(culprits);
    }
    let names: Vec<&str> = between(output, "E: Package '", "' has no installation candidate");
    if let Some(name) = names.first() {
        if let Some((failure, named)) = without_candidate(output, name) {
            return failure.of(indices(packages, &[named], name_of));
        }
        return Failure::new(format!(
            "apt knows `{name}` but cannot install it: it is obsolete, or only in another source"
        ))
        .help("Use a package that replaces it: `apt-cache showpkg` lists the candidates.")
        .of(indices(packages, &names, name_of));
    }
    const WHAT: &str = "apt cannot install the packages";
    if output.contains("E: Failed to fetch") {
        return Failure::of_network(WHAT, &errors(output), output);
    }
    const UNMET: &str = "The following packages have unmet dependencies:\n";
    if let Some((_, shown)) = output.split_once(UNMET) {
        let culprits = indices(packages, &starts_before(shown, " : Depends:"), name_of);
        return Failure::with_output(WHAT, shown).of(culprits);
    }
    // The output of a package's own script comes before dpkg's and apt's errors.
    let failing = between(output, "dpkg: error processing package ", " (");
    if !failing.is_empty() {
        // dpkg names the architecture of some packages whether or not the user does.
        let names: Vec<&str> = failing
            .iter()
            .flat_map(|name| [name, name.split(':').next().unwrap_or(name)])
            .collect();
        return Failure::with_output(WHAT, output).of(indices(packages, &names, name_of));
    }
    Failure::with_output(WHAT, &errors(output))
}

/// apt knows none of these names.
fn of_unknown(names: &[&str], ask: &mut dyn FnMut(&[&str]) -> String) -> Failure {
    let all = ask(&["pkgnames"]);
    let near = names.iter().map(|name| did_you_mean(name, all.lines()));
    let near: Vec<String> = near.flatten().collect();
    let help = match near.as_slice() {
        [] => "Look up the name at https://packages.debian.org or https://packages.ubuntu.com, or in the package lists of the base image's own sources.".to_owned(),
        near => near.join(" "),
    };
    let what = match names.len() {
        1 => "package",
        _ => "packages",
    };
    Failure::new(format!(
        "apt has no {what} {} for this base image",
        prose::and(prose::code(names))
    ))
    .help(help)
}

/// apt has other versions of a package.
fn of_version(name: &str, version: &str, ask: &mut dyn FnMut(&[&str]) -> String) -> Failure {
    let answer = ask(&["madison", name]);
    let mut there: Vec<&str> = answer
        .lines()
        .filter_map(|line| Some(line.split('|').nth(1)?.trim()))
        .collect();
    there.dedup();
    let help = match there.as_slice() {
        [] => format!("Remove the version: `{name}`."),
        there => format!("Use {}.", prose::or(prose::code(there))),
    };
    Failure::new(format!(
        "apt has no version `{version}` of `{name}` for this base image"
    ))
    .help(help)
}

/// Why apt cannot choose a package for `name`, if it says so, and the name.
fn without_candidate<'a>(output: &str, name: &'a str) -> Option<(Failure, &'a str)> {
    const MOST: usize = 8;
    let below = |mark: &str| -> Vec<&str> {
        let lines = output.lines().skip_while(|line| !line.starts_with(mark));
        let listed = lines.skip(1).take_while(|line| line.starts_with("  "));
        listed.collect()
    };
    let shown = |names: &[&str]| {
        let more = names.len().saturating_sub(MOST);
        let shown = prose::code(&names[..names.len() - more]);
        match more {
            0 => prose::or(shown),
            more => format!("{} or one of {more} more", shown.join(", ")),
        }
    };
    // A name, and a version.
    let providers = below(&format!("Package {name} is a virtual package"));
    let providers: Vec<&str> = providers
        .iter()
        .filter_map(|line| line.split_whitespace().next())
        .map(|name| name.split(':').next().unwrap_or(name))
        .collect();
    if !providers.is_empty() {
        let failure = Failure::new(format!(
            "`{name}` is a virtual package: apt does not choose which package provides it"
        ));
        return Some((
            failure.help(format!("Write one that does: {}.", shown(&providers))),
            name,
        ));
    }
    let missing = format!("Package {name} is not available");
    // Names alone.
    let replacing = below("However the following packages replace it:");
    let replacing: Vec<&str> = replacing
        .iter()
        .flat_map(|line| line.split_whitespace())
        .collect();
    (!replacing.is_empty() && output.contains(&missing)).then(|| {
        let failure = Failure::new(format!(
            "apt has no `{name}` for this base image: it is obsolete"
        ));
        (
            failure.help(format!("Use what replaces it: {}.", shown(&replacing))),
            name,
        )
    })
}

/// The text before `mark` in the lines that have it.
fn starts_before<'a>(text: &'a str, mark: &str) -> Vec<&'a str> {
    let lines = text.lines().filter_map(|line| line.split_once(mark));
    lines.map(|(start, _)| start.trim()).collect()
}

#[cfg(test)]
mod tests;
