//! The names of environments, and where environments are in the image: where conda would put them.

use crate::visible::is_hidden;

/// The root prefix, which is the environment `base`.
pub const ROOT_PREFIX: &str = "/opt/conda";

/// The name of the environment in the root prefix.
const BASE: &str = "base";

/// Conda's old name for [`BASE`].
const OLD_BASE: &str = "root";

/// A prefix must fit into the 255 bytes that packages reserve for it, with room for the paths below it.
pub const LONGEST: usize = 150;

/// An environment's name and prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvironmentPrefix {
    name: String,
    path: String,
}

/// An invalid environment name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// A character that conda refuses (`conda.base.context.validate_prefix_name`), or that is unsafe in a path.
    #[error("an environment name cannot contain the character {0:?}")]
    Character(char),
    /// An empty name.
    #[error("an environment name cannot be empty")]
    Empty,
    /// A name that would be a hidden folder, or an option of a program.
    #[error("an environment name cannot start with a dot or a dash: it is used as a folder name")]
    Start,
    /// A name that is too long for a prefix.
    #[error("an environment name cannot be longer than {LONGEST} bytes")]
    TooLong,
}

impl EnvironmentPrefix {
    /// The prefix of the environment `name`. For `base` and `root`, conda's old name for it, it is the root prefix.
    ///
    /// # Errors
    /// When the name is invalid.
    pub fn of(name: &str) -> Result<Self, NameError> {
        let refused = |c: &char| c.is_whitespace() || is_hidden(*c) || "/\\:#\"'$`".contains(*c);
        if let Some(c) = name.chars().find(refused) {
            return Err(NameError::Character(c));
        }
        match name {
            BASE | OLD_BASE => Ok(Self::base()),
            "" => Err(NameError::Empty),
            _ if name.starts_with(['.', '-']) => Err(NameError::Start),
            _ if name.len() > LONGEST => Err(NameError::TooLong),
            _ => Ok(Self {
                name: name.to_owned(),
                path: format!("{ROOT_PREFIX}/envs/{name}"),
            }),
        }
    }

    /// The root prefix.
    pub fn base() -> Self {
        Self {
            name: BASE.to_owned(),
            path: ROOT_PREFIX.to_owned(),
        }
    }

    /// The environment's name, as in `ENV_NAME` and `CONDA_DEFAULT_ENV`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The absolute path.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The directories from the root prefix down to this one, parents first.
    pub fn folders(&self) -> impl Iterator<Item = &str> {
        let ends = self.path.match_indices('/').map(|(at, _)| at);
        ends.chain([self.path.len()])
            .filter(|end| *end >= ROOT_PREFIX.len())
            .map(|end| &self.path[..end])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn environments_are_where_conda_puts_them() {
        for name in ["base", "root"] {
            assert_eq!(EnvironmentPrefix::of(name), Ok(EnvironmentPrefix::base()));
        }
        let lab = EnvironmentPrefix::of("lab").unwrap();
        assert_eq!((lab.name(), lab.path()), ("lab", "/opt/conda/envs/lab"));
        let folders: Vec<&str> = lab.folders().collect();
        assert_eq!(
            folders,
            ["/opt/conda", "/opt/conda/envs", "/opt/conda/envs/lab"]
        );
        let base = EnvironmentPrefix::base();
        assert_eq!((base.name(), base.path()), ("base", "/opt/conda"));
        assert_eq!(base.folders().collect::<Vec<_>>(), ["/opt/conda"]);
    }

    #[test]
    fn names_that_cannot_be_folders_are_refused() {
        let long = "n".repeat(LONGEST + 1);
        for name in [
            "", ".", "..", ".a", "a/b", "a b", "a:b", "a#b", "a$b", "-n", "a\n", &long,
        ] {
            assert!(EnvironmentPrefix::of(name).is_err(), "{name:?}");
        }
        assert!(EnvironmentPrefix::of(&long[1..]).is_ok());
    }
}
