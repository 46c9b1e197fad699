//! The platforms whose rules an image can keep, by the words of `for`.

/// A platform that starts containers by rules of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Contract {
    /// Red Hat OpenShift: any user of the group 0.
    Openshift,
    /// Nextflow: `/bin/bash` and `ps`.
    Nextflow,
    /// Binder: a user that it chooses, Jupyter.
    Binder,
    /// JupyterHub: `jupyterhub-singleuser`.
    Jupyterhub,
    /// Amazon SageMaker Studio: the user 1000:100, its files in one place, a kernel.
    Sagemaker,
    /// Snakemake: environments at the paths of `--containerize`.
    Snakemake,
    /// Dev Containers: the user 1000, a shell.
    Devcontainer,
    /// Job containers of GitHub Actions: `tail`, a shell.
    GithubActions,
    /// Apptainer: any user, nothing to write to.
    Apptainer,
}

/// The words for them.
pub(super) const CONTRACTS: &[(&str, Contract)] = &[
    ("openshift", Contract::Openshift),
    ("nextflow", Contract::Nextflow),
    ("binder", Contract::Binder),
    ("jupyterhub", Contract::Jupyterhub),
    ("sagemaker", Contract::Sagemaker),
    ("snakemake", Contract::Snakemake),
    ("devcontainer", Contract::Devcontainer),
    ("github-actions", Contract::GithubActions),
    ("apptainer", Contract::Apptainer),
];

impl Contract {
    /// The word for it.
    pub fn name(self) -> &'static str {
        let found = CONTRACTS.iter().find(|(_, contract)| *contract == self);
        found.map_or("", |(name, _)| name)
    }
}
