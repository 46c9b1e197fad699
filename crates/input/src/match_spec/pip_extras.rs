//! Extras in pip's form, which mean nothing to conda: `requests[security]`.

use super::parts::Parts;
use crate::mistake::Mistake;
use condafront_model::redact::quoted;

/// The brackets after the name that hold nothing but names, and the dependency without them.
pub(super) fn split(text: &str) -> Option<(&str, String)> {
    let parts = Parts::of(text);
    let (name, rest) = parts.name();
    let (inside, after) = rest.trim_start().strip_prefix('[')?.split_once(']')?;
    let is_name = |extra: &str| {
        extra.starts_with(|c: char| c.is_ascii_alphabetic())
            && extra
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
    };
    if name.is_empty() || after.contains('[') || !inside.split(',').all(|it| is_name(it.trim())) {
        return None;
    }
    let before = text.strip_suffix(rest)?.trim_end();
    Some((inside, format!("{before}{after}")))
}

/// What is doubtful about a dependency with such `extras`.
pub(super) fn doubt(text: &str, extras: &str) -> Mistake {
    let shown = quoted(text);
    let requirement = format!("{}[{extras}]", Parts::of(text).name().0);
    Mistake::new(
        format!(
            "`[{}]` in `{shown}` has no effect: conda packages have no pip extras",
            quoted(extras)
        ),
        format!(
            "Remove it and list the packages that the extra adds, or write {} under `- pip:`.",
            quoted(&requirement)
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_advice_is_a_requirement_of_pip() {
        let file = condafront_model::source::SourceFile::new("env.yml", "x\n");
        let place = crate::place::Place {
            file: &file,
            lines: condafront_model::source::Lines::one(1),
        };
        let help = doubt("c::passlib[bcrypt]=1.7.*", "bcrypt").at(place).help;
        assert!(help.is_some_and(|help| help.contains(" write passlib[bcrypt] under")));
    }

    #[test]
    fn only_names_in_brackets_are_extras() {
        for (text, extras, without) in [
            ("requests[security]", "security", "requests"),
            (
                "c::requests[security, use_chardet] >=2,<3 py_0",
                "security, use_chardet",
                "c::requests >=2,<3 py_0",
            ),
            ("requests [socks]=2.31", "socks", "requests=2.31"),
        ] {
            assert_eq!(split(text), Some((extras, without.to_owned())), "{text}");
        }
        for text in [
            "requests",
            "requests[version='>=2']",
            "requests[version<2]",
            "requests[2.31]",
            "requests[]",
            "requests[socks",
            "requests[socks][version='>=2']",
            "requests >=2[socks]",
            "[socks]",
        ] {
            assert_eq!(split(text), None, "{text}");
        }
    }
}
