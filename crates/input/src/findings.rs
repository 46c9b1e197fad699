//! What the lint finds in an environment whose files are all read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rattler_conda_types::VersionSpec;

use crate::environment_input::{Conda, EnvironmentInput, RequestedSpec, SolveRequest};
use crate::match_spec::{self, name_of};
use crate::pypi::PypiPackages;
use condafront_model::lint::{Rule, Warning};
use condafront_model::package::{Hashes, Package, PackageId};
use condafront_model::pypi_package::normalized;
use condafront_model::redact::quoted;
use condafront_model::source::{Diagnostic, Location, SourceFile};

/// Names of packages that are for GPUs, besides those that end like one.
const FOR_GPUS: [&str; 3] = ["cuda-version", "cudnn", "cupy"];
/// Words in the builds of packages that are for GPUs.
const GPU: [&str; 2] = ["cuda", "gpu"];
/// Packages that choose builds for GPUs even without `__cuda`: asking for them is deliberate.
const CHOOSES_GPUS: [&str; 2] = ["cudatoolkit", "pytorch-cuda"];

/// Warnings about an environment, which is described in `file`; `pip` is what it and the image ask of pip.
pub fn of_environment(
    input: &EnvironmentInput,
    pip: &PypiPackages,
    file: &Arc<SourceFile>,
) -> Vec<Warning> {
    let mut found: Vec<Warning> = weak_hash(input, pip, file).into_iter().collect();
    if let Conda::Unsolved(request) = &input.conda {
        found.extend(any_python(request, file));
    }
    found
}

/// The warning that a solve without `__cuda` has found a package for GPUs.
pub fn without_cuda(found: &[Package], file: &Arc<SourceFile>) -> Option<Warning> {
    let is_chosen = |package: &Package| CHOOSES_GPUS.contains(&package.id.name.as_str());
    if found.iter().any(is_chosen) {
        return None;
    }
    let package = found.iter().find(|package| is_for_gpus(&package.id))?;
    let message = format!(
        "`{}` is for GPUs, but packages are chosen for a machine without one: there is no `__cuda`",
        quoted(&package.id.to_string())
    );
    let diagnostic = Diagnostic::new(message).at(file, package.lines).help(
        "Build with --build-arg CONDA_OVERRIDE_CUDA=12.8 (the version of the driver), or on a base image that has CUDA.",
    );
    Some(Warning {
        rule: Rule::NoCuda,
        diagnostic,
    })
}

fn is_for_gpus(package: &PackageId) -> bool {
    let (name, build) = (&*package.name, &*package.build);
    FOR_GPUS.contains(&name)
        || name.ends_with("-gpu")
        || GPU.iter().any(|word| {
            let mut found = build.match_indices(word);
            found.any(|(at, _)| !build[..at].trim_end_matches(['_', '-']).ends_with("no"))
        })
}

/// One warning for all packages: they come from one tool, which writes all hashes in the same way.
fn weak_hash(
    input: &EnvironmentInput,
    pip: &PypiPackages,
    file: &Arc<SourceFile>,
) -> Option<Warning> {
    let is_weak = |hashes: &Hashes| hashes.sha256.is_none() && hashes.md5.is_some();
    let conda = input.locked().unwrap_or_default().iter();
    let conda = conda
        .filter(|package| is_weak(&package.hashes))
        .map(|package| {
            let location = Location {
                file: Arc::clone(file),
                lines: package.lines,
            };
            (package.id.to_string(), location)
        });
    let pip = pip.locked.iter().filter(|package| is_weak(&package.hashes));
    let mut weak = conda.chain(pip.map(|package| (package.label(), package.location(file))));
    let (first, location) = weak.next()?;
    let what = match weak.count() {
        0 => format!("{first} has"),
        1 => format!("{first} and another package have"),
        more => format!("{first} and {more} other packages have"),
    };
    Some(Warning {
        rule: Rule::WeakHash,
        diagnostic: Diagnostic::new(format!("{what} an MD5 but no SHA-256"))
            .at(&location.file, location.lines)
            .help("Regenerate the lock file with SHA-256 hashes: conda list --explicit --sha256, or docker build --target lock."),
    })
}

fn any_python(request: &SolveRequest, file: &Arc<SourceFile>) -> Option<Warning> {
    let is_python = |spec: &RequestedSpec| {
        match_spec::parsed(&spec.spec).is_some_and(|found| name_of(&found) == "python")
    };
    let is_any = |spec: &RequestedSpec| {
        match_spec::parsed(&spec.spec).is_some_and(|found| {
            found
                .version
                .is_none_or(|version| version == VersionSpec::Any)
                && found.build.is_none()
                && found.url.is_none()
        })
    };
    // Another entry may have the version.
    let mut all = request.specs.iter().filter(|spec| is_python(spec));
    let any = all.clone().find(|spec| !spec.is_implied)?;
    if !all.all(is_any) {
        return None;
    }
    Some(Warning {
        rule: Rule::PythonVersion,
        diagnostic: Diagnostic::new("python has no version: the solve takes the newest that fits")
            .at(file, any.lines)
            .help("Write one: python=3.13."),
    })
}

/// A warning for each PyPI package that a conda package has too. `conda` are the conda packages' names, each with the
/// normalized names of the Python distributions in it.
pub fn duplicates<'a>(
    pip: &PypiPackages,
    file: &Arc<SourceFile>,
    conda: impl IntoIterator<Item = (&'a str, &'a BTreeSet<String>)>,
) -> Vec<Warning> {
    let conda = conda.into_iter();
    let conda: BTreeMap<&str, &str> = conda
        .flat_map(|(name, distributions)| distributions.iter().map(move |it| (it.as_str(), name)))
        .collect();
    let in_list = pip
        .list
        .entries()
        .iter()
        .filter(|entry| !entry.is_constraint);
    let in_list = in_list.filter_map(|entry| {
        // Where a marker does not hold, pip installs nothing.
        let requirement = entry.requirement().filter(|asked| !asked.has_marker)?;
        Some((requirement.name.clone()?, entry.location()))
    });
    let locked = pip.locked.iter();
    let locked = locked.map(|package| (package.name.clone(), package.location(file)));
    in_list
        .chain(locked)
        .filter_map(|(name, location)| {
            let conda = conda.get(normalized(&name).as_str())?;
            let message = format!(
                "`{}` comes from PyPI, and is in the conda package `{}` too",
                quoted(&name),
                quoted(conda)
            );
            Some(Warning {
                rule: Rule::DuplicateDistribution,
                diagnostic: Diagnostic::new(message)
                    .at(&location.file, location.lines)
                    .help("Remove one of the two: pip replaces files of the conda package without conda's knowledge."),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests;
