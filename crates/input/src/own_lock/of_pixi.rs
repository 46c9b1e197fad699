//! Whether a pixi.lock was written for what its manifest says, apart from the dependencies. These are pixi's own checks, as far
//! as an image of one environment depends on them (`crates/pixi_core/src/lock_file/satisfiability` of its source).

mod indexes;
mod machines;
mod project;
mod superfluous;
mod too_new;
mod unmet;

use std::collections::BTreeSet;
use std::str::FromStr as _;

use rattler_conda_types::Version;
use rattler_lock::options::{ChannelPriority, SolveStrategy};
use rattler_lock::{
    Environment, LockedPackage, Platform as LockPlatform, PypiPackageData, PypiPrereleaseMode,
    UrlOrPath,
};

use super::{OwnLock, Surroundings};
use crate::environment_input::SolveRequest;
use crate::lock_terms::{LockTerms, OptionKind, OptionTerm, PypiTerms};
use crate::pixi_lock::{self, ChosenLock};
use crate::requirements::List;
use condafront_model::channel::NO_DEFAULTS;
use condafront_model::package::PackageUrl;
use condafront_model::pypi_package::normalized;
use condafront_model::redact::{masked, quoted};
use condafront_model::source::{Diagnostic, Lines, SourceFile};

use std::sync::Arc;
use std::time::SystemTime;

/// What a lock has that its manifest does not mean, and where the manifest says so.
pub(super) struct Stale {
    /// What it has, after the lock's name.
    what: String,
    lines: Lines,
}

/// A lock, and what it must have been written for.
struct Check<'a> {
    terms: &'a LockTerms,
    environment: Environment<'a>,
    platform: Option<LockPlatform<'a>>,
    /// The manifest's name.
    manifest: &'a str,
}

impl OwnLock {
    /// Checks that the lock `file` was written for what the manifest says now, whose dependencies it satisfies. `asked` is what
    /// they are, and `list` the PyPI packages among them.
    ///
    /// # Errors
    /// A diagnostic at the line that the lock was not written for.
    pub(super) fn check_terms(
        &self,
        asked: &SolveRequest,
        list: &List,
        terms: &LockTerms,
        file: &Arc<SourceFile>,
        surroundings: &Surroundings<'_>,
    ) -> Result<(), Diagnostic> {
        let settings = surroundings.settings;
        let chosen = pixi_lock::chosen(file, self.platform, settings)?;
        let check = Check::of(&chosen, terms, self.file.name());
        let here = |stale| (&self.file, stale);
        let stale = check.and_then(|check| {
            let stale = check.stale(asked, surroundings.now).map(here);
            stale
                .or_else(|| check.projects(surroundings.projects))
                .or_else(|| check.unmet(asked, list, self.platform, settings).map(here))
                .or_else(|| check.superfluous(asked, list, settings).map(here))
        });
        let Some((place, Stale { what, lines })) = stale else {
            return Ok(());
        };
        let kind = super::LockKind::of(file);
        let message = format!("`{}` {what}", self.shown());
        let error = Diagnostic::new(message).at(place, lines);
        Err(error.help(self.renew(kind)))
    }
}

impl<'a> Check<'a> {
    fn of(chosen: &'a ChosenLock, terms: &'a LockTerms, manifest: &'a str) -> Option<Self> {
        Some(Self {
            terms,
            environment: chosen.lock.environment(&chosen.environment)?,
            platform: chosen.lock.platform(&chosen.platform),
            manifest,
        })
    }

    /// The first thing that the lock was not written for.
    fn stale(&self, asked: &SolveRequest, now: SystemTime) -> Option<Stale> {
        let pypi = self.terms.pypi.as_ref();
        self.channels()
            .or_else(|| self.platforms(asked))
            .or_else(|| self.drivers(asked))
            .or_else(|| pypi.and_then(|pypi| self.indexes(pypi)))
            .or_else(|| pypi.and_then(|pypi| self.builds(pypi)))
            .or_else(|| self.terms.options.iter().find_map(|one| self.option(one)))
            .or_else(|| {
                let cutoffs = self.terms.exclude_newer.as_ref()?;
                self.too_new(cutoffs, now)
            })
            .or_else(|| self.project())
    }

    /// The packages for the image's platform.
    fn packages(&self) -> impl Iterator<Item = &'a LockedPackage> {
        self.packages_of(self.environment)
    }

    /// Those of one of the lock's environments.
    fn packages_of(&self, environment: Environment<'a>) -> impl Iterator<Item = &'a LockedPackage> {
        let packages = self.platform.and_then(|one| environment.packages(one));
        packages
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .into_iter()
    }

    fn pypi(&self) -> impl Iterator<Item = &'a PypiPackageData> {
        self.packages().filter_map(LockedPackage::as_pypi)
    }

    /// Says at `lines`, or at the table about the project, that the lock was written for `what`.
    fn written_for(&self, what: &str, lines: Option<Lines>) -> Stale {
        match lines {
            Some(lines) => Stale {
                what: format!("was written for {what}, which is not what this line says"),
                lines,
            },
            None => Stale {
                what: format!(
                    "was written for {what}, which {} does not say",
                    self.manifest
                ),
                lines: self.terms.lines,
            },
        }
    }

    fn channels(&self) -> Option<Stale> {
        let asked = self.terms.channels.as_ref()?;
        let locked = self.environment.channels().iter();
        let locked = locked.map(|channel| address(&channel.url));
        let mut locked: Vec<String> = locked.filter(|url| !is_none(url)).collect();
        locked.dedup();
        // A name is conda's own, and what stands for credentials only matters to the tool that wrote it.
        let is_certain =
            |channel: &String| channel.contains("://") && !channel.contains(['$', '<', '*']);
        let is_known = !locked.is_empty() && locked.iter().all(is_certain);
        if !is_known || locked == asked.value {
            return None;
        }
        let sorted = |all: &[String]| all.iter().cloned().collect::<BTreeSet<_>>();
        let what = if sorted(&locked) == sorted(&asked.value) {
            "the channels in a different order"
        } else {
            "different channels"
        };
        let locked = masked(&locked.join(", "));
        Some(Stale {
            what: format!("was written for {what}: {locked}"),
            lines: asked.lines,
        })
    }

    fn platforms(&self, asked: &SolveRequest) -> Option<Stale> {
        if asked.platforms.is_empty() {
            return None;
        }
        let locked = self.environment.platforms().map(|one| one.subdir());
        let locked: BTreeSet<String> = locked.map(|subdir| subdir.as_str().to_owned()).collect();
        let is_asked = |subdir: &&String| asked.platforms.iter().any(|one| one.subdir == **subdir);
        let other = locked.iter().find(|subdir| !is_asked(subdir))?;
        Some(Stale {
            what: format!("has packages for {other}, which is not one of the platforms"),
            lines: self.terms.platforms,
        })
    }

    /// The version of CUDA that the lock was written for, if it says what machines it is for.
    fn drivers(&self, asked: &SolveRequest) -> Option<Stale> {
        let platform = self.platform?;
        let locked = platform.virtual_packages();
        let cuda = locked.iter().find_map(|one| one.strip_prefix("__cuda="));
        let cuda = cuda.map(|cuda| cuda.split('=').next().unwrap_or_default());
        let version = cuda.and_then(|cuda| Version::from_str(cuda).ok());
        let expected = machines::expected_cuda(asked);
        if locked.is_empty() || version == expected {
            return None;
        }
        let mut specs = asked.specs.iter();
        let own = specs.find(|one| one.spec.starts_with("__cuda "));
        let own = own.map(|one| one.lines);
        Some(match cuda {
            Some(cuda) => self.written_for(&format!("CUDA {}", quoted(cuda)), own),
            None => Stale {
                what: "was written for machines without CUDA".to_owned(),
                lines: own.unwrap_or(self.terms.platforms),
            },
        })
    }

    fn option(&self, asked: &OptionTerm) -> Option<Stale> {
        let options = self.environment.solve_options();
        let word = match asked.kind {
            OptionKind::Strategy => match options.strategy {
                SolveStrategy::Highest => "highest",
                SolveStrategy::LowestVersion => "lowest",
                SolveStrategy::LowestVersionDirect => "lowest-direct",
            },
            OptionKind::ChannelPriority => match options.channel_priority {
                ChannelPriority::Strict => "strict",
                ChannelPriority::Flexible => "flexible",
                ChannelPriority::Disabled => "disabled",
            },
            OptionKind::PrereleaseMode => match options.pypi_prerelease_mode {
                PypiPrereleaseMode::Disallow => "disallow",
                PypiPrereleaseMode::Allow => "allow",
                PypiPrereleaseMode::IfNecessary => "if-necessary",
                PypiPrereleaseMode::Explicit => "explicit",
                PypiPrereleaseMode::IfNecessaryOrExplicit => "if-necessary-or-explicit",
            },
        };
        if asked.words.iter().any(|one| one == word) {
            return None;
        }
        Some(self.written_for(&format!("`{} = \"{word}\"`", asked.kind.key()), asked.lines))
    }

    /// A package that would have to be built, or must be, and where the manifest says the contrary.
    fn builds(&self, asked: &PypiTerms) -> Option<Stale> {
        self.pypi().find_map(|package| {
            let name = normalized(package.name().as_ref());
            let location = package.location().inner();
            let is_path = matches!(location, UrlOrPath::Path(_));
            let is_wheel = file_name(location).ends_with(".whl");
            let (lines, what) = if is_wheel {
                (
                    asked.no_binary.lines_of(&name)?,
                    "a wheel, which this line does not allow",
                )
            } else if is_path && asked.editable.contains(&name) {
                return None;
            } else {
                (
                    asked.no_build.lines_of(&name)?,
                    "source code, which this line does not allow to build",
                )
            };
            Some(Stale {
                what: format!("has {} as {what}", quoted(&name)),
                lines,
            })
        })
    }
}

/// The address of a channel as the manifest's channels have it.
fn address(text: &str) -> String {
    let recorded = url::Url::parse(text).map(|url| PackageUrl::new(url).recorded().to_string());
    let text = recorded.unwrap_or_else(|_| text.to_owned());
    text.trim_end_matches('/').to_owned()
}

/// Whether this is the address of what only looks like a channel.
fn is_none(channel: &str) -> bool {
    channel.rsplit('/').next() == Some(NO_DEFAULTS)
}

/// The name of a file or folder.
fn file_name(location: &UrlOrPath) -> String {
    let path = match location {
        UrlOrPath::Url(url) => url.path().to_owned(),
        UrlOrPath::Path(path) => path.as_str().replace('\\', "/"),
    };
    path.rsplit('/').next().unwrap_or_default().to_owned()
}
