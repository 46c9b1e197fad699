//! Where an environment is in the image: where conda would put it.

/// The root prefix, which is the environment `base`.
pub const ROOT_PREFIX: &str = "/opt/conda";

/// The name of the environment in the root prefix.
const BASE: &str = "base";

/// An environment's name and prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    name: String,
    prefix: String,
}

/// An invalid environment name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// An empty name.
    #[error("an environment name cannot be empty")]
    Empty,
    /// `.`, `..`, or a name that starts with a dash.
    #[error(
        "an environment name cannot be `.` or `..` or start with a dash: it is used as a folder name"
    )]
    NoFolder,
    /// A character that conda refuses (`conda.base.constants`, `_validate_prefix_name`), or that is unsafe in a path.
    #[error("an environment name cannot contain the character {0:?}")]
    Character(char),
}

impl Place {
    /// The place of the environment `name`. Without a name, or for `base` or `root`, it is the root prefix.
    ///
    /// # Errors
    /// When the name is invalid.
    pub fn of(name: Option<&str>) -> Result<Self, NameError> {
        let name = match name {
            None | Some(BASE | "root") => return Ok(Self::base()),
            Some(name) => name,
        };
        if name.is_empty() {
            return Err(NameError::Empty);
        }
        if [".", ".."].contains(&name) || name.starts_with('-') {
            return Err(NameError::NoFolder);
        }
        let refused = |c: &char| c.is_whitespace() || c.is_control() || "/\\:#\"'$`".contains(*c);
        if let Some(c) = name.chars().find(refused) {
            return Err(NameError::Character(c));
        }
        Ok(Self {
            name: name.to_owned(),
            prefix: format!("{ROOT_PREFIX}/envs/{name}"),
        })
    }

    /// The root prefix.
    pub fn base() -> Self {
        Self {
            name: BASE.to_owned(),
            prefix: ROOT_PREFIX.to_owned(),
        }
    }

    /// The name, as in `ENV_NAME` and `CONDA_DEFAULT_ENV`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The absolute path.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The directories from the root prefix down to this one, parents first.
    pub fn folders(&self) -> impl Iterator<Item = &str> {
        let ends = self.prefix.match_indices('/').map(|(at, _)| at);
        ends.chain([self.prefix.len()])
            .filter(|end| *end >= ROOT_PREFIX.len())
            .map(|end| &self.prefix[..end])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn environments_are_where_conda_puts_them() {
        for name in [None, Some("base"), Some("root")] {
            assert_eq!(Place::of(name).unwrap().prefix(), "/opt/conda");
        }
        let lab = Place::of(Some("lab")).unwrap();
        assert_eq!((lab.name(), lab.prefix()), ("lab", "/opt/conda/envs/lab"));
        let folders: Vec<&str> = lab.folders().collect();
        assert_eq!(
            folders,
            ["/opt/conda", "/opt/conda/envs", "/opt/conda/envs/lab"]
        );
        let base = Place::base();
        assert_eq!(base.folders().collect::<Vec<_>>(), ["/opt/conda"]);
    }

    #[test]
    fn names_that_cannot_be_folders_are_refused() {
        for name in ["", ".", "..", "a/b", "a b", "a:b", "a#b", "-n", "a\n"] {
            assert!(Place::of(Some(name)).is_err(), "{name:?}");
        }
    }
}
