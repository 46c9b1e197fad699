//! Dependencies that belong in a list for pip.

use super::parts::{Parts, bracket_value};
use crate::mistake::Mistake;
use condafront_model::redact;

/// The builds and channels that conda shows for packages that pip installed.
const BUILDS: &[&str] = &["pypi_0", "<pip>"];
const CHANNELS: &[&str] = &["pypi", "<pip>"];
/// Those for packages that are installed in development mode, from their folders.
const DEVELOPED: &[&str] = &["dev_0", "<develop>"];

/// The mistake, if `text` is for pip.
pub(super) fn mistake(text: &str) -> Option<Mistake> {
    let quoted = redact::quoted(text);
    if let Some(option) = text.strip_prefix('-') {
        return of_option(option, &quoted);
    }
    if let Some(installed) = text.strip_prefix("pip install ") {
        let installed = redact::quoted(installed.trim());
        return Some(Mistake::new(
            format!("`{quoted}` is a command, not a package"),
            format!("Write `{installed}` in a `- pip:` list under `dependencies:`."),
        ));
    }
    let before_comment = text.split('#').next().unwrap_or_default();
    if let Some((dependency, _)) = before_comment.split_once(" --") {
        let dependency = redact::quoted(dependency.trim_end());
        return Some(Mistake::new(
            format!("`{quoted}` has an option of pip"),
            format!(
                "Write `{dependency}` alone, or put the line in a `- pip:` list under `dependencies:`."
            ),
        ));
    }
    if text.starts_with("git+") || text.contains(" @ ") || text.ends_with(".whl") {
        return Some(Mistake::new(
            format!("`{quoted}` is a pip package, not a conda package"),
            "Put it in a `- pip:` list under `dependencies:`.",
        ));
    }
    installed(text)
}

fn of_option(option: &str, quoted: &str) -> Option<Mistake> {
    const OPTIONS: &[&str] = &[
        "r ",
        "-requirement",
        "-index-url",
        "-extra-index-url",
        "-find-links",
    ];
    let message = format!("`{quoted}` is a pip option, not a package");
    let editable = option
        .strip_prefix("e")
        .or(option.strip_prefix("-editable"));
    if let Some(target) = editable.filter(|rest| rest.starts_with([' ', '='])) {
        let target = redact::quoted(target.trim_start_matches([' ', '=']));
        let target = if target == "." { "./" } else { &target };
        return Some(Mistake::new(
            message,
            format!("Put it in a `- pip:` list under `dependencies:`, without -e: `{target}`."),
        ));
    }
    let is_pips = OPTIONS.iter().any(|start| option.starts_with(start));
    is_pips.then(|| Mistake::new(message, "Put it in a `- pip:` list under `dependencies:`."))
}

/// A package that conda lists, but pip installed: `six=1.16.0=pypi_0`, `six 1.16.0 pypi_0 pypi`, `pypi::six`.
fn installed(text: &str) -> Option<Mistake> {
    let parts = Parts::of(text);
    let (name, rest) = parts.name();
    let outside = rest.split('[').next().unwrap_or_default();
    let words: Vec<&str> = outside
        .split([' ', '='])
        .filter(|word| !word.is_empty())
        .collect();
    let named = |wanted: &[&str], key: &str, words: &[&str]| {
        let in_brackets = bracket_value(parts.spec, key);
        let mut all = words.iter().copied().chain(in_brackets);
        all.any(|word| wanted.contains(&word))
    };
    let (builds, channels) = (
        words.get(1..).unwrap_or_default(),
        words.get(2..).unwrap_or_default(),
    );
    let channel = parts
        .channel
        .map(|channel| channel.split('/').next().unwrap_or_default());
    let is_pips = named(BUILDS, "build", builds)
        || named(CHANNELS, "channel", channels)
        || channel.is_some_and(|channel| CHANNELS.contains(&channel))
        || words == ["<pip>"];
    let is_developed = named(DEVELOPED, "build", builds) || named(DEVELOPED, "channel", channels);
    if name.is_empty() || !(is_pips || is_developed) {
        return None;
    }
    let version = words
        .first()
        .filter(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    let version = version.copied().or(bracket_value(parts.spec, "version"));
    let requirement = match version.map(|version| version.trim_start_matches('=')) {
        Some(version) => redact::quoted(&format!("{name}=={version}")),
        None => redact::quoted(name),
    };
    let quoted = redact::quoted(text);
    Some(if is_developed {
        Mistake::new(
            format!("`{quoted}` was installed from a folder, not from a channel"),
            format!(
                "Write the folder's path in a `- pip:` list under `dependencies:`, for example `./{name}`, or name a package of a channel."
            ),
        )
    } else {
        Mistake::new(
            format!("`{quoted}` was installed by pip, not from a channel"),
            format!("Write `{requirement}` in a `- pip:` list under `dependencies:`."),
        )
    })
}
