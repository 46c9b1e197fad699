//! The build context: the files in it that the build file names, and all of it for copies.

use condafront_graph::context::ContextState;
use std::sync::Arc;

use buildkit_llb::{Definition, Differ, Local, OpOptions, Output};

use super::git::GitContext;
use super::{ContextRoot, context_subdir, git_source, http_place, input, read_limited};
use crate::gateway::client::{Bridge, Evaluate};
use crate::gateway::error::BuildError;
use condafront_input::options::Options;
use condafront_model::source::{Diagnostic, SourceFile};

/// The build context.
pub(crate) struct Context<'a> {
    bridge: &'a Bridge,
    options: &'a Options,
    place: ContextRoot,
}

/// What is at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A file.
    File,
    /// A folder, and the names in it.
    Folder(Vec<String>),
}

impl<'a> Context<'a> {
    /// Finds the context.
    ///
    /// # Errors
    /// When a remote context cannot be read.
    pub(crate) async fn find(bridge: &'a Bridge, options: &'a Options) -> Result<Self, BuildError> {
        let context = options.get("context").unwrap_or_default();
        let place = if let Some(git) = GitContext::parse(context) {
            ContextRoot::State {
                subdir: git.subdir.clone().unwrap_or_default(),
                state: git_source(&git, options),
            }
        } else if context.starts_with("http://") || context.starts_with("https://") {
            http_place(bridge, context).await?
        } else {
            match input(bridge, options.context_local()).await? {
                Some(state) => ContextRoot::State {
                    state,
                    subdir: context_subdir(options),
                },
                None => ContextRoot::Client,
            }
        };
        Ok(Self {
            bridge,
            options,
            place,
        })
    }

    /// Reads the file at `path`, relative to the context; `None` if there is none. `.dockerignore` does not apply, as
    /// for a build file.
    ///
    /// # Errors
    /// When it cannot be read, or is so large that it must be a mistake.
    pub(crate) async fn read(&self, path: &str) -> Result<Option<Arc<SourceFile>>, BuildError> {
        let (state, full) = match &self.place {
            ContextRoot::Client => (self.load(path), path.to_owned()),
            ContextRoot::State { state, subdir } if subdir.is_empty() => {
                (state.clone(), path.to_owned())
            }
            ContextRoot::State { state, subdir } => (state.clone(), format!("{subdir}/{path}")),
            ContextRoot::SingleFile { .. } => return Ok(None),
        };
        let definition = Definition::of(&state).to_pb().clone();
        let reference = self.bridge.solve(definition, Evaluate::Lazily).await?;
        let data = read_limited(self.bridge, &reference, &full, path).await?;
        Ok(data.map(|data| SourceFile::new(path, data)))
    }

    /// The context without what is `ignored`. Of a client's folder it has only `paths`, which may be patterns; no paths
    /// means everything.
    ///
    /// # Errors
    /// When the context is only the build file.
    pub(crate) fn state(
        &self,
        ignored: &[String],
        paths: &[String],
    ) -> Result<ContextState, Diagnostic> {
        match &self.place {
            ContextRoot::Client => {
                let local = self.options.context_local();
                let state = Local::new(local)
                    .session(self.options.local_session(local))
                    .exclude(ignored)
                    .follow(paths)
                    .shared_key_hint(local)
                    .name("[internal] load build context")
                    .build();
                Ok(ContextState {
                    state,
                    subdir: String::new(),
                    exclude: Vec::new(),
                })
            }
            ContextRoot::State { state, subdir } => Ok(ContextState {
                state: state.clone(),
                subdir: subdir.clone(),
                exclude: ignored.to_vec(),
            }),
            ContextRoot::SingleFile { .. } => Err(Diagnostic::new(
                "the build context is only the build file: there is nothing to copy from",
            )
            .help("Use a folder, a repository or an archive as the build context.")),
        }
    }

    /// The part of the context that is at `path`, without what is `ignored`.
    ///
    /// # Errors
    /// When the context is only the build file.
    pub(crate) fn part(&self, path: &str, ignored: &[String]) -> Result<ContextState, Diagnostic> {
        let mut found = self.state(ignored, &[])?;
        if let ContextRoot::Client = self.place
            && !path.is_empty()
        {
            let local = self.options.context_local();
            found.state = Local::new(local)
                .session(self.options.local_session(local))
                .follow([path])
                .exclude(ignored)
                .shared_key_hint(format!("{local}-{path}"))
                .name(format!("[internal] load {path}"))
                .build();
        }
        Ok(found)
    }

    /// What is at `path` in `part`, the part of the context that has it; `None` if there is nothing.
    ///
    /// # Errors
    /// When the context is unavailable.
    pub(crate) async fn look(
        &self,
        part: &ContextState,
        path: &str,
    ) -> Result<Option<Kind>, BuildError> {
        let full = match part.subdir.as_str() {
            "" => format!("/{path}"),
            subdir => format!("/{subdir}/{path}"),
        };
        let definition = Definition::of(&part.state).to_pb().clone();
        let reference = self.bridge.solve(definition, Evaluate::Now).await?;
        match self.bridge.read_piece(&reference, &full, 0, 1).await {
            Ok(_) => return Ok(Some(Kind::File)),
            Err(error) if error.is_absent() => return Ok(None),
            // It may be a folder.
            Err(_) => {}
        }
        let names = self.bridge.read_dir(&reference, &full).await?;
        Ok(Some(Kind::Folder(names)))
    }

    /// One file of the client's context folder.
    fn load(&self, path: &str) -> Output {
        let local = self.options.context_local();
        Local::new(local)
            .session(self.options.local_session(local))
            .follow([path])
            .shared_key_hint(format!("{local}-{path}"))
            .differ(Differ::None)
            .name(format!("[internal] load {path}"))
            .build()
    }
}
