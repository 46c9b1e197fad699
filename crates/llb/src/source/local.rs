//! Directories of the client.

use super::operation::Source;
use crate::caps;
use crate::node::Output;
use crate::options::{OpOptions, Options};

/// A directory that the client shares under a name.
///
/// ```
/// use buildkit_llb::Local;
///
/// let context = Local::new("context")
///     .include(["src", "Makefile"])
///     .exclude(["**/*.o"])
///     .build();
/// assert_eq!(context.index(), 0);
/// ```
#[derive(Clone, Debug)]
pub struct Local {
    source: Source,
}

/// How changes since an earlier transfer are detected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Differ {
    /// Not at all: everything is transferred.
    None,
    /// By size, mode, owner and time.
    Metadata,
}

impl Local {
    /// The directory with a name, such as `context`.
    #[must_use]
    pub fn new(name: impl AsRef<str>) -> Self {
        Self {
            source: Source::new(format!("local://{}", name.as_ref()), caps::SOURCE_LOCAL),
        }
    }

    /// The session of the client that has the directory.
    pub fn session(&mut self, id: impl Into<String>) -> &mut Self {
        self.source
            .set_with(caps::SOURCE_LOCAL_SESSION_ID, "local.session", id);
        self
    }

    /// Transfers only paths that match one of the patterns. An empty list sets
    /// nothing.
    pub fn include(&mut self, patterns: impl IntoIterator<Item = impl Into<String>>) -> &mut Self {
        let cap = caps::SOURCE_LOCAL_INCLUDE_PATTERNS;
        self.source.set_list(cap, "local.includepattern", patterns);
        self
    }

    /// Skips paths that match one of the patterns, in `.dockerignore` syntax. An
    /// empty list sets nothing.
    pub fn exclude(&mut self, patterns: impl IntoIterator<Item = impl Into<String>>) -> &mut Self {
        let cap = caps::SOURCE_LOCAL_EXCLUDE_PATTERNS;
        self.source.set_list(cap, "local.excludepatterns", patterns);
        self
    }

    /// Transfers these paths and the targets of their links. An empty list sets
    /// nothing.
    pub fn follow(&mut self, paths: impl IntoIterator<Item = impl Into<String>>) -> &mut Self {
        let cap = caps::SOURCE_LOCAL_FOLLOW_PATHS;
        self.source.set_list(cap, "local.followpaths", paths);
        self
    }

    /// Sources with the same hint reuse each other's transfers.
    pub fn shared_key_hint(&mut self, hint: impl Into<String>) -> &mut Self {
        self.source.set_with(
            caps::SOURCE_LOCAL_SHARED_KEY_HINT,
            "local.sharedkeyhint",
            hint,
        );
        self
    }

    /// How changes are detected. Daemons may ignore it, so it needs no capability.
    pub fn differ(&mut self, differ: Differ) -> &mut Self {
        let value = match differ {
            Differ::None => "none",
            Differ::Metadata => "metadata",
        };
        self.source.set("local.differ", value);
        self
    }

    /// Transfers only names, sizes, modes and times, and the content of files
    /// that match the patterns (BuildKit 0.21).
    pub fn metadata_only(
        &mut self,
        except: impl IntoIterator<Item = impl Into<String>>,
    ) -> &mut Self {
        let cap = caps::SOURCE_LOCAL_METADATA_TRANSFER;
        self.source.set_with(cap, "local.metadatatransfer", "true");
        self.source
            .set_list(cap, "local.metadatatransferexclude", except);
        self
    }

    /// Builds the operation.
    #[must_use]
    pub fn build(&self) -> Output {
        self.source.build(None)
    }
}

impl OpOptions for Local {
    fn options_mut(&mut self) -> &mut Options {
        &mut self.source.options
    }
}
