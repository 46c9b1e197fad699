//! `.dockerignore`: patterns of what does not belong to the build context.

/// Reads patterns the way Docker does (`patternmatcher/ignorefile`): one per line, comments and blank lines skipped,
/// paths cleaned, a leading slash dropped, `!` kept in front. BuildKit's client matches them.
pub(crate) fn parse(text: &str) -> Vec<String> {
    text.trim_start_matches('\u{feff}')
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| {
            let line = line.trim();
            let (invert, pattern) = match line.strip_prefix('!') {
                Some(rest) => ("!", rest.trim()),
                None => ("", line),
            };
            if pattern.is_empty() {
                return None;
            }
            Some(format!("{invert}{}", cleaned(pattern)))
        })
        .collect()
}

/// The shortest path equivalent to `path`, as from Go's `filepath.Clean`, but without a leading slash.
fn cleaned(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if path.starts_with('/') && parts.is_empty() => {}
            part => parts.push(part),
        }
    }
    if parts.is_empty() {
        return if path.starts_with('/') {
            String::new()
        } else {
            ".".to_owned()
        };
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_cleaned() {
        let text = "\u{feff}# comment\n\n /build/ \n!keep/./me\r\n  # not a comment\na/../b\n!\n../up\n.\n";
        assert_eq!(
            parse(text),
            ["build", "!keep/me", "# not a comment", "b", "../up", "."]
        );
    }
}
