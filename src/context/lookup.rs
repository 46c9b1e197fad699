//! The files that the user's files name: beside the file that names them, or else in the build context.

use std::collections::VecDeque;

use futures_util::future::try_join_all;

use super::sources::Sources;
use super::tree::{Load, Tree, content, loaded};
use crate::gateway::error::BuildError;
use crate::gateway::solving::Reference;
use condafront_input::file_path::{Content, FilePath, NamedFile, NamedPath, Root};

impl Sources<'_> {
    /// The file that `named` names. `.dockerignore` does not apply, as for a build file.
    ///
    /// # Errors
    /// A diagnostic at the path if the file is missing, and whatever keeps a file that exists from being read.
    pub(crate) async fn named_file(&self, named: &NamedPath) -> Result<NamedFile, BuildError> {
        Ok(named.choose(self.contents(named).await?)?)
    }

    /// The same for a file that may be missing.
    ///
    /// # Errors
    /// As [`named_file`](Self::named_file()), except for a missing file.
    pub(crate) async fn optional_file(
        &self,
        named: &NamedPath,
    ) -> Result<Option<NamedFile>, BuildError> {
        Ok(named.find(self.contents(named).await?)?)
    }

    /// What is at each place where `named` can be.
    async fn contents(&self, named: &NamedPath) -> Result<Vec<(FilePath, Content)>, BuildError> {
        let places = named.candidates()?.into_iter();
        try_join_all(places.map(|place| self.content(place, named))).await
    }

    /// What is at `place`, where `named` can be, and where that is in the build context if it had to be found out.
    async fn content(
        &self,
        place: FilePath,
        named: &NamedPath,
    ) -> Result<(FilePath, Content), BuildError> {
        let found = match place.root {
            Root::Context => self.read(&self.context, &place.path).await?,
            Root::BuildFile if place.is_above() => None,
            Root::BuildFile => self.read(&self.file, &place.path).await?,
        };
        match found {
            Some(content) => return Ok((place, content)),
            None if place.root == Root::Context => return Ok((place, Content::Nothing)),
            None => {}
        }
        match self.in_context(place.clone(), named).await? {
            Some(place) => {
                let content = self.read(&self.context, &place.path).await?;
                Ok((place, content.unwrap_or(Content::Nothing)))
            }
            None => Ok((place, Content::Unknown)),
        }
    }

    /// Where in the build context a place is; `None` if that cannot be found out.
    ///
    /// # Errors
    /// A diagnostic if it is outside.
    pub(super) async fn in_context(
        &self,
        place: FilePath,
        named: &NamedPath,
    ) -> Result<Option<FilePath>, BuildError> {
        if place.root == Root::Context {
            return Ok(Some(place));
        }
        let Some(root) = self.locate().await? else {
            return Ok(None);
        };
        let root = FilePath::context().join(&root);
        match root.and_then(|root| root.join(&place.path)) {
            Some(place) => Ok(Some(place)),
            None => Err(named.outside().into()),
        }
    }

    /// What is at `path` in a tree; `None` if a link there leads out of the folder of the build file.
    async fn read(&self, tree: &Tree, path: &str) -> Result<Option<Content>, BuildError> {
        let beside = Tree::Client(self.options.file_local().to_owned());
        let (local, title) = match tree {
            Tree::SingleFile { .. } => return Ok(Some(Content::Nothing)),
            Tree::Client(local) if tree.is(&beside) => {
                let name = self.options.file_name();
                let title = format!("[internal] load {path} beside {name}");
                (local.as_str(), title)
            }
            Tree::Client(local) => (local.as_str(), format!("[internal] load {path}")),
            Tree::State { .. } => ("", String::new()),
        };
        let load = Load {
            paths: &[path.to_owned()],
            key: &format!("{local}-{path}"),
            title: &title,
        };
        let reference = loaded(self.bridge, &tree.output(self.options, &load)).await?;
        if tree.is(&beside) && self.leads_out(&reference, path).await? {
            return Ok(None);
        }
        let found = content(self.bridge, &reference, &tree.full(path), path).await?;
        Ok(Some(found))
    }

    /// Whether links at `path` lead out of the folder that was loaded. BuildKit treats that folder as the root of the file
    /// system, and would read another file.
    async fn leads_out(&self, reference: &Reference, path: &str) -> Result<bool, BuildError> {
        /// The most links to follow, as on Linux.
        const MOST: usize = 40;
        let mut rest: VecDeque<String> = path.split('/').map(str::to_owned).collect();
        let mut folder = FilePath::build_file();
        let mut links = 0;
        while let Some(name) = rest.pop_front() {
            let entries = self
                .bridge
                .read_dir(reference, &format!("/{}", folder.path))
                .await;
            let entries = match entries {
                Ok(entries) => entries,
                Err(error) if error.is_absent() || error.is_not_sent() => return Ok(false),
                Err(error) => return Err(error.into()),
            };
            let link = entries
                .into_iter()
                .find(|entry| entry.path == name)
                .and_then(|entry| entry.link);
            let step = link.as_deref().unwrap_or(&name);
            links += usize::from(link.is_some());
            let Some(target) = folder.join(step).filter(|target| !target.is_above()) else {
                return Ok(true);
            };
            if step.starts_with('/') || links > MOST {
                return Ok(true);
            }
            match link {
                Some(_) => {
                    for part in target.path.split('/').rev() {
                        rest.push_front(part.to_owned());
                    }
                    folder = FilePath::build_file();
                }
                None => folder = target,
            }
        }
        Ok(false)
    }
}
