//! The file with a step's report: leaving it in an output, and showing it to the frontend.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use condafront_step_spec::failure_report::{FailureReport, MOST_OF_REPORT, REPORT_FILE};
use nix::libc::{O_NOFOLLOW, O_NONBLOCK};

/// Leaves a step's report in the first of these directories in which that is possible.
///
/// # Errors
/// Why the last one does not take it.
pub(crate) fn leave(report: &FailureReport, dirs: &[&Path]) -> io::Result<()> {
    let text = serde_json::to_vec(report)?;
    let mut result = Err(io::ErrorKind::NotFound.into());
    for dir in dirs.iter().filter(|dir| dir.is_dir()) {
        let path = dir.join(REPORT_FILE);
        // What the step ran may have put something there.
        let _ = fs::remove_file(&path).or_else(|_| fs::remove_dir_all(&path));
        result = File::create_new(&path).and_then(|mut file| file.write_all(&text));
        if result.is_ok() {
            break;
        }
    }
    result
}

/// Writes the report in `dir` to `to`. What a failed step ran may have put something else there: no link is followed, no
/// pipe is waited for, and not more is read than a report has.
///
/// # Errors
/// When there is none, or it is not a file.
pub(crate) fn show(dir: &Path, to: &mut dyn Write) -> io::Result<()> {
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(O_NOFOLLOW | O_NONBLOCK)
        .open(dir.join(REPORT_FILE))?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("the report is not a file"));
    }
    io::copy(&mut file.take(MOST_OF_REPORT), to)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;
    use std::process::Command;

    #[test]
    fn without_an_output_there_is_no_report() {
        let report = FailureReport::new("no");
        assert!(leave(&report, &[Path::new("/nonexistent")]).is_err());
    }

    #[test]
    fn a_report_is_shown_as_it_was_left() {
        let dir = tempfile::tempdir().unwrap();
        let report = FailureReport::new("no");
        leave(&report, &[dir.path()]).unwrap();
        let mut shown = Vec::new();
        show(dir.path(), &mut shown).unwrap();
        assert_eq!(shown, serde_json::to_vec(&report).unwrap());
    }

    #[test]
    fn what_is_no_report_is_neither_followed_nor_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(REPORT_FILE);
        let mut shown = Vec::new();
        symlink("/dev/zero", &path).unwrap();
        assert!(show(dir.path(), &mut shown).is_err());
        fs::remove_file(&path).unwrap();
        let made = Command::new("mkfifo").arg(&path).status().unwrap();
        assert!(made.success());
        assert!(show(dir.path(), &mut shown).is_err());
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert!(show(dir.path(), &mut shown).is_err());
        assert!(shown.is_empty());
    }

    #[test]
    fn a_large_file_is_shown_only_in_part() {
        let dir = tempfile::tempdir().unwrap();
        let file = File::create(dir.path().join(REPORT_FILE)).unwrap();
        file.set_len(MOST_OF_REPORT * 3).unwrap();
        let mut shown = Vec::new();
        show(dir.path(), &mut shown).unwrap();
        assert_eq!(shown.len() as u64, MOST_OF_REPORT);
    }
}
