//! Paths in the build context.

/// Help for a path that leads out of the context.
pub(crate) const OUTSIDE: &str =
    "The build sees only the build context, which is the last argument of docker build.";

/// `path` in `folder`, relative to the context and without `.` and `..`; `None` if it is outside the context.
pub(crate) fn joined(folder: &str, path: &str) -> Option<String> {
    Some(normalized(folder, path)).filter(|path| !is_above(path))
}

/// `path` in `folder`, without `.`, and without `..` except at the start.
pub(crate) fn normalized(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// Whether a normalized path leads out of the folder that it starts in.
pub(crate) fn is_above(path: &str) -> bool {
    path.split('/').next() == Some("..")
}
