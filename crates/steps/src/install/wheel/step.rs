//! The step that links wheels: wheels in, a layer and facts out.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use super::super::bytecode::{is_stale, source_of};
use super::super::compiler::Runtime;
use super::super::divide::Divided;
use super::super::error::{Error, Result};
use super::super::link::Target;
use super::super::mounts::Mounts;
use super::super::normalize;
use super::super::placed::{Looks, replace};
use super::super::places::{Claim, Kind, Places};
use super::super::step::{check, write_json};
use super::tree::{self, WheelTree};
use crate::parallel::try_map;
use condafront_model::pypi_package::normalized;
use condafront_step_spec::args::StepSpec as _;
use condafront_step_spec::facts::{
    FACTS_FILE, GroupFacts, Notice, PATHS_FILE, PackageFacts, PackagePaths, PathFacts, Subject,
    write_paths,
};
use condafront_step_spec::wheel::{WheelSpec, WheelsSpec};

/// Runs the subcommand `wheels` with the arguments `args`.
///
/// # Errors
/// Anything that prevents linking the wheels.
pub fn install_wheels(args: &[String], mounts: &Mounts) -> Result<()> {
    let (spec, wheels) = WheelsSpec::from_args(args)?;
    check(&spec.prefix, Some(&spec.python))?;
    let target = Target::in_output(&spec.prefix, &mounts.output)?;
    let (runtime, notice) = Runtime::wanted(&spec.python, &mounts.python);
    let trees = try_map(&wheels, |index, wheel| {
        let archive = mounts.input.join(index.to_string()).join(&wheel.file);
        let work = target.work.join(index.to_string());
        tree::make(&spec, wheel, &archive, &work, runtime.as_ref())
            .map_err(|e| e.in_context(&wheel.label).of_package(index))
    })?;
    let owners = join(&trees, &wheels, &target)?;
    fs::remove_dir_all(&target.work).map_err(|e| Error::io("remove", &target.work, e))?;
    let own: BTreeMap<Cow<'_, str>, &Looks> = owners
        .iter()
        .filter_map(|(path, owner)| Some((Cow::Borrowed(*path), trees[*owner].files.get(*path)?)))
        .collect();
    normalize::output(&mounts.output, &target.dir, &own, spec.ownership())?;
    let divided = Divided {
        prefix: &spec.prefix,
        owner: spec.ownership(),
        further: spec.further_parts,
        files: of_wheels(&owners, &target)?,
    };
    divided.divide(mounts)?;
    write_json(
        &mounts.facts.join(FACTS_FILE),
        &facts(&trees, &wheels, notice),
    )?;
    let paths: Vec<PackagePaths> = trees.iter().map(paths).collect();
    let file = mounts.facts.join(PATHS_FILE);
    fs::write(&file, write_paths(&paths)).map_err(|e| Error::io("write", &file, e))
}

/// The files that come from wheels as they are, with their sizes. Programs have the prefix in them, and modules are compiled
/// here.
fn of_wheels(owners: &BTreeMap<&str, usize>, target: &Target) -> Result<Vec<(u64, PathBuf)>> {
    let files = owners
        .keys()
        .filter(|path| source_of(path).is_none() && !path.starts_with("bin/"));
    files
        .map(|path| {
            let file = target.dir.join(path);
            let found = fs::symlink_metadata(&file).map_err(|e| Error::io("read", &file, e))?;
            Ok((found.len(), path.into()))
        })
        .collect()
}

/// Puts the files of all trees into the prefix, as if one wheel were installed after the other. Returns whose file is at
/// each path.
fn join<'a>(
    trees: &'a [WheelTree],
    wheels: &[WheelSpec],
    target: &Target,
) -> Result<BTreeMap<&'a str, usize>> {
    let claims: Vec<Claim<'_>> = trees
        .iter()
        .enumerate()
        .flat_map(|(package, tree)| {
            tree.files.keys().map(move |path| Claim {
                package,
                path,
                kind: Kind::File,
            })
        })
        .collect();
    Places::new(&claims)
        .map_err(|conflict| Error::conflict(&conflict, |index| wheels[index].label.clone()))?;
    let owners: BTreeMap<&str, usize> = trees
        .iter()
        .enumerate()
        .flat_map(|(index, tree)| tree.files.keys().map(move |path| (path.as_str(), index)))
        .collect();
    for (path, owner) in &owners {
        let (from, to) = (trees[*owner].dir.join(path), target.dir.join(path));
        let is_stale = source_of(path).is_some_and(|source| {
            let has_source = trees[*owner].files.contains_key(&source);
            is_stale(*owner, has_source, owners.get(source.as_str()).copied())
        });
        if is_stale {
            replace(&to, b"")?;
        } else {
            tree::move_file(&from, &to)?;
        }
    }
    Ok(owners)
}

fn facts(trees: &[WheelTree], wheels: &[WheelSpec], notice: Option<Notice>) -> GroupFacts {
    let packages = trees.iter().map(|tree| PackageFacts {
        name: tree.metadata.name.clone(),
        version: tree.metadata.version.clone(),
        size: tree.size,
        distributions: [normalized(&tree.metadata.name)].into(),
        requires_python: tree.metadata.requires_python.clone(),
        ..PackageFacts::default()
    });
    let of_wheels = trees.iter().zip(wheels).enumerate();
    let of_wheels = of_wheels.filter_map(|(index, (tree, wheel))| {
        let why = tree.notice.as_ref()?;
        let message = format!("{}: {why}", wheel.label);
        Some(Notice::new(Subject::Bytecode, message).of_package(index))
    });
    GroupFacts {
        packages: packages.collect(),
        notices: notice.into_iter().chain(of_wheels).collect(),
        ..GroupFacts::default()
    }
}

fn paths(tree: &WheelTree) -> PackagePaths {
    let paths = tree.files.iter().map(|(path, looks)| {
        let found = PathFacts::File {
            fingerprint: looks.fingerprint(),
            link: None,
        };
        (path.clone(), found)
    });
    paths.collect()
}
