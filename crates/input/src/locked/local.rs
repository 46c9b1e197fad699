//! PyPI packages that a lock names by a path: the project that the lock is for, other projects, wheels and source archives.

use super::Locked;
use super::address;
use crate::context_path::normalized;
use crate::environment_input::LocalPip;
use condafront_model::package::Hashes;
use condafront_model::source::{Diagnostic, Lines};

impl Locked<'_> {
    /// Adds the PyPI package that is at `written`: a path, which is relative to the lock, the URL of a file, or a repository. Its
    /// `hashes` are only read if the build can get it.
    ///
    /// # Errors
    /// A diagnostic at `lines` if the build cannot get it, or those of `hashes`.
    pub(crate) fn add_pip(
        &mut self,
        name: &str,
        version: Option<&str>,
        written: &str,
        hashes: impl FnOnce() -> Result<Hashes, Diagnostic>,
        lines: Lines,
    ) -> Result<(), Diagnostic> {
        if self.add_repository(name, written, lines)? {
            return Ok(());
        }
        let Some(path) = relative_path(written) else {
            let none = Hashes::default();
            let mut package = address::pip(self.file, name, version, written, none, lines)?;
            let Hashes { sha256, md5 } = hashes()?;
            let found = &mut package.hashes;
            found.sha256 = sha256.or(found.sha256.take());
            found.md5 = md5.or(found.md5.take());
            self.pip.push(package);
            return Ok(());
        };
        self.local.push(LocalPip {
            name: name.to_owned(),
            path: normalized("", &path),
            file_name: None,
            hashes: hashes()?,
            lines,
        });
        Ok(())
    }
}

/// The path that `written` is, with slashes, if it is relative.
fn relative_path(written: &str) -> Option<String> {
    let path = match written.strip_prefix("file:") {
        Some(path) => path.strip_prefix("//").unwrap_or(path),
        None if written.contains("://") => return None,
        None => written,
    };
    // `C:\demo`, `git@host:demo`
    let has_colon = |part: &str| part.contains(':');
    if path.is_empty()
        || path.starts_with(['/', '\\', '~'])
        || path.split(['/', '\\']).next().is_some_and(has_colon)
    {
        return None;
    }
    Some(path.replace('\\', "/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_told_from_urls() {
        for (written, path) in [
            ("./", Some("./")),
            (".", Some(".")),
            ("libs/foo", Some("libs/foo")),
            ("../shared", Some("../shared")),
            (".\\libs\\foo", Some("./libs/foo")),
            ("file://./libs/foo", Some("./libs/foo")),
            ("file:libs/foo", Some("libs/foo")),
            ("file:///home/me/foo", None),
            ("file:/home/me/foo", None),
            ("/home/me/foo", None),
            ("~/foo", None),
            ("C:\\foo", None),
            ("C:/foo", None),
            ("\\\\server\\foo", None),
            ("https://f.example/foo.whl", None),
            ("git+https://g.example/foo", None),
            ("git@g.example:me/foo", None),
            ("", None),
        ] {
            assert_eq!(relative_path(written).as_deref(), path, "{written}");
        }
    }
}
