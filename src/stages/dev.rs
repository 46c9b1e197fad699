//! The target `dev`: the image, with packages of the user's folders installed so that changes of their sources are seen.

use std::sync::Arc;

use buildkit_llb::{Input, Output};

use super::assembly::{Image, Progress};
use super::fetching::Job;
use super::linked::Linked;
use crate::gateway::error::BuildError;
use condafront_graph::downloads::{Addresses, Artifact};
use condafront_graph::environment::Environment;
use condafront_graph::pip::{Editable, Local, PipEditable, PipNetwork};
use condafront_graph::step::Step;
use condafront_model::source::{Location, SourceFile};
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
        for environment in &self.environments {
            let Input::Output(root) = &progress.root else {
                continue;
            };
            let Some(edited) = environment.edit(root, workdir).await? else {
                continue;
            };
            progress.root = edited.root.into();
            progress.history.extend(edited.layers);
            progress.facts.push(edited.facts);
        }
        Ok(())
    }
}

impl Linked<'_> {
    async fn edit(&self, root: &Output, workdir: &str) -> Result<Option<PipEditable>, BuildError> {
        let local = self.file.pip.local.iter();
        let local = local.filter(|(local, _)| local.editable.is_some());
        let local: Vec<&(Local, Location)> = local.collect();
        let Some((first, place)) = local.first() else {
            return Ok(None);
        };
        let session = &self.session;
        let what = format!("pip, which makes {} editable,", first.label);
        session.must_run_at(&what, place)?;
        let network = self.network().await?;
        session.settle(root).await?;
        let editing = Editing {
            environment: &self.environment,
            file: &self.file.file,
            root,
            workdir,
            local,
            options: self.file.pip.asked.list.build_options().indexes,
            network: &network,
        };
        let none = Addresses::new([]);
        let (graph, _) = session.fetch_and_run(&editing, none).await?;
        Ok(Some(graph))
    }
}

/// The job that makes packages editable.
struct Editing<'a> {
    environment: &'a Environment<'a>,
    file: &'a Arc<SourceFile>,
    root: &'a Output,
    workdir: &'a str,
    local: Vec<&'a (Local, Location)>,
    options: Vec<String>,
    network: &'a PipNetwork,
}

impl Job for Editing<'_> {
    type Graph = PipEditable;

    fn graph(&self, _: &Addresses) -> Result<PipEditable, ArgsError> {
        let packages = self.local.iter().map(|(local, _)| {
            let workdir = self.workdir.trim_end_matches('/');
            let path = match local.editable.as_deref() {
                None | Some("") => workdir.to_owned(),
                Some(path) => format!("{workdir}/{path}"),
            };
            Editable {
                label: &local.label,
                sources: &local.output,
                path,
            }
        });
        let packages: Vec<Editable<'_>> = packages.collect();
        self.environment
            .pip_edit(self.root, &packages, self.options.clone(), self.network)
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
