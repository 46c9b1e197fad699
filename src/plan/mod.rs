//! What is to be built, decided without any I/O.

pub mod groups;
pub mod mirrors;

/// A package for tests: version 1.0, on linux-64.
#[cfg(test)]
pub(crate) fn test_package(name: &str) -> crate::package::Package {
    use crate::package::{Hashes, Package, PackageId, PackageUrl};
    let id = PackageId::from_file_name(&format!("{name}-1.0-0.conda")).expect("a package's name");
    let url = format!("https://c.example/conda-forge/linux-64/{}", id.file_name());
    Package {
        id,
        subdir: "linux-64".to_owned(),
        url: PackageUrl::new(url::Url::parse(&url).expect("a URL")),
        hashes: Hashes {
            sha256: Some("0".repeat(64)),
            md5: None,
        },
        size: None,
        lines: crate::source::Lines::one(1),
    }
}
