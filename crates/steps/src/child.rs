//! Running a child process whose output goes to the build's log.

use std::io::{self, Read, Write, pipe};
use std::process::{Command, ExitStatus};

/// The Linux error for a program built for another processor.
const ENOEXEC: i32 = 8;

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
}

impl ChildError {
    /// What the system says.
    pub(crate) fn reason(&self) -> &io::Error {
        match self {
            Self::Start(error) | Self::Output(error) | Self::Wait(error) => error,
        }
    }

    /// Whether the program is built for another processor.
    pub(crate) fn is_foreign(&self) -> bool {
        self.reason().raw_os_error() == Some(ENOEXEC)
    }
}

/// Runs `command`. All that it prints goes to `log` as it arrives; the last `kept` bytes are returned too.
///
/// # Errors
/// A program that cannot be run, or a log that cannot be written. A program that fails is not an error.
pub(crate) fn run(
    mut command: Command,
    log: &mut dyn Write,
    kept: usize,
) -> Result<Ended, ChildError> {
    let (mut reader, writer) = pipe().map_err(ChildError::Start)?;
    let second = writer.try_clone().map_err(ChildError::Start)?;
    command.stdout(writer).stderr(second);
    let mut child = command.spawn().map_err(ChildError::Start)?;
    // It holds the write end of the pipe, so reading would never end.
    drop(command);
    let output = copy_output(&mut reader, log, kept).map_err(ChildError::Output)?;
    let status = child.wait().map_err(ChildError::Wait)?;
    Ok(Ended {
        status,
        output: String::from_utf8_lossy(&output).into_owned(),
    })
}

/// Copies data from `reader` to `log` as it arrives, and returns its last `kept` bytes.
fn copy_output(reader: &mut impl Read, log: &mut dyn Write, kept: usize) -> io::Result<Vec<u8>> {
    let mut last = Vec::new();
    let mut buffer = [0; 8192];
    loop {
        let length = match reader.read(&mut buffer) {
            Ok(0) => return Ok(last),
            Ok(length) => length,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(e),
        };
        log.write_all(&buffer[..length])?;
        last.extend_from_slice(&buffer[..length]);
        last.drain(..last.len().saturating_sub(kept));
    }
}
