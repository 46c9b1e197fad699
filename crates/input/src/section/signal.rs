//! Signals as `docker stop` takes them from an image: by name with or without `SIG`, or by number.

use super::reader::digits;

/// Linux's signals that have names (signal(7)).
const NAMES: &[&str] = &[
    "ABRT", "ALRM", "BUS", "CHLD", "CLD", "CONT", "FPE", "HUP", "ILL", "INT", "IO", "IOT", "KILL",
    "PIPE", "POLL", "PROF", "PWR", "QUIT", "SEGV", "STKFLT", "STOP", "SYS", "TERM", "TRAP", "TSTP",
    "TTIN", "TTOU", "URG", "USR1", "USR2", "VTALRM", "WINCH", "XCPU", "XFSZ",
];
/// The last real-time signal. The first is 34.
const LAST: u8 = 64;
/// The engine knows `RTMIN` plus at most this, and `RTMAX` minus at most one less (`signal_linux.go` of moby/sys).
const RTMIN_MOST: u8 = 15;

/// The signal's name with `SIG`, or its number; `None` if there is no such signal.
pub(super) fn parse(text: &str) -> Option<String> {
    let upper = text.to_ascii_uppercase();
    if let Some(number) = digits::<u8>(text) {
        return (1..=LAST).contains(&number).then(|| number.to_string());
    }
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    let offset = |sign: char, most: u8, rest: &str| {
        let number = rest.strip_prefix(sign)?;
        digits::<u8>(number).filter(|number| (1..=most).contains(number))
    };
    let known = if let Some(rest) = name.strip_prefix("RTMIN") {
        rest.is_empty() || offset('+', RTMIN_MOST, rest).is_some()
    } else if let Some(rest) = name.strip_prefix("RTMAX") {
        rest.is_empty() || offset('-', RTMIN_MOST - 1, rest).is_some()
    } else {
        NAMES.contains(&name)
    };
    known.then(|| format!("SIG{name}"))
}

/// All names, for suggestions.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    NAMES.iter().copied()
}
