//! conda-forge's packages of micromamba, the default installer.

use std::str::FromStr;

use url::Url;

use condafront_model::lint::{Rule, Warning};
use condafront_model::package::{Hashes, Package, PackageId, PackageUrl};
use condafront_model::platform::Platform;
use condafront_model::source::{Diagnostic, Lines};

const CHANNEL: &str = "https://conda.anaconda.org/conda-forge";

/// A version of micromamba, `2.8.1` or `2.8.1#sha256:<hash>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MicromambaVersion {
    /// The version, with the build number if it is not 0: `2.8.1-1`.
    version: String,
    /// The hash that conda-forge's package must have.
    sha256: Option<String>,
}

impl Default for MicromambaVersion {
    fn default() -> Self {
        Self {
            version: "2.8.1".to_owned(),
            sha256: None,
        }
    }
}

impl FromStr for MicromambaVersion {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (version, hash) = match text.split_once('#') {
            Some((version, hash)) => (version, Some(hash)),
            None => (text, None),
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
        if !version.starts_with(|c: char| c.is_ascii_digit()) || !version.chars().all(plain) {
            return Err(format!(
                "`{version}` is not a valid version; write 2.8.1 or 2.8.1#sha256:<64 hex digits>"
            ));
        }
        let sha256 = hash
            .map(|hash| {
                let digits = hash.strip_prefix("sha256:").unwrap_or(hash);
                let is_hash = digits.len() == 64 && digits.bytes().all(|b| b.is_ascii_hexdigit());
                is_hash
                    .then(|| digits.to_ascii_lowercase())
                    .ok_or_else(|| "the part after # must be sha256: and 64 hex digits".to_owned())
            })
            .transpose()?;
        Ok(Self {
            version: version.to_owned(),
            sha256,
        })
    }
}

/// The packages whose hashes condafront knows: version with build number, platform, SHA-256.
const KNOWN: &[(&str, Platform, &str)] = &[
    (
        "2.8.1-0",
        Platform::LinuxAmd64,
        "a934c3709c997feae403a27fd1e321c106d26ffa4f294800ffb11cbc9a3e8515",
    ),
    (
        "2.8.1-0",
        Platform::LinuxArm64,
        "70c60a36609ee8bcc07a3a1a66b2c3a65cff7c1053466963437f1bda72e5210f",
    ),
];

/// The package of this version for the platform that steps run on.
///
/// # Errors
/// When the version cannot be part of a package name.
pub fn package(version: &MicromambaVersion, platform: Platform) -> Result<Package, Diagnostic> {
    let number = if version.version.contains('-') {
        version.version.clone()
    } else {
        format!("{}-0", version.version)
    };
    let file_name = format!("micromamba-{number}.tar.bz2");
    let wrong = || {
        Diagnostic::new(format!(
            "build-arg MICROMAMBA_VERSION: {file_name} is not a valid package name"
        ))
        .help("Write a version such as 2.8.1, or 2.8.1-1 for build 1 of it.")
    };
    let id = PackageId::from_file_name(&file_name).map_err(|_| wrong())?;
    let url = format!("{CHANNEL}/{}/{file_name}", platform.subdir());
    let known = KNOWN
        .iter()
        .find(|(known, on, _)| *known == number && *on == platform)
        .map(|(_, _, hash)| (*hash).to_owned());
    Ok(Package {
        id,
        subdir: platform.subdir().to_owned(),
        url: PackageUrl::new(Url::parse(&url).map_err(|_| wrong())?),
        hashes: Hashes {
            sha256: version.sha256.clone().or(known),
            md5: None,
        },
        size: None,
        // condafront itself asks for it, so it points at the line that names condafront.
        lines: Lines::one(1),
    })
}

/// A warning if nothing checks what is downloaded as `package`.
pub fn warning(package: &Package, version: &MicromambaVersion) -> Option<Warning> {
    if package.hashes.is_pinned() {
        return None;
    }
    let help = format!(
        "Write MICROMAMBA_VERSION={}#sha256:<hash of {}>.",
        version.version,
        package.id.file_name()
    );
    Some(Warning::unverified(
        Rule::UnverifiedInstaller,
        &package.id,
        help,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Package {
        package(&text.parse().unwrap(), Platform::LinuxAmd64).unwrap()
    }

    #[test]
    fn the_default_is_pinned_and_others_can_be() {
        assert!(
            package(&MicromambaVersion::default(), Platform::LinuxArm64)
                .unwrap()
                .hashes
                .is_pinned()
        );
        assert_eq!(
            of("2.8.1").url.to_string(),
            "https://conda.anaconda.org/conda-forge/linux-64/micromamba-2.8.1-0.tar.bz2"
        );
        assert!(!of("2.0.5-1").hashes.is_pinned());
        let version: MicromambaVersion = "2.0.5-1".parse().unwrap();
        let warning = warning(&of("2.0.5-1"), &version).unwrap();
        assert_eq!(warning.rule, Rule::UnverifiedInstaller);
        let help = warning.diagnostic.help.unwrap();
        assert!(help.contains("micromamba-2.0.5-1.tar.bz2"), "{help}");
        let hash = "ab".repeat(32);
        assert_eq!(
            of(&format!("2.0.5-1#sha256:{hash}")).hashes.sha256,
            Some(hash)
        );
    }
}
