//! The build-arg `CONDA_LOCK_CATEGORIES`: categories of a conda-lock.yml, extras and dependency groups of a `pylock.toml`.

use std::collections::BTreeSet;

use crate::environment_input::{Categories, EnvironmentInput};
use crate::pylock::Pylock;
use condafront_model::nearest::did_you_mean;
use condafront_model::prose;
use condafront_model::pypi_package::normalized;
use condafront_model::redact::quoted;
use condafront_model::source::{Diagnostic, SourceFile};

/// The categories in the files of an image: a requested one is taken from all files that have it.
#[derive(Debug, Default)]
pub struct KnownCategories {
    names: BTreeSet<String>,
    /// Those of a `pylock.toml`, whose names are normalized.
    extras: BTreeSet<String>,
    /// The files that have them, each once.
    files: Vec<String>,
    /// The files that cannot have any, and why.
    without: Vec<(String, &'static str)>,
    is_partial: bool,
}

impl KnownCategories {
    /// Adds those of an environment: of its `file`, or the lock that this names, if it has been read, and of the `pylocks` that
    /// its lists for pip name.
    pub fn add(&mut self, input: &EnvironmentInput, file: &SourceFile, pylocks: &[Pylock]) {
        match &input.categories {
            Categories::Of(lock, names) => {
                self.names.extend(names.iter().cloned());
                self.add_file(lock);
            }
            Categories::None(why) => self.without.push((file.name().to_owned(), why)),
            Categories::NoLock => {}
        }
        if input.section.lock.is_some() && input.locked().is_none() {
            self.leave_out();
        }
        for lock in pylocks {
            self.add_pylock(lock);
        }
    }

    /// Adds those of a lock of PyPI packages.
    pub fn add_pylock(&mut self, lock: &Pylock) {
        self.extras.extend(lock.categories().map(str::to_owned));
        self.add_file(lock.file.name());
    }

    fn add_file(&mut self, name: &str) {
        if !self.files.iter().any(|file| file == name) {
            self.files.push(name.to_owned());
        }
    }

    /// Notes that there are files which have not been read, and may have more.
    pub fn leave_out(&mut self) {
        self.is_partial = true;
    }

    /// Refuses categories that no file has.
    ///
    /// # Errors
    /// The first of them, with those that there are.
    pub fn check(&self, asked: &[String]) -> Result<(), Diagnostic> {
        let is_known =
            |name: &String| self.names.contains(name) || self.extras.contains(&normalized(name));
        match asked.iter().find(|name| !is_known(name)) {
            Some(unknown) if !self.is_partial => Err(self.error(unknown)),
            _ => Ok(()),
        }
    }

    fn error(&self, unknown: &str) -> Diagnostic {
        let is_in = match self.files.as_slice() {
            [] => String::new(),
            files => format!(" in {}", prose::or(files)),
        };
        let error = Diagnostic::new(format!(
            "build-arg CONDA_LOCK_CATEGORIES: there is no category `{}`{is_in}",
            quoted(unknown)
        ));
        if self.files.is_empty() {
            let why = self.without.first();
            let why = why.map(|(file, why)| format!("{file} has none: {why}."));
            let why = why.unwrap_or_else(|| {
                "Only a conda-lock.yml and a pylock.toml have categories.".to_owned()
            });
            return error.help(format!("{why} Remove the build-arg."));
        }
        let known: BTreeSet<&str> = self
            .names
            .iter()
            .chain(&self.extras)
            .map(String::as_str)
            .collect();
        let known: Vec<&str> = known.into_iter().collect();
        let all = match known.as_slice() {
            [] => "There are none. Remove the build-arg.".to_owned(),
            [one] => format!("There is only {one}."),
            known => format!("There are {}.", known.join(", ")),
        };
        error.help(match did_you_mean(unknown, known) {
            Some(near) => format!("{near} {all}"),
            None => all,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::InputSettings;
    use crate::file_path::{FilePath, Root};
    use condafront_model::platform::Platform;
    use condafront_model::source::Level;

    /// A conda-lock.yml with a package of each category.
    fn conda_lock(categories: &[&str]) -> String {
        let mut text = "version: 1\nmetadata: {}\npackage:\n".to_owned();
        for name in categories {
            text.push_str(&format!(
                "- {{name: {name}, version: '1', manager: conda, platform: linux-64, category: {name}, url: 'https://c.example/linux-64/{name}-1-0.conda', hash: {{md5: {}}}}}\n",
                "1".repeat(32)
            ));
        }
        text
    }

    fn known(name: &str, text: &str, extras: Option<&str>) -> KnownCategories {
        let file = SourceFile::new(name, text);
        let settings = InputSettings::default();
        let input = crate::read(&file, Platform::LinuxAmd64, &settings).unwrap();
        let folder = FilePath {
            root: Root::Context,
            path: String::new(),
        };
        let pylock = extras.map(|extras| {
            let text = format!("lock-version = '1.0'\nextras = {extras}\npackages = []\n");
            crate::pylock::read(&SourceFile::new("pylock.toml", text), folder).unwrap()
        });
        let mut known = KnownCategories::default();
        known.add(&input, &file, pylock.as_slice());
        known
    }

    #[test]
    fn a_category_of_any_file_is_known() {
        let text = conda_lock(&["main", "dev"]);
        let found = known("conda-lock.yml", &text, Some("['Socks_5']"));
        let asked = ["main", "dev", "socks-5", "socks_5"].map(str::to_owned);
        assert!(found.check(&asked).is_ok());
        assert!(found.check(&[]).is_ok());
        let mut partial = found;
        assert!(partial.check(&["other".to_owned()]).is_err());
        partial.leave_out();
        assert!(partial.check(&["other".to_owned()]).is_ok());
    }

    #[test]
    fn files_are_named_once() {
        let lock = || conda_lock(&["main"]);
        let mut found = known("conda-lock.yml", &lock(), Some("[]"));
        let file = SourceFile::new("conda-lock.yml", lock());
        let settings = InputSettings::default();
        let input = crate::read(&file, Platform::LinuxAmd64, &settings).unwrap();
        found.add(&input, &file, &[]);
        let error = found.check(&["deve".to_owned()]).unwrap_err();
        let expected = "there is no category `deve` in conda-lock.yml or pylock.toml";
        assert!(error.message.ends_with(expected), "{error}");
    }

    #[test]
    fn an_unknown_category_is_an_error_with_those_there_are() {
        let lock = conda_lock(&["main", "dev"]);
        let explicit = "@EXPLICIT\nhttps://c.example/linux-64/a-1-0.conda\n";
        let pixi = "version: 6\nenvironments:\n  default:\n    channels: []\n    packages:\n      linux-64:\n      - conda: https://c.example/linux-64/a-1-0.conda\npackages:\n- conda: https://c.example/linux-64/a-1-0.conda\n  sha256: abababababababababababababababababababababababababababababababab\n";
        let mut shown = Vec::new();
        for found in [
            known("conda-lock.yml", &lock, None),
            known("conda-lock.yml", &conda_lock(&["main"]), None),
            known("conda-lock.yml", &lock, Some("['socks']")),
            known("env.yml", "dependencies: [python]\n", Some("['devel']")),
            known("env.yml", "dependencies: [python]\n", Some("[]")),
            known("env.yml", "dependencies: [python]\n", None),
            known("env.lock", explicit, None),
            known("pixi.lock", pixi, None),
        ] {
            let error = found.check(&["deve".to_owned()]).unwrap_err();
            shown.push(error.render(Level::Error));
        }
        insta::assert_snapshot!(shown.join("\n"));
    }
}
