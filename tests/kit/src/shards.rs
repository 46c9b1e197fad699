//! Sharded repodata (<https://conda.org/learn/ceps/cep-0016>), made from whole lists.

use std::collections::BTreeMap;

use rattler_conda_types::{RepoData, Shard, ShardedRepodata, ShardedSubdirInfo};
use sha2::{Digest as _, Sha256};

use crate::server::Server;

/// The name of a list of shards.
pub const LIST: &str = "repodata_shards.msgpack.zst";

/// The shards of a subdir.
#[derive(Clone, Debug)]
pub struct Shards {
    /// The list of them.
    pub list: Vec<u8>,
    /// The shards, by package name: each with the name of its file.
    pub files: BTreeMap<String, (String, Vec<u8>)>,
}

/// The shards of `list`, which are in the folder `place`, as seen from the list.
///
/// # Panics
/// If `list` is not repodata.
pub fn shards(list: &str, place: &str) -> Shards {
    let whole: RepoData = serde_json::from_str(list).expect("repodata");
    let info = whole.info.expect("repodata says what it is");
    let mut by_name: BTreeMap<String, Shard> = BTreeMap::new();
    for (file, record) in whole.packages {
        let its = by_name.entry(record.name.as_normalized().to_owned());
        its.or_default().packages.insert(file, record);
    }
    for (file, record) in whole.conda_packages {
        let its = by_name.entry(record.name.as_normalized().to_owned());
        its.or_default().conda_packages.insert(file, record);
    }
    for file in whole.removed {
        let its = by_name.entry(file.identifier.name.to_lowercase());
        its.or_default().removed.insert(file);
    }
    let encoded = by_name.into_iter().map(|(name, shard)| {
        let file = compressed(&rmp_serde::to_vec_named(&shard).expect("a shard"));
        (name, Sha256::digest(&file), file)
    });
    let encoded: Vec<_> = encoded.collect();
    let hash = |hash: &[u8]| <[u8; 32]>::try_from(hash).expect("a SHA-256").into();
    let index = ShardedRepodata {
        info: ShardedSubdirInfo {
            subdir: info.subdir.expect("a subdir"),
            base_url: info.base_url.unwrap_or_else(|| "./".to_owned()),
            shards_base_url: place.to_owned(),
            created_at: None,
            repodata_revisions: info.repodata_revisions,
            channel_relations: None,
            virtual_package_detectors: None,
        },
        shards: encoded
            .iter()
            .map(|(name, sha256, _)| (name.clone(), hash(sha256)))
            .collect(),
    };
    let file = |(name, sha256, file): (String, _, Vec<u8>)| {
        (name, (format!("{}.msgpack.zst", hex::encode(sha256)), file))
    };
    Shards {
        list: compressed(&rmp_serde::to_vec_named(&index).expect("a list")),
        files: encoded.into_iter().map(file).collect(),
    }
}

impl Shards {
    /// Serves the list from `folder`, and the shards from `place`.
    pub fn serve(&self, server: &Server, folder: &str, place: &str) {
        server.put(&format!("{folder}/{LIST}"), self.list.clone());
        for (file, bytes) in self.files.values() {
            server.put(&format!("{place}/{file}"), bytes.clone());
        }
    }
}

/// What a server sends for `bytes`.
pub fn compressed(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 3).expect("compressed")
}
