//! The places in the user's files where operations come from.

use std::sync::Arc;

use buildkit_proto::pb;

/// A file of the user and its content, shown with errors and warnings.
///
/// Cloning is cheap.
///
/// ```
/// use buildkit_llb::{Image, OpOptions, Range, SourceFile};
///
/// let mut file = SourceFile::new("app.yml", "name: app\nbase: debian:13\n");
/// file.language("YAML");
/// let base = Image::new("docker.io/library/debian:13")
///     .location(file.location([Range::lines(2, 2)]))
///     .build();
/// assert_eq!(base.index(), 0);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct SourceFile {
    pub(crate) info: Arc<pb::SourceInfo>,
}

impl SourceFile {
    /// A file with the name to show and its content.
    #[must_use]
    pub fn new(filename: impl Into<String>, data: impl Into<Vec<u8>>) -> Self {
        Self {
            info: Arc::new(pb::SourceInfo {
                filename: filename.into(),
                data: data.into(),
                ..pb::SourceInfo::default()
            }),
        }
    }

    /// The language, as named in GitHub's linguist, such as `YAML`.
    pub fn language(&mut self, language: impl Into<String>) -> &mut Self {
        Arc::make_mut(&mut self.info).language = language.into();
        self
    }

    /// The message, for warnings.
    #[must_use]
    pub fn to_pb(&self) -> &pb::SourceInfo {
        &self.info
    }

    /// Ranges of this file.
    #[must_use]
    pub fn location(&self, ranges: impl IntoIterator<Item = Range>) -> Location {
        Location {
            file: self.clone(),
            ranges: ranges.into_iter().collect(),
        }
    }
}

/// Ranges of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Location {
    pub(crate) file: SourceFile,
    pub(crate) ranges: Vec<Range>,
}

/// From one position to another, both included.
///
/// Both are always set: clients may crash on a range without an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The first position.
    pub start: Position,
    /// The last position.
    pub end: Position,
}

impl Range {
    /// Whole lines, from 1.
    #[must_use]
    pub const fn lines(first: i32, last: i32) -> Self {
        Self {
            start: Position {
                line: first,
                character: 0,
            },
            end: Position {
                line: last,
                character: 0,
            },
        }
    }

    /// The message.
    #[must_use]
    pub fn to_pb(self) -> pb::Range {
        pb::Range {
            start: Some(self.start.to_pb()),
            end: Some(self.end.to_pb()),
        }
    }

    /// Reads a range made by others; one without an end is only its start.
    pub(crate) fn from_pb(range: &pb::Range) -> Option<Self> {
        let start = Position::from_pb(range.start?);
        let end = range.end.map_or(start, Position::from_pb);
        Some(Self { start, end })
    }
}

/// A line, from 1, and a character in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The line, from 1.
    pub line: i32,
    /// The character in the line.
    pub character: i32,
}

impl Position {
    fn to_pb(self) -> pb::Position {
        pb::Position {
            line: self.line,
            character: self.character,
        }
    }

    fn from_pb(position: pb::Position) -> Self {
        Self {
            line: position.line,
            character: position.character,
        }
    }
}
