//! The step that makes the base image ready: packages of its distribution, and a locale.
//!
//! It runs in the base's own root, with network, and starts the base's package manager itself, so that a base without a
//! shell gets a clear error too. What it leaves behind in the image is what packages bring: no lists of packages, no
//! archives, no logs, and no times of the build.

mod apk;
mod apt;
mod dnf;
mod failure;
mod locale;
mod manager;
mod process;
mod traces;

use std::io::Write;
use std::path::Path;

use crate::install::{Mounts, write_json};
use crate::root::Root;
use condafront_step_spec::account::Libc;
use condafront_step_spec::args::StepSpec as _;
use condafront_step_spec::failure_report::FailureReport;
use condafront_step_spec::system::{Manager, SYSTEM_FACTS_FILE, SystemFacts, SystemSpec};
use manager::Programs;
use process::Tool;
use traces::Traces;

/// Where musl-locales has its files; musl looks for them where this variable says.
const MUSL_LOCPATH: (&str, &str) = ("MUSL_LOCPATH", locale::MUSL_DIR);

/// Runs the subcommand `system`; `args` are what follows it. What programs print goes to `log`.
///
/// # Errors
/// A base without the package manager, packages that it cannot install, or a locale that cannot be had.
pub fn run(args: &[String], mounts: &Mounts, log: &mut dyn Write) -> Result<(), FailureReport> {
    let (spec, packages) = SystemSpec::from_args(args)?;
    let root = Root::new(Path::new("/"));
    let programs = Programs::find(&root)?;
    let traces = Traces::before(&root)?;
    let mut tool = Tool::new(log);
    if let Some(manager) = spec.manager {
        programs.check(manager)?;
        install(&mut tool, &programs, manager, &packages)
            .map_err(|failure| failure.into_report(manager.name()))?;
    }
    let mut facts = SystemFacts::default();
    if let Some(name) = &spec.locale {
        locale::ensure(&mut tool, &root, &programs, name)?;
        if crate::account::libc(&root)? == Libc::Musl {
            let (variable, dir) = MUSL_LOCPATH;
            facts.env.insert(variable.to_owned(), dir.to_owned());
        }
    }
    traces.remove(&root)?;
    write_json(&mounts.facts.join(SYSTEM_FACTS_FILE), &facts)?;
    Ok(())
}

/// Has a package manager that there is install packages.
fn install(
    tool: &mut Tool<'_>,
    programs: &Programs,
    manager: Manager,
    packages: &[String],
) -> Result<(), failure::Failure> {
    let program = programs.of(manager);
    match manager {
        Manager::Apt => apt::install(tool, program, packages),
        Manager::Apk => apk::install(tool, program, packages),
        Manager::Dnf => dnf::install(tool, program, packages),
    }
}
