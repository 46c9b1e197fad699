//! The install step: packages in, a layer and facts out.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;

use super::bytecode;
use super::compiler::Runtime;
use super::contained;
use super::distributions;
use super::divide::Divided;
use super::entry::relative_path;
use super::env_vars;
use super::error::{Error, ErrorKind, Result};
use super::link::{Claims, LinkPackages, Target};
use super::micromamba::Micromamba;
use super::mounts::Mounts;
use super::native::Native;
use super::normalize;
use super::package::Package;
use super::placed::{self, Looks, Placed, replace};
use super::record::record;
use super::trim::trim;
use crate::parallel::try_map;
use condafront_model::reserved::is_reserved;
use condafront_model::stamp::EPOCH;
use condafront_step_spec::args::StepSpec as _;
use condafront_step_spec::facts::{
    self, FACTS_FILE, GroupFacts, Notice, PATHS_FILE, PackageFacts, PackagePaths, PathFacts,
    Subject,
};
use condafront_step_spec::install::{InstallSpec, Installer, PackageSpec, PythonSpec};

/// Runs the subcommand `install` with the arguments `args`.
///
/// # Errors
/// Anything that prevents linking the packages.
pub fn install(args: &[String], mounts: &Mounts) -> Result<()> {
    let (spec, packages) = InstallSpec::from_args(args)?;
    install_packages(&spec, &packages, mounts)
}

fn install_packages(spec: &InstallSpec, specs: &[PackageSpec], mounts: &Mounts) -> Result<()> {
    check(&spec.prefix, spec.python.as_ref())?;
    let python = spec.python.as_ref();
    let installer: Box<dyn LinkPackages> = match spec.installer {
        Installer::Native => Box::new(Native),
        Installer::Micromamba => Box::new(Micromamba::find(&mounts.micromamba)?),
    };
    let target = Target::in_output(&spec.prefix, &mounts.output)?;

    let mut packages = load(specs, mounts, &target.work, python)?;
    trim(&mut packages, &spec.trim)?;
    let claims = Claims::new(&packages)?;
    installer.link(&packages, &claims, python, &target)?;
    let (placed, notices) = complete(&packages, &claims, python, mounts, &target)?;
    let facts = group_facts(&packages, &placed, notices, &target)?;

    let found: Vec<PackagePaths> = placed.iter().map(|placed| package_paths(placed)).collect();
    fs::remove_dir_all(&target.work).map_err(|e| Error::io("remove", &target.work, e))?;
    normalize_output(spec, &placed, &claims, mounts, &target)?;
    let files = placed.iter().flatten().filter(|placed| placed.is_own);
    let files = files.filter_map(|placed| {
        let path = claims.place(&placed.path).into_owned();
        Some((placed.size?, path.into()))
    });
    let divided = Divided {
        prefix: &spec.prefix,
        owner: spec.ownership(),
        further: spec.further_parts,
        files: files.collect(),
    };
    divided.divide(mounts)?;
    write_json(&mounts.facts.join(FACTS_FILE), &facts)?;
    let paths = mounts.facts.join(PATHS_FILE);
    fs::write(&paths, facts::write_paths(&found)).map_err(|e| Error::io("write", &paths, e))
}

/// The planner is trusted, but `site_packages` comes from a channel.
pub(crate) fn check(prefix: &str, python: Option<&PythonSpec>) -> Result<()> {
    let bad = |why: String| Err(Error::new(ErrorKind::BadArguments, why));
    let inside = prefix.strip_prefix('/').unwrap_or_default();
    if relative_path(inside.as_bytes()).as_deref() != Ok(inside) {
        return bad(format!("`{prefix}` is not a valid prefix"));
    }
    if let Some(python) = python {
        let path = &python.site_packages;
        if relative_path(path.as_bytes()).as_ref() != Ok(path) {
            return bad(format!(
                "`{path}` is not a valid path for python's site-packages"
            ));
        }
    }
    Ok(())
}

/// Verifies and unpacks all packages of a step.
pub(crate) fn load(
    specs: &[PackageSpec],
    mounts: &Mounts,
    work: &Path,
    python: Option<&PythonSpec>,
) -> Result<Vec<Package>> {
    try_map(specs, |index, spec| {
        let mount = mounts.input.join(index.to_string());
        let dir = work.join(format!("package-{index}"));
        Package::load(spec, &mount, dir, python).map_err(|e| e.of_package(index))
    })
}

/// Adds what no installer makes: entry points, bytecode and records.
fn complete(
    packages: &[Package],
    claims: &Claims,
    python: Option<&PythonSpec>,
    mounts: &Mounts,
    target: &Target,
) -> Result<(Vec<Vec<Placed>>, Vec<Notice>)> {
    let mut notices = Vec::new();
    let has_noarch_python = packages.iter().any(Package::is_noarch_python);
    let runtime = python.filter(|_| has_noarch_python).and_then(|python| {
        let (runtime, notice) = Runtime::wanted(python, &mounts.python);
        notices.extend(notice);
        Some((python, runtime?))
    });
    let completed = try_map(packages, |index, package| {
        let mut placed = placed::linked(index, package, claims, target)?;
        placed.extend(placed::entry_points(
            index, package, claims, python, target,
        )?);
        let mut notice = None;
        if let (Some((python, runtime)), true) = (&runtime, package.is_noarch_python()) {
            let (compiled, why) =
                bytecode::compile(index, package, claims, python, runtime, target)?;
            placed.extend(compiled);
            notice = why.map(|why| Notice::new(Subject::Bytecode, why).of_package(index));
        }
        placed.sort_by(|a, b| a.path.cmp(&b.path));
        let text = record(package, &placed);
        let path = format!("conda-meta/{}", package.index.record_name());
        replace(&target.dir.join(&path), text.as_bytes())?;
        placed.push(Placed::made(
            path,
            "linked_package_record",
            0o644,
            package.index.timestamp().unwrap_or(EPOCH),
            text.as_bytes(),
        ));
        Ok((placed, notice))
    })?;
    let mut all = Vec::with_capacity(completed.len());
    for (placed, notice) in completed {
        all.push(placed);
        notices.extend(notice);
    }
    bytecode::settle(&mut all, claims, target)?;
    Ok((all, notices))
}

fn group_facts(
    packages: &[Package],
    placed: &[Vec<Placed>],
    mut notices: Vec<Notice>,
    target: &Target,
) -> Result<GroupFacts> {
    let mut variables = BTreeMap::new();
    let mut all = Vec::with_capacity(packages.len());
    for (position, (package, placed)) in packages.iter().zip(placed).enumerate() {
        let mut notice = |message: String| {
            notices.push(Notice::new(Subject::Contents, message).of_package(position));
        };
        let found = [
            placed::content_notice(package),
            placed::left_out_notice(package),
        ];
        found.into_iter().flatten().for_each(&mut notice);
        if has_script(package, placed, "pre-link") {
            notice(format!(
                "{}: its pre-link script was not run; such scripts are deprecated",
                package.spec.label
            ));
        }
        let own = variables_of(package, placed, target, &mut notice);
        variables.extend(own.map_err(|error| error.of_package(position))?);
        all.push(package_facts(package, placed, target)?);
    }
    Ok(GroupFacts {
        packages: all,
        env_vars: variables,
        notices,
    })
}

/// Whether a package has a script that conda runs before or after linking.
fn has_script(package: &Package, placed: &[Placed], kind: &str) -> bool {
    let path = format!("bin/.{}-{kind}.sh", package.index.name);
    placed.iter().any(|placed| placed.path == path)
}

/// The variables of each file in a package's `etc/conda/env_vars.d`, by the file's name.
fn variables_of(
    package: &Package,
    placed: &[Placed],
    target: &Target,
    notice: &mut dyn FnMut(String),
) -> Result<BTreeMap<String, BTreeMap<String, String>>> {
    let label = &package.spec.label;
    let mut variables = BTreeMap::new();
    for (name, path) in files_in(placed, "etc/conda/env_vars.d/") {
        match env_vars::read(&target.dir.join(path)) {
            Ok(mut vars) => {
                let left_out = vars.extract_if(.., |name, _| is_reserved(name));
                let left_out: Vec<String> = left_out.map(|(name, _)| name).collect();
                if !left_out.is_empty() {
                    notice(format!(
                        "{label}: {} in {path} is left out: it belongs to the image",
                        left_out.join(", ")
                    ));
                }
                variables.insert(name.to_owned(), vars);
            }
            Err(why) if why.is_fatal() => {
                let message =
                    format!("{label}: no program could start with the variables in {path}: {why}");
                return Err(Error::new(ErrorKind::BadMetadata, message).caused_by(why));
            }
            Err(why) => notice(format!(
                "{label}: the variables in {path} are not set: {why}"
            )),
        }
    }
    Ok(variables)
}

/// What later stages need of a package's own metadata.
fn package_facts(package: &Package, placed: &[Placed], target: &Target) -> Result<PackageFacts> {
    let index = &package.index;
    let paths = || placed.iter().map(|placed| placed.path.as_str());
    Ok(PackageFacts {
        name: index.name.clone(),
        version: index.version.clone(),
        build: index.build.clone(),
        build_number: index.build_number,
        subdir: package.spec.subdir.clone(),
        noarch: index.noarch().map(str::to_owned),
        license: index.license.clone(),
        sha256: package.digests.sha256.clone(),
        md5: package.digests.md5.clone(),
        size: package.digests.size,
        post_link: has_script(package, placed, "post-link"),
        activate_d: files_in(placed, "etc/conda/activate.d/")
            .filter(|(name, _)| name.ends_with(".sh"))
            .map(|(_, path)| path.to_owned())
            .collect(),
        glibc: match index.glibc() {
            Some(versions) => Some(versions.to_owned()),
            // Old packages do not declare it.
            None => has_program_of_glibc(&target.dir, placed).then(String::new),
        },
        contains: contained::distributions(&target.dir, placed),
        distributions: distributions::of(paths()),
        metadata: distributions::metadata(paths(), &target.dir)?,
        depends: index.depends().map(str::to_owned).collect(),
        starts_with_python: paths().any(distributions::starts_with_python),
        requires_python: None,
    })
}

/// Whether a program directly in `bin` is started by glibc's loader, for example `/lib64/ld-linux-x86-64.so.2`. The
/// loader's name follows the headers at the start of the file (elf(5)).
fn has_program_of_glibc(prefix: &Path, placed: &[Placed]) -> bool {
    const HEADERS: u64 = 4096;
    let is_one = |path: &str| {
        let mut start = Vec::new();
        let file = File::open(prefix.join(path));
        let read = file.and_then(|file| file.take(HEADERS).read_to_end(&mut start));
        read.is_ok()
            && start.starts_with(b"\x7fELF")
            && start.windows(10).any(|part| part == b"/ld-linux-")
    };
    files_in(placed, "bin/").any(|(_, path)| is_one(path))
}

/// The package's own files directly in `dir`, with their names.
fn files_in<'a>(placed: &'a [Placed], dir: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
    placed
        .iter()
        .filter(|placed| placed.is_own)
        .filter_map(move |placed| {
            let name = placed.path.strip_prefix(dir)?;
            (!name.contains('/')).then_some((name, placed.path.as_str()))
        })
}

fn package_paths(placed: &[Placed]) -> PackagePaths {
    let paths = placed.iter().map(|placed| {
        let found = match &placed.looks {
            None => PathFacts::Directory,
            Some(looks) => PathFacts::File {
                fingerprint: looks.fingerprint(),
                link: looks.link.clone(),
            },
        };
        (placed.path.clone(), found)
    });
    paths.collect()
}

fn normalize_output(
    spec: &InstallSpec,
    placed: &[Vec<Placed>],
    claims: &Claims,
    mounts: &Mounts,
    target: &Target,
) -> Result<()> {
    let own: BTreeMap<Cow<'_, str>, &Looks> = placed
        .iter()
        .flatten()
        .filter(|placed| placed.is_own)
        .filter_map(|placed| Some((claims.place(&placed.path), placed.looks.as_ref()?)))
        .collect();
    normalize::output(&mounts.output, &target.dir, &own, spec.ownership())
}

pub(crate) fn write_json(path: &Path, value: &impl serde::Serialize) -> Result<()> {
    let text = serde_json::to_vec(value).map_err(|e| {
        Error::new(
            ErrorKind::Io,
            format!("cannot write {}: {e}", path.display()),
        )
        .caused_by(e)
    })?;
    fs::write(path, text).map_err(|e| Error::io("write", path, e))
}
