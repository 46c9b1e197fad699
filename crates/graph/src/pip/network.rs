//! The network, for the steps that need it.

use std::collections::BTreeSet;

use buildkit_llb::{Bind, NetMode, Output, Proxy, Secret};
use url::Url;

use crate::step::Step;
use condafront_input::options::Options;
use condafront_step_spec::channel_folder::{CHANNEL_DIR, PYPI_INDEX};
use condafront_step_spec::pip::{CONFIG_SECRET, NETRC_SECRET, WORK_DIR};

/// pip's index settings, given as build-args or as secrets with these names.
const PIP_SETTINGS: [&str; 3] = ["PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_TRUSTED_HOST"];

/// How a step that needs the network reaches it.
#[derive(Clone, Debug, Default)]
pub struct Network {
    /// `docker build --network`.
    pub mode: NetMode,
    /// The proxies from the usual build-args, which are not part of any cache key.
    pub proxy: Option<Proxy>,
    /// pip's settings, each with the build-arg's value.
    pip: Vec<(&'static str, Option<String>)>,
    /// Variables that a list of requirements mentions: each may be a secret.
    variables: BTreeSet<String>,
    /// A folder that has everything, instead of a network.
    folder: Option<Output>,
}

impl Network {
    /// Reads the user's options: `--network`, and the proxies from the usual build-args.
    pub fn from_options(options: &Options) -> Self {
        let mode = match options.get("force-network-mode") {
            Some("host") => NetMode::Host,
            Some("none") => NetMode::None,
            _ => NetMode::Sandbox,
        };
        let mut proxy = Proxy::default();
        for (name, value) in options.build_args() {
            if let Some(place) = proxy_place(&mut proxy, name) {
                value.clone_into(place);
            }
        }
        let given = |name: &&str| options.get(&format!("build-arg:{name}"));
        let settings = PIP_SETTINGS.iter();
        Self {
            mode,
            proxy: (proxy != Proxy::default()).then_some(proxy),
            pip: settings
                .map(|name| (*name, given(name).map(str::to_owned)))
                .collect(),
            variables: BTreeSet::new(),
            folder: None,
        }
    }

    /// No network, but a folder made by the target `channel`.
    pub fn within(folder: Output) -> Self {
        Self {
            mode: NetMode::None,
            folder: Some(folder),
            ..Self::default()
        }
    }

    /// Whether everything comes from a folder.
    pub fn is_folder(&self) -> bool {
        self.folder.is_some()
    }

    /// Whether a build-arg of this name is a proxy.
    pub fn is_proxy(name: &str) -> bool {
        proxy_place(&mut Proxy::default(), name).is_some()
    }

    /// The same for steps that use these `variables`.
    #[must_use]
    pub fn with_variables(mut self, variables: BTreeSet<String>) -> Self {
        self.variables = variables;
        self
    }

    /// The indexes that the build-args name.
    pub fn indexes(&self) -> Vec<Url> {
        let values = self.pip.iter().filter_map(|(_, value)| value.as_deref());
        let words = values.flat_map(str::split_whitespace);
        words.filter_map(|word| Url::parse(word).ok()).collect()
    }

    /// Gives a step the network, and space for what it downloads.
    pub(super) fn open(&self, step: &mut Step) {
        step.output(WORK_DIR);
        let exec = step.exec();
        exec.network(self.mode);
        if let Some(folder) = &self.folder {
            let index = format!("file://{CHANNEL_DIR}/{PYPI_INDEX}");
            exec.mount(Bind::read_only(CHANNEL_DIR, folder))
                .env("PIP_INDEX_URL", index);
        }
        if let Some(proxy) = &self.proxy {
            exec.proxy(proxy);
        }
        for (name, value) in &self.pip {
            match value {
                Some(value) => exec.env(*name, value),
                // A value with credentials is better given as a secret.
                None => exec.secret_env(*name, *name, true),
            };
        }
        for name in &self.variables {
            exec.secret_env(name, name, true);
        }
        exec.mount(Secret::new(CONFIG_SECRET, "PIP_CONFIG_FILE").optional())
            .mount(Secret::new(NETRC_SECRET, "NETRC").optional());
    }
}

/// Where the value of the build-arg `name` goes, if it is a proxy.
fn proxy_place<'a>(proxy: &'a mut Proxy, name: &str) -> Option<&'a mut String> {
    match name.to_ascii_lowercase().as_str() {
        "http_proxy" => Some(&mut proxy.http),
        "https_proxy" => Some(&mut proxy.https),
        "ftp_proxy" => Some(&mut proxy.ftp),
        "no_proxy" => Some(&mut proxy.no_proxy),
        "all_proxy" => Some(&mut proxy.all),
        _ => None,
    }
}
