//! A channel as its server has it: in shards, and as whole lists.

use condafront_step_spec::solve::SHARDS_FILE;
use condafront_testkit::server::Server;
use condafront_testkit::shards::{Shards, shards};

use crate::Result;

/// The channel's subdirs.
pub(super) const SUBDIRS: [&str; 2] = ["linux-64", "noarch"];

/// The name of each subdir's whole list, as in conda-forge.
pub(super) const LIST: &str = "repodata.json.zst";

/// Where the first step finds its records.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum From {
    /// In a list of shards, and in the shards that it downloads.
    Shards,
    /// In whole lists.
    Lists,
}

impl From {
    pub(super) const BOTH: [Self; 2] = [Self::Shards, Self::Lists];

    /// The file of each subdir that BuildKit downloads for the step.
    pub(super) fn file(self) -> &'static str {
        match self {
            Self::Shards => SHARDS_FILE,
            Self::Lists => LIST,
        }
    }
}

/// A channel at one time.
pub(super) struct Published {
    lists: [Vec<u8>; 2],
    shards: [Shards; 2],
}

impl Published {
    /// Compresses the lists and makes shards of them, which the server has from now on.
    pub(super) fn new(lists: &[String; 2], server: &Server) -> Result<Self> {
        let compressed = lists
            .iter()
            .map(|json| zstd::encode_all(json.as_bytes(), 9))
            .collect::<std::io::Result<Vec<_>>>()?;
        let made = lists.each_ref().map(|json| shards(json, "shards/"));
        for (subdir, shards) in SUBDIRS.iter().zip(&made) {
            let folder = format!("/{subdir}");
            shards.serve(server, &folder, &format!("{folder}/shards"));
        }
        let lists = compressed.try_into().map_err(|_| "two lists")?;
        Ok(Self {
            lists,
            shards: made,
        })
    }

    /// The file of each subdir that BuildKit downloads.
    pub(super) fn files(&self, from: From) -> [&[u8]; 2] {
        match from {
            From::Lists => self.lists.each_ref().map(Vec::as_slice),
            From::Shards => self.shards.each_ref().map(|shards| shards.list.as_slice()),
        }
    }
}
