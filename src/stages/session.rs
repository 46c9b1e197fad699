//! One build: what it is about, and its requests to BuildKit: build, read, warn, and find out why a step failed.

use super::step_error::{diagnosed, full_disk_report, solve_error, unexplained, unread};

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use buildkit_llb::caps::EXEC_MOUNT_CONTENT_CACHE;
use buildkit_llb::{Definition, Output};
use serde::de::DeserializeOwned;

use crate::context::build_file::BuildFile;
use crate::context::named::Finder;
use crate::context::sources::Sources;
use crate::gateway::client::Bridge;
use crate::gateway::error::{BuildError, GatewayError};
use crate::gateway::messages;
use crate::gateway::own_image;
use crate::gateway::requirements;
use crate::gateway::solving::{Evaluate, Reference};
use crate::options::settings::Settings;
use condafront_graph::step::Step;
use condafront_graph::{Tools, programs, show_report};
use condafront_input::options::Options;
use condafront_input::{BuildSource, warnings_as_written};
use condafront_model::lint::{self, Warning};
use condafront_model::platform::Platform;
use condafront_model::source::{Level, Lines, Location, SourceFile};
use condafront_step_spec::failure_report::{Culprit, FAILED_CODE, FULL_DISK_CODE, FailureReport};

/// The platform that steps run on.
pub(crate) fn native(bridge: &Bridge) -> Platform {
    let native = bridge.abilities().build_platform;
    native.unwrap_or(Platform::LinuxAmd64)
}

/// One build, for one platform, with the file that errors currently point at.
#[derive(Clone, Copy)]
pub(super) struct Session<'a> {
    pub(super) bridge: &'a Bridge,
    pub(super) options: &'a Options,
    pub(super) settings: &'a Settings,
    /// Where the build file and the context are.
    pub(super) sources: &'a Sources<'a>,
    pub(super) build_file: &'a BuildFile,
    /// What the build is made from.
    pub(super) source: &'a BuildSource,
    /// The platform to build for.
    pub(super) platform: Platform,
    /// The file that errors point at: the build file, or one that it names.
    pub(super) file: &'a Arc<SourceFile>,
    /// What has happened in the build so far.
    pub(super) so_far: &'a SoFar,
}

/// What has happened in a build so far.
pub(super) struct SoFar {
    /// When it started.
    pub(super) started: SystemTime,
    /// The warnings that the user has already seen.
    warned: Mutex<BTreeSet<String>>,
    /// The lists for pip that web servers have sent, by their paths in the folder of the target `channel`.
    web_lists: Mutex<BTreeMap<String, Vec<u8>>>,
}

impl SoFar {
    /// Nothing: the build starts.
    pub(super) fn start() -> Self {
        Self {
            started: SystemTime::now(),
            warned: Mutex::default(),
            web_lists: Mutex::default(),
        }
    }

    /// Remembers a list for pip by its path.
    pub(super) fn add_list(&self, path: String, content: Vec<u8>) {
        whole(&self.web_lists).insert(path, content);
    }

    /// The remembered list at a path.
    pub(super) fn list(&self, path: &str) -> Option<Vec<u8>> {
        whole(&self.web_lists).get(path).cloned()
    }

    /// The remembered lists.
    pub(super) fn lists(&self) -> BTreeMap<String, Vec<u8>> {
        whole(&self.web_lists).clone()
    }

    /// Whether the user has not seen this warning yet. From now on, it counts as seen.
    fn is_new(&self, warning: String) -> bool {
        whole(&self.warned).insert(warning)
    }
}

/// A set or map, which is whole even if another thread panicked while it had the lock.
fn whole<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is known about why a step failed.
pub(super) enum Explanation {
    /// This.
    Report(FailureReport),
    /// Nothing.
    Unknown,
    /// The cache may be to blame, and is not used from now on.
    TryAgain,
}

impl<'a> Session<'a> {
    /// The same build, for another platform.
    pub(super) fn on(self, platform: Platform) -> Self {
        Self { platform, ..self }
    }

    /// The same build, with errors pointing at `file`.
    pub(super) fn about<'b>(self, file: &'b Arc<SourceFile>) -> Session<'b>
    where
        'a: 'b,
    {
        Session { file, ..self }
    }

    pub(super) fn finder(&self) -> Finder<'a> {
        Finder {
            bridge: self.bridge,
            options: self.options,
            platform: self.platform,
        }
    }

    /// The file system with the frontend's own programs, in which steps run.
    pub(super) async fn programs(&self) -> Result<Output, BuildError> {
        let finder = self.on(native(self.bridge)).finder();
        let programs = programs(&own_image::find(finder).await?);
        // BuildKit starts it for a step, and stops it again if it then finds that step in a cache. That must not look like
        // a failure.
        self.evaluate(&programs).await?;
        Ok(programs)
    }

    /// What all steps share.
    pub(super) fn tools<'b>(&self, programs: &'b Output) -> Tools<'b> {
        let platforms = self.options.platforms().unwrap_or_default();
        let is_one_of_several = platforms.len() > 1;
        Tools {
            programs,
            no_cache: self.options.no_cache(),
            content_cache: self.bridge.abilities().has(EXEC_MOUNT_CONTENT_CACHE.id),
            timeout: self.settings.timeout,
            platform: is_one_of_several.then_some(self.platform),
            environment: None,
        }
    }
}

impl Session<'_> {
    /// Runs a step for its `output`. If it fails, the error says why, at the lines that are to blame.
    pub(super) async fn run(
        &self,
        output: &Output,
        step: &Step,
        lines: impl Fn(&Culprit) -> Option<Lines>,
    ) -> Result<Reference, BuildError> {
        let location = |culprit: &Culprit| Some(self.place(lines(culprit)?));
        self.run_at(output, step, location).await
    }

    /// The same, if several files can be to blame.
    pub(super) async fn run_at(
        &self,
        output: &Output,
        step: &Step,
        location: impl Fn(&Culprit) -> Option<Location>,
    ) -> Result<Reference, BuildError> {
        match self.run_or_report(output, step, &[]).await? {
            Ok(reference) => Ok(reference),
            Err(report) => Err(diagnosed(report, location)),
        }
    }

    /// The same, for a caller that can do something about the failure. `earlier` are outputs of steps that failed before:
    /// with the same content, BuildKit takes the step for one of them, and reports that one's vertex.
    pub(super) async fn run_or_report(
        &self,
        output: &Output,
        step: &Step,
        earlier: &[Output],
    ) -> Result<Result<Reference, FailureReport>, BuildError> {
        loop {
            let error = match self.evaluate(output).await {
                Ok(reference) => return Ok(Ok(reference)),
                Err(BuildError::Gateway(error)) => error,
                Err(error) => return Err(error),
            };
            if !is_of(&error, std::iter::once(output).chain(earlier)) {
                return Err(error.into());
            }
            match self.explanation(step, &error).await {
                Explanation::Report(report) => return Ok(Err(report)),
                Explanation::Unknown => return Err(unexplained(step, error)),
                Explanation::TryAgain => {}
            }
        }
    }

    /// Lines in the file that errors point at.
    pub(super) fn place(&self, lines: Lines) -> Location {
        Location {
            file: Arc::clone(self.file),
            lines,
        }
    }

    /// Why a step failed with `error`: what it has left for the frontend.
    pub(super) async fn explanation(&self, step: &Step, error: &GatewayError) -> Explanation {
        let code = messages::exit_code(error.message());
        // After any other end, only what the step ran can have left something.
        if code == Some(FAILED_CODE.into()) {
            return match self.report(step, error).await {
                Ok(Some(report)) => Explanation::Report(report),
                Ok(None) => Explanation::Unknown,
                Err(error) => Explanation::Report(unread(step.name(), error)),
            };
        }
        if code == Some(FULL_DISK_CODE.into()) {
            return Explanation::Report(full_disk_report());
        }
        // Steps that fail end with another code. So it has not even started, perhaps because BuildKit has lost a file system
        // that it mounts. runc's message is in the progress only.
        let is_unstarted = code == Some(1);
        if is_unstarted && self.bridge.distrust_cache().await {
            Explanation::TryAgain
        } else {
            Explanation::Unknown
        }
    }

    /// The report that a failed step has left, if BuildKit has kept it.
    ///
    /// # Errors
    /// Why it cannot be read.
    async fn report(
        &self,
        step: &Step,
        error: &GatewayError,
    ) -> Result<Option<FailureReport>, BuildError> {
        let programs = self.evaluate(&self.programs().await?).await?;
        let mounts = step.report_mounts();
        let command = show_report();
        let report = self.bridge.report_of(error, mounts, &programs, &command);
        Ok(report.await?)
    }

    /// What is wrong with the secret that has authorities, if anything.
    pub(super) async fn wrong_authorities(&self, tools: &Tools<'_>) -> Option<FailureReport> {
        let (output, step) = tools.of_image().check_authorities();
        self.run_or_report(&output, &step, &[]).await.ok()?.err()
    }

    pub(super) async fn evaluate(&self, output: &Output) -> Result<Reference, BuildError> {
        self.solve(output, Evaluate::Now).await
    }

    /// Builds `root` before a step that runs on it and may fail.
    ///
    /// A failure while BuildKit commits merged layers leaves a snapshot that no later build can use ("failed to finalize
    /// parent during merge").
    pub(super) async fn settle(&self, root: &Output) -> Result<(), BuildError> {
        self.evaluate(root).await.map(drop)
    }

    pub(super) async fn solve(
        &self,
        output: &Output,
        evaluate: Evaluate,
    ) -> Result<Reference, BuildError> {
        let definition = Definition::of(output);
        requirements::check(&definition, self.bridge.abilities())?;
        let solved = self.bridge.solve(definition, evaluate).await;
        solved.map_err(solve_error)
    }

    pub(super) async fn read_json<T: DeserializeOwned>(
        &self,
        from: &Reference,
        path: &str,
    ) -> Result<T, BuildError> {
        let bytes = self.bridge.read_file(from, path).await?;
        serde_json::from_slice(&bytes).map_err(|error| {
            GatewayError::caused(
                format_args!("a build step wrote an unreadable {path}"),
                error,
            )
            .into()
        })
    }

    /// Shows the warnings that count.
    ///
    /// # Errors
    /// The first of them, if the user wants them to be errors.
    pub(super) async fn warn(&self, warnings: &[Warning]) -> Result<(), BuildError> {
        let check = &self.settings.check;
        let warnings = warnings_as_written(warnings.to_vec());
        let counted = check.counted(&warnings);
        let vertex = self.build_file.vertex.to_string();
        for warning in &lint::shown(&counted) {
            // Builds for several platforms give the same warnings.
            let text = warning.diagnostic.render(Level::Warning);
            if self.so_far.is_new(text) {
                self.bridge.warn(&vertex, warning).await?;
            }
        }
        match counted.into_iter().next().filter(|_| check.is_error()) {
            Some(warning) => Err(warning.into_error().into()),
            None => Ok(()),
        }
    }
}

/// Whether an error is about a step with one of these outputs.
pub(super) fn is_of<'a>(
    error: &GatewayError,
    mut outputs: impl Iterator<Item = &'a Output>,
) -> bool {
    let failed = error.vertices();
    outputs.any(|output| failed.contains(&output.digest().to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_are_shown_once_whatever_else_has_failed() {
        let so_far = Arc::new(SoFar::start());
        let other = Arc::clone(&so_far);
        let failed = std::thread::spawn(move || {
            let _locked = other.warned.lock();
            panic!("while it has the lock");
        });
        assert!(failed.join().is_err());
        let said = ["a", "b", "a"].map(|warning| so_far.is_new(warning.to_owned()));
        assert_eq!(said, [true, true, false]);
    }
}
