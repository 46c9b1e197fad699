//! The key `copy`: where files come from, who owns them, and which of them are missing.

use super::additions::Additions;
use super::owners::Alone;

use buildkit_llb::{Input, Output, caps};

use crate::gateway::error::{BuildError, GatewayError};
use crate::gateway::messages;
use crate::image::name::BaseName;
use crate::image::section;
use condafront_graph::copy::{CopyStep, LOOKED_AT, Origin, destination, is_pattern};
use condafront_input::section::{CopyFiles, Mode};
use condafront_model::image_path::is_in;
use condafront_model::redact::quoted;
use condafront_model::source::Diagnostic;

/// A copy, and the image with it.
pub(super) struct Copied<'a> {
    step: CopyStep<'a>,
    pub(super) image: Input,
}

impl Copied<'_> {
    pub(super) fn name(&self) -> String {
        self.step.name()
    }
}

impl Additions<'_> {
    /// Makes all copies, one on top of the other. If one fails, `copies` has those before it.
    pub(super) async fn copies<'a>(
        &'a self,
        root: &Input,
        copies: &mut Vec<Copied<'a>>,
    ) -> Result<(), BuildError> {
        let entries = &self.section.copy;
        let context = match entries.iter().find(|files| files.from.is_none()) {
            Some(files) => {
                let ignored = self.session.sources.ignored().await?;
                let origin = self.context(ignored, &self.needed());
                Some(origin.map_err(|error| self.at(error, files))?)
            }
            None => None,
        };
        let mut image = root.clone();
        for files in entries {
            self.check(files)?;
            let origin = match (&files.from, &context) {
                (Some(name), _) => self.image(name, files).await?,
                (None, Some(context)) => context.clone(),
                (None, None) => continue,
            };
            let (owner, facts) = self.owner(&image, files).await?;
            let dest = destination(section::working_dir(self.config), &files.dest);
            let mut step = CopyStep {
                files,
                origin,
                shared: self.shared_above(&dest, files),
                dest,
                owner,
                makes_folder: false,
            };
            step.makes_folder = self.makes_folder(&step).await;
            let options = self.options(step.name(), files.lines);
            image = step.on(&image, facts.as_slice(), &options);
            copies.push(Copied {
                step,
                image: image.clone(),
            });
        }
        Ok(())
    }

    /// The folder above `dest` where the group may write to copied files, unless they are somebody else's.
    fn shared_above(&self, dest: &str, files: &CopyFiles) -> Option<&str> {
        let folders = self.shared_folders().into_iter();
        let mut above = folders.filter(|folder| is_in(dest, folder));
        above.next().filter(|_| files.chown.is_none())
    }

    /// Whether the destination becomes a folder if the image lacks it, where that matters. A copy that fails says why itself.
    async fn makes_folder(&self, step: &CopyStep<'_>) -> bool {
        let Some(Input::Output(found)) = step.look() else {
            return false;
        };
        let Ok(reference) = self.session.evaluate(&found).await else {
            return false;
        };
        let entries = self.session.bridge.read_dir(&reference, "/").await;
        let mut entries = entries.unwrap_or_default().into_iter();
        entries.any(|entry| entry.path == LOOKED_AT && entry.is_folder)
    }

    /// Refuses copies that would not do what the user meant.
    fn check(&self, files: &CopyFiles) -> Result<(), Diagnostic> {
        let file = self.session.file;
        let rest = files.dest.strip_prefix('~');
        if let Some(rest) = rest.filter(|rest| rest.is_empty() || rest.starts_with('/')) {
            let message = format!(
                "`{}` would be copied to a folder named `~`: no shell expands it",
                quoted(&files.sources.join(", "))
            );
            return Err(Diagnostic::new(message).at(file, files.lines).help(format!(
                "Write {}{rest} to copy to the home of the image's user.",
                self.user.home
            )));
        }
        // No capability stands for letters, and older engines ignore them; this one came with the same version.
        let came_with = caps::EXEC_VALID_EXIT_CODE;
        let is_old = !self.session.bridge.abilities().has(came_with.id);
        let dest = destination(section::working_dir(self.config), &files.dest);
        let is_shared = self.shared_above(&dest, files).is_some();
        let what = match &files.chmod {
            Some(Mode::Symbolic(_)) => "`chmod` with letters",
            None if is_shared => "`group_writable` for copied files",
            _ => return Ok(()),
        };
        if is_old {
            let engine = came_with
                .engine()
                .map(|version| format!(" (Docker Engine {version})"));
            let message = format!(
                "{what} needs BuildKit {}{}, but this engine is older",
                came_with.since,
                engine.unwrap_or_default()
            );
            return Err(Diagnostic::new(message)
                .at(file, files.lines)
                .help("Write the permissions as `chmod` in octal digits, for example 775."));
        }
        Ok(())
    }

    /// The owner of the files, and the output of the look-up if there was one.
    async fn owner(
        &self,
        image: &Input,
        files: &CopyFiles,
    ) -> Result<((u32, u32), Option<Output>), BuildError> {
        let user = self.user;
        let Some(chown) = &files.chown else {
            return Ok(((user.uid, user.gid), None));
        };
        let found = self
            .session
            .person(chown, Alone::SameNumber, files.lines, image, user);
        let (person, facts) = found.await?;
        Ok(((person.uid, person.gid), facts))
    }

    /// The paths of the build context to load; empty for all of it.
    fn needed(&self) -> Vec<String> {
        let entries = self
            .section
            .copy
            .iter()
            .filter(|files| files.from.is_none());
        let paths = entries.flat_map(|files| &files.sources);
        let mut paths: Vec<String> = paths
            .map(|path| path.trim_end_matches('/').to_owned())
            .collect();
        if paths.iter().any(|path| path == ".") {
            return Vec::new();
        }
        paths.sort();
        paths.dedup();
        paths
    }

    fn context(&self, ignored: &[String], paths: &[String]) -> Result<Origin, BuildError> {
        let context = self.session.sources.context(ignored, paths)?;
        Ok(Origin::of_context(context))
    }

    /// The image or named context `name`.
    async fn image(&self, name: &str, files: &CopyFiles) -> Result<Origin, BuildError> {
        const HELP: &str =
            "Set `from` to an image, or to a context that you pass with --build-context NAME=….";
        if let Err(error) = name.parse::<BaseName>() {
            let error = Diagnostic::of(error).help(HELP);
            return Err(self.at(error.into(), files));
        }
        let finder = self.session.finder();
        let found = finder.base(name).await.map_err(|error| match error {
            BuildError::Diagnostic(error) => self.at(error.help(HELP).into(), files),
            error => error,
        })?;
        match found.state {
            Input::Output(state) => Ok(Origin {
                state,
                folder: String::new(),
            }),
            Input::Scratch => {
                let message = format!(
                    "there is nothing to copy from `{}`: it is empty",
                    quoted(name)
                );
                Err(self.at(Diagnostic::new(message).help(HELP).into(), files))
            }
        }
    }

    /// Adds the lines of `files` to a diagnostic without a location.
    fn at(&self, error: BuildError, files: &CopyFiles) -> BuildError {
        match error {
            BuildError::Diagnostic(error) if error.locations.is_empty() => {
                error.at(self.session.file, files.lines).into()
            }
            error => error,
        }
    }

    /// Why a copy failed.
    pub(super) async fn explain_copy(
        &self,
        copied: &Copied<'_>,
        error: GatewayError,
    ) -> BuildError {
        let step = &copied.step;
        let files = step.files;
        for source in &files.sources {
            let may_be_missing = is_pattern(source) && files.sources.len() > 1;
            if !may_be_missing && self.lacks(step, source).await {
                let error = self.missing(step, source).await;
                return self.at(error.into(), files);
            }
        }
        if messages::is_copy_onto_file(error.message()) {
            let dest = quoted(&step.dest);
            let message = format!("`{dest}` is a file: a folder cannot be copied onto it");
            let error =
                Diagnostic::new(message).help("Set `dest` to a folder, or `src` to a file.");
            return self.at(error.into(), files);
        }
        error.into()
    }

    /// The error for a missing `source`, with the reason if it is known.
    async fn missing(&self, step: &CopyStep<'_>, source: &str) -> Diagnostic {
        let shown = quoted(source);
        let is_not = if is_pattern(source) {
            format!("`{shown}` matches nothing in")
        } else {
            format!("`{shown}` is not in")
        };
        if let Some(target) = self.link_target(step, source).await {
            let place = match &step.files.from {
                Some(from) => format!("`{}`", quoted(from)),
                None => "the build context".to_owned(),
            };
            let target = quoted(&target);
            return Diagnostic::new(format!(
                "`{shown}` is a link to `{target}`, which is not in {place}"
            ))
            .help("Copy the file itself, or remove the link.");
        }
        if let Some(from) = &step.files.from {
            return Diagnostic::new(format!("{is_not} `{}`", quoted(from)))
                .help("Give the path from the root of the image or context in `from`.");
        }
        let paths = [source.trim_end_matches('/').to_owned()];
        let ignored = self.session.sources.ignored().await;
        if ignored.is_ok_and(|ignored| !ignored.is_empty())
            && let Ok(whole) = self.context(&[], &paths)
            && self.has(step, source, &whole).await
        {
            let name = self.session.options.file_name();
            return Diagnostic::new(format!(
                ".dockerignore excludes `{shown}` from the build context"
            ))
            .help(format!(
                "Add the line `!{shown}` at the end of .dockerignore (or of {name}.dockerignore, which is read instead if it exists)."
            ));
        }
        Diagnostic::new(format!("{is_not} the build context"))
            .help("Give the path relative to the build context, the folder that you pass to docker build.")
    }

    /// Where `source` leads, if it is a link.
    async fn link_target(&self, step: &CopyStep<'_>, source: &str) -> Option<String> {
        let reference = self.session.evaluate(&step.origin.state).await.ok()?;
        let path = format!("/{}/{source}", step.origin.folder);
        let (folder, name) = path.trim_end_matches('/').rsplit_once('/')?;
        let entries = self
            .session
            .bridge
            .read_dir(&reference, folder)
            .await
            .ok()?;
        let entry = entries.into_iter().find(|entry| entry.path == name)?;
        entry.link
    }

    /// Whether there is nothing to copy at `source`. An engine that fails does not count.
    async fn lacks(&self, step: &CopyStep<'_>, source: &str) -> bool {
        let Input::Output(probe) = step.probe(source, &step.origin) else {
            return true;
        };
        match self.session.evaluate(&probe).await {
            Err(BuildError::Gateway(error)) => messages::lacks_source(error.message()),
            _ => false,
        }
    }

    /// Whether there is something to copy at `source`.
    async fn has(&self, step: &CopyStep<'_>, source: &str, origin: &Origin) -> bool {
        match step.probe(source, origin) {
            Input::Output(probe) => self.session.evaluate(&probe).await.is_ok(),
            Input::Scratch => false,
        }
    }
}
