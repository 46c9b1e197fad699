//! The readers of what package managers print, for `tests/fuzz`.

use super::failure::Failure;
use super::{apk, apt, dnf};

/// Explains a failure by what apt, apk and dnf print; apt-cache answers the same.
///
/// # Panics
/// If a package is blamed that nobody asked for.
pub fn package_managers(data: &[u8]) {
    let output = String::from_utf8_lossy(data);
    let packages = ["libgl11", "curl=8.8.0-r0", "gone", "tzdata:i386", "htop"].map(str::to_owned);
    let check = |failure: Failure| {
        assert!(failure.packages.iter().all(|index| *index < packages.len()));
        drop(failure.into_report("apt"));
    };
    check(apt::explain(&output, &packages, &mut |_| {
        output.to_string()
    }));
    check(apk::explain(&output, &packages));
    check(dnf::explain(&output, &dnf::unknown(&output), &packages));
}
