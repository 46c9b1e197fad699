//! Explicit locks: a line `@EXPLICIT`, then one package URL per line, optionally followed by `#` and a hash.
//!
//! ```text
//! # platform: linux-64
//! @EXPLICIT
//! https://conda.anaconda.org/conda-forge/linux-64/zlib-1.3.1-hb9d3cd8_2.conda#sha256:5d7c0e5f…
//! https://conda.anaconda.org/conda-forge/noarch/tzdata-2025b-h78e105d_0.conda#4222072737ccff51314b5ece9c7d6f5a
//! ```
//!
//! Hashes are `#<32 hex>` (MD5), `#<64 hex>` or `#sha256:<64 hex>`, as conda and micromamba read them
//! (`conda/gateways/…/explicit`, `libmamba/src/specs/package_info.cpp`).

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use url::Url;

use super::{Conda, EnvironmentInput, Pip, Rule, Warning};
use crate::package::{Hashes, Package, PackageId, PackageUrl};
use crate::platform::{self, Platform};
use crate::redact;
use crate::source::{Diagnostic, Lines, SourceFile};

/// The line that makes a file an explicit lock.
const MARKER: &str = "@EXPLICIT";

/// Whether the text is an explicit lock.
pub fn is_explicit(text: &str) -> bool {
    text.lines().any(|line| line.trim() == MARKER)
}

/// Reads the packages for `platform`; those of other platforms in the same file are left out.
///
/// # Errors
/// A diagnostic at the line: an entry that is no package URL, a hash that is none, two versions of one package, no
/// packages at all, or none for this platform.
pub fn read(
    file: &Arc<SourceFile>,
    text: &str,
    platform: Platform,
) -> Result<EnvironmentInput, Diagnostic> {
    let mut reader = Reader {
        file,
        marker: None,
        declared: None,
        entries: Vec::new(),
        warnings: Vec::new(),
    };
    for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        reader.line(line.trim(), Lines::one(index + 1))?;
    }
    reader.finish(platform)
}

struct Reader<'a> {
    file: &'a Arc<SourceFile>,
    marker: Option<Lines>,
    declared: Option<(String, Lines)>,
    entries: Vec<Package>,
    warnings: Vec<Warning>,
}

impl Reader<'_> {
    fn line(&mut self, line: &str, lines: Lines) -> Result<(), Diagnostic> {
        if let Some(comment) = line.strip_prefix('#') {
            self.comment(comment.trim(), lines);
        } else if line == MARKER {
            self.marker.get_or_insert(lines);
        } else if !line.is_empty() {
            if self.marker.is_none() {
                return Err(Diagnostic::new(format!(
                    "`{}` stands before the line {MARKER}",
                    redact::quoted(line)
                ))
                .at(self.file, lines)
                .help("Only comments may come before it; move packages below it."));
            }
            let package = entry(self.file, line, lines)?;
            self.entries.push(package);
        }
        Ok(())
    }

    fn comment(&mut self, comment: &str, lines: Lines) {
        if let Some(name) = comment.strip_prefix("platform:") {
            self.declared = Some((name.trim().to_owned(), lines));
        } else if let Some(requirement) = comment.strip_prefix("pip ") {
            // conda-lock writes what pip is to install as comments of this form.
            let name = requirement.split_whitespace().next().unwrap_or_default();
            self.warnings.push(Warning {
                rule: Rule::Ignored,
                diagnostic: Diagnostic::new(format!(
                    "the pip package {name} in a comment is not installed"
                ))
                .at(self.file, lines),
            });
        }
    }

    fn finish(mut self, platform: Platform) -> Result<EnvironmentInput, Diagnostic> {
        let Some(first) = self.entries.first() else {
            let diagnostic = Diagnostic::new(format!("{} lists no packages", self.file.name()))
                .help(format!("Add one package URL per line below {MARKER}."));
            return Err(match self.marker {
                Some(lines) => diagnostic.at(self.file, lines),
                None => diagnostic,
            });
        };
        let specific = self.entries.iter().find(|package| !package.is_noarch());
        let fits = |package: &Package| package.subdir == platform.subdir();
        if specific.is_some() && !self.entries.iter().any(fits) {
            return Err(self.wrong_platform(specific.unwrap_or(first), platform));
        }
        self.entries
            .retain(|package| package.is_noarch() || fits(package));
        self.deduplicate()?;
        self.warn_of_credentials();
        for package in &self.entries {
            if package.hashes == Hashes::default() {
                self.warnings.push(Warning {
                    rule: Rule::UnverifiedPackage,
                    diagnostic: Diagnostic::new(format!(
                        "{} has no hash: nothing checks what is downloaded",
                        package.id
                    ))
                    .at(self.file, package.lines)
                    .help("Append #sha256:<hash> to the URL, or make the lock with --sha256."),
                });
            }
        }
        Ok(EnvironmentInput {
            name: None,
            variables: BTreeMap::new(),
            conda: Conda::Locked(self.entries),
            pip: Pip::default(),
            warnings: self.warnings,
        })
    }

    /// Once for the whole file: such locks have the token in every line.
    fn warn_of_credentials(&mut self) {
        let Some(package) = self
            .entries
            .iter()
            .find(|package| package.url.has_credentials())
        else {
            return;
        };
        let host = package.url.host();
        self.warnings.push(Warning {
            rule: Rule::CredentialsInUrl,
            diagnostic: Diagnostic::new(format!(
                "the lock holds credentials for {host}: whoever can read the image's provenance may read them"
            ))
            .at(self.file, package.lines)
            .help(format!(
                "Take them out of the URLs and give them with --secret id=HTTP_AUTH_TOKEN_{host}, or build with --provenance=false."
            )),
        });
    }

    fn wrong_platform(&self, example: &Package, platform: Platform) -> Diagnostic {
        let mut found: Vec<&str> = self
            .entries
            .iter()
            .filter(|package| !package.is_noarch())
            .map(|package| package.subdir.as_str())
            .collect();
        found.sort_unstable();
        found.dedup();
        let lines = match &self.declared {
            Some((name, lines)) if *name == example.subdir => *lines,
            _ => example.lines,
        };
        let can: Vec<String> = Platform::ALL
            .into_iter()
            .filter(|candidate| found.contains(&candidate.subdir()))
            .map(|candidate| format!("--platform {candidate}"))
            .collect();
        let help = if can.is_empty() {
            format!("Make a lock for {}.", platform.subdir())
        } else {
            format!(
                "Build with {}, or make a lock for {}.",
                can.join(" or "),
                platform.subdir()
            )
        };
        Diagnostic::new(format!(
            "the lock is for {}, but the image is built for {platform} ({})",
            found.join(", "),
            platform.subdir()
        ))
        .at(self.file, lines)
        .help(help)
    }

    /// Keeps one of several entries for the same archive, and refuses two archives of one name.
    fn deduplicate(&mut self) -> Result<(), Diagnostic> {
        let mut seen: HashMap<String, usize> = HashMap::new();
        let mut kept: Vec<Package> = Vec::with_capacity(self.entries.len());
        for package in std::mem::take(&mut self.entries) {
            let Some(&index) = seen.get(&package.id.name) else {
                seen.insert(package.id.name.clone(), kept.len());
                kept.push(package);
                continue;
            };
            let first = &kept[index];
            if !same_archive(first, &package) {
                return Err(Diagnostic::new(format!(
                    "{} is listed twice, as {} and as {}",
                    package.id.name,
                    describe(first, &package),
                    describe(&package, first)
                ))
                .at(self.file, first.lines)
                .at(self.file, package.lines)
                .help("An environment holds one version of a package; remove one of the lines."));
            }
            self.warnings.push(Warning {
                rule: Rule::DuplicatePackage,
                diagnostic: Diagnostic::new(format!("{} is listed twice", package.id))
                    .at(self.file, package.lines),
            });
        }
        self.entries = kept;
        Ok(())
    }
}

fn same_archive(a: &Package, b: &Package) -> bool {
    let agree = |x: &Option<String>, y: &Option<String>| x.is_none() || y.is_none() || x == y;
    a.id == b.id
        && a.subdir == b.subdir
        && agree(&a.hashes.sha256, &b.hashes.sha256)
        && agree(&a.hashes.md5, &b.hashes.md5)
}

/// What tells `package` from `other`, as shortly as is clear.
fn describe(package: &Package, other: &Package) -> String {
    if package.id == other.id && package.subdir == other.subdir {
        let hash = package
            .hashes
            .sha256
            .as_ref()
            .or(package.hashes.md5.as_ref());
        return format!(
            "{} with hash {}",
            package.id,
            hash.map_or("none", String::as_str)
        );
    }
    format!("{}/{}", package.subdir, package.id.file_name())
}

/// Reads one entry: a package's URL and, behind `#`, its hash.
///
/// # Errors
/// A diagnostic at the line.
pub(super) fn entry(
    file: &Arc<SourceFile>,
    line: &str,
    lines: Lines,
) -> Result<Package, Diagnostic> {
    let error = |message: String| Diagnostic::new(message).at(file, lines);
    let (address, hash) = match line.split_once('#') {
        Some((address, hash)) => (address.trim_end(), Some(hash.trim())),
        None => (line, None),
    };
    let url = address_to_url(address).map_err(|reason| {
        error(reason).help("An explicit lock has one http(s) URL of a conda package per line.")
    })?;
    let shown = PackageUrl::new(url.clone());
    let segments: Vec<&str> = url
        .path()
        .split('/')
        .filter(|part| !part.is_empty())
        .collect();
    let file_name = match (url.path().ends_with('/'), segments.last()) {
        (false, Some(name)) => percent_decoded(name),
        _ => return Err(error(format!("{shown} names a folder, not a package"))),
    };
    let id = PackageId::from_file_name(&file_name).map_err(|reason| {
        error(format!("{shown} is not a conda package: {reason}"))
            .help("Packages are called <name>-<version>-<build>.conda or .tar.bz2.")
    })?;
    let subdir = segments
        .len()
        .checked_sub(2)
        .and_then(|index| segments.get(index))
        .copied()
        .unwrap_or_default();
    if subdir != "noarch" && !platform::is_subdir(subdir) {
        return Err(error(format!(
            "{shown} does not lie in a channel's platform folder"
        ))
        .help(
            "The part before the package's name must be noarch or a platform such as linux-64.",
        ));
    }
    let hashes = match hash {
        None | Some("") => Hashes::default(),
        Some(text) => parse_hash(text).ok_or_else(|| {
            error(format!("`#{}` is not a hash", redact::quoted(text))).help(
                "Write #<32 hex digits> for MD5, #sha256:<64 hex digits> or #<64 hex digits> for SHA-256.",
            )
        })?,
    };
    Ok(Package {
        id,
        subdir: subdir.to_owned(),
        url: PackageUrl::new(url.clone()),
        hashes,
        size: None,
        lines,
    })
}

fn address_to_url(address: &str) -> Result<Url, String> {
    let url = match Url::parse(address) {
        Ok(url) => url,
        Err(_) if address.starts_with('/') || address.starts_with('.') => {
            return Err(format!(
                "`{}` is a path on one machine: the build cannot see it",
                redact::quoted(address)
            ));
        }
        Err(_) => return Err(format!("`{}` is not a URL", redact::quoted(address))),
    };
    match url.scheme() {
        "http" | "https" if url.has_host() => Ok(url),
        "file" => Err(format!(
            "`{}` is a file on one machine: the build cannot see it",
            redact::quoted(address)
        )),
        scheme => Err(format!("packages cannot be fetched by `{scheme}:`")),
    }
}

fn parse_hash(text: &str) -> Option<Hashes> {
    let hex = |digits: &str, length: usize| {
        (digits.len() == length && digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .then(|| digits.to_ascii_lowercase())
    };
    let sha256 = hex(text.strip_prefix("sha256:").unwrap_or(text), 64);
    let md5 = hex(text.strip_prefix("md5:").unwrap_or(text), 32);
    (sha256.is_some() || md5.is_some()).then_some(Hashes { sha256, md5 })
}

/// Package names may hold `!` and `+`, which some tools percent-encode in URLs.
fn percent_decoded(segment: &str) -> String {
    percent_encoding::percent_decode_str(segment)
        .decode_utf8_lossy()
        .into_owned()
}

#[cfg(test)]
mod tests;
