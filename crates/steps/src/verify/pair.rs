//! Compares a file or link of the image with what it must be: content, permissions, owner and capabilities.

use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use super::findings::shown;
use super::rules::{Rules, Wanted};
use crate::contents;
use crate::install::error::{Error, Result};
use crate::rights::capabilities;
use condafront_step_spec::verify::Reason;

/// What a comparison of a file or link found.
pub(super) enum Outcome {
    Wrong(Reason, String),
    /// It is different, and may be.
    Note(String),
}

/// A file or link that both trees have.
pub(super) struct Pair {
    /// What findings call it.
    pub(super) path: PathBuf,
    pub(super) ours: PathBuf,
    pub(super) theirs: PathBuf,
    pub(super) wanted: Metadata,
    pub(super) found: Metadata,
}

/// What is different about a file or link, if anything is.
pub(super) fn outcome(rules: &Rules<'_>, pair: &Pair) -> Result<Option<Outcome>> {
    let Pair {
        ours,
        theirs,
        wanted,
        ..
    } = pair;
    let mut note = None;
    if wanted.is_symlink() {
        let target = |path: &Path| fs::read_link(path).map_err(|e| Error::io("read", path, e));
        let [ours, theirs] = [target(ours)?, target(theirs)?];
        if ours != theirs {
            let [ours, theirs] = [ours, theirs].map(|target| shown(&target));
            let text = format!("points to `{theirs}` instead of `{ours}`");
            return Ok(Some(Outcome::Wrong(Reason::Link, text)));
        }
    } else if wanted.is_file() {
        match difference(rules, pair)? {
            Some(Outcome::Wrong(reason, text)) => return Ok(Some(Outcome::Wrong(reason, text))),
            other => note = other,
        }
    }
    let wrong = rights(rules, pair)?;
    Ok(wrong
        .map(|(reason, text)| Outcome::Wrong(reason, text))
        .or(note))
}

/// What is wrong with permissions, owner or capabilities, whatever the content is.
pub(super) fn rights(rules: &Rules<'_>, pair: &Pair) -> Result<Option<(Reason, String)>> {
    let wrong = rules.rights(&pair.wanted, &pair.found);
    if wrong.is_some() || !pair.wanted.is_file() {
        return Ok(wrong);
    }
    let ours = capabilities(&pair.ours).map_err(|e| Error::io("read", &pair.ours, e))?;
    Ok(match capabilities(&pair.theirs) {
        Ok(theirs) if theirs == ours => None,
        Ok(_) => Some((
            Reason::Capabilities,
            "has different capabilities".to_owned(),
        )),
        Err(error) => Some((Reason::Unreadable, unreadable(&error))),
    })
}

/// How the contents of two files differ.
fn difference(rules: &Rules<'_>, pair: &Pair) -> Result<Option<Outcome>> {
    let wrong = |text: &str| Outcome::Wrong(Reason::Content, text.to_owned());
    match rules.wanted(&pair.path) {
        Wanted::Record(identity) => {
            let is_it = rules.is_record_of(&pair.path, identity);
            return Ok((!is_it).then(|| wrong("is the record of a different package")));
        }
        Wanted::Variables => {
            let is_same = rules.sets_the_same(&pair.path);
            return Ok((!is_same).then(|| wrong("sets different variables")));
        }
        Wanted::Script if contents::same_script(&pair.ours, &pair.theirs)? => return Ok(None),
        Wanted::Script | Wanted::Same | Wanted::Anything => {}
    }
    let sizes = [&pair.wanted, &pair.found].map(Metadata::len);
    if sizes[0] == sizes[1] && contents::equal(&pair.ours, &pair.theirs)? {
        return Ok(None);
    }
    if rules.is_same_inventory(&pair.path) {
        let note = "The inventory in the image names a different base image, different packages of its distribution, or a different version of condafront.";
        return Ok(Some(Outcome::Note(note.to_owned())));
    }
    Ok(Some(match sizes {
        [ours, theirs] if ours != theirs => wrong(&format!("has {theirs} bytes instead of {ours}")),
        _ => wrong("has different content"),
    }))
}

/// What findings say about a path that cannot be read.
pub(super) fn unreadable(error: &io::Error) -> String {
    format!("cannot be read: {error}")
}
