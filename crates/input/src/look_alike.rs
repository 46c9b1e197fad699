//! Characters that look like others, or like nothing: text from web pages and word processors has them, and no tool reads
//! them as what they look like.

use crate::mistake::Mistake;
use condafront_model::redact::quoted;

/// A character that looks like another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LookAlike {
    found: char,
    /// What it looks like; nothing if it is invisible.
    like: &'static str,
}

/// The first such character in `text`.
pub(crate) fn find(text: &str) -> Option<LookAlike> {
    text.chars().find_map(|found| {
        Some(LookAlike {
            found,
            like: like(found)?,
        })
    })
}

fn like(c: char) -> Option<&'static str> {
    Some(match c {
        '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => " ",
        '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}' => "",
        '‘' | '’' | '‚' | '‛' | '＇' => "'",
        '“' | '”' | '„' | '‟' | '＂' => "\"",
        '\u{2010}'..='\u{2015}' | '−' | '－' => "-",
        '：' => ":",
        '，' => ",",
        '；' => ";",
        '＝' => "=",
        '＜' => "<",
        '＞' => ">",
        '＃' => "#",
        '［' => "[",
        '］' => "]",
        '≤' => "<=",
        '≥' => ">=",
        '≠' => "!=",
        _ => return None,
    })
}

impl LookAlike {
    /// The character, for messages.
    pub(crate) fn name(self) -> String {
        let number = u32::from(self.found);
        match self.like {
            "" => format!("the invisible character U+{number:04X}"),
            " " => format!("the character U+{number:04X}, which only looks like a space"),
            _ => format!("`{}` (U+{number:04X})", self.found),
        }
    }

    /// What to do about it.
    pub(crate) fn help(self) -> String {
        match self.like {
            "" => "Remove it.".to_owned(),
            " " => "Write a space in its place.".to_owned(),
            like => format!("Write `{like}` in its place."),
        }
    }

    /// The mistake of using it in `text`.
    pub(crate) fn mistake(self, text: &str) -> Mistake {
        let shown: String = text.chars().filter(|c| like(*c) != Some("")).collect();
        Mistake::new(
            format!("`{}` contains {}", quoted(&shown), self.name()),
            self.help(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_named_with_what_they_look_like() {
        for (text, name, help) in [
            (
                "numpy\u{a0}>=1",
                "the character U+00A0, which only looks like a space",
                "Write a space in its place.",
            ),
            (
                "numpy\u{200b}",
                "the invisible character U+200B",
                "Remove it.",
            ),
            ("“numpy”", "`“` (U+201C)", "Write `\"` in its place."),
            ("numpy≥1", "`≥` (U+2265)", "Write `>=` in its place."),
            ("– numpy", "`–` (U+2013)", "Write `-` in its place."),
        ] {
            let found = find(text).unwrap();
            assert_eq!((found.name().as_str(), found.help().as_str()), (name, help));
        }
        assert_eq!(find("café, 漢, 🐍 and ü"), None);
    }
}
