//! The environment's python, as far as other packages depend on it.

use condafront_model::package::Package;
use condafront_step_spec::install::PythonSpec;

/// Packages that CPython needs to start and to compile, itself included. Other libraries are for modules that the
/// compiler does not import.
const RUNTIME: &[&str] = &[
    "python",
    "libzlib",
    "zlib",
    "libexpat",
    "libgcc",
    "libgcc-ng",
    "libstdcxx",
    "libstdcxx-ng",
];

/// A CPython among the packages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Python {
    /// Its package, an index into the package list.
    pub package: usize,
    /// Major and minor version, `3.13`; bytecode depends on nothing else.
    pub version: String,
    /// Where modules go, relative to the prefix.
    pub(crate) site_packages: String,
    /// The packages needed to run it, as indices into the package list.
    pub runtime: Vec<usize>,
}

impl Python {
    /// Finds the environment's python.
    pub fn find(packages: &[Package]) -> Option<Self> {
        let (package, python) = packages
            .iter()
            .enumerate()
            .find(|(_, package)| package.id.name == "python")?;
        let mut parts = python.id.version.split('.');
        let version = format!("{}.{}", parts.next()?, parts.next()?);
        // Free-threaded builds (`cp313t`) have folders of their own (CEP 17, `python_site_packages_path`).
        let tag = format!("cp{}t", version.replace('.', ""));
        let suffix = if python.id.build.split('_').any(|part| part == tag) {
            "t"
        } else {
            ""
        };
        let runtime = packages
            .iter()
            .enumerate()
            .filter(|(_, package)| RUNTIME.contains(&package.id.name.as_str()))
            .map(|(index, _)| index)
            .collect();
        Some(Self {
            package,
            site_packages: format!("lib/python{version}{suffix}/site-packages"),
            version,
            runtime,
        })
    }

    /// A python of this version, `3.13`, for tests: a package alone, without what it needs.
    #[cfg(test)]
    pub(super) fn example(version: &str) -> Self {
        Self {
            package: 0,
            version: version.to_owned(),
            site_packages: format!("lib/python{version}/site-packages"),
            runtime: Vec::new(),
        }
    }

    /// Its major and minor version as numbers.
    pub(crate) fn numbers(&self) -> Option<(u32, u32)> {
        let (major, minor) = self.version.split_once('.')?;
        Some((major.parse().ok()?, minor.parse().ok()?))
    }

    /// Whether steps compile its modules. Before 3.7, bytecode depends on the time of its source (PEP 552).
    pub(super) fn compiles(&self) -> bool {
        self.numbers().is_none_or(|version| version >= (3, 7))
    }

    /// Its spec for install steps.
    pub fn spec(&self, runtime: bool) -> PythonSpec {
        PythonSpec {
            version: self.version.clone(),
            site_packages: self.site_packages.clone(),
            runtime,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use condafront_model::package::PackageId;

    fn python(file_name: &str) -> Option<Python> {
        let mut package = Package::example("python");
        package.id = PackageId::from_file_name(file_name).unwrap();
        Python::find(&[
            Package::example("six"),
            package,
            Package::example("libzlib"),
        ])
    }

    #[test]
    fn version_and_folder_are_found() {
        let found = python("python-3.12.4-h194c7f8_0_cpython.conda").unwrap();
        assert_eq!(found.version, "3.12");
        assert_eq!(found.site_packages, "lib/python3.12/site-packages");
        assert_eq!(found.runtime, [1, 2]);
        let found = python("python-3.13.1-h9a34b6e_102_cp313t.conda").unwrap();
        assert_eq!(found.site_packages, "lib/python3.13t/site-packages");
        assert_eq!(Python::find(&[Package::example("six")]), None);
    }
}
