//! Repodata: the list of packages in a channel's subdir
//! (<https://docs.conda.io/projects/conda-build/en/stable/concepts/generating-index.html>).
//!
//! A solve needs only a few thousand of conda-forge's half a million records. So the file is only indexed, and a record
//! is parsed when its name comes up.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;

use rattler_conda_types::{Channel, PackageName, RepoDataRecord};
use rattler_repodata_gateway::sparse::{PackageFormatSelection, SparseRepoData};
use serde_json::{Map, Value};
use url::Url;

use super::download::{Downloads, Login};
use super::error::{RepodataFault, SolveError};
use super::reachable::Reachable;
use super::shards::{Reason, ShardFault, Shards};
use crate::authorities::Trust;
use crate::install::error::{Cause, Error, ErrorKind};
use crate::install::is_web_page;
use condafront_step_spec::mounts::SHARDS_DIR;
use condafront_step_spec::solve::{
    RECORDS_FILE, RepodataSpec, SHARDS_FILE, SolveSpec, login_variables,
};

/// The first bytes of zstd files.
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// The largest JSON that is read, in bytes. conda-forge's largest subdir has 0.4 GB.
const LARGEST: u64 = 1 << 30;

/// If an archive exists as both `.conda` and `.tar.bz2`, the `.conda` is used.
const FORMATS: PackageFormatSelection = PackageFormatSelection::PreferConda;

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
            _ => {
                let json = read_json(&path).map_err(fault)?;
                let data = SparseRepoData::from_bytes(channel, subdir, json.into(), None);
                Data::Whole(data.map_err(|error| fault(not_repodata(error)))?)
            }
        };
        Ok(Self {
            channel: spec.channel,
            rattler_channel,
            subdir: spec.subdir.clone(),
            data,
        })
    }

    /// Downloads what is missing for the records of these packages.
    pub(super) fn prepare(&self, names: &[PackageName]) {
        if let Data::Shards(data) = &self.data {
            data.fetch(names);
        }
    }

    /// Why records are missing, if shards cannot be used.
    pub(super) fn fault(&self) -> Option<Reason> {
        match &self.data {
            Data::Whole(_) | Data::Reachable(_) => None,
            Data::Shards(data) => data.fault(),
            Data::Unusable(fault) => Some(fault.reason()),
        }
    }

    /// The records of all packages with this name.
    pub(super) fn records(&self, name: &PackageName) -> std::io::Result<Vec<RepoDataRecord>> {
        match &self.data {
            Data::Whole(data) => data.load_records(name, FORMATS),
            Data::Reachable(data) => data.records(name),
            Data::Shards(data) => Ok(data.records(name, FORMATS)),
            Data::Unusable(_) => Ok(Vec::new()),
        }
    }

    /// The names of all packages, sorted.
    pub(super) fn names(&self) -> Box<dyn Iterator<Item = &str> + '_> {
        match &self.data {
            Data::Whole(data) => Box::new(data.package_names(FORMATS)),
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

fn not_repodata(error: impl Into<Cause>) -> RepodataFault {
    RepodataFault::NotRepodata(error.into())
}

/// The JSON text of a repodata file, decompressed if necessary.
fn read_json(path: &Path) -> Result<Vec<u8>, RepodataFault> {
    let mut file = File::open(path).map_err(not_repodata)?;
    let mut start = Vec::new();
    file.by_ref()
        .take(512)
        .read_to_end(&mut start)
        .map_err(not_repodata)?;
    if start.starts_with(&ZSTD_MAGIC) {
        let size = zstd::zstd_safe::get_frame_content_size(&start)
            .ok()
            .flatten();
        return decompress(path, size.unwrap_or(0));
    }
    if is_web_page(&start) {
        return Err(RepodataFault::WebPage);
    }
    match start.trim_ascii_start().first() {
        None => Err(RepodataFault::NotRepodata("it is empty".into())),
        Some(b'{') => {
            if file.metadata().map_err(not_repodata)?.len() > LARGEST {
                return Err(RepodataFault::TooLarge(LARGEST));
            }
            fs::read(path).map_err(not_repodata)
        }
        Some(_) => Err(RepodataFault::NotRepodata(
            "it is neither JSON nor compressed with zstd".into(),
        )),
    }
}

fn decompress(path: &Path, announced: u64) -> Result<Vec<u8>, RepodataFault> {
    let damaged = RepodataFault::Compression;
    let mut decoder = zstd::Decoder::new(File::open(path).map_err(damaged)?).map_err(damaged)?;
    decoder.window_log_max(31).map_err(damaged)?;
    // Memory that is not written to is not used, so a false size costs nothing.
    let capacity = usize::try_from(announced.min(LARGEST)).unwrap_or(0);
    let mut json = Vec::with_capacity(capacity + 1);
    decoder
        .take(LARGEST + 1)
        .read_to_end(&mut json)
        .map_err(damaged)?;
    if json.len() as u64 > LARGEST {
        return Err(RepodataFault::TooLarge(LARGEST));
    }
    Ok(json)
}
