//! What a file reveals about how it was made. It affects how a failure is explained, not which packages are chosen.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where a request comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Origin {
    /// Whether conda would search its channel `defaults` too, and no listed channel has packages of all kinds.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub implied_defaults: bool,
    /// The other operating system whose conda wrote the file, if the file says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exported_on: Option<OtherSystem>,
}

/// An operating system that no image has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OtherSystem {
    /// Windows.
    Windows,
    /// macOS.
    MacOs,
}

impl Origin {
    /// Whether there is nothing to tell.
    pub fn is_unknown(&self) -> bool {
        *self == Self::default()
    }
}

impl OtherSystem {
    /// The system that has the folder of an environment, as `conda env export` writes it: `prefix: C:\miniconda3\envs\x`.
    pub fn of_prefix(prefix: &str) -> Option<Self> {
        let prefix = prefix.trim();
        let mut chars = prefix.chars();
        let is_drive = chars.next().is_some_and(|c| c.is_ascii_alphabetic())
            && chars.next() == Some(':')
            && matches!(chars.next(), Some('\\' | '/'));
        let mac = ["/Users/", "/opt/homebrew/", "/usr/local/Caskroom/"];
        if is_drive || prefix.starts_with(r"\\") {
            Some(Self::Windows)
        } else if mac.iter().any(|start| prefix.starts_with(start)) {
            Some(Self::MacOs)
        } else {
            None
        }
    }

    /// The word for it in a selector: `# [win]`.
    pub fn selector(self) -> &'static str {
        match self {
            Self::Windows => "win",
            Self::MacOs => "osx",
        }
    }
}

impl fmt::Display for OtherSystem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Windows => "Windows",
            Self::MacOs => "macOS",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_show_their_system() {
        for (prefix, system) in [
            (
                r"C:\Users\ada\miniconda3\envs\x",
                Some(OtherSystem::Windows),
            ),
            ("d:/conda/envs/x", Some(OtherSystem::Windows)),
            (r"\\server\share\envs\x", Some(OtherSystem::Windows)),
            ("/Users/ada/miniforge3/envs/x", Some(OtherSystem::MacOs)),
            (
                "/opt/homebrew/Caskroom/miniforge/base",
                Some(OtherSystem::MacOs),
            ),
            ("/home/ada/miniconda3/envs/x", None),
            ("/opt/conda", None),
            ("", None),
            ("C", None),
            ("c:x", None),
        ] {
            assert_eq!(OtherSystem::of_prefix(prefix), system, "{prefix}");
        }
    }
}
