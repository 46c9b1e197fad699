//! Packages that only exist for other operating systems.

use condafront_model::origin::OtherSystem;

/// Names of packages that conda environments on Windows have.
const WINDOWS: &[&str] = &[
    "comtypes",
    "console_shortcut",
    "console_shortcut_miniconda",
    "get_terminal_size",
    "icc_rt",
    "menuinst",
    "msys2-conda-epoch",
    "powershell_shortcut",
    "powershell_shortcut_miniconda",
    "pyreadline",
    "pyreadline3",
    "pywin32",
    "pywin32-ctypes",
    "pywinpty",
    "ucrt",
    "vc",
    "vc14_runtime",
    "vcomp14",
    "vs2013_runtime",
    "vs2015_runtime",
    "win_inet_pton",
    "win_unicode_console",
    "wincertstore",
    "winpty",
    "wmi",
];

/// What names of packages for Windows start with.
const WINDOWS_STARTS: &[&str] = &["m2-", "m2w64-", "vs2017_win", "vs2019_win", "vs2022_win"];

/// Names of packages that conda environments on macOS have.
const MACOS: &[&str] = &[
    "appnope",
    "cctools",
    "cctools_osx-64",
    "cctools_osx-arm64",
    "ld64",
    "ld64_osx-64",
    "ld64_osx-arm64",
    "libcxx",
    "python.app",
    "tapi",
];

/// What names of packages for macOS start with.
const MACOS_STARTS: &[&str] = &["pyobjc", "macosx_deployment_target"];

/// The operating system that a package belongs to, if it is a well-known one.
///
/// A name here may exist for Linux in some channel: ask only about packages that the channels lack.
pub(super) fn system_of(name: &str) -> Option<OtherSystem> {
    let is_of = |names: &[&str], starts: &[&str]| {
        names.contains(&name) || starts.iter().any(|start| name.starts_with(start))
    };
    if is_of(WINDOWS, WINDOWS_STARTS) {
        Some(OtherSystem::Windows)
    } else if is_of(MACOS, MACOS_STARTS) {
        Some(OtherSystem::MacOs)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_of_other_systems_are_known() {
        for (name, system) in [
            ("vs2015_runtime", Some(OtherSystem::Windows)),
            ("m2w64-gcc-libs", Some(OtherSystem::Windows)),
            ("appnope", Some(OtherSystem::MacOs)),
            ("pyobjc-core", Some(OtherSystem::MacOs)),
            ("python", None),
            ("libgcc", None),
        ] {
            assert_eq!(system_of(name), system, "{name}");
        }
    }
}
