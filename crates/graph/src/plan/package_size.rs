//! How large packages are, as far as it decides which of them share a layer.

use std::collections::HashMap;
use std::sync::LazyLock;

use condafront_model::package::Package;

/// The size of a package's archive, up to a factor of two.
///
/// Versions of a package rarely differ by more, so another version seldom changes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SizeClass(u8);

impl SizeClass {
    /// Below 16 KiB, sizes make no difference.
    const SMALLEST: u8 = 13;
    /// Nor do they above 1 GiB.
    const LARGEST: u8 = 30;

    /// The class of an archive with this many bytes.
    pub(super) fn of_bytes(bytes: u64) -> Self {
        let class = u8::try_from(bytes.checked_ilog2().unwrap_or(0)).unwrap_or(Self::LARGEST);
        Self(class.clamp(Self::SMALLEST, Self::LARGEST))
    }

    /// The fewest bytes of an archive in this class.
    pub(super) fn least(self) -> u64 {
        1 << self.0
    }

    /// More bytes than any archive in this class has.
    pub(super) fn limit(self) -> u64 {
        2 << self.0
    }
}

/// Half of the packages in published locks are smaller than this, half are larger.
const MEDIAN_BYTES: u64 = 84_000;

/// The bytes of a package's archive. Where its size is not known, as in most explicit locks, that of other versions
/// stands in for it.
pub(super) fn bytes(package: &Package) -> u64 {
    let usual = || usual_or_median(&package.id.name);
    package.size.unwrap_or_else(usual)
}

/// How many bytes the archive of a package of this name usually has.
fn usual_or_median(name: &str) -> u64 {
    usual_bytes(name).unwrap_or(MEDIAN_BYTES)
}

/// The bytes of a wheel of the PyPI package `name`. Where its `size` is not known, as in most locks, that of other versions
/// stands in for it, or that of the conda package.
pub(super) fn wheel_bytes(name: &str, size: Option<u64>) -> u64 {
    static LARGE: LazyLock<HashMap<&str, u64>> =
        LazyLock::new(|| table(include_str!("large_wheels.txt")));
    let usual = || LARGE.get(without_cuda(name)).copied();
    size.or_else(usual).unwrap_or_else(|| usual_or_median(name))
}

/// What `large_packages.txt` says of a package.
fn usual_bytes(name: &str) -> Option<u64> {
    static LARGE: LazyLock<HashMap<&str, u64>> =
        LazyLock::new(|| table(include_str!("large_packages.txt")));
    LARGE.get(without_version(name)).copied()
}

/// A name and a number of mebibytes on each line.
fn table(text: &'static str) -> HashMap<&'static str, u64> {
    let packages = text.lines().filter_map(|line| line.split_once(' '));
    packages
        .filter_map(|(name, mebibytes)| {
            let bytes = mebibytes.parse::<u64>().ok()? << 20;
            Some((without_version(name), bytes))
        })
        .collect()
}

/// `libllvm` for `libllvm22`.
fn without_version(name: &str) -> &str {
    name.trim_end_matches(|it: char| it.is_ascii_digit() || it == '.')
}

/// `nvidia-cublas` for `nvidia-cublas-cu12`: since CUDA 13, NVIDIA leaves the suffix out where it can.
fn without_cuda(name: &str) -> &str {
    let name = without_version(name);
    name.strip_suffix("-cu").unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_powers_of_two() {
        let bounds = |bytes| {
            let class = SizeClass::of_bytes(bytes);
            (class.least(), class.limit())
        };
        assert_eq!(bounds(0), (8 << 10, 16 << 10));
        assert_eq!(bounds((1 << 20) - 1), (512 << 10, 1 << 20));
        assert_eq!(bounds(1 << 20), (1 << 20, 2 << 20));
        assert_eq!(bounds(u64::MAX), (1 << 30, 2 << 30));
    }

    #[test]
    fn other_versions_stand_in_for_a_size_that_is_not_known() {
        let bytes = |name, size| {
            let mut package = Package::example(name);
            package.size = size;
            bytes(&package)
        };
        assert_eq!(bytes("python", None), 30 << 20);
        assert_eq!(bytes("python", Some(40_000)), 40_000);
        assert_eq!(bytes("libllvm99", None), bytes("libllvm22", None));
        assert_eq!(bytes("six", None), MEDIAN_BYTES);
    }

    #[test]
    fn each_line_is_a_large_package() {
        for text in [
            include_str!("large_packages.txt"),
            include_str!("large_wheels.txt"),
        ] {
            let lines: Vec<&str> = text.lines().filter(|it| !it.starts_with('#')).collect();
            assert!(lines.is_sorted());
            for line in lines {
                let (_, mebibytes) = line.split_once(' ').unwrap();
                assert!(mebibytes.parse::<u64>().unwrap() >= 4, "{line}");
            }
        }
    }

    #[test]
    fn wheels_have_sizes_of_their_own() {
        assert_eq!(wheel_bytes("torch", None), 760 << 20);
        assert_eq!(wheel_bytes("torch", Some(96 << 20)), 96 << 20);
        for name in ["nvidia-cudnn-cu13", "nvidia-cudnn-cu12", "nvidia-cudnn"] {
            assert_eq!(wheel_bytes(name, None), 660 << 20, "{name}");
        }
        assert_eq!(wheel_bytes("babel", None), 7 << 20);
        assert_eq!(wheel_bytes("six", None), MEDIAN_BYTES);
    }
}
