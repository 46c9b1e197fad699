//! The list of build-args, for `--call=outline`, messages and `docs/reference.md`.

/// A build-arg that condafront takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BuildArg {
    /// Its name.
    pub name: &'static str,
    /// What it is for, and its default if it has one.
    pub description: &'static str,
    /// The page in `docs`, and the section there, that says more.
    pub docs: &'static str,
}

/// The build-args that condafront takes.
pub const BUILD_ARGS: &[BuildArg] = &[
    BuildArg {
        name: "BASE_IMAGE",
        description: "the base image; defaults to debian:13-slim",
        docs: "image.md#base",
    },
    BuildArg {
        name: "MAMBA_USER",
        description: "the account's name; defaults to mambauser",
        docs: "image.md#user",
    },
    BuildArg {
        name: "MAMBA_USER_ID",
        description: "the account's numeric ID; defaults to 57439",
        docs: "image.md#user",
    },
    BuildArg {
        name: "MAMBA_USER_GID",
        description: "its group's numeric ID; defaults to the account's",
        docs: "image.md#user",
    },
    BuildArg {
        name: "CONDAFRONT_LAYERS",
        description: "how many layers packages are spread over: auto, or a number from 1 to 80",
        docs: "image.md#layers",
    },
    BuildArg {
        name: "CONDAFRONT_INSTALLER",
        description: "what installs packages: micromamba, or native (condafront itself)",
        docs: "image.md#installer",
    },
    BuildArg {
        name: "CONDAFRONT_TIMEOUT",
        description: "how long to wait for something that makes no progress: 90s, 30m or 2h; defaults to 30m",
        docs: "inputs.md#failures-and-waiting",
    },
    BuildArg {
        name: "CONDAFRONT_TIMELINE",
        description: "1 to show, with docker --debug build, what the build asked the engine for, and when",
        docs: "inputs.md#failures-and-waiting",
    },
    BuildArg {
        name: "CONDAFRONT_VERIFY",
        description: "with --target verify, how much of the image must be the same: everything (the default), or packages",
        docs: "verify.md#images-of-other-tools",
    },
    BuildArg {
        name: "CONDA_MIRRORS",
        description: "mirrors to download packages from: <url>=<url of the mirror>, separated by spaces",
        docs: "inputs.md#mirrors-logins-and-proxies",
    },
    BuildArg {
        name: "CONDA_SPECS",
        description: "the packages of the environment, for a build without a file: python=3.12 numpy 'scipy <2'",
        docs: "inputs.md#bare-specs",
    },
    BuildArg {
        name: "CONDA_CHANNELS",
        description: "channels to use instead of the file's: bioconda,conda-forge",
        docs: "inputs.md#channels",
    },
    BuildArg {
        name: "CONDA_CHANNEL_ALIAS",
        description: "the base URL of channels given by name; defaults to https://conda.anaconda.org",
        docs: "inputs.md#channels",
    },
    BuildArg {
        name: "CONDA_CHANNEL_PRIORITY",
        description: "what the order of channels means in a solve: strict or flexible; defaults to strict",
        docs: "solve.md#how-it-is-chosen",
    },
    BuildArg {
        name: "CONDA_EXCLUDE_NEWER",
        description: "the date after which packages are too new for a solve, or the age that they must have: 2026-11-01, 7d",
        docs: "solve.md#as-of-a-day",
    },
    BuildArg {
        name: "CONDA_OVERRIDE_CUDA",
        description: "the CUDA version that packages can rely on, such as 12.8; defaults to the base image's",
        docs: "solve.md#virtual-packages",
    },
    BuildArg {
        name: "CONDA_OVERRIDE_CUDA_ARCH",
        description: "the lowest compute capability of the GPUs that packages can rely on, such as 8.6",
        docs: "solve.md#virtual-packages",
    },
    BuildArg {
        name: "CONDA_OVERRIDE_GLIBC",
        description: "the glibc version that packages can rely on, such as 2.36; defaults to the base image's",
        docs: "solve.md#virtual-packages",
    },
    BuildArg {
        name: "CONDA_OVERRIDE_ARCHSPEC",
        description: "the processors that packages can rely on, as archspec names them: x86_64_v3",
        docs: "solve.md#virtual-packages",
    },
    BuildArg {
        name: "CONDA_LOCK_CATEGORIES",
        description: "categories of a conda-lock.yml in addition to main, or extras and dependency groups of a pylock.toml: dev,docs",
        docs: "locks.md#conda-lockyml",
    },
    BuildArg {
        name: "CONDAFRONT_SKIP",
        description: "packages of a lock to leave out (their dependencies stay): mylib,mytool",
        docs: "locks.md#leaving-packages-out",
    },
    BuildArg {
        name: "UPGRADE",
        description: "with --target lock, packages of an environment file's own lock that may change: numpy,scipy; * for all",
        docs: "locks.md#a-lock-beside-the-environment-file",
    },
    BuildArg {
        name: "ENVIRONMENT",
        description: "the environment to use of a pixi.lock, or the active one of an image file",
        docs: "locks.md#pixilock",
    },
    BuildArg {
        name: "PIP_INDEX_URL",
        description: "where pip finds packages of an environment file; defaults to https://pypi.org/simple",
        docs: "pip.md#private-indexes",
    },
    BuildArg {
        name: "PIP_EXTRA_INDEX_URL",
        description: "additional package indexes for pip, separated by spaces",
        docs: "pip.md#private-indexes",
    },
    BuildArg {
        name: "PIP_TRUSTED_HOST",
        description: "index hosts that have no valid certificate",
        docs: "pip.md#private-indexes",
    },
    BuildArg {
        name: "MICROMAMBA_VERSION",
        description: "the version of micromamba: 2.8.1 or 2.8.1#sha256:<hash of conda-forge's package>",
        docs: "image.md#installer",
    },
];
