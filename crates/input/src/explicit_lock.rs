//! What makes a file an explicit lock, and writing such locks: what a build installs, in the form that conda, mamba and
//! micromamba take, and that [`crate::explicit`] reads back to the same packages in the same order.

use std::collections::BTreeMap;
use std::fmt::Write;

use condafront_model::package::{Hashes, Package};
use condafront_model::platform::Platform;
use condafront_model::pypi_package::PipPackage;

/// The line that makes a file an explicit lock.
pub(crate) const MARKER: &str = "@EXPLICIT";

/// Whether the text is an explicit lock.
pub(crate) fn is_explicit(text: &str) -> bool {
    text.lines().any(|line| line.trim() == MARKER)
}

/// The content of a lock.
#[derive(Clone, Copy, Debug)]
pub struct ExplicitLock<'a> {
    /// The frontend that builds it, unless another file names the lock.
    pub syntax: Option<&'a str>,
    /// The platform of the packages.
    pub platform: Platform,
    /// The environment's name.
    pub name: Option<&'a str>,
    /// Environment variables that activation sets.
    pub variables: &'a BTreeMap<String, String>,
    /// The conda packages, in the order in which they are linked.
    pub packages: &'a [Package],
    /// The PyPI packages.
    pub pip: &'a [PipPackage],
    /// The names of those of git repositories, and their addresses as pip writes them.
    pub repositories: &'a [(String, String)],
    /// The name of the file that the lock was created from.
    pub source: Option<&'a str>,
}

/// The file name of a lock for `platform`: the one that conda-lock gives such files, with the environment's name if an
/// image has several.
pub fn file_name(environment: Option<&str>, platform: Platform) -> String {
    match environment {
        Some(name) => format!("conda-{name}-{}.lock", platform.subdir()),
        None => format!("conda-{}.lock", platform.subdir()),
    }
}

/// The lock as text. It contains neither times nor credentials, so the same packages always give the same text.
///
/// The name, variables, archive sizes (which decide what shares a layer) and PyPI packages are in comments, which
/// condafront reads and conda, mamba and micromamba do not.
pub fn render(lock: &ExplicitLock<'_>) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write(lock, &mut text);
    text
}

fn write(lock: &ExplicitLock<'_>, out: &mut String) -> std::fmt::Result {
    // BuildKit only looks at the first lines.
    if let Some(syntax) = lock.syntax {
        writeln!(out, "# syntax={}", one_line(syntax))?;
    }
    let version = env!("CARGO_PKG_VERSION");
    match lock.source {
        Some(source) => writeln!(
            out,
            "# made by condafront {version} from {}",
            one_line(source)
        )?,
        None => writeln!(out, "# made by condafront {version}")?,
    }
    writeln!(out, "# platform: {}", lock.platform.subdir())?;
    if let Some(name) = lock.name {
        writeln!(out, "# name: {}", one_line(name))?;
    }
    for (name, value) in lock.variables {
        let value = serde_json::Value::from(value.as_str());
        writeln!(out, "# variable: {}={value}", one_line(name))?;
    }
    writeln!(out, "{MARKER}")?;
    for package in lock.packages {
        if let Some(size) = package.size {
            writeln!(out, "# size: {size}")?;
        }
        write!(out, "{}", package.url.recorded())?;
        match &package.hashes {
            Hashes {
                sha256: Some(hash), ..
            } => writeln!(out, "#sha256:{hash}")?,
            Hashes {
                md5: Some(hash), ..
            } => writeln!(out, "#{hash}")?,
            _ => writeln!(out)?,
        }
    }
    for package in lock.pip {
        write!(
            out,
            "# pip {} @ {}",
            one_line(&package.name),
            package.url.recorded_file()
        )?;
        match &package.hashes {
            Hashes {
                sha256: Some(hash), ..
            } => writeln!(out, "#sha256={hash}")?,
            Hashes {
                md5: Some(hash), ..
            } => writeln!(out, "#md5={hash}")?,
            _ => writeln!(out)?,
        }
    }
    for (name, address) in lock.repositories {
        writeln!(out, "# pip {} @ {address}", one_line(name))?;
    }
    Ok(())
}

/// `text` without line breaks, which would end a comment.
fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

#[cfg(test)]
mod tests;
