//! The arguments of the solve's steps and their answers.
//!
//! The arguments are part of a step's cache key, so they contain only what affects the answer or its explanation. There are no line
//! numbers and no file names: a new comment in env.yml, or another order of its keys, does not cause another solve. The
//! answer contains no secrets: channels are named without credentials.

mod answer;

pub use answer::{Details, SolvedPackage};

use std::collections::BTreeMap;

use crate::account::Libc;
use serde::{Deserialize, Serialize};

use crate::args::StepSpec;
use condafront_model::channel::ChannelPriority;
use condafront_model::cutoff::Cutoff;
use condafront_model::origin::Origin;
use condafront_model::redact;

/// The file that the step writes to its output directory: a list of [`SolvedPackage`], by name.
pub const PACKAGES_FILE: &str = "packages.json";

/// The file with the reachable records of a repodata file: a JSON object with a list of records for each package name.
pub const RECORDS_FILE: &str = "records.json";

/// The list of a subdir's shards (<https://conda.org/learn/ceps/cep-0016>).
pub const SHARDS_FILE: &str = "repodata_shards.msgpack.zst";

/// The file that says which lists of shards cannot be used: a list of [`Unusable`].
pub const UNUSABLE_FILE: &str = "unusable.json";

/// One solve.
///
/// Arguments: `solve SPEC REPODATA…`, where every argument after `solve` is a JSON value; repodata `n` is a file in `/in/<n>`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SolveSpec {
    /// The platform to solve for, by conda's name: `linux-64`.
    pub subdir: String,
    /// The channels, highest priority first.
    pub channels: Vec<SolveChannel>,
    /// What the order of the channels means.
    pub priority: ChannelPriority,
    /// The requested MatchSpecs. A channel in one of them is the address of one of the channels.
    pub specs: Vec<String>,
    /// How many of them, from the first on, the answer is for. The others, of environments that are solved together with this
    /// one, only influence the choice. `None` means all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own: Option<usize>,
    /// What the image's machine provides.
    pub system: System,
    /// Which packages are too new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exclude_newer: Option<ExcludeNewer>,
    /// Whether pip only comes with python if something asks for it. conda and mamba always add it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub without_pip: bool,
    /// What a failure can say about the file.
    #[serde(default, skip_serializing_if = "Origin::is_unknown")]
    pub origin: Origin,
    /// Packages that stay where they can, by address, without the suffix that says how they are packed.
    #[serde(default, skip_serializing_if = "Kept::is_empty")]
    pub kept: Kept,
    /// The archives, without suffixes, of packages that are already installed: no others with their names can be chosen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub installed: Vec<String>,
}

/// A channel of a solve.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SolveChannel {
    /// Its name in messages.
    pub name: String,
    /// Its URL, without credentials and without a trailing slash.
    pub url: String,
    /// Channels of the same group have equal priority, like those of `defaults`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
}

/// Which packages a solve leaves out because they are too new.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExcludeNewer<C = Cutoff> {
    /// Those from after this time; `None` if only some channels or packages have a cutoff.
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    pub cutoff: Option<C>,
    /// Other cutoffs for channels, by their index into [`SolveSpec::channels`]; `None` leaves out none of a channel's packages.
    #[serde(default = "BTreeMap::new", skip_serializing_if = "BTreeMap::is_empty")]
    pub channels: BTreeMap<usize, Option<C>>,
    /// Packages that may be newer, as MatchSpecs; with a cutoff, those up to it.
    #[serde(default = "BTreeMap::new", skip_serializing_if = "BTreeMap::is_empty")]
    pub packages: BTreeMap<String, Option<C>>,
    /// The cutoffs of packages, by name, instead of those of their channels and of all; `None` leaves out none of a package's
    /// versions.
    #[serde(default = "BTreeMap::new", skip_serializing_if = "BTreeMap::is_empty")]
    pub by_name: BTreeMap<String, Option<C>>,
}

/// Nothing, for content of any kind.
fn none<C>() -> Option<C> {
    None
}

/// What stays of an earlier answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept<P = String> {
    /// The packages that stay where they can.
    pub packages: Vec<P>,
    /// The names of those that do not: they are as in a new answer, whatever that means for the others.
    #[serde(default = "Vec::new", skip_serializing_if = "Vec::is_empty")]
    pub upgrade: Vec<String>,
}

/// The source of the virtual packages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct System {
    /// The C library.
    pub glibc: Glibc,
    /// The build string of `__archspec`: archspec's name of the microarchitecture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archspec: Option<String>,
    /// The version of `__cuda`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cuda: Option<String>,
    /// The version and the build string of `__cuda_arch`: `8.6=0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cuda_arch: Option<String>,
}

/// Whether there is a glibc, and how that is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Glibc {
    /// The base image has this version.
    Base(String),
    /// The base image has musl instead.
    BaseHasMusl,
    /// The base image has no C library.
    BaseHasNone,
    /// `CONDA_OVERRIDE_GLIBC` gives this version.
    Override(String),
    /// `CONDA_OVERRIDE_GLIBC` is empty.
    OverrideNone,
}

/// One repodata file of a solve.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RepodataSpec {
    /// The channel, as an index into [`SolveSpec::channels`].
    pub channel: usize,
    /// Its subdir: `linux-64` or `noarch`.
    pub subdir: String,
    /// The file's name: `repodata.json.zst`, `repodata.json`, [`SHARDS_FILE`] or [`RECORDS_FILE`].
    pub file: String,
    /// Where a list of shards came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

/// The search for the records that the dependencies of a solve can reach.
///
/// Arguments: `reach SPEC REPODATA…`, as for the solve. The records of repodata `n` are written to `/out/<n>`. If there are
/// lists of shards, those that cannot be used are written to `/facts`, and then there are no records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ReachSpec(pub SolveSpec);

/// A list of shards that cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unusable {
    /// The repodata file, by its index.
    pub file: usize,
    /// Whether the network or the server is to blame, so that another build may be able to use them.
    pub may_pass: bool,
}

impl SolveSpec {
    /// A solve for tests: of the packages that the specs ask for, from channels by their names and addresses, for linux-64
    /// with glibc 2.36 and without CUDA.
    #[doc(hidden)]
    pub fn example<'a>(
        channels: impl IntoIterator<Item = (&'a str, String)>,
        specs: &[&str],
    ) -> Self {
        let channel = |(name, url): (&str, String)| SolveChannel {
            name: name.to_owned(),
            url,
            group: None,
        };
        Self {
            subdir: "linux-64".to_owned(),
            channels: channels.into_iter().map(channel).collect(),
            priority: ChannelPriority::Strict,
            specs: specs.iter().map(|spec| (*spec).to_owned()).collect(),
            own: None,
            system: System {
                glibc: Glibc::Base("2.36".to_owned()),
                archspec: Some("x86_64".to_owned()),
                cuda: None,
                cuda_arch: None,
            },
            exclude_newer: None,
            without_pip: false,
            origin: Origin::default(),
            kept: Kept::default(),
            installed: Vec::new(),
        }
    }

    /// The search for the records that this solve can reach. It does not depend on how the packages are chosen or explained.
    pub fn reach(&self) -> ReachSpec {
        ReachSpec(Self {
            origin: Origin::default(),
            kept: Kept::default(),
            installed: Vec::new(),
            own: None,
            ..self.clone()
        })
    }

    /// The same solve with the reachable records alone, which has no explanations. What is too new is not among them.
    #[must_use]
    pub fn of_reachable(&self) -> Self {
        Self {
            exclude_newer: None,
            origin: Origin::default(),
            ..self.clone()
        }
    }

    /// MatchSpec `index` as a user would write it, with its channel's name.
    pub fn shown(&self, index: usize) -> String {
        let text = &self.specs[index];
        let named = self.channels.iter().find_map(|channel| {
            let rest = text.strip_prefix(&channel.url)?;
            Some(format!("{}{rest}", channel.name))
        });
        redact::masked(&named.unwrap_or_else(|| text.clone()))
    }
}

impl RepodataSpec {
    /// The file with its reachable records.
    #[must_use]
    pub fn reachable(&self) -> Self {
        Self {
            file: RECORDS_FILE.to_owned(),
            address: None,
            ..self.clone()
        }
    }

    /// Whether it is a list of shards.
    pub fn is_sharded(&self) -> bool {
        self.file == SHARDS_FILE
    }
}

/// The variables with a login for the server of the list of shards `index`: the value of a header, and a token.
pub fn login_variables(index: usize) -> [String; 2] {
    ["HEADER", "TOKEN"].map(|kind| format!("CONDAFRONT_SHARDS_{kind}_{index}"))
}

impl<C> ExcludeNewer<C> {
    /// One cutoff for all packages.
    pub fn of(cutoff: Option<C>) -> Self {
        Self {
            cutoff,
            channels: BTreeMap::new(),
            packages: BTreeMap::new(),
            by_name: BTreeMap::new(),
        }
    }

    /// The same with other cutoffs.
    pub fn map<T>(self, change: impl Fn(C) -> T) -> ExcludeNewer<T> {
        let change_all = |limit: Option<C>| limit.map(&change);
        ExcludeNewer {
            channels: self
                .channels
                .into_iter()
                .map(|(index, limit)| (index, change_all(limit)))
                .collect(),
            packages: self
                .packages
                .into_iter()
                .map(|(spec, limit)| (spec, change_all(limit)))
                .collect(),
            by_name: self
                .by_name
                .into_iter()
                .map(|(name, limit)| (name, change_all(limit)))
                .collect(),
            cutoff: change_all(self.cutoff),
        }
    }
}

impl<P> Kept<P> {
    /// Whether nothing stays.
    pub fn is_empty(&self) -> bool {
        self.packages.is_empty()
    }
}

impl<P> Default for Kept<P> {
    fn default() -> Self {
        Self {
            packages: Vec::new(),
            upgrade: Vec::new(),
        }
    }
}

impl StepSpec for SolveSpec {
    const SUBCOMMAND: &'static str = "solve";
    type Item = RepodataSpec;
}

impl StepSpec for ReachSpec {
    const SUBCOMMAND: &'static str = "reach";
    type Item = RepodataSpec;
}

impl From<Libc> for Glibc {
    fn from(libc: Libc) -> Self {
        match libc {
            Libc::Glibc { version } => Self::Base(version),
            Libc::Musl => Self::BaseHasMusl,
            Libc::None => Self::BaseHasNone,
        }
    }
}

impl Glibc {
    /// The version, if there is a glibc.
    pub fn version(&self) -> Option<&str> {
        match self {
            Self::Base(version) | Self::Override(version) => Some(version),
            Self::BaseHasMusl | Self::BaseHasNone | Self::OverrideNone => None,
        }
    }
}
