//! Finds what activation adds to `PATH`, and inserts and removes it.
//!
//! Everything else in a user's `PATH` stays in place: a derived image's `ENV PATH=/app:$PATH`
//! survives another `ENV_NAME`.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

/// The `PATH` that Docker sets if the image has none.
pub const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Directories that activation adds before and after the existing ones.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Additions {
    /// Directories in front, in order.
    pub head: Vec<OsString>,
    /// Directories at the end, in order.
    pub tail: Vec<OsString>,
}

impl Additions {
    /// The directories in `activated` that are not in `plain`.
    pub fn between(plain: &OsStr, activated: &OsStr) -> Self {
        let plain = split(plain);
        let mut added = Self::default();
        let mut seen_plain = false;
        for dir in split(activated) {
            if plain.contains(&dir) {
                seen_plain = true;
            } else if !added.contains(&dir) {
                let list = if seen_plain {
                    &mut added.tail
                } else {
                    &mut added.head
                };
                list.push(dir);
            }
        }
        added
    }

    /// The directories that the activation of the environment at `prefix` adds to `plain`, with the environment's own
    /// programs even if `plain` has them: there they may come after others, and shells may reset `PATH`.
    pub fn of_environment(prefix: &OsStr, plain: &OsStr, activated: &OsStr) -> Self {
        let own = Path::new(prefix).join("bin").into_os_string();
        let mut others = split(plain);
        others.retain(|dir| *dir != own);
        Self::between(&join(&others), activated)
    }

    fn contains(&self, dir: &OsString) -> bool {
        self.head.contains(dir) || self.tail.contains(dir)
    }
}

/// `path` without the directories of `old` and with those of `new`, in the place where the old or the
/// new ones were, else in front.
pub(crate) fn exchange(path: &OsStr, old: &Additions, new: &Additions) -> OsString {
    let dirs = split(path);
    let place = dirs
        .iter()
        .position(|dir| old.head.contains(dir) || new.head.contains(dir))
        .unwrap_or(0);
    let mut result: Vec<OsString> = Vec::with_capacity(dirs.len() + new.head.len());
    for (index, dir) in dirs.iter().enumerate() {
        if index == place {
            result.extend(new.head.iter().cloned());
        }
        if !old.contains(dir) && !new.contains(dir) {
            result.push(dir.clone());
        }
    }
    if dirs.is_empty() {
        result.extend(new.head.iter().cloned());
    }
    result.extend(new.tail.iter().cloned());
    join(&result)
}

/// The directories of a `PATH` value; none for an empty one.
pub(crate) fn split(path: &OsStr) -> Vec<OsString> {
    if path.is_empty() {
        return Vec::new();
    }
    path.as_bytes()
        .split(|&byte| byte == b':')
        .map(|dir| OsString::from_vec(dir.to_vec()))
        .collect()
}

/// Directories as one `PATH` value.
pub(crate) fn join(dirs: &[OsString]) -> OsString {
    dirs.join(OsStr::new(":"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn added(head: &[&str], tail: &[&str]) -> Additions {
        Additions {
            head: head.iter().map(OsString::from).collect(),
            tail: tail.iter().map(OsString::from).collect(),
        }
    }

    fn swap(path: &str, old: &Additions, new: &Additions) -> String {
        exchange(OsStr::new(path), old, new)
            .into_string()
            .expect("ASCII in, ASCII out")
    }

    #[test]
    fn additions_are_not_in_the_plain_path() {
        let found = Additions::between(
            OsStr::new("/usr/bin:/bin"),
            OsStr::new("/c/bin:/c/condabin:/usr/bin:/c/bin:/bin:/last"),
        );
        assert_eq!(found, added(&["/c/bin", "/c/condabin"], &["/last"]));
        assert_eq!(
            Additions::between(OsStr::new(""), OsStr::new("/c/bin")),
            added(&["/c/bin"], &[])
        );
    }

    #[test]
    fn an_environments_own_programs_are_always_an_addition() {
        let of = |plain: &str, activated: &str| {
            Additions::of_environment(OsStr::new("/c"), OsStr::new(plain), OsStr::new(activated))
        };
        assert_eq!(of("/c/bin:/bin", "/c/bin:/bin"), added(&["/c/bin"], &[]));
        assert_eq!(
            of("/bin:/c/bin", "/c/bin:/c/condabin:/bin"),
            added(&["/c/bin", "/c/condabin"], &[])
        );
        assert_eq!(of("/bin", "/bin"), added(&[], &[]));
    }

    #[test]
    fn another_environment_takes_the_place_of_the_first() {
        let base = added(&["/c/bin"], &[]);
        let other = added(&["/c/envs/r/bin"], &["/tail"]);
        assert_eq!(
            swap("/app:/c/bin:/usr/bin:/mine", &base, &other),
            "/app:/c/envs/r/bin:/usr/bin:/mine:/tail"
        );
    }

    #[test]
    fn removal_leaves_the_users_directories() {
        let base = added(&["/c/bin"], &["/last"]);
        let none = Additions::default();
        assert_eq!(swap("/app:/c/bin:/bin:/last", &base, &none), "/app:/bin");
        assert_eq!(swap("/bin", &base, &none), "/bin");
        assert_eq!(swap("", &base, &none), "");
    }

    #[test]
    fn additions_are_inserted_once() {
        let base = added(&["/c/bin"], &["/last"]);
        let none = Additions::default();
        let once = swap("/bin", &none, &base);
        assert_eq!(once, "/c/bin:/bin:/last");
        assert_eq!(swap(&once, &none, &base), once);
        assert_eq!(
            swap("/app:/c/bin:/bin:/last", &none, &base),
            "/app:/c/bin:/bin:/last"
        );
        assert_eq!(swap("", &none, &base), "/c/bin:/last");
    }
}
