//! The snapshots of an engine with the containerd store, in which BuildKit keeps what steps have made.

use std::path::Path;
use std::process::Command;

use super::{Engine, run};

/// Where dockerd keeps its images.
const NAMESPACE: &str = "moby";

impl Engine {
    /// Removes the snapshots that have a file `path` and that BuildKit has not committed yet; says how many.
    ///
    /// BuildKit does not get over that: it is what a build leaves behind that is broken off while snapshots are committed.
    ///
    /// # Panics
    /// If this is not a fresh engine with the containerd store.
    pub fn lose_uncommitted(&self, path: &str) -> usize {
        let listed = run(&mut self.snapshots(&["list"])).expect_success();
        let keys = listed.stdout.lines().filter_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            (fields.last() == Some(&"Active")).then(|| fields[0].to_owned())
        });
        let mut lost = 0;
        for key in keys {
            // mount -t bind /path/to/files /nowhere -o …; one with a parent is an overlay.
            let mounts = run(&mut self.snapshots(&["mounts", "/nowhere", &key])).expect_success();
            let mut words = mounts.stdout.split_whitespace();
            let Some(files) = words.find(|word| word.ends_with("/fs")) else {
                continue;
            };
            if Path::new(files).join(path).exists() {
                run(&mut self.snapshots(&["remove", &key])).expect_success();
                lost += 1;
            }
        }
        lost
    }

    fn snapshots(&self, arguments: &[&str]) -> Command {
        let client = self.client.as_ref().expect("an engine of the test's own");
        let programs = client.path.split(':').next().unwrap_or_default();
        let mut command = Command::new(Path::new(programs).join("ctr"));
        command.arg("--address").arg(&client.containerd);
        command.args(["--namespace", NAMESPACE, "snapshots"]);
        command.args(arguments);
        command
    }
}
