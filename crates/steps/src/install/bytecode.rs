//! Bytecode of `noarch: python` packages, compiled by the mounted python runtime.
//!
//! The `.pyc` files are of the `unchecked-hash` kind (PEP 552): python uses them as they are, without
//! checking the source's time. A package's bytes do not depend on the rest of the group (`compiler.rs`). For the
//! same reason all sources of a package are compiled, even those that another package replaces.
//!
//! So a package can have bytecode of a source that another one replaces. Python would run it instead of
//! that source. Such a file is made empty ([`is_stale`]): python then reads the source.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::compiler::Runtime;
use super::error::{Error, Result};
use super::link::{Claims, Target};
use super::native;
use super::package::{Package, PackagePath};
use super::placed::{Placed, replace};
use condafront_model::stamp::EPOCH;
use condafront_step_spec::install::PythonSpec;

/// The record's `path_type` of compiled bytecode.
const COMPILED: &str = "pyc_file";

/// The source of the bytecode at `path`; `None` if it is not where python looks for bytecode.
pub(crate) fn source_of(path: &str) -> Option<String> {
    let (cache, name) = path.rsplit_once('/')?;
    let folder = cache.strip_suffix("__pycache__")?;
    let stem = name.strip_suffix(".pyc")?;
    let (stem, tag) = match stem.rsplit_once(".opt-") {
        Some((stem, _)) => stem.rsplit_once('.')?,
        None => stem.rsplit_once('.')?,
    };
    let is_folder = folder.is_empty() || folder.ends_with('/');
    (is_folder && !tag.is_empty()).then(|| format!("{folder}{stem}.py"))
}

/// Whether bytecode does not fit the source beside it: the package has that source, but another one replaces it. `owner` is
/// the package whose source is there.
pub(crate) fn is_stale(package: usize, has_source: bool, owner: Option<usize>) -> bool {
    has_source && owner != Some(package)
}

/// Where [`compile`] leaves the bytecode of the package at `index`.
fn compiled_dir(index: usize, target: &Target) -> PathBuf {
    target.work.join(format!("bytecode-{index}"))
}

/// Compiles the package's modules. The bytecode is not put into the prefix: [`settle`] does that.
///
/// Returns the bytecode's paths. If python failed, there are none, and it returns a notice.
///
/// # Errors
/// An I/O error.
pub(crate) fn compile(
    index: usize,
    package: &Package,
    claims: &Claims,
    python: &PythonSpec,
    runtime: &Runtime,
    target: &Target,
) -> Result<(Vec<Placed>, Option<String>)> {
    let site_packages = format!("{}/", python.site_packages);
    let modules: Vec<&PackagePath> = package
        .paths
        .iter()
        .filter(|path| path.target.starts_with(&site_packages) && path.target.ends_with(".py"))
        .collect();
    if modules.is_empty() {
        return Ok((Vec::new(), None));
    }
    let is_lost = |path: &&PackagePath| !claims.is_owner(index, &path.target);
    let dir = if modules.iter().any(is_lost) {
        Cow::Owned(native::link_aside(index, package, &modules, target)?)
    } else {
        Cow::Borrowed(&target.dir)
    };
    let out = compiled_dir(index, target);
    let sources: Vec<&str> = modules.iter().map(|path| path.target.as_str()).collect();
    let compiled = match runtime.compile(&sources, &dir, &target.prefix, &out) {
        Ok(compiled) => compiled,
        Err(why) => {
            let notice = format!(
                "{}: no bytecode was compiled because python failed ({why})",
                package.spec.label
            );
            return Ok((Vec::new(), Some(notice)));
        }
    };
    let mtime = package.index.timestamp().unwrap_or(EPOCH);
    let shipped: BTreeSet<&str> = package.paths.iter().map(|it| it.target.as_str()).collect();
    let mut placed = Vec::with_capacity(compiled.len());
    for path in compiled {
        // A package may ship its own bytecode.
        if shipped.contains(path.as_str()) {
            continue;
        }
        let file = out.join(&path);
        let content = fs::read(&file).map_err(|e| Error::io("read", &file, e))?;
        placed.push(Placed {
            is_own: false,
            ..Placed::made(path, COMPILED, 0o644, mtime, &content)
        });
    }
    Ok((placed, None))
}

/// Puts bytecode into the prefix: at each path that of the last package that has it, shipped or compiled.
///
/// # Errors
/// An I/O error.
pub(crate) fn settle(placed: &mut [Vec<Placed>], claims: &Claims, target: &Target) -> Result<()> {
    let mut last: BTreeMap<String, usize> = BTreeMap::new();
    for (index, placed) in placed.iter().enumerate() {
        for path in placed.iter().map(|placed| &placed.path) {
            if source_of(path).is_some() {
                last.insert(claims.place(path).into_owned(), index);
            }
        }
    }
    for (index, placed) in placed.iter_mut().enumerate() {
        let sources: BTreeSet<String> = placed
            .iter()
            .filter(|placed| placed.path.ends_with(".py"))
            .map(|placed| placed.path.clone())
            .collect();
        for placed in placed {
            let place = claims.place(&placed.path);
            let Some(source) = source_of(&placed.path) else {
                continue;
            };
            placed.is_own = last.get(&*place) == Some(&index);
            if !placed.is_own {
                continue;
            }
            let to = target.dir.join(&*place);
            let owner = claims.owner(&source);
            if is_stale(index, sources.contains(&source), owner) {
                replace(&to, b"")?;
                continue;
            }
            let compiled = compiled_dir(index, target).join(&placed.path);
            if placed.path_type == COMPILED {
                move_into_prefix(&compiled, &to)?;
            }
        }
    }
    Ok(())
}

fn move_into_prefix(from: &Path, to: &Path) -> Result<()> {
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent).map_err(|e| Error::io("create", parent, e))?;
    }
    fs::rename(from, to).map_err(|e| Error::io("write", to, e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytecode_has_a_source() {
        for (path, source) in [
            ("lib/a/__pycache__/b.cpython-313.pyc", Some("lib/a/b.py")),
            ("__pycache__/b.c.cpython-313.opt-2.pyc", Some("b.c.py")),
            ("lib/a/b.pyc", None),
            ("lib/x__pycache__/b.cpython-313.pyc", None),
            ("lib/__pycache__/b.pyc", None),
            ("lib/__pycache__/b.cpython-313.py", None),
        ] {
            assert_eq!(source_of(path).as_deref(), source, "{path}");
        }
    }
}
