//! The ways in which the server can be made to fail.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use bytes::Bytes;

/// What happens to a request instead of the file it asked for.
#[derive(Clone, Debug)]
pub enum Fault {
    /// This status, with a short text body.
    Status(u16),
    /// Status 429 with `Retry-After`, until that much time has passed since the first request for the path.
    Busy(Duration),
    /// The connection is reset (TCP RST) before any response.
    Reset,
    /// The full `Content-Length`, half of the body, then the connection closes.
    ShortBody,
    /// A `Content-Length` of a terabyte, the body, then the connection closes.
    LongLength,
    /// Half of the body as if it were the whole.
    Half,
    /// The full `Content-Length`, half of the body, then nothing for as long as the client waits.
    Stall,
    /// Status 200 with an HTML page, as from a login wall or captive portal.
    Html,
    /// The right response, one byte after the other with this time before each.
    Drip(Duration),
    /// Status 302 with this address.
    Redirect(String),
    /// The right response, this much later.
    Slow(Duration),
    /// Status 200 with other bytes.
    Content(Bytes),
}

/// How often a [`Fault`] applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Times {
    /// To every matching request.
    Always,
    /// To the first this many matching requests.
    First(usize),
    /// To the first this many requests for each matching path.
    FirstOfEach(usize),
}

/// A fault, where it applies, and how often it has been used.
#[derive(Debug)]
pub(super) struct Rule {
    pattern: String,
    fault: Fault,
    times: Times,
    used: usize,
    used_by_path: HashMap<String, usize>,
    first_by_path: HashMap<String, Instant>,
}

impl Rule {
    pub(super) fn new(pattern: &str, fault: Fault, times: Times) -> Self {
        Self {
            pattern: pattern.to_owned(),
            fault,
            times,
            used: 0,
            used_by_path: HashMap::new(),
            first_by_path: HashMap::new(),
        }
    }

    /// The fault for this path, if any; counts it as used.
    fn apply(&mut self, path: &str) -> Option<Fault> {
        if !matches(&self.pattern, path) {
            return None;
        }
        let first = self.first_by_path.entry(path.to_owned());
        let waited = first.or_insert_with(Instant::now).elapsed();
        if matches!(self.fault, Fault::Busy(time) if waited >= time) {
            return None;
        }
        let by_path = self.used_by_path.entry(path.to_owned()).or_default();
        let spent = match self.times {
            Times::Always => false,
            Times::First(limit) => self.used >= limit,
            Times::FirstOfEach(limit) => *by_path >= limit,
        };
        if spent {
            return None;
        }
        self.used += 1;
        *by_path += 1;
        Some(self.fault.clone())
    }
}

/// The first rule that applies to `path`.
pub(super) fn find(rules: &mut [Rule], path: &str) -> Option<Fault> {
    rules.iter_mut().find_map(|rule| rule.apply(path))
}

/// Whether `text` matches `pattern`, where `*` matches any characters.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else {
        return rest.is_empty();
    };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        assert!(matches("/a/b", "/a/b"));
        assert!(!matches("/a/b", "/a/bc"));
        assert!(matches("*", "/anything"));
        assert!(matches("*/numpy-*.conda", "/c/linux-64/numpy-1-0.conda"));
        assert!(!matches("*/numpy-*.conda", "/c/linux-64/numpy-1-0.conda.x"));
        assert!(matches("/a*b*c", "/a-b-b-c"));
        assert!(!matches("/a*aa", "/aa"));
    }

    #[test]
    fn counts() {
        let mut rules = [
            Rule::new("/a", Fault::Status(503), Times::First(2)),
            Rule::new("/*", Fault::Html, Times::FirstOfEach(1)),
        ];
        let mut kinds = |path: &str| match find(&mut rules, path) {
            Some(Fault::Status(code)) => code,
            Some(_) => 1,
            None => 0,
        };
        assert_eq!([kinds("/a"), kinds("/b"), kinds("/b")], [503, 1, 0]);
        assert_eq!([kinds("/a"), kinds("/a"), kinds("/a")], [503, 1, 0]);
    }
}
