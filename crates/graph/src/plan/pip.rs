//! The pip that condafront supplies: for lock files without one, and for lists where the environment's own does not report what
//! it would install.
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
    /// The lowest version of python that it supports, among those with the same first number.
    python: (u32, u32),
    version: &'static str,
    /// The first tag in the name of its wheel.
    tag: &'static str,
    /// The folder of its wheel on PyPI.
    folder: &'static str,
    sha256: &'static str,
}

/// The newest known version for each python, newest first.
const KNOWN: &[Known] = &[
    Known {
        python: (3, 10),
        version: "26.3",
        tag: "py3",
        folder: "07/25/ee8c38ae72d66b844ce8eb9711ba905dba21ca1a8a0c960057c41cd23337",
        sha256: "f3b60b20ffaadd4415ed7957212a38ac63fa4c5fa375bd0f4a797777940fad13",
    },
    Known {
        python: (3, 8),
        version: "25.0.1",
        tag: "py3",
        folder: "c9/bc/b7db44f5f39f9d0494071bddae6880eb645970366d0a200022a1a93d57f5",
        sha256: "c46efd13b6aa8279f33f2864459c8ce587ea6a1a59ee20de055868d8f7688f7f",
    },
    Known {
        python: (3, 7),
        version: "24.0",
        tag: "py3",
        folder: "8a/6a/19e9fe04fca059ccf770861c7d5721ab4c2aebc539889e97c7977528a53b",
        sha256: "ba0d021a166865d2265246961bec0152ff124de910c5cc39f1156ce3fa7c69dc",
    },
    // These are the last ones for their pythons. The step that asks them knows them (`resolve.py` of the steps).
    Known {
        python: (3, 6),
        version: "21.3.1",
        tag: "py3",
        folder: "a4/6d/6463d49a933f547439d6b5b98b46af8742cc03ae83543e4d7688c2420f8b",
        sha256: "deaf32dcd9ab821e359cd8330786bcd077604b5c5730c0b096eda46f95c24a2d",
    },
    Known {
        python: (3, 5),
        version: "20.3.4",
        tag: "py2.py3",
        folder: "27/79/8a850fe3496446ff0d584327ae44e7500daf6764ca1a382d2d02789accf7",
        sha256: "217ae5161a0e08c0fb873858806e3478c9775caffce5168b50ec885e358c199d",
    },
    Known {
        python: (2, 7),
        version: "20.3.4",
        tag: "py2.py3",
        folder: "27/79/8a850fe3496446ff0d584327ae44e7500daf6764ca1a382d2d02789accf7",
        sha256: "217ae5161a0e08c0fb873858806e3478c9775caffce5168b50ec885e358c199d",
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

/// The pip that condafront supplies to find what a list needs; `None` if the environment has one that can report it, or a
/// python for which none is known.
///
/// # Errors
/// When the environment has none, and none is known for its `python`.
pub fn resolving_pip(
    packages: &[Package],
    python: &Python,
) -> Result<Option<PipPackage>, Diagnostic> {
    let own = packages.iter().find(|package| package.id.name == "pip");
    match own {
        Some(pip) if can_report(&pip.id.version) => Ok(None),
        Some(_) => Ok(wheel(&python.version).ok()),
        None => wheel(&python.version).map(Some),
    }
}

/// The pip that builds of an environment download in addition to its packages: one to find what a list needs, if it `has_list` to
/// be resolved, or else one to install files with, if it `has_files`.
///
/// # Errors
/// When one is needed and none is known for its `python`.
pub fn downloaded_pip(
    packages: &[Package],
    python: &Python,
    has_list: bool,
    has_files: bool,
) -> Result<Option<PipPackage>, Diagnostic> {
    if has_list {
        // It is also the one that installs, if the environment has none.
        resolving_pip(packages, python)
    } else if has_files {
        supplied_pip(packages, python)
    } else {
        Ok(None)
    }
}

/// Whether a version of pip has `--report` and `--dry-run`, as since 22.2. What is in doubt is left to pip.
pub(crate) fn can_report(version: &str) -> bool {
    let mut numbers = version.split('.').map(|part| part.parse::<u32>().ok());
    match (numbers.next().flatten(), numbers.next().flatten()) {
        (Some(year), Some(number)) => (year, number) >= (22, 2),
        (Some(year), None) => year >= 23,
        (None, _) => true,
    }
}

/// The pip wheel for this version of python, such as `3.13`.
///
/// # Errors
/// When none is known for that version.
pub fn wheel(python: &str) -> Result<PipPackage, Diagnostic> {
    let parts = python.split_once('.');
    let parts = parts.and_then(|(first, second)| Some((first.parse().ok()?, second.parse().ok()?)));
    let (first, second): (u32, u32) = parts.unwrap_or_default();
    let runs_on = |(lowest, minor): (u32, u32)| first == lowest && second >= minor;
    let found = KNOWN.iter().find(|known| runs_on(known.python));
    let known = found.ok_or_else(|| {
        Diagnostic::new(format!(
            "the environment has PyPI packages but no pip to install them with, and condafront has none for python {python}"
        ))
        .help("Add pip to the environment's conda dependencies, and regenerate the lock file.")
    })?;
    let Known {
        version,
        tag,
        folder,
        sha256,
        ..
    } = known;
    let url = format!(
        "https://files.pythonhosted.org/packages/{folder}/pip-{version}-{tag}-none-any.whl"
    );
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
        is_direct: false,
        size: None,
        file: None,
        requires_dist: Vec::new(),
        requires_python: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The conda packages python, of a version, and perhaps pip.
    fn conda(pip: Option<&str>, version: &str) -> (Vec<Package>, Python) {
        let mut packages = vec![Package::example("python")];
        packages.extend(pip.map(|version| {
            let mut pip = Package::example("pip");
            pip.id.version = version.to_owned();
            pip
        }));
        (packages, Python::example(version))
    }

    #[test]
    fn builds_download_the_pip_that_they_use() {
        for (pip, has_list, has_files, expected) in [
            (None, false, false, false),
            (None, false, true, true),
            (None, true, false, true),
            (Some("20.3"), false, true, false),
            (Some("20.3"), true, false, true),
            (Some("20.3"), true, true, true),
            (Some("26.3"), true, true, false),
        ] {
            let (packages, python) = conda(pip, "3.13");
            let found = downloaded_pip(&packages, &python, has_list, has_files).unwrap();
            assert_eq!(found.is_some(), expected, "{pip:?} {has_list} {has_files}");
        }
    }

    #[test]
    fn a_list_is_resolved_by_a_pip_that_can_report() {
        let resolving = |pip: Option<&str>, version: &str| {
            let (packages, python) = conda(pip, version);
            resolving_pip(&packages, &python).map(|pip| pip.and_then(|pip| pip.version))
        };
        for (pip, python, expected) in [
            ("26.3", "3.13", None),
            ("22.2", "3.9", None),
            ("22.1.2", "3.9", Some("25.0.1")),
            ("20.3", "3.13", Some("26.3")),
            ("9.0.1", "3.7", Some("24.0")),
            // The last ones that there are.
            ("20.3", "3.6", Some("21.3.1")),
            ("9.0.1", "3.5", Some("20.3.4")),
            ("20.3.4", "2.7", Some("20.3.4")),
            // Their own is all that there is.
            ("19.1.1", "3.4", None),
            ("25.0b1", "3.13", None),
        ] {
            let found = resolving(Some(pip), python).unwrap();
            assert_eq!(found.as_deref(), expected, "{pip} for {python}");
        }
        assert_eq!(resolving(None, "3.13").unwrap().as_deref(), Some("26.3"));
        assert_eq!(resolving(None, "2.7").unwrap().as_deref(), Some("20.3.4"));
        assert!(resolving(None, "3.4").is_err());
    }

    #[test]
    fn each_python_gets_a_pip_that_runs_on_it() {
        let version = |python| wheel(python).map(|pip| pip.version.unwrap());
        assert_eq!(version("3.13").unwrap(), "26.3");
        assert_eq!(version("3.10").unwrap(), "26.3");
        assert_eq!(version("3.9").unwrap(), "25.0.1");
        assert_eq!(version("3.7").unwrap(), "24.0");
        assert_eq!(version("3.6").unwrap(), "21.3.1");
        assert_eq!(version("3.5").unwrap(), "20.3.4");
        let for_2 = wheel("2.7").unwrap();
        assert_eq!(for_2.file_name(), "pip-20.3.4-py2.py3-none-any.whl");
        for other in ["3.4", "2.6", "4.0", "3"] {
            assert!(wheel(other).is_err(), "{other}");
        }
    }
}
