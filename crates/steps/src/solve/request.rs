//! The request as the solver takes it.

use std::sync::Arc;

use rattler_conda_types::{
    Channel, GenericVirtualPackage, MatchSpec, MatchSpecCondition, PackageName,
    ParseMatchSpecOptions, RepodataRevision,
};

use super::dates::Dates;
use super::error::SolveError;
use super::repodata::Repodata;
use super::virtual_packages::virtual_packages;
use crate::install::error::Cause;
use condafront_model::channel::ChannelPriority;
use condafront_step_spec::solve::SolveSpec;

/// A parsed request.
pub(super) struct Request {
    /// The requested MatchSpecs.
    pub(super) specs: Vec<MatchSpec>,
    /// The packages' names, in the same order.
    pub(super) names: Vec<PackageName>,
    /// For each MatchSpec, the index of the user's MatchSpec that it comes from.
    pub(super) for_spec: Vec<usize>,
    /// What the machine provides.
    pub(super) virtual_packages: Vec<GenericVirtualPackage>,
    /// What the order of the channels means.
    pub(super) priority: ChannelPriority,
    /// Which packages are too new; `None` if none is.
    pub(super) dates: Option<Dates>,
}

impl Request {
    /// What asks for packages: the name of each, and the index of the user's MatchSpec.
    pub(super) fn asked(&self) -> impl Iterator<Item = (&PackageName, usize)> {
        let all = self.names.iter().zip(&self.specs).zip(&self.for_spec);
        all.filter(|((_, spec), _)| !only_limits(spec))
            .map(|((name, _), index)| (name, *index))
    }

    /// Parses the MatchSpecs; channels in them must be channels of the request.
    pub(super) fn read(solve: &SolveSpec, repodata: &[Repodata]) -> Result<Self, SolveError> {
        let read: Vec<(PackageName, MatchSpec)> = solve
            .specs
            .iter()
            .enumerate()
            .map(|(index, text)| {
                let wrong = |why: Cause| SolveError::Spec {
                    spec: index,
                    text: solve.shown(index),
                    why,
                };
                let mut spec = MatchSpec::from_str(
                    text,
                    ParseMatchSpecOptions::strict().with_repodata_revision(RepodataRevision::V3),
                )
                .map_err(|error| wrong(error.into()))?;
                let Some(name) = spec.name.as_exact().cloned() else {
                    return Err(wrong("it does not name a package".into()));
                };
                if let Some(channel) = &spec.channel {
                    let found = named_channel(solve, channel).ok_or_else(|| {
                        wrong(format!("{} is not one of the channels", channel.name()).into())
                    })?;
                    let indexed = repodata.iter().find(|data| data.channel == found);
                    spec.channel = indexed.map(|data| Arc::new(data.rattler_channel().clone()));
                }
                Ok((name, spec))
            })
            .collect::<Result<_, _>>()?;
        let dates = Dates::of(solve, repodata)?;
        let mut for_spec: Vec<usize> = (0..read.len()).collect();
        let (mut names, mut specs): (Vec<PackageName>, Vec<MatchSpec>) = read.into_iter().unzip();
        let asks = |(name, spec): (&PackageName, &MatchSpec)| {
            name.as_normalized() == "python" && !only_limits(spec)
        };
        if !solve.without_pip
            && let Some(python) = names.iter().zip(&specs).position(asks)
            && let Some(pip) = pip(&names, repodata, dates.as_ref())
        {
            specs.push(MatchSpec::from(pip.clone()));
            names.push(pip);
            for_spec.push(python);
        }
        Ok(Self {
            for_spec,
            specs,
            names,
            virtual_packages: virtual_packages(&solve.system)?,
            priority: solve.priority,
            dates,
        })
    }
}

/// The names of the packages that a request starts from, before the MatchSpecs are read: what must be downloaded or looked for
/// is found at once. Others may turn up later.
pub(super) fn likely_names(solve: &SolveSpec) -> Vec<PackageName> {
    let names = solve.specs.iter().map(|spec| {
        let of_channel = spec.split_once("::").map(|(_, rest)| rest);
        PackageName::from_matchspec_str_unchecked(of_channel.unwrap_or(spec))
    });
    let mut names: Vec<PackageName> = names.collect();
    let has_python = names.iter().any(|name| name.as_normalized() == "python");
    if has_python && !solve.without_pip {
        names.push(PackageName::new_unchecked("pip"));
    }
    names
}

/// Whether a MatchSpec limits a package that something else may ask for: `zlib >=1[when='zlib']`.
fn only_limits(spec: &MatchSpec) -> bool {
    match &spec.condition {
        Some(MatchSpecCondition::MatchSpec(condition)) => {
            condition.name == spec.name && condition.version.is_none()
        }
        _ => false,
    }
}

/// pip, which conda and mamba add when python is requested (`add_pip_as_python_dependency`), unless it is requested itself or
/// no channel has it.
fn pip(names: &[PackageName], repodata: &[Repodata], dates: Option<&Dates>) -> Option<PackageName> {
    let pip = PackageName::new_unchecked("pip");
    let has_it = |data: &Repodata| {
        let records = data.records(&pip).unwrap_or_default();
        records
            .iter()
            .any(|record| dates.is_none_or(|dates| dates.keep(record)))
    };
    let is_there = !names.contains(&pip) && repodata.iter().any(has_it);
    is_there.then_some(pip)
}

/// The channel that a MatchSpec names.
fn named_channel(solve: &SolveSpec, channel: &Channel) -> Option<usize> {
    let url = channel.base_url.url().as_str().trim_end_matches('/');
    solve.channels.iter().position(|known| known.url == url)
}
