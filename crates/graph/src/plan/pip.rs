//! The pip that condafront supplies for lock files without one.
//!
//! pixi installs PyPI packages itself, so its lock files have no pip among the conda packages. The supplied pip is
//! downloaded and used by the steps, but is not part of the image.

use url::Url;

use super::python::Python;
use condafront_model::package::{Hashes, Package, PackageUrl};
use condafront_model::pypi_package::PipPackage;
use condafront_model::source::{Diagnostic, Lines};

/// A version of pip on PyPI.
struct Known {
    /// The lowest minor version of python 3 that it supports.
    python: u32,
    version: &'static str,
    /// The folder of its wheel on PyPI.
    folder: &'static str,
    sha256: &'static str,
}

/// The newest known version for each python, newest first.
const KNOWN: &[Known] = &[
    Known {
        python: 10,
        version: "26.3",
        folder: "07/25/ee8c38ae72d66b844ce8eb9711ba905dba21ca1a8a0c960057c41cd23337",
        sha256: "f3b60b20ffaadd4415ed7957212a38ac63fa4c5fa375bd0f4a797777940fad13",
    },
    Known {
        python: 8,
        version: "25.0.1",
        folder: "c9/bc/b7db44f5f39f9d0494071bddae6880eb645970366d0a200022a1a93d57f5",
        sha256: "c46efd13b6aa8279f33f2864459c8ce587ea6a1a59ee20de055868d8f7688f7f",
    },
];

/// The pip that condafront supplies for an environment of these conda packages; `None` if it has one of its own.
///
/// # Errors
/// When none is known for its `python`.
pub fn supplied_pip(
    packages: &[Package],
    python: &Python,
) -> Result<Option<PipPackage>, Diagnostic> {
    let has_pip = packages.iter().any(|package| package.id.name == "pip");
    if has_pip {
        return Ok(None);
    }
    wheel(&python.version).map(Some)
}

/// The pip wheel for this version of python, such as `3.13`.
///
/// # Errors
/// When none is known for that version.
pub fn wheel(python: &str) -> Result<PipPackage, Diagnostic> {
    let minor = python
        .strip_prefix("3.")
        .and_then(|minor| minor.parse::<u32>().ok())
        .unwrap_or(0);
    let found = KNOWN.iter().find(|known| minor >= known.python);
    let known = found.ok_or_else(|| {
        Diagnostic::new(format!(
            "the environment has PyPI packages but no pip to install them with, and condafront has none for python {python}"
        ))
        .help("Add pip to the environment's conda dependencies, and regenerate the lock file.")
    })?;
    let Known {
        version,
        folder,
        sha256,
        ..
    } = known;
    let url =
        format!("https://files.pythonhosted.org/packages/{folder}/pip-{version}-py3-none-any.whl");
    let url = Url::parse(&url).map_err(Diagnostic::of)?;
    Ok(PipPackage {
        name: "pip".to_owned(),
        version: Some((*version).to_owned()),
        url: PackageUrl::new(url),
        hashes: Hashes {
            sha256: Some((*sha256).to_owned()),
            md5: None,
        },
        // condafront itself asks for it, so errors point at the line that names condafront.
        lines: Lines::one(1),
        file: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_python_gets_a_pip_that_runs_on_it() {
        let version = |python| wheel(python).map(|pip| pip.version.unwrap());
        assert_eq!(version("3.13").unwrap(), "26.3");
        assert_eq!(version("3.10").unwrap(), "26.3");
        assert_eq!(version("3.9").unwrap(), "25.0.1");
        for old in ["3.7", "2.7", "4.0"] {
            assert!(wheel(old).is_err(), "{old}");
        }
    }
}
