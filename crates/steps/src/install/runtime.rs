//! The python-runtime step: makes a python that runs in any root, to compile bytecode.
//!
//! A conda python needs a C library, and install steps have none. So this step takes glibc from the
//! base image and python from its package and puts them side by side. Python is then started through
//! glibc's own loader.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use rattler_conda_types::package::PathType;

use super::error::{Error, ErrorKind, Result};
use super::link::{Claims, LinkPackages, Target};
use super::mounts::Mounts;
use super::native::Native;
use super::normalize;
use super::package::Package;
use super::placed::{self, Looks};
use super::step::load;
use crate::root::Root;
use condafront_model::platform::Platform;
use condafront_model::stamp::{EPOCH, Owner};
use condafront_step_spec::args::StepSpec as _;
use condafront_step_spec::install::PythonRuntimeSpec;
use condafront_step_spec::mounts::PYTHON_DIR;

/// The parts of glibc that a program can be linked with. Since glibc 2.34 most are in libc.
const LIBRARIES: [&str; 8] = [
    "libc.so.6",
    "libm.so.6",
    "libpthread.so.0",
    "libdl.so.2",
    "librt.so.1",
    "libutil.so.1",
    "libresolv.so.2",
    "libcrypt.so.1",
];

/// Folders of python's library that compiling does not need.
const PRUNED: [&str; 10] = [
    "test",
    "tests",
    "idlelib",
    "ensurepip",
    "tkinter",
    "turtledemo",
    "lib2to3",
    "pydoc_data",
    "distutils",
    "site-packages",
];

/// Runs the subcommand `python-runtime` with the arguments `args`; `base` is the base image.
/// Writes `glibc/` and `prefix/` to the output; both stay empty if the base image has no glibc.
///
/// # Errors
/// An archive that cannot be used, or an I/O error.
pub fn python_runtime(args: &[String], mounts: &Mounts, base: &Path) -> Result<()> {
    let (spec, specs) = PythonRuntimeSpec::from_args(args)?;
    let glibc = mounts.output.join("glibc");
    let target = Target {
        prefix: format!("{PYTHON_DIR}/prefix"),
        dir: mounts.output.join("prefix"),
        work: mounts.output.join(".work"),
    };
    for dir in [&glibc, &target.dir, &target.work] {
        fs::create_dir_all(dir).map_err(|e| Error::io("create", dir, e))?;
    }
    let platform = match &spec.subdir {
        None => Platform::own(),
        Some(subdir) => Platform::from_subdir(subdir),
    };
    let platform = platform.ok_or_else(|| {
        Error::new(
            ErrorKind::BadArguments,
            "python cannot run on this platform".to_owned(),
        )
    })?;
    let owner = normalize::owner_of(&mounts.output)?;
    let mut own = BTreeMap::new();
    if copy_glibc(base, platform, &glibc, owner)? {
        let mut packages = load(&specs, mounts, &target.work, None)?;
        for package in &mut packages {
            prune(package, &spec.version);
        }
        let claims = Claims::new(&packages)?;
        Native.link(&packages, &claims, None, &target)?;
        for (index, package) in packages.iter().enumerate() {
            for placed in placed::linked(index, package, &claims, &target)? {
                if let Some(looks) = placed.looks.filter(|_| placed.is_own) {
                    own.insert(claims.place(&placed.path).into_owned(), looks);
                }
            }
        }
    }
    fs::remove_dir_all(&target.work).map_err(|e| Error::io("remove", &target.work, e))?;
    let own: BTreeMap<Cow<'_, str>, &Looks> = own
        .iter()
        .map(|(path, own)| (Cow::Borrowed(path.as_str()), own))
        .collect();
    normalize::prefix(&target.dir, &own, owner.into())?;
    normalize::directory(&glibc, owner.into())?;
    normalize::directory(&mounts.output, owner.into())
}

/// Keeps only what running python needs: the executable, its library, shared libraries.
fn prune(package: &mut Package, version: &str) {
    package.paths.retain(|path| {
        path.entry.path_type != PathType::Directory && is_needed(&path.target, version)
    });
    package.entry_points.clear();
}

fn is_needed(path: &str, version: &str) -> bool {
    let python = format!("python{version}");
    let parts: Vec<&str> = path.split('/').collect();
    match parts[..] {
        ["bin", name] => name.trim_end_matches('t') == python,
        ["lib", name] => name.contains(".so"),
        ["lib", dir, ref inside @ ..] if dir.trim_end_matches('t') == python => {
            !inside.iter().any(|part| PRUNED.contains(part))
                && !inside.iter().any(|part| part.starts_with("config-"))
        }
        _ => false,
    }
}

/// Copies the loader and the libraries of the base image's glibc. Returns false if it has none.
fn copy_glibc(base: &Path, platform: Platform, to: &Path, owner: Owner) -> Result<bool> {
    let loader = platform.glibc_loader();
    let directories: Vec<String> = ["lib", "usr/lib"]
        .iter()
        .flat_map(|lib| {
            [
                format!("{lib}/{}", platform.triplet()),
                format!("{lib}64"),
                (*lib).to_owned(),
            ]
        })
        .collect();
    let base = Root::new(base);
    let find = |name: &str| -> Option<PathBuf> {
        directories
            .iter()
            .filter_map(|dir| base.find(&format!("{dir}/{name}")))
            .find(|path| path.is_file())
    };
    let (Some(loader_path), Some(_)) = (find(loader), find(LIBRARIES[0])) else {
        return Ok(false);
    };
    copy(&loader_path, &to.join(loader), owner)?;
    for name in LIBRARIES {
        if let Some(path) = find(name) {
            copy(&path, &to.join(name), owner)?;
        }
    }
    Ok(true)
}

fn copy(from: &Path, to: &Path, owner: Owner) -> Result<()> {
    fs::copy(from, to).map_err(|e| Error::io("copy", from, e))?;
    let metadata = fs::symlink_metadata(to).map_err(|e| Error::io("read", to, e))?;
    normalize::set(to, &metadata, Some(0o755), EPOCH, owner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_python_needs_to_run_is_kept() {
        for (path, needed) in [
            ("bin/python3.13", true),
            ("bin/python3.13t", true),
            ("bin/python3.13-config", false),
            ("bin/openssl", false),
            ("lib/libz.so.1", true),
            ("lib/libpython3.13.so.1.0", true),
            ("lib/python3.13/os.py", true),
            ("lib/python3.13/__pycache__/os.cpython-313.pyc", true),
            ("lib/python3.13/lib-dynload/_json.so", true),
            ("lib/python3.13/test/test_os.py", false),
            ("lib/python3.13/ctypes/test/x.py", false),
            (
                "lib/python3.13/config-3.13-x86_64-linux-gnu/Makefile",
                false,
            ),
            ("lib/python3.13/site-packages/README.txt", false),
            ("lib/python3.12/os.py", false),
            ("lib/tcl8.6/init.tcl", false),
            ("share/man/man1/python3.13.1", false),
        ] {
            assert_eq!(is_needed(path, "3.13"), needed, "{path}");
        }
    }
}
