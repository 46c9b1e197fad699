//! A build in the background, whose client something happens to.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle, sleep};
use std::time::{Duration, Instant};

use condafront_testkit::engine::TIME_LIMIT;

use crate::project::{NATIVE, Project, base};

/// How often the progress is looked at.
const POLL: Duration = Duration::from_millis(5);

/// `docker build` while it runs.
pub(crate) struct Client {
    child: Child,
    said: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
}

impl Client {
    /// Starts the build of a file of the project.
    pub(crate) fn start(project: &Project, file: &str, args: &[&str]) -> Self {
        let base = format!("BASE_IMAGE={}", base());
        let usual = [
            "build",
            "--progress",
            "plain",
            "-f",
            file,
            "--build-arg",
            &base,
        ];
        let mut command = project
            .engine
            .docker([&usual[..], &NATIVE, args, &["."]].concat());
        let mut child = command
            .current_dir(project.path("."))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .expect("the client starts");
        let progress = child.stderr.take().expect("a pipe for its progress");
        let said = Arc::new(Mutex::new(String::new()));
        let shared = Arc::clone(&said);
        let reader = thread::spawn(move || {
            for line in BufReader::new(progress).lines().map_while(Result::ok) {
                let mut said = shared.lock().unwrap_or_else(PoisonError::into_inner);
                said.push_str(&line);
                said.push('\n');
            }
        });
        let reader = Some(reader);
        Self {
            child,
            said,
            reader,
        }
    }

    /// What it has printed so far.
    pub(crate) fn said(&self) -> String {
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        said.clone()
    }

    /// Waits until `is_time` says so of what it has printed so far.
    pub(crate) fn wait_until(&self, is_time: impl Fn(&str) -> bool) {
        let deadline = Instant::now() + TIME_LIMIT;
        loop {
            let said = self.said();
            if is_time(&said) {
                return;
            }
            let has_ended = self.reader.as_ref().is_none_or(JoinHandle::is_finished);
            assert!(!has_ended && Instant::now() < deadline, "{said}");
            sleep(POLL);
        }
    }

    /// Sends it and what it has started a signal, and waits for its end.
    pub(crate) fn end(mut self, signal: &str) -> (ExitStatus, String) {
        let group = format!("-{}", self.child.id());
        let mut kill = std::process::Command::new("kill");
        let sent = kill.args(["-s", signal, "--", &group]).status();
        assert!(sent.is_ok_and(|status| status.success()), "{}", self.said());
        self.wait()
    }

    /// Waits for its end.
    pub(crate) fn finish(mut self) -> (ExitStatus, String) {
        self.wait()
    }

    fn wait(&mut self) -> (ExitStatus, String) {
        let status = self.child.wait().expect("the client ends");
        if let Some(reader) = self.reader.take() {
            reader.join().expect("its progress is read");
        }
        (status, self.said())
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // After a failed assertion.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
