//! Running a child process whose output goes to the build's log.

use std::io::{self, Read, Write, pipe};
use std::os::unix::fs::fchown;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use super::visible_log::VisibleLog;
use condafront_model::stamp::Owner;
use condafront_step_spec::timeout::Timeout;
use nix::sys::signal::{Signal, kill, killpg};
use nix::sys::wait::wait;
use nix::unistd::{Pid, geteuid};

/// The Linux error for a program built for another processor.
const ENOEXEC: i32 = 8;

/// The end of the message about a program that printed nothing for too long.
pub(crate) const STOPPED: &str = ", and was stopped";

/// How a child process ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    /// The end of its output.
    pub(crate) output: String,
}

/// Why a child process could not be run to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChildError {
    #[error("cannot be run: {0}")]
    Start(#[source] io::Error),
    #[error("has output that cannot be copied: {0}")]
    Output(#[source] io::Error),
    #[error("cannot be waited for: {0}")]
    Wait(#[source] io::Error),
    #[error("printed nothing for {0}{end}", end = STOPPED)]
    Silent(Timeout),
}

impl ChildError {
    /// Whether the program is built for another processor.
    pub(crate) fn is_foreign(&self) -> bool {
        matches!(self, Self::Start(error) if error.raw_os_error() == Some(ENOEXEC))
    }
}

/// How long a child process may print nothing, and what is done meanwhile.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SilenceLimit {
    /// After this long, and again each time it has doubled, the log says what is waited for.
    notice: Duration,
    /// After this long, the process is ended.
    limit: Timeout,
    /// How long output may continue after the process has ended.
    rest: Duration,
}

/// How long a program of this step may print nothing.
pub(crate) fn longest_silence() -> Timeout {
    Timeout::of_step(|name| std::env::var(name).ok())
}

impl SilenceLimit {
    /// The usual one, with the limit of the step's environment.
    pub(crate) fn usual() -> Self {
        Self {
            notice: Duration::from_mins(1),
            limit: longest_silence(),
            rest: Duration::from_secs(2),
        }
    }
}

/// Runs `command`, which the log calls `what`. All that it prints goes to `log` as it arrives; the last `kept` bytes are
/// returned too. Processes that it leaves running are ended.
///
/// # Errors
/// A program that cannot be run, one that prints nothing for too long, or a log that cannot be written. A program that
/// fails is not an error.
pub(crate) fn run(
    what: &str,
    command: Command,
    log: &mut dyn Write,
    kept: usize,
) -> Result<Ended, ChildError> {
    run_with(SilenceLimit::usual(), None, what, command, log, kept)
}

/// The same as another user, if this process may choose one.
pub(crate) fn run_as(
    user: Owner,
    what: &str,
    command: Command,
    log: &mut dyn Write,
    kept: usize,
) -> Result<Ended, ChildError> {
    let user = Some(user).filter(|_| is_root());
    run_with(SilenceLimit::usual(), user, what, command, log, kept)
}

/// Whether this process may give files away and run programs as others.
pub(crate) fn is_root() -> bool {
    geteuid().is_root()
}

/// The same with other limits.
pub(crate) fn run_with(
    limits: SilenceLimit,
    user: Option<Owner>,
    what: &str,
    mut command: Command,
    log: &mut dyn Write,
    kept: usize,
) -> Result<Ended, ChildError> {
    let log = &mut VisibleLog::new(log);
    let (reader, writer) = pipe().map_err(ChildError::Start)?;
    if let Some(user) = user {
        // Otherwise, it could not open /dev/stderr.
        fchown(&writer, Some(user.uid), Some(user.gid)).map_err(ChildError::Start)?;
        command.uid(user.uid).gid(user.gid);
    }
    let second = writer.try_clone().map_err(ChildError::Start)?;
    command.stdout(writer).stderr(second).process_group(0);
    let child = command.spawn().map_err(ChildError::Start)?;
    // It holds the write end of the pipe, so reading would never end.
    drop(command);
    let mut watched = Watched::new(child);
    let mut output = Vec::new();
    let pieces = pieces(reader);
    let mut silent_since = Instant::now();
    let mut next_notice = limits.notice;
    loop {
        match pieces.recv_timeout(watched.pause()) {
            Ok(piece) => {
                let piece = piece.map_err(ChildError::Output)?;
                log.write_all(&piece).map_err(ChildError::Output)?;
                output.extend_from_slice(&piece);
                output.drain(..output.len().saturating_sub(kept));
                silent_since = Instant::now();
                next_notice = limits.notice;
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => watched.output_ended = true,
        }
        if let Some(status) = watched.ended(limits.rest).map_err(ChildError::Wait)? {
            if !watched.output_ended {
                let _ = writeln!(
                    log,
                    "{what} left a process running that holds its output: it is stopped"
                );
            }
            return Ok(Ended {
                status,
                output: String::from_utf8_lossy(&output).into_owned(),
            });
        }
        let silent = silent_since.elapsed();
        if watched.status.is_none() && silent >= limits.limit.duration() {
            return Err(ChildError::Silent(limits.limit));
        }
        if watched.status.is_none() && silent >= next_notice {
            let _ = writeln!(
                log,
                "{what} has printed nothing for {}; it will be stopped after {}",
                Timeout::of(next_notice),
                limits.limit
            );
            next_notice *= 2;
        }
    }
}

/// Ends all other processes of this step, also those that have left their program's process group and would go on
/// while the step finishes what the program left.
pub(crate) fn end_others() {
    // Only process 1 gets orphans, and knows that all others belong to this step.
    if std::process::id() != 1 {
        return;
    }
    loop {
        let _ = kill(Pid::from_raw(-1), Signal::SIGKILL);
        if wait().is_err() {
            return;
        }
    }
}

/// A child process. It and those that it has started are ended at the latest when this is dropped.
struct Watched {
    child: Child,
    status: Option<ExitStatus>,
    since: Instant,
    output_ended: bool,
    /// How long to sleep until the next look, after its output has ended.
    nap: Duration,
}

impl Watched {
    fn new(child: Child) -> Self {
        Self {
            child,
            status: None,
            since: Instant::now(),
            output_ended: false,
            nap: Duration::from_millis(1),
        }
    }

    /// How long to wait for output before looking at the process.
    fn pause(&mut self) -> Duration {
        const LONGEST: Duration = Duration::from_millis(100);
        if self.output_ended {
            // It is usually about to end.
            thread::sleep(self.nap);
            self.nap = (self.nap * 2).min(LONGEST);
            Duration::ZERO
        } else {
            LONGEST
        }
    }

    /// The status once the process has ended, and its output too, which is given the time `rest`.
    fn ended(&mut self, rest: Duration) -> io::Result<Option<ExitStatus>> {
        if self.status.is_none() {
            self.status = self.child.try_wait()?;
            self.since = Instant::now();
        }
        let is_over = self.output_ended || self.since.elapsed() >= rest;
        Ok(self.status.filter(|_| is_over))
    }
}

/// Ends the process with this number and all of its group, which it leads.
pub(crate) fn end_group(leader: u32) {
    if let Ok(group) = i32::try_from(leader) {
        // There may be none left.
        let _ = killpg(Pid::from_raw(group), Signal::SIGKILL);
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        end_group(self.child.id());
        if self.status.is_none() {
            let _ = self.child.wait();
        }
    }
}

/// What arrives in `reader`, read on another thread, which may outlive this call.
fn pieces(mut reader: impl Read + Send + 'static) -> Receiver<io::Result<Vec<u8>>> {
    let (sender, receiver) = sync_channel(16);
    thread::spawn(move || {
        let mut buffer = [0; 8192];
        loop {
            let piece = match reader.read(&mut buffer) {
                Ok(0) => return,
                Ok(length) => Ok(buffer[..length].to_vec()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => Err(error),
            };
            let is_last = piece.is_err();
            if sender.send(piece).is_err() || is_last {
                return;
            }
        }
    });
    receiver
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> SilenceLimit {
        SilenceLimit {
            notice: Duration::from_secs(1),
            limit: Timeout::parse("3s").unwrap(),
            rest: Duration::from_millis(500),
        }
    }

    fn shell(script: &str) -> (Result<Ended, ChildError>, String, Duration) {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        let mut log = Vec::new();
        let start = Instant::now();
        let ended = run_with(limits(), None, "the script", command, &mut log, 5);
        (ended, String::from_utf8(log).unwrap(), start.elapsed())
    }

    #[test]
    fn output_is_copied_and_its_end_is_kept() {
        let (ended, log, _) = shell("echo one; echo two >&2; exit 3");
        let ended = ended.unwrap();
        assert_eq!(ended.status.code(), Some(3));
        assert_eq!(log, "one\ntwo\n");
        assert_eq!(ended.output, "\ntwo\n");
    }

    #[test]
    fn a_process_that_prints_nothing_is_told_about_and_then_ended() {
        for script in [
            "sleep 60",
            "sleep 60 & wait",
            "exec >/dev/null 2>&1; sleep 60",
        ] {
            let (ended, log, took) = shell(script);
            assert!(matches!(ended, Err(ChildError::Silent(_))), "{script}");
            assert_eq!(
                log,
                "the script has printed nothing for 1 second; it will be stopped after 3 seconds\n\
                 the script has printed nothing for 2 seconds; it will be stopped after 3 seconds\n",
                "{script}"
            );
            assert!(took < Duration::from_secs(30), "{script}: {took:?}");
        }
    }

    #[test]
    fn a_process_that_prints_is_left_alone() {
        let (ended, log, _) = shell("for n in 1 2 3 4 5 6 7 8; do sleep 0.5; echo $n; done");
        assert!(ended.unwrap().status.success());
        assert_eq!(log, "1\n2\n3\n4\n5\n6\n7\n8\n");
    }

    #[test]
    fn a_background_process_holds_nothing_up() {
        for background in ["sleep 60", "nohup sleep 60", "(sleep 60; echo late)"] {
            let (ended, log, took) = shell(&format!("{background} & echo done"));
            assert!(ended.unwrap().status.success(), "{background}");
            assert!(log.starts_with("done\n"), "{log}");
            assert!(log.contains("left a process running"), "{log}");
            assert!(took < Duration::from_secs(30), "{background}: {took:?}");
        }
    }

    #[test]
    fn processes_that_are_left_are_ended() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("later");
        let script = format!(
            "{{ sleep 2; echo x >{}; }} >/dev/null 2>&1 &",
            file.display()
        );
        let (ended, _, took) = shell(&script);
        assert!(ended.unwrap().status.success());
        if took < Duration::from_secs(1) {
            thread::sleep(Duration::from_secs(3));
            assert!(!file.exists());
        }
    }
}
