//! Patterns for versions that conda compares as text, which the solver does not: `2023.*.0`, `^1\.2.*$`.

use super::parts::{Parts, bracket_value};
use crate::mistake::Mistake;
use condafront_model::redact;

/// The error for a pattern that only conda can read, with the nearest one that the solver can.
pub(super) fn mistake(text: &str) -> Option<Mistake> {
    let parts = Parts::of(text);
    let version = bracket_value(parts.spec, "version").unwrap_or(parts.version_and_build().0);
    let condition = conditions(version).find(|condition| is_pattern(condition))?;
    let (operator, pattern) = condition.split_at(condition.len() - pattern_of(condition).len());
    let message = format!(
        "`{}`: condafront cannot read the pattern `{}`, though conda can",
        redact::quoted(text),
        redact::quoted(pattern)
    );
    let (name, _) = parts.name();
    if is_build(pattern)
        && ["", "=", "=="].contains(&operator.trim())
        && parts.version_and_build() == (condition, None)
    {
        let before = text.strip_suffix(parts.spec).unwrap_or_default();
        return Some(Mistake::new(
            message,
            format!(
                "If it is for the build, write {}.",
                redact::quoted(&format!("{before}{name}=*={pattern}"))
            ),
        ));
    }
    let prefix = literal_prefix(pattern);
    let nearest = match operator.trim() {
        "" | "=" | "==" if prefix.is_empty() => "*".to_owned(),
        "" | "=" | "==" => format!("{prefix}.*"),
        ">" | ">=" if !prefix.is_empty() => prefix,
        _ => {
            return Some(Mistake::new(
                message,
                "Write the versions themselves, with a comma between them: !=1.0.2,!=1.1.2.",
            ));
        }
    };
    let written = text.replacen(pattern, &nearest, 1);
    Some(Mistake::new(
        message,
        format!(
            "The nearest that it can read is {}. Or write the versions themselves, with `|` between them.",
            redact::quoted(&written)
        ),
    ))
}

/// The single conditions of a version, as they are written.
fn conditions(version: &str) -> impl Iterator<Item = &str> {
    let mut rest = version;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches([' ', ',', '|', '(', ')']);
        // What a regular expression contains does not separate conditions.
        let after_operator = pattern_of(rest);
        let start = rest.len() - after_operator.len();
        let regex = after_operator
            .strip_prefix('^')
            .and_then(|regex| regex.find('$'));
        let end = match regex {
            Some(end) => start + 1 + end + 1,
            None => rest.find([',', '|', '(', ')']).unwrap_or(rest.len()),
        };
        let (condition, after) = rest.split_at(end);
        rest = after;
        Some(condition.trim_end()).filter(|condition| !condition.is_empty())
    })
}

/// A condition without its operator.
fn pattern_of(condition: &str) -> &str {
    condition.trim_start_matches(['=', '<', '>', '!', '~', ' '])
}

fn is_pattern(condition: &str) -> bool {
    let version = pattern_of(condition);
    let is_regex = version.starts_with('^') && version.ends_with('$');
    let is_glob = version.trim_end_matches(['*', '.']).contains('*');
    // The solver reads the other operators as "any version".
    let is_nothing =
        version == "*" && ["!=", "<", ">"].contains(&condition[..condition.len() - 1].trim());
    is_regex || is_glob || is_nothing
}

/// Whether a pattern looks like one for a build, such as `*_mpi`.
fn is_build(pattern: &str) -> bool {
    pattern.starts_with('*') && !pattern.contains(|c: char| c.is_ascii_digit() || c == '.')
}

/// What every version that the pattern matches begins with: whole parts of a version only.
fn literal_prefix(pattern: &str) -> String {
    let is_regex = pattern.starts_with('^');
    let mut prefix = String::new();
    let mut chars = pattern.trim_start_matches('^').chars().peekable();
    while let Some(c) = chars.next() {
        let c = match c {
            '\\' => chars.next_if_eq(&'.'),
            c if c.is_ascii_alphanumeric() || "._!+".contains(c) => Some(c),
            _ => None,
        };
        let is_repeated = is_regex && chars.peek().is_some_and(|next| "*+?{".contains(*next));
        match c {
            Some(c) if !is_repeated => prefix.push(c),
            _ => break,
        }
    }
    prefix.trim_end_matches(['.', '_']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_pattern_keeps_everything_else() {
        let help = |text: &str| {
            let place = condafront_model::source::SourceFile::new("env.yml", "x\n");
            let place = crate::place::Place {
                file: &place,
                lines: condafront_model::source::Lines::one(1),
            };
            mistake(text).map(|mistake| mistake.at(place).help.unwrap_or_default())
        };
        for (text, nearest) in [
            ("foo 2023.*.0", "foo 2023.*"),
            ("foo=1.*.2=py*", "foo=1.*=py*"),
            ("c::foo >=1,1.*.2 h_0", "c::foo >=1,1.* h_0"),
            ("foo *.0", "foo *"),
            ("foo >=1.*.2", "foo >=1"),
            ("foo ^1\\.2\\..*$", "foo 1.2.*"),
            ("foo ^1.2.*$|2.0", "foo 1.2.*|2.0"),
            ("foo ^(1|2)\\.0$,<3", "foo *,<3"),
            (
                "foo[version='1.*.3', build=py*]",
                "foo[version='1.*', build=py*]",
            ),
            ("foo[version='^1\\.20+$']", "foo[version='1.2.*']"),
        ] {
            let found = help(text).unwrap_or_default();
            let expected = format!("The nearest that it can read is {nearest}. ");
            assert!(found.starts_with(&expected), "{text}: {found}");
        }
        for (text, build) in [
            ("c::foo =*_mpi", "c::foo=*=*_mpi"),
            ("foo *cuda*", "foo=*=*cuda*"),
        ] {
            let expected = format!("If it is for the build, write {build}.");
            assert_eq!(help(text), Some(expected), "{text}");
        }
        for text in ["foo !=1.*.2", "foo!=*", "foo !=*_mpi"] {
            assert!(help(text).unwrap().contains("!=1.0.2"), "{text}");
        }
        for text in [
            "foo 1.*",
            "foo 1.2.*.*",
            "foo >=1.*,<2",
            "foo=*=*_cpython",
            "foo 1.2*",
            "foo",
        ] {
            assert_eq!(help(text), None, "{text}");
        }
    }
}
