//! Explicit locks: a line `@EXPLICIT`, then one package URL per line, optionally followed by `#` and a hash.
//!
//! ```text
//! # platform: linux-64
//! @EXPLICIT
//! https://conda.anaconda.org/conda-forge/linux-64/zlib-1.3.1-hb9d3cd8_2.conda#sha256:5d7c0e5f…
//! https://conda.anaconda.org/conda-forge/noarch/tzdata-2025b-h78e105d_0.conda#4222072737ccff51314b5ece9c7d6f5a
//! # pip idna @ https://files.pythonhosted.org/packages/…/idna-3.10-py3-none-any.whl#sha256=946d195a…
//! ```
//!
//! Hashes are `#<32 hex>` (MD5), `#<64 hex>` or `#sha256:<64 hex>`, as conda and micromamba read them
//! (<https://conda.org/learn/ceps/cep-0023>, `libmamba/src/specs/package_info.cpp`).
//!
//! Some comments have a meaning:
//! - `# platform: linux-64` sets the platform of the `# pip` lines below it;
//! - `# pip NAME @ URL#sha256=HASH` is a PyPI package, as `conda-lock render --kind explicit` writes it and
//!   `conda-lock install` reads it;
//! - `# no URL for: FILE` is what conda writes for a package that it does not know the URL of;
//! - `# name:`, `# variable:` and `# size:` are written by [`crate::explicit_lock`].

mod hash;

use std::collections::BTreeMap;
use std::sync::Arc;

use self::hash::{parts, with_hash};
use super::locked::address;
use super::locked::skip::or_skip;
use super::locked::{Locked, Repeats, Unverified, other_platform};
use crate::environment_input::EnvironmentInput;
use crate::explicit_lock::MARKER;
use crate::place::Place;
use crate::reserved;
use crate::settings::InputSettings;
use condafront_model::environment_prefix::EnvironmentPrefix;
use condafront_model::execve;
use condafront_model::lint::Rule;
use condafront_model::package::{Hashes, Package};
use condafront_model::platform::{Platform, is_subdir};
use condafront_model::pypi_package::PipPackage;
use condafront_model::redact;
use condafront_model::source::{Diagnostic, Lines, SourceFile};

/// Help for what is not the URL of a package.
const ADVICE: &str = "Write one http(s) URL of a conda package per line.";

/// How a comment begins that names a package without a URL.
const NO_URL: &str = "no URL for";

/// Reads the packages for `platform`; packages for other platforms in the same file are ignored.
///
/// # Errors
/// A diagnostic at the line: an entry that is not a package URL, an invalid hash, two versions of one package, no
/// packages at all, or none for this platform.
pub(crate) fn read(
    file: &Arc<SourceFile>,
    text: &str,
    platform: Platform,
    settings: &InputSettings,
) -> Result<EnvironmentInput, Diagnostic> {
    let mut reader = Reader {
        locked: Locked::new(
            file,
            settings,
            Unverified {
                conda: "Append #sha256:<hash> to the URL, or regenerate the lock file with --sha256.",
                pip: "Append #sha256=<hash> to the URL.",
            },
        ),
        marker: None,
        declared: None,
        prefix: None,
        variables: BTreeMap::new(),
        size: None,
        pip: Vec::new(),
        platform,
        elsewhere: Vec::new(),
    };
    for name in text.lines().filter_map(|line| name_in(line.trim())) {
        reader.locked.skip.know(&name);
    }
    reader.locked.skip.check_names(file)?;
    for (index, line) in text.lines().enumerate() {
        reader.line(line.trim(), Lines::one(index + 1))?;
    }
    reader.finish()
}

/// The name of the package that a line asks for.
fn name_in(line: &str) -> Option<String> {
    match line.strip_prefix('#') {
        Some(comment) => {
            let comment = comment.trim();
            if let Some(file_name) = comment.strip_prefix(NO_URL) {
                return address::conda_name(file_name.trim().strip_prefix(':')?.trim_start());
            }
            let (name, _) = comment.strip_prefix("pip ")?.split_once(" @ ")?;
            Some(name.trim().to_owned())
        }
        None => address::conda_name(line.split('#').next()?.trim_end()),
    }
}

struct Reader<'a> {
    locked: Locked<'a>,
    marker: Option<Lines>,
    declared: Option<(String, Lines)>,
    prefix: Option<EnvironmentPrefix>,
    variables: BTreeMap<String, String>,
    /// The size, from a comment, of the package on the next line.
    size: Option<u64>,
    /// PyPI packages, each with the platform that it is declared for.
    pip: Vec<(PipPackage, Option<String>)>,
    /// The platform to read the lock for.
    platform: Platform,
    /// The subdirs and places of packages for other platforms that no build could install.
    elsewhere: Vec<(String, Lines)>,
}

impl Reader<'_> {
    fn line(&mut self, line: &str, lines: Lines) -> Result<(), Diagnostic> {
        if let Some(comment) = line.strip_prefix('#') {
            self.comment(comment.trim(), lines)?;
        } else if line == MARKER {
            self.marker.get_or_insert(lines);
        } else if !line.is_empty() {
            if self.marker.is_none() {
                let help = if address::conda_name(line).is_some() {
                    "Move the package below it; only comments may come before it."
                } else {
                    "Remove the line; only comments may come before it."
                };
                return Err(Diagnostic::new(format!(
                    "`{}` comes before the line {MARKER}",
                    redact::quoted(line)
                ))
                .at(self.locked.file, lines)
                .help(help));
            }
            self.entry(line, lines)?;
        }
        Ok(())
    }

    fn entry(&mut self, line: &str, lines: Lines) -> Result<(), Diagnostic> {
        let size = self.size.take();
        let (url, hash) = parts(line);
        let name = address::conda_name(url);
        let is_left_out = |name: &String| self.locked.skip.conda(name);
        if name.as_ref().is_some_and(is_left_out) {
            return Ok(());
        }
        if is_of_pip(line) {
            return Err(Diagnostic::new(format!(
                "`{}` is a PyPI package, not a conda package",
                redact::quoted(line)
            ))
            .at(self.locked.file, lines)
            .help("Write it as a comment with the URL of its file: # pip NAME @ URL#sha256=<64 hex digits>."));
        }
        let mut package = match self.package(url, hash, name, lines) {
            Ok(package) => package,
            Err(error) => {
                let is_other =
                    |subdir: &&str| *subdir != self.platform.subdir() && is_subdir(subdir);
                let Some(subdir) = address::subdir(url).filter(is_other) else {
                    return Err(error);
                };
                // What is for another platform cannot be wrong for this one.
                self.elsewhere.push((subdir.to_owned(), lines));
                return Ok(());
            }
        };
        package.size = size;
        self.locked.packages.push(package);
        Ok(())
    }

    fn package(
        &mut self,
        url: &str,
        hash: &str,
        name: Option<String>,
        lines: Lines,
    ) -> Result<Package, Diagnostic> {
        let url = self.locked.filled(url, lines)?;
        let file = self.locked.file;
        let package = address::conda(file, &url, Hashes::default(), lines, ADVICE);
        let package = package.map_err(|error| match name {
            Some(name) => or_skip(error, &name),
            None => error,
        })?;
        with_hash(package, hash, file)
    }

    fn comment(&mut self, comment: &str, lines: Lines) -> Result<(), Diagnostic> {
        self.size = None;
        if let Some(requirement) = comment.strip_prefix("pip ") {
            return self.pip(requirement.trim(), lines);
        }
        let Some((key, value)) = comment.split_once(':') else {
            return Ok(());
        };
        let value = value.trim();
        match key {
            "platform" => self.declared = Some((value.to_owned(), lines)),
            "size" => self.size = value.parse().ok(),
            NO_URL => self.without_url(value, lines),
            "name" if is_plain(value) => self.prefix = EnvironmentPrefix::of(value).ok(),
            "variable" => match variable(value) {
                Some((name, value)) => self.variable(name, value, lines)?,
                None => self.ignored(
                    format!("`# {}` does not set a variable", redact::quoted(comment)),
                    "Write # variable: NAME=\"value\".",
                    lines,
                ),
            },
            _ => {}
        }
        Ok(())
    }

    /// A package that conda could not list.
    fn without_url(&mut self, file_name: &str, lines: Lines) {
        let name = address::conda_name(file_name);
        if name.is_some_and(|name| self.locked.skip.conda(&name)) {
            return;
        }
        self.ignored(
            format!(
                "the lock does not have {}: conda did not know its URL",
                redact::quoted(file_name)
            ),
            "Replace the comment with the package's URL, or remove it if the environment does not need the package.",
            lines,
        );
    }

    fn variable(&mut self, name: String, value: String, lines: Lines) -> Result<(), Diagnostic> {
        let file = self.locked.file;
        execve::check_value(&name, &value).map_err(|why| {
            Diagnostic::new(format!("the variable {name} {why}"))
                .at(file, lines)
                .help(why.help())
                .caused_by(why)
        })?;
        match reserved::left_out(&name, &value, Place { file, lines }) {
            Some(warning) => self.locked.warnings.push(warning),
            None => drop(self.variables.insert(name, value)),
        }
        Ok(())
    }

    /// `NAME @ URL`, or what older versions of conda-lock wrote: `NAME === VERSION --hash=sha256:HASH`.
    fn pip(&mut self, requirement: &str, lines: Lines) -> Result<(), Diagnostic> {
        let Some((name, url)) = requirement.split_once(" @ ") else {
            let name = requirement.split_whitespace().next().unwrap_or_default();
            self.ignored(
                format!("the pip package {} in a comment is not installed: it has no URL", redact::quoted(name)),
                "Write # pip NAME @ URL#sha256=<64 hex digits>, or build from the conda-lock.yml itself.",
                lines,
            );
            return Ok(());
        };
        if self.locked.skip.pypi(name.trim()) {
            return Ok(());
        }
        let platform = self.declared.as_ref().map(|(name, _)| name.clone());
        let url = self.locked.filled_pip(url.trim(), lines)?;
        let is_for = |platform: &String| platform == self.platform.subdir();
        if url.starts_with("git+") && platform.as_ref().is_some_and(|it| !is_for(it))
            || self.locked.add_repository(name.trim(), &url, lines)?
        {
            return Ok(());
        }
        let package = address::pip(
            self.locked.file,
            name.trim(),
            None,
            &url,
            Hashes::default(),
            lines,
        )?;
        self.pip.push((package, platform));
        Ok(())
    }

    fn ignored(&mut self, message: String, help: &str, lines: Lines) {
        let diagnostic = Diagnostic::new(message)
            .at(self.locked.file, lines)
            .help(help);
        self.locked.warn(Rule::Ignored, diagnostic);
    }

    fn finish(mut self) -> Result<EnvironmentInput, Diagnostic> {
        let file = self.locked.file;
        let platform = self.platform;
        let packages = &self.locked.packages;
        if packages.is_empty() && self.elsewhere.is_empty() {
            self.locked.skip.check_rest(file)?;
            let diagnostic = Diagnostic::new(format!("{} lists no packages", file.name()))
                .help(format!("Add one package URL per line below {MARKER}."));
            return Err(match self.marker {
                Some(lines) => diagnostic.at(file, lines),
                None => diagnostic,
            });
        }
        let specific = packages.iter().filter(|package| !package.is_noarch());
        let specific = specific.map(|package| (package.subdir.as_str(), package.lines));
        let elsewhere = self.elsewhere.iter();
        let elsewhere = elsewhere.map(|(subdir, lines)| (subdir.as_str(), *lines));
        let found: Vec<(&str, Lines)> = specific.chain(elsewhere).collect();
        let fits = |package: &Package| package.subdir == platform.subdir();
        if let Some((subdir, lines)) = found.first()
            && !packages.iter().any(fits)
        {
            let lines = match &self.declared {
                Some((name, lines)) if name == subdir => *lines,
                _ => *lines,
            };
            let found = found.iter().map(|(subdir, _)| *subdir).collect();
            return Err(other_platform("the lock", found, platform, file, lines));
        }
        self.locked
            .packages
            .retain(|package| package.is_noarch() || fits(package));
        self.locked.pip = self
            .pip
            .into_iter()
            .filter(|(_, declared)| {
                declared
                    .as_deref()
                    .is_none_or(|name| name == platform.subdir())
            })
            .map(|(package, _)| package)
            .collect();
        self.locked.deduplicate(Repeats::Slip)?;
        let mut input = self.locked.finish();
        input.prefix = self.prefix;
        input.variables = self.variables;
        Ok(input)
    }
}

/// Reads one entry: a package's URL and, after `#`, its hash.
///
/// # Errors
/// A diagnostic at the line.
pub(super) fn entry(
    file: &Arc<SourceFile>,
    line: &str,
    lines: Lines,
) -> Result<Package, Diagnostic> {
    let (url, hash) = parts(line);
    let package = address::conda(file, url, Hashes::default(), lines, ADVICE)?;
    with_hash(package, hash, file)
}

/// Whether a line is what a tool wrote for a package that pip installed: a wheel, `pypi/pypi/six-1.16.0-pypi_0`, or an
/// entry of a list for pip.
fn is_of_pip(line: &str) -> bool {
    let (url, _) = parts(line);
    let is_build = url.ends_with("<pip>") || url.ends_with("pypi_0") || url.contains("-pypi_0.");
    is_build
        || url.ends_with(".whl")
        || url.contains(" --hash=")
        || [
            "pypi/",
            "https://pypi.org/",
            "https://files.pythonhosted.org/",
        ]
        .iter()
        .any(|start| url.starts_with(start))
}

/// Whether a comment's value can be the name of an environment.
fn is_plain(name: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() || "._-".contains(c);
    name.starts_with(char::is_alphanumeric) && name.chars().all(plain)
}

/// Reads `NAME="value"`, the value as JSON or, without quotes, as it is.
fn variable(text: &str) -> Option<(String, String)> {
    let (name, value) = text.split_once('=')?;
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) || !name.chars().all(plain)
    {
        return None;
    }
    let value = if value.starts_with('"') {
        serde_json::from_str(value).ok()?
    } else {
        value.to_owned()
    };
    Some((name.to_owned(), value))
}

#[cfg(test)]
mod tests;
