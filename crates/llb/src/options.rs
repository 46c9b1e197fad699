//! Options that every operation has, besides what it does.

use std::collections::BTreeMap;

use buildkit_proto::pb;

use crate::location::Location;

/// The description key of the name shown to the user.
pub(crate) const CUSTOM_NAME: &str = "llb.customname";

/// Names, groups, cache hints and source locations of an operation.
///
/// They change neither the digest of the operation nor its cache key. Set them
/// with the methods of [`OpOptions`].
#[derive(Clone, Debug, Default)]
pub struct Options {
    description: BTreeMap<String, String>,
    group: Option<ProgressGroup>,
    ignore_cache: bool,
    export_cache: Option<bool>,
    locations: Vec<Location>,
}

impl Options {
    /// Options with nothing set.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The name shown to the user, if one is set.
    pub fn shown_name(&self) -> Option<&str> {
        self.description.get(CUSTOM_NAME).map(String::as_str)
    }

    pub(crate) fn locations(&self) -> &[Location] {
        &self.locations
    }

    pub(crate) fn metadata(&self) -> pb::OpMetadata {
        pb::OpMetadata {
            ignore_cache: self.ignore_cache,
            description: self.description.clone(),
            export_cache: self.export_cache.map(|value| pb::ExportCache { value }),
            progress_group: self.group.as_ref().map(ProgressGroup::to_pb),
            ..pb::OpMetadata::default()
        }
    }
}

/// Operations that are shown to the user as one line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ProgressGroup {
    /// What the operations of the group have in common, and those of other
    /// groups do not.
    pub id: String,
    /// The name shown to the user.
    pub name: String,
    /// Whether the group is shown only with an operation of a group that is
    /// not weak, or with an error.
    pub weak: bool,
}

impl ProgressGroup {
    fn to_pb(&self) -> pb::ProgressGroup {
        pb::ProgressGroup {
            id: self.id.clone(),
            name: self.name.clone(),
            weak: self.weak,
        }
    }
}

/// Sets the [`Options`] of a builder.
///
/// ```
/// use buildkit_llb::{Http, OpOptions, ProgressGroup};
///
/// let downloads = ProgressGroup {
///     id: "downloads".to_owned(),
///     name: "download 2 files".to_owned(),
///     weak: false,
/// };
/// for url in ["https://example.com/a", "https://example.com/b"] {
///     let file = Http::new(url).name(format!("download {url}")).group(&downloads).build();
///     assert_eq!(file, Http::new(url).build());
/// }
/// ```
pub trait OpOptions {
    /// The options to change.
    fn options_mut(&mut self) -> &mut Options;

    /// The name shown to the user, instead of one derived from the content.
    fn name(&mut self, name: impl Into<String>) -> &mut Self {
        self.describe(CUSTOM_NAME, name)
    }

    /// Adds an entry to the description.
    fn describe(&mut self, key: impl Into<String>, value: impl Into<String>) -> &mut Self {
        self.options_mut()
            .description
            .insert(key.into(), value.into());
        self
    }

    /// Shows the operation as part of a group, which has one line.
    fn group(&mut self, group: &ProgressGroup) -> &mut Self {
        self.options_mut().group = Some(group.clone());
        self
    }

    /// Runs the operation even if its result is cached.
    fn ignore_cache(&mut self) -> &mut Self {
        self.options_mut().ignore_cache = true;
        self
    }

    /// Whether exported caches include the result; if not set, the build decides.
    fn export_cache(&mut self, export: bool) -> &mut Self {
        self.options_mut().export_cache = Some(export);
        self
    }

    /// Adds a place in the user's files, shown when the operation fails.
    fn location(&mut self, location: Location) -> &mut Self {
        self.options_mut().locations.push(location);
        self
    }

    /// Replaces all options.
    fn options(&mut self, options: &Options) -> &mut Self {
        *self.options_mut() = options.clone();
        self
    }
}

impl OpOptions for Options {
    fn options_mut(&mut self) -> &mut Options {
        self
    }
}
