//! Platforms: Docker's `linux/amd64` is conda's subdir `linux-64`.

use std::fmt;

/// A platform that an image can be built for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Platform {
    /// `linux/amd64`, conda's `linux-64`.
    LinuxAmd64,
    /// `linux/arm64`, conda's `linux-aarch64`.
    LinuxArm64,
    /// `linux/ppc64le`, conda's `linux-ppc64le`.
    LinuxPpc64le,
    /// `linux/s390x`, conda's `linux-s390x`.
    LinuxS390x,
    /// `linux/riscv64`, conda's `linux-riscv64`.
    LinuxRiscv64,
}

/// Every conda subdir that is a platform, whether images can be built for it or not
/// (<https://conda.org/learn/ceps/cep-0026>; the names are those of `conda.base.constants.KNOWN_SUBDIRS`).
const SUBDIRS: &[&str] = &[
    "emscripten-wasm32",
    "wasi-wasm32",
    "freebsd-64",
    "linux-32",
    "linux-64",
    "linux-aarch64",
    "linux-armv6l",
    "linux-armv7l",
    "linux-loongarch64",
    "linux-ppc64",
    "linux-ppc64le",
    "linux-riscv32",
    "linux-riscv64",
    "linux-s390x",
    "osx-64",
    "osx-arm64",
    "win-32",
    "win-64",
    "win-arm64",
    "zos-z",
];

/// The subdir of the packages that are for every platform.
pub const NOARCH: &str = "noarch";

/// Why [`NOARCH`] is not among the platforms of a file.
pub const NOARCH_IS_NONE: &str =
    "`noarch` is not a platform: its packages are used on every platform";

/// Whether conda knows a platform of this name ([`NOARCH`] is not a platform).
pub fn is_subdir(name: &str) -> bool {
    SUBDIRS.contains(&name)
}

/// The names of all platforms that conda knows.
pub fn subdirs() -> impl Iterator<Item = &'static str> + Clone {
    SUBDIRS.iter().copied()
}

/// The platform that other tools call `name`, as `linux-arm64` and `darwin-x86_64`.
pub fn known_elsewhere_as(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_lowercase();
    let (system, machine) = name.split_once(['-', '_', '/'])?;
    let system = match system {
        "darwin" | "macos" => "osx",
        "windows" => "win",
        other => other,
    };
    let machine = match (system, machine) {
        (_, "amd64" | "x64" | "x86_64" | "x86-64") => "64",
        ("linux", "arm64" | "arm64/v8") => "aarch64",
        ("osx" | "win", "aarch64") => "arm64",
        (_, other) => other,
    };
    let meant = format!("{system}-{machine}");
    subdirs().find(|subdir| *subdir == meant)
}

/// A platform that condafront builds no images for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there are no conda packages for the platform {0}")]
pub struct UnknownPlatform(String);

impl Platform {
    /// All platforms.
    pub const ALL: [Self; 5] = [
        Self::LinuxAmd64,
        Self::LinuxArm64,
        Self::LinuxPpc64le,
        Self::LinuxS390x,
        Self::LinuxRiscv64,
    ];

    /// The platforms that an entrypoint exists for, which every image needs.
    pub const IMAGES: [Self; 2] = [Self::LinuxAmd64, Self::LinuxArm64];

    /// The platform for an OCI operating system and architecture; the variant (`v8`) does not matter to conda.
    ///
    /// # Errors
    /// When conda has no packages for it.
    pub fn from_oci(os: &str, architecture: &str) -> Result<Self, UnknownPlatform> {
        Self::ALL
            .into_iter()
            .find(|platform| os == "linux" && architecture == platform.architecture())
            .ok_or_else(|| UnknownPlatform(format!("{os}/{architecture}")))
    }

    /// Reads `linux/arm64/v8`, the form that `--platform` takes.
    ///
    /// # Errors
    /// When conda has no packages for it.
    pub fn parse(text: &str) -> Result<Self, UnknownPlatform> {
        let mut parts = text.trim().split('/');
        let os = parts.next().unwrap_or_default();
        let architecture = match parts.next().unwrap_or_default() {
            "x86_64" | "x86-64" => "amd64",
            "aarch64" => "arm64",
            other => other,
        };
        Self::from_oci(os, architecture).map_err(|_| UnknownPlatform(text.trim().to_owned()))
    }

    /// The platform with this conda name.
    pub fn from_subdir(subdir: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|platform| platform.subdir() == subdir)
    }

    /// The OCI operating system.
    pub fn os(self) -> &'static str {
        "linux"
    }

    /// The OCI architecture.
    pub fn architecture(self) -> &'static str {
        match self {
            Self::LinuxAmd64 => "amd64",
            Self::LinuxArm64 => "arm64",
            Self::LinuxPpc64le => "ppc64le",
            Self::LinuxS390x => "s390x",
            Self::LinuxRiscv64 => "riscv64",
        }
    }

    /// The processor as `uname -m` and Python's `platform.machine()` name it.
    pub fn machine(self) -> &'static str {
        match self {
            Self::LinuxAmd64 => "x86_64",
            Self::LinuxArm64 => "aarch64",
            Self::LinuxPpc64le => "ppc64le",
            Self::LinuxS390x => "s390x",
            Self::LinuxRiscv64 => "riscv64",
        }
    }

    /// Its name in GNU tools and Debian directories.
    pub fn triplet(self) -> &'static str {
        match self {
            Self::LinuxAmd64 => "x86_64-linux-gnu",
            Self::LinuxArm64 => "aarch64-linux-gnu",
            Self::LinuxPpc64le => "powerpc64le-linux-gnu",
            Self::LinuxS390x => "s390x-linux-gnu",
            Self::LinuxRiscv64 => "riscv64-linux-gnu",
        }
    }

    /// The file name of glibc's loader (`shlib-versions` in glibc's `sysdeps`).
    pub fn glibc_loader(self) -> &'static str {
        match self {
            Self::LinuxAmd64 => "ld-linux-x86-64.so.2",
            Self::LinuxArm64 => "ld-linux-aarch64.so.1",
            Self::LinuxPpc64le => "ld64.so.2",
            Self::LinuxS390x => "ld64.so.1",
            Self::LinuxRiscv64 => "ld-linux-riscv64-lp64d.so.1",
        }
    }

    /// The platform that this program was compiled for, if it is one of these.
    pub fn own() -> Option<Self> {
        match std::env::consts::ARCH {
            "x86_64" => Some(Self::LinuxAmd64),
            "aarch64" => Some(Self::LinuxArm64),
            "powerpc64" => Some(Self::LinuxPpc64le),
            "s390x" => Some(Self::LinuxS390x),
            "riscv64" => Some(Self::LinuxRiscv64),
            _ => None,
        }
    }

    /// Conda's name.
    pub fn subdir(self) -> &'static str {
        match self {
            Self::LinuxAmd64 => "linux-64",
            Self::LinuxArm64 => "linux-aarch64",
            Self::LinuxPpc64le => "linux-ppc64le",
            Self::LinuxS390x => "linux-s390x",
            Self::LinuxRiscv64 => "linux-riscv64",
        }
    }
}

/// The form of BuildKit's platform IDs: `linux/amd64`.
impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os(), self.architecture())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_name_the_same_platform() {
        for platform in Platform::ALL {
            assert_eq!(Platform::parse(&platform.to_string()), Ok(platform));
            assert!(is_subdir(platform.subdir()));
        }
        assert_eq!(Platform::parse("linux/arm64/v8"), Ok(Platform::LinuxArm64));
        assert!(Platform::parse("windows/amd64").is_err());
        assert!(!is_subdir("noarch"));
    }

    #[test]
    fn names_of_other_tools_are_understood() {
        for (name, subdir) in [
            ("linux-arm64", Some("linux-aarch64")),
            ("linux/arm64/v8", Some("linux-aarch64")),
            ("linux_x86_64", Some("linux-64")),
            ("Linux-64", Some("linux-64")),
            ("darwin-arm64", Some("osx-arm64")),
            ("macos-aarch64", Some("osx-arm64")),
            ("windows/amd64", Some("win-64")),
            ("linux", None),
            ("linux-arm", None),
        ] {
            assert_eq!(known_elsewhere_as(name), subdir, "{name}");
        }
    }
}
