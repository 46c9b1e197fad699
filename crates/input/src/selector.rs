//! Selectors: comments that say which platforms a line of a list applies to.
//!
//! ```yaml
//! dependencies:
//!   - gcc_linux-64      # [linux64]
//!   - pywin32           # [win]
//!   - cuda-toolkit      # [linux and not aarch64]
//! ```
//!
//! They come from conda-build, and conda-lock reads them too; to conda and micromamba they are plain comments. The words
//! are conda-lock's (`conda_lock/src_parser/selectors.py`), conda-build's
//! (<https://docs.conda.io/projects/conda-build/en/stable/resources/define-metadata.html#preprocessing-selectors>) and
//! conda's platforms, with `not`, `and`, `or` and parentheses.

use crate::place::Place;
use condafront_model::lint::{Rule, Warning};
use condafront_model::nearest::nearest;
use condafront_model::platform::{self, Platform};
use condafront_model::redact::quoted;

/// Words that are not in conda's own list of platforms.
const WORDS: &[&str] = &[
    "linux", "linux32", "linux64", "unix", "osx", "osx64", "win", "win32", "win64", "x86",
    "x86_64", "arm", "arm64", "aarch64", "armv6l", "armv7l", "ppc64", "ppc64le", "s390x",
    "riscv64",
];

/// What a selector says about a platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The line applies to it.
    Keep,
    /// The line does not apply to it.
    Drop,
    /// The comment looks like a selector but is not a valid one.
    Unknown,
}

/// Whether the entry of a list at `place` applies to `platform`; a comment on its line may say otherwise. The file has these
/// `lines`.
pub(crate) fn is_for_platform(
    place: Place<'_>,
    lines: &[&str],
    platform: Platform,
    warnings: &mut Vec<Warning>,
) -> bool {
    let index = usize::try_from(place.lines.first).unwrap_or(usize::MAX) - 1;
    // In a list in brackets, it would be unclear which entry the comment is about.
    let line = lines
        .get(index)
        .filter(|line| line.trim_start().starts_with('-'));
    let Some(selector) = line.and_then(|line| of_line(line)) else {
        return true;
    };
    match judge(selector, platform) {
        Some(Verdict::Drop) => false,
        Some(Verdict::Keep) | None => true,
        Some(Verdict::Unknown) => {
            let shown = quoted(selector);
            let diagnostic = place.error(format!(
                "the selector `[{shown}]` is not understood: the line applies to every platform"
            ));
            warnings.push(Warning {
                rule: Rule::Ignored,
                diagnostic: diagnostic.help("Write linux, linux64, aarch64, osx, win or a conda platform, combined with not, and, or."),
            });
            true
        }
    }
}

/// The text in the last brackets of a line's comment, unless brackets or parentheses follow: that would be a link.
fn of_line(line: &str) -> Option<&str> {
    let comment = comment(line)?;
    let (before, after) = comment.rsplit_once(']')?;
    if after.contains(['(', ')', '[']) {
        return None;
    }
    let (_, selector) = before.rsplit_once('[')?;
    (!selector.contains(']') && selector.len() <= 200).then(|| selector.trim())
}

/// The text after a `#` that starts a comment.
fn comment(line: &str) -> Option<&str> {
    let mut quote = None;
    let mut before = ' ';
    for (at, c) in line.char_indices() {
        match quote {
            Some(open) if c == open => quote = None,
            None if c == '#' && before.is_whitespace() => return Some(&line[at + 1..]),
            None if "\"'".contains(c) && (before.is_whitespace() || "[,:{".contains(before)) => {
                quote = Some(c);
            }
            Some(_) | None => {}
        }
        before = c;
    }
    None
}

/// What a selector says about `platform`. `None` if it is only a comment in brackets.
pub(crate) fn judge(selector: &str, platform: Platform) -> Option<Verdict> {
    let tokens = tokens(selector);
    let mut reader = Reader {
        tokens: &tokens,
        at: 0,
        open: 0,
        platform,
    };
    match reader.either().filter(|_| reader.at == tokens.len()) {
        Some(true) => Some(Verdict::Keep),
        Some(false) => Some(Verdict::Drop),
        None => {
            let is_meant = |token: &&str| {
                is_word(token)
                    || nearest(token, WORDS.iter().copied()).is_some()
                    || token.starts_with("py")
            };
            tokens.iter().any(is_meant).then_some(Verdict::Unknown)
        }
    }
}

fn tokens(selector: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = selector.trim_start();
    while let Some(first) = rest.chars().next() {
        let is_part = |c: char| c.is_alphanumeric() || "_-".contains(c);
        let end = match rest.find(|c: char| !is_part(c)) {
            Some(0) => first.len_utf8(),
            Some(end) => end,
            None => rest.len(),
        };
        tokens.push(&rest[..end]);
        rest = rest[end..].trim_start();
    }
    tokens
}

fn is_word(word: &str) -> bool {
    WORDS.contains(&word) || platform::is_subdir(word)
}

/// Reads an expression; `None` if it is not a valid one.
struct Reader<'a> {
    tokens: &'a [&'a str],
    at: usize,
    /// How many parentheses are open.
    open: usize,
    platform: Platform,
}

/// The parentheses that may be open at the same time.
const DEEPEST: usize = 50;

impl Reader<'_> {
    fn take(&mut self, token: &str) -> bool {
        let is_next = self.tokens.get(self.at) == Some(&token);
        self.at += usize::from(is_next);
        is_next
    }

    fn either(&mut self) -> Option<bool> {
        let mut value = self.all()?;
        while self.take("or") {
            value |= self.all()?;
        }
        Some(value)
    }

    fn all(&mut self) -> Option<bool> {
        let mut value = self.one()?;
        while self.take("and") {
            value &= self.one()?;
        }
        Some(value)
    }

    fn one(&mut self) -> Option<bool> {
        let mut is_negated = false;
        while self.take("not") {
            is_negated = !is_negated;
        }
        let value = self.operand()?;
        Some(value != is_negated)
    }

    fn operand(&mut self) -> Option<bool> {
        if self.take("(") {
            self.open += 1;
            if self.open > DEEPEST {
                return None;
            }
            let value = self.either()?;
            self.open -= 1;
            return self.take(")").then_some(value);
        }
        let word = self.tokens.get(self.at).filter(|word| is_word(word))?;
        self.at += 1;
        Some(self.is_true(word))
    }

    /// `arm64` is the name on macOS and Windows; on Linux it is `aarch64`.
    fn is_true(&self, word: &str) -> bool {
        let subdir = self.platform.subdir();
        match word {
            "linux" | "unix" => true,
            "linux64" | "x86" | "x86_64" => subdir == "linux-64",
            "arm64" => false,
            word => subdir == word || subdir.strip_prefix("linux-") == Some(word),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_at_the_end_of_a_comment_are_found() {
        for (line, selector) in [
            ("  - pywin32  # [win]", Some("win")),
            ("  - pywin32  # needed [win]  ", Some("win")),
            ("  - 'numpy # [win]'", None),
            ("  - 'it''s' # [win] only there", Some("win")),
            ("  - a#[win]", None),
            ("  - a # see [the manual](https://x.example)", None),
            ("  - a[version='>=1'] # [linux]", Some("linux")),
            ("  - a[version='>=1']", None),
            ("# [osx]", Some("osx")),
            ("", None),
        ] {
            assert_eq!(of_line(line), selector, "{line}");
        }
    }

    #[test]
    fn platforms_are_distinguished() {
        use Verdict::*;
        let amd = Platform::LinuxAmd64;
        let arm = Platform::LinuxArm64;
        for (selector, on_amd, on_arm) in [
            ("linux", Some(Keep), Some(Keep)),
            ("unix", Some(Keep), Some(Keep)),
            ("linux64", Some(Keep), Some(Drop)),
            ("x86_64", Some(Keep), Some(Drop)),
            ("aarch64", Some(Drop), Some(Keep)),
            ("linux-aarch64", Some(Drop), Some(Keep)),
            ("arm64", Some(Drop), Some(Drop)),
            ("osx-arm64", Some(Drop), Some(Drop)),
            ("win", Some(Drop), Some(Drop)),
            ("not win", Some(Keep), Some(Keep)),
            ("linux and not aarch64", Some(Keep), Some(Drop)),
            ("win or (osx or aarch64)", Some(Drop), Some(Keep)),
            ("not (linux64 or win)", Some(Drop), Some(Keep)),
            ("lunix", Some(Unknown), Some(Unknown)),
            ("linux and py>=38", Some(Unknown), Some(Unknown)),
            ("linux and", Some(Unknown), Some(Unknown)),
            ("win osx", Some(Unknown), Some(Unknown)),
            ("1", None, None),
            ("see the manual", None, None),
            ("", None, None),
        ] {
            assert_eq!(judge(selector, amd), on_amd, "{selector}");
            assert_eq!(judge(selector, arm), on_arm, "{selector}");
        }
        let (many, deep) = (100_000, 51);
        let nots = format!("{}win", "not ".repeat(2 * many + 1));
        assert_eq!(judge(&nots, amd), Some(Keep));
        for (open, expected) in [(deep - 1, Keep), (deep, Unknown), (many, Unknown)] {
            let selector = format!("{}linux{}", "(".repeat(open), ")".repeat(open));
            assert_eq!(judge(&selector, amd), Some(expected), "{open}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_comment_makes_it_panic(line in "( |-|a|#|\\[|\\]|\\(|\\)|'|\"|not |win|and|or|é){0,40}") {
            if let Some(selector) = of_line(&line) {
                let _ = judge(selector, Platform::LinuxAmd64);
            }
        }
    }
}
