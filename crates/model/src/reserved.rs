//! Variables that belong to the image: its activation sets them, or its entrypoint reads them. An environment that could
//! set them too would break every container.
//!
//! The entrypoint has the same list; a test keeps the two equal.

/// `1` means the plain image.
pub const SKIP: &str = "MAMBA_SKIP_ACTIVATE";
/// The home of the user who runs the container.
pub const HOME: &str = "HOME";

/// The variables that environments and their packages cannot set.
///
/// conda itself leaves out `PATH` (`RESERVED_ENV_VARS` in `conda/base/constants.py`); it fails to activate an environment
/// that sets the others with `CONDA_`, and micromamba overwrites them.
pub const RESERVED: &[&str] = &[
    "PATH",
    "CONDA_PREFIX",
    "CONDA_DEFAULT_ENV",
    "CONDA_SHLVL",
    "CONDA_PROMPT_MODIFIER",
    "MAMBA_ROOT_PREFIX",
    "ENV_NAME",
    SKIP,
    "MAMBA_USER",
    "MAMBA_USER_ID",
    "MAMBA_USER_GID",
    HOME,
];

/// Whether environments and their packages cannot set the variable `name`. Names differ by case.
pub fn is_reserved(name: &str) -> bool {
    RESERVED.contains(&name)
}
