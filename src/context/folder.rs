//! A named context from which only single files are needed.

use buildkit_llb::{Differ, Input, Local, OpOptions, Output};

use super::ignore;
use super::named::Finder;
use crate::gateway::error::BuildError;

/// The named context. From a client's folder, only what is needed is transferred.
#[derive(Clone, Debug)]
pub(crate) struct NamedFolder {
    name: String,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Client {
        local: String,
        session: String,
        exclude: Vec<String>,
    },
    State(Input),
}

impl Finder<'_> {
    /// The named context `name` as a folder, if the user gave one.
    ///
    /// # Errors
    /// As for [`Finder::named`].
    pub(crate) async fn folder(&self, name: &str) -> Result<Option<NamedFolder>, BuildError> {
        let Some(value) = self.options.named_context(name, self.platform) else {
            return Ok(None);
        };
        let kind = match value.strip_prefix("local:") {
            Some(local) => Kind::Client {
                local: local.to_owned(),
                session: self.options.local_session(local).to_owned(),
                exclude: ignore::of_client(self.bridge, self.options, local).await?,
            },
            None => match self.named(name).await? {
                Some(found) => Kind::State(found.state),
                None => return Ok(None),
            },
        };
        Ok(Some(NamedFolder {
            name: name.to_owned(),
            kind,
        }))
    }
}

impl NamedFolder {
    /// A file system with at least those files at `paths` that exist; `None` if the folder is empty. The files for one
    /// `purpose`, which the progress shows, are transferred together.
    ///
    /// `differ` says whether a file counts as changed only if its size or time is different.
    pub(crate) fn files(&self, paths: &[String], purpose: &str, differ: Differ) -> Option<Output> {
        match &self.kind {
            Kind::State(state) => state.output().cloned(),
            Kind::Client {
                local,
                session,
                exclude,
            } => {
                let name = &self.name;
                let mut folder = Local::new(local);
                folder
                    .session(session)
                    .follow(paths)
                    .exclude(exclude)
                    .shared_key_hint(format!("context:{name}:{purpose}"))
                    .differ(differ)
                    .name(format!("[context {name}] load {purpose} from client"));
                Some(folder.build())
            }
        }
    }
}
