//! A file system that has files of the user, and reading files of it.

use buildkit_llb::{Copy, Definition, Differ, File, Http, Input, Local, OpOptions, Output};

use super::git::{GitContext, GitUrlError, git_source};
use crate::gateway::client::Bridge;
use crate::gateway::error::{BuildError, GatewayError};
use crate::gateway::solving::{Evaluate, Reference};
use condafront_input::file_path::Content;
use condafront_input::options::Options;
use condafront_model::redact;
use condafront_model::source::Diagnostic;

/// A file system that has files of the user.
#[derive(Clone)]
pub(super) enum Tree {
    /// A folder of the client, by the name of its local source.
    Client(String),
    /// A folder in one file system: a repository, an archive, another build's result.
    State {
        /// The file system.
        state: Output,
        /// The folder in it, without leading and trailing slashes.
        subdir: String,
    },
    /// Nothing but the build file, with this name.
    SingleFile { state: Output, name: &'static str },
}

/// Files of a tree, for BuildKit to load.
pub(super) struct Load<'a> {
    /// Their paths: only these are transferred from a client.
    pub paths: &'a [String],
    /// Loads with the same key reuse each other's transfers.
    pub key: &'a str,
    /// What the progress shows.
    pub title: &'a str,
}

impl Tree {
    /// The tree of a remote context; `None` if the context is not remote.
    pub(super) async fn remote(
        bridge: &Bridge,
        options: &Options,
    ) -> Result<Option<Self>, BuildError> {
        let context = options.get("context").unwrap_or_default();
        let git = GitContext::parse(context).map_err(|error| {
            let context = redact::masked(context);
            Diagnostic::new(format!("the build context {context}: {error}"))
                .help(GitUrlError::HELP)
                .caused_by(error)
        })?;
        if let Some(git) = git {
            return Ok(Some(Self::State {
                subdir: git.subdir.clone().unwrap_or_default(),
                state: git_source(&git, options),
            }));
        }
        if context.starts_with("http://") || context.starts_with("https://") {
            return Ok(Some(Self::web(bridge, context).await?));
        }
        Ok(None)
    }

    /// A file from a web server: an archive is unpacked, anything else is the build file itself.
    async fn web(bridge: &Bridge, url: &str) -> Result<Self, BuildError> {
        const NAME: &str = "context";
        let file = Http::new(url)
            .filename(NAME)
            .name("[internal] load remote build context")
            .build();
        let definition = Definition::of(&file);
        let reference = bridge.solve(definition, Evaluate::Lazily).await?;
        let head = bridge.read_piece(&reference, NAME, 0, 1024).await?;
        if !is_archive(&head) {
            return Ok(Self::SingleFile {
                state: file,
                name: NAME,
            });
        }
        let mut unpack = File::on(Input::Scratch);
        unpack
            .then(Copy::new(&file, NAME, "/").unpack())
            .name("[internal] unpack the build context");
        Ok(Self::State {
            state: unpack.build().output().unwrap_or(&file).clone(),
            subdir: String::new(),
        })
    }

    /// An input of the build, which the client gives as a graph.
    pub(super) async fn input(
        bridge: &Bridge,
        options: &Options,
        name: &str,
    ) -> Result<Option<Self>, GatewayError> {
        let inputs = bridge.inputs().await?;
        let Some(definition) = inputs.get(name) else {
            return Ok(None);
        };
        let state = Output::from_definition(definition).map_err(|error| {
            GatewayError::caused(format_args!("the input {name} is not a build graph"), error)
        })?;
        let subdir = options.get("contextsubdir").unwrap_or_default();
        Ok(Some(Self::State {
            state,
            subdir: subdir.trim_matches('/').to_owned(),
        }))
    }

    /// Whether both are the same folder.
    pub(super) fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (
                Self::State { state, subdir },
                Self::State {
                    state: other,
                    subdir: folder,
                },
            ) => state.digest() == other.digest() && subdir == folder,
            (Self::SingleFile { state, .. }, Self::SingleFile { state: other, .. }) => {
                state.digest() == other.digest()
            }
            // Two sources of a client can be the same folder, but nothing says so.
            (Self::Client(local), Self::Client(other)) => local == other,
            _ => false,
        }
    }

    /// A file system with `load`.
    pub(super) fn output(&self, options: &Options, load: &Load<'_>) -> Output {
        match self {
            Self::State { state, .. } | Self::SingleFile { state, .. } => state.clone(),
            Self::Client(local) => Local::new(local)
                .session(options.local_session(local))
                .follow(load.paths)
                .shared_key_hint(load.key)
                .differ(Differ::None)
                .name(load.title)
                .build(),
        }
    }

    /// The path in that file system of what is at `path` in the tree.
    pub(super) fn full(&self, path: &str) -> String {
        match self {
            Self::State { subdir, .. } if !subdir.is_empty() => format!("{subdir}/{path}"),
            _ => path.to_owned(),
        }
    }
}

/// Makes BuildKit load what `output` refers to, when it is needed.
pub(crate) async fn loaded(bridge: &Bridge, output: &Output) -> Result<Reference, GatewayError> {
    let definition = Definition::of(output);
    bridge.solve(definition, Evaluate::Lazily).await
}

/// Reads what is at `path`; `name` is for messages.
///
/// # Errors
/// When it cannot be read, or is so large that it must be a mistake.
pub(crate) async fn content(
    bridge: &Bridge,
    reference: &Reference,
    path: &str,
    name: &str,
) -> Result<Content, BuildError> {
    // Without anything on standard input, `docker build -` sends no folder either.
    let missing = |error: &GatewayError| error.is_absent() || error.is_not_sent();
    match bridge.oddity(reference, path).await {
        Ok(None) => {}
        Ok(Some(what)) => {
            return Err(Diagnostic::new(format!("`{name}` is {what}"))
                .help("Write its content into a regular file.")
                .into());
        }
        Err(error) if missing(&error) => return Ok(Content::Nothing),
        Err(error) => return Err(error.into()),
    }
    let mut data = Vec::new();
    loop {
        let piece = match bridge
            .read_piece(reference, path, data.len(), 8 << 20)
            .await
        {
            Ok(piece) => piece,
            Err(error) if missing(&error) => return Ok(Content::Nothing),
            Err(error) if error.is_not_a_file() => return Ok(Content::Folder),
            Err(error) => return Err(error.into()),
        };
        let last = piece.len() < 8 << 20;
        data.extend(piece);
        if data.len() > super::MAX_FILE_BYTES {
            return Err(Diagnostic::new(format!(
                "`{name}` is larger than {} MiB",
                super::MAX_FILE_BYTES >> 20
            ))
            .help("Check that this is the file you mean.")
            .into());
        }
        if last {
            return Ok(Content::File(data));
        }
    }
}

/// Whether the bytes begin like an archive that BuildKit unpacks: gzip, bzip2, xz, zstd, or a tar header.
fn is_archive(head: &[u8]) -> bool {
    const MAGIC: [&[u8]; 4] = [b"\x1f\x8b\x08", b"BZh", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd"];
    MAGIC.iter().any(|magic| head.starts_with(magic)) || head.get(257..262) == Some(b"ustar")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archives_are_told_from_text() {
        let mut tar = vec![0; 512];
        tar[257..262].copy_from_slice(b"ustar");
        assert!(is_archive(&tar));
        assert!(is_archive(b"\x1f\x8b\x08..."));
        assert!(!is_archive(b"# syntax=org/condafront\n@EXPLICIT\n"));
        assert!(!is_archive(b""));
    }
}
