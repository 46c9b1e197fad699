//! How large an environment is, and which packages it asks for.

/// Packages that a user might ask for; with their dependencies, nearly the whole channel.
const USUAL: &[&str] = &[
    "python",
    "black",
    "flask",
    "jupyterlab",
    "lxml",
    "matplotlib",
    "networkx",
    "pandas",
    "pip",
    "pydantic",
    "pytest",
    "sqlalchemy",
    "tqdm",
    "typer",
];

/// Packages of an environment without python.
const TOOLS: &[&str] = &["libsqlite", "libstdcxx", "openssl", "readline"];

/// The size of an environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Size {
    /// A few tools, without python.
    Few,
    /// JupyterLab, pandas and the like.
    Usual,
    /// The usual one with small packages, 400 in all.
    Large,
    /// The usual one with small packages, 1,000 in all.
    Huge,
    /// A few tools and three packages of 400 MB.
    Giants,
    /// An env.yml with a list for pip.
    Pip,
}

impl Size {
    /// All sizes.
    pub(crate) const ALL: [Self; 6] = [
        Self::Few,
        Self::Usual,
        Self::Pip,
        Self::Large,
        Self::Huge,
        Self::Giants,
    ];

    /// The name on the command line and of the report's files.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Few => "few",
            Self::Usual => "usual",
            Self::Large => "large",
            Self::Huge => "huge",
            Self::Giants => "giants",
            Self::Pip => "pip",
        }
    }

    /// The heading of its report.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Few => "a few tools",
            Self::Usual => "JupyterLab, pandas and the like",
            Self::Large => "400 packages",
            Self::Huge => "1,000 packages",
            Self::Giants => "three packages of 400 MB",
            Self::Pip => "an env.yml with a list for pip",
        }
    }

    /// Whether it has python.
    pub(crate) fn has_python(self) -> bool {
        !matches!(self, Self::Few | Self::Giants)
    }

    pub(super) fn specs(self) -> &'static [&'static str] {
        if self.has_python() { USUAL } else { TOOLS }
    }

    /// Whether its file is an env.yml with a list for pip.
    pub(crate) fn has_list(self) -> bool {
        self == Self::Pip
    }

    /// How many packages it is filled up to.
    pub(super) fn count(self) -> usize {
        match self {
            Self::Few | Self::Usual | Self::Giants | Self::Pip => 0,
            Self::Large => 400,
            Self::Huge => 1000,
        }
    }
}
