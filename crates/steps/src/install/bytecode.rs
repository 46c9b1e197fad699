//! Bytecode of `noarch: python` packages, compiled by the mounted python runtime.
//!
//! The `.pyc` files are of the `unchecked-hash` kind (PEP 552): python uses them as they are, without
//! checking the source's time. Each package has its own process, so its bytes do not depend on the
//! rest of the group: what `marshal` writes depends on which objects a process already shares.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::error::{Error, ErrorKind, Result};
use super::link::{Claims, Target};
use super::package::Package;
use super::placed::Placed;
use condafront_model::stamp::EPOCH;
use condafront_step_spec::install::PythonSpec;

/// Reads the paths of sources from standard input, one per line and relative to the prefix. Writes
/// bytecode to another directory and its relative paths to standard output. Skips a source that does
/// not compile, as conda does: packages contain files for other python versions.
const SCRIPT: &str = "\
import importlib.util, os, py_compile, sys
prefix, final, out = sys.argv[1:4]
unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
for line in sys.stdin.buffer.read().split(b'\\n'):
    path = os.fsdecode(line)
    if not path:
        continue
    cache = importlib.util.cache_from_source(path)
    try:
        py_compile.compile(os.path.join(prefix, path), cfile=os.path.join(out, cache),
                           dfile=os.path.join(final, path), doraise=True,
                           invalidation_mode=unchecked)
    except Exception:
        continue
    sys.stdout.buffer.write(os.fsencode(cache) + b'\\n')
";

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
    pub(crate) fn find(dir: &Path, version: &str) -> std::result::Result<Self, String> {
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

    /// Compiles `sources` (relative to `target.dir`) into `out`. Returns the bytecode's paths
    /// relative to `out`, or why python failed.
    fn compile(
        &self,
        sources: &[&str],
        target: &Target,
        out: &Path,
    ) -> std::result::Result<Vec<String>, String> {
        let mut child = self
            .command()
            .arg(&target.dir)
            .arg(&target.prefix)
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

/// Compiles the modules in the prefix that belong to the package.
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
    let sources: Vec<&str> = package
        .paths
        .iter()
        .map(|path| path.target.as_str())
        .filter(|path| path.starts_with(&site_packages) && path.ends_with(".py"))
        .filter(|path| claims.is_owner(index, path))
        .collect();
    if sources.is_empty() {
        return Ok((Vec::new(), None));
    }
    let out = target.work.join(format!("bytecode-{index}"));
    let compiled = match runtime.compile(&sources, target, &out) {
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
    let mut placed = Vec::with_capacity(compiled.len());
    for path in compiled {
        // A package may ship its own bytecode.
        if claims.contains(&path) {
            continue;
        }
        let (from, to) = (out.join(&path), target.dir.join(&*claims.place(&path)));
        let content = fs::read(&from).map_err(|e| Error::io("read", &from, e))?;
        if let Some(parent) = to.parent() {
            fs::create_dir_all(parent).map_err(|e| {
                Error::new(
                    ErrorKind::Link,
                    format!(
                        "{}: cannot create {}: {e}",
                        package.spec.label,
                        parent.display()
                    ),
                )
                .caused_by(e)
            })?;
        }
        fs::rename(&from, &to).map_err(|e| Error::io("write", &to, e))?;
        placed.push(Placed::made(path, "pyc_file", 0o644, mtime, &content));
    }
    Ok((placed, None))
}
