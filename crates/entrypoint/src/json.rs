//! A reader for the JSON files in which conda keeps environment variables:
//! `etc/conda/env_vars.d/*` (one object) and `conda-meta/state` (an object in `env_vars`).

/// More nesting than any such file has; deeper input is refused so that it cannot exhaust the stack.
const MAX_DEPTH: usize = 64;

/// A JSON value, as far as environment variables need one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    /// An object's members, in file order.
    Object(Vec<(String, Value)>),
    /// A string.
    String(String),
    /// A number, `true`, `false` or `null`, as written; the format of numbers is not checked.
    Literal(String),
    /// An array; its items are not needed.
    Array,
}

/// Parses one JSON document; `None` if it is not well-formed.
pub(crate) fn parse(text: &str) -> Option<Value> {
    let mut parser = Parser { rest: text };
    let value = parser.value(0)?;
    parser.skip_space();
    parser.rest.is_empty().then_some(value)
}

struct Parser<'a> {
    rest: &'a str,
}

impl Parser<'_> {
    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\r', '\n']);
    }

    /// Consumes `token` if it comes next, after spaces.
    fn take(&mut self, token: char) -> bool {
        self.skip_space();
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        if depth > MAX_DEPTH {
            return None;
        }
        if self.take('{') {
            self.object(depth)
        } else if self.take('[') {
            self.array(depth)
        } else if self.take('"') {
            self.string().map(Value::String)
        } else {
            self.literal()
        }
    }

    fn object(&mut self, depth: usize) -> Option<Value> {
        let mut members = Vec::new();
        if self.take('}') {
            return Some(Value::Object(members));
        }
        loop {
            if !self.take('"') {
                return None;
            }
            let key = self.string()?;
            if !self.take(':') {
                return None;
            }
            members.push((key, self.value(depth + 1)?));
            if self.take('}') {
                return Some(Value::Object(members));
            }
            if !self.take(',') {
                return None;
            }
        }
    }

    fn array(&mut self, depth: usize) -> Option<Value> {
        if self.take(']') {
            return Some(Value::Array);
        }
        loop {
            self.value(depth + 1)?;
            if self.take(']') {
                return Some(Value::Array);
            }
            if !self.take(',') {
                return None;
            }
        }
    }

    fn literal(&mut self) -> Option<Value> {
        let end = self
            .rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.')))
            .unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        let number = word
            .trim_start_matches('-')
            .starts_with(|c: char| c.is_ascii_digit());
        if !number && !matches!(word, "true" | "false" | "null") {
            return None;
        }
        self.rest = rest;
        Some(Value::Literal(word.to_owned()))
    }

    /// The rest of a string, after its opening quote.
    fn string(&mut self) -> Option<String> {
        let mut out = String::new();
        loop {
            let at = self.rest.find(['"', '\\'])?;
            out.push_str(&self.rest[..at]);
            let quote = self.rest[at..].starts_with('"');
            self.rest = &self.rest[at + 1..];
            if quote {
                return Some(out);
            }
            out.push(self.escape()?);
        }
    }

    /// The character that an escape stands for, after its backslash.
    fn escape(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let kind = chars.next()?;
        self.rest = chars.as_str();
        Some(match kind {
            '"' | '\\' | '/' => kind,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let high = self.hex4()?;
                if !(0xd800..0xdc00).contains(&high) {
                    return char::from_u32(high);
                }
                self.rest = self.rest.strip_prefix("\\u")?;
                let low = self.hex4()?.checked_sub(0xdc00)?;
                if low >= 0x400 {
                    return None;
                }
                char::from_u32(0x10000 + ((high - 0xd800) << 10) + low)?
            }
            _ => return None,
        })
    }

    fn hex4(&mut self) -> Option<u32> {
        let digits = self.rest.get(..4)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        self.rest = &self.rest[4..];
        u32::from_str_radix(digits, 16).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn string(text: &str) -> Value {
        Value::String(text.to_owned())
    }

    #[test]
    fn objects_keep_file_order() {
        let parsed = parse(" {\"B\": \"1\", \"A\" : {\"x\":[1,{\"y\":null}], \"n\": -1.5e+3} }\n");
        let inner = Value::Object(vec![
            ("x".to_owned(), Value::Array),
            ("n".to_owned(), Value::Literal("-1.5e+3".to_owned())),
        ]);
        let expected = Value::Object(vec![("B".to_owned(), string("1")), ("A".to_owned(), inner)]);
        assert_eq!(parsed, Some(expected));
    }

    #[test]
    fn escapes_are_decoded() {
        assert_eq!(
            parse(r#""a\n\t\"\\\/\u00e9\ud83d\ude00é""#),
            Some(string("a\n\t\"\\/é😀é"))
        );
    }

    #[test]
    fn malformed_text_is_refused() {
        let cases = [
            "",
            "{",
            "{\"a\"}",
            "{\"a\":1,}",
            "{a:1}",
            "\"open",
            "\"\\x\"",
            "\"\\ud83d\"",
            "\"\\ud83d\\u0041\"",
            "tru",
            "1 2",
            "{} x",
            "[1,]",
            "nan",
            "inf",
        ];
        for case in cases {
            assert_eq!(parse(case), None, "{case}");
        }
        assert_eq!(parse(&"[".repeat(100_000)), None);
    }
}
