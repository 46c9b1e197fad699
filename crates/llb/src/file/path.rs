//! Paths in operations.

/// Makes a path absolute and removes `.`, `..` and double slashes, so that
/// equal paths make equal operations.
pub(crate) fn clean_path(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            name => parts.push(name),
        }
    }
    format!("/{}", parts.join("/"))
}

/// Like [`clean_path`], but keeps a slash at the end, which makes a copy go
/// into a directory.
pub(crate) fn clean_dest(path: &str) -> String {
    let mut clean = clean_path(path);
    if path.ends_with("/.") && clean != "/" {
        clean.push_str("/.");
    } else if path.ends_with('/') && clean != "/" {
        clean.push('/');
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_cleaned() {
        for (path, clean) in [
            ("", "/"),
            ("/", "/"),
            ("a/b", "/a/b"),
            ("//a/./b//", "/a/b"),
            ("/a/../../b", "/b"),
        ] {
            assert_eq!(clean_path(path), clean, "{path}");
        }
    }

    #[test]
    fn destinations_keep_their_end() {
        for (path, clean) in [("/a/", "/a/"), ("a/.", "/a/."), ("/", "/"), ("/a", "/a")] {
            assert_eq!(clean_dest(path), clean, "{path}");
        }
    }
}
