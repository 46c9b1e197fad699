//! Entries whose form is wrong, before it matters what they name.

use super::parts::Parts;
use crate::mistake::Mistake;
use condafront_model::redact::quoted;

/// A line of what `conda list` prints, and two entries of which the second is indented too deep.
pub(super) fn listed(text: &str) -> Option<Mistake> {
    let shown = quoted(text);
    let text = text.split(['#', '[']).next().unwrap_or_default();
    if let Some((first, _)) = text.split_once(" - ") {
        return Some(Mistake::new(
            format!("`{shown}` is several entries in one: the next line is indented too deep"),
            format!(
                "Start each dash in the same column as that of `{}`.",
                quoted(first.trim_end())
            ),
        ));
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    let [name, version, build, channel] = words.as_slice() else {
        return None;
    };
    let is_plain = |word: &&str| !word.contains(|c: char| "=<>!~|,*".contains(c));
    let has_digit = |word: &str| word.contains(|c: char| c.is_ascii_digit());
    (words.iter().all(is_plain) && has_digit(version) && has_digit(build)).then(|| {
        Mistake::new(
            format!("`{shown}` is a line of `conda list`, not a dependency"),
            format!(
                "Write `{}`, or less of it.",
                quoted(&format!("{channel}::{name}={version}={build}"))
            ),
        )
    })
}

/// An entry that starts with another dash.
pub(super) fn dash(text: &str, option: &str) -> Mistake {
    let shown = quoted(text);
    if option.starts_with('-') || option.starts_with("c ") {
        Mistake::new(
            format!("`{shown}` is a conda option, not a package"),
            "Name a package. Put channels in the `channels:` list.",
        )
    } else {
        Mistake::new(
            format!("`{shown}` starts with an extra dash"),
            format!(
                "Start each entry of a list with one dash and a space: `- {}`.",
                quoted(option)
            ),
        )
    }
}

/// A channel after `-c`, as on conda's command line.
pub(super) fn channel_option(text: &str) -> Option<Mistake> {
    let (dependency, rest) = text.split('#').next()?.split_once(" -c ")?;
    let dependency = dependency.trim_end();
    let channel = rest.split_whitespace().next()?;
    let meant = if dependency.contains("::") {
        dependency.to_owned()
    } else {
        format!("{channel}::{dependency}")
    };
    Some(Mistake::new(
        format!("`{}` has an option of conda", quoted(text)),
        format!(
            "Write `{}`, or put the channel {} in the `channels:` list.",
            quoted(&meant),
            quoted(channel)
        ),
    ))
}

/// A single colon before a version, or before nothing. conda would look for a package of that name.
pub(super) fn single_colon(text: &str) -> Option<Mistake> {
    let parts = Parts::of(text);
    parts.namespace?;
    let name = parts.name().0;
    let before = text.strip_suffix(parts.spec)?.trim_end_matches(':');
    let is_version = name.starts_with(|c: char| c.is_ascii_digit())
        && (name.contains('.') || name.bytes().all(|byte| byte.is_ascii_digit()));
    let help = if parts.spec.trim().is_empty() {
        format!("Write {}, without the colon.", quoted(before))
    } else if before.is_empty() {
        format!("Write {}, without the colon.", quoted(parts.spec.trim()))
    } else if is_version {
        format!("Write {}={}.", quoted(before), quoted(parts.spec))
    } else if parts.spec.starts_with(' ') {
        format!(
            "Write two colons after a channel: {}::{}.",
            quoted(before),
            quoted(parts.spec.trim())
        )
    } else {
        return None;
    };
    Some(Mistake::new(
        format!("`{}` has a single colon", quoted(text)),
        help,
    ))
}
