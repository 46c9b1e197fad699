//! Python distributions that no conda package has.

use std::collections::BTreeSet;

use super::budget::Budget;
use super::conda::{Environment, size};
use super::list::{Key, List};
use super::names::names;
use crate::dist_info::listed;
use crate::headers::value;
use crate::install::distribution;
use crate::root::Root;
use crate::untrusted::LONGEST_RECORD;
use condafront_model::pypi_package::normalized;
use condafront_step_spec::diff::{Details, PackageKind};

/// How many pythons of an environment are looked at.
const PYTHONS: usize = 100;
/// How many distributions of an environment are read.
const DISTRIBUTIONS: usize = 20_000;
/// How much of their metadata is read. Names and licences are among the first lines.
const START: u64 = 64 << 10;

/// Adds the distributions of an environment whose metadata is not among `of_conda`.
pub(super) fn add(
    root: &Root,
    environment: &Environment,
    of_conda: &BTreeSet<String>,
    budget: &mut Budget,
    list: &mut List,
) {
    let lib = environment.prefix.join("lib");
    for python in &names(root, &lib, PYTHONS, |name| name.starts_with("python")) {
        let modules = format!("lib/{python}/site-packages");
        let place = environment.prefix.join(&modules);
        let is_metadata = |name: &str| name.ends_with(".dist-info");
        for folder in &names(root, &place, DISTRIBUTIONS, is_metadata) {
            let metadata = format!("{modules}/{folder}/METADATA");
            if !of_conda.contains(&metadata) {
                add_one(root, environment, (&modules, folder), budget, list);
            }
            if budget.is_spent() {
                return;
            }
        }
    }
}

/// Adds the distribution with the metadata `folder`, which is in `modules`.
fn add_one(
    root: &Root,
    environment: &Environment,
    (modules, folder): (&str, &str),
    budget: &mut Budget,
    list: &mut List,
) {
    let file = |name: &str| {
        let path = environment.prefix.join(modules).join(folder).join(name);
        root.resolve(&path).map(|path| root.outside(&path))
    };
    let metadata = file("METADATA")
        .ok()
        .and_then(|path| budget.start(&path, START, list).ok());
    let metadata = String::from_utf8_lossy(metadata.as_deref().unwrap_or_default()).into_owned();
    let Some(found) = distribution(&metadata) else {
        return;
    };
    let record = file("RECORD")
        .ok()
        .and_then(|path| budget.read(&path, LONGEST_RECORD, list).ok());
    let bytes = record.map(|text| {
        let text = String::from_utf8_lossy(&text);
        let paths = text.lines().filter_map(|line| listed(line, modules));
        size(root, &environment.prefix, paths)
    });
    let details = Details {
        version: found.version,
        license: value(&metadata, "License-Expression"),
        bytes,
        ..Details::default()
    };
    let key = Key {
        kind: PackageKind::Pypi,
        environment: Some(environment.name.clone()),
        name: normalized(&found.name),
    };
    list.add(key, details, folder);
}
