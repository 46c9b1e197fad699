//! The interface between a step and the program that links, and what both such programs share.

use std::collections::BTreeMap;
use std::path::PathBuf;

use rattler_conda_types::package::PathType;

use super::error::Result;
use super::package::{Package, PackagePath};
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

/// Which package of the group each path below the prefix belongs to: the last one that has it, as in
/// a single install by conda or micromamba.
#[derive(Debug, Default)]
pub(crate) struct Claims {
    owners: BTreeMap<String, usize>,
    nested: bool,
}

impl Claims {
    /// The claims of `packages`: their files, symlinks and entry points.
    pub(crate) fn new(packages: &[Package]) -> Self {
        let mut owners = BTreeMap::new();
        for (index, package) in packages.iter().enumerate() {
            for path in &package.paths {
                if path.entry.path_type != PathType::Directory {
                    owners.insert(path.target.clone(), index);
                }
            }
            for entry_point in &package.entry_points {
                owners.insert(entry_point_path(&entry_point.command), index);
            }
        }
        let nested = owners.keys().any(|path| {
            path.match_indices('/')
                .any(|(end, _)| owners.contains_key(&path[..end]))
        });
        Claims { owners, nested }
    }

    /// Whether `path` belongs to the package at `index`.
    pub(crate) fn is_owner(&self, index: usize, path: &str) -> bool {
        self.owners.get(path) == Some(&index)
    }

    /// Whether any package has a file or link at `path`.
    pub(crate) fn contains(&self, path: &str) -> bool {
        self.owners.contains_key(path)
    }

    /// The paths of the package at `index` that must be linked: those that no later package has.
    pub(crate) fn won<'a>(&self, index: usize, package: &'a Package) -> Vec<&'a PackagePath> {
        let is_won = |path: &&PackagePath| {
            path.entry.path_type == PathType::Directory || self.is_owner(index, &path.target)
        };
        package.paths.iter().filter(is_won).collect()
    }

    /// Whether a claimed path is below another one, for example a file below a symlink to a
    /// directory. The result then depends on which is linked first.
    pub(crate) fn are_nested(&self) -> bool {
        self.nested
    }
}

/// Where the entry point `command` goes, relative to the prefix.
pub(crate) fn entry_point_path(command: &str) -> String {
    format!("bin/{command}")
}
