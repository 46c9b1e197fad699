//! What `--target` can name.

use condafront_model::nearest::did_you_mean;
use condafront_model::source::Diagnostic;

/// What is built.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Target {
    /// The image with the environment.
    #[default]
    Image,
    /// The same image, with editable packages.
    Dev,
    /// The environment's files and nothing else.
    Prefix,
    /// Explicit locks, one per platform, as files.
    Lock,
    /// Everything that the build downloads, as files.
    Channel,
    /// Whether an image matches the file.
    Verify,
    /// How two images differ.
    Diff,
}

impl Target {
    /// All of them, the default first.
    pub const ALL: [Self; 7] = [
        Self::Image,
        Self::Dev,
        Self::Prefix,
        Self::Lock,
        Self::Channel,
        Self::Verify,
        Self::Diff,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Dev => "dev",
            Self::Prefix => "prefix",
            Self::Lock => "lock",
            Self::Channel => "channel",
            Self::Verify => "verify",
            Self::Diff => "diff",
        }
    }

    /// What `docker build --call=targets` shows for it.
    pub fn description(self) -> &'static str {
        match self {
            Self::Image => "The image with the environment active",
            Self::Dev => {
                "The image for development: packages that are listed with -e are editable, in the working directory"
            }
            Self::Prefix => "The environment alone, to copy with COPY --from or -o type=tar",
            Self::Lock => {
                "Explicit locks of the environment, one per platform; write them out with -o ."
            }
            Self::Channel => {
                "The packages as conda channels in a folder, for builds without a network; write it out with -o <folder>"
            }
            Self::Verify => {
                "Whether an image matches the file: --build-context image=docker-image://<name>; write a report out with -o ."
            }
            Self::Diff => {
                "How the packages of an image differ from the file's: --build-context old=docker-image://<name>; write reports out with -o ."
            }
        }
    }

    /// Reads the value of `--target`.
    ///
    /// # Errors
    /// If there is no such target.
    pub fn parse(name: Option<&str>) -> Result<Self, Diagnostic> {
        let Some(name) = name else {
            return Ok(Self::default());
        };
        let known = Self::ALL.into_iter().find(|target| target.name() == name);
        known.ok_or_else(|| {
            let names = Self::ALL.map(Self::name);
            let diagnostic = Diagnostic::new(format!("there is no target `{name}`"));
            let all = || format!("The targets are {}.", names.join(", "));
            diagnostic.help(did_you_mean(name, names).unwrap_or_else(all))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_known_by_name() {
        assert_eq!(Target::parse(None).unwrap(), Target::Image);
        for target in Target::ALL {
            assert_eq!(Target::parse(Some(target.name())).unwrap(), target);
        }
        let error = |name| Target::parse(Some(name)).unwrap_err().to_string();
        assert_eq!(
            error("locks"),
            "there is no target `locks`\nDid you mean `lock`?"
        );
        assert_eq!(
            error("release"),
            "there is no target `release`\nThe targets are image, dev, prefix, lock, channel, verify, diff."
        );
    }
}
