//! Variables that belong to the image: activation sets them, or the entrypoint reads them. An environment that could set
//! them too would break every container.

/// Chooses the environment to activate.
pub const ENV_NAME: &str = "ENV_NAME";
/// `1` means the plain image.
pub const SKIP: &str = "MAMBA_SKIP_ACTIVATE";
/// Names the image's own user, as in micromamba-docker.
pub(crate) const IMAGE_USER: &str = "MAMBA_USER";
/// The home of the user who runs the container.
pub(crate) const HOME: &str = "HOME";

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
    ENV_NAME,
    SKIP,
    IMAGE_USER,
    "MAMBA_USER_ID",
    "MAMBA_USER_GID",
    HOME,
];

/// Whether environments and their packages cannot set the variable `name`. Names differ by case.
pub(crate) fn is_reserved(name: &str) -> bool {
    RESERVED.contains(&name)
}
