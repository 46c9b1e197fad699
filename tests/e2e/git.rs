//! A git server on a loopback port.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use condafront_testkit::engine::run;

/// Serves every repository below a folder with git's daemon, until it is dropped.
pub(crate) struct GitServer {
    address: SocketAddr,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl GitServer {
    pub(crate) fn start(folder: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port");
        let address = listener.local_addr().expect("the port's number");
        let ended = Arc::new(AtomicBool::new(false));
        let (folder, stop) = (folder.to_owned(), Arc::clone(&ended));
        let thread = std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                if stop.load(Ordering::SeqCst) {
                    break;
                }
                answer(connection, folder.clone());
            }
        });
        Self {
            address,
            ended,
            thread: Some(thread),
        }
    }

    /// The URL of a repository.
    pub(crate) fn url(&self, repository: &str) -> String {
        format!("git://{}/{repository}", self.address)
    }
}

impl Drop for GitServer {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        // Wakes the thread, which then stops.
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

/// Answers one connection until it ends: a client opens them one after the other.
fn answer(connection: TcpStream, folder: PathBuf) {
    let input = connection.try_clone().expect("a second handle");
    let mut base = std::ffi::OsString::from("--base-path=");
    base.push(folder);
    Command::new("git")
        .args(["daemon", "--inetd", "--export-all"])
        .arg(base)
        .stdin(Stdio::from(OwnedFd::from(input)))
        .stdout(Stdio::from(OwnedFd::from(connection)))
        .stderr(Stdio::null())
        .status()
        .expect("git runs");
}

/// Makes `folder` a repository with everything committed to the branch `main`. Returns the commit's hash.
pub(crate) fn commit_all(folder: &Path) -> String {
    let git = |args: &[&str]| {
        let mut command = Command::new("git");
        command
            .arg("-C")
            .arg(folder)
            .args(["-c", "user.name=test", "-c", "user.email=test@example.org"])
            .args(args);
        run(&mut command).expect_success().stdout
    };
    git(&["init", "--quiet", "--initial-branch", "main"]);
    git(&["add", "--all"]);
    git(&["commit", "--quiet", "--no-gpg-sign", "--message", "all"]);
    git(&["rev-parse", "HEAD"]).trim().to_owned()
}
