//! conda-forge's packages of micromamba, the default installer.

use url::Url;

use crate::input::{Rule, Warning};
use crate::package::{Hashes, Package, PackageId, PackageUrl};
use crate::platform::Platform;
use crate::settings::MicromambaVersion;
use crate::source::{Diagnostic, Lines};

const CHANNEL: &str = "https://conda.anaconda.org/conda-forge";

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

/// The package of a version for the platform that steps run on.
///
/// # Errors
/// When the version cannot be part of a package's name.
pub fn package(version: &MicromambaVersion, platform: Platform) -> Result<Package, Diagnostic> {
    let number = if version.version.contains('-') {
        version.version.clone()
    } else {
        format!("{}-0", version.version)
    };
    let file_name = format!("micromamba-{number}.tar.bz2");
    let wrong = || {
        Diagnostic::new(format!(
            "build-arg MICROMAMBA_VERSION: there can be no package {file_name}"
        ))
        .help("Write a version such as 2.8.1, or 2.8.1-1 for another build of it.")
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
        // It is condafront's own wish, so the line that names condafront stands for it.
        lines: Lines::one(1),
    })
}

/// Says if nothing checks what is downloaded as `package`.
pub fn warning(package: &Package, version: &MicromambaVersion) -> Option<Warning> {
    if package.hashes.is_pinned() {
        return None;
    }
    let diagnostic = Diagnostic::new(format!(
        "{} has no hash: nothing checks what is downloaded",
        package.id
    ))
    .help(format!(
        "Write MICROMAMBA_VERSION={}#sha256:<hash of {}>.",
        version.version,
        package.id.file_name()
    ));
    Some(Warning {
        rule: Rule::UnverifiedInstaller,
        diagnostic,
    })
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
