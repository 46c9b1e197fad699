//! The step that installs packages of the base's distribution, and a locale, into the base itself.

use buildkit_llb::{Cache, CacheSharing, Location, OpOptions, Output, Slot};

use super::network::NetworkAccess;
use super::step::Step;
use super::tools::Tools;
use condafront_step_spec::args::{ArgsError, StepSpec as _};
use condafront_step_spec::mounts::FACTS_DIR;
use condafront_step_spec::system::{Manager, SystemSpec};

/// How many packages the step's name lists.
const MOST_NAMES: usize = 8;

/// What the step is made from.
#[derive(Clone, Copy, Debug)]
pub struct System<'a> {
    /// The base image.
    pub base: &'a Output,
    /// The base image's environment variables.
    pub env: &'a [(String, String)],
    /// What to do.
    pub spec: &'a SystemSpec,
    /// The packages.
    pub packages: &'a [String],
    /// How the step reaches the network.
    pub network: &'a NetworkAccess,
    /// What makes the ids of this build's cache mounts distinct.
    pub caches: &'a CacheIds,
    /// Where the user's file asks for it.
    pub location: &'a Location,
}

/// What the ids of cache mounts start and end with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CacheIds {
    /// The build-arg `BUILDKIT_CACHE_MOUNT_NS`, which also separates Dockerfiles' caches.
    pub namespace: Option<String>,
    /// The platform, so that its package manager does not wait for another platform's.
    pub platform: String,
}

impl CacheIds {
    fn id(&self, folder: &str) -> String {
        let name = folder.trim_start_matches(['/', '.']);
        let name = name.trim_start_matches("condafront-");
        let id = format!("condafront-{name}-{}", self.platform).replace('/', "-");
        match &self.namespace {
            Some(namespace) => format!("{namespace}/{id}"),
            None => id,
        }
    }
}

/// The step's results.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// The base with packages and locale.
    pub root: Output,
    /// What the step found.
    pub facts: Output,
    /// Its name in the progress and the image's history.
    pub name: String,
    /// The step, in case it fails.
    pub step: Step,
}

impl Tools<'_> {
    /// The base with packages and locale.
    ///
    /// # Errors
    /// When a package's name does not fit into a program's arguments.
    pub fn system(&self, system: &System<'_>) -> Result<Prepared, ArgsError> {
        let name = system.name();
        let args = system.spec.to_args(system.packages)?;
        let mut step = self.step_in(system.base, args, name.clone());
        let facts: Slot = step.output(FACTS_DIR);
        let exec = step.exec();
        exec.location(system.location.clone());
        for (name, value) in system.env {
            exec.env(name, value);
        }
        system.network.open(exec);
        for folder in system.folders() {
            let mut cache = Cache::new(folder, system.caches.id(folder));
            exec.mount(cache.sharing(CacheSharing::Locked));
        }
        let root = exec.write_root();
        let built = exec.build();
        Ok(Prepared {
            root: built[root].clone(),
            facts: built[facts].clone(),
            name,
            step,
        })
    }
}

impl System<'_> {
    /// The directories that are cache mounts. A locale may need any of the package managers.
    fn folders(&self) -> impl Iterator<Item = &'static str> {
        let needed = |manager: &Manager| match (&self.spec.locale, self.spec.manager) {
            (None, wanted) => wanted == Some(*manager),
            (Some(_), _) => true,
        };
        let managers = Manager::ALL.into_iter().filter(needed);
        managers.filter_map(Manager::cache)
    }

    fn name(&self) -> String {
        let mut parts = Vec::new();
        if let Some(manager) = self.spec.manager {
            let count = self.packages.len();
            let shown = count.min(MOST_NAMES);
            let mut text = format!(
                "{} install {}",
                manager.name(),
                self.packages[..shown].join(" ")
            );
            if count > shown {
                text.push_str(&format!(" and {} more", count - shown));
            }
            parts.push(text);
        }
        if let Some(locale) = &self.spec.locale {
            parts.push(format!("locale {locale}"));
        }
        format!("[base] {}", parts.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use buildkit_llb::{Definition, Image, Range, SourceFile, text};

    use super::*;
    use condafront_input::options::Options as BuildOptions;

    fn image(name: &str) -> Output {
        Image::new(name).name(format!("[base] {name}")).build()
    }

    #[test]
    fn packages_are_installed_in_the_base_with_network_and_caches() {
        let env = [("PATH".to_owned(), "/usr/sbin:/usr/bin".to_owned())];
        let options = ["network=none", "build-arg:HTTP_PROXY=http://proxy:3128"];
        let options = options.iter().enumerate().map(|(number, option)| {
            let name = format!("BUILDKIT_FRONTEND_OPT_{number}");
            (name, (*option).to_owned())
        });
        let network = NetworkAccess::from_options(&BuildOptions::from_env(options));
        let file = SourceFile::new("env.yml", b"apt: [libgl1]\n".to_vec());
        let spec = SystemSpec {
            manager: Some(Manager::Apt),
            locale: Some("en_US.UTF-8".to_owned()),
        };
        let packages: Vec<String> = (0..10).map(|number| format!("lib{number}")).collect();
        let system = System {
            base: &image("docker.io/library/debian:13-slim"),
            env: &env,
            spec: &spec,
            packages: &packages,
            network: &network,
            caches: &CacheIds {
                namespace: Some("team".to_owned()),
                platform: "linux/amd64".to_owned(),
            },
            location: &file.location([Range::lines(1, 1)]),
        };
        let programs = crate::programs::programs(&image("docker.io/org/condafront:latest"));
        let tools = Tools::new(&programs);
        let prepared = tools.system(&system).unwrap();
        insta::assert_snapshot!(text::dump(Definition::of(&prepared.root).to_pb()));
    }
}
