//! Slips of the keyboard: signs that are almost operators, options that no space separates from what is before them, and the
//! marks of list items.

use super::options;
use super::syntax::is_valid;
use condafront_model::redact::in_full;

/// What to write instead of `requirement`, which is not valid.
pub(super) fn help(requirement: &str) -> Option<String> {
    if let Some(name) = option_without_space(requirement) {
        return Some(format!(
            "Write a space in front of `{name}`: pip only sees options after a space."
        ));
    }
    let meant = with_operators(requirement)?;
    is_valid(&meant).then(|| format!("Write `{}`.", in_full(&meant)))
}

/// The option that follows a valid requirement directly, or after a tab: `idna==3.10--hash=sha256:…`.
fn option_without_space(requirement: &str) -> Option<&'static str> {
    let mut starts = requirement.match_indices("--");
    starts.find_map(|(at, _)| {
        let (before, option) = requirement.split_at(at);
        let known = options::at_start(option)?;
        is_valid(before.trim_end()).then_some(known)
    })
}

/// `requirement` with operators in place of what is almost one outside quotation marks: `=>`, `> =`, `>==`, `~>`.
fn with_operators(requirement: &str) -> Option<String> {
    let is_sign = |c: char| "=<>!~".contains(c);
    let mut meant = String::new();
    let mut rest = requirement;
    while let Some(first) = rest.chars().next() {
        let end = match first {
            '\'' | '"' => rest[1..].find(first).map_or(rest.len(), |at| at + 2),
            c if is_sign(c) => {
                let signs = rest.find(|c: char| !is_sign(c) && c != ' ');
                rest[..signs.unwrap_or(rest.len())].trim_end().len()
            }
            c => c.len_utf8(),
        };
        let (part, after) = rest.split_at(end);
        meant.push_str(if is_sign(first) { operator(part) } else { part });
        rest = after;
    }
    (meant != requirement).then_some(meant)
}

/// The operator that `signs` are meant to be.
fn operator(signs: &str) -> &str {
    match signs {
        "=>" | ">==" | ">===" | "> =" | "= >" => ">=",
        "=<" | "<==" | "<===" | "< =" | "= <" => "<=",
        "=!" | "!==" | "!===" | "! =" | "<>" => "!=",
        "=~" | "~==" | "~ =" | "~>" => "~=",
        "= =" | "====" => "==",
        other => other,
    }
}

/// The mark of a list item at the start of a line, and what follows it.
pub(super) fn item(text: &str) -> Option<(&str, &str)> {
    ["-", "*", "•"].into_iter().find_map(|mark| {
        let rest = text.strip_prefix(mark)?;
        let item = rest.trim_start();
        (item.len() < rest.len() && !item.is_empty()).then_some((&text[..mark.len()], item))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_are_corrected() {
        for (text, meant) in [
            ("a=>1.2", "a>=1.2"),
            ("a[x] =< 1", "a[x] <= 1"),
            ("a>==1,<==2", "a>=1,<=2"),
            ("a> =1", "a>=1"),
            ("a = = 1", "a == 1"),
            ("a====1", "a==1"),
            ("a~>1.2", "a~=1.2"),
            ("a<>1", "a!=1"),
            ("a!==1", "a!=1"),
            ("a; python_version => '3'", "a; python_version >= '3'"),
            ("a=>1; os_name == '=>'", "a>=1; os_name == '=>'"),
        ] {
            assert_eq!(help(text), Some(format!("Write `{meant}`.")), "{text}");
        }
        for text in ["a>>1", "a<=>1", "a=1", "a=>", "a b=>1", "a == 'x"] {
            assert_eq!(help(text), None, "{text}");
        }
    }

    #[test]
    fn options_need_a_space() {
        for (text, option) in [
            ("a==1--hash=sha256:00", "--hash"),
            ("a==1\t--hash=sha256:00", "--hash"),
            ("a--b>=1; os_name == 'x'--no-binary a", "--no-binary"),
        ] {
            let help = help(text).unwrap_or_default();
            assert!(
                help.contains(&format!("in front of `{option}`")),
                "{text}: {help}"
            );
        }
        for text in ["a==--hash=x", "a==1--x", "a b--pre"] {
            assert_eq!(help(text), None, "{text}");
        }
    }

    #[test]
    fn items_of_lists_are_recognised() {
        for (text, expected) in [
            ("- idna>=3", Some(("-", "idna>=3"))),
            ("*\tidna", Some(("*", "idna"))),
            ("• idna", Some(("•", "idna"))),
            ("-e idna", None),
            ("--pre", None),
            ("- ", None),
            ("idna", None),
        ] {
            assert_eq!(item(text), expected, "{text}");
        }
    }
}
