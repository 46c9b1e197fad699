//! Ranges of versions in the notation of other tools, as those that pip and conda read.

use condafront_model::redact::quoted;

/// The range that `text` stands for in the notation of another tool: `^1.2` of Poetry and npm, `~1.2` of npm, `latest`, or
/// conditions with a space between them instead of a comma; `None` for anything else.
pub(crate) fn meant(text: &str) -> Option<String> {
    let text = text.trim();
    if text.eq_ignore_ascii_case("latest") {
        return Some("*".to_owned());
    }
    if let Some(version) = text.strip_prefix('^') {
        return compatible(version, |parts| {
            let first = parts.iter().position(|part| *part != 0);
            first.unwrap_or(parts.len() - 1)
        });
    }
    if let Some(version) = text.strip_prefix('~')
        && !version.starts_with('=')
    {
        return compatible(version, |parts| (parts.len() - 1).min(1));
    }
    joined(text)
}

/// Whether `text` starts with an operator of pip and conda.
pub(crate) fn is_condition(text: &str) -> bool {
    text.starts_with(['<', '>', '=', '!']) || text.starts_with("~=")
}

/// What is wrong with `text`, a version for which there is a [`meant`] range, as one of the tool `tool`.
pub(crate) fn fault(text: &str, tool: &str) -> String {
    if is_condition(text.trim_start()) {
        "has conditions without a comma between them".to_owned()
    } else {
        format!("is not how {tool} versions are written")
    }
}

/// Conditions with commas between them, if they have blanks instead.
fn joined(text: &str) -> Option<String> {
    let mut conditions: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let is_open = |one: &String| one.ends_with(['<', '>', '=', '!']);
        match conditions.last_mut().filter(|one| is_open(one)) {
            // `>= 1.2` is one condition.
            Some(open) => open.push_str(word),
            None if is_condition(word) => conditions.push(word.to_owned()),
            None => return None,
        }
    }
    let is_single = |one: &String| !one.contains([',', '|']);
    (conditions.len() > 1 && conditions.iter().all(is_single)).then(|| conditions.join(","))
}

/// What to write for `text`, which is a version in a notation that is not that of PyPI.
pub(crate) fn advice(text: &str) -> String {
    match meant(text) {
        Some(range) => format!("Write `{range}`."),
        None if text.starts_with(|c: char| c.is_ascii_digit()) => {
            format!("Write `=={0}` or `>={0}`.", quoted(text))
        }
        None => "For example: `>=2` or `==2.1`. `*` is any version.".to_owned(),
    }
}

/// The range from `version` to the next in which the part that `fixed` chooses differs.
fn compatible(version: &str, fixed: impl Fn(&[u64]) -> usize) -> Option<String> {
    let version = version.trim();
    let number = |part: &str| {
        // A sign is no part of a version.
        let is_number = part.bytes().all(|byte| byte.is_ascii_digit());
        part.parse::<u64>().ok().filter(|_| is_number)
    };
    let parts = version.split('.').map(number);
    let parts = parts.collect::<Option<Vec<u64>>>()?;
    let (last, before) = parts[..=fixed(&parts)].split_last()?;
    let next = before.iter().copied().chain([last.checked_add(1)?]);
    let next: Vec<String> = next.map(|part| part.to_string()).collect();
    Some(format!(">={version},<{}", next.join(".")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_other_tools_are_translated() {
        for (text, written) in [
            ("^1", "Write `>=1,<2`."),
            ("^3.10", "Write `>=3.10,<4`."),
            ("^0.3.1", "Write `>=0.3.1,<0.4`."),
            ("^0.0", "Write `>=0.0,<0.1`."),
            ("~1", "Write `>=1,<2`."),
            ("~1.2.3", "Write `>=1.2.3,<1.3`."),
            ("latest", "Write `*`."),
            (">=3.10 <3.12", "Write `>=3.10,<3.12`."),
            (">= 3.10  !=3.11.*", "Write `>=3.10,!=3.11.*`."),
            ("~=3.10 <3.12", "Write `~=3.10,<3.12`."),
            ("!=3.2 ~= 3.1", "Write `!=3.2,~=3.1`."),
            ("2.1rc1", "Write `==2.1rc1` or `>=2.1rc1`."),
            ("^1.x", "For example: `>=2` or `==2.1`. `*` is any version."),
            ("^+1", "For example: `>=2` or `==2.1`. `*` is any version."),
            ("~+1", "For example: `>=2` or `==2.1`. `*` is any version."),
            ("^", "For example: `>=2` or `==2.1`. `*` is any version."),
            (
                "^18446744073709551615",
                "For example: `>=2` or `==2.1`. `*` is any version.",
            ),
        ] {
            assert_eq!(advice(text), written, "{text}");
        }
    }
}
