//! The python that compiles an environment's modules.
//!
//! Bytecode depends on python's version and not on the machine, so a python for the builder's own platform can compile
//! for all platforms.

use buildkit_llb::Output;

use condafront_model::package::Package;
use condafront_model::platform::Platform;

/// Which python compiles modules.
#[derive(Clone, Debug, Default)]
pub enum Compiler {
    /// The environment's own, a program for the builder's own platform.
    #[default]
    Own,
    /// The environment's own, a program for another platform that the builder's kernel can run.
    Emulated(Platform),
    /// One that is not in the environment: packages for the builder's platform, and a file system with a C library for
    /// them.
    Other {
        /// Python's package, and those that it needs to start.
        packages: Vec<Package>,
        /// Where the C library is.
        base: Output,
    },
    /// None: modules are compiled when they are first used.
    None,
}

impl Compiler {
    /// The packages to fetch for it that are not in the environment.
    pub(crate) fn packages(&self) -> &[Package] {
        match self {
            Self::Other { packages, .. } => packages,
            _ => &[],
        }
    }
}
