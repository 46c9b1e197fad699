//! Runs a command of the user's file, and lets a group write to what the command leaves.
//!
//! A umask would not be enough: programs choose the permissions of some files themselves.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, lchown};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::time::SystemTime;

use crate::file_times::{change_of, moment};
use crate::rights::SET_ID;
use condafront_model::stamp::{Owner, Ownership};
use condafront_step_spec::failure_report::FailureReport;
use condafront_step_spec::group_writable::GroupWritableSpec;

/// What a shell adds to the number of the signal that ended a program.
const BY_SIGNAL: i32 = 128;

/// Runs the subcommand with the arguments `args`; returns the program's exit code.
///
/// # Errors
/// A program that cannot be started, or a file that cannot be changed.
pub(crate) fn run(args: &[String]) -> Result<i32, FailureReport> {
    let [spec, program, rest @ ..] = args else {
        return Err(FailureReport::new(
            "this step takes a JSON argument and a program",
        ));
    };
    let spec: GroupWritableSpec = serde_json::from_str(spec)?;
    let start = moment();
    let ended = Command::new(program)
        .args(rest)
        .status()
        .map_err(|e| FailureReport::new(format!("cannot start {program}: {e}")))?;
    for folder in &spec.folders {
        let folder = Path::new(folder);
        share(folder, start, spec.gid).map_err(|(path, e)| {
            FailureReport::new(format!(
                "cannot let the group {} write to {path}: {e}",
                spec.gid
            ))
        })?;
    }
    Ok(code(ended))
}

fn code(ended: ExitStatus) -> i32 {
    let by_signal = || ended.signal().map(|signal| BY_SIGNAL + signal);
    ended.code().or_else(by_signal).unwrap_or(1)
}

/// What could not be changed, and why.
type Failed = (String, io::Error);

/// Gives what changed since `start`, at and below `folder`, to the group `gid`, which may do there what the owner may.
/// Leaves mounts alone.
fn share(folder: &Path, start: SystemTime, gid: u32) -> Result<(), Failed> {
    let Ok(top) = fs::symlink_metadata(folder) else {
        return Ok(());
    };
    let sharing = Sharing {
        start,
        gid,
        device: top.dev(),
        uid: nix::unistd::geteuid().as_raw(),
        is_member: is_member(gid),
    };
    sharing.path(folder, &top)
}

/// Whether this process may give its files to a group.
fn is_member(gid: u32) -> bool {
    let groups = nix::unistd::getgroups().unwrap_or_default();
    let own = [
        nix::unistd::geteuid().as_raw() == 0,
        nix::unistd::getegid().as_raw() == gid,
    ];
    own.contains(&true) || groups.iter().any(|group| group.as_raw() == gid)
}

struct Sharing {
    start: SystemTime,
    gid: u32,
    device: u64,
    uid: u32,
    is_member: bool,
}

impl Sharing {
    fn path(&self, path: &Path, metadata: &Metadata) -> Result<(), Failed> {
        let failed = |e| (path.display().to_string(), e);
        if metadata.is_dir() {
            // Files of other layers can have another device; a directory is on another one only if it is mounted.
            if metadata.dev() != self.device {
                return Ok(());
            }
            // What this user cannot list, it has not changed.
            for entry in fs::read_dir(path).into_iter().flatten().flatten() {
                let path = entry.path();
                if let Ok(metadata) = fs::symlink_metadata(&path) {
                    self.path(&path, &metadata)?;
                }
            }
        }
        let is_own = self.uid == 0 || metadata.uid() == self.uid;
        if change_of(metadata) <= self.start || !is_own {
            return Ok(());
        }
        if metadata.gid() != self.gid {
            // It stays its owner's.
            if !self.is_member {
                return Ok(());
            }
            lchown(path, None, Some(self.gid)).map_err(failed)?;
        }
        let mode = metadata.mode() & 0o7777;
        let shared = Ownership {
            owner: Owner::of(metadata),
            group_writable: true,
        };
        // It would run as its owner what the group writes into it.
        let lost = if metadata.is_file() { SET_ID } else { 0 };
        let wanted = shared.mode(mode & !lost);
        if !metadata.is_symlink() && wanted != mode {
            let permissions = fs::Permissions::from_mode(wanted);
            fs::set_permissions(path, permissions).map_err(failed)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_group_may_write_to_what_the_command_leaves_and_to_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        let old = path("old");
        fs::write(&old, "").unwrap();
        fs::set_permissions(&old, fs::Permissions::from_mode(0o600)).unwrap();
        moment();
        let gid = nix::unistd::getegid().as_raw();
        let spec = GroupWritableSpec {
            gid,
            folders: vec![dir.path().display().to_string(), "/missing".to_owned()],
        };
        let script = format!(
            "cd {} && umask 077 && mkdir made && echo > made/file && ln -s file made/link && echo > made/program && chmod 4775 made/program && exit 7",
            dir.path().display()
        );
        let args = [
            serde_json::to_string(&spec).unwrap(),
            "/bin/sh".to_owned(),
            "-c".to_owned(),
            script,
        ];
        assert_eq!(run(&args).unwrap(), 7);
        let mode = |name: &str| fs::metadata(path(name)).unwrap().mode() & 0o7777;
        assert_eq!(
            ["made", "made/file", "made/program", "old"].map(mode),
            [0o770, 0o660, 0o775, 0o600]
        );
    }

    #[test]
    fn what_cannot_be_given_to_the_group_stays_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        fs::write(&path, "").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let before = fs::metadata(&path).unwrap();
        let sharing = Sharing {
            start: SystemTime::UNIX_EPOCH,
            gid: before.gid() + 1,
            device: before.dev(),
            uid: before.uid(),
            is_member: false,
        };
        sharing.path(&path, &before).unwrap();
        let after = fs::metadata(&path).unwrap();
        assert_eq!((after.gid(), after.mode()), (before.gid(), before.mode()));
    }

    #[test]
    fn a_signal_is_an_exit_code_too() {
        let args = ["{\"gid\":0,\"folders\":[]}", "/bin/sh", "-c", "kill -9 $$"];
        assert_eq!(run(&args.map(str::to_owned)).unwrap(), 137);
    }
}
