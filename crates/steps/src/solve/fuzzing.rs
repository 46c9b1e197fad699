//! The readers of repodata, for `tests/fuzz`.

use std::fs;
use std::path::Path;
use std::str::FromStr as _;

use rattler_conda_types::{Channel, PackageName};
use rattler_repodata_gateway::sparse::{PackageFormatSelection, SparseRepoData};
use serde_json::json;
use url::Url;

use super::download::Downloads;
use super::list::List;
use super::reachable::Reachable;
use super::repodata::read_records;
use super::shards::Shards;
use super::text::read_json;
use crate::authorities::Trust;

const SUBDIR: &str = "linux-64";

const FORMATS: PackageFormatSelection = PackageFormatSelection::PreferConda;

/// The packages that are asked for.
const NAMES: [&str; 3] = ["a", "python", "numpy"];

/// Reads a channel's list: `repodata.json`, as it is or compressed, or what the step before a solve writes. `dir` is an
/// empty folder.
pub fn repodata(dir: &Path, data: &[u8]) {
    let path = dir.join("repodata.json");
    if fs::write(&path, data).is_ok() {
        drop(read_records(&path, SUBDIR, NAMES.into_iter()));
    }
    check_list(&path);
    if let Ok(reachable) = Reachable::parse(data) {
        for name in NAMES
            .iter()
            .filter_map(|name| PackageName::from_str(name).ok())
        {
            drop(reachable.records(&name));
        }
    }
}

/// Checks that a list of which only a part is in memory has the same records as one that is there.
fn check_list(path: &Path) {
    let Ok(url) = Url::parse("https://channel.invalid") else {
        return;
    };
    let channel = Channel::from_url(url);
    let Some(list) = List::read(path, &channel, SUBDIR) else {
        return;
    };
    let json = read_json(path).expect("what is read in parts can be read");
    let memory = SparseRepoData::from_bytes(channel, SUBDIR, json.into(), None)
        .expect("what is read in parts is a list");
    for name in NAMES {
        let name = PackageName::new_unchecked(name);
        assert_eq!(
            list.records(&name, FORMATS).ok(),
            memory.load_records(&name, FORMATS).ok(),
            "{name:?}"
        );
    }
}

/// Reads a channel's list of shards, before it is compressed.
pub fn shard_list(data: &[u8]) {
    if let Some(shards) = shards_of(data) {
        drop(shards.names().collect::<Vec<_>>());
    }
}

/// Reads one shard, before it is compressed.
pub fn shard(data: &[u8]) {
    let list = json!({
        "info": {"subdir": SUBDIR, "base_url": "", "shards_base_url": ""},
        "shards": {},
    });
    let list = rmp_serde::to_vec_named(&list).unwrap_or_default();
    let (Some(shards), Ok(shard), Ok(name)) = (
        shards_of(&list),
        zstd::encode_all(data, 1),
        PackageName::from_str(NAMES[0]),
    ) else {
        return;
    };
    drop(shards.parse(&name, &shard, PackageFormatSelection::PreferConda));
}

fn shards_of(list: &[u8]) -> Option<Shards> {
    let list = zstd::encode_all(list, 1).ok()?;
    let address = Url::parse("https://conda.example/forge/linux-64/").ok()?;
    let channel = Channel::from_url(Url::parse("https://conda.example/forge").ok()?);
    let downloads = Downloads::new(Path::new("/nonexistent"), None, &Trust::default());
    Shards::read(&list, &address, channel, SUBDIR, downloads).ok()
}
