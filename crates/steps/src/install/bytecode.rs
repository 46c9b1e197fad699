//! Bytecode of `noarch: python` packages, compiled by the mounted python runtime.
//!
//! The `.pyc` files are of the `unchecked-hash` kind (PEP 552): python uses them as they are, without
//! checking the source's time. Each package has its own process, so its bytes do not depend on the
//! rest of the group: what `marshal` writes depends on which objects a process already shares. For the
//! same reason all sources of a package are compiled, even those that another package replaces.
//!
//! So a package can have bytecode of a source that another one replaces. Python would run it instead of
//! that source. Such a file is made empty ([`is_stale`]): python then reads the source.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::error::{Error, Result};
use super::link::{Claims, Target};
use super::native;
use super::package::{Package, PackagePath};
use super::placed::{Placed, replace};
use condafront_model::stamp::EPOCH;
use condafront_step_spec::facts::{Notice, Subject};
use condafront_step_spec::install::PythonSpec;

/// Reads the paths of sources from standard input, one per line and relative to the prefix. Writes
/// bytecode to another directory and its relative paths to standard output. Skips a source that does
/// not compile, as conda does: packages contain files for other python versions.
///
/// It does what `py_compile` does, without the modules that `py_compile` imports: python starts once for
/// each package, and importing them takes longer than compiling a small package.
const SCRIPT: &str = "\
import importlib.machinery, importlib.util, marshal, os, sys
prefix, final, out = sys.argv[1:4]
cache_from_source, source_hash = importlib.util.cache_from_source, importlib.util.source_hash
start = importlib.util.MAGIC_NUMBER + (0b01).to_bytes(4, 'little')
for line in sys.stdin.buffer.read().split(b'\\n'):
    path = os.fsdecode(line)
    if not path:
        continue
    source = os.path.join(prefix, path)
    loader = importlib.machinery.SourceFileLoader('<py_compile>', source)
    try:
        content = loader.get_data(source)
        code = loader.source_to_code(content, os.path.join(final, path))
    except Exception:
        continue
    cache = cache_from_source(path)
    file = os.path.join(out, cache)
    os.makedirs(os.path.dirname(file), exist_ok=True)
    with open(file, 'wb') as compiled:
        compiled.write(start + source_hash(content) + marshal.dumps(code))
    sys.stdout.buffer.write(os.fsencode(cache) + b'\\n')
";

/// The record's `path_type` of compiled bytecode.
const COMPILED: &str = "pyc_file";

/// A python that runs wherever it is mounted.
#[derive(Debug)]
pub(crate) struct Runtime {
    loader: PathBuf,
    library_path: String,
    home: PathBuf,
    python: PathBuf,
}

impl Runtime {
    /// Finds the python `version` in the output of `python-runtime` at `dir`.
    ///
    /// # Errors
    /// Why there is none, worded for a notice.
    fn find(dir: &Path, version: &str) -> std::result::Result<Self, String> {
        let glibc = dir.join("glibc");
        let loader = fs::read_dir(&glibc)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .find(|path| {
                path.file_name()
                    .is_some_and(|name| name.to_string_lossy().starts_with("ld-"))
            })
            .ok_or("the base image has no glibc to run python with")?;
        let home = dir.join("prefix");
        let python = [
            format!("bin/python{version}"),
            format!("bin/python{version}t"),
        ]
        .iter()
        .map(|name| home.join(name))
        .find(|path| path.is_file())
        .ok_or_else(|| format!("the python package has no bin/python{version}"))?;
        Ok(Runtime {
            loader,
            library_path: format!("{}:{}", glibc.display(), home.join("lib").display()),
            home,
            python,
        })
    }

    /// The runtime for this `python` in the directory `dir`, if there is to be one; a notice if there is none.
    pub(crate) fn wanted(python: &PythonSpec, dir: &Path) -> (Option<Self>, Option<Notice>) {
        if !python.runtime {
            return (None, None);
        }
        match Self::find(dir, &python.version) {
            Ok(runtime) => (Some(runtime), None),
            Err(why) => {
                let message = format!("python bytecode was not compiled: {why}");
                (None, Some(Notice::new(Subject::Bytecode, message)))
            }
        }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.loader);
        command
            .arg("--library-path")
            .arg(&self.library_path)
            .arg(&self.python)
            .args(["-S", "-s", "-B", "-W", "ignore", "-c", SCRIPT])
            .env_clear()
            .env("PYTHONHOME", &self.home)
            .env("PYTHONHASHSEED", "0")
            .env("LC_ALL", "C.UTF-8");
        command
    }

    /// Compiles `sources` (relative to `dir`, which will be `prefix`) into `out`. Returns the
    /// bytecode's paths relative to `out`, or why python failed.
    pub(crate) fn compile(
        &self,
        sources: &[&str],
        dir: &Path,
        prefix: &str,
        out: &Path,
    ) -> std::result::Result<Vec<String>, String> {
        let mut child = self
            .command()
            .arg(dir)
            .arg(prefix)
            .arg(out)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|e| format!("it cannot be started: {e}"))?;
        // The script reads all its input before it writes, so this cannot deadlock. If it died
        // earlier, its exit status says so below.
        if let Some(mut stdin) = child.stdin.take() {
            let _ = stdin.write_all(sources.join("\n").as_bytes());
        }
        let output = child
            .wait_with_output()
            .map_err(|e| format!("it cannot be waited for: {e}"))?;
        if !output.status.success() {
            let text = String::from_utf8_lossy(&output.stderr);
            let last = text.trim_end().lines().next_back().unwrap_or_default();
            return Err(format!("{}: {last}", output.status));
        }
        let text = String::from_utf8_lossy(&output.stdout);
        let mut paths: Vec<String> = text.lines().map(str::to_owned).collect();
        paths.sort();
        Ok(paths)
    }
}

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
