//! The graph of a locked environment as far as it is known without a build, made of the same parts as a build's.

use buildkit_llb::{Definition, Image, Input, OpOptions, Output};

use crate::image::name::{BaseName, ImageName};
use crate::options::choices::Choices;
use crate::options::settings::Settings;
use condafront_graph::Tools;
use condafront_graph::compiler::Compiler;
use condafront_graph::conda_image::{CondaImage, Layered};
use condafront_graph::environment::{Environment, Micromamba, user_file};
use condafront_graph::image::Stacking;
use condafront_graph::install::InstallGraph;
use condafront_graph::pip::{ADD_WHEELS, OwnWheel, PipNetwork, direct_url};
use condafront_graph::plan::wheels::layers_for_wheels;
use condafront_graph::plan::{Plan, micromamba};
use condafront_input::Pip;
use condafront_model::environment_prefix::EnvironmentPrefix;
use condafront_model::platform::Platform;
use condafront_model::pypi_package::PipPackage;
use condafront_model::source::{Diagnostic, SourceFile};
use condafront_step_spec::account::AccountSpec;
use condafront_step_spec::facts::EnvironmentFacts;
use condafront_step_spec::install::Installer;

/// What the graph is made from.
pub(super) struct Locked<'a> {
    /// The user's file.
    pub(super) file: &'a SourceFile,
    /// Its conda packages.
    pub(super) plan: Plan,
    /// Its PyPI packages; requirements that are not locked and what is next to a lock are left out.
    pub(super) pip: &'a Pip,
    /// Where the environment is in the image.
    pub(super) prefix: EnvironmentPrefix,
    /// The build-args.
    pub(super) settings: &'a Settings,
    /// What they and the image section choose.
    pub(super) choices: &'a Choices,
    /// The platform to build for.
    pub(super) platform: Platform,
    /// The image whose program runs the steps.
    pub(super) frontend: &'a str,
}

impl Locked<'_> {
    /// The graph: base image, account, conda packages, and locked PyPI packages.
    ///
    /// # Errors
    /// When an image's name is invalid, there is no python for PyPI packages, or a step's arguments are too long.
    pub(super) fn definition(self) -> Result<Definition, Diagnostic> {
        let Self {
            settings, choices, ..
        } = self;
        let frontend = condafront_graph::programs(&image(self.frontend, self.platform)?);
        let base = match choices.base.value.parse().map_err(Diagnostic::of)? {
            BaseName::Scratch => None,
            BaseName::Image(name) => Some(image(&name.canonical(), self.platform)?),
        };
        let micromamba = match choices.installer {
            Installer::Native => None,
            Installer::Micromamba => {
                let package = micromamba::package(&settings.micromamba, self.platform)?;
                Some(Micromamba::Package(Box::new(package)))
            }
        };
        let environment = Environment {
            file: user_file(self.file, &self.plan, self.pip),
            plan: self.plan.with_wheels(true),
            prefix: self.prefix,
            tools: Tools::new(&frontend),
            base: base.as_ref(),
            micromamba: micromamba.as_ref(),
            compiler: &Compiler::Own,
            user: choices.ownership(),
            trim: &choices.trim,
        };
        let urls = environment.fetched().map(|package| &package.url);
        let addresses = settings.mirrors.addresses(urls);
        let graph = environment.install(&addresses).map_err(Diagnostic::of)?;
        let tools = &environment.tools;
        let spec = AccountSpec {
            user: choices.user.value.clone(),
            ..AccountSpec::default()
        };
        let account = tools.account(&spec, base.as_ref());
        let layered = Layered {
            environment: &environment,
            graph: &graph,
            facts: &EnvironmentFacts::default(),
        };
        let image = CondaImage::new(
            &base.as_ref().map_or(Input::Scratch, Input::from),
            &[],
            &account.map_err(Diagnostic::of)?,
            &[layered],
            &[],
            Stacking::Merge,
        );
        let Input::Output(root) = image.map_err(Diagnostic::of)?.root else {
            return Err(Diagnostic::new("the graph is empty"));
        };
        let files = match self.pip {
            Pip::Locked(locked) if !locked.files.is_empty() => locked.files.iter().cloned(),
            _ => return Ok(Definition::of(&root)),
        };
        let conda = Conda {
            environment: &environment,
            graph: &graph,
            root,
            settings,
            choices,
            platform: self.platform,
        };
        Ok(Definition::of(&conda.with_pip(files)?))
    }
}

/// The graph without PyPI packages.
struct Conda<'a> {
    environment: &'a Environment<'a>,
    graph: &'a InstallGraph,
    root: Output,
    settings: &'a Settings,
    choices: &'a Choices,
    platform: Platform,
}

impl Conda<'_> {
    /// The image with these PyPI packages: linked if possible, or else installed by pip.
    fn with_pip(&self, files: impl Iterator<Item = PipPackage>) -> Result<Output, Diagnostic> {
        let Self {
            environment,
            root,
            settings,
            ..
        } = self;
        let (archives, packages): (Vec<_>, Vec<_>) = files.partition(PipPackage::is_archive);
        let built = self.built(&archives)?;
        let none = EnvironmentFacts::default();
        let layers = self.choices.layers.value.unwrap_or_default();
        let layers = layers_for_wheels(layers, self.graph.installed.len(), 1);
        let plan = environment.wheel_plan(&packages, &built, &none, self.platform, None, layers);
        if let Some(plan) = plan {
            let wanted = environment.wheels(&packages, &settings.mirrors)?;
            let wanted = wanted.with_wheels(built);
            let linked = environment
                .link_wheels(self.graph, &wanted, &plan, &wanted.addresses())
                .map_err(Diagnostic::of)?;
            let stack = environment.stack_wheels(&linked, &none, &none);
            let stack = stack.map_err(Diagnostic::of)?;
            return match stack.on(&root.into(), Stacking::Merge, ADD_WHEELS) {
                Input::Output(root) => Ok(root),
                Input::Scratch => Err(Diagnostic::new("the graph is empty")),
            };
        }
        let wanted = environment.pip_packages(&packages, &settings.mirrors)?;
        let wanted = wanted.with_wheels(built);
        let installed = environment
            .pip_install(root, &wanted, &wanted.addresses())
            .map_err(Diagnostic::of)?;
        Ok(installed.root)
    }

    /// The wheels that the build makes of `archives`.
    fn built(&self, archives: &[PipPackage]) -> Result<Vec<OwnWheel>, Diagnostic> {
        if archives.is_empty() {
            return Ok(Vec::new());
        }
        let wanted = self
            .environment
            .pip_packages(archives, &self.settings.mirrors)?;
        let network = PipNetwork::default();
        let wheels = self
            .environment
            .pip_build(&self.root, &wanted, &wanted.addresses(), &network)
            .map_err(Diagnostic::of)?
            .wheels;
        Ok(archives.iter().zip(wheels).map(made).collect())
    }
}

/// The wheel that a build makes of an archive. Only the build can tell its file's name: here it is that of a wheel without
/// machine code.
fn made((archive, output): (&PipPackage, Output)) -> OwnWheel {
    let name = archive.name.replace('-', "_");
    let version = archive.file_version().unwrap_or_default();
    OwnWheel {
        label: archive.label(),
        file_name: format!("{name}-{version}-py3-none-any.whl"),
        output,
        is_built: true,
        direct_url: direct_url(archive),
    }
}

/// An image from a registry.
fn image(name: &str, platform: Platform) -> Result<Output, Diagnostic> {
    let image: ImageName = name.parse().map_err(Diagnostic::of)?;
    let canonical = image.canonical();
    let mut source = Image::new(&canonical);
    source
        .name(format!("[base] {canonical}"))
        .platform(condafront_graph::oci_platform(platform));
    Ok(source.build())
}
