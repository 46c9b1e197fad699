//! The step that prepares the base image: installs packages of its distribution and a locale.
//!
//! It runs in the base image's own root, with network access, and starts the package manager itself, so that a base
//! image without a shell also gets a clear error. Only what packages install stays in the image: no package lists,
//! archives, logs or build timestamps.

mod added;
mod apk;
mod apt;
mod dnf;
mod failure;
pub(crate) mod fuzzing;
mod locale;
mod manager;
mod process;
mod traces;

use std::io::Write;
use std::path::Path;

use crate::authorities::Trust;
use crate::install::{Mounts, write_json};
use crate::root::Root;
use added::Packages;
use condafront_step_spec::account::Libc;
use condafront_step_spec::args::StepSpec as _;
use condafront_step_spec::failure_report::{Culprit, FailureReport};
use condafront_step_spec::system::{Manager, SYSTEM_FACTS_FILE, SystemFacts, SystemSpec};
use manager::Programs;
use process::Tool;
use traces::Traces;

/// Where musl-locales keeps its files; musl looks in the directory that this variable names.
const MUSL_LOCPATH: (&str, &str) = ("MUSL_LOCPATH", locale::MUSL_DIR);

/// Runs the subcommand `system`; `args` are the arguments after it. The output of programs goes to `log`.
///
/// # Errors
/// The base image lacks the package manager, or the packages or the locale cannot be installed.
pub(crate) fn run(
    args: &[String],
    mounts: &Mounts,
    log: &mut dyn Write,
) -> Result<(), FailureReport> {
    let (spec, packages) = SystemSpec::from_args(args)?;
    let root = Root::new(Path::new("/"));
    let programs = Programs::find(&root)?;
    let traces = Traces::before(&root)?;
    let key = spec.manager.map_or("locale", Manager::name);
    let authorities = Trust::of_build().and_then(|trust| trust.file());
    let authorities = authorities.map_err(|report| FailureReport {
        culprits: vec![Culprit::Key(key.to_owned())],
        ..report
    })?;
    let mut tool = Tool::new(log, authorities);
    let before = Packages::of(&root, &mut tool)?;
    if let Some(manager) = spec.manager {
        programs.check(manager)?;
        programs
            .install(&mut tool, manager, &packages)
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
    facts.packages = Packages::of(&root, &mut tool)?.added_to(&before);
    facts.release = added::release(&root)?;
    traces.remove(&root)?;
    write_json(&mounts.facts.join(SYSTEM_FACTS_FILE), &facts)?;
    Ok(())
}
