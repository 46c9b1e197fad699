//! Places in the user's files, in LLB form.

use buildkit_llb::{Location as LlbLocation, Range, SourceFile as LlbFile};

use condafront_model::source::{Lines, Location, SourceFile};

/// A user's file, with the lines around `places`.
pub fn source_file(file: &SourceFile, places: impl Iterator<Item = Lines>) -> LlbFile {
    with_language(file, file.excerpt_of(places))
}

/// These lines of a file.
pub fn location_in(file: &LlbFile, lines: impl IntoIterator<Item = Lines>) -> LlbLocation {
    let number = |line: u32| i32::try_from(line).unwrap_or(i32::MAX);
    let range = |lines: Lines| Range::lines(number(lines.first), number(lines.last));
    file.location(lines.into_iter().map(range))
}

/// A place in a file of which nothing else is shown.
pub fn location_of(place: &Location) -> LlbLocation {
    let file = &place.file;
    let excerpt = with_language(file, file.excerpt(place.lines));
    location_in(&excerpt, [place.lines])
}

/// A part of a user's file, which clients highlight.
fn with_language(file: &SourceFile, excerpt: Vec<u8>) -> LlbFile {
    let mut shown = LlbFile::new(file.name(), excerpt);
    shown.language(file.language());
    shown
}
