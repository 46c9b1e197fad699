//! Packages of a pixi.lock that are newer than its manifest or env.yml allows.

use std::sync::Arc;
use std::time::SystemTime;

use rattler_conda_types::{MatchSpec, Matches as _};
use rattler_lock::CondaBinaryData;

use super::{Check, OwnLock, Stale, Surroundings, address};
use crate::environment_input::{EnvironmentInput, SolveRequest};
use crate::lock_terms::CutoffTerm;
use crate::match_spec;
use crate::own_lock::kind::LockKind;
use crate::pixi_lock;
use condafront_model::cutoff::{Cutoff, Limit, day};
use condafront_model::source::{Diagnostic, SourceFile};
use condafront_step_spec::solve::ExcludeNewer;

/// How new packages may be.
struct Dates<'a> {
    limits: &'a ExcludeNewer<Limit>,
    /// The addresses of the channels, which the limits mean by their index.
    channels: &'a [String],
    /// Packages that may be newer; with a limit, up to it.
    exempt: Vec<(MatchSpec, Option<Limit>)>,
    /// From when an age counts. What was old enough when the lock was written still is.
    now: SystemTime,
}

/// Which of the limits a package has.
enum Which<'a> {
    General,
    OfName(&'a str),
    OfChannel(usize),
}

impl<'a> Dates<'a> {
    fn new(limits: &'a ExcludeNewer<Limit>, channels: &'a [String], now: SystemTime) -> Self {
        let exempt = limits.packages.iter();
        Self {
            limits,
            channels,
            exempt: exempt
                .filter_map(|(spec, limit)| Some((match_spec::parsed(spec)?, *limit)))
                .collect(),
            now,
        }
    }

    /// The limit that a package exceeds, and what the package is.
    fn exceeded<'p>(&self, package: &'p CondaBinaryData) -> Option<(Which<'p>, String)> {
        let record = &package.package_record;
        let time = record.indexed_timestamp.or(record.timestamp)?;
        let time = Cutoff::at(time.into());
        let (limit, which) = self.limit(package);
        let is_allowed = |limit: Limit| time <= limit.latest(self.now);
        let is_exempt = |(spec, limit): &(MatchSpec, Option<Limit>)| {
            limit.is_none_or(is_allowed) && spec.matches(record)
        };
        if is_allowed(limit?) || self.exempt.iter().any(is_exempt) {
            return None;
        }
        let shown = format!(
            "{} {} of {}",
            record.name.as_normalized(),
            record.version,
            day(time.time())
        );
        Some((which, shown))
    }

    /// How new a package may be.
    fn limit<'p>(&self, package: &'p CondaBinaryData) -> (Option<Limit>, Which<'p>) {
        let name = package.package_record.name.as_normalized();
        if let Some(limit) = self.limits.by_name.get(name) {
            return (*limit, Which::OfName(name));
        }
        let channel = package.channel.as_ref();
        let channel = channel.map(|channel| address(channel.as_str()));
        let mut channels = self.channels.iter();
        let index = channels.position(|one| Some(one) == channel.as_ref());
        match index.and_then(|index| self.limits.channels.get_key_value(&index)) {
            Some((index, limit)) => (*limit, Which::OfChannel(*index)),
            None => (self.limits.cutoff, Which::General),
        }
    }
}

impl Check<'_> {
    /// A package that is newer than the manifest allows, for any platform, as in pixi.
    pub(super) fn too_new(&self, asked: &CutoffTerm, now: SystemTime) -> Option<Stale> {
        let channels = self.terms.channels.as_ref();
        let channels = channels.map_or(&[][..], |channels| &channels.value);
        let dates = Dates::new(&asked.limits, channels, now);
        let of_platforms = self.environment.conda_packages_by_platform();
        let mut packages = of_platforms.flat_map(|(_, packages)| packages);
        let (which, package) = packages.find_map(|package| dates.exceeded(package.as_binary()?))?;
        let own = match which {
            Which::General => None,
            Which::OfName(name) => asked.by_name.get(name),
            Which::OfChannel(index) => asked.channels.get(&index),
        };
        Some(Stale {
            what: format!("has {package}, which is newer than this line allows"),
            lines: own.copied().unwrap_or(asked.lines),
        })
    }
}

impl OwnLock {
    /// Checks that an env.yml's own pixi.lock `file` has no packages, for the image's platform, that are newer than a solve of
    /// `input` would allow. Other locks do not say how old their packages are.
    ///
    /// # Errors
    /// A diagnostic at what sets the limit.
    pub(in crate::own_lock) fn check_dates(
        &self,
        input: &EnvironmentInput,
        request: &SolveRequest,
        file: &Arc<SourceFile>,
        surroundings: &Surroundings<'_>,
    ) -> Result<(), Diagnostic> {
        let Some(limits) = &request.exclude_newer else {
            return Ok(());
        };
        let settings = surroundings.settings;
        let chosen = pixi_lock::chosen(file, self.platform, settings)?;
        let environment = chosen.lock.environment(&chosen.environment);
        let platform = chosen.lock.platform(&chosen.platform);
        let Some((environment, platform)) = environment.zip(platform) else {
            return Ok(());
        };
        let channels = request.channels.iter();
        let channels: Vec<String> = channels
            .map(|channel| address(&channel.url.recorded()))
            .collect();
        let dates = Dates::new(limits, &channels, surroundings.now);
        let newer = environment
            .packages(platform)
            .into_iter()
            .flatten()
            .find_map(|package| dates.exceeded(package.as_binary_conda()?));
        let Some((which, package)) = newer else {
            return Ok(());
        };
        let own = input.section.exclude_newer.as_ref();
        let (limit, lines) = match (which, own) {
            (Which::General, _) if settings.exclude_newer.is_some() => {
                ("the build-arg CONDA_EXCLUDE_NEWER", self.lines)
            }
            (_, Some(own)) => ("this line", own.lines),
            (_, None) => ("the image file's `exclude_newer`", self.lines),
        };
        let lock = self.shown();
        let message = format!("`{lock}` has {package}, which is newer than {limit} allows");
        let help = self.renew(LockKind::of(file));
        Err(self.error_at(message, lines).help(help))
    }
}
