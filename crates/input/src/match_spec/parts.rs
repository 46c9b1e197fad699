//! The parts of a dependency, taken apart as conda does (`conda/models/match_spec.py`, `_parse_spec_str`).

use std::borrow::Cow;

/// `channel:namespace:spec`, of which most dependencies have only the spec.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Parts<'a> {
    /// What comes before `::`; it may be a URL.
    pub(super) channel: Option<&'a str>,
    /// What comes before a single colon, which conda reads and then ignores.
    pub(super) namespace: Option<&'a str>,
    /// The name, and everything after it.
    pub(super) spec: &'a str,
}

impl<'a> Parts<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        let head = outside_brackets(text);
        let (channel, rest) = match head.rfind("::") {
            Some(at) => (Some(&text[..at]), &text[at + 2..]),
            None => (None, text),
        };
        let end = rest.find(ends_name).unwrap_or(rest.len());
        let is_url = rest[..end].contains("://");
        let Some(at) = rest[..end].rfind(':').filter(|_| !is_url) else {
            return Self {
                channel,
                namespace: None,
                spec: rest,
            };
        };
        let (before, spec) = (&rest[..at], &rest[at + 1..]);
        let (channel, namespace) = match (channel, before.rsplit_once(':')) {
            (None, Some((channel, namespace))) => (Some(channel), namespace),
            (channel, _) => (channel, before),
        };
        Self {
            channel,
            namespace: Some(namespace),
            spec,
        }
    }

    /// The name, and what follows it.
    pub(super) fn name(&self) -> (&'a str, &'a str) {
        let spec = self.spec.trim_start();
        spec.split_at(spec.find(ends_name).unwrap_or(spec.len()))
    }

    /// The version and the build as they are written, outside brackets.
    pub(super) fn version_and_build(&self) -> (&'a str, Option<&'a str>) {
        let rest = outside_brackets(self.name().1);
        let rest = rest.split('#').next().unwrap_or_default().trim();
        // The build is the last word, unless it belongs to a condition.
        let is_operator = |c: char| "=!|,<>~".contains(c);
        let separators = rest.match_indices([' ', '=']);
        let build = separators.into_iter().find_map(|(at, _)| {
            let (before, build) = (&rest[..at], rest[at + 1..].trim());
            let is_build = !before.trim_end().is_empty()
                && !before.ends_with(is_operator)
                && !build.is_empty()
                && !build.contains(|c: char| c == '-' || is_operator(c));
            is_build.then_some((before, build))
        });
        match build {
            Some((version, build)) => (version.trim_end(), Some(build)),
            None => (rest, None),
        }
    }
}

/// The part of a dependency before its brackets.
fn outside_brackets(text: &str) -> &str {
    text.find('[').map_or(text, |bracket| &text[..bracket])
}

fn ends_name(c: char) -> bool {
    " =<>!~[#".contains(c)
}

/// The spec in the spelling that the parser reads as conda does.
pub(super) fn usual_spelling(spec: &str) -> Cow<'_, str> {
    let head = outside_brackets(spec);
    // Nothing follows the name: a single `=` asks for nothing.
    let name = head.trim_end().strip_suffix('=');
    if let Some(name) = name
        && head.len() == spec.len()
        && !name.contains(ends_name)
    {
        return Cow::Borrowed(name);
    }
    // `=1.2.` is `=1.2.*`.
    if let Some((name, version)) = head.split_once('=')
        && head.len() == spec.len()
        && !name.contains(ends_name)
        && version.ends_with('.')
        && !version.contains(|c: char| ends_name(c) || "*,|".contains(c))
    {
        return Cow::Owned(format!("{name}={}", version.trim_end_matches('.')));
    }
    let mut usual = Cow::Borrowed(spec);
    // `===` is `==`.
    if spec.contains("===") {
        let (mut head, mut brackets) = (head.to_owned(), spec[head.len()..].to_owned());
        while head.contains("===") {
            head = head.replace("===", "==");
        }
        for quote in ['\'', '"'] {
            brackets = brackets.replace(&format!("{quote}==="), &format!("{quote}=="));
        }
        usual = Cow::Owned(head + &brackets);
    }
    // `>1.2.*` is `>1.2`; the parser would read `>=1.2`.
    let mut from = 0;
    while let Some(at) = usual[from..].find('>') {
        from += at + 1;
        let is_part = |c: char| c.is_alphanumeric() || "._!+ ".contains(c);
        let version = usual[from..].trim_start_matches(is_part);
        let end = usual.len() - version.len();
        if version.starts_with('*') && usual[..end].ends_with('.') && !version[1..].starts_with('.')
        {
            usual = Cow::Owned(format!("{}{}", &usual[..end - 1], &version[1..]));
        }
    }
    usual
}

/// The value of a key in a spec's brackets, as it was written.
pub(super) fn bracket_value<'a>(spec: &'a str, wanted: &str) -> Option<&'a str> {
    let mut rest = &spec[spec.find('[')? + 1..];
    loop {
        let (key, value) = rest.split_once('=')?;
        let value = value.trim_start();
        let (value, after) = match value.chars().next() {
            Some(quote @ ('"' | '\'')) => until_quote(&value[1..], quote)?,
            // A list: `extras=[a,b]`.
            Some('[') => value[1..].split_once(']')?,
            _ => value.split_at(value.find([',', ']']).unwrap_or(value.len())),
        };
        if key.trim() == wanted {
            return Some(value.trim());
        }
        rest = after.trim_start().strip_prefix(',')?;
    }
}

/// Splits a text at the first of these quotes that has no backslash before it.
fn until_quote(text: &str, quote: char) -> Option<(&str, &str)> {
    let mut is_escaped = false;
    let end = text.find(|c| {
        let ends = c == quote && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        ends
    })?;
    Some((&text[..end], &text[end + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colons_separate_as_in_conda() {
        for (text, channel, namespace, spec) in [
            ("numpy >=1", None, None, "numpy >=1"),
            ("conda-forge::numpy=1", Some("conda-forge"), None, "numpy=1"),
            (
                "bioconda:bcftools=1.20",
                None,
                Some("bioconda"),
                "bcftools=1.20",
            ),
            (
                "conda-forge/linux-64:numpy=1",
                None,
                Some("conda-forge/linux-64"),
                "numpy=1",
            ),
            ("a:b:c 1 0", Some("a"), Some("b"), "c 1 0"),
            ("a::b:c", Some("a"), Some("b"), "c"),
            (
                "https://c.example:8080/f::numpy",
                Some("https://c.example:8080/f"),
                None,
                "numpy",
            ),
            (
                "https://c.example/a-1-0.conda",
                None,
                None,
                "https://c.example/a-1-0.conda",
            ),
            (
                "https://c.example/f:numpy=1",
                None,
                None,
                "https://c.example/f:numpy=1",
            ),
            (
                "numpy[channel='https://c.example/f']",
                None,
                None,
                "numpy[channel='https://c.example/f']",
            ),
            (
                "numpy  # see https://c.example",
                None,
                None,
                "numpy  # see https://c.example",
            ),
        ] {
            let found = Parts::of(text);
            let expected = Parts {
                channel,
                namespace,
                spec,
            };
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn the_last_word_is_the_build() {
        for (text, version, build) in [
            ("numpy", "", None),
            ("numpy 1.2", "1.2", None),
            ("numpy=1.2", "=1.2", None),
            ("numpy 1.2 py_0", "1.2", Some("py_0")),
            ("numpy==1.2=py_0[md5=0]", "==1.2", Some("py_0")),
            ("numpy >=1.0 , <2 py_0 # why", ">=1.0 , <2", Some("py_0")),
            ("numpy >=1.0 <2", ">=1.0 <2", None),
            ("blas=*=openblas", "=*", Some("openblas")),
        ] {
            assert_eq!(
                Parts::of(text).version_and_build(),
                (version, build),
                "{text}"
            );
        }
    }

    #[test]
    fn values_in_brackets_may_be_lists_and_have_quotes() {
        for (text, channel) in [
            ("a[channel=b]", Some("b")),
            ("a[extras=[b,c], channel=d]", Some("d")),
            (r#"a[when="b[version=\">1\"]", channel='d']"#, Some("d")),
            ("a[when='channel=b']", None),
        ] {
            assert_eq!(bracket_value(text, "channel"), channel, "{text}");
        }
    }

    #[test]
    fn what_conda_reads_otherwise_is_written_otherwise() {
        for (text, usual) in [
            ("numpy===1.26=py_0", "numpy==1.26=py_0"),
            ("numpy ====1.26", "numpy ==1.26"),
            ("numpy[version='===1.26']", "numpy[version='==1.26']"),
            ("numpy[version===1.26]", "numpy[version===1.26]"),
            ("numpy=", "numpy"),
            ("numpy==", "numpy=="),
            ("numpy=1.26.", "numpy=1.26"),
            ("numpy==1.26.", "numpy==1.26."),
            ("numpy>=1.0=", "numpy>=1.0="),
            ("numpy >1.2.*,<2.*", "numpy >1.2,<2.*"),
            ("numpy >=1.2.*,> 1.3.* py_0", "numpy >=1.2.*,> 1.3 py_0"),
            (
                "numpy[version='>1.*', build=py*]",
                "numpy[version='>1', build=py*]",
            ),
            ("numpy>1*", "numpy>1*"),
        ] {
            assert_eq!(usual_spelling(text), usual);
        }
    }
}
