//! The parts that can be left out of packages, and which paths belong to each.
//!
//! A path that is left out is treated as if the package did not have it: it is not linked, and `conda-meta` does not
//! list it.

use condafront_step_spec::install::Trim;
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

use super::error::{Error, Result};
use super::package::Package;

mod imports;

use imports::Imports;

/// How many bytes a module may have whose imports are looked for. Real ones have up to 5 MiB.
const LARGEST_MODULE: u64 = 16 << 20;

/// Removes the paths that belong to the parts in `trim` from packages.
///
/// # Errors
/// A module that cannot be read.
pub(crate) fn trim(packages: &mut [Package], trim: &BTreeSet<Trim>) -> Result<()> {
    if trim.is_empty() {
        return Ok(());
    }
    for package in packages {
        let used: BTreeSet<String> = if trim.contains(&Trim::Tests) {
            let used = used_tests(package)?;
            used.into_iter().map(str::to_owned).collect()
        } else {
            BTreeSet::new()
        };
        let stays = |path: &str| {
            let is_used = tests_folder(path).is_some_and(|folder| used.contains(folder));
            let mut left_out = trim.iter().filter(|part| belongs(path, **part));
            left_out.all(|part| *part == Trim::Tests && is_used)
        };
        package.paths.retain(|path| stays(&path.target));
    }
    Ok(())
}

/// Whether a path, relative to the prefix, belongs to this part. `docs/image.md` explains the rules.
pub(crate) fn belongs(path: &str, part: Trim) -> bool {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    match part {
        Trim::Bytecode => {
            let is_cache = folder.rsplit('/').next() == Some("__pycache__");
            is_cache && name.ends_with(".pyc")
        }
        Trim::Docs => {
            const FOLDERS: [&str; 5] = [
                "share/doc/",
                "share/gtk-doc/",
                "share/info/",
                "share/man/",
                "man/",
            ];
            FOLDERS.iter().any(|folder| path.starts_with(folder)) && !is_licence(name)
        }
        // Python itself reads the `pyconfig.h` of its own build.
        Trim::Headers => path.starts_with("include/") && name != "pyconfig.h",
        Trim::Sanitizers => is_sanitizer(name),
        Trim::SourceMaps => {
            const ENDS: [&str; 4] = [".js.map", ".mjs.map", ".cjs.map", ".css.map"];
            ENDS.iter().any(|end| name.ends_with(end))
        }
        Trim::StaticLibraries => {
            // Compilers keep the libraries that they need in folders of their own.
            let is_python = folder.starts_with("lib/python")
                && (path.contains("/config-") || path.contains("/site-packages/"));
            let is_library = name.starts_with("lib") && name.ends_with(".a");
            is_library && (["lib", "lib64"].contains(&folder) || is_python)
        }
        Trim::Tests => tests_folder(path).is_some(),
    }
}

/// Whether a file of this name is a licence.
pub(crate) fn is_licence(name: &str) -> bool {
    const BEGINNINGS: [&str; 5] = ["licen", "copying", "copyright", "notice", "unlicen"];
    let name = name.to_ascii_lowercase();
    BEGINNINGS.iter().any(|start| name.starts_with(start))
}

/// `libasan.so.8` of GCC, `libclang_rt.asan-x86_64.so` of Clang.
fn is_sanitizer(name: &str) -> bool {
    const NAMES: [&str; 6] = ["asan", "hwasan", "lsan", "msan", "tsan", "ubsan"];
    if let Some(rest) = name.strip_prefix("libclang_rt.") {
        return NAMES.iter().any(|sanitizer| rest.starts_with(sanitizer));
    }
    let Some(rest) = name.strip_prefix("lib") else {
        return false;
    };
    let (sanitizer, end) = rest.split_once(['.', '_']).unwrap_or((rest, ""));
    NAMES.contains(&sanitizer) && (end.starts_with("so") || ["a", "preinit.o"].contains(&end))
}

/// The tests folder that a path is in, relative to where python looks for modules: `numpy/linalg/tests`. Python's own
/// `test/support` does not count, because other packages use it.
fn tests_folder(path: &str) -> Option<&str> {
    let (module, is_pythons) = module_path(path)?;
    if is_pythons && module.starts_with("test/") {
        let kept = module.starts_with("test/support/") || module == "test/__init__.py";
        return (!kept).then_some("test");
    }
    let folders = module.rsplit_once('/')?.0;
    let mut end = 0;
    for folder in folders.split('/') {
        let is_first = end == 0;
        end += folder.len() + usize::from(!is_first);
        // A top-level module `tests` does not belong to a package.
        let is_tests = folder == "tests" || (is_pythons && folder == "idle_test");
        if is_tests && !is_first {
            return Some(&module[..end]);
        }
    }
    None
}

/// A file's path as python finds it, and whether the file is python's own.
fn module_path(path: &str) -> Option<(&str, bool)> {
    const SITE: &str = "/site-packages/";
    let library = path.strip_prefix("lib/python")?;
    match path.find(SITE) {
        Some(at) => Some((&path[at + SITE.len()..], false)),
        None => Some((library.split_once('/')?.1, true)),
    }
}

/// The tests folders that a package itself needs to run: those that its modules import, and those that these import.
fn used_tests(package: &Package) -> Result<BTreeSet<&str>> {
    let modules = || {
        let paths = package.paths.iter();
        paths.filter_map(|path| Some((path, module_path(&path.target)?.0)))
    };
    let mut imports = Imports::default();
    for command in &package.entry_points {
        imports.add("", &command.module);
    }
    let folders: BTreeSet<&str> = modules()
        .filter_map(|(path, _)| tests_folder(&path.target))
        .collect();
    let mut used = BTreeSet::new();
    let mut read: BTreeSet<&str> = BTreeSet::new();
    loop {
        for (path, module) in modules() {
            let folder = tests_folder(&path.target);
            let is_used = folder.is_none_or(|folder| used.contains(folder));
            if !is_used || !imports::is_source(module) || !read.insert(module) {
                continue;
            }
            let file = package.dir.join(&path.entry.relative_path);
            if let Some(text) = source(&file).map_err(|e| Error::io("read", &file, e))? {
                imports.read(module, &String::from_utf8_lossy(&text));
            }
        }
        let more: Vec<&str> = folders
            .iter()
            .filter(|folder| !used.contains(*folder) && imports.reach(folder))
            .copied()
            .collect();
        if more.is_empty() {
            return Ok(used);
        }
        used.extend(more);
    }
}

/// The text of a module; `None` if it is larger than modules are.
fn source(file: &Path) -> io::Result<Option<Vec<u8>>> {
    let is_module = fs::metadata(file)?.len() <= LARGEST_MODULE;
    is_module.then(|| fs::read(file)).transpose()
}

#[cfg(test)]
mod tests;
