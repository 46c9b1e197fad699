//! The way from the user's options to an image: the only place that knows the order of things.

use std::collections::BTreeMap;

use buildkit_llb::caps::EXEC_MOUNT_CONTENT_CACHE;
use buildkit_llb::{Definition, Input, Output, SourceFile as LlbFile};
use buildkit_proto::gateway;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::account::{self, AccountFacts, User};
use crate::activation::{self, RecordSpec, Recorded};
use crate::context::named::{Finder, Found};
use crate::context::{self, BuildFile};
use crate::failure_report::{Culprit, FailureReport, REPORT_FILE};
use crate::gateway::client::{Bridge, Evaluate, Reference};
use crate::gateway::error::{BuildError, GatewayError};
use crate::gateway::fetch::fetch_all;
use crate::gateway::options::Options;
use crate::gateway::{own_image, requirements};
use crate::graph::account::Account;
use crate::graph::downloads::Addresses;
use crate::graph::environment::{Environment, Layers, Micromamba, PREFIX};
use crate::graph::image::{self, Stacking};
use crate::graph::step::Step;
use crate::image::config::ImageConfig;
use crate::input::{self, Rule, Warning};
use crate::install::facts::{EnvironmentFacts, FACTS_FILE, Notice, PackageFacts, Subject};
use crate::install::spec::{Installer, PostLinkPackage};
use crate::plan::groups::{self, Layers as LayerCount};
use crate::plan::{Plan, micromamba};
use crate::platform::Platform;
use crate::settings::Settings;
use crate::source::{Diagnostic, Lines};
use crate::stamp::Owner;

/// Builds what the user asked for.
///
/// # Errors
/// Whatever keeps the image from being built.
pub async fn build(bridge: &mut Bridge, options: &Options) -> Result<gateway::Result, BuildError> {
    let imports = options.cache_imports().map_err(as_diagnostic)?;
    bridge.import_caches(imports);
    let build_file = context::read_build_file(bridge, options).await?;
    let session = Session {
        settings: Settings::from_build_args(options.build_args())?,
        platform: platform(bridge, options)?,
        bridge,
        options,
        build_file: &build_file,
    };
    session.image().await
}

fn as_diagnostic(error: impl std::fmt::Display) -> Diagnostic {
    Diagnostic::new(error.to_string())
}

/// The one platform that is built for.
///
/// # Errors
/// When the options name another one than the engine's own.
pub fn platform(bridge: &Bridge, options: &Options) -> Result<Platform, Diagnostic> {
    let native = bridge
        .abilities()
        .build_platform
        .unwrap_or(Platform::LinuxAmd64);
    match options.platforms().map_err(as_diagnostic)?.as_slice() {
        [] => Ok(native),
        [one] if *one == native => Ok(native),
        [other] => Err(Diagnostic::new(format!(
            "this engine builds for {native}, and condafront {} cannot build for {other} on it",
            env!("CARGO_PKG_VERSION")
        ))
        .help(format!("Use a builder of the platform {other}."))),
        several => Err(Diagnostic::new(format!(
            "condafront {} builds for one platform at a time, not for {}",
            env!("CARGO_PKG_VERSION"),
            several.len()
        ))
        .help("Build once per platform and join the images with docker buildx imagetools create.")),
    }
}

/// One build.
struct Session<'a> {
    bridge: &'a Bridge,
    options: &'a Options,
    build_file: &'a BuildFile,
    settings: Settings,
    platform: Platform,
}

impl Session<'_> {
    fn finder(&self, platform: Platform) -> Finder<'_> {
        Finder {
            bridge: self.bridge,
            options: self.options,
            platform,
        }
    }

    async fn image(&self) -> Result<gateway::Result, BuildError> {
        let file = &self.build_file.file;
        let list = input::read(file, self.platform)?;
        self.warn(&list.warnings).await?;
        let stacking = self.stacking()?;
        let finder = self.finder(self.platform);
        let (base, frontend) = tokio::try_join!(
            finder.base(&self.settings.base),
            own_image::find(
                self.finder(
                    self.bridge
                        .abilities()
                        .build_platform
                        .unwrap_or(self.platform)
                )
            )
        )?;
        let layers = match (stacking, self.settings.layers) {
            (Stacking::Copy, _) => LayerCount::AtMost(1),
            (Stacking::Merge, layers) => layers.unwrap_or_default(),
        };
        let plan = Plan::new(list.packages, self.platform, layers);
        let micromamba = self.micromamba(&finder).await?;
        let mut environment = Environment {
            plan: &plan,
            file: LlbFile::new(
                file.name(),
                file.excerpt_of(plan.packages.iter().map(|package| package.lines)),
            )
            .language(file.language()),
            frontend: &frontend,
            base: base.state.output(),
            micromamba: micromamba.as_ref(),
            user: self.settings.owner(),
            no_cache: self.options.no_cache(),
            content_cache: self.bridge.abilities().has(EXEC_MOUNT_CONTENT_CACHE.id),
        };
        let account = environment
            .account(&self.settings.user)
            .map_err(as_diagnostic)?;
        let (mut installed, found) =
            tokio::try_join!(self.install(&environment), self.account_facts(&account))?;
        let owner = Owner {
            uid: found.user.uid,
            gid: found.user.gid,
        };
        if owner != environment.user {
            // The base already had an account of that name.
            environment.user = owner;
            installed = self.install(&environment).await?;
        }
        let (layers, facts) = installed;
        self.warn(&self.notices(&plan, &facts.notices)).await?;
        self.warn(&account_notices(&found.notices)).await?;
        let image = Image {
            session: self,
            environment: &environment,
            base: &base,
            stacking,
            layers: &layers,
            facts: &facts,
        };
        image.finish(&account, &found.user).await
    }

    async fn account_facts(&self, account: &Account) -> Result<AccountFacts, BuildError> {
        const HELP: &str =
            "The build-args MAMBA_USER, MAMBA_USER_ID and MAMBA_USER_GID choose the account.";
        let run = self.run(&account.facts, &account.step, |_| None);
        let reference = run.await.map_err(|error| match error {
            BuildError::Diagnostic(diagnostic) => BuildError::from(diagnostic.help(HELP)),
            error => error,
        })?;
        self.read_json(&reference, account::FACTS_FILE).await
    }

    /// How this engine can stack layers, and whether that is what the user asked for.
    fn stacking(&self) -> Result<Stacking, Diagnostic> {
        let merge = buildkit_llb::caps::MERGE_OP.id;
        if self.bridge.abilities().has(merge) {
            return Ok(Stacking::Merge);
        }
        match self.settings.layers {
            Some(LayerCount::AtMost(2..)) => {
                let mut diagnostic = requirements::missing(merge, self.bridge.abilities());
                let help = diagnostic.help.take().unwrap_or_default();
                Err(diagnostic.help(format!("{help} Or leave CONDAFRONT_LAYERS away: the image then has one layer of packages.")))
            }
            _ => Ok(Stacking::Copy),
        }
    }

    /// Downloads and links all packages, and reads what they bring.
    async fn install(
        &self,
        environment: &Environment<'_>,
    ) -> Result<(Layers, EnvironmentFacts), BuildError> {
        let mut addresses = Addresses::new(
            environment
                .fetched()
                .map(|package| self.settings.mirrors.candidates(&package.url)),
        );
        self.check_provenance(environment, &addresses)?;
        let mut mended = false;
        loop {
            let layers = environment.layers(&addresses).map_err(as_diagnostic)?;
            let error = match self.evaluate(&layers.facts).await {
                Ok(reference) => {
                    let facts = self.read_json(&reference, FACTS_FILE).await?;
                    return Ok((layers, facts));
                }
                Err(BuildError::Gateway(error)) => error,
                Err(error) => return Err(error),
            };
            let failed = error.vertices();
            if let Some(step) = layers.failing(&failed) {
                let explained = self.explain(step, |culprit| environment.lines(step, culprit));
                return Err(explained.await.unwrap_or(error.into()));
            }
            // The failing operation may be one of another build that fetches the same package from elsewhere: BuildKit
            // joins the two.
            if mended || error.is_cancelled() {
                return Err(error.into());
            }
            fetch_all(
                self.bridge,
                environment,
                &mut addresses,
                &self.build_file.file,
            )
            .await?;
            mended = true;
        }
    }

    /// Refuses to build what would put a secret into the image: provenance lists the URLs of all sources that the build
    /// asked for, and BuildKit takes only users and passwords out of them.
    fn check_provenance(
        &self,
        environment: &Environment<'_>,
        addresses: &Addresses,
    ) -> Result<(), Diagnostic> {
        if self.options.get("attest:provenance").is_none() {
            return Ok(());
        }
        let mut fetched = environment.fetched().enumerate();
        let Some((index, package)) =
            fetched.find(|(index, _)| addresses.get(*index).url().has_secret_path())
        else {
            return Ok(());
        };
        let url = addresses.get(index).url();
        let mut diagnostic = Diagnostic::new(format!(
            "the token in {url} would get into the image's provenance, for everyone to read"
        ));
        // The installer is in no file.
        if index < environment.plan.packages.len() {
            diagnostic = diagnostic.at(&self.build_file.file, package.lines);
        }
        Err(diagnostic.help(format!(
            "Build with --provenance=false, or give the token with --secret id=HTTP_AUTH_TOKEN_{},env=… instead (BuildKit 0.23 or later).",
            url.host()
        )))
    }

    /// Runs a step for `output`. If that fails, the error says why, at the lines of whatever is to blame.
    async fn run(
        &self,
        output: &Output,
        step: &Step,
        lines: impl Fn(&Culprit) -> Option<Lines>,
    ) -> Result<Reference, BuildError> {
        match self.evaluate(output).await {
            Err(BuildError::Gateway(error))
                if error.vertices().contains(&output.digest().to_string()) =>
            {
                Err(self.explain(step, lines).await.unwrap_or(error.into()))
            }
            outcome => outcome,
        }
    }

    /// Why a step failed; `None` if that cannot be found out.
    async fn explain(
        &self,
        step: &Step,
        lines: impl Fn(&Culprit) -> Option<Lines>,
    ) -> Option<BuildError> {
        let reference = self.evaluate(&step.explain()).await.ok()?;
        let report: FailureReport = self.read_json(&reference, REPORT_FILE).await.ok()?;
        let mut diagnostic = Diagnostic::new(report.message);
        diagnostic.help = report.help;
        if let Some(lines) = report.culprit.as_ref().and_then(lines) {
            diagnostic = diagnostic.at(&self.build_file.file, lines);
        }
        Some(diagnostic.into())
    }

    async fn evaluate(&self, output: &Output) -> Result<Reference, BuildError> {
        self.solve(output, Evaluate::Now).await
    }

    async fn solve(&self, output: &Output, evaluate: Evaluate) -> Result<Reference, BuildError> {
        let definition = Definition::of(output);
        requirements::check(&definition, self.bridge.abilities())?;
        Ok(self
            .bridge
            .solve(definition.to_pb().clone(), evaluate)
            .await?)
    }

    async fn read_json<T: DeserializeOwned>(
        &self,
        from: &Reference,
        path: &str,
    ) -> Result<T, BuildError> {
        let bytes = self.bridge.read_file(from, path).await?;
        serde_json::from_slice(&bytes).map_err(|error| {
            GatewayError::session(format!(
                "a step of the build left an unreadable {path}: {error}"
            ))
            .into()
        })
    }

    /// What install steps noticed, as findings at the packages' lines.
    fn notices(&self, plan: &Plan, notices: &[Notice]) -> Vec<Warning> {
        let warning = |notice: &Notice| {
            let mut diagnostic = Diagnostic::new(&notice.message);
            if let Some(package) = notice.package.and_then(|index| plan.packages.get(index)) {
                diagnostic = diagnostic.at(&self.build_file.file, package.lines);
            }
            let rule = match notice.subject {
                Subject::Bytecode => Rule::NoBytecode,
                Subject::Contents => Rule::PackageContents,
            };
            Warning { rule, diagnostic }
        };
        notices.iter().map(warning).collect()
    }

    async fn warn(&self, warnings: &[Warning]) -> Result<(), BuildError> {
        let vertex = self.build_file.vertex.to_string();
        for warning in warnings {
            self.bridge.warn(&vertex, warning).await?;
        }
        Ok(())
    }
}

/// What the account step noticed, as findings.
fn account_notices(notices: &[String]) -> Vec<Warning> {
    let warning = |notice: &String| Warning {
        rule: Rule::Account,
        diagnostic: Diagnostic::new(notice),
    };
    notices.iter().map(warning).collect()
}

/// The image of an environment whose packages are linked.
struct Image<'a> {
    session: &'a Session<'a>,
    environment: &'a Environment<'a>,
    base: &'a Found,
    stacking: Stacking,
    layers: &'a Layers,
    facts: &'a EnvironmentFacts,
}

impl Image<'_> {
    /// Puts everything together.
    async fn finish(&self, account: &Account, user: &User) -> Result<gateway::Result, BuildError> {
        let environment = self.environment;
        let order = groups::stacking_order(&environment.plan.groups, |package| {
            self.facts
                .packages
                .get(package)
                .map_or(0, |facts| facts.size)
        });
        let stack = environment
            .stack(account, &self.layers.installed, order, &self.facts.clashes)
            .map_err(as_diagnostic)?;
        let mut history = stack.names();
        let mut root = stack.on(&self.base.state, self.stacking);
        if let Input::Output(below) = &root
            && !self.facts.post_link.is_empty()
        {
            root = self.post_link(below).await?.into();
            history.push(image::POST_LINK.to_owned());
        }
        let mut facts = vec![self.layers.facts.clone(), account.facts.clone()];
        let recorded = match &root {
            Input::Output(root) if !self.facts.activate_d.is_empty() => {
                let (recorded, output) = self.record_activation(root, user).await?;
                facts.push(output);
                Some(recorded)
            }
            _ => None,
        };
        let activation = self.activation(user, recorded.as_ref());
        let files = activation::runtime_files(&activation.name, std::slice::from_ref(&activation));
        if let Input::Output(runtime) = environment.runtime(&files, &facts) {
            root = self.stacking.stack(
                root,
                &[(runtime, image::RUNTIME.to_owned())],
                "[image] put the layers together",
            );
            history.push(image::RUNTIME.to_owned());
        }
        let mut config = self.base.config.clone();
        config.set_env(&activation.env);
        config.set_user(user.uid, user.gid);
        config.set_entrypoint(&[activation::ENTRYPOINT]);
        config.add_labels(self.session.options.labels());
        config.add_history(&history);
        self.session.result(&root, &config).await
    }

    /// Runs the packages' post-link scripts now, so that what they say is seen if one fails.
    async fn post_link(&self, below: &Output) -> Result<Output, BuildError> {
        let indices = &self.facts.post_link;
        let packages = indices
            .iter()
            .filter_map(|index| self.facts.packages.get(*index));
        let packages = packages
            .map(|package| PostLinkPackage {
                name: package.name.clone(),
                version: package.version.clone(),
                build_number: package.build_number,
            })
            .collect();
        let (linked, step) = self
            .environment
            .post_link(below, packages, indices)
            .map_err(as_diagnostic)?;
        let lines = |culprit: &Culprit| self.environment.lines(&step, culprit);
        self.session.run(&linked, &step, lines).await?;
        Ok(linked)
    }

    /// The lines of the package that has the file `path`, relative to the prefix.
    fn owner_of(&self, path: &str) -> Option<Lines> {
        let has = |package: &PackageFacts| package.activate_d.iter().any(|script| script == path);
        let index = self.facts.packages.iter().rposition(has)?;
        Some(self.environment.plan.packages.get(index)?.lines)
    }

    /// The variables of the active environment, with what its scripts set.
    fn activation(&self, user: &User, recorded: Option<&Recorded>) -> activation::Activation {
        let env_vars: Vec<(String, String)> = self.facts.env_vars.clone().into_iter().collect();
        // These two put themselves there.
        let condabin = self
            .facts
            .packages
            .iter()
            .any(|package| ["conda", "mamba"].contains(&package.name.as_str()));
        let environment = activation::Environment {
            name: "base",
            prefix: PREFIX,
            root_prefix: PREFIX,
            condabin,
            env_vars_d: &env_vars,
            variables: &[],
            recorded,
        };
        let base_env = activation::with_user(self.base.config.env(), user);
        activation::activate(&base_env, &environment)
    }

    /// What the packages' activation scripts set in the image `root`, and the step that found it out.
    async fn record_activation(
        &self,
        root: &Output,
        user: &User,
    ) -> Result<(Recorded, Output), BuildError> {
        let spec = RecordSpec {
            prefix: PREFIX.to_owned(),
            env: self.activation(user, None).env,
            uid: user.uid,
            gid: user.gid,
        };
        let (facts, step) = self
            .environment
            .record_activation(root, &spec)
            .map_err(as_diagnostic)?;
        let lines = |culprit: &Culprit| match culprit {
            Culprit::File(path) => self.owner_of(path),
            Culprit::Package(_) => None,
        };
        let reference = self.session.run(&facts, &step, lines).await?;
        let recorded = self
            .session
            .read_json(&reference, activation::RECORDED_FILE)
            .await?;
        Ok((recorded, facts))
    }
}

impl Session<'_> {
    /// The result as BuildKit takes it.
    async fn result(
        &self,
        root: &Input,
        config: &ImageConfig,
    ) -> Result<gateway::Result, BuildError> {
        let reference = match root {
            Input::Output(output) => self.solve(output, Evaluate::Lazily).await?.to_proto(),
            Input::Scratch => gateway::Ref::default(),
        };
        let platform = self.platform;
        let id = platform.to_string();
        let platforms = json!({"Platforms": [{
            "ID": id,
            "Platform": {"os": platform.os(), "architecture": platform.architecture()},
        }]});
        let mut metadata = BTreeMap::from([(
            "refs.platforms".to_owned(),
            platforms.to_string().into_bytes(),
        )]);
        let (result, suffix) = if self.options.is_multi_platform() {
            let refs = gateway::RefMap {
                refs: BTreeMap::from([(id.clone(), reference)]),
            };
            (gateway::result::Result::Refs(refs), format!("/{id}"))
        } else {
            (gateway::result::Result::Ref(reference), String::new())
        };
        metadata.insert(format!("containerimage.config{suffix}"), config.to_json());
        Ok(gateway::Result {
            result: Some(result),
            metadata,
            ..Default::default()
        })
    }

    /// The micromamba that installs, if it is the one who does: a named context `micromamba`, or conda-forge's package.
    async fn micromamba(&self, finder: &Finder<'_>) -> Result<Option<Micromamba>, BuildError> {
        if self.settings.installer == Installer::Native {
            return Ok(None);
        }
        if let Some(found) = finder.named("micromamba").await? {
            return match found.state {
                Input::Output(from) => Ok(Some(Micromamba::Given {
                    from,
                    pinned: found.pinned,
                })),
                Input::Scratch => {
                    Err(Diagnostic::new("the named context micromamba is empty").into())
                }
            };
        }
        let package = micromamba::package(&self.settings.micromamba, self.platform)?;
        let warning = micromamba::warning(&package, &self.settings.micromamba);
        self.warn(warning.as_slice()).await?;
        Ok(Some(Micromamba::Package(Box::new(package))))
    }
}
