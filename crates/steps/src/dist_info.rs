//! The metadata that installers of wheels leave.

/// The path in a line of a `RECORD`, which is relative to `modules`, as one relative to the prefix
/// (<https://packaging.python.org/en/latest/specifications/recording-installed-packages/>).
pub(crate) fn listed(line: &str, modules: &str) -> Option<String> {
    let path = match line.strip_prefix('"') {
        Some(quoted) => quoted.split("\",").next()?.replace("\"\"", "\""),
        None => line.split(',').next()?.to_owned(),
    };
    let mut parts: Vec<&str> = modules.split('/').collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    (!path.is_empty() && !path.starts_with('/')).then(|| parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_wheels_are_paths_in_the_prefix() {
        const MODULES: &str = "lib/python3.13/site-packages";
        for (line, expected) in [
            (
                "a/b.py,sha256=x,3",
                Some("lib/python3.13/site-packages/a/b.py"),
            ),
            ("../../../bin/hello,,", Some("bin/hello")),
            (
                "\"a,\"\"b\"\".py\",,",
                Some("lib/python3.13/site-packages/a,\"b\".py"),
            ),
            ("../../../../etc/passwd,,", None),
            ("/etc/passwd,,", None),
            ("", None),
        ] {
            assert_eq!(listed(line, MODULES).as_deref(), expected, "{line}");
        }
    }
}
