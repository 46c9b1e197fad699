//! What is in the prefix after linking: every path of a package with the fields of its record, and what
//! its files look like.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rattler::install::{PythonInfo, python_entry_point_template};
use rattler_conda_types::package::{FileMode, PathType};
use rattler_conda_types::{Subdir, Version};
use sha2::{Digest, Sha256};

use super::entry::EntryKind;
use super::error::{Cause, Error, ErrorKind, Result};
use super::hashing;
use super::link::{Claims, Target, entry_point_path};
use super::native;
use super::package::{Package, PackagePath};
use condafront_model::prose::listed;
use condafront_model::stamp::{EPOCH, LATEST};
use condafront_step_spec::facts::Fingerprint;
use condafront_step_spec::install::PythonSpec;

/// One path of a package, as `conda-meta` records it.
#[derive(Debug, Clone)]
pub(crate) struct Placed {
    /// Relative to the prefix.
    pub(crate) path: String,
    /// The record's `path_type`.
    pub(crate) path_type: &'static str,
    /// Hash of the file in the archive.
    pub(crate) sha256: Option<String>,
    /// Hash of the file in the prefix, or of what was there before another package's file replaced it.
    pub(crate) sha256_in_prefix: Option<String>,
    /// Size of the file in the archive.
    pub(crate) size: Option<u64>,
    pub(crate) no_link: bool,
    /// How the placeholder was replaced, and what it was.
    pub(crate) placeholder: Option<(&'static str, String)>,
    /// `None` for a directory.
    pub(crate) looks: Option<Looks>,
    /// Whether the path's content is this package's.
    pub(crate) is_own: bool,
}

/// What a package's file or link looks like.
#[derive(Debug, Clone)]
pub(crate) struct Looks {
    /// Permission bits; `None` for a symlink.
    pub(crate) mode: Option<u32>,
    /// Seconds since 1970.
    pub(crate) mtime: i64,
    /// The sha256 of a file.
    content: String,
    /// The target of a symlink.
    pub(crate) link: Option<String>,
}

impl Looks {
    /// A file whose content has this sha256, in hex.
    pub(crate) fn of_file(mode: u32, mtime: i64, sha256: String) -> Self {
        Self {
            mode: Some(mode),
            mtime,
            content: sha256,
            link: None,
        }
    }

    /// For other groups' files at the same path.
    pub(crate) fn fingerprint(&self) -> Fingerprint {
        let content = match &self.link {
            Some(target) => Sha256::digest(format!("link {target}")),
            None => Sha256::digest(format!("file {}", self.content)),
        };
        // 64 bits are enough: they only distinguish a file from a handful of others.
        Fingerprint::new(&hex::encode(&content[..8]), self.mode, self.mtime)
    }
}

impl Placed {
    /// A regular file with `content` that the step made itself.
    pub(crate) fn made(
        path: String,
        path_type: &'static str,
        mode: u32,
        mtime: i64,
        content: &[u8],
    ) -> Self {
        let hash = hex::encode(Sha256::digest(content));
        Placed {
            path,
            path_type,
            sha256: None,
            sha256_in_prefix: None,
            size: None,
            no_link: false,
            placeholder: None,
            looks: Some(Looks::of_file(mode, mtime, hash)),
            is_own: true,
        }
    }
}

/// A notice if files of `package` do not match its `paths.json`. The archive's own hash is right, so
/// the files are what the channel intended, and there is no reason to refuse them.
pub(crate) fn content_notice(package: &Package) -> Option<String> {
    let differs = |path: &&PackagePath| {
        let listed = path.entry.sha256;
        match package.entry(path).map(|entry| &entry.kind) {
            Some(EntryKind::File { sha256, .. }) => {
                listed.is_some_and(|listed| listed.as_slice() != sha256)
            }
            _ => false,
        }
    };
    let wrong: Vec<&PackagePath> = package.paths.iter().filter(differs).collect();
    let first = wrong.first()?;
    Some(format!(
        "{}: {} of its files do not match its own info/paths.json, the first is {}",
        package.spec.label,
        wrong.len(),
        first.target
    ))
}

/// A notice if files of `package` were left out because only installers may write them.
pub(crate) fn left_out_notice(package: &Package) -> Option<String> {
    /// How many paths it names.
    const NAMED: usize = 3;
    let paths = &package.left_out;
    let label = &package.spec.label;
    (!paths.is_empty()).then(|| {
        format!(
            "{label}: left out, because only installers write there: {}",
            listed(paths, NAMED)
        )
    })
}

/// Inspects everything that `package` linked.
///
/// # Errors
/// Something is missing that the installer should have linked.
pub(crate) fn linked(
    index: usize,
    package: &Package,
    claims: &Claims,
    target: &Target,
) -> Result<Vec<Placed>> {
    package
        .paths
        .iter()
        .map(|path| linked_path(index, package, path, claims, target))
        .collect::<Result<_>>()
        .map_err(|e| e.in_context(&package.spec.label).of_package(index))
}

fn linked_path(
    index: usize,
    package: &Package,
    path: &PackagePath,
    claims: &Claims,
    target: &Target,
) -> Result<Placed> {
    let entry = &path.entry;
    let placeholder = entry.prefix_placeholder.as_ref().map(|p| {
        let mode = match p.file_mode {
            FileMode::Binary => "binary",
            FileMode::Text => "text",
        };
        (mode, p.placeholder.clone())
    });
    let mut placed = Placed {
        path: path.target.clone(),
        path_type: match entry.path_type {
            PathType::HardLink => "hardlink",
            PathType::SoftLink => "softlink",
            PathType::Directory => "directory",
        },
        sha256: entry.sha256.map(hex::encode),
        sha256_in_prefix: None,
        size: entry.size_in_bytes,
        no_link: entry.no_link,
        placeholder,
        looks: None,
        is_own: claims.is_owner(index, &path.target),
    };
    let Some(entry) = package.entry(path) else {
        return Ok(placed);
    };
    let file = target.dir.join(&*claims.place(&path.target));
    if placed.is_own {
        fs::symlink_metadata(&file).map_err(|e| missing(&file, e))?;
    }
    placed.looks = Some(match &entry.kind {
        EntryKind::Symlink { target } => Looks {
            mode: None,
            mtime: entry.mtime,
            content: String::new(),
            link: Some(target.clone()),
        },
        EntryKind::File { mode, sha256 } => {
            let patched = placed.placeholder.is_some();
            let hash = match (patched, placed.is_own) {
                (false, _) => hex::encode(sha256),
                (true, true) => hashing::sha256(&file)?,
                // As if the other package were in another group: records must not depend on the groups.
                (true, false) => native::linked_sha256(index, package, path, target)?,
            };
            placed.sha256_in_prefix = Some(hash.clone());
            Looks {
                mode: Some(sane_mode(*mode)),
                // Shipped bytecode was compiled from the unpatched source, whose time is in its header,
                // so a patched source must not have that time.
                mtime: if patched {
                    let built = package.index.timestamp().unwrap_or(EPOCH);
                    built.max(entry.mtime.saturating_add(1)).min(LATEST)
                } else {
                    entry.mtime
                },
                content: hash,
                link: None,
            }
        }
    });
    Ok(placed)
}

/// The package's mode without the bits that no package should have: set-uid, set-gid, sticky, and
/// world-writable.
fn sane_mode(mode: u32) -> u32 {
    (mode & 0o775) | 0o400
}

fn missing(path: &Path, why: std::io::Error) -> Error {
    Error::new(
        ErrorKind::Link,
        format!("{} was not linked: {why}", path.display()),
    )
    .caused_by(why)
}

/// Writes the entry points of a `noarch: python` package: scripts in `bin/` that call a function.
///
/// # Errors
/// An invalid python version, or a file that cannot be written.
pub(crate) fn entry_points(
    index: usize,
    package: &Package,
    claims: &Claims,
    python: Option<&PythonSpec>,
    target: &Target,
) -> Result<Vec<Placed>> {
    let Some(python) = python.filter(|_| !package.entry_points.is_empty()) else {
        return Ok(Vec::new());
    };
    let info = python_info(python)?;
    let mtime = package.index.timestamp().unwrap_or(EPOCH);
    let mut placed = Vec::new();
    for entry_point in &package.entry_points {
        let path = entry_point_path(&entry_point.command);
        let script = python_entry_point_template(&target.prefix, false, entry_point, &info);
        let mut made = Placed::made(
            path,
            "unix_python_entry_point",
            0o755,
            mtime,
            script.as_bytes(),
        );
        if claims.is_owner(index, &made.path) {
            let file = target.dir.join(&*claims.place(&made.path));
            replace(&file, script.as_bytes())?;
            fs::set_permissions(&file, fs::Permissions::from_mode(0o755))
                .map_err(|e| Error::io("change the mode of", &file, e))?;
        } else {
            made.is_own = false;
        }
        placed.push(made);
    }
    Ok(placed)
}

/// What `rattler` needs to know about a python.
fn python_info(python: &PythonSpec) -> Result<PythonInfo> {
    let bad = |why: Cause| {
        Error::new(
            ErrorKind::BadArguments,
            format!("`{}` is not a valid python version: {why}", python.version),
        )
        .caused_by(why)
    };
    let version: Version = python.version.parse().map_err(|e| bad(Cause::from(e)))?;
    let mut info = PythonInfo::from_version(&version, Some(&python.site_packages), Subdir::Linux64)
        .map_err(|e| bad(e.into()))?;
    // A free-threaded python has a `t` in its library's and its executable's name.
    let (major, minor) = info.short_version;
    if python
        .site_packages
        .starts_with(&format!("lib/python{major}.{minor}t/"))
    {
        info.path = format!("bin/python{major}.{minor}t").into();
    }
    Ok(info)
}

/// Replaces whatever is at `path` with a new file; never writes through a link.
pub(crate) fn replace(path: &Path, content: &[u8]) -> Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(|e| Error::io("create", parent, e))?;
    }
    match fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            return Err(Error::io("replace", path, e));
        }
        _ => {}
    }
    fs::write(path, content).map_err(|e| Error::io("write", path, e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unsafe_mode_bits_are_removed() {
        for (mode, sane) in [
            (0o644, 0o644),
            (0o664, 0o664),
            (0o4755, 0o755),
            (0o777, 0o775),
            (0o444, 0o444),
            (0, 0o400),
        ] {
            assert_eq!(sane_mode(mode), sane, "{mode:o}");
        }
    }

    #[test]
    fn entry_points_call_the_right_python() {
        for (site_packages, path) in [
            ("lib/python3.13/site-packages", "bin/python3.13"),
            ("lib/python3.13t/site-packages", "bin/python3.13t"),
        ] {
            let python = PythonSpec {
                version: "3.13".into(),
                site_packages: site_packages.into(),
                runtime: false,
            };
            assert_eq!(python_info(&python).unwrap().path, Path::new(path));
        }
    }
}
