//! Where the user's files come from: the build file, and the build context around it, found in the same way as the
//! Dockerfile frontend finds them (`frontend/dockerui`).

pub(crate) mod files;
pub(crate) mod folder;
pub(crate) mod git;
pub(crate) mod ignore;
pub(crate) mod named;

use std::sync::Arc;

use buildkit_llb::{
    Copy, Definition, Differ, Digest, File, Http, Input, Local, OpOptions, Output, pb,
};

use crate::gateway::client::{Bridge, Evaluate, Reference};
use crate::gateway::error::{BuildError, GatewayError};
use condafront_graph::git::repository;
use condafront_input::options::Options;
use condafront_model::redact;
use condafront_model::source::{Diagnostic, SourceFile};
use git::GitContext;

/// The largest file to read, in bytes. A larger one must be a mistake.
const MAX_FILE_BYTES: usize = 64 << 20;

/// The build file, as it was read.
#[derive(Clone, Debug)]
pub(crate) struct BuildFile {
    /// The file; empty if there is none and none is needed.
    pub file: Arc<SourceFile>,
    /// The vertex that loaded it, under which warnings are shown.
    pub vertex: Digest,
    /// What `.dockerignore` leaves out of the build context.
    pub ignored: Vec<String>,
}

/// Where the build file and the context are.
enum ContextRoot {
    /// In the client's folders.
    Client,
    /// In one file system: a repository, an archive, another build's result.
    State {
        /// The file system.
        state: Output,
        /// The folder in it.
        subdir: String,
    },
    /// The context is the build file itself, with this name.
    SingleFile { state: Output, name: &'static str },
}

/// A build file that may be missing.
pub(crate) struct FoundFile {
    /// The file; empty if it is missing.
    pub file: BuildFile,
    /// Whether there is none.
    is_missing: bool,
}

impl FoundFile {
    /// The file of a build that needs one.
    ///
    /// # Errors
    /// When it is missing.
    pub(crate) fn required(self, options: &Options) -> Result<BuildFile, Diagnostic> {
        if self.is_missing {
            let name = options.file_name();
            return Err(Diagnostic::new(format!("`{name}` is not in the build context")).help(
                "Name the environment or lock file with -f, relative to where docker build runs.",
            ));
        }
        Ok(self.file)
    }
}

/// Looks for the build file.
///
/// # Errors
/// When it exists but cannot be read.
pub(crate) async fn find_build_file(
    bridge: &Bridge,
    options: &Options,
) -> Result<FoundFile, BuildError> {
    let place = place(bridge, options).await?;
    let (state, path, name) = match &place {
        ContextRoot::Client => {
            let name = options.file_name();
            (load_local(options, name), name.to_owned(), name)
        }
        ContextRoot::State { state, subdir } => {
            let name = options.file_name();
            let path = match subdir.as_str() {
                "" => name.to_owned(),
                subdir => format!("{subdir}/{name}"),
            };
            (state.clone(), path, name)
        }
        ContextRoot::SingleFile { state, name } => (state.clone(), (*name).to_owned(), *name),
    };
    let definition = Definition::of(&state);
    let reference = bridge
        .solve(definition.to_pb().clone(), Evaluate::Lazily)
        .await?;
    let data = read_limited(bridge, &reference, &path, name).await?;
    let is_missing = data.is_none();
    let of_file = format!("{path}.dockerignore");
    let ignored = match (bridge.read_if_sent(&reference, &of_file).await?, &place) {
        (Some(data), _) => data,
        (None, ContextRoot::Client) => {
            read_dockerignore(bridge, options, options.context_local()).await?
        }
        (None, ContextRoot::State { subdir, .. }) => {
            let path = format!("{subdir}/.dockerignore");
            let path = path.trim_start_matches('/');
            let found = bridge.read_if_present(&reference, path).await?;
            found.unwrap_or_default()
        }
        (None, ContextRoot::SingleFile { .. }) => Vec::new(),
    };
    let ignored = String::from_utf8_lossy(&ignored);
    let file = BuildFile {
        file: SourceFile::new(name, data.unwrap_or_default()),
        vertex: state.digest(),
        ignored: ignore::parse(&ignored),
    };
    Ok(FoundFile { file, is_missing })
}

/// Finds out what the context is.
async fn place(bridge: &Bridge, options: &Options) -> Result<ContextRoot, BuildError> {
    let context = options.get("context").unwrap_or_default();
    if let Some(git) = GitContext::parse(context) {
        return Ok(ContextRoot::State {
            subdir: git.subdir.clone().unwrap_or_default(),
            state: git_source(&git, options),
        });
    }
    if context.starts_with("http://") || context.starts_with("https://") {
        return http_place(bridge, context).await;
    }
    let state = match input(bridge, options.file_local()).await? {
        Some(state) => Some(state),
        None => input(bridge, options.context_local()).await?,
    };
    Ok(match state {
        Some(state) => ContextRoot::State {
            state,
            subdir: context_subdir(options),
        },
        None => ContextRoot::Client,
    })
}

/// An input of the build, which the client gives as a graph.
async fn input(bridge: &Bridge, name: &str) -> Result<Option<Output>, GatewayError> {
    let inputs = bridge.inputs().await?;
    let Some(definition) = inputs.get(name) else {
        return Ok(None);
    };
    let output = Output::from_definition(definition).map_err(|error| {
        GatewayError::caused(format_args!("the input {name} is not a build graph"), error)
    })?;
    Ok(Some(output))
}

/// The folder of an input that is the context, without leading and trailing slashes.
fn context_subdir(options: &Options) -> String {
    let subdir = options.get("contextsubdir").unwrap_or_default();
    subdir.trim_matches('/').to_owned()
}

/// The client's folder, with only the build file and its `.dockerignore`.
fn load_local(options: &Options, file_name: &str) -> Output {
    let local = options.file_local();
    Local::new(local)
        .session(options.local_session(local))
        .follow([file_name.to_owned(), format!("{file_name}.dockerignore")])
        .shared_key_hint(local)
        .differ(Differ::None)
        .name(format!("[internal] load build definition from {file_name}"))
        .build()
}

/// `.dockerignore` of one of the client's folders; empty if there is none.
///
/// # Errors
/// When it cannot be read. A build without it would copy what it keeps out.
async fn read_dockerignore(
    bridge: &Bridge,
    options: &Options,
    local: &str,
) -> Result<Vec<u8>, BuildError> {
    const NAME: &str = ".dockerignore";
    let state = Local::new(local)
        .session(options.local_session(local))
        .follow([NAME])
        .shared_key_hint(format!("{local}-{NAME}"))
        .differ(Differ::None)
        .name("[internal] load .dockerignore")
        .build();
    let definition = Definition::of(&state).to_pb().clone();
    let reference = match bridge.solve(definition, Evaluate::Lazily).await {
        Ok(reference) => reference,
        // A build without a context has nothing to ignore.
        Err(error) if error.is_not_sent() => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    match bridge.read_if_sent(&reference, NAME).await {
        Ok(found) => Ok(found.unwrap_or_default()),
        Err(error) if error.is_cancelled() => Err(error.into()),
        Err(error) => Err(Diagnostic::new(format!("cannot read `{NAME}`: {error}"))
            .help("It says which files must stay out of the build. Make it a readable file, or remove it.")
            .caused_by(error)
            .into()),
    }
}

/// Reads a file of limited size; `None` if there is none.
async fn read_limited(
    bridge: &Bridge,
    reference: &Reference,
    path: &str,
    name: &str,
) -> Result<Option<Vec<u8>>, BuildError> {
    // Without anything on standard input, `docker build -` sends no folder either.
    let missing = |error: &GatewayError| error.is_absent() || error.is_not_sent();
    let mut data = Vec::new();
    loop {
        let piece = match bridge
            .read_piece(reference, path, data.len(), 8 << 20)
            .await
        {
            Ok(piece) => piece,
            Err(error) if missing(&error) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let last = piece.len() < 8 << 20;
        data.extend(piece);
        if data.len() > MAX_FILE_BYTES {
            return Err(Diagnostic::new(format!(
                "`{name}` is larger than {} MiB",
                MAX_FILE_BYTES >> 20
            ))
            .help("Check that this is the file you mean.")
            .into());
        }
        if last {
            return Ok(Some(data));
        }
    }
}

/// A repository as a source.
pub(crate) fn git_source(context: &GitContext, options: &Options) -> Output {
    let mut git = repository(&context.remote, context.reference.as_deref());
    if let Some("1" | "true") = options.get("build-arg:BUILDKIT_CONTEXT_KEEP_GIT_DIR") {
        git.keep_git_dir();
    }
    let shown = redact::masked(&context.remote);
    git.name(format!("[internal] load git source {shown}"))
        .build()
}

/// A file from a web server: an archive is unpacked, anything else is the build file itself.
async fn http_place(bridge: &Bridge, url: &str) -> Result<ContextRoot, BuildError> {
    const NAME: &str = "context";
    let file = Http::new(url)
        .filename(NAME)
        .name("[internal] load remote build context")
        .build();
    let definition = Definition::of(&file).to_pb().clone();
    let reference = bridge.solve(definition, Evaluate::Lazily).await?;
    let head = bridge.read_piece(&reference, NAME, 0, 1024).await?;
    if !is_archive(&head) {
        return Ok(ContextRoot::SingleFile {
            state: file,
            name: NAME,
        });
    }
    let mut unpack = File::on(Input::Scratch);
    unpack
        .then(Copy::new(&file, NAME, "/").unpack())
        .name("[internal] unpack the build context");
    Ok(ContextRoot::State {
        state: unpack.build().output().unwrap_or(&file).clone(),
        subdir: String::new(),
    })
}

/// Whether the bytes begin like an archive that BuildKit unpacks: gzip, bzip2, xz, zstd, or a tar header.
fn is_archive(head: &[u8]) -> bool {
    const MAGIC: [&[u8]; 4] = [b"\x1f\x8b\x08", b"BZh", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd"];
    MAGIC.iter().any(|magic| head.starts_with(magic)) || head.get(257..262) == Some(b"ustar")
}

/// The source operation of `output`, for BuildKit to look up (`ResolveSourceMeta`).
pub(crate) fn source_op(output: &Output) -> Option<pb::SourceOp> {
    let definition = Definition::of(output);
    let ops = definition.to_pb().def.iter().filter_map(|bytes| {
        <pb::Op as prost::Message>::decode(bytes.as_slice())
            .ok()?
            .op
    });
    ops.into_iter().find_map(|op| match op {
        pb::op::Op::Source(source) => Some(source),
        _ => None,
    })
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
