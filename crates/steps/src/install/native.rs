//! Linking with the `rattler` crate.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fs;
use std::path::{Path, PathBuf};

use filetime::FileTime;
use rattler::install::link::link_file;
use rattler::install::{AppleCodeSignBehavior, ExternalSymlinkPolicy};
use rattler_conda_types::Subdir;
use rattler_conda_types::package::PathType;
use rattler_conda_types::prefix::Prefix;

use super::error::{Error, ErrorKind, Result};
use super::hashing;
use super::link::{Claims, LinkPackages, Target, Won};
use super::package::{Package, PackagePath};
use crate::parallel::try_map;
use condafront_step_spec::install::PythonSpec;

/// How many files a thread takes at a time.
const CHUNK: usize = 64;

/// Links with `rattler`, file by file.
///
/// `rattler`'s own loop over a package is not used: it links in random order, moves clashing files to
/// a separate folder, and resolves clashes by dependency, not by lock order.
pub(crate) struct Native;

impl LinkPackages for Native {
    fn link(
        &self,
        packages: &[Package],
        claims: &Claims,
        _python: Option<&PythonSpec>,
        target: &Target,
    ) -> Result<()> {
        let linker = Linker::new(target)?;
        let mut chunks = Vec::new();
        for (index, package) in packages.iter().enumerate() {
            let won = claims.won(index, package);
            chunks.push((index, won));
        }
        let chunks: Vec<(usize, &[Won<'_>])> = chunks
            .iter()
            .flat_map(|(index, won)| won.chunks(CHUNK).map(|chunk| (*index, chunk)))
            .collect();
        try_map(&chunks, |_, (index, paths)| {
            linker
                .link(&packages[*index], paths)
                .map_err(|e| e.of_package(*index))
        })?;
        Ok(())
    }
}

/// Puts files into one prefix.
pub(crate) struct Linker<'a> {
    prefix: Prefix,
    /// The prefix directory without symlinks in its path.
    root: PathBuf,
    target: &'a Target,
}

impl<'a> Linker<'a> {
    /// A linker for the prefix directory of `target`, which is created if it is missing.
    ///
    /// # Errors
    /// An I/O error.
    pub(crate) fn new(target: &'a Target) -> Result<Self> {
        let prefix = Prefix::create(&target.dir)
            .map_err(|e| Error::io("create the prefix", &target.dir, e))?;
        // `create` leaves these, but a layer must contain only what packages bring.
        for file in ["conda-meta/history", "CACHEDIR.TAG"] {
            let path = target.dir.join(file);
            fs::remove_file(&path).map_err(|e| Error::io("remove", &path, e))?;
        }
        let root = fs::canonicalize(&target.dir)
            .map_err(|e| Error::io("find the prefix", &target.dir, e))?;
        Ok(Linker {
            prefix,
            root,
            target,
        })
    }

    /// Links paths of one package, which are sorted so that neighbours share a directory.
    ///
    /// # Errors
    /// A path that cannot be linked, or that leads outside the prefix.
    pub(crate) fn link(&self, package: &Package, paths: &[Won<'_>]) -> Result<()> {
        let mut ready: Option<PathBuf> = None;
        for Won { path, place } in paths {
            let destination = self.target.dir.join(&**place);
            let directory = match path.entry.path_type {
                PathType::Directory => destination.as_path(),
                _ => destination.parent().unwrap_or(&self.target.dir),
            };
            if ready.as_deref() != Some(directory) {
                self.make_directory(directory)
                    .map_err(|e| e.in_context(&package.spec.label))?;
                ready = Some(directory.to_owned());
            }
            if path.entry.path_type == PathType::Directory {
                continue;
            }
            link_file(
                &path.entry,
                PathBuf::from(&**place),
                &package.dir,
                &self.prefix,
                &self.target.prefix,
                true,
                true,
                false,
                // Only prefix replacement on Windows and signing on macOS depend on it.
                Subdir::Linux64,
                AppleCodeSignBehavior::DoNothing,
                FileTime::zero(),
                ExternalSymlinkPolicy::Allow,
            )
            .map_err(|e| {
                Error::new(
                    ErrorKind::Link,
                    format!(
                        "{}: cannot link `{}`: {}",
                        package.spec.label,
                        path.target,
                        with_causes(&e)
                    ),
                )
                .caused_by(e)
            })?;
        }
        Ok(())
    }

    /// Creates a directory below the prefix. The symlinks of one package stay inside it, but those of
    /// two packages together could lead outside.
    fn make_directory(&self, directory: &Path) -> Result<()> {
        fs::create_dir_all(directory).map_err(|e| {
            Error::new(
                ErrorKind::Link,
                format!(
                    "cannot create the directory {}, perhaps because another package has a file or \
                     broken link there: {e}",
                    directory.display()
                ),
            )
            .caused_by(e)
        })?;
        let real = fs::canonicalize(directory).map_err(|e| Error::io("resolve", directory, e))?;
        if !real.starts_with(&self.root) {
            return Err(Error::new(
                ErrorKind::UnsafeArchive,
                format!(
                    "{} is outside the environment, through symlinks of several packages",
                    directory.display()
                ),
            ));
        }
        Ok(())
    }
}

/// The hash that a file of the package at `index` has once it is linked; it is not put into the
/// prefix.
///
/// # Errors
/// A file that cannot be linked.
pub(crate) fn linked_sha256(
    index: usize,
    package: &Package,
    path: &PackagePath,
    target: &Target,
) -> Result<String> {
    let aside = link_aside(index, package, &[path], target)?;
    hashing::sha256(&aside.join(&path.target))
}

/// Links paths of the package at `index` into a directory of their own, which is returned.
///
/// # Errors
/// A file that cannot be linked.
pub(crate) fn link_aside(
    index: usize,
    package: &Package,
    paths: &[&PackagePath],
    target: &Target,
) -> Result<PathBuf> {
    let aside = Target {
        dir: target.work.join(format!("aside-{index}")),
        ..target.clone()
    };
    let paths = paths.iter().map(|path| Won {
        path,
        place: Cow::Borrowed(path.target.as_str()),
    });
    let paths: Vec<Won<'_>> = paths.collect();
    Linker::new(&aside)?.link(package, &paths)?;
    Ok(aside.dir)
}

/// An error and all its causes, in one line.
fn with_causes(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
