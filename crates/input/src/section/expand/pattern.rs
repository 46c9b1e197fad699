//! Patterns in `${NAME#pattern}` and the like: `*` is any text, `?` any character, a backslash escapes the next.

use super::error::{ExpandError, MAX_PATTERN, MAX_TEXT};

/// A pattern.
pub(super) struct Pattern(Vec<Token>);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Token {
    Any,
    One,
    Char(char),
}

impl Pattern {
    /// Parses a pattern for `text`, the value of the build-arg `name`.
    ///
    /// # Errors
    /// When one of them is too long.
    pub(super) fn new(name: &str, pattern: &str, text: &str) -> Result<Self, ExpandError> {
        if pattern.chars().count() > MAX_PATTERN {
            return Err(ExpandError::PatternTooLong(name.to_owned()));
        }
        if text.chars().count() > MAX_TEXT {
            return Err(ExpandError::ValueTooLong(name.to_owned()));
        }
        let mut tokens = Vec::new();
        let mut chars = pattern.chars();
        while let Some(c) = chars.next() {
            tokens.push(match c {
                '*' => Token::Any,
                '?' => Token::One,
                '\\' => Token::Char(chars.next().unwrap_or('\\')),
                c => Token::Char(c),
            });
        }
        Ok(Self(tokens))
    }

    /// `text` without what matches at its beginning.
    pub(super) fn without_prefix(&self, text: &str, longest: bool) -> String {
        let chars: Vec<char> = text.chars().collect();
        let length = matched(&self.0, &chars, longest).unwrap_or(0);
        chars[length..].iter().collect()
    }

    /// `text` without what matches at its end.
    pub(super) fn without_suffix(&self, text: &str, longest: bool) -> String {
        let chars: Vec<char> = text.chars().rev().collect();
        let tokens: Vec<Token> = self.0.iter().rev().copied().collect();
        let length = matched(&tokens, &chars, longest).unwrap_or(0);
        chars[length..].iter().rev().collect()
    }

    /// `text` with the longest match replaced where it first occurs, or everywhere.
    pub(super) fn replaced(&self, text: &str, by: &str, all: bool) -> String {
        let chars: Vec<char> = text.chars().collect();
        let mut out = String::new();
        let mut at = 0;
        let mut done = false;
        while at < chars.len() {
            let length = matched(&self.0, &chars[at..], true).filter(|length| *length > 0);
            match length {
                Some(length) if !done => {
                    out.push_str(by);
                    at += length;
                    done = !all;
                }
                _ => {
                    out.push(chars[at]);
                    at += 1;
                }
            }
        }
        out
    }
}

/// How many characters at the beginning of `chars` the tokens match: the fewest, or the most.
///
/// All ways to match advance together, one character at a time, so no pattern takes longer than the product of both
/// lengths.
fn matched(tokens: &[Token], chars: &[char], longest: bool) -> Option<usize> {
    // For each index, whether the tokens before it match the characters so far.
    let mut reached = vec![false; tokens.len() + 1];
    reached[0] = true;
    pass_any(tokens, &mut reached);
    let mut found = None;
    for seen in 0..=chars.len() {
        if reached[tokens.len()] {
            found = Some(seen);
            if !longest {
                return found;
            }
        }
        let Some(c) = chars.get(seen) else { break };
        let mut next = vec![false; tokens.len() + 1];
        for (index, token) in tokens.iter().enumerate() {
            if reached[index] {
                match token {
                    Token::Any => next[index] = true,
                    Token::One => next[index + 1] = true,
                    Token::Char(wanted) if wanted == c => next[index + 1] = true,
                    Token::Char(_) => {}
                }
            }
        }
        pass_any(tokens, &mut next);
        if !next.contains(&true) {
            break;
        }
        reached = next;
    }
    found
}

/// A `*` may match nothing.
fn pass_any(tokens: &[Token], reached: &mut [bool]) {
    for (index, token) in tokens.iter().enumerate() {
        if reached[index] && *token == Token::Any {
            reached[index + 1] = true;
        }
    }
}
