//! What is measured: a user's day, and what comes after it.

use crate::environment::{Change, Size};

/// A measured command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scenario {
    /// The first build, on an empty engine and with an empty registry.
    Cold,
    /// A later build on the same engine, with a change to the environment of the first.
    Change(Change),
    /// The command asks for the file's targets instead of building: little more than the start of the frontend.
    Targets,
    /// A build on an empty engine that has only the registry's cache, with a change.
    EmptyBuilder(Change),
    /// An empty host pulls the first image.
    Pull,
    /// A host that has the first image pulls the one with a small change.
    Update,
    /// A container's start through the image's entrypoint, compared with a start without it.
    Start,
}

impl Scenario {
    /// The scenarios for an environment of this size, in the order in which they are measured.
    pub(crate) fn all(size: Size) -> Vec<Self> {
        if size.has_list() {
            return vec![
                Self::Cold,
                Self::Change(Change::None),
                Self::Targets,
                Self::Change(Change::Added),
                Self::Change(Change::Wheel),
            ];
        }
        let mut all = vec![
            Self::Cold,
            Self::Change(Change::None),
            Self::Targets,
            Self::Change(Change::Comment),
            Self::Change(Change::Small),
            Self::Change(Change::Middle),
            Self::Change(Change::Large),
            Self::Change(Change::Added),
        ];
        if size.has_python() {
            all.extend([Self::Change(Change::Python), Self::Change(Change::Project)]);
        }
        all.extend([
            Self::Change(Change::Base),
            Self::EmptyBuilder(Change::None),
            Self::EmptyBuilder(Change::Small),
            Self::Pull,
            Self::Update,
            Self::Start,
        ]);
        all
    }

    /// Whether it says something about a frontend that does not build the environment.
    pub(crate) fn is_of_frontend(self) -> bool {
        matches!(
            self,
            Self::Cold | Self::Change(Change::None) | Self::Targets
        )
    }

    /// Its line in the report.
    pub(crate) fn title(self) -> String {
        let changed = |change| match change {
            Change::None => "nothing changed",
            Change::Comment => "a comment",
            Change::Small => "a package of 1 kB changed",
            Change::Middle => "a package of 1 MB changed",
            Change::Large => "a package of 20 MB changed",
            Change::Added => "a package added",
            Change::Wheel => "a PyPI package added",
            Change::Python => "python's next patch release",
            Change::Base => "another base image",
            Change::Project => "another project, nine tenths the same",
        };
        match self {
            Self::Cold => "first build".to_owned(),
            Self::Change(change) => changed(change).to_owned(),
            Self::Targets => "the frontend's start alone".to_owned(),
            Self::EmptyBuilder(change) => {
                format!("empty builder with a cache: {}", changed(change))
            }
            Self::Pull => "pull to an empty host".to_owned(),
            Self::Update => "pull to a host with the old image".to_owned(),
            Self::Start => "start of a container".to_owned(),
        }
    }
}
