//! The metadata of packages that are not in pip's root.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Component, Path};

use crate::install::is_core_metadata;
use condafront_step_spec::args::StepSpec as _;
use condafront_step_spec::failure_report::FailureReport;
use condafront_step_spec::pip_metadata::{
    Consulted, METADATA_FILE, PackageMetadata, PipMetadataSpec,
};

/// Runs the subcommand `pip-metadata` with `args`: copies the metadata from `source` to `target`, from where other builds
/// may also read.
///
/// # Errors
/// Metadata that cannot be copied.
pub(crate) fn hand_over(
    args: &[String],
    source: &Path,
    target: &Path,
) -> Result<(), FailureReport> {
    PipMetadataSpec::from_args(args)?;
    let new = target.join(format!("{METADATA_FILE}.new"));
    fs::copy(source.join(METADATA_FILE), &new)?;
    Ok(fs::rename(new, target.join(METADATA_FILE))?)
}

/// What was put into `folder`. Nothing if that is gone, because builders empty the folders that builds share, or if it has
/// anything but metadata, because others can write there, and pip's python looks for modules next to it.
pub(super) fn read(folder: &Path) -> Option<Vec<PackageMetadata>> {
    let text = fs::read(folder.join(METADATA_FILE)).ok()?;
    let packages: Vec<PackageMetadata> = serde_json::from_slice(&text).ok()?;
    let mut paths = packages.iter().flat_map(|package| package.files.keys());
    let is_metadata = |path: &String| {
        let mut parts = Path::new(path).components();
        is_core_metadata(path) && parts.all(|part| matches!(part, Component::Normal(_)))
    };
    paths.all(is_metadata).then_some(packages)
}

/// Writes the files of `packages` below `folder`.
pub(super) fn unpack(packages: &[PackageMetadata], folder: &Path) -> io::Result<()> {
    for (path, text) in packages.iter().flat_map(|package| &package.files) {
        let path = folder.join(path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(path, text)?;
    }
    Ok(())
}

/// What pip asked about `packages`, from the list of names at `path`: `null` if it is not known.
pub(super) fn consulted(path: &Path, packages: &[PackageMetadata]) -> Consulted {
    let names = fs::read(path).ok();
    let names =
        names.and_then(|text| serde_json::from_slice::<Option<BTreeSet<String>>>(&text).ok());
    Consulted::new(names.flatten(), packages)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(path: &str) -> PackageMetadata {
        PackageMetadata {
            distributions: ["six".to_owned()].into(),
            files: [(path.to_owned(), "Name: six\n".to_owned())].into(),
        }
    }

    #[test]
    fn what_is_handed_over_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let [source, target] = ["source", "target"].map(|name| dir.path().join(name));
        let spec = PipMetadataSpec {
            reader: String::new(),
        };
        let args = spec.to_args(&[]).unwrap();
        fs::create_dir(&source).unwrap();
        fs::create_dir(&target).unwrap();
        let write = |packages: &[PackageMetadata]| {
            let text = serde_json::to_vec(packages).unwrap();
            fs::write(source.join(METADATA_FILE), text).unwrap();
            hand_over(&args[1..], &source, &target).unwrap();
        };
        assert_eq!(read(&target), None);
        let path = "lib/python3.13/site-packages/six-1.dist-info/METADATA";
        let packages = [package(path)];
        write(&packages);
        assert_eq!(read(&target).as_deref(), Some(&packages[..]));
        let unpacked = dir.path().join("unpacked");
        unpack(&packages, &unpacked).unwrap();
        let text = fs::read_to_string(unpacked.join(path)).unwrap();
        assert_eq!(text, "Name: six\n");
        for path in [
            "lib/python3.13/site-packages/../site-packages/six-1.dist-info/METADATA",
            "lib/python3.13/../../../site-packages/six-1.dist-info/METADATA",
            "/lib/python3.13/site-packages/six-1.dist-info/METADATA",
            "lib/python3.13/site-packages/keyring.py",
        ] {
            write(&[package(path)]);
            assert_eq!(read(&target), None, "{path}");
        }
    }

    #[test]
    fn unknown_names_may_be_any() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("names.json");
        let packages = [package("lib/six-1.dist-info/METADATA")];
        let found = || consulted(&path, &packages);
        assert_eq!(found(), Consulted::new(None, &packages));
        for (text, count) in [("null", 1), ("[\"six\"]", 1), ("[\"idna\"]", 0), ("[]", 0)] {
            fs::write(&path, text).unwrap();
            assert_eq!(found().packages.len(), count, "{text}");
        }
    }
}
