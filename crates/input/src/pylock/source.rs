//! Where the packages of a `pylock.toml` come from.

use std::sync::Arc;

use super::fields::{RELOCK, Reader};
use super::lock::{LockedFile, LockedSource};
use crate::context_path::{joined, normalized};
use crate::environment_input::LocalPip;
use crate::locked::address;
use crate::locked::repository::{has_secret, is_commit};
use crate::requirements::Repository;
use crate::section::image_section::Located;
use crate::yaml::Node;
use condafront_model::lint::{Rule, Warning};
use condafront_model::package::Hashes;
use condafront_model::prose;
use condafront_model::redact::quoted;
use condafront_model::source::{Diagnostic, Lines};

/// What else the lock says about a package, apart from where it comes from.
pub(super) struct About<'a> {
    pub(super) name: &'a str,
    pub(super) version: Option<&'a str>,
    pub(super) lines: Lines,
}

impl Reader<'_> {
    /// Where a package comes from: one of several tables.
    pub(super) fn source(
        &self,
        about: &About<'_>,
        entry: &Node,
        warnings: &mut Vec<Warning>,
    ) -> Result<LockedSource, Diagnostic> {
        const SOURCES: [&str; 4] = ["vcs", "directory", "archive", "wheels"];
        let [vcs, folder, archive, wheels] = SOURCES.map(|name| entry.get(name));
        let sdist = entry.get("sdist");
        let of_index = wheels.or(sdist);
        let given = [vcs, folder, archive, of_index];
        let name = about.name;
        match given.iter().flatten().count() {
            1 => {}
            0 => {
                let message =
                    format!("{name} has none of vcs, directory, archive, sdist and wheels");
                return Err(self.error(about.lines, message));
            }
            _ => {
                let message =
                    format!("{name} comes from several places: only sdist and wheels go together");
                return Err(self.error(about.lines, message));
            }
        }
        if let Some(vcs) = vcs {
            return self.repository(about, vcs);
        }
        if let Some(folder) = folder {
            return self.folder(about, folder, warnings);
        }
        if let Some(archive) = archive {
            if let Some(folder) = self.string(archive, "subdirectory")? {
                let error = self.error(
                    folder.lines,
                    format!("{name} is in a folder of an archive, which condafront cannot build"),
                );
                return Err(error.help("Lock a release of it, or its repository."));
            }
            return Ok(LockedSource::Archive(self.file_of(about, archive)?));
        }
        let wheels = match wheels {
            Some(node) => node.list().ok_or_else(|| {
                let what = node.what();
                self.error(node.lines, format!("`wheels` must be a list, not {what}"))
            })?,
            None => &[],
        };
        let wheels = wheels.iter().map(|file| self.file_of(about, file));
        let sdist = sdist.map(|file| self.file_of(about, file));
        Ok(LockedSource::Files {
            wheels: wheels.collect::<Result<_, _>>()?,
            sdist: sdist.transpose()?,
        })
    }

    fn repository(&self, about: &About<'_>, entry: &Node) -> Result<LockedSource, Diagnostic> {
        let name = about.name;
        let kind = self.string(entry, "type")?;
        if let Some(kind) = kind.filter(|kind| kind.value != "git") {
            let kind_of = quoted(kind.value);
            let error = self.error(
                kind.lines,
                format!(
                    "{name} is in a `{kind_of}` repository: only git repositories are supported"
                ),
            );
            return Err(error.help("Lock a release of it instead."));
        }
        let Some(url) = self.string(entry, "url")? else {
            let error = self.error(
                about.lines,
                format!("the repository of {name} has no `url`"),
            );
            return Err(error.help("Lock a repository on a server, or the package's folder."));
        };
        let parsed = url::Url::parse(url.value).ok().filter(url::Url::has_host);
        let is_known = |url: &url::Url| ["https", "http", "ssh", "git"].contains(&url.scheme());
        if !parsed.as_ref().is_some_and(is_known) {
            let message = format!("`{}` is not the URL of a git repository", quoted(url.value));
            return Err(self.error(url.lines, message));
        }
        if parsed.as_ref().is_some_and(has_secret) {
            let message = format!("the URL of {name}'s repository has credentials");
            let error = self.error(url.lines, message);
            return Err(error.help("Remove them, and pass --secret id=GIT_AUTH_TOKEN,env=…."));
        }
        let Some(commit) = self.string(entry, "commit-id")? else {
            let message = format!("the repository of {name} has no `commit-id`");
            return Err(self.error(about.lines, message));
        };
        if !is_commit(commit.value) {
            let message = format!(
                "`{}` is not a full commit hash, so it may change",
                quoted(commit.value)
            );
            return Err(self.error(commit.lines, message));
        }
        let subdir = match self.string(entry, "subdirectory")? {
            Some(folder) => Some(joined("", folder.value).ok_or_else(|| {
                let shown = quoted(folder.value);
                self.error(folder.lines, format!("`{shown}` is outside the repository"))
            })?),
            None => None,
        };
        let found_by = self.string(entry, "requested-revision")?;
        Ok(LockedSource::Repository(Repository {
            url: url.value.to_owned(),
            reference: Some(commit.value.to_owned()),
            found_by: found_by.map(|found| found.value.to_owned()),
            subdir: subdir.filter(|folder| !folder.is_empty()),
            has_history: false,
        }))
    }

    fn folder(
        &self,
        about: &About<'_>,
        entry: &Node,
        warnings: &mut Vec<Warning>,
    ) -> Result<LockedSource, Diagnostic> {
        let Some(path) = self.string(entry, "path")? else {
            let message = format!("the folder of {} has no `path`", about.name);
            return Err(self.error(about.lines, message));
        };
        let inside = self.string(entry, "subdirectory")?;
        let inside = inside.map_or("", |found| found.value);
        if entry.get("editable").and_then(Node::text) == Some("true") {
            warnings.push(Warning {
                rule: Rule::Ignored,
                diagnostic: Diagnostic::new(format!(
                    "{} is installed like any other package: an image has no source copy to edit",
                    about.name
                ))
                .at(self.file, about.lines)
                .help("Lock without it (uv export --no-editable). For development, name the folder with -e in the list, and build with --target dev."),
            });
        }
        let path = self.path(path)?;
        Ok(LockedSource::Folder(LocalPip {
            name: about.name.to_owned(),
            path: normalized(&path, inside),
            file_name: None,
            hashes: Hashes::default(),
            lines: about.lines,
        }))
    }

    /// A file with its hash.
    fn file_of(&self, about: &About<'_>, entry: &Node) -> Result<LockedFile, Diagnostic> {
        let name = about.name;
        let [url, path] = ["url", "path"].map(|key| self.string(entry, key));
        let (url, path) = (url?, path?);
        let place = url.as_ref().or(path.as_ref());
        let lines = place.map_or(about.lines, |found| found.lines);
        let hashes = entry.get("hashes");
        let hash = hashes.and_then(|hashes| hashes.get("sha256"));
        let Some(hash) = hash.and_then(Node::text) else {
            let others = hashes.and_then(Node::mapping).unwrap_or_default().iter();
            let others: Vec<String> = others.map(|(key, _)| quoted(&key.name)).collect();
            if others.is_empty() {
                let error = self.error(lines, format!("a file of {name} has no sha256"));
                return Err(
                    error.help("Regenerate the lock with sha256 hashes, which uv and pip write.")
                );
            }
            let others = prose::and(others);
            let message = format!(
                "a file of {name} has no sha256, only a hash by {others}: BuildKit verifies downloads by their sha256"
            );
            // A new lock would have the same hashes: tools copy what the index says.
            return Err(self.error(lines, message).help(
                "Add it to the file's `hashes` (sha256 = \"<64 hex digits>\", as sha256sum prints it), or lock with an index that has it: tools copy the hashes of the index.",
            ));
        };
        let hashes = address::parse_hash(&format!("sha256:{hash}")).ok_or_else(|| {
            self.error(lines, format!("`{}` is not a valid sha256", quoted(hash)))
        })?;
        let file_name = match self.string(entry, "name")? {
            Some(found) if found.value.contains(['/', '\\']) || found.value.starts_with('.') => {
                let message = format!("`{}` is not the name of a file", quoted(found.value));
                return Err(self.error(found.lines, message));
            }
            found => found.map(|found| found.value),
        };
        // A lock may have both, for tools that like one or the other.
        match (url, path) {
            (Some(url), _) if is_web(url.value) => {
                let mut package = address::pip(
                    self.file,
                    name,
                    about.version,
                    url.value,
                    hashes,
                    about.lines,
                )
                .map_err(|error| error.help(RELOCK))?;
                package.file = Some(Arc::clone(self.file));
                // It is optional, and only decides over how many layers the file is spread.
                package.size = entry
                    .get("size")
                    .and_then(Node::text)
                    .and_then(|size| size.parse().ok());
                if let Some(name) = file_name {
                    package.url = package.url.with_file_name(name);
                }
                Ok(LockedFile::Remote(package))
            }
            (_, Some(path)) => Ok(LockedFile::Local(LocalPip {
                name: name.to_owned(),
                path: self.path(path)?,
                file_name: file_name.map(str::to_owned),
                hashes,
                lines: about.lines,
            })),
            (Some(url), None) => {
                let message = format!("`{}` is not an http(s) URL", quoted(url.value));
                Err(self.error(url.lines, message))
            }
            (None, None) => Err(self.error(
                about.lines,
                format!("a file of {name} has no `url` and no `path`"),
            )),
        }
    }

    /// A path that is relative to the lock.
    fn path(&self, found: Located<&str>) -> Result<String, Diagnostic> {
        let path = found.value.replace('\\', "/");
        let has_drive = path
            .split('/')
            .next()
            .is_some_and(|first| first.contains(':'));
        if path.starts_with('/') || has_drive {
            let message = format!(
                "`{}` is not a path in the build context",
                quoted(found.value)
            );
            return Err(self.error(found.lines, message));
        }
        Ok(normalized("", &path))
    }
}

fn is_web(text: &str) -> bool {
    text.starts_with("http://") || text.starts_with("https://")
}
