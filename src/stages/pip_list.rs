//! What the user asks of pip: lists with the files that they name, and packages from the build context.

use super::session::Session;
use condafront_input::pypi;

use buildkit_llb::{OpOptions as _, Options};

use crate::context::files::{Context, Kind};
use crate::gateway::error::BuildError;
use condafront_graph::location_of;
use condafront_graph::pip::{Local, LocalKind, from_context, from_repository};
use condafront_input::pypi::PypiPackages;
use condafront_input::requirements::{List, ListEntry, Reading, Source};
use condafront_input::section::Located;
use condafront_input::{Pip, PipRequirement};
use condafront_model::redact::quoted;
use condafront_model::source::{Diagnostic, SourceFile};

use std::sync::Arc;

/// What one environment asks of pip.
#[derive(Clone, Default)]
pub(super) struct PipInput {
    /// The requested packages.
    pub(super) asked: PypiPackages,
    /// Those that are in the build context or in a repository.
    pub(super) local: Vec<Local>,
}

impl Session<'_> {
    /// Reads what an environment's `file` asks of pip, then the requirements `more`, with all files that they name.
    ///
    /// # Errors
    /// A diagnostic at a line that is not valid, or that names a missing file.
    pub(super) async fn read_pip(
        &self,
        pip: &Pip,
        more: &[PipRequirement],
        file: &Arc<SourceFile>,
    ) -> Result<PipInput, BuildError> {
        let (locked, mut list) = match pip {
            Pip::Locked(packages) => (packages.clone(), Vec::new()),
            Pip::Unsolved(list) => (Vec::new(), list.clone()),
        };
        pypi::check_files(&locked, file)?;
        list.extend_from_slice(more);
        let args = self.settings.input.build_args.for_platform(self.platform);
        let mut reading = Reading::new(&list, &args);
        while let Some(wanted) = reading.next_file()? {
            let path = Located {
                value: wanted.path,
                lines: wanted.location.lines,
            };
            let file = self.context_file(&path, &wanted.location.file).await?;
            reading.open(&file)?;
        }
        let list = reading.finish();
        Ok(PipInput {
            local: self.local_packages(&list).await?,
            asked: PypiPackages { locked, list },
        })
    }

    /// The packages of a list that are in the build context or in a repository.
    async fn local_packages(&self, list: &List) -> Result<Vec<Local>, BuildError> {
        let mut all = Vec::new();
        for (index, entry, requirement) in list.local() {
            let mut options = Options::new();
            options.location(location_of(&entry.location()));
            let local = match &requirement.source {
                Source::Context(path) => {
                    let (kind, output) = self.in_context(path, entry, &mut options).await?;
                    Local {
                        label: match path.as_str() {
                            "" => "the build context".to_owned(),
                            path => path.to_owned(),
                        },
                        kind,
                        output,
                        entry: index,
                    }
                }
                Source::Repository(repository) => {
                    let url = quoted(&repository.url);
                    options.name(format!("[pip] load {url}"));
                    Local {
                        label: requirement.name.clone().unwrap_or(url),
                        kind: LocalKind::Folder,
                        output: from_repository(repository, &options),
                        entry: index,
                    }
                }
                Source::Index | Source::Web(_) => continue,
            };
            all.push(local);
        }
        Ok(all)
    }

    /// The package at `path` in the build context.
    async fn in_context(
        &self,
        path: &str,
        entry: &ListEntry,
        options: &mut Options,
    ) -> Result<(LocalKind, buildkit_llb::Output), BuildError> {
        /// A folder with one of these files is a package.
        const MARKS: &[&str] = &["pyproject.toml", "setup.py"];
        let place = |diagnostic: Diagnostic| diagnostic.at(&entry.file, entry.lines);
        let context = Context::find(self.bridge, self.options).await?;
        let part = context
            .part(path, &self.build_file.ignored)
            .map_err(place)?;
        let shown = match path {
            "" => ".",
            path => path,
        };
        let kind = match context.look(&part, path).await? {
            Some(Kind::File) if path.ends_with(".whl") => LocalKind::Wheel,
            Some(Kind::File) => LocalKind::Archive,
            Some(Kind::Folder(names))
                if names.iter().any(|name| MARKS.contains(&name.as_str())) =>
            {
                LocalKind::Folder
            }
            Some(Kind::Folder(_)) => {
                let diagnostic = Diagnostic::new(format!(
                    "`{shown}` is not a Python package: it has neither pyproject.toml nor setup.py"
                ));
                return Err(place(diagnostic)
                    .help(
                        "Name the folder of the package, and check that .dockerignore does not exclude the file.",
                    )
                    .into());
            }
            None => {
                let diagnostic = Diagnostic::new(format!("`{shown}` is not in the build context"));
                return Err(place(diagnostic)
                    .help("Give the path relative to the build context, the folder that you pass to docker build, and check that .dockerignore does not exclude it.")
                    .into());
            }
        };
        options.name(format!("[pip] take {shown} from the build context"));
        Ok((kind, from_context(&part, path, kind, options)))
    }
}
