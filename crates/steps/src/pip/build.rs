//! The step that builds a wheel from a source archive or a folder. It has network, because no lock file lists build
//! dependencies.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::build_failure::{self, BUILT};
use super::install::verify;
use super::process;
use crate::child;
use crate::failure::of_pypi;
use crate::install::Mounts;
use crate::install::error::{Error, ErrorKind};
use condafront_step_spec::args::StepSpec as _;
use condafront_step_spec::failure_report::{Culprit, FailureReport};
use condafront_step_spec::pip::{PipBuildSpec, WORK_DIR};
use condafront_step_spec::pip_variables;

/// The folder below [`WORK_DIR`] in which pip puts the wheel.
const WHEELS: &str = "wheels";

/// Runs the subcommand `pip-build` with `args`. pip's output goes to `log`.
///
/// # Errors
/// A package that cannot be built, with pip's reason.
pub(crate) fn build(
    args: &[String],
    mounts: &Mounts,
    log: &mut dyn Write,
) -> Result<(), FailureReport> {
    let (spec, files) = PipBuildSpec::from_args(args)?;
    let mut archives = of_pypi(verify(&files, mounts))?;
    let label = files.first().map_or("", |file| &file.label);
    if let (Some(subdir), Some(sources)) = (&spec.subdir, archives.first_mut()) {
        *sources = sources.join(subdir);
    }
    let wheels = Path::new(WORK_DIR).join(WHEELS);
    let mut command = process::pip(Path::new(&spec.prefix), spec.pip.as_deref(), "wheel");
    command
        .args(["--no-deps", "--wheel-dir"])
        .arg(&wheels)
        .args(&archives)
        .args(
            spec.options
                .iter()
                .map(|word| pip_variables::with_values(word, |name| std::env::var(name).ok())),
        );
    // The earliest time that a zip file can have, so that the result does not depend on the time of the build.
    command.env("SOURCE_DATE_EPOCH", "315532800");
    let words = spec.options.iter();
    let variables: BTreeSet<&str> = words
        .flat_map(|word| pip_variables::variables(word))
        .collect();
    process::with_network(&mut command, &variables)?;
    if let Some(tag) = &spec.tag {
        let variables = tag.variables();
        let is_given = |name: &String| std::env::var_os(name).is_some();
        if !variables.iter().any(is_given) {
            let version = &tag.version;
            // Only the progress has it; if that cannot be written, the build's own output cannot either.
            let _ = writeln!(log, "{label} has version {version}, as its tag says");
            command.envs(variables.iter().map(|name| (name, version)));
        }
    }
    let command = process::activated(command, Path::new(&spec.prefix));
    process::run(command, log).map_err(|output| {
        let (mut reason, help) = match build_failure::find(&output) {
            Some(found) => (found.reason, found.help),
            None => (process::reason(&output), None),
        };
        // Paths inside the build mean nothing to the user.
        for path in &archives {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let shown = if path.is_dir() { "the project" } else { &name };
            let path = path.display();
            reason = reason.replace(&format!("file://{path}"), shown);
            reason = reason.replace(&path.to_string(), shown);
        }
        let mut report = process::failure(&format!("build {label}"), &reason);
        report.culprits = vec![Culprit::Package(0)];
        if let Some((_, help)) = process::certificate(&output) {
            report.help = Some(help.to_owned());
        }
        if report.help.is_none() {
            report.help = Some(help.unwrap_or_else(|| BUILT.to_owned()));
        }
        report
    })?;
    // What the build has left running must not change the result.
    child::end_others();
    Ok(keep_wheel(&wheels, &mounts.output).map_err(|error| {
        error
            .in_context(format!("cannot build {label}"))
            .of_package(0)
    })?)
}

/// Puts the wheel in the folder `from` into the folder `to`, without anything that the build itself has put there.
fn keep_wheel(from: &Path, to: &Path) -> Result<(), Error> {
    let wheel = only_wheel(from)?;
    for left in entries(to)? {
        let removed = match left.symlink_metadata() {
            Ok(found) if found.is_dir() => fs::remove_dir_all(&left),
            _ => fs::remove_file(&left),
        };
        removed.map_err(|e| Error::io("remove", &left, e))?;
    }
    let kept = to.join(wheel.file_name().unwrap_or_default());
    fs::copy(&wheel, &kept).map_err(|e| Error::io("write", &kept, e))?;
    Ok(())
}

/// The only wheel in the folder `dir`.
fn only_wheel(dir: &Path) -> Result<PathBuf, Error> {
    let mut wheels = entries(dir)?;
    wheels.retain(|path| {
        let is_file = path.symlink_metadata().is_ok_and(|found| found.is_file());
        is_file && path.extension().is_some_and(|suffix| suffix == "whl")
    });
    let count = wheels.len();
    wheels.pop().filter(|_| count == 1).ok_or_else(|| {
        Error::new(
            ErrorKind::BadMetadata,
            format!("its build made {count} wheels instead of one"),
        )
    })
}

/// The paths in the folder `dir`; none if it is missing.
fn entries(dir: &Path) -> Result<Vec<PathBuf>, Error> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(Error::io("list", dir, e)),
    };
    entries
        .map(|entry| Ok(entry.map_err(|e| Error::io("list", dir, e))?.path()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_wheel_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let [from, to] = ["from", "to"].map(|name| dir.path().join(name));
        fs::create_dir_all(to.join("folder/in")).unwrap();
        fs::write(to.join(".condafront-failure.json"), "{}").unwrap();
        std::os::unix::fs::symlink("/dev/zero", to.join("a.whl")).unwrap();
        let error = keep_wheel(&from, &to).unwrap_err();
        assert_eq!(error.to_string(), "its build made 0 wheels instead of one");
        fs::create_dir(&from).unwrap();
        fs::write(from.join("demo-1.0-py3-none-any.whl"), "wheel").unwrap();
        fs::write(from.join("notes.txt"), "notes").unwrap();
        keep_wheel(&from, &to).unwrap();
        let kept = to.join("demo-1.0-py3-none-any.whl");
        assert_eq!(entries(&to).unwrap(), std::slice::from_ref(&kept));
        assert_eq!(fs::read(kept).unwrap(), b"wheel");
        fs::write(from.join("other-1.0-py3-none-any.whl"), "wheel").unwrap();
        let error = keep_wheel(&from, &to).unwrap_err();
        assert_eq!(error.to_string(), "its build made 2 wheels instead of one");
    }
}
