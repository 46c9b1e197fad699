//! Ranges of versions in the notation of other tools, as those that pip and conda read.

use condafront_model::redact::quoted;

/// What to write for `text`, which is a version in a notation that is not that of PyPI: `^1.2` of Poetry and npm, `~1.2` of
/// npm, `latest`, or a version alone.
pub(super) fn advice(text: &str) -> String {
    let range = if text.eq_ignore_ascii_case("latest") {
        Some("*".to_owned())
    } else if let Some(version) = text.strip_prefix('^') {
        compatible(version, |parts| {
            let first = parts.iter().position(|part| *part != 0);
            first.unwrap_or(parts.len() - 1)
        })
    } else if let Some(version) = text.strip_prefix('~') {
        compatible(version, |parts| (parts.len() - 1).min(1))
    } else {
        None
    };
    match range {
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
    let parts = version.split('.').map(|part| part.parse().ok());
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
            ("2.1rc1", "Write `==2.1rc1` or `>=2.1rc1`."),
            ("^1.x", "For example: `>=2` or `==2.1`. `*` is any version."),
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
