//! Where pip finds packages.

use std::collections::BTreeSet;

use buildkit_llb::{Bind, Output, Secret};

use crate::network::NetworkAccess;
use crate::step::Step;
use condafront_input::options::Options;
use condafront_input::requirements::{PIP_SETTINGS, check_settings};
use condafront_model::source::Diagnostic;
use condafront_step_spec::channel_folder::{CHANNEL_DIR, PYPI_INDEX};
use condafront_step_spec::pip::{CONFIG_SECRET, NETRC_SECRET, WORK_DIR};
use condafront_step_spec::pip_variables;

/// How a step in which pip downloads packages reaches them.
#[derive(Clone, Debug, Default)]
pub struct PipNetwork {
    access: NetworkAccess,
    /// pip's settings, each with the build-arg's value.
    settings: Vec<(&'static str, Option<String>)>,
    /// Build-args that give packages' versions.
    versions: Vec<(String, String)>,
    /// Variables that a list of requirements mentions: each may be a secret.
    variables: BTreeSet<String>,
    /// A folder that has everything, instead of a network.
    folder: Option<Output>,
}

impl PipNetwork {
    /// Reads the user's options: how to reach the network, and pip's settings.
    pub fn from_options(options: &Options) -> Self {
        let given = |name: &&str| options.get(&format!("build-arg:{name}"));
        let settings = PIP_SETTINGS.iter();
        Self {
            access: NetworkAccess::from_options(options),
            settings: settings
                .map(|name| (*name, given(name).map(str::to_owned)))
                .collect(),
            versions: versions(options),
            variables: BTreeSet::new(),
            folder: None,
        }
    }

    /// No network, but a folder made by the target `channel`.
    pub fn within(folder: Output, options: &Options) -> Self {
        Self {
            access: NetworkAccess::none(),
            versions: versions(options),
            folder: Some(folder),
            ..Self::default()
        }
    }

    /// Whether everything comes from a folder.
    pub(super) fn is_folder(&self) -> bool {
        self.folder.is_some()
    }

    /// The same for steps that use these `variables`.
    #[must_use]
    pub fn with_variables(mut self, variables: BTreeSet<String>) -> Self {
        self.variables = variables;
        self
    }

    /// Refuses credentials in pip's settings.
    ///
    /// # Errors
    /// A diagnostic that names the build-arg.
    pub fn check(&self) -> Result<(), Diagnostic> {
        check_settings(|name| {
            let (_, value) = self.settings.iter().find(|(known, _)| *known == name)?;
            value.as_deref()
        })
    }

    /// Gives a step the network, and space for what it downloads.
    pub(super) fn reach(&self, step: &mut Step) {
        step.output(WORK_DIR);
        let exec = step.exec();
        self.access.open(exec);
    }

    /// The same, with pip's settings and the logins that they need.
    pub(super) fn open(&self, step: &mut Step) {
        self.reach(step);
        let exec = step.exec();
        if let Some(folder) = &self.folder {
            let index = format!("file://{CHANNEL_DIR}/{PYPI_INDEX}");
            exec.mount(Bind::read_only(CHANNEL_DIR, folder))
                .env("PIP_INDEX_URL", index);
        }
        for (name, value) in &self.settings {
            match value {
                Some(value) => exec.env(*name, value),
                None => exec.secret_env(*name, *name, true),
            };
        }
        for (name, value) in &self.versions {
            exec.env(name, value);
        }
        for name in &self.variables {
            exec.secret_env(name, name, true);
        }
        exec.mount(Secret::new(CONFIG_SECRET, "PIP_CONFIG_FILE").optional())
            .mount(Secret::new(NETRC_SECRET, "NETRC").optional());
    }
}

/// The build-args that give packages' versions.
fn versions(options: &Options) -> Vec<(String, String)> {
    let args = options.build_args();
    let versions =
        args.filter(|(name, value)| pip_variables::is_version(name) && !value.is_empty());
    versions
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}
