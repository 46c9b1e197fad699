//! Where something is mounted.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::PathBuf;

/// The mount points that this process sees.
///
/// # Errors
/// When the kernel does not list them.
pub(crate) fn mount_points() -> io::Result<HashSet<PathBuf>> {
    fs::read_to_string("/proc/self/mountinfo").map(|text| listed(&text))
}

/// Those of a mountinfo file (proc_pid_mountinfo(5)), which writes spaces and backslashes in octal.
fn listed(text: &str) -> HashSet<PathBuf> {
    let points = text.lines().filter_map(|line| line.split(' ').nth(4));
    points
        .map(|point| {
            PathBuf::from(
                point
                    .replace("\\040", " ")
                    .replace("\\011", "\t")
                    .replace("\\012", "\n")
                    .replace("\\134", "\\"),
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn mount_points_are_read() {
        let text = "36 35 98:0 /mnt1 /mnt\\0402 rw,noatime master:1 - ext3 /dev/root rw\n\
                    37 35 0:5 / /proc rw - proc proc rw\n";
        let points = listed(text);
        assert!(points.contains(Path::new("/mnt 2")) && points.contains(Path::new("/proc")));
    }
}
