//! What an environment's graph is made from.

use std::collections::BTreeSet;

use buildkit_llb::{Location, Output, SourceFile as LlbFile};

use crate::compiler::Compiler;
use crate::location::{location_in, source_file};
use crate::plan::Plan;
use crate::step::Step;
use crate::tools::Tools;
use condafront_input::Pip;
use condafront_model::environment_prefix::EnvironmentPrefix;
use condafront_model::package::Package;
use condafront_model::source::{Lines, SourceFile};
use condafront_model::stamp::Ownership;
use condafront_step_spec::failure_report::Culprit;
use condafront_step_spec::install::Trim;

/// Everything that an environment's graph is made from.
pub struct Environment<'a> {
    /// What to build.
    pub plan: Plan,
    /// Where it is in the image.
    pub prefix: EnvironmentPrefix,
    /// The user's file, for locations.
    pub file: LlbFile,
    /// What all steps share.
    pub tools: Tools<'a>,
    /// The base image, if it is not scratch.
    pub base: Option<&'a Output>,
    /// The package or folder with micromamba, if it is the installer.
    pub micromamba: Option<&'a Micromamba>,
    /// The python that compiles modules.
    pub compiler: &'a Compiler,
    /// Whom the prefix belongs to.
    pub user: Ownership,
    /// What to leave out of packages.
    pub trim: &'a BTreeSet<Trim>,
}

/// Where micromamba comes from, if it is the installer.
#[derive(Clone, Debug)]
pub enum Micromamba {
    /// A conda package, fetched like any other.
    Package(Box<Package>),
    /// A file system that holds the program, which the user gave as a named context.
    Given {
        /// The file system.
        from: Output,
        /// Whether its definition pins its content.
        pinned: bool,
    },
}

/// The user's file, with the lines around everything that asks for packages.
pub fn user_file(file: &SourceFile, plan: &Plan, pip: &Pip) -> LlbFile {
    let conda = plan.packages.iter().map(|package| package.lines);
    source_file(file, conda.chain(pip.lines()))
}

impl Environment<'_> {
    /// Everything to fetch from channels: the packages, then micromamba if it is a package, then the packages of a
    /// python that is not in the environment.
    pub fn fetched(&self) -> impl Iterator<Item = &Package> {
        let installer = self.micromamba_package();
        let packages = self.plan.packages.iter().chain(installer);
        packages.chain(self.compiler.packages())
    }

    /// The package with micromamba, if it is the installer and comes from one.
    pub(crate) fn micromamba_package(&self) -> Option<&Package> {
        match self.micromamba {
            Some(Micromamba::Package(package)) => Some(package),
            _ => None,
        }
    }

    /// The lines in the user's file of the package that made `step` fail.
    pub fn lines(&self, step: &Step, culprit: &Culprit) -> Option<Lines> {
        let Culprit::Package(index) = culprit else {
            return None;
        };
        let package = self.plan.packages.get(step.package(*index)?)?;
        Some(package.lines)
    }

    /// The location of a package in the user's file.
    pub(crate) fn location(&self, lines: Lines) -> Location {
        location_in(&self.file, [lines])
    }
}
