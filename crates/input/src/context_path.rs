//! Paths in the build context.

/// Help for a path that leads out of the context.
pub(crate) const OUTSIDE: &str =
    "The build sees only the build context, which is the last argument of docker build.";

/// `path` in `folder`, relative to the context and without `.` and `..`; `None` if it is outside the context.
pub(crate) fn joined(folder: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}
