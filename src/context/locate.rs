//! Where in the build context the build file is, if the client does not say.
//!
//! `docker build -f docs/env.yml .` sends two folders, `docs` and `.`, but not that one is inside the other. A client with
//! git says where both are in the repository. Otherwise, the build looks in the context for a file with the same name,
//! content and time.

use std::collections::VecDeque;

use buildkit_llb::{Differ, Local, OpOptions};

use super::ignore;
use super::sources::{FolderInContext, Sources};
use super::tree::{Load, Tree, content, loaded};
use crate::gateway::error::BuildError;
use crate::gateway::solving::Reference;
use condafront_input::file_path::Content;

/// What a copy of the build file has in common with it.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Stamp {
    size: i64,
    time: i64,
}

/// The build file in the build context, or a copy of it.
struct Copy {
    /// The folder that it is in, as the client names its folders.
    root: String,
    /// Whether even the times are equal.
    is_same: bool,
}

/// The build file, for a comparison.
struct Original {
    name: String,
    data: Content,
    stamp: Stamp,
}

impl Sources<'_> {
    /// Where in the build context the folder is that the build file was sent from; `None` if it is outside, or if
    /// several places are possible. What `.dockerignore` leaves out is not looked at, unless the file is nowhere else.
    ///
    /// # Errors
    /// When the client's folders cannot be read.
    pub(super) async fn locate(&self) -> Result<Option<String>, BuildError> {
        match &self.place {
            FolderInContext::At(path) => Ok(Some(path.clone())),
            FolderInContext::Outside => Ok(None),
            FolderInContext::Unknown => {
                let searched = self.searched.get_or_try_init(|| self.search()).await?;
                Ok(searched.clone())
            }
        }
    }

    async fn search(&self) -> Result<Option<String>, BuildError> {
        let (Tree::Client(_), Tree::Client(context)) = (&self.file, &self.context) else {
            return Ok(None);
        };
        let name = self.options.file_name();
        let title = format!("[internal] load build definition from {name}");
        let key = self.options.file_local();
        let Some(original) = self.original(&self.file, key, &title).await? else {
            return Ok(None);
        };
        // Mostly it is in the root, which needs no search.
        let key = format!("{context}-{name}");
        let title = format!("[internal] load {name}");
        let in_root = self.original(&self.context, &key, &title).await?;
        if let Some(other) = in_root
            && (other.stamp == original.stamp && other.data == original.data)
        {
            return Ok(Some(String::new()));
        }
        let ignored = self.ignored().await?;
        let mut copies = self.copies(context, &original, ignored).await?;
        if !copies.iter().any(|copy| copy.is_same) && !ignored.is_empty() {
            copies = self.copies(context, &original, &[]).await?;
        }
        Ok(chosen(copies))
    }

    /// The file in a tree that has the build file's path.
    async fn original(
        &self,
        tree: &Tree,
        key: &str,
        title: &str,
    ) -> Result<Option<Original>, BuildError> {
        let name = self.options.file_name();
        let load = Load {
            // As the build file was loaded: it is not loaded again.
            paths: &[name.to_owned(), format!("{name}{}", ignore::NAME)],
            key,
            title,
        };
        let reference = loaded(self.bridge, &tree.output(self.options, &load)).await?;
        let data = content(self.bridge, &reference, name, name).await?;
        if !matches!(data, Content::File(_)) {
            return Ok(None);
        }
        let Some(stamp) = self.stamp(&reference, name).await? else {
            return Ok(None);
        };
        Ok(Some(Original {
            name: name.to_owned(),
            data,
            stamp,
        }))
    }

    async fn stamp(&self, reference: &Reference, path: &str) -> Result<Option<Stamp>, BuildError> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let entries = self
            .bridge
            .read_dir(reference, &format!("/{folder}"))
            .await?;
        let entry = entries.into_iter().find(|entry| entry.path == name);
        Ok(entry.map(|entry| Stamp {
            size: entry.size,
            time: entry.mod_time,
        }))
    }

    /// The files in the client's folder `context` that could be the build file.
    async fn copies(
        &self,
        context: &str,
        original: &Original,
        ignored: &[String],
    ) -> Result<Vec<Copy>, BuildError> {
        let path = &original.name;
        let name = path.rsplit('/').next().unwrap_or(path);
        let found = Local::new(context)
            .session(self.options.local_session(context))
            .include([format!("**/{}", literal(name))])
            .exclude(ignored)
            .shared_key_hint(format!("{context}-**/{name}"))
            .differ(Differ::None)
            .name(format!("[internal] look for {name} in the build context"))
            .build();
        let reference = loaded(self.bridge, &found).await?;
        let mut copies = Vec::new();
        let mut folders = VecDeque::from([String::new()]);
        while let Some(folder) = folders.pop_front() {
            let entries = match self
                .bridge
                .read_dir(&reference, &format!("/{folder}"))
                .await
            {
                Ok(entries) => entries,
                Err(error) if error.is_absent() => continue,
                Err(error) => return Err(error.into()),
            };
            for entry in entries {
                let full = match folder.as_str() {
                    "" => entry.path.clone(),
                    folder => format!("{folder}/{}", entry.path),
                };
                if entry.is_folder {
                    folders.push_back(full);
                    continue;
                }
                let Some(root) = root_of(&full, path).filter(|_| entry.size == original.stamp.size)
                else {
                    continue;
                };
                if content(self.bridge, &reference, &full, &full).await? == original.data {
                    copies.push(Copy {
                        root,
                        is_same: entry.mod_time == original.stamp.time,
                    });
                }
            }
        }
        Ok(copies)
    }
}

/// The folder of the copy that is the build file itself; `None` if several can be.
fn chosen(copies: Vec<Copy>) -> Option<String> {
    let (mut same, mut others): (Vec<_>, Vec<_>) =
        copies.into_iter().partition(|copy| copy.is_same);
    let of = if same.is_empty() {
        &mut others
    } else {
        &mut same
    };
    let last = of.pop()?;
    of.is_empty().then_some(last.root)
}

/// The folder in which a file has this `path`, if the file's `full` path ends so.
fn root_of(full: &str, path: &str) -> Option<String> {
    let root = full.strip_suffix(path)?;
    match root {
        "" => Some(String::new()),
        root => Some(root.strip_suffix('/')?.to_owned()),
    }
}

/// A pattern that matches only `name`.
pub(super) fn literal(name: &str) -> String {
    let mut pattern = String::new();
    for c in name.chars() {
        if r"*?[]\".contains(c) {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_copy_with_the_same_time_is_the_file() {
        let of = |copies: &[(&str, bool)]| {
            let copies = copies.iter().map(|(root, is_same)| Copy {
                root: (*root).to_owned(),
                is_same: *is_same,
            });
            chosen(copies.collect())
        };
        assert_eq!(of(&[("a", false), ("b", true)]).as_deref(), Some("b"));
        assert_eq!(of(&[("a", false)]).as_deref(), Some("a"));
        assert_eq!(of(&[("a", false), ("b", false)]), None);
        assert_eq!(of(&[("a", true), ("b", true)]), None);
        assert_eq!(of(&[]), None);
    }

    #[test]
    fn the_root_is_what_comes_before_the_path() {
        for (full, path, expected) in [
            ("env.yml", "env.yml", Some("")),
            ("docs/env.yml", "env.yml", Some("docs")),
            ("a/docs/env.yml", "docs/env.yml", Some("a")),
            ("my-env.yml", "env.yml", None),
            ("docs/my-env.yml", "env.yml", None),
            ("env.yml", "docs/env.yml", None),
        ] {
            assert_eq!(root_of(full, path).as_deref(), expected, "{full} {path}");
        }
    }

    #[test]
    fn names_are_no_patterns() {
        assert_eq!(literal("env-[dev]*.yml"), r"env-\[dev\]\*.yml");
    }
}
