//! Builds wheels of packages that have none: source archives, folders and repositories.

use std::sync::Arc;

use buildkit_llb::Output;

use super::build_root::BuildRoot;
use super::fetching::Job;
use super::linked::Linked;
use super::pip_jobs::{Files, Made, check_addresses};
use super::platforms::pip_builds;
use super::wheels::WheelGround;
use crate::gateway::error::{BuildError, GatewayError};
use crate::gateway::solving::Reference;
use crate::inventory::Component;
use condafront_graph::downloads::{Addresses, Artifact};
use condafront_graph::environment::Environment;
use condafront_graph::pip::{
    Local, LocalKind, OwnWheel, PipBuilt, PipNetwork, PipPackages, direct_url,
};
use condafront_graph::step::Step;
use condafront_input::requirements::{BuildOptions, Repository};
use condafront_model::pypi_package::PipPackage;
use condafront_model::redact::{masked, quoted};
use condafront_model::source::{Diagnostic, Location, SourceFile};
use condafront_step_spec::args::ArgsError;
use condafront_step_spec::failure_report::Culprit;
use condafront_step_spec::pip::PIP_FETCHED_FILE;

/// Packages without a wheel to download.
#[derive(Default)]
pub(super) struct Unbuilt {
    /// Source archives.
    pub(super) archives: Vec<PipPackage>,
    /// Packages of the user's folders and of repositories, and where they are asked for. Some may be wheels.
    pub(super) local: Vec<(Local, Location)>,
    /// Options for pip.
    pub(super) options: BuildOptions,
}

impl Linked<'_> {
    /// The wheels of `unbuilt`, first those of archives, and the outputs that the frontend reads. They are built in the
    /// image `root`, which has the conda packages, with those on top that only builds see.
    ///
    /// # Errors
    /// A package that cannot be downloaded or built, at its line.
    pub(super) async fn pip_build(
        &self,
        root: &Output,
        unbuilt: Unbuilt,
        ground: &WheelGround,
    ) -> Result<(Vec<Made>, Vec<Output>), BuildError> {
        let Unbuilt {
            archives,
            local,
            options,
        } = unbuilt;
        if archives.is_empty() && local.is_empty() {
            return Ok((Vec::new(), Vec::new()));
        }
        let session = &self.session;
        let built = local.iter();
        let mut built = built.filter(|(local, _)| local.kind != LocalKind::Wheel);
        let first_built = built.next();
        let first_archive = archives.first();
        let first = first_archive.map(|it| (it.label(), it.location(&self.file.file)));
        let first =
            first.or_else(|| first_built.map(|(it, place)| (it.label.clone(), place.clone())));
        if let Some((label, place)) = &first {
            session.must_run_at(&pip_builds(label), place)?;
        }
        let BuildRoot {
            root, mut facts, ..
        } = match first {
            Some(_) => self.build_root(root, ground).await?,
            None => BuildRoot::plain(root),
        };
        let root = &root;
        if first_built.is_some() {
            // Loading the sources may fail.
            session.settle(root).await?;
        }
        let mirrors = &session.settings.mirrors;
        let wanted = match first {
            Some(_) => self.environment.pip_packages(&archives, mirrors)?,
            // Nothing needs pip.
            None => self.environment.wheels(&archives, mirrors)?,
        };
        let wanted = wanted.with_build_options(options);
        let built = self.build_wheels(root, wanted, &archives, local).await?;
        let names = session
            .read_json(&built.reference, PIP_FETCHED_FILE)
            .await?;
        let made = built.made(names, &archives, &self.file.file)?;
        let PipBuilt {
            fetched,
            facts: of_names,
            ..
        } = built.graph;
        facts.extend(fetched.into_iter().chain([of_names]));
        Ok((made, facts))
    }

    /// Builds the wheels of `archives`, which `wanted` has too, and of `local`.
    async fn build_wheels(
        &self,
        root: &Output,
        mut wanted: PipPackages<'_>,
        archives: &[PipPackage],
        mut local: Vec<(Local, Location)>,
    ) -> Result<BuiltWheels, BuildError> {
        let session = &self.session;
        let addresses = session.pip_addresses(wanted.fetched()).await?;
        check_addresses(archives, &addresses, &self.file.file)?;
        let network = self.network().await?;
        // What is unlikely to be the name of a branch is looked up as a commit first: BuildKit would show a step that fails. Whatever
        // prevents that is reported when BuildKit loads the repository.
        let is_likely = |_: &Local, repository: &Repository| repository.is_like_short_commit();
        let likely = self.with_whole_commits(root, local.clone(), &network, is_likely);
        if let Ok(whole) = likely.await {
            local = whole.local;
        }
        loop {
            wanted = wanted.with_local(local.iter().map(|(local, _)| local.clone()).collect());
            let building = Building {
                environment: &self.environment,
                file: &self.file.file,
                root,
                wanted: &wanted,
                archives,
                local: &local,
                network: &network,
            };
            let error = match session.fetch_and_run(&building, addresses.clone()).await {
                Ok((graph, reference)) => {
                    return Ok(BuiltWheels {
                        graph,
                        reference,
                        local,
                    });
                }
                Err(error) => error,
            };
            // What is not the name of a branch or tag may be the beginning of a commit's.
            let failed = without_reference(&error);
            let is_failed = |local: &Local, repository: &Repository| {
                let is_it = failed.contains(&local.output.digest().to_string());
                is_it && repository.may_be_short_commit()
            };
            let before = local.clone();
            let whole = self
                .with_whole_commits(root, local, &network, is_failed)
                .await?;
            local = whole.local;
            let is_same = |((a, _), (b, _)): (&(Local, _), &(Local, _))| a.output == b.output;
            if before.iter().zip(&local).all(is_same) {
                return Err(unloaded(error, &local, whole.lacks_git));
            }
        }
    }

    /// `files` with the wheels of its source archives in their place.
    ///
    /// # Errors
    /// A package that cannot be downloaded or built, at its line.
    pub(super) async fn with_archives_built(
        &self,
        root: &Output,
        mut files: Files,
        options: BuildOptions,
        ground: &WheelGround,
    ) -> Result<Files, BuildError> {
        let (archives, packages) = files.packages.into_iter().partition(PipPackage::is_archive);
        let unbuilt = Unbuilt {
            archives,
            options,
            ..Unbuilt::default()
        };
        let (made, facts) = self.pip_build(root, unbuilt, ground).await?;
        files.packages = packages;
        files.wheels.extend(made);
        files.facts.extend(facts);
        Ok(files)
    }
}

/// Wheels that have been built.
struct BuiltWheels {
    graph: PipBuilt,
    /// What the last step found.
    reference: Reference,
    /// The packages of the user's folders and of repositories, as they were loaded.
    local: Vec<(Local, Location)>,
}

impl BuiltWheels {
    /// The wheels, whose files have these `names`: first those of `archives`. `file` is the environment's own.
    fn made(
        &self,
        names: Vec<String>,
        archives: &[PipPackage],
        file: &Arc<SourceFile>,
    ) -> Result<Vec<Made>, GatewayError> {
        let wheels = &self.graph.wheels;
        if names.len() != wheels.len() {
            return Err(GatewayError::session(format!(
                "a build step reported {} wheels instead of {}",
                names.len(),
                wheels.len()
            )));
        }
        let archives = archives.iter().map(|package| {
            let place = package.location(file);
            let direct_url = direct_url(package);
            (
                package.label(),
                place,
                Component::pypi(package),
                true,
                direct_url,
            )
        });
        let local = self.local.iter().map(|(local, place)| {
            let component = Component::built(&local.label);
            let is_built = local.kind != LocalKind::Wheel;
            let direct_url = local.direct_url();
            (
                local.label.clone(),
                place.clone(),
                component,
                is_built,
                direct_url,
            )
        });
        let made = archives.chain(local).zip(names).zip(wheels);
        let made = made.map(
            |(((label, place, component, is_built, direct_url), file_name), output)| Made {
                wheel: OwnWheel {
                    label,
                    file_name,
                    output: output.clone(),
                    is_built,
                    direct_url,
                },
                place,
                component,
                resolved: None,
            },
        );
        Ok(made.collect())
    }
}

/// The digests of the vertices that failed because a repository has no branch or tag of that name.
fn without_reference(error: &BuildError) -> Vec<String> {
    match error {
        BuildError::Gateway(error) if error.lacks_reference() => error.vertices(),
        _ => Vec::new(),
    }
}

/// What to do about a repository that cannot be loaded.
const CHECK: &str = "Check the URL and the branch, tag or commit. For a private repository, pass --secret id=GIT_AUTH_TOKEN,env=… or --ssh default.";

/// What to do if a step would have to look for a commit, and cannot.
const NO_GIT: &str = "If this is the beginning of a commit's name: the step that looks it up has no git. Write all 40 characters of the commit, or add git to `build` in the image section, or to `apt`.";

/// What to say of a repository among `local` that cannot be loaded; other errors stay as they are. `lacks_git` says that no
/// commit could be looked for.
fn unloaded(error: BuildError, local: &[(Local, Location)], lacks_git: bool) -> BuildError {
    let BuildError::Gateway(error) = error else {
        return error;
    };
    let failed = error.vertices();
    let found = local.iter().find_map(|(local, place)| {
        let is_it = failed.contains(&local.output.digest().to_string());
        Some((local.repository.as_ref().filter(|_| is_it)?, place))
    });
    let Some((repository, place)) = found else {
        return error.into();
    };
    let url = quoted(&repository.url);
    let reference = repository.reference.as_deref().unwrap_or("HEAD");
    let reference = quoted(reference);
    let may_be_commit = error.lacks_reference() && repository.may_be_short_commit();
    let diagnostic = if may_be_commit && !repository.is_loaded_by_steps() {
        Diagnostic::new(format!(
            "`{reference}` is neither a branch nor a tag of {url}, and over ssh, a commit cannot be looked up by the beginning of its name"
        ))
        .help("Write all 40 characters of the commit, or use the https URL.")
    } else {
        let why = masked(error.message());
        let why = why.lines().rfind(|line| !line.trim().is_empty());
        let why = why.unwrap_or_default().trim().to_owned();
        Diagnostic::new(format!("`{reference}` of {url} cannot be loaded: {why}"))
            .help(if lacks_git { NO_GIT } else { CHECK })
    };
    diagnostic
        .at(&place.file, place.lines)
        .caused_by(error)
        .into()
}

/// The job that builds wheels.
struct Building<'a> {
    environment: &'a Environment<'a>,
    file: &'a Arc<SourceFile>,
    root: &'a Output,
    wanted: &'a PipPackages<'a>,
    archives: &'a [PipPackage],
    local: &'a [(Local, Location)],
    network: &'a PipNetwork,
}

impl Job for Building<'_> {
    type Graph = PipBuilt;

    fn graph(&self, addresses: &Addresses) -> Result<PipBuilt, ArgsError> {
        self.environment
            .pip_build(self.root, self.wanted, addresses, self.network)
    }

    /// All files first: see [`PipFetchedSpec`](condafront_step_spec::pip::PipFetchedSpec).
    fn outputs<'g>(&self, graph: &'g PipBuilt) -> Vec<&'g Output> {
        graph.fetched.iter().chain([&graph.facts]).collect()
    }

    fn failing<'g>(&self, graph: &'g PipBuilt, failed: &[String]) -> Option<&'g Step> {
        graph.failing(failed)
    }

    fn location(&self, step: &Step, culprit: &Culprit) -> Option<Location> {
        let Culprit::Package(index) = culprit else {
            return None;
        };
        let archives = self.archives.iter();
        let archives = archives.map(|package| package.location(self.file));
        let local = self.local.iter().map(|(_, place)| place.clone());
        archives.chain(local).nth(step.package(*index)?)
    }

    fn artifacts(&self) -> Vec<Artifact> {
        self.environment.pip_artifacts(self.wanted)
    }

    fn file(&self) -> &Arc<SourceFile> {
        self.file
    }
}
