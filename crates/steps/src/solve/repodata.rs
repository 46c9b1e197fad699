//! Repodata: the list of packages in a channel's subdir
//! (<https://docs.conda.io/projects/conda-build/en/stable/concepts/generating-index.html>).
//!
//! A solve needs only a few thousand of conda-forge's half a million records. So a record is parsed when its name comes up, and
//! the others are not even in memory if only those are wanted that a request can reach.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::sync::Arc;

use rattler_conda_types::{Channel, PackageName, RepoDataRecord};
use rattler_repodata_gateway::sparse::{PackageFormatSelection, SparseRepoData};
use serde_json::{Map, Value};
use url::Url;

use super::download::{Downloads, Login};
use super::error::{RepodataFault, SolveError};
use super::list::List;
use super::needs::Needs;
use super::reachable::Reachable;
use super::shards::{Reason, ShardFault, Shards};
use super::text::{not_repodata, read_json};
use crate::authorities::Trust;
use crate::install::error::{Error, ErrorKind};
use condafront_step_spec::mounts::SHARDS_DIR;
use condafront_step_spec::solve::{
    RECORDS_FILE, RepodataSpec, SHARDS_FILE, SolveSpec, login_variables,
};

/// If an archive exists as both `.conda` and `.tar.bz2`, the `.conda` is used.
const FORMATS: PackageFormatSelection = PackageFormatSelection::PreferConda;

/// What whole lists are read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To find what a request can reach.
    Reach,
    /// To choose packages, and to explain why there is no answer.
    Choose,
}

/// One indexed repodata file.
pub(super) struct Repodata {
    /// The channel, by its index.
    pub(super) channel: usize,
    rattler_channel: Channel,
    subdir: String,
    data: Data,
}

/// What a file has.
enum Data {
    /// All records of a subdir.
    Whole(SparseRepoData),
    /// Those of a subdir that a request can reach.
    List(Box<List>),
    /// Those that a request can reach.
    Reachable(Reachable),
    /// Those of the packages that are asked for.
    Shards(Box<Shards>),
    /// None, because the list of shards is damaged.
    Unusable(ShardFault),
}

impl Repodata {
    /// Reads repodata `index` of a solve, which is mounted below `input`.
    pub(super) fn read(
        solve: &SolveSpec,
        spec: &RepodataSpec,
        input: &Path,
        index: usize,
        purpose: Purpose,
    ) -> Result<Self, SolveError> {
        let channel = solve.channels.get(spec.channel).ok_or_else(|| {
            let message = format!("there is no channel {}", spec.channel);
            Error::new(ErrorKind::BadArguments, message)
        })?;
        let fault = |fault: RepodataFault| SolveError::Repodata {
            channel: spec.channel,
            url: format!("{}/{}/{}", channel.url, spec.subdir, spec.file),
            fault,
        };
        let url = Url::parse(&channel.url).map_err(|error| {
            let message = format!("{}: {error}", channel.url);
            Error::new(ErrorKind::BadArguments, message).caused_by(error)
        })?;
        let path = file_in(&input.join(index.to_string()), &spec.file)?;
        let rattler_channel = Channel::from_url(url);
        let (channel, subdir) = (rattler_channel.clone(), spec.subdir.clone());
        let data = match spec.file.as_str() {
            SHARDS_FILE => shards(spec, &path, channel, index)?,
            RECORDS_FILE => {
                let json = read_json(&path).map_err(fault)?;
                let data = Reachable::parse(&json).map(Data::Reachable);
                data.map_err(|error| fault(not_repodata(error)))?
            }
            _ => whole(&path, channel, subdir, purpose).map_err(fault)?,
        };
        Ok(Self {
            channel: spec.channel,
            rattler_channel,
            subdir: spec.subdir.clone(),
            data,
        })
    }

    /// Lets the lists among these know of each other.
    pub(super) fn join(all: &mut [Self]) {
        let needs = all.iter().filter_map(|one| match &one.data {
            Data::List(list) => Some(Arc::clone(list.needs())),
            _ => None,
        });
        let needs: Arc<[Arc<Needs>]> = needs.collect();
        for one in all {
            if let Data::List(list) = &mut one.data {
                list.join(&needs);
            }
        }
    }

    /// Downloads, or looks for, what is missing for the records of these packages.
    pub(super) fn prepare(&self, names: &[PackageName]) {
        match &self.data {
            Data::Shards(data) => data.fetch(names),
            Data::List(data) => data.find(names),
            Data::Whole(_) | Data::Reachable(_) | Data::Unusable(_) => {}
        }
    }

    /// Why records are missing, if shards cannot be used.
    pub(super) fn fault(&self) -> Option<Reason> {
        match &self.data {
            Data::Whole(_) | Data::List(_) | Data::Reachable(_) => None,
            Data::Shards(data) => data.fault(),
            Data::Unusable(fault) => Some(fault.reason()),
        }
    }

    /// The records of all packages with this name.
    pub(super) fn records(&self, name: &PackageName) -> std::io::Result<Vec<RepoDataRecord>> {
        match &self.data {
            Data::Whole(data) => data.load_records(name, FORMATS),
            Data::List(data) => data.records(name, FORMATS),
            Data::Reachable(data) => data.records(name),
            Data::Shards(data) => Ok(data.records(name, FORMATS)),
            Data::Unusable(_) => Ok(Vec::new()),
        }
    }

    /// The names of all packages, sorted.
    pub(super) fn names(&self) -> Box<dyn Iterator<Item = &str> + '_> {
        match &self.data {
            Data::Whole(data) => Box::new(data.package_names(FORMATS)),
            Data::List(data) => Box::new(data.needs().listed()),
            Data::Reachable(data) => Box::new(data.names()),
            Data::Shards(data) => Box::new(data.names()),
            Data::Unusable(_) => Box::new(std::iter::empty()),
        }
    }

    /// The channel, as records and MatchSpecs name it.
    pub(super) fn rattler_channel(&self) -> &Channel {
        &self.rattler_channel
    }

    /// The subdir.
    pub(super) fn subdir(&self) -> &str {
        &self.subdir
    }

    /// Whether there is a package with this name.
    pub(super) fn has(&self, name: &str) -> bool {
        PackageName::from_str(name)
            .is_ok_and(|name| self.records(&name).is_ok_and(|records| !records.is_empty()))
    }
}

/// The whole list at `path`.
fn whole(
    path: &Path,
    channel: Channel,
    subdir: String,
    purpose: Purpose,
) -> Result<Data, RepodataFault> {
    if purpose == Purpose::Reach
        && let Some(list) = List::read(path, &channel, &subdir)
    {
        return Ok(Data::List(Box::new(list)));
    }
    let json = read_json(path)?;
    let data = SparseRepoData::from_bytes(channel, subdir, json.into(), None);
    data.map(Data::Whole).map_err(not_repodata)
}

/// The shards whose list is at `path`, repodata `index` of a solve.
fn shards(
    spec: &RepodataSpec,
    path: &Path,
    channel: Channel,
    index: usize,
) -> Result<Data, SolveError> {
    let address = spec.address.as_deref().unwrap_or_default();
    let address = Url::parse(address).map_err(|error| {
        let message = format!("{address}: {error}");
        Error::new(ErrorKind::BadArguments, message).caused_by(error)
    })?;
    let list = fs::read(path).map_err(|error| Error::io("read", path, error))?;
    let [header, token] = login_variables(index).map(|name| std::env::var(name).ok());
    let header = header.or(token.map(|token| format!("Bearer {}", token.trim())));
    let login = header.map(|header| Login {
        server: address.origin(),
        header: header.trim().to_owned(),
    });
    let trust = Trust::of_build().map_err(SolveError::Authorities)?;
    let downloads = Downloads::new(Path::new(SHARDS_DIR), login, &trust);
    Ok(
        match Shards::read(&list, &address, channel, &spec.subdir, downloads) {
            Ok(shards) => Data::Shards(Box::new(shards)),
            Err(fault) => Data::Unusable(fault),
        },
    )
}

/// The records of all packages with these names in the repodata at `path`: JSON objects, by the archives' file names.
///
/// # Errors
/// What is wrong with the repodata.
pub(crate) fn read_records<'a>(
    path: &Path,
    subdir: &str,
    names: impl Iterator<Item = &'a str>,
) -> Result<BTreeMap<String, Map<String, Value>>, RepodataFault> {
    let json = read_json(path)?;
    // The channel does not matter here: records do not name it.
    let nowhere = Url::parse("https://channel.invalid").map_err(not_repodata)?;
    let channel = Channel::from_url(nowhere);
    let data =
        SparseRepoData::from_bytes(channel, subdir, json.into(), None).map_err(not_repodata)?;
    let mut found = BTreeMap::new();
    for name in names {
        let name = PackageName::from_str(name).map_err(not_repodata)?;
        let records = data.load_records(&name, PackageFormatSelection::Both);
        for record in records.map_err(not_repodata)? {
            let value = serde_json::to_value(&record.package_record);
            if let Value::Object(fields) = value.map_err(not_repodata)? {
                found.insert(record.identifier.to_string(), fields);
            }
        }
    }
    Ok(found)
}

/// The file `name` in `dir`.
fn file_in(dir: &Path, name: &str) -> Result<PathBuf, Error> {
    let path = dir.join(name);
    if path.exists() {
        return Ok(path);
    }
    Err(Error::new(
        ErrorKind::MissingInput,
        format!("no repodata is mounted at {}", path.display()),
    ))
}
