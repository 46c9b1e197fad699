//! Under which conditions everything is measured, besides the environment: what builds, and how far away the servers are.

use condafront_testkit::engine::Store;

use crate::Result;
use crate::network::Network;

/// The conditions of all builds of a measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Conditions {
    /// What is between the builder and the servers.
    pub(crate) network: Network,
    /// Which engine builds.
    pub(crate) builder: Builder,
    /// How layers are compressed.
    pub(crate) compression: Compression,
    /// Over how many layers condafront spreads packages, if that is not its own choice.
    pub(crate) layers: Option<u16>,
}

impl Default for Conditions {
    fn default() -> Self {
        Self {
            network: Network::Local,
            builder: Builder::Dockerd,
            compression: Compression::Gzip,
            layers: None,
        }
    }
}

/// An engine that builds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Builder {
    /// dockerd with the containerd store. It unpacks every image that it builds into its own store.
    Dockerd,
    /// The buildkitd that `BUILDKITD` names, as in a `docker-container` builder. It only pushes images.
    Buildkitd,
}

impl Builder {
    /// The builder of this name on the command line.
    pub(crate) fn named(name: &str) -> Result<Self> {
        match name {
            "dockerd" => Ok(Self::Dockerd),
            "buildkitd" => Ok(Self::Buildkitd),
            _ => {
                Err(format!("there is no builder `{name}`; there are dockerd and buildkitd").into())
            }
        }
    }

    /// Its kind of engine.
    pub(crate) fn store(self) -> Store {
        match self {
            Self::Dockerd => Store::Containerd,
            Self::Buildkitd => Store::Buildkitd,
        }
    }

    /// What it is, in a few words.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Dockerd => "dockerd with the containerd store",
            Self::Buildkitd => "buildkitd, which does not unpack images",
        }
    }
}

/// A compression of layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compression {
    /// What engines use if they are not told otherwise.
    Gzip,
    /// zstd.
    Zstd,
}

impl Compression {
    /// The compression of this name on the command line.
    pub(crate) fn named(name: &str) -> Result<Self> {
        match name {
            "gzip" => Ok(Self::Gzip),
            "zstd" => Ok(Self::Zstd),
            _ => Err(format!("there is no compression `{name}`; there are gzip and zstd").into()),
        }
    }

    /// The option of `docker buildx build` that pushes an image whose new layers are compressed like this.
    pub(crate) fn push(self) -> &'static str {
        match self {
            Self::Gzip => "--push",
            Self::Zstd => "--output=type=registry,compression=zstd,oci-mediatypes=true",
        }
    }
}

impl Conditions {
    /// What distinguishes the names of a report's files from those under the default conditions.
    pub(crate) fn suffix(self) -> String {
        let network = (self.network == Network::Slow).then(|| "-slow".to_owned());
        let builder = (self.builder == Builder::Buildkitd).then(|| "-buildkitd".to_owned());
        let compression = (self.compression == Compression::Zstd).then(|| "-zstd".to_owned());
        let layers = self.layers.map(|count| format!("-layers-{count}"));
        let parts = [network, builder, compression, layers];
        parts.into_iter().flatten().collect()
    }

    /// The conditions in sentences.
    pub(crate) fn notes(self) -> Vec<String> {
        let mut notes = vec![
            match self.network {
                Network::Local => "Channel, registry and builder are on one machine.",
                Network::Slow => {
                    "Between the builder and the channel and registry is a simulated network: 100 Mbit/s, 50 ms there and \
                     back."
                }
            }
            .to_owned(),
        ];
        if self.compression == Compression::Zstd {
            notes.push("All sides compress the layers that they make with zstd.".to_owned());
        }
        if let Some(count) = self.layers {
            notes.push(format!(
                "condafront spreads the packages over {count} layers at most."
            ));
        }
        notes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_of_other_conditions_have_other_names() {
        let usual = Conditions::default();
        assert_eq!(usual.suffix(), "");
        assert_eq!(usual.notes().len(), 1);
        let other = Conditions {
            network: Network::Slow,
            builder: Builder::Buildkitd,
            compression: Compression::Zstd,
            layers: Some(10),
        };
        assert_eq!(other.suffix(), "-slow-buildkitd-zstd-layers-10");
        assert_eq!(other.notes().len(), 3);
    }
}
