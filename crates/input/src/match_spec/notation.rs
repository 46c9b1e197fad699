//! Versions in the notation of other tools: `python ^3.10`, `python@3.10`.

use super::parts::Parts;
use crate::mistake::Mistake;
use crate::version_range;
use condafront_model::redact::quoted;

/// The mistake, if `text` has a version in such a notation after the name.
pub(super) fn mistake(text: &str) -> Option<Mistake> {
    if text.contains(['[', '@']) {
        return None;
    }
    let parts = Parts::of(text);
    let (name, rest) = match parts.spec.split_once('^') {
        Some((name, _)) => parts.spec.split_at(name.len()),
        None => parts.name(),
    };
    let has_blank = name.ends_with(' ') || rest.starts_with(' ');
    let name = name.trim_end_matches([' ', '=']);
    let version = rest.trim_start().trim_start_matches('=');
    // `=~1.2` is another mistake.
    let is_tilde = rest.trim_start().starts_with("=~");
    let range = version_range::meant(version).filter(|_| !is_tilde && !name.is_empty())?;
    // After `=`, `latest` is the version of that name.
    if range == "*" && rest.trim_start().starts_with('=') {
        return None;
    }
    let before = text.strip_suffix(parts.spec)?;
    let blank = if has_blank { " " } else { "" };
    let written = match range.as_str() {
        "*" => format!("{before}{name}"),
        range => format!("{before}{name}{blank}{range}"),
    };
    Some(Mistake::new(
        format!(
            "`{}` {}",
            quoted(text),
            version_range::fault(version, "conda")
        ),
        format!("Write {}.", quoted(&written)),
    ))
}

/// A version that is written as npm does, after `@`, as conda writes it.
pub(super) fn of_npm(version: &str) -> String {
    let number = version.trim_start_matches(['^', '~', 'v', '=']);
    match version_range::meant(version).as_deref() {
        _ if ["*", "x", ""].contains(&number) => String::new(),
        Some("*") => String::new(),
        Some(range) => range.to_owned(),
        None => format!("={number}"),
    }
}
