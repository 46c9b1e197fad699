//! Paths of directories and files in an image.

/// The path from the working directory, without `.`, `..` and double slashes.
pub fn absolute(workdir: &str, path: &str) -> String {
    let above = if path.starts_with('/') { "" } else { workdir };
    let mut parts: Vec<&str> = Vec::new();
    for part in above.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

/// Whether `path`, absolute and without `..`, is `folder` or in it.
pub fn is_in(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether the kernel accepts the path: names of at most 255 bytes, 4095 in all (`NAME_MAX` and `PATH_MAX`).
pub fn is_possible(path: &str) -> bool {
    path.len() < 4096 && path.split('/').all(|name| name.len() <= 255)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_resolved_without_looking() {
        for (path, expected) in [
            ("app", "/srv/app"),
            ("../..", "/"),
            ("//a/./b//../c/", "/a/c"),
            ("/..", "/"),
        ] {
            assert_eq!(absolute("/srv", path), expected, "{path}");
        }
        assert!(is_in("/proc", "/proc") && is_in("/proc/a", "/proc"));
        assert!(!is_in("/process", "/proc") && !is_in("/", "/proc"));
        assert!(is_possible(&format!("/{}", "x".repeat(255))));
        assert!(!is_possible(&format!("/{}", "x".repeat(256))));
        assert!(!is_possible(&"/x".repeat(2048)));
    }
}
