//! What the tool writes. A closed pipe (`| head`) is the reader's choice, not an error.

use std::io::Write as _;
use std::process::ExitCode;

/// Writes what was asked for.
pub(super) fn print(bytes: &[u8]) -> ExitCode {
    let _ = std::io::stdout().lock().write_all(bytes);
    ExitCode::SUCCESS
}

/// Writes a message.
pub(super) fn tell(message: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{message}");
}
