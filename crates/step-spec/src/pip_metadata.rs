//! What pip sees of the conda packages that are not in its root, and the step that hands it over.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::args::{NoItem, StepSpec};

/// Where [`METADATA_FILE`] is for the step that resolves a list.
pub const METADATA_DIR: &str = "/metadata";

/// The list of [`PackageMetadata`] there, as JSON.
pub const METADATA_FILE: &str = "metadata.json";

/// Where the step that hands it over finds the same file.
pub const METADATA_SOURCE_DIR: &str = "/in/metadata";

/// Where the step that resolves a list has the empty output of the step that hands the metadata over.
pub const HANDED_OVER_DIR: &str = "/handed-over";

/// The step that puts the metadata into a cache mount.
///
/// Such a mount is not in the cache key of the step that reads it, and the output of this one is always empty. So BuildKit knows
/// what pip found whatever the other packages are; [`Consulted`] says for which packages that is right.
///
/// Arguments: `pip-metadata SPEC`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PipMetadataSpec {
    /// What the step that reads it depends on, as a digest: this one must run again whenever that one does.
    pub reader: String,
}

impl StepSpec for PipMetadataSpec {
    const SUBCOMMAND: &'static str = "pip-metadata";
    type Item = NoItem;
}

/// The metadata of the Python distributions in a conda package.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackageMetadata {
    /// The distributions' normalized names.
    pub distributions: BTreeSet<String>,
    /// The files, by their paths relative to the prefix.
    pub files: BTreeMap<String, String>,
}

/// Which installed distributions pip has asked about, and what it learnt: with other packages, it does the same as long as this
/// is the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Consulted {
    /// The normalized names of the distributions; `None` if it may have been any.
    pub names: Option<BTreeSet<String>>,
    /// The packages with one of these.
    pub packages: Vec<PackageMetadata>,
}

impl Consulted {
    /// The distributions with these `names`, where there are these `packages`.
    pub fn new(names: Option<BTreeSet<String>>, packages: &[PackageMetadata]) -> Self {
        let packages = with_names(names.as_ref(), packages);
        Self {
            packages: packages.cloned().collect(),
            names,
        }
    }

    /// Whether pip would have learnt the same from these `packages`.
    pub fn is_same_in(&self, packages: &[PackageMetadata]) -> bool {
        with_names(self.names.as_ref(), packages).eq(&self.packages)
    }
}

/// Those of `packages` that have a distribution with one of these `names`; all if there are no names.
pub fn with_names<'a>(
    names: Option<&BTreeSet<String>>,
    packages: &'a [PackageMetadata],
) -> impl Iterator<Item = &'a PackageMetadata> {
    packages
        .iter()
        .filter(move |package| names.is_none_or(|names| !names.is_disjoint(&package.distributions)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_packages_do_not_matter_to_what_was_asked() {
        let package = |name: &str, version: &str| PackageMetadata {
            distributions: [name.to_owned()].into(),
            files: [(format!("{name}/METADATA"), format!("Version: {version}"))].into(),
        };
        let (idna, six) = (package("idna", "3"), package("six", "1"));
        let before = [idna.clone(), six.clone()];
        let asked = |names: &[&str]| {
            let names = names.iter().map(|name| (*name).to_owned()).collect();
            Consulted::new(Some(names), &before)
        };
        let about_six = asked(&["click", "six"]);
        assert_eq!(about_six.packages, std::slice::from_ref(&six));
        for (packages, is_same) in [
            (vec![six.clone()], true),
            (vec![package("idna", "4"), six.clone()], true),
            (vec![six.clone(), package("zipp", "1")], true),
            (vec![idna.clone()], false),
            (vec![package("six", "2")], false),
            (vec![package("click", "8"), six.clone()], false),
        ] {
            assert_eq!(about_six.is_same_in(&packages), is_same, "{packages:?}");
        }
        assert!(asked(&[]).is_same_in(&[]));
        let about_all = Consulted::new(None, &before);
        assert!(about_all.is_same_in(&before));
        assert!(!about_all.is_same_in(&[six]));
    }
}
