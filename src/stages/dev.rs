//! The target `dev`: the image, with packages of the user's folders installed so that changes of their sources are seen.

use std::sync::Arc;

use buildkit_llb::{Input, Output};

use super::assembly::{Image, Progress};
use super::build_root::BuildRoot;
use super::fetching::Job;
use super::linked::Linked;
use super::wheels::WheelGround;
use crate::gateway::error::BuildError;
use condafront_graph::downloads::{Addresses, Artifact};
use condafront_graph::environment::Environment;
use condafront_graph::pip::{Editable, Local, PipEditable, PipNetwork};
use condafront_graph::step::Step;
use condafront_model::source::{Diagnostic, Location, SourceFile};
use condafront_step_spec::args::ArgsError;
use condafront_step_spec::failure_report::Culprit;

impl Image<'_> {
    /// Makes the packages editable that lists ask for with `-e`. Their sources are in `workdir`, as in the build context.
    ///
    /// # Errors
    /// A package that cannot be installed like that, at its line.
    pub(super) async fn edit(
        &self,
        progress: &mut Progress,
        workdir: &str,
    ) -> Result<(), BuildError> {
        let ground = self.wheel_ground();
        for environment in &self.environments {
            let Input::Output(root) = &progress.root else {
                continue;
            };
            let Some((edited, facts)) = environment.edit(root, workdir, &ground).await? else {
                continue;
            };
            progress.root = edited.root.into();
            progress.history.extend(edited.layers);
            progress.facts.push(edited.facts);
            progress.facts.extend(facts);
        }
        Ok(())
    }
}

impl Linked<'_> {
    /// The image `root` with its editable packages, and further outputs that the frontend reads.
    async fn edit(
        &self,
        root: &Output,
        workdir: &str,
        ground: &WheelGround,
    ) -> Result<Option<(PipEditable, Vec<Output>)>, BuildError> {
        let local = self.file.pip.local.iter();
        let local = local.filter(|(local, _)| local.editable.is_some());
        let local: Vec<&(Local, Location)> = local.collect();
        let Some((first, place)) = local.first() else {
            return Ok(None);
        };
        check_places(workdir, &local)?;
        let session = &self.session;
        let what = format!("pip, which makes {} editable,", first.label);
        session.must_run_at(&what, place)?;
        let network = self.network().await?;
        let packages = local.iter().map(|(local, _)| Editable {
            label: &local.label,
            sources: &local.output,
            path: path_in(workdir, local),
            build_options: &local.build_options,
        });
        let packages: Vec<Editable<'_>> = packages.collect();
        let root = self.environment.with_sources(root, &packages);
        let BuildRoot {
            root: build_root,
            facts,
            ..
        } = self.build_root_on(&root, ground).await?;
        session.settle(&build_root).await?;
        let editing = Editing {
            environment: &self.environment,
            file: &self.file.file,
            build_root: Some(&build_root).filter(|it| it.digest() != root.digest()),
            root: &root,
            packages,
            local,
            options: self.file.pip.asked.list.build_options().indexes,
            network: &network,
        };
        let none = Addresses::new([]);
        let (graph, _) = session.fetch_and_run(&editing, none).await?;
        Ok(Some((graph, facts)))
    }
}

/// Where the sources of a package are; empty if that would be all of the image.
fn path_in(workdir: &str, local: &Local) -> String {
    let workdir = workdir.trim_end_matches('/');
    match local.editable.as_deref() {
        None | Some("") => workdir.to_owned(),
        Some(path) => format!("{workdir}/{path}"),
    }
}

/// Refuses a package whose sources would be all of the image.
///
/// # Errors
/// A diagnostic at its line.
fn check_places(workdir: &str, local: &[&(Local, Location)]) -> Result<(), Diagnostic> {
    let mut local = local.iter();
    match local.find(|(local, _)| path_in(workdir, local).is_empty()) {
        Some((local, place)) => Err(Diagnostic::new(format!(
            "{} cannot be editable: its sources would be in the image's root",
            local.label
        ))
        .at(&place.file, place.lines)
        .help("Set `workdir` in the image section: its sources are there in the target dev.")),
        None => Ok(()),
    }
}

/// The job that makes packages editable.
struct Editing<'a> {
    environment: &'a Environment<'a>,
    file: &'a Arc<SourceFile>,
    root: &'a Output,
    /// The image with the packages that only builds see, if there are any.
    build_root: Option<&'a Output>,
    packages: Vec<Editable<'a>>,
    local: Vec<&'a (Local, Location)>,
    options: Vec<String>,
    network: &'a PipNetwork,
}

impl Job for Editing<'_> {
    type Graph = PipEditable;

    fn graph(&self, _: &Addresses) -> Result<PipEditable, ArgsError> {
        let options = self.options.clone();
        self.environment.pip_edit(
            self.root,
            self.build_root,
            &self.packages,
            options,
            self.network,
        )
    }

    fn outputs<'g>(&self, graph: &'g PipEditable) -> Vec<&'g Output> {
        vec![&graph.facts]
    }

    fn failing<'g>(&self, graph: &'g PipEditable, failed: &[String]) -> Option<&'g Step> {
        graph.failing(failed)
    }

    fn location(&self, step: &Step, culprit: &Culprit) -> Option<Location> {
        let Culprit::Package(index) = culprit else {
            return None;
        };
        let (_, place) = self.local.get(step.package(*index)?)?;
        Some(place.clone())
    }

    fn artifacts(&self) -> Vec<Artifact> {
        Vec::new()
    }

    fn file(&self) -> &Arc<SourceFile> {
        self.file
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use buildkit_llb::Image;
    use condafront_graph::pip::LocalKind;
    use condafront_model::package::Hashes;
    use condafront_model::source::{Level, Lines};

    #[test]
    fn sources_are_in_the_working_directory() {
        let file = SourceFile::new("env.yml", "pip:\n  - -e .\n");
        let package = |path: &str| {
            let local = Local {
                label: "app".to_owned(),
                kind: LocalKind::Folder,
                output: Image::new("docker.io/library/a:1").build(),
                build_options: Vec::new(),
                hashes: Hashes::default(),
                editable: Some(path.to_owned()),
                repository: None,
            };
            let place = Location {
                file: Arc::clone(&file),
                lines: Lines::one(2),
            };
            (local, place)
        };
        for (workdir, path, expected) in [
            ("/work", "", "/work"),
            ("/work/", "app", "/work/app"),
            ("/", "app", "/app"),
        ] {
            let package = package(path);
            assert_eq!(path_in(workdir, &package.0), expected);
            check_places(workdir, &[&package]).unwrap();
        }
        let root = package("");
        let error = check_places("/", &[&root]).unwrap_err();
        insta::assert_snapshot!(error.render(Level::Error));
    }
}
