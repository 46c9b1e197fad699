//! Lists of requirements: packages that no index has are built into wheels, then pip resolves the list.

use buildkit_llb::{Bind, Copy, File, Git, Input, OpOptions, Options, Output};

use super::{Brought, Network};
use crate::context::ContextState;
use crate::environment::Environment;
use crate::git::offer_credentials;
use crate::step::Step;
use condafront_input::requirements::{List, Repository, has_credentials};
use condafront_step_spec::args::ArgsError;
use condafront_step_spec::args::StepSpec as _;
use condafront_step_spec::mounts::{FACTS_DIR, INPUT_DIR, OUTPUT_DIR};
use condafront_step_spec::pip::{HIDDEN, PipBuildSpec, PipFile, PipResolveSpec};

/// The kind of a package that no index has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LocalKind {
    /// A wheel, ready to be installed.
    Wheel,
    /// A source archive.
    Archive,
    /// A folder with the package's sources.
    Folder,
}

/// A package from the build context or a repository.
#[derive(Clone, Debug)]
pub struct Local {
    /// Its name in messages.
    pub label: String,
    /// What it is.
    pub kind: LocalKind,
    /// The folder with its sources, or one with only its file.
    pub output: Output,
    /// The index of its entry in the list.
    pub entry: usize,
}

/// The wheel of such a package, the only file in its output.
#[derive(Clone, Debug)]
pub struct Wheel {
    /// The wheel.
    pub output: Output,
    /// The step that builds it, if it must be built.
    step: Option<Step>,
}

/// What pip found for a list.
pub struct PipResolved {
    /// What the step found.
    pub facts: Output,
    /// The steps that may fail, each with one of its outputs.
    pub(super) steps: Vec<(Output, Step)>,
}

impl PipResolved {
    /// The first step whose digest is in `failed`.
    pub fn failing(&self, failed: &[String]) -> Option<&Step> {
        super::failing(&self.steps, failed)
    }
}

/// What a wheel is built from.
pub(super) struct Build<'a> {
    pub(super) file: PipFile,
    pub(super) kind: LocalKind,
    pub(super) output: &'a Output,
    /// Whether the definition pins its content.
    pub(super) trusted: bool,
    /// The pip to build with, if the environment has none.
    pub(super) brought: Option<&'a Brought>,
    /// Options that say where to find packages to build with.
    pub(super) options: &'a [String],
    /// Options for this package alone.
    pub(super) own_options: &'a [String],
}

/// Strings with credentials, passed as environment variables of a step.
#[derive(Default)]
struct Hidden(Vec<(String, String)>);

impl Hidden {
    /// Replaces `text` with a variable if it has credentials.
    fn hide(&mut self, text: &mut String) {
        if has_credentials(text) {
            let name = format!("{HIDDEN}{}", self.0.len());
            let variable = format!("${{{name}}}");
            self.0.push((name, std::mem::replace(text, variable)));
        }
    }

    fn tell(self, step: &mut Step) {
        for (name, text) in self.0 {
            step.exec().env(name, text);
        }
    }
}

impl Environment<'_> {
    /// Wheels of the packages in the build context and in repositories, built in the image `root`.
    ///
    /// # Errors
    /// When a package's description does not fit into a program's arguments.
    pub fn pip_wheels(
        &self,
        root: &Output,
        list: &List,
        local: &[Local],
        network: &Network,
    ) -> Result<Vec<Wheel>, ArgsError> {
        let options = list.build_options().indexes;
        let wheel = |local: &Local| {
            if local.kind == LocalKind::Wheel {
                return Ok(Wheel {
                    output: local.output.clone(),
                    step: None,
                });
            }
            let build = Build {
                file: PipFile {
                    label: local.label.clone(),
                    md5: None,
                },
                kind: local.kind,
                output: &local.output,
                trusted: false,
                brought: None,
                options: &options,
                own_options: list
                    .entries()
                    .get(local.entry)
                    .and_then(|entry| entry.requirement())
                    .map_or(&[], |requirement| &requirement.build_options),
            };
            let mut step = self.pip_build(root, &build, network)?;
            step.concerns(&[local.entry]);
            let output = step.output(OUTPUT_DIR);
            Ok(Wheel {
                output: step.exec().build()[output].clone(),
                step: Some(step),
            })
        };
        local.iter().map(wheel).collect()
    }

    /// What pip would install into the image `root` for `list`, whose local packages are `wheels`.
    ///
    /// # Errors
    /// When an entry does not fit into a program's arguments.
    pub fn pip_resolve(
        &self,
        root: &Output,
        list: &List,
        wheels: &[Wheel],
        network: &Network,
    ) -> Result<PipResolved, ArgsError> {
        let spec = PipResolveSpec {
            prefix: self.prefix.path().to_owned(),
        };
        let mut entries = list.for_step(network.is_folder());
        let mut hidden = Hidden::default();
        for entry in &mut entries {
            hidden.hide(&mut entry.text);
        }
        let name = "[pip] resolve the requirements";
        let mut step = self.tools.step_in(root, spec.to_args(&entries)?, name);
        step.concerns(&(0..entries.len()).collect::<Vec<_>>());
        let mut steps = Vec::new();
        for (index, wheel) in wheels.iter().enumerate() {
            step.input(&format!("{INPUT_DIR}/{index}"), &wheel.output, false);
            let made = wheel.step.clone();
            steps.extend(made.map(|made| (wheel.output.clone(), made)));
        }
        network.open(&mut step);
        hidden.tell(&mut step);
        let facts = step.output(FACTS_DIR);
        let facts = step.exec().build()[facts].clone();
        steps.push((facts.clone(), step));
        Ok(PipResolved { facts, steps })
    }

    /// A step that builds a wheel. Nothing says in advance what it builds with, so it has the network.
    pub(super) fn pip_build(
        &self,
        root: &Output,
        build: &Build<'_>,
        network: &Network,
    ) -> Result<Step, ArgsError> {
        let mut options = build.own_options.to_vec();
        // The folder has everything that the indexes would provide.
        if !network.is_folder() {
            options.extend_from_slice(build.options);
        }
        let mut hidden = Hidden::default();
        for word in &mut options {
            hidden.hide(word);
        }
        let spec = PipBuildSpec {
            prefix: self.prefix.path().to_owned(),
            pip: build.brought.map(Brought::path),
            options,
        };
        let name = format!("[pip] build a wheel for {}", build.file.label);
        let args = spec.to_args(std::slice::from_ref(&build.file))?;
        let mut step = self.tools.step_in(root, args, &name);
        let place = format!("{INPUT_DIR}/0");
        match build.kind {
            // Builds write next to the sources.
            LocalKind::Folder => {
                let place = format!("{place}/source");
                step.exec().mount(Bind::discard_writes(place, build.output));
            }
            LocalKind::Wheel | LocalKind::Archive => {
                step.input(&place, build.output, build.trusted);
            }
        }
        if let Some(brought) = build.brought {
            brought.mount(&mut step, self.tools.no_cache);
        }
        network.open(&mut step);
        hidden.tell(&mut step);
        Ok(step)
    }
}

/// A file of the build context in a folder of its own, or the contents of one of its folders. `options` are the copy's.
pub fn from_context(
    context: &ContextState,
    path: &str,
    kind: LocalKind,
    options: &Options,
) -> Output {
    let from = match (context.subdir.as_str(), path) {
        ("", path) => path.to_owned(),
        (subdir, "") => subdir.to_owned(),
        (subdir, path) => format!("{subdir}/{path}"),
    };
    let mut copy = Copy::new(&context.state, from, "/");
    copy.exclude(&context.exclude);
    if kind == LocalKind::Folder {
        copy.contents();
    }
    let mut file = File::on(Input::Scratch);
    file.then(copy).options(options).export_cache(false);
    file.build().output().unwrap_or(&context.state).clone()
}

/// The contents of a repository, or of a folder in it.
pub fn from_repository(repository: &Repository, options: &Options) -> Output {
    let mut git = Git::new(&repository.url);
    if let Some(reference) = &repository.reference {
        git.reference(reference);
    }
    if let Some(subdir) = &repository.subdir {
        git.subdir(subdir);
    }
    offer_credentials(&mut git, &repository.url);
    git.options(options).build()
}
