//! PyPI packages, installed after the conda packages by the environment's own pip, or by one that condafront brings.
//!
//! A locked package is a file, fetched like a conda package. One step without network installs all of them into the image
//! as it is by then ([`install`]), and makes the result the same on every builder. What is not locked is first resolved
//! by a step with network ([`resolve`](resolve())), and then fetched and installed in the same way.

mod bring;
mod build;
mod check;
mod fetched;
mod install;
mod masked_log;
mod process;
pub mod report;
pub mod requirements;
mod resolve;
pub mod spec;

pub use bring::{has_pip, wheel};
pub use build::build;
pub use check::{
    Asked, FileKind, check, check_entries, check_files, file_name, kind, label, warnings,
};
pub use fetched::fetched;
pub use install::install;
pub use resolve::resolve;

/// A package's name as pip compares names: lower case, with `-` for every run of `-`, `_` and `.`
/// (<https://packaging.python.org/en/latest/specifications/name-normalization/>).
pub fn normalized(name: &str) -> String {
    let parts = name
        .split(['-', '_', '.'])
        .filter(|part| !part.is_empty())
        .map(str::to_ascii_lowercase);
    parts.collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::normalized;

    #[test]
    fn names_are_compared_as_pip_does() {
        for name in [
            "Zope.Interface",
            "zope-interface",
            "ZOPE__interface",
            "zope-_.interface",
        ] {
            assert_eq!(normalized(name), "zope-interface");
        }
    }
}
