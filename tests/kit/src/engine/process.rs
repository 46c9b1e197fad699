//! Runs commands with captured output and a time limit.

use std::fs::File;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How long [`run`] lets a command run.
pub const TIME_LIMIT: Duration = Duration::from_mins(10);

/// How long BuildKit waits for the first bytes of a frontend: the `prefaceTimeout` of golang.org/x/net/http2.
const FRONTEND_LIMIT: Duration = Duration::from_secs(10);

/// How often a running command is polled.
const POLL: Duration = Duration::from_millis(10);

/// The result of a command.
#[derive(Debug)]
pub struct Output {
    /// The command line, for messages.
    pub command: String,
    /// How it ended.
    pub status: ExitStatus,
    /// Its standard output; bytes that are not UTF-8 are replaced.
    pub stdout: String,
    /// Its standard error; bytes that are not UTF-8 are replaced.
    pub stderr: String,
}

impl Output {
    /// Returns itself if the command succeeded.
    ///
    /// # Panics
    /// If it failed; the message includes its output.
    pub fn expect_success(self) -> Self {
        assert!(self.status.success(), "{}", self.describe());
        self
    }

    /// Returns itself if the command failed.
    ///
    /// # Panics
    /// If it succeeded; the message includes its output.
    pub fn expect_failure(self) -> Self {
        assert!(!self.status.success(), "{}", self.describe());
        self
    }

    fn describe(&self) -> String {
        format!(
            "{} ended with {}\n--- stdout\n{}\n--- stderr\n{}",
            self.command, self.status, self.stdout, self.stderr
        )
    }
}

/// Runs a command to completion, for at most [`TIME_LIMIT`]. It runs once more if [the engine failed](is_engines_failure).
///
/// # Panics
/// If it cannot be started or takes longer.
pub fn run(command: &mut Command) -> Output {
    let started = Instant::now();
    let output = run_within(command, TIME_LIMIT);
    let is_container = command.get_args().next().is_some_and(|arg| arg == "run");
    if is_engines_failure(&output, is_container, started.elapsed()) {
        eprintln!("once more, because of the engine: {}", output.describe());
        return run_within(command, TIME_LIMIT);
    }
    output
}

/// Whether the engine of a busy machine is what failed:
///
/// - A `docker run` prints nothing. dockerd loses the whole output of about one container in two hundred, if it ends
///   quickly: also of `cat` in the plain base image, and then `docker logs` is empty as well.
/// - The container of a frontend took longer to start than [`FRONTEND_LIMIT`]. BuildKit says the same of a connection
///   that a frontend closes, but then sooner. Of a frontend that ends without an answer, it gives the exit code.
fn is_engines_failure(output: &Output, is_container: bool, took: Duration) -> bool {
    let is_silent = output.stdout.is_empty() && output.stderr.is_empty();
    let has_no_frontend = output
        .stderr
        .contains("frontend grpc server closed unexpectedly");
    is_container && is_silent
        || !output.status.success() && has_no_frontend && took >= FRONTEND_LIMIT
}

/// Runs a command to completion, for at most `limit`. Its standard input is empty.
///
/// # Panics
/// If it cannot be started, or takes longer: then it is killed with everything it started.
pub fn run_within(command: &mut Command, limit: Duration) -> Output {
    run_on(command, limit, Stdio::null())
}

/// Runs a command to completion, for at most [`TIME_LIMIT`], with a file as its standard input.
///
/// # Panics
/// If it cannot be started or takes longer.
pub fn run_with_input(command: &mut Command, input: File) -> Output {
    run_on(command, TIME_LIMIT, input.into())
}

fn run_on(command: &mut Command, limit: Duration, input: Stdio) -> Output {
    let name = format!("{command:?}");
    let deadline = Instant::now() + limit;
    let mut child = command
        .stdin(input)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .unwrap_or_else(|error| panic!("cannot start {name}: {error}"));
    let stdout = read_all(child.stdout.take());
    let stderr = read_all(child.stderr.take());
    let finished = wait_until(&mut child, deadline);
    if finished.is_none() {
        kill_group(&child);
    }
    let status = child
        .wait()
        .unwrap_or_else(|error| panic!("cannot wait for {name}: {error}"));
    let output = Output {
        command: name,
        status,
        stdout: text(stdout),
        stderr: text(stderr),
    };
    assert!(
        finished.is_some(),
        "killed after {limit:?}: {}",
        output.describe()
    );
    output
}

fn wait_until(child: &mut Child, deadline: Instant) -> Option<ExitStatus> {
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) if Instant::now() < deadline => thread::sleep(POLL),
            Ok(None) => return None,
            Err(error) => panic!("cannot wait for a command: {error}"),
        }
    }
}

/// Kills the child's process group: otherwise a client's plugin would live on and keep the pipes open.
fn kill_group(child: &Child) {
    let group = format!("-{}", child.id());
    let killed = Command::new("kill").args(["-KILL", "--", &group]).status();
    assert!(
        killed.is_ok_and(|status| status.success()),
        "cannot kill process group {group}"
    );
}

fn read_all(pipe: Option<impl Read + Send + 'static>) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // What was read before an error is still worth showing.
            drop(pipe.read_to_end(&mut bytes));
        }
        bytes
    })
}

fn text(reader: JoinHandle<Vec<u8>>) -> String {
    let bytes = reader.join().unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use std::io::{Seek, Write};

    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn both_streams_and_the_status_are_captured() {
        let output = run(&mut shell("echo out; echo err >&2; exit 3")).expect_failure();
        assert_eq!(output.status.code(), Some(3));
        assert_eq!(output.stdout, "out\n");
        assert_eq!(output.stderr, "err\n");
    }

    #[test]
    fn only_a_container_that_prints_nothing_runs_once_more() {
        let folder = tempfile::tempdir().unwrap();
        let runs = |script: &str, first: &str| {
            let log = folder.path().join("log");
            std::fs::write(&log, "").unwrap();
            std::fs::write(
                folder.path().join(first),
                format!("echo x >> log; {script}"),
            )
            .unwrap();
            run(Command::new("sh").arg(first).current_dir(&folder));
            std::fs::read_to_string(log).unwrap().lines().count()
        };
        assert_eq!(runs("", "run"), 2);
        assert_eq!(runs("exit 3", "run"), 2);
        assert_eq!(runs("echo output", "run"), 1);
        assert_eq!(runs("echo output >&2", "run"), 1);
        assert_eq!(runs("", "exec"), 1);
    }

    #[test]
    fn only_a_frontend_that_did_not_start_in_time_is_the_engines_failure() {
        let failed = |text: &str, status: &str, seconds| {
            let output = run(&mut shell(&format!("echo {text} >&2; exit {status}")));
            is_engines_failure(&output, false, Duration::from_secs(seconds))
        };
        let closed = "ERROR: failed to solve: frontend grpc server closed unexpectedly";
        assert!(failed(closed, "1", 11));
        assert!(!failed(closed, "1", 9));
        assert!(!failed(closed, "0", 11));
        assert!(!failed("ERROR: failed to solve: exit code: 1", "1", 11));
    }

    #[test]
    fn a_file_is_the_input() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"text").unwrap();
        file.rewind().unwrap();
        let output = run_with_input(&mut Command::new("cat"), file).expect_success();
        assert_eq!(output.stdout, "text");
    }

    #[test]
    #[should_panic(expected = "ended with exit status: 1")]
    fn a_failure_is_not_a_success() {
        run(&mut shell("exit 1")).expect_success();
    }

    #[test]
    fn a_command_and_what_it_started_end_at_the_limit() {
        let started = Instant::now();
        let outcome = std::panic::catch_unwind(|| {
            run_within(
                &mut shell("echo begun; sleep 60 & wait"),
                Duration::from_millis(300),
            )
        });
        let message = *outcome.unwrap_err().downcast::<String>().unwrap();
        assert!(message.contains("begun"), "{message}");
        assert!(started.elapsed() < Duration::from_secs(30));
    }
}
