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
use crate::gateway::client::{Bridge, Evaluate, Reference};
use crate::gateway::error::{BuildError, GatewayError};
use crate::gateway::fetch::fetch_all;
use crate::gateway::options::Options;
use crate::gateway::{own_image, requirements};
use crate::graph::account::Account;
use crate::graph::downloads::Addresses;
use crate::graph::environment::{Environment, Layers, Micromamba, Owner, PREFIX};
use crate::graph::image::{self, Stacking};
use crate::image::config::ImageConfig;
use crate::input::{self, Rule, Warning};
use crate::install::facts::{ERROR_FILE, EnvironmentFacts, FACTS_FILE, FailureReport};
use crate::install::spec::{Installer, PostLinkPackage};
use crate::plan::groups::{self, Layers as LayerCount};
use crate::plan::{Plan, micromamba};
use crate::platform::Platform;
use crate::settings::Settings;
use crate::source::Diagnostic;

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
        self.warn(&warnings(Rule::NoBytecode, &facts.notices))
            .await?;
        self.warn(&warnings(Rule::Account, &found.notices)).await?;
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
        let reference = self.evaluate(&account.facts).await?;
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
            let step = layers
                .installed
                .iter()
                .position(|step| failed.contains(&step.layer.digest().to_string()));
            if let Some(index) = step {
                return Err(self
                    .explain(environment, index, &layers)
                    .await
                    .unwrap_or(error.into()));
            }
            let is_download = |output: &Output| failed.contains(&output.digest().to_string());
            if mended
                || error.is_cancelled()
                || !(failed.is_empty() || layers.downloads.iter().any(is_download))
            {
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

    /// Why an install step failed, at the package's line; `None` if that cannot be found out.
    async fn explain(
        &self,
        environment: &Environment<'_>,
        index: usize,
        layers: &Layers,
    ) -> Option<BuildError> {
        let facts = environment.explain(index, &layers.downloads).ok()?;
        let reference = self.evaluate(&facts).await.ok()?;
        let failure: FailureReport = self.read_json(&reference, ERROR_FILE).await.ok()?;
        let mut diagnostic = Diagnostic::new(failure.message);
        let group = &environment.plan.groups[index];
        if let Some(package) = failure
            .package
            .and_then(|position| group.packages.get(position))
        {
            let lines = environment.plan.packages[*package].lines;
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

    async fn warn(&self, warnings: &[Warning]) -> Result<(), BuildError> {
        let vertex = self.build_file.vertex.to_string();
        for warning in warnings {
            self.bridge.warn(&vertex, warning).await?;
        }
        Ok(())
    }
}

/// Steps' notices as findings of a rule.
fn warnings(rule: Rule, notices: &[String]) -> Vec<Warning> {
    let warning = |notice: &String| Warning {
        rule,
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
        let scripts = self.post_link_packages();
        if let (Input::Output(below), false) = (&root, scripts.is_empty()) {
            root = environment
                .post_link(below, scripts)
                .map_err(as_diagnostic)?
                .into();
            history.push(image::POST_LINK.to_owned());
        }
        let activation = self.activation(&root, user).await?;
        let files = activation::runtime_files(&activation.name, std::slice::from_ref(&activation));
        if let Input::Output(runtime) = environment.runtime(&files) {
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

    fn post_link_packages(&self) -> Vec<PostLinkPackage> {
        let packages = self
            .facts
            .post_link
            .iter()
            .filter_map(|index| self.facts.packages.get(*index));
        packages
            .map(|package| PostLinkPackage {
                name: package.name.clone(),
                version: package.version.clone(),
                build_number: package.build_number,
            })
            .collect()
    }

    /// The variables of the active environment, with what the packages' scripts set.
    async fn activation(
        &self,
        root: &Input,
        user: &User,
    ) -> Result<activation::Activation, BuildError> {
        let env_vars: Vec<(String, String)> = self.facts.env_vars.clone().into_iter().collect();
        let base_env = activation::with_user(self.base.config.env(), user);
        let mut environment = activation::Environment {
            name: "base",
            prefix: PREFIX,
            root_prefix: PREFIX,
            // These two put themselves there.
            condabin: self
                .facts
                .packages
                .iter()
                .any(|package| ["conda", "mamba"].contains(&package.name.as_str())),
            env_vars_d: &env_vars,
            variables: &[],
            recorded: None,
        };
        let plain = activation::activate(&base_env, &environment);
        if self.facts.activate_d.is_empty() {
            return Ok(plain);
        }
        let Input::Output(root) = root else {
            return Ok(plain);
        };
        let spec = RecordSpec {
            prefix: PREFIX.to_owned(),
            env: plain.env,
            uid: user.uid,
            gid: user.gid,
        };
        let facts = self
            .environment
            .record_activation(root, &spec)
            .map_err(as_diagnostic)?;
        let reference = self.session.evaluate(&facts).await?;
        let recorded: Recorded = self
            .session
            .read_json(&reference, activation::RECORDED_FILE)
            .await?;
        environment.recorded = Some(&recorded);
        Ok(activation::activate(&base_env, &environment))
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
