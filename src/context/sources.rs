//! Where the build file and the build context are.

use buildkit_llb::{Local, OpOptions};
use tokio::sync::OnceCell;

use super::ignore;
use super::tree::{Tree, loaded};
use crate::gateway::client::Bridge;
use crate::gateway::error::BuildError;
use condafront_graph::context::ContextState;
use condafront_input::file_path::FilePath;
use condafront_input::options::Options;
use condafront_model::source::Diagnostic;

/// The build file and the build context.
pub(crate) struct Sources<'a> {
    pub(super) bridge: &'a Bridge,
    pub(super) options: &'a Options,
    /// What has the build file.
    pub(super) file: Tree,
    /// The build context.
    pub(super) context: Tree,
    /// Where in the context the root of `file` is, as far as the client says.
    pub(super) place: FolderInContext,
    /// The same, after a search.
    pub(super) searched: OnceCell<Option<String>>,
    /// What `.dockerignore` leaves out of the context, once it has been read.
    pub(super) ignored: OnceCell<Vec<String>>,
}

/// Where in the build context a folder is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum FolderInContext {
    /// At this path.
    At(String),
    /// Outside.
    Outside,
    /// Nobody has said.
    Unknown,
}

impl<'a> Sources<'a> {
    /// Finds the build file and the context.
    ///
    /// # Errors
    /// When a remote context cannot be read.
    pub(crate) async fn find(bridge: &'a Bridge, options: &'a Options) -> Result<Self, BuildError> {
        let remote = Tree::remote(bridge, options).await?;
        let local_file = || Tree::Client(options.file_local().to_owned());
        let (file, context) = match remote {
            // The client has the file although it does not have the context.
            Some(tree) if options.sends_file() => (local_file(), tree),
            Some(tree) => (tree.clone(), tree),
            None => {
                let input = |name| Tree::input(bridge, options, name);
                let context = input(options.context_local()).await?;
                let file = if options.sends_file() {
                    Some(local_file())
                } else {
                    input(options.file_local()).await?.or(context.clone())
                };
                let local = || Tree::Client(options.context_local().to_owned());
                (
                    file.unwrap_or_else(local_file),
                    context.unwrap_or_else(local),
                )
            }
        };
        let place = if file.is(&context) {
            FolderInContext::At(String::new())
        } else if let (Tree::Client(file), Tree::Client(context)) = (&file, &context) {
            FolderInContext::in_repository(
                options.place_in_repository(file),
                options.place_in_repository(context),
            )
        } else {
            FolderInContext::Outside
        };
        Ok(Self {
            bridge,
            options,
            file,
            context,
            place,
            searched: OnceCell::new(),
            ignored: OnceCell::new(),
        })
    }

    /// The folder of the build file.
    pub(crate) fn build_folder(&self) -> FilePath {
        let file = self.options.file_name();
        let root = match &self.place {
            FolderInContext::At(path) => FilePath::context().join(path),
            FolderInContext::Outside | FolderInContext::Unknown => Some(FilePath::build_file()),
        };
        let file = root.and_then(|root| root.join(file));
        file.unwrap_or_else(FilePath::build_file).folder()
    }

    /// The context without what is `ignored`. Of a client's folder it has only `paths`, which may be patterns; no paths
    /// means everything.
    ///
    /// # Errors
    /// When the context is only the build file.
    pub(crate) fn context(
        &self,
        ignored: &[String],
        paths: &[String],
    ) -> Result<ContextState, Diagnostic> {
        let local = self.options.context_local();
        self.part_of(
            &self.context,
            ignored,
            paths,
            local,
            "[internal] load build context",
        )
    }

    /// `paths` of a tree, without what is `ignored`; no paths means everything.
    pub(super) fn part_of(
        &self,
        tree: &Tree,
        ignored: &[String],
        paths: &[String],
        key: &str,
        title: &str,
    ) -> Result<ContextState, Diagnostic> {
        match tree {
            Tree::Client(local) => {
                let state = Local::new(local)
                    .session(self.options.local_session(local))
                    .exclude(ignored)
                    .follow(paths)
                    .shared_key_hint(key)
                    .name(title)
                    .build();
                Ok(ContextState {
                    state,
                    subdir: String::new(),
                    exclude: Vec::new(),
                })
            }
            Tree::State { state, subdir } => Ok(ContextState {
                state: state.clone(),
                subdir: subdir.clone(),
                exclude: ignored.to_vec(),
            }),
            Tree::SingleFile { .. } => Err(Diagnostic::new(
                "the build context is only the build file: there is nothing to copy from",
            )
            .help("Use a folder, a repository or an archive as the build context.")),
        }
    }

    /// What `.dockerignore` in the root of a tree leaves out.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) async fn ignored_by(&self, tree: &Tree) -> Result<Vec<String>, BuildError> {
        match tree {
            Tree::Client(local) => ignore::of_client(self.bridge, self.options, local).await,
            Tree::SingleFile { .. } => Ok(Vec::new()),
            Tree::State { state, .. } => {
                let reference = loaded(self.bridge, state).await?;
                let path = tree.full(ignore::NAME);
                let found = self.bridge.read_if_present(&reference, &path).await;
                Ok(ignore::patterns(ignore::NAME, found)?.unwrap_or_default())
            }
        }
    }
}

impl FolderInContext {
    /// Where a folder is in another one, from the paths of both in the repository that has the other one.
    fn in_repository(folder: Option<&str>, other: Option<&str>) -> Self {
        // A separator of Windows, or a name that looks like one.
        let is_clear = |path: &&str| !path.contains('\\');
        let Some(other) = other.filter(is_clear) else {
            return Self::Unknown;
        };
        let Some(folder) = folder else {
            return Self::Outside;
        };
        if !is_clear(&folder) {
            return Self::Unknown;
        }
        let parts = |path: &str| -> Vec<String> {
            let parts = path.split('/').filter(|part| !["", "."].contains(part));
            parts.map(str::to_owned).collect()
        };
        match parts(folder).strip_prefix(parts(other).as_slice()) {
            Some(rest) => Self::At(rest.join("/")),
            None => Self::Outside,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_in_the_context_follows_from_the_places_in_the_repository() {
        let at = |path: &str| FolderInContext::At(path.to_owned());
        for (folder, context, expected) in [
            (Some("."), Some("."), at("")),
            (Some("docs"), Some("."), at("docs")),
            (Some("a/b/docs"), Some("a/b"), at("docs")),
            (Some("a/b"), Some("a/b"), at("")),
            (Some("a/bc"), Some("a/b"), FolderInContext::Outside),
            (Some("."), Some("a"), FolderInContext::Outside),
            (None, Some("a"), FolderInContext::Outside),
            (None, None, FolderInContext::Unknown),
            (Some("docs"), None, FolderInContext::Unknown),
            (Some("a\\docs"), Some("a"), FolderInContext::Unknown),
        ] {
            assert_eq!(
                FolderInContext::in_repository(folder, context),
                expected,
                "{folder:?} {context:?}"
            );
        }
    }
}
