//! Makes the changes that programs made in one prefix in another one too: the first has packages that only builds see, the
//! second is that of the image.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::bytecode::source_of;
use super::error::{Error, Result};
use super::pick::copy;
use crate::file_times::{change_of, moment};

/// When each path below a directory last changed. The paths are relative to it.
pub(crate) struct Times(BTreeMap<PathBuf, Found>);

/// A path below a directory.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Found {
    changed: SystemTime,
    is_dir: bool,
}

impl Times {
    /// Those below `dir`. All changes to come have later times.
    ///
    /// # Errors
    /// An I/O error.
    pub(crate) fn of(dir: &Path) -> Result<Self> {
        let times = Self::look(dir)?;
        moment();
        Ok(times)
    }

    fn look(dir: &Path) -> Result<Self> {
        let mut found = BTreeMap::new();
        add_below(dir, Path::new(""), &mut found)?;
        Ok(Self(found))
    }

    /// Makes the changes since then below `dir` in the directory `to`, which has a part of the same files: what is new or
    /// different is copied, what is gone is removed. Files that `to` did not have before stay out of it, and so does the
    /// bytecode of modules that it does not have.
    ///
    /// # Errors
    /// An I/O error.
    pub(crate) fn carry_changes(&self, dir: &Path, to: &Path) -> Result<()> {
        let after = Self::look(dir)?;
        for path in self.0.keys().rev() {
            if !after.0.contains_key(path) {
                remove(&to.join(path))?;
            }
        }
        let changed = after.0.iter().filter(|(path, found)| {
            let before = self.0.get(*path);
            let is_same_folder = found.is_dir && before.is_some_and(|before| before.is_dir);
            !is_same_folder && before != Some(*found)
        });
        let bytecode = |path: &Path| path.to_str().and_then(source_of);
        // Their sources may be among the changes.
        let (compiled, others): (Vec<_>, Vec<_>) =
            changed.partition(|(path, _)| bytecode(path).is_some());
        for (path, found) in others.into_iter().chain(compiled) {
            let target = to.join(path);
            let is_foreign = self.0.contains_key(path) && !exists(&target);
            let lacks_source = bytecode(path).is_some_and(|source| !exists(&to.join(source)));
            if is_foreign || lacks_source {
                continue;
            }
            if found.is_dir {
                if !target.is_dir() {
                    remove(&target)?;
                }
                // The others are made for what is in them, of which nothing may be wanted.
                let next = after.0.range(path.clone()..).nth(1);
                if next.is_none_or(|(next, _)| !next.starts_with(path)) {
                    fs::create_dir_all(&target).map_err(|e| Error::io("create", &target, e))?;
                }
            } else {
                remove(&target)?;
                copy(&dir.join(path), &target)?;
            }
        }
        Ok(())
    }
}

/// Adds what is below the path `relative` of `dir` to `found`.
fn add_below(dir: &Path, relative: &Path, found: &mut BTreeMap<PathBuf, Found>) -> Result<()> {
    let folder = dir.join(relative);
    for entry in fs::read_dir(&folder).map_err(|e| Error::io("list", &folder, e))? {
        let entry = entry.map_err(|e| Error::io("list", &folder, e))?;
        let relative = relative.join(entry.file_name());
        let path = entry.path();
        let metadata = path
            .symlink_metadata()
            .map_err(|e| Error::io("read", &path, e))?;
        let is_dir = metadata.is_dir();
        let kind = metadata.file_type();
        if !is_dir && !kind.is_file() && !kind.is_symlink() {
            // No image has sockets and the like.
            continue;
        }
        let changed = change_of(&metadata);
        found.insert(relative.clone(), Found { changed, is_dir });
        if is_dir {
            add_below(dir, &relative, found)?;
        }
    }
    Ok(())
}

fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// Removes a file, or a directory if it is empty. It may be missing.
fn remove(path: &Path) -> Result<()> {
    let removed = match path.symlink_metadata() {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error)
            if !matches!(
                error.kind(),
                io::ErrorKind::NotFound
                    | io::ErrorKind::NotADirectory
                    | io::ErrorKind::DirectoryNotEmpty
            ) =>
        {
            Err(Error::io("remove", path, error))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn only_changes_of_what_is_there_are_made() {
        let dir = tempfile::tempdir().unwrap();
        let (build, image) = (dir.path().join("build"), dir.path().join("image"));
        let put = |path: &str, text: &str| {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        let of_image = [
            "lib/demo.py",
            "lib/demo-1.0/RECORD",
            "lib/kept.py",
            "bin/demo",
        ];
        for path in of_image {
            put(&format!("build/{path}"), "old");
            put(&format!("image/{path}"), "old");
        }
        // Only builds see these.
        for path in ["bin/cmake", "lib/cmake/__init__.py", "share/cmake/settings"] {
            put(&format!("build/{path}"), "old");
        }
        let before = Times::of(&build).unwrap();

        fs::remove_file(build.join("lib/demo.py")).unwrap();
        fs::remove_dir_all(build.join("lib/demo-1.0")).unwrap();
        fs::remove_file(build.join("bin/cmake")).unwrap();
        put("build/lib/demo.pth", "/work");
        put("build/lib/demo-2.0/RECORD", "new");
        put("build/bin/demo", "new");
        fs::set_permissions(build.join("bin/demo"), fs::Permissions::from_mode(0o755)).unwrap();
        put("build/share/cmake/settings", "new");
        put("build/share/cmake/of-demo", "new");
        put("build/lib/cmake/__pycache__/__init__.cpython-313.pyc", "");
        put("build/lib/__pycache__/kept.cpython-313.pyc", "");
        put("build/lib/__pycache__/finder.cpython-313.pyc", "");
        put("build/lib/finder.py", "new");
        symlink("demo", build.join("bin/also-demo")).unwrap();
        fs::create_dir(build.join("lib/empty")).unwrap();
        // A folder takes the place of a file, and the other way round.
        fs::remove_file(build.join("lib/kept.py")).unwrap();
        put("build/lib/kept.py/inside", "new");
        before.carry_changes(&build, &image).unwrap();

        let mut found: Vec<String> = Vec::new();
        for (path, one) in Times::look(&image).unwrap().0 {
            let text = match fs::read_link(image.join(&path)) {
                Ok(target) => format!(" -> {}", target.display()),
                Err(_) if one.is_dir => "/".to_owned(),
                Err(_) => format!(" {}", fs::read_to_string(image.join(&path)).unwrap()),
            };
            found.push(format!("{}{text}", path.display()));
        }
        assert_eq!(
            found,
            [
                "bin/",
                "bin/also-demo -> demo",
                "bin/demo new",
                "lib/",
                "lib/__pycache__/",
                "lib/__pycache__/finder.cpython-313.pyc ",
                "lib/__pycache__/kept.cpython-313.pyc ",
                "lib/demo-2.0/",
                "lib/demo-2.0/RECORD new",
                "lib/demo.pth /work",
                "lib/empty/",
                "lib/finder.py new",
                "lib/kept.py/",
                "lib/kept.py/inside new",
                "share/",
                "share/cmake/",
                "share/cmake/of-demo new",
            ]
        );
        let mode = fs::metadata(image.join("bin/demo")).unwrap().permissions();
        assert_eq!(mode.mode() & 0o777, 0o755);
    }
}
