//! The record of an installed package, `conda-meta/<name>-<version>-<build>.json`.
//!
//! Its fields are those of conda's `PrefixRecord`, except for paths in a package cache, which depend
//! on the machine that linked.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::package::Package;
use super::placed::Placed;
use condafront_model::redact::without_credentials;

/// The record as text. `placed` are all paths of the package, sorted.
pub(crate) fn record(package: &Package, placed: &[Placed]) -> String {
    let mut fields: BTreeMap<String, Value> = package.raw_index.clone().into_iter().collect();
    for key in ["auth", "extracted_package_dir", "package_tarball_full_path"] {
        fields.remove(key);
    }
    let spec = &package.spec;
    let files: Vec<&str> = placed.iter().map(|p| p.path.as_str()).collect();
    let paths: Vec<Value> = placed.iter().map(path_entry).collect();
    for (key, value) in [
        ("channel", json!(without_credentials(&spec.channel))),
        ("url", json!(without_credentials(&spec.url))),
        ("fn", json!(spec.archive)),
        ("subdir", json!(spec.subdir)),
        ("md5", json!(package.digests.md5)),
        ("sha256", json!(package.digests.sha256)),
        ("size", json!(package.digests.size)),
        ("files", json!(files)),
        ("paths_data", json!({"paths": paths, "paths_version": 1})),
        // 1 is a hard link, as is usual from a cache; the cache itself is not in the image.
        ("link", json!({"source": "", "type": 1})),
        ("requested_spec", json!("")),
    ] {
        fields.insert(key.to_owned(), value);
    }
    let mut text = format!("{:#}", Value::Object(fields.into_iter().collect()));
    text.push('\n');
    text
}

fn path_entry(placed: &Placed) -> Value {
    let mut entry = Map::new();
    entry.insert("_path".into(), json!(placed.path));
    if let Some((mode, _)) = &placed.placeholder {
        entry.insert("file_mode".into(), json!(mode));
    }
    if placed.no_link {
        entry.insert("no_link".into(), json!(true));
    }
    entry.insert("path_type".into(), json!(placed.path_type));
    for (key, value) in [
        (
            "prefix_placeholder",
            placed.placeholder.as_ref().map(|(_, text)| json!(text)),
        ),
        ("sha256", placed.sha256.as_ref().map(|hash| json!(hash))),
        (
            "sha256_in_prefix",
            placed.sha256_in_prefix.as_ref().map(|hash| json!(hash)),
        ),
        ("size_in_bytes", placed.size.map(|size| json!(size))),
    ] {
        if let Some(value) = value {
            entry.insert(key.into(), value);
        }
    }
    Value::Object(entry)
}
