//! What can go wrong with the machine of an engine: a crash, a full disk, a result that its store loses.

use std::path::Path;
use std::process::Command;

use super::process::run;
use super::{Engine, Store, script};

impl Engine {
    /// Ends a fresh dockerd and all its processes at once, as a crash does, and starts it again with the files that it has
    /// left. Its address stays the same.
    ///
    /// # Panics
    /// If it does not start again.
    pub fn crash_and_restart(&self) {
        let client = self.client.as_ref().expect("a fresh engine");
        let mut command = Command::new(script());
        command.arg("restart").arg(&client.engine_dir);
        run(&mut command).expect_success();
    }

    /// Leaves this many bytes free in the file system of a dockerd in memory.
    ///
    /// # Panics
    /// If the file system is not in memory.
    pub fn leave_space(&self, bytes: u64) {
        let client = self.client.as_ref().expect("a fresh engine");
        let data = client.engine_dir.join("data");
        let mut df = Command::new("df");
        df.args(["--block-size=1", "--output=fstype,used"])
            .arg(&data);
        let shown = run(&mut df).expect_success().stdout;
        let mut words = shown.lines().last().unwrap_or_default().split_whitespace();
        assert_eq!(words.next(), Some("tmpfs"), "{shown}");
        let used: u64 = words
            .next()
            .and_then(|word| word.parse().ok())
            .expect("bytes");
        let mut mount = Command::new("mount");
        mount.args(["-o", &format!("remount,size={}", used + bytes)]);
        run(mount.arg(&data)).expect_success();
    }

    /// Removes the file system of a record of the build cache (`docker buildx du` lists their ids) behind the back of a
    /// fresh dockerd, which still believes that it has it. Returns whether that was possible: the classic store has what
    /// other steps have started from under a name of its own.
    ///
    /// # Panics
    /// If the file system cannot be removed.
    pub fn lose(&self, id: &str) -> bool {
        let client = self.client.as_ref().expect("a fresh engine");
        if self.store == Store::Classic {
            let folder = client.engine_dir.join("data/overlay2").join(id);
            return std::fs::remove_dir_all(folder).is_ok();
        }
        let programs = client.path.split(':').next().unwrap_or_default();
        let ctr = |arguments: &[&str]| {
            let mut command = Command::new(Path::new(programs).join("ctr"));
            command.arg("--address");
            command.arg(client.sockets.join("containerd.sock"));
            command.args(["--namespace", "moby", "snapshots"]);
            run(command.args(arguments)).expect_success()
        };
        // Children first: views of it, and the results of steps that ran in it.
        let all = ctr(&["ls"]).stdout;
        let mut doomed = vec![id];
        let mut number = 0;
        while let Some(parent) = doomed.get(number).copied() {
            let names = all.lines().map(|line| line.split_whitespace());
            let children = names.filter_map(|mut names| {
                let name = names.next()?;
                (names.next() == Some(parent)).then_some(name)
            });
            doomed.extend(children);
            number += 1;
        }
        for snapshot in doomed.iter().rev() {
            ctr(&["rm", snapshot]);
        }
        true
    }
}
