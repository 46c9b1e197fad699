//! Lines that `pip freeze` writes for packages that conda installed: `NAME @ file:///croot/NAME_1700000000000/work`.

use super::syntax::{is_name, without_extras};
use crate::mistake::Mistake;
use condafront_model::redact::quoted;

/// The mistake of such a line, `text`, with `head` before the `@`.
pub(super) fn mistake(head: &str, text: &str) -> Mistake {
    let (name, _) = without_extras(head);
    Mistake::new(
        format!(
            "`{}` is a local file, which the build cannot see",
            quoted(text)
        ),
        format!(
            "If `pip freeze` wrote the line, conda had installed {name}: list it under `dependencies:`, or write {name}==VERSION, as `pip list --format=freeze` does. Otherwise put the file in the build context, and write its path there: ./demo."
        ),
    )
}

/// Help for a file with this text, if it has several such lines and `line` is one of them.
pub(super) fn help(line: &str, text: &str) -> Option<String> {
    if !is_frozen(line) {
        return None;
    }
    let lines = text.lines().map(|line| {
        let line = line.trim_start();
        line.strip_prefix("- ").unwrap_or(line)
    });
    let more = match lines.filter(|line| is_frozen(line)).count() {
        0 | 1 => return None,
        2 => "another one".to_owned(),
        all => format!("{} others", all - 1),
    };
    Some(format!(
        "If `pip freeze` wrote this line and {more} in the file, conda had installed these packages: list them under `dependencies:`, or write all lines as `pip list --format=freeze` does, with the version in place of the file."
    ))
}

fn is_frozen(line: &str) -> bool {
    line.split_once('@').is_some_and(|(head, target)| {
        is_name(without_extras(head.trim()).0) && target.trim_start().starts_with("file:/")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_is_for_all_lines_of_the_file() {
        const LINE: &str = "a @ file:///croot/a_1/work";
        for (text, more) in [
            (LINE.to_owned(), None),
            (
                format!("{LINE}\n# b @ file:///b\nc==1\nd @ file:./d\n"),
                None,
            ),
            (
                format!("{LINE}\nb[x] @ file:///b\n"),
                Some("another one in the file"),
            ),
            (
                format!("  - c\n  - {LINE}\n  - b@file:///b\n  - d @ file:///d\n"),
                Some("2 others in the file"),
            ),
        ] {
            let help = help(LINE, &text);
            assert_eq!(help.is_some(), more.is_some(), "{text}");
            assert!(
                help.unwrap_or_default().contains(more.unwrap_or_default()),
                "{text}"
            );
        }
        assert_eq!(help("c==1", &format!("{LINE}\n{LINE}\nc==1\n")), None);
    }
}
