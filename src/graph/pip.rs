//! PyPI packages on top of the conda packages.

use buildkit_llb::{NetMode, OpOptions, Options as LlbOptions, Output, ProgressGroup, pb};

use url::Url;

use super::downloads::{Addresses, Artifact};
use super::environment::{ArgumentError, Environment};
use super::step::Step;
use crate::fetch_failure::{Wanted, WantedKind};
use crate::gateway::options::Options;
use crate::input::{PipPackage, PipRequirement};
use crate::install::args::StepSpec as _;
use crate::install::spec::{FACTS_DIR, INPUT_DIR, OUTPUT_DIR};
use crate::pip::spec::{PipBuildSpec, PipFile, PipInstallSpec, PipResolveSpec, WORK_DIR};
use crate::pip::{self, FileKind};
use crate::plan::mirrors::Mirrors;
use crate::source::Diagnostic;

/// Where the pip is mounted that condafront brings, named so that no base image has it.
const PIP_DIR: &str = "/.condafront-pip";

/// What may be said of pip's indexes, as build-args or as secrets of these names.
const PIP_SETTINGS: [&str; 3] = ["PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_TRUSTED_HOST"];

/// How a step reaches the network that has to.
#[derive(Clone, Debug, Default)]
pub struct Network {
    /// `docker build --network`.
    pub mode: NetMode,
    /// The proxies of the usual build-args, which are no part of any cache key.
    pub proxy: Option<pb::ProxyEnv>,
    /// pip's settings, each with the build-arg's value.
    pip: Vec<(&'static str, Option<String>)>,
}

/// The image with PyPI packages.
pub struct PipInstalled {
    /// The image.
    pub root: Output,
    /// What the step found out.
    pub facts: Output,
    /// The layer's name.
    pub name: String,
    /// The steps that may fail, with one of their outputs each.
    steps: Vec<(Output, Step)>,
}

impl PipInstalled {
    /// The first step of those with the digests `failed`.
    pub fn failing(&self, failed: &[String]) -> Option<&Step> {
        let mut steps = self.steps.iter();
        let is_it = |output: &Output| failed.contains(&output.digest().to_string());
        Some(&steps.find(|(output, _)| is_it(output))?.1)
    }
}

/// What an environment's PyPI packages are fetched and installed from.
pub struct PipPackages<'a> {
    packages: &'a [PipPackage],
    /// The pip that condafront brings, if the environment has none.
    brought: Option<PipPackage>,
    /// Where the environment's python has its modules, relative to the prefix.
    site_packages: &'a str,
    mirrors: &'a Mirrors,
}

impl PipPackages<'_> {
    /// First attempts at the first address of everything that is fetched.
    pub fn addresses(&self) -> Addresses {
        let fetched = self.packages.iter().chain(&self.brought);
        Addresses::new(fetched.map(|package| self.mirrors.candidates(&package.url)))
    }
}

/// The pip that condafront brings, as a file to mount.
struct Brought {
    output: Output,
    file_name: String,
    retried: bool,
    trusted: bool,
}

impl Brought {
    /// The artifact at `index`, if there is one.
    fn new(
        index: usize,
        artifacts: &[Artifact],
        addresses: &Addresses,
        content_cache: bool,
    ) -> Option<Self> {
        let artifact = artifacts.get(index)?;
        let address = addresses.get(index);
        Some(Self {
            output: artifact.download(address),
            file_name: artifact.file_name.clone(),
            retried: address.is_retried(),
            trusted: content_cache && artifact.sha256.is_some(),
        })
    }

    /// What python runs: a wheel of pip is a program, too.
    fn path(&self) -> String {
        format!("{PIP_DIR}/{}/pip", self.file_name)
    }

    fn mount(&self, step: &mut Step, no_cache: bool) {
        step.input(PIP_DIR, &self.output, self.trusted);
        if self.retried {
            step.retry(no_cache);
        }
    }
}

impl Environment<'_> {
    /// What `packages` are fetched and installed from.
    ///
    /// # Errors
    /// When nothing in the environment can install them.
    pub fn pip_packages<'a>(
        &'a self,
        packages: &'a [PipPackage],
        mirrors: &'a Mirrors,
    ) -> Result<PipPackages<'a>, Diagnostic> {
        let Some(python) = &self.plan.python else {
            return Err(Diagnostic::new(
                "the environment has PyPI packages and no python to install them with",
            ));
        };
        let brought = match pip::has_pip(&self.plan.packages) {
            true => None,
            false => Some(pip::wheel(&python.version)?),
        };
        Ok(PipPackages {
            packages,
            brought,
            site_packages: &python.site_packages,
            mirrors,
        })
    }

    /// The downloads of `wanted`, the pip that is brought along last.
    pub fn pip_artifacts(&self, wanted: &PipPackages<'_>) -> Vec<Artifact> {
        let packages = wanted.packages;
        let count = packages.len();
        let group = ProgressGroup {
            id: "condafront-pip".to_owned(),
            name: format!("[pip] download {count} packages"),
            weak: false,
        };
        let artifact = |(index, package): (usize, &PipPackage)| {
            let label = pip::label(package);
            let mut options = self.options(format!("[pip {}/{count}] {label}", index + 1));
            options
                .group(&group)
                .location(self.location(package.lines))
                .export_cache(false);
            self.pip_artifact(package, WantedKind::Pip, options)
        };
        let installer = wanted.brought.as_ref().map(|pip| {
            let label = pip::label(pip);
            let mut options = self.options(format!("[pip] installer {label}"));
            options.export_cache(false);
            self.pip_artifact(pip, WantedKind::PipInstaller, options)
        });
        let artifacts = packages.iter().enumerate().map(artifact);
        artifacts.chain(installer).collect()
    }

    fn pip_artifact(
        &self,
        package: &PipPackage,
        kind: WantedKind,
        options: LlbOptions,
    ) -> Artifact {
        Artifact {
            wanted: Wanted {
                kind,
                label: pip::label(package),
                lines: package.lines,
            },
            file_name: pip::file_name(package),
            sha256: package.hashes.sha256.clone(),
            options,
            no_cache: self.no_cache,
        }
    }

    /// The packages of `wanted`, fetched from where `addresses` says and installed into the image `root`.
    ///
    /// # Errors
    /// When a package's description does not fit into a program's arguments.
    pub fn pip_install(
        &self,
        root: &Output,
        wanted: &PipPackages<'_>,
        addresses: &Addresses,
        network: &Network,
    ) -> Result<PipInstalled, ArgumentError> {
        let packages = wanted.packages;
        let artifacts = self.pip_artifacts(wanted);
        let brought = Brought::new(packages.len(), &artifacts, addresses, self.content_cache);
        let spec = PipInstallSpec {
            prefix: self.place.prefix().to_owned(),
            site_packages: wanted.site_packages.to_owned(),
            pip: brought.as_ref().map(Brought::path),
            uid: self.user.uid,
            gid: self.user.gid,
        };
        let name = match packages.len() {
            1 => "[pip] install 1 package".to_owned(),
            count => format!("[pip] install {count} packages"),
        };
        let files: Vec<PipFile> = packages.iter().map(file).collect();
        let mut step = self.step_in(root, spec.to_args(&files)?, &name);
        step.concerns(&(0..packages.len()).collect::<Vec<_>>());
        if let Some(brought) = &brought {
            brought.mount(&mut step, self.no_cache);
        }
        let mut steps = Vec::new();
        for (index, (package, artifact)) in packages.iter().zip(&artifacts).enumerate() {
            let address = addresses.get(index);
            if address.is_retried() {
                step.retry(self.no_cache);
            }
            let mut output = artifact.download(address);
            let mut trusted = package.hashes.is_pinned() && self.content_cache;
            if pip::kind(package) == Some(FileKind::Source) {
                let brought = brought.as_ref();
                let mut build =
                    self.pip_build(root, package, &output, trusted, brought, network)?;
                build.concerns(&[index]);
                if address.is_retried() {
                    build.retry(self.no_cache);
                }
                let wheel = build.output(OUTPUT_DIR);
                output = build.exec().build()[wheel].clone();
                trusted = false;
                steps.push((output.clone(), build));
            }
            step.input(&format!("{INPUT_DIR}/{index}"), &output, trusted);
        }
        let changed = step.exec().write_root();
        let facts = step.output(FACTS_DIR);
        let built = step.exec().build();
        let root = built[changed].clone();
        let facts = built[facts].clone();
        steps.push((root.clone(), step));
        Ok(PipInstalled {
            root,
            facts,
            name,
            steps,
        })
    }

    /// What pip would install into the image `root` for the entries `list`: what the step found, and the step.
    ///
    /// # Errors
    /// When an entry does not fit into a program's arguments.
    pub fn pip_resolve(
        &self,
        root: &Output,
        list: &[PipRequirement],
        network: &Network,
    ) -> Result<(Output, Step), ArgumentError> {
        let spec = PipResolveSpec {
            prefix: self.place.prefix().to_owned(),
        };
        let texts: Vec<String> = list.iter().map(|entry| entry.text.clone()).collect();
        let name = "[pip] find out what the list asks for";
        let mut step = self.step_in(root, spec.to_args(&texts)?, name);
        step.concerns(&(0..list.len()).collect::<Vec<_>>());
        network.open(&mut step);
        let facts = step.output(FACTS_DIR);
        Ok((step.exec().build()[facts].clone(), step))
    }

    /// A step that makes a wheel of the source archive `archive`. What it builds with is nowhere written down, so it has
    /// the network.
    fn pip_build(
        &self,
        root: &Output,
        package: &PipPackage,
        archive: &Output,
        trusted: bool,
        brought: Option<&Brought>,
        network: &Network,
    ) -> Result<Step, ArgumentError> {
        let spec = PipBuildSpec {
            prefix: self.place.prefix().to_owned(),
            pip: brought.map(Brought::path),
        };
        let name = format!("[pip] build a wheel of {}", pip::label(package));
        let mut step = self.step_in(root, spec.to_args(&[file(package)])?, &name);
        step.input(&format!("{INPUT_DIR}/0"), archive, trusted);
        if let Some(brought) = brought {
            brought.mount(&mut step, self.no_cache);
        }
        network.open(&mut step);
        Ok(step)
    }
}

impl Network {
    /// What the user's options say: `--network`, and the proxies of the usual build-args.
    pub fn from_options(options: &Options) -> Self {
        let mode = match options.get("force-network-mode") {
            Some("host") => NetMode::Host,
            Some("none") => NetMode::None,
            _ => NetMode::Unset,
        };
        let mut proxy = pb::ProxyEnv::default();
        for (name, value) in options.build_args() {
            let place = match name.to_ascii_lowercase().as_str() {
                "http_proxy" => &mut proxy.http_proxy,
                "https_proxy" => &mut proxy.https_proxy,
                "ftp_proxy" => &mut proxy.ftp_proxy,
                "no_proxy" => &mut proxy.no_proxy,
                "all_proxy" => &mut proxy.all_proxy,
                _ => continue,
            };
            value.clone_into(place);
        }
        let given = |name: &&str| options.get(&format!("build-arg:{name}"));
        let settings = PIP_SETTINGS.iter();
        Self {
            mode,
            proxy: (proxy != pb::ProxyEnv::default()).then_some(proxy),
            pip: settings
                .map(|name| (*name, given(name).map(str::to_owned)))
                .collect(),
        }
    }

    /// The indexes that the build-args name.
    pub fn indexes(&self) -> Vec<Url> {
        let values = self.pip.iter().filter_map(|(_, value)| value.as_deref());
        let words = values.flat_map(str::split_whitespace);
        words.filter_map(|word| Url::parse(word).ok()).collect()
    }

    /// Lets a step have the network, and space for what it downloads.
    fn open(&self, step: &mut Step) {
        step.output(WORK_DIR);
        let exec = step.exec();
        exec.network(self.mode);
        if let Some(proxy) = &self.proxy {
            exec.proxy_env(proxy.clone());
        }
        for (name, value) in &self.pip {
            match value {
                Some(value) => exec.env(*name, value),
                // What holds credentials is better given so.
                None => exec.secret_env(*name, *name, true),
            };
        }
    }
}

fn file(package: &PipPackage) -> PipFile {
    PipFile {
        label: pip::label(package),
        md5: match package.hashes.is_pinned() {
            true => None,
            false => package.hashes.md5.clone(),
        },
    }
}

#[cfg(test)]
mod tests;
