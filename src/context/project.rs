//! Packages that a list for pip takes from the user's folders: projects, wheels and source archives.

use super::locate::literal;
use super::sources::Sources;
use super::tree::loaded;
use crate::gateway::error::BuildError;
use crate::gateway::solving::Reference;
use condafront_graph::context::ContextState;
use condafront_input::file_path::{FilePath, NamedPath, Root};
use condafront_model::lint::Warning;
use condafront_model::source::Diagnostic;

/// A folder with one of these files is a package.
const MARKS: [&str; 2] = ["pyproject.toml", "setup.py"];

/// What is at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A file.
    File,
    /// A folder that is a package.
    Package,
    /// Another folder.
    Folder,
}

/// A package of the user.
pub(crate) struct Project {
    /// What it is.
    pub kind: Kind,
    /// The part of a tree that has it.
    pub part: ContextState,
    /// Where it is.
    pub path: FilePath,
    /// The warning about where it was found.
    pub warning: Option<Warning>,
}

/// What was found at a place.
struct Look {
    part: ContextState,
    reference: Reference,
    kind: Option<Kind>,
}

impl Sources<'_> {
    /// The package that `named` names, without what `.dockerignore` leaves out.
    ///
    /// # Errors
    /// A diagnostic at the path if nothing is there.
    pub(crate) async fn project(&self, named: &NamedPath) -> Result<Project, BuildError> {
        let mut named = named.clone();
        if self.is_beside(&named).await? {
            // `.dockerignore` speaks of paths in the build context.
            let folder = self.in_context(named.folder.clone(), &named);
            if let Some(folder) = folder.await? {
                named.folder = folder;
            }
            if let Some(beside) = named.beside.take() {
                let folder = self.in_context(beside.clone(), &named).await?;
                named.beside = Some(folder.unwrap_or(beside));
            }
        }
        let places = named.candidates()?;
        if places.iter().any(FilePath::is_above) {
            return Err(named.unknown().into());
        }
        match self.project_at(&named, &places).await? {
            Some(found) => Ok(found),
            None => Err(self.nowhere(&named, &places).await.into()),
        }
    }

    /// The error that nothing is at `places`, where `named` can be.
    async fn nowhere(&self, named: &NamedPath, places: &[FilePath]) -> Diagnostic {
        let meant = match named.mistaken().filter(|place| !place.is_above()) {
            Some(place) => {
                let found = self.glance(&place).await;
                let is_there = found.is_ok_and(|found| found.kind.is_some());
                is_there.then_some(place)
            }
            None => None,
        };
        named.nowhere(places, meant.as_ref())
    }

    /// The package at one of `places`, where `named` can be.
    async fn project_at(
        &self,
        named: &NamedPath,
        places: &[FilePath],
    ) -> Result<Option<Project>, BuildError> {
        let (path, warning) = match places {
            [first, second] => {
                let (chosen, warning) = self.choose(named, first, second).await?;
                let Some((path, look)) = chosen else {
                    return Ok(None);
                };
                if look.kind == Some(Kind::Folder) {
                    return Ok(Some(Project {
                        kind: Kind::Folder,
                        part: look.part,
                        path,
                        warning,
                    }));
                }
                (path, warning)
            }
            [only] => (only.clone(), None),
            _ => return Ok(None),
        };
        let of_folder;
        let ignored = match path.root {
            Root::Context => self.ignored().await?,
            Root::BuildFile => {
                of_folder = self.ignored_by(&self.file).await?;
                &of_folder
            }
        };
        let found = self.look(&path, ignored, "").await;
        let found = found.map_err(|error| match error {
            BuildError::Diagnostic(error) if error.locations.is_empty() => {
                let location = &named.location;
                error.at(&location.file, location.lines).into()
            }
            error => error,
        })?;
        Ok(found.kind.map(|kind| Project {
            kind,
            part: found.part,
            path,
            warning,
        }))
    }

    /// Whether it matters where in the build context the build file is: what is named leads out of its folder, or is in
    /// that folder.
    async fn is_beside(&self, named: &NamedPath) -> Result<bool, BuildError> {
        match named.folder.join(&named.path) {
            Some(place) if place.root == Root::BuildFile && !place.is_above() => {
                let kind = self.glance(&place).await?.kind;
                Ok(matches!(kind, Some(Kind::File | Kind::Package)))
            }
            _ => Ok(true),
        }
    }

    /// Which of two places has the package, with what was seen there, and the warning if that is not obvious.
    async fn choose(
        &self,
        named: &NamedPath,
        first: &FilePath,
        second: &FilePath,
    ) -> Result<(Option<(FilePath, Look)>, Option<Warning>), BuildError> {
        use Kind::{File, Folder, Package};
        let (a, b) = tokio::try_join!(self.glance(first), self.glance(second))?;
        let (is_first, warning) = match (a.kind, b.kind) {
            (Some(File), Some(File)) => {
                let same = self.is_same_file((&a, first), (&b, second)).await?;
                (true, (!same).then(|| named.ambiguous(second)))
            }
            (Some(File | Package), Some(File | Package)) => (true, Some(named.ambiguous(second))),
            (Some(File | Package), _) | (Some(Folder), Some(Folder) | None) => (true, None),
            (Some(Folder) | None, Some(_)) => (false, named.root_instead(second)),
            (None, None) => return Ok((None, None)),
        };
        let chosen = if is_first {
            (first.clone(), a)
        } else {
            (second.clone(), b)
        };
        Ok((Some(chosen), warning))
    }

    /// What is at `path`, without loading the contents of a folder, and whatever is ignored.
    async fn glance(&self, path: &FilePath) -> Result<Look, BuildError> {
        let folder = match path.path.as_str() {
            "" => String::new(),
            path => format!("{}/", literal(path)),
        };
        let all_but_marks = [format!("{folder}*")].into_iter();
        let all_but_marks = all_but_marks.chain(MARKS.map(|mark| format!("!{folder}{mark}")));
        self.look(path, &all_but_marks.collect::<Vec<_>>(), "-marks")
            .await
    }

    /// What is at `path`, without what is `ignored`. Looks with the same `purpose` reuse each other's transfers.
    async fn look(
        &self,
        path: &FilePath,
        ignored: &[String],
        purpose: &str,
    ) -> Result<Look, BuildError> {
        let root = path.root;
        let (tree, local) = match root {
            Root::Context => (&self.context, self.options.context_local()),
            Root::BuildFile => (&self.file, self.options.file_local()),
        };
        let (path, is_all) = (path.path.as_str(), path.path.is_empty());
        let paths = if is_all {
            Vec::new()
        } else {
            vec![path.to_owned()]
        };
        let key = if is_all {
            local.to_owned()
        } else {
            format!("{local}-{path}")
        };
        let what = match (purpose, path) {
            ("", "") if root == Root::BuildFile => "load the folder".to_owned(),
            ("", "") => "load build context".to_owned(),
            ("", path) => format!("load {path}"),
            (_, "") => "look for a package".to_owned(),
            (_, path) => format!("look for a package in {path}"),
        };
        let title = match root {
            Root::Context => format!("[internal] {what}"),
            Root::BuildFile => format!("[internal] {what} beside {}", self.options.file_name()),
        };
        let part = self.part_of(tree, ignored, &paths, &format!("{key}{purpose}"), &title)?;
        let reference = loaded(self.bridge, &part.state).await?;
        let full = format!("/{}", tree.full(path));
        if let Ok(Some(what)) = self.bridge.oddity(&reference, &full).await {
            return Err(Diagnostic::new(format!("`{path}` is {what}"))
                .help("Write its content into a regular file.")
                .into());
        }
        let kind = match self.bridge.read_piece(&reference, &full, 0, 1).await {
            Ok(_) => Some(Kind::File),
            Err(error) if error.is_absent() || error.is_not_sent() => None,
            Err(error) if error.is_not_a_file() => {
                let entries = self.bridge.read_dir(&reference, &full).await?;
                let is_mark = |name: &str| MARKS.contains(&name);
                let is_package = entries.iter().any(|entry| is_mark(&entry.path));
                Some(if is_package {
                    Kind::Package
                } else {
                    Kind::Folder
                })
            }
            Err(error) => return Err(error.into()),
        };
        Ok(Look {
            part,
            reference,
            kind,
        })
    }

    /// Whether two files have the same content.
    async fn is_same_file(
        &self,
        one: (&Look, &FilePath),
        other: (&Look, &FilePath),
    ) -> Result<bool, BuildError> {
        const PIECE: usize = 8 << 20;
        let mut offset = 0;
        loop {
            let piece = |(look, path): (&Look, &FilePath)| {
                let path = look.part.full(&path.path);
                let reference = look.reference.clone();
                async move {
                    self.bridge
                        .read_piece(&reference, &path, offset, PIECE)
                        .await
                }
            };
            let (one, other) = tokio::try_join!(piece(one), piece(other))?;
            if one != other {
                return Ok(false);
            }
            if one.len() < PIECE {
                return Ok(true);
            }
            offset += PIECE;
        }
    }
}
