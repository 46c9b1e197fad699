//! What an environment of a manifest asks of a solve.

use super::channels::Listed;
use super::refusals::Refusals;
use super::workspace::{Environment, Feature, Workspace};
use super::{channels, cutoff, dependency, python, system, terms};
use crate::channel_settings::ChannelSettings;
use crate::channels::{Channels, unnamed};
use crate::dependency_list::DependencyList;
use crate::environment_input::{Machine, RequestedSpec, SolveRequest};
use crate::lock_terms::LockTerms;
use crate::section::exclude_newer::unrepeatable;
use crate::section::image_section::{ExcludeNewer, ImageSection, Located};
use crate::settings::{ChannelDefaults, InputSettings};
use crate::{match_spec, specs};
use condafront_model::channel::ChannelPriority;
use condafront_model::lint::Warning;
use condafront_model::origin::Origin;
use condafront_model::source::Diagnostic;
use condafront_step_spec::solve::Kept;

/// An environment, and how it is asked for.
pub(super) struct Asked<'w, 'a> {
    /// The manifest.
    pub(super) workspace: &'w Workspace<'a>,
    /// The environment.
    pub(super) environment: &'w Environment<'a>,
    /// Its name.
    pub(super) name: &'w str,
    /// The name of the platform, if the user chose one.
    pub(super) platform: Option<&'w str>,
    /// The settings.
    pub(super) settings: &'w InputSettings,
}

/// What an environment asks of a solve.
pub(super) struct Request<'a> {
    /// What a solve is asked.
    pub(super) solve: SolveRequest,
    /// How many of its channels the environment lists itself.
    pub(super) listed_channels: usize,
    /// The error that the environment is for other platforms.
    pub(super) other_platform: Option<Diagnostic>,
    /// The name that pixi makes for the platform that the user chose.
    pub(super) platform_name: Option<String>,
    /// The entry of `platforms` that is chosen.
    pub(super) machine: Option<Machine>,
    /// All entries that the environment is for.
    pub(super) machines: Vec<Machine>,
    /// The features of all environments that are solved at once.
    pub(super) together: Environment<'a>,
    /// What its lock must have been written for, without what concerns PyPI packages.
    pub(super) terms: LockTerms,
}

impl<'a> Asked<'_, 'a> {
    /// The request; `section` is what the manifest says about the image.
    ///
    /// # Errors
    /// A diagnostic at the first invalid line.
    pub(super) fn request(
        &self,
        section: &ImageSection,
        refusals: &mut Refusals,
        warnings: &mut Vec<Warning>,
    ) -> Result<Request<'a>, Diagnostic> {
        let (workspace, settings) = (self.workspace, self.settings);
        let others = match self.environment.solve_group {
            Some((group, _)) => workspace.group(group, self.name)?,
            None => Vec::new(),
        };
        let together = together(self.environment, &others);
        let listed = channels::listed(workspace, &together)?;
        let own_cutoff = cutoff::read(workspace, &listed, refusals)?;
        let said = self.defaults(section, own_cutoff.as_ref(), warnings);
        let of_channels = ChannelSettings::new(said, settings, workspace.platform);
        let mut channels = self.channels(&of_channels, &listed, warnings)?;
        let listed_channels = channels.len();
        let machines = system::read(
            workspace,
            self.environment,
            &together,
            self.platform,
            refusals,
        )?;
        let mut own = self.specs(self.environment, &mut channels, refusals, warnings)?;
        // pip installs the list of the image's section.
        let pip = section.pip.first().map(|first| first.lines);
        if let Some(lines) = pip.filter(|_| !own.iter().any(is_pip)) {
            own.push(RequestedSpec {
                spec: "pip".to_owned(),
                lines,
                is_implied: true,
            });
        }
        own.extend(machines.specs);
        let group = self.group(&others, &own, &mut channels, refusals)?;
        let (channels, doubts) = channels.finish();
        warnings.extend(doubts);
        warnings.extend(of_channels.cutoff_warnings(
            section.exclude_newer.as_ref(),
            workspace.file,
            &channels,
        ));
        let priority = self.priority(&together, refusals)?;
        let listed = &channels[..listed_channels.min(channels.len())];
        let of_channels_of_lock = terms::OfChannels {
            listed: settings.channels.is_empty().then_some(listed),
            priority: of_channels.priority(),
            exclude_newer: own_cutoff.map(|said| of_channels.cutoff_term(&said, listed)),
        };
        let mut terms = terms::read(workspace, self.environment, &together, of_channels_of_lock);
        if let Some((group, _)) = self.environment.solve_group {
            let others = workspace.others(group, self.name);
            terms.group = others.map(|(key, _)| key.name.clone()).collect();
        }
        let request = SolveRequest {
            priority: of_channels.priority().or(priority).unwrap_or_default(),
            exclude_newer: of_channels.exclude_newer(&channels),
            channels,
            specs: own,
            group,
            platforms: machines.platforms,
            declared: machines.system,
            without_pip: true,
            origin: Origin::default(),
            kept: Kept::default(),
            installed: Vec::new(),
        };
        Ok(Request {
            solve: request,
            listed_channels,
            other_platform: machines.other_platform,
            platform_name: machines.chosen,
            machine: machines.entry,
            machines: machines.entries,
            together,
            terms,
        })
    }

    /// What the section, and else the cutoff of the manifest, says about channels.
    fn defaults(
        &self,
        section: &ImageSection,
        own_cutoff: Option<&Located<ExcludeNewer>>,
        warnings: &mut Vec<Warning>,
    ) -> ChannelDefaults {
        let mut said = ChannelDefaults::of(section);
        if said.exclude_newer.is_none()
            && let Some(found) = own_cutoff
        {
            let args = &self.settings.build_args;
            let doubts = unrepeatable("exclude-newer", found, self.workspace.file, args);
            warnings.extend(doubts);
            said.exclude_newer = Some(found.value.clone());
        }
        said
    }

    /// The channels that are `listed`, or what replaces them.
    fn channels(
        &self,
        of_channels: &ChannelSettings<'_>,
        listed: &[Listed<'_>],
        warnings: &mut Vec<Warning>,
    ) -> Result<Channels, Diagnostic> {
        let (workspace, settings) = (self.workspace, self.settings);
        let mut channels = of_channels.channels();
        let place = workspace.at(workspace.lines());
        if settings.channels.is_empty() {
            channels::add(workspace, listed, &mut channels)?;
        } else {
            specs::channels(settings, &mut channels, place.lines)?;
        }
        if channels.or_fallback(place)? {
            const HELP: &str =
                "Add `channels = [\"conda-forge\"]`, so that other tools do the same.";
            warnings.push(unnamed(place, HELP));
        }
        Ok(channels)
    }

    /// The conda packages that the `others`, which are solved at once with the environment, ask for beyond its `own`.
    fn group(
        &self,
        others: &[Environment<'a>],
        own: &[RequestedSpec],
        channels: &mut Channels,
        refusals: &mut Refusals,
    ) -> Result<Vec<RequestedSpec>, Diagnostic> {
        let mut group = Vec::new();
        for other in others {
            let specs = self.specs(other, channels, refusals, &mut Vec::new())?;
            let is_new = |one: &RequestedSpec| {
                let mut known = own.iter().chain(&group);
                !known.any(|known| known.spec == one.spec)
            };
            let new: Vec<RequestedSpec> = specs.into_iter().filter(is_new).collect();
            group.extend(new);
        }
        Ok(group)
    }

    /// The conda packages that an environment asks for.
    fn specs(
        &self,
        environment: &Environment<'a>,
        channels: &mut Channels,
        refusals: &mut Refusals,
        warnings: &mut Vec<Warning>,
    ) -> Result<Vec<RequestedSpec>, Diagnostic> {
        let workspace = self.workspace;
        let mut list = DependencyList::default();
        let found = dependency::read(workspace, environment, channels, &mut list, refusals)?;
        warnings.extend(found);
        let has_default = environment.features.iter().any(Feature::is_default);
        // pixi adds it to the table of the default feature.
        let of_default = workspace.root.get("dependencies");
        let default_has_python = of_default.is_some_and(|table| table.get("python").is_some());
        if let Some((version, lines)) = python::requires_python(workspace)
            && has_default
            && !default_has_python
        {
            let place = workspace.at(lines);
            let version: String = version.chars().filter(|c| !c.is_whitespace()).collect();
            let spec = match_spec::read(&format!("python {version}"), channels, place)?;
            drop(list.push(spec, place));
        }
        if has_pypi(workspace, environment)? && !list.has("pip") {
            let first = environment.features.iter();
            let mut tables = first.flat_map(|one| workspace.tables(*one, &["pypi-dependencies"]));
            let lines = tables.next().map_or(workspace.lines(), |table| table.lines);
            list.add("pip", lines);
        }
        Ok(list.finish())
    }

    /// What the order of channels means; `None` if nothing says so.
    fn priority(
        &self,
        together: &Environment<'a>,
        refusals: &mut Refusals,
    ) -> Result<Option<ChannelPriority>, Diagnostic> {
        let features = together.features.iter();
        let of_features = features.filter(|one| !one.is_default());
        let of_features = of_features.filter_map(|one| one.table?.get("channel-priority"));
        let of_workspace = self.workspace.value("channel-priority");
        let mut said = None;
        for node in of_features.chain(of_workspace) {
            let place = self.workspace.at(node.lines);
            match node.text() {
                Some("strict") => said = said.or(Some(ChannelPriority::Strict)),
                // conda-workspaces has conda's, whose `flexible` is the solver's.
                Some("flexible") => said = said.or(Some(ChannelPriority::Flexible)),
                Some("disabled") => refusals.refuse(
                    place,
                    "`channel-priority = \"disabled\"` is not possible here: the order of the channels always matters",
                ),
                _ => {
                    return Err(place
                        .error("`channel-priority` must be \"strict\" or \"disabled\"")
                        .help("Remove it: strict is the default."));
                }
            }
        }
        for feature in &together.features {
            let own = feature.table.filter(|_| !feature.is_default());
            let own = own.and_then(|table| table.get("solve-strategy"));
            let strategy = own.or_else(|| self.workspace.value("solve-strategy"));
            if let Some(node) = strategy.filter(|node| node.text() != Some("highest")) {
                refusals.refuse(
                    self.workspace.at(node.lines),
                    "a build always chooses the highest versions",
                );
            }
        }
        Ok(said)
    }
}

/// Whether a dependency is pip.
fn is_pip(asked: &RequestedSpec) -> bool {
    let name = asked.spec.split(['[', ' ']).next().unwrap_or_default();
    name.rsplit(':').next() == Some("pip")
}

/// Whether an environment asks for PyPI packages.
fn has_pypi<'a>(
    workspace: &Workspace<'a>,
    environment: &Environment<'a>,
) -> Result<bool, Diagnostic> {
    for feature in &environment.features {
        let tables = workspace.tables(*feature, &["pypi-dependencies"]);
        let is_filled =
            |table: &&crate::yaml::Node| table.mapping().is_some_and(|all| !all.is_empty());
        if tables.iter().any(is_filled) || !python::requirements(workspace, *feature)?.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The features of environments that are solved together, each once. The default feature comes last.
fn together<'a>(environment: &Environment<'a>, others: &[Environment<'a>]) -> Environment<'a> {
    let all = std::iter::once(environment).chain(others);
    let mut features: Vec<Feature<'a>> = Vec::new();
    for feature in all.flat_map(|one| &one.features) {
        if !features.iter().any(|known| known.is(feature)) {
            features.push(*feature);
        }
    }
    features.sort_by_key(Feature::is_default);
    Environment {
        features,
        solve_group: None,
    }
}
