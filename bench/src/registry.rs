//! A registry of one measurement, whose storage says what it was sent.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use condafront_testkit::engine::run;
use serde_json::Value;

use crate::Result;

/// A registry that nothing has been pushed to. It ends when this is dropped.
pub(crate) struct Registry {
    address: String,
    engine_dir: PathBuf,
}

/// An image as the registry has it.
pub(crate) struct Stored {
    /// Layers, the base's included.
    pub(crate) layers: usize,
    /// Bytes of all layers, compressed.
    pub(crate) bytes: u64,
}

impl Registry {
    /// Starts one.
    pub(crate) fn start() -> Result<Self> {
        let owner = std::process::id().to_string();
        let output = run(Command::new(script()).args(["registry-start", "--owner", &owner]))
            .expect_success();
        let value = |key: &str| {
            output
                .stdout
                .lines()
                .find_map(|line| line.strip_prefix(key)?.strip_prefix('='))
                .ok_or_else(|| format!("scripts/engine registry-start did not say {key}"))
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

    /// Bytes of everything it was sent, each blob once.
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
            // Attestations are manifests beside the image's, for the platform `unknown`.
            let image = manifests
                .iter()
                .find(|entry| entry["platform"]["os"] == "linux")
                .and_then(|entry| entry["digest"].as_str())
                .ok_or("the index that was pushed lists no image")?;
            manifest = self.json(image)?;
        }
        let layers = manifest["layers"]
            .as_array()
            .ok_or("the manifest that was pushed lists no layers")?;
        Ok(Stored {
            layers: layers.len(),
            bytes: layers
                .iter()
                .filter_map(|layer| layer["size"].as_u64())
                .sum(),
        })
    }

    fn json(&self, digest: &str) -> Result<Value> {
        let (algorithm, hex) = digest.split_once(':').ok_or("a digest has a colon")?;
        let folder = hex.get(..2).ok_or("a digest has 64 digits")?;
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

/// Bytes of all files below a folder.
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
