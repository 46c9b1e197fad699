//! The interface between a step and the program that links, and what both such programs share.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use rattler_conda_types::package::PathType;

use super::error::{Error, Result};
use super::package::{Package, PackagePath};
use super::places::{Claim, Kind, Places};
use condafront_step_spec::install::PythonSpec;

/// Where to link packages.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// The prefix as it will be in the image, `/opt/conda`; written into files.
    pub(crate) prefix: String,
    /// The same directory inside the output mount; written to.
    pub(crate) dir: PathBuf,
    /// An empty directory on the same file system for the program's own use. It is removed later.
    pub(crate) work: PathBuf,
}

impl Target {
    /// The prefix `prefix` in the output mount `output`. Creates its directories.
    ///
    /// # Errors
    /// An I/O error.
    pub(crate) fn in_output(prefix: &str, output: &Path) -> Result<Self> {
        let target = Self {
            prefix: prefix.to_owned(),
            dir: output.join(prefix.trim_start_matches('/')),
            // In the output mount, because only there can files be hard links instead of copies.
            work: output.join(".work"),
        };
        for dir in [&target.dir, &target.work] {
            fs::create_dir_all(dir).map_err(|e| Error::io("create", dir, e))?;
        }
        Ok(target)
    }
}

/// A program that puts packages' files into a prefix.
///
/// It links the files that `paths.json` lists: it replaces prefix placeholders, puts `noarch: python`
/// files in their places and, if two packages have the same path, leaves the later one's file there.
/// Entry points, bytecode, `conda-meta`, owners, modes and times are not its job: the step makes them,
/// in the same way whichever program links.
pub(crate) trait LinkPackages {
    /// Links `packages` in order.
    fn link(
        &self,
        packages: &[Package],
        claims: &Claims,
        python: Option<&PythonSpec>,
        target: &Target,
    ) -> Result<()>;
}

/// Which path of which package each file and link below the prefix is: the last package's that has it, as in a single
/// install by conda or micromamba.
#[derive(Debug, Default)]
pub(crate) struct Claims {
    /// The package and its own path, by the real path.
    owners: BTreeMap<String, (usize, String)>,
    places: Places,
}

/// A path of a package, and where it is linked.
pub(crate) struct Won<'a> {
    pub(crate) path: &'a PackagePath,
    /// Relative to the prefix, without links of other packages in it.
    pub(crate) place: Cow<'a, str>,
}

impl Claims {
    /// The claims of `packages`: their files, symlinks and entry points.
    ///
    /// # Errors
    /// Paths that cannot be in one tree.
    pub(crate) fn new(packages: &[Package]) -> Result<Self> {
        let scripts: Vec<Vec<String>> = packages.iter().map(entry_point_paths).collect();
        let mut claims = Vec::new();
        for (index, (package, scripts)) in packages.iter().zip(&scripts).enumerate() {
            let paths = package.paths.iter();
            claims.extend(paths.map(|path| Claim {
                package: index,
                path: &path.target,
                kind: package.kind(path),
            }));
            claims.extend(scripts.iter().map(|path| Claim {
                package: index,
                path,
                kind: Kind::File,
            }));
        }
        let places = Places::new(&claims).map_err(|conflict| {
            Error::conflict(&conflict, |index| packages[index].spec.label.clone())
        })?;
        let mut owners = BTreeMap::new();
        for claim in claims {
            if claim.kind != Kind::Directory {
                let place = places.file(claim.path).into_owned();
                owners.insert(place, (claim.package, claim.path.to_owned()));
            }
        }
        Ok(Claims { owners, places })
    }

    /// Where a file or link is, relative to the prefix: links of other packages can lead elsewhere.
    pub(crate) fn place<'a>(&self, path: &'a str) -> Cow<'a, str> {
        self.places.file(path)
    }

    /// Whether what is at `path` belongs to the package at `index`.
    pub(crate) fn is_owner(&self, index: usize, path: &str) -> bool {
        let owner = self.owners.get(&*self.place(path));
        owner.is_some_and(|(owner, own)| *owner == index && own == path)
    }

    /// The package whose file or link is at `path`.
    pub(crate) fn owner(&self, path: &str) -> Option<usize> {
        let (owner, _) = self.owners.get(&*self.place(path))?;
        Some(*owner)
    }

    /// The paths of the package at `index` that must be linked: those that no later package has.
    pub(crate) fn won<'a>(&self, index: usize, package: &'a Package) -> Vec<Won<'a>> {
        let won = package.paths.iter().filter_map(|path| {
            let place = if path.entry.path_type == PathType::Directory {
                self.places.directory(&path.target)
            } else if self.is_owner(index, &path.target) {
                self.place(&path.target)
            } else {
                return None;
            };
            Some(Won { path, place })
        });
        won.collect()
    }

    /// Whether a path of one package leads through a link of another.
    pub(crate) fn have_links(&self) -> bool {
        self.places.has_links()
    }
}

/// Where a package's entry points go.
fn entry_point_paths(package: &Package) -> Vec<String> {
    let commands = package.entry_points.iter();
    commands.map(|it| entry_point_path(&it.command)).collect()
}

/// Where the entry point `command` goes, relative to the prefix.
pub(crate) fn entry_point_path(command: &str) -> String {
    format!("bin/{command}")
}
