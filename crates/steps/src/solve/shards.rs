//! Sharded repodata (<https://conda.org/learn/ceps/cep-0016>): a list of names and hashes, and a small file with the records of
//! each name.
//!
//! It is a faster way to the same records. If anything is wrong with it, the whole repodata is used instead.

use std::collections::HashMap;
use std::io::{self, Read as _};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rattler_conda_types::{Channel, PackageName, RepoData, RepoDataRecord, Shard, ShardedRepodata};
use rattler_repodata_gateway::sparse::{PackageFormatSelection, SparseRepoData};
use serde::de::DeserializeOwned;
use url::Url;

use super::download::{DownloadError, Downloads, Hash};
use condafront_model::package::PackageUrl;
use condafront_model::redact::quoted;

/// The largest list, decompressed, in bytes. conda-forge's largest has 2 MB.
const LARGEST_LIST: u64 = 64 << 20;

/// The largest shard, decompressed, in bytes. conda-forge's largest has 10 MB.
const LARGEST_SHARD: u64 = 64 << 20;

/// How much memory all shards of a subdir may take, compressed.
const LARGEST_SUM: usize = 512 << 20;

/// The shards of one subdir.
pub(super) struct Shards {
    channel: Channel,
    subdir: String,
    /// Where the shards are.
    place: Url,
    hashes: HashMap<String, Hash>,
    downloads: Downloads,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The shards that have been downloaded, compressed.
    fetched: HashMap<Hash, Vec<u8>>,
    size: usize,
    /// Why one of them is not available.
    fault: Option<ShardFault>,
}

/// What is wrong with sharded repodata.
#[derive(Debug, thiserror::Error)]
pub(super) enum ShardFault {
    /// A shard cannot be downloaded.
    #[error(transparent)]
    Download(#[from] DownloadError),
    /// The list or a shard cannot be decompressed.
    #[error("{0} cannot be decompressed: {1}")]
    Compression(String, #[source] io::Error),
    /// The list or a shard has more than this many bytes.
    #[error("{} has more than {} MiB", .0, .1 >> 20)]
    TooLarge(String, u64),
    /// The list or a shard is something else.
    #[error("{0} is not valid: {1}")]
    Format(String, #[source] rmp_serde::decode::Error),
    /// The list is one of another subdir.
    #[error("the list is of {}", quoted(.0))]
    Subdir(String),
    /// An address in the list is not one.
    #[error("`{}` in the list is not an address: {}", quoted(.0), .1)]
    Address(String, #[source] url::ParseError),
    /// The list is of packages that are not in the channel's folder.
    #[error("its packages are in {}", PackageUrl::new(.0.clone()))]
    Elsewhere(Url),
    /// A record in a shard is not valid.
    #[error("the shard of {0} has an invalid record: {1}")]
    Record(String, #[source] io::Error),
    /// A shard has a record of another package.
    #[error("the shard of {} has a record of {}", .0, quoted(.1))]
    Name(String, String),
    /// All shards together are too large.
    #[error("the shards have more than {} MiB", LARGEST_SUM >> 20)]
    Sum,
}

/// Why shards cannot be used.
#[derive(Debug)]
pub(super) struct Reason {
    pub(super) text: String,
    /// Whether they may be usable later.
    pub(super) may_pass: bool,
}

impl ShardFault {
    pub(super) fn reason(&self) -> Reason {
        let certificate = match self {
            Self::Download(error) => error.certificate_fault(),
            _ => None,
        };
        let help = certificate.map(|fault| format!(" ({fault}). {}", fault.help()));
        Reason {
            text: format!("{self}{}", help.unwrap_or_default()),
            may_pass: matches!(self, Self::Download(error) if error.may_pass()),
        }
    }
}

impl Shards {
    /// Reads a list that came from `address`.
    pub(super) fn read(
        list: &[u8],
        address: &Url,
        channel: Channel,
        subdir: &str,
        downloads: Downloads,
    ) -> Result<Self, ShardFault> {
        let list = decompressed(list, LARGEST_LIST, || "the list".to_owned())?;
        let ShardedRepodata { info, shards } =
            parsed(&list).map_err(|error| ShardFault::Format("the list".to_owned(), error))?;
        if info.subdir != subdir {
            return Err(ShardFault::Subdir(info.subdir));
        }
        let joined = |base: &Url, text: &str| {
            base.join(&with_slash(text))
                .map_err(|error| ShardFault::Address(text.to_owned(), error))
        };
        // A copy of another channel's list leads to that one's packages. The whole repodata says where these are.
        let folder = joined(channel.base_url.url(), subdir)?;
        let packages = joined(&folder, &info.base_url)?;
        if packages != folder {
            return Err(ShardFault::Elsewhere(packages));
        }
        Ok(Self {
            place: joined(address, &info.shards_base_url)?,
            channel,
            subdir: subdir.to_owned(),
            hashes: shards
                .into_iter()
                .map(|(name, hash)| (name, hash.into()))
                .collect(),
            downloads,
            state: Mutex::default(),
        })
    }

    /// Downloads the shards of those of these packages that there are.
    pub(super) fn fetch(&self, names: &[PackageName]) {
        let wanted: Vec<Hash> = {
            let state = self.state();
            let hashes = names.iter().filter_map(|name| self.hash(name));
            hashes
                .filter(|hash| !state.fetched.contains_key(hash))
                .collect()
        };
        if self.state().fault.is_some() {
            return;
        }
        let address = |hash: &Hash| {
            let mut url = self.place.clone();
            let file = format!("{}.msgpack.zst", hex::encode(hash));
            // It ends with a slash.
            url.set_path(&format!("{}{file}", self.place.path()));
            url
        };
        let found = self.downloads.all(&wanted, address);
        let mut state = self.state();
        match found {
            Ok(found) => {
                state.size += found.values().map(Vec::len).sum::<usize>();
                state.fetched.extend(found);
                if state.size > LARGEST_SUM {
                    state.fault = Some(ShardFault::Sum);
                }
            }
            Err(error) => state.fault = Some(error.into()),
        }
    }

    /// The records of all packages with this name. If they are not available, there are none: see [`Shards::fault`].
    pub(super) fn records(
        &self,
        name: &PackageName,
        formats: PackageFormatSelection,
    ) -> Vec<RepoDataRecord> {
        let Some(hash) = self.hash(name) else {
            return Vec::new();
        };
        if !self.state().fetched.contains_key(&hash) {
            self.fetch(std::slice::from_ref(name));
        }
        let read = match self.state().fetched.get(&hash) {
            Some(shard) => self.parse(name, shard, formats),
            None => return Vec::new(),
        };
        read.unwrap_or_else(|fault| {
            self.state().fault.get_or_insert(fault);
            Vec::new()
        })
    }

    /// The names of all packages, in no order.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.hashes.keys().map(String::as_str)
    }

    /// Why the records are incomplete, if they are.
    pub(super) fn fault(&self) -> Option<Reason> {
        self.state().fault.as_ref().map(ShardFault::reason)
    }

    /// Reads a shard as if it were the repodata of a subdir with one package, so that the same rules hold.
    pub(super) fn parse(
        &self,
        name: &PackageName,
        shard: &[u8],
        formats: PackageFormatSelection,
    ) -> Result<Vec<RepoDataRecord>, ShardFault> {
        let name_of = || format!("the shard of {}", name.as_normalized());
        let shard = decompressed(shard, LARGEST_SHARD, name_of)?;
        let shard: Shard = parsed(&shard).map_err(|error| ShardFault::Format(name_of(), error))?;
        let whole = RepoData {
            info: None,
            packages: shard.packages,
            conda_packages: shard.conda_packages,
            v3: shard.v3,
            removed: shard.removed,
            version: None,
        };
        let wrong = |error: io::Error| ShardFault::Record(name.as_normalized().to_owned(), error);
        let json = serde_json::to_vec(&whole).map_err(|error| wrong(error.into()))?;
        let (channel, subdir) = (self.channel.clone(), self.subdir.clone());
        let data = SparseRepoData::from_bytes(channel, subdir, json.into(), None)
            .map_err(|error| wrong(error.into()))?;
        let records = data.load_records(name, formats).map_err(wrong)?;
        let other = records
            .iter()
            .map(|record| &record.package_record.name)
            .find(|found| *found != name);
        match other {
            None => Ok(records),
            Some(other) => Err(ShardFault::Name(
                name.as_normalized().to_owned(),
                other.as_source().to_owned(),
            )),
        }
    }

    fn hash(&self, name: &PackageName) -> Option<Hash> {
        self.hashes.get(name.as_normalized()).copied()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An address whose last part is a folder.
fn with_slash(text: &str) -> String {
    match text {
        "" => "./".to_owned(),
        text if text.ends_with('/') => text.to_owned(),
        text => format!("{text}/"),
    }
}

fn parsed<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, rmp_serde::decode::Error> {
    /// Real ones have four levels.
    const DEEPEST: usize = 64;
    let mut deserializer = rmp_serde::Deserializer::from_read_ref(bytes);
    deserializer.set_max_depth(DEEPEST);
    T::deserialize(&mut deserializer)
}

fn decompressed(bytes: &[u8], most: u64, what: impl Fn() -> String) -> Result<Vec<u8>, ShardFault> {
    let damaged = |error| ShardFault::Compression(what(), error);
    let decoder = zstd::Decoder::new(bytes).map_err(damaged)?;
    let mut found = Vec::new();
    let mut limited = decoder.take(most + 1);
    limited.read_to_end(&mut found).map_err(damaged)?;
    if found.len() as u64 > most {
        return Err(ShardFault::TooLarge(what(), most));
    }
    Ok(found)
}
