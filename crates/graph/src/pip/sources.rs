//! Packages that no index has: from the build context, or from a repository.

use buildkit_llb::{Copy, File, Input, OpOptions, Options, Output};
use url::Url;

use crate::context::ContextState;
use crate::git;
use condafront_input::requirements::Repository;
use condafront_model::package::Hashes;
use condafront_model::pypi_package::{is_name_char, normalized};
use condafront_model::redact;
use condafront_step_spec::pip::{PipFile, Tag};
use condafront_step_spec::wheel::{DirectUrl, Origin};

/// The length of a commit's name.
const COMMIT: usize = 40;

/// The kind of a package that no index has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LocalKind {
    /// A wheel, ready to be installed.
    Wheel,
    /// A source archive.
    Archive,
    /// A folder with the package's sources.
    Folder,
}

/// A package from the build context or a repository.
#[derive(Clone, Debug)]
pub struct Local {
    /// Its name in messages.
    pub label: String,
    /// What it is.
    pub kind: LocalKind,
    /// The folder with its sources, or one with only its file.
    pub output: Output,
    /// Options for pip when it builds it.
    pub build_options: Vec<String>,
    /// The hashes that it must have if it is a file.
    pub hashes: Hashes,
    /// If it is asked for as editable, its path in the folder that has it.
    pub editable: Option<String>,
    /// The repository that it comes from, if it does.
    pub repository: Option<Repository>,
}

impl Local {
    /// The version in the repository's tag.
    pub(super) fn tag(&self) -> Option<Tag> {
        let version = self.repository.as_ref()?.version(&self.label)?;
        let is_name = self.label.chars().all(is_name_char);
        Some(Tag {
            name: is_name.then(|| normalized(&self.label)),
            version,
        })
    }

    /// The repository whose history its build sees.
    pub(super) fn with_history(&self) -> Option<&Repository> {
        self.repository.as_ref().filter(|it| it.has_history)
    }

    /// What the image says about where it comes from: a repository's commit, if that is known before it is loaded. A folder or
    /// file of the user has no address there.
    pub fn direct_url(&self) -> Option<DirectUrl> {
        let repository = self.repository.as_ref()?;
        let is_commit = |name: &&String| {
            name.len() == COMMIT && name.bytes().all(|byte| byte.is_ascii_hexdigit())
        };
        let commit = repository.reference.as_ref().filter(is_commit)?;
        let requested = repository.found_by.as_ref().unwrap_or(commit);
        let requested = ["refs/heads/", "refs/tags/"]
            .iter()
            .find_map(|start| requested.strip_prefix(start))
            .unwrap_or(requested);
        let mut url = Url::parse(&repository.url).ok()?;
        redact::strip_login(&mut url);
        Some(DirectUrl {
            url: url.into(),
            origin: Origin::Repository {
                commit: commit.clone(),
                requested: requested.to_owned(),
                subdirectory: repository.subdir.clone(),
            },
        })
    }

    /// How a step that gets it describes it.
    pub(super) fn file(&self) -> PipFile {
        PipFile {
            label: self.label.clone(),
            md5: self.hashes.md5.clone(),
            sha256: self.hashes.sha256.clone(),
            direct_url: None,
        }
    }
}

/// A file of the build context in a folder of its own, there with the name `file_name` if it is given, or the contents of one
/// of its folders. `options` are the copy's.
pub fn from_context(
    context: &ContextState,
    path: &str,
    file_name: Option<&str>,
    kind: LocalKind,
    options: &Options,
) -> Output {
    let file_name = file_name.filter(|_| kind != LocalKind::Folder);
    let dest = format!("/{}", file_name.unwrap_or_default());
    let mut copy = Copy::new(&context.state, context.full(path), dest);
    copy.exclude(&context.exclude);
    if kind == LocalKind::Folder {
        copy.contents();
    }
    let mut file = File::on(Input::Scratch);
    file.then(copy).options(options).export_cache(false);
    file.build().output().unwrap_or(&context.state).clone()
}

/// The contents of a repository, or of a folder in it. With its history, it is a clone that has the latest commit: BuildKit gives
/// no more (`source/git/source.go`), so a step of its own loads the rest.
pub fn from_repository(repository: &Repository, options: &Options) -> Output {
    let mut git = git::repository(&repository.url, repository.reference.as_deref());
    if repository.has_history {
        git.keep_git_dir();
    } else if let Some(subdir) = &repository.subdir {
        git.subdir(subdir);
    }
    git.options(options).build()
}
