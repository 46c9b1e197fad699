//! A registry for one measurement; its storage shows what was pushed.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use condafront_testkit::engine::run;
use serde_json::Value;

use crate::Result;

/// A fresh registry, which is stopped on drop.
pub(crate) struct Registry {
    address: String,
    engine_dir: PathBuf,
}

/// An image in the registry.
#[derive(Clone)]
pub(crate) struct Stored {
    /// The compressed sizes in bytes of all layers, including those of the base image, by digest.
    pub(crate) layers: BTreeMap<String, u64>,
}

impl Stored {
    /// The sizes of the layers that `other` does not have.
    pub(crate) fn not_in(&self, other: &Self) -> impl Iterator<Item = u64> {
        let new = |(digest, _): &(&String, &u64)| !other.layers.contains_key(*digest);
        self.layers.iter().filter(new).map(|(_, size)| *size)
    }

    /// The size of all layers in bytes.
    pub(crate) fn bytes(&self) -> u64 {
        self.layers.values().sum()
    }
}

impl Registry {
    /// Starts a registry.
    pub(crate) fn start() -> Result<Self> {
        let owner = std::process::id().to_string();
        let output = run(Command::new(script()).args(["registry-start", "--owner", &owner]))
            .expect_success();
        let value = |key: &str| {
            output
                .stdout
                .lines()
                .find_map(|line| line.strip_prefix(key)?.strip_prefix('='))
                .ok_or_else(|| format!("scripts/engine registry-start did not print {key}"))
        };
        Ok(Self {
            address: value("REGISTRY")?.to_owned(),
            engine_dir: value("ENGINE_DIR")?.into(),
        })
    }

    /// `host:port`.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    fn storage(&self) -> PathBuf {
        self.engine_dir.join("data/docker/registry/v2")
    }

    /// The size in bytes of everything pushed so far, each blob once.
    pub(crate) fn bytes(&self) -> Result<u64> {
        let blobs = self.storage().join("blobs");
        if blobs.is_dir() { size(&blobs) } else { Ok(0) }
    }

    /// The image `name:tag`.
    pub(crate) fn image(&self, name: &str, tag: &str) -> Result<Stored> {
        let link = self.storage().join(format!(
            "repositories/{name}/_manifests/tags/{tag}/current/link"
        ));
        let mut manifest = self.json(fs::read_to_string(&link)?.trim())?;
        if let Some(manifests) = manifest["manifests"].as_array() {
            // Attestations are manifests next to the image's, for the platform `unknown`.
            let image = manifests
                .iter()
                .find(|entry| entry["platform"]["os"] == "linux")
                .and_then(|entry| entry["digest"].as_str())
                .ok_or("the pushed index lists no image")?;
            manifest = self.json(image)?;
        }
        let layers = manifest["layers"]
            .as_array()
            .ok_or("the pushed manifest lists no layers")?;
        let layer = |layer: &Value| {
            let digest = layer["digest"].as_str()?.to_owned();
            Some((digest, layer["size"].as_u64()?))
        };
        let layers: Option<_> = layers.iter().map(layer).collect();
        Ok(Stored {
            layers: layers.ok_or("a layer in the pushed manifest has no digest or size")?,
        })
    }

    fn json(&self, digest: &str) -> Result<Value> {
        let (algorithm, hex) = digest.split_once(':').ok_or("a digest needs a colon")?;
        let folder = hex.get(..2).ok_or("a digest needs 64 digits")?;
        let blob = self
            .storage()
            .join(format!("blobs/{algorithm}/{folder}/{hex}/data"));
        Ok(serde_json::from_slice(&fs::read(blob)?)?)
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        run(Command::new(script()).arg("stop").arg(&self.engine_dir));
    }
}

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/engine")
}

/// The size in bytes of all files below a folder.
fn size(folder: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        bytes += if metadata.is_dir() {
            size(&entry.path())?
        } else {
            metadata.len()
        };
    }
    Ok(bytes)
}
