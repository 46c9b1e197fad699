//! A named context of which single files are wanted.

use buildkit_llb::{Differ, Input, Local, OpOptions, Output};

use super::named::Finder;
use super::{ignore, read_dockerignore};
use crate::gateway::error::BuildError;

/// The named context. Of a folder of the client's, only what is wanted is transferred.
#[derive(Clone, Debug)]
pub struct NamedFolder {
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
    /// As [`Finder::named`].
    pub async fn folder(&self, name: &str) -> Result<Option<NamedFolder>, BuildError> {
        let Some(value) = self.options.named_context(name, self.platform) else {
            return Ok(None);
        };
        let kind = match value.strip_prefix("local:") {
            Some(local) => {
                let ignored = read_dockerignore(self.bridge, self.options, local).await;
                Kind::Client {
                    local: local.to_owned(),
                    session: self.options.local_session(local).to_owned(),
                    exclude: ignore::parse(&ignored),
                }
            }
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
    /// A file system with at least the files at `paths`, as far as they are there; `None` if the folder is empty. What is
    /// wanted for one `purpose`, which the progress calls it by, is transferred together.
    ///
    /// `differ` says whether a file counts as another one only if its size or time is.
    pub fn files(&self, paths: &[String], purpose: &str, differ: Differ) -> Option<Output> {
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
