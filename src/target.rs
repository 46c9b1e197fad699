//! What `--target` may name.

use crate::source::Diagnostic;

/// What is built.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Target {
    /// The image with the environment.
    #[default]
    Image,
    /// Explicit locks, one per platform, as files.
    Lock,
}

impl Target {
    /// All of them, the default first.
    pub const ALL: [Self; 2] = [Self::Image, Self::Lock];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Lock => "lock",
        }
    }

    /// What `docker build --call=targets` says of it.
    pub fn description(self) -> &'static str {
        match self {
            Self::Image => "The image with the environment, active",
            Self::Lock => {
                "Explicit locks of the environment, one per platform; write them out with -o ."
            }
        }
    }

    /// Reads the value of `--target`.
    ///
    /// # Errors
    /// When there is no such target.
    pub fn parse(name: Option<&str>) -> Result<Self, Diagnostic> {
        let Some(name) = name else {
            return Ok(Self::default());
        };
        let known = Self::ALL.into_iter().find(|target| target.name() == name);
        known.ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(" and ");
            Diagnostic::new(format!("there is no target {name}"))
                .help(format!("The targets are {names}."))
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
        let error = Target::parse(Some("locks")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "there is no target locks\nThe targets are image and lock."
        );
    }
}
