//! What Linux can pass to a program that it starts (execve(2)). An image that needs more cannot start.

use crate::visible::is_hidden;

/// The longest argument and the longest variable (`NAME=value`), in bytes, with the NUL at the end (`MAX_ARG_STRLEN`).
pub const MAX_STRING: usize = 128 << 10;

/// The most for all arguments and variables of an image, as [`size`] counts them. Linux takes a quarter of the stack's
/// limit, which is 8 MiB unless someone changes it; the rest is for what a container adds.
pub const MAX_TOTAL: usize = (2 << 20) - MAX_STRING;

/// How much of the total an argument or variable takes: its bytes, the NUL at the end, and a pointer to it.
pub fn size(text: &str) -> usize {
    text.len() + 1 + size_of::<usize>()
}

/// Whether an argument is longer than Linux allows.
pub fn is_too_long(argument: &str) -> bool {
    argument.len() >= MAX_STRING
}

/// Whether a program can have an environment variable of this name. Shells accept fewer names.
pub fn is_variable_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c == '=' || c.is_whitespace() || is_hidden(c))
}

/// Why a program cannot get an environment variable with this value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// It contains a NUL character, which would end it.
    #[error("contains a NUL character")]
    Nul,
    /// With its name it has this many bytes.
    #[error("has {} KiB, but Linux passes at most {} KiB to a program", .0.div_ceil(1 << 10), MAX_STRING >> 10)]
    TooLong(usize),
}

impl ValueError {
    /// What to do about it.
    pub fn help(self) -> &'static str {
        match self {
            Self::Nul => "Remove it: environment variables cannot contain one.",
            Self::TooLong(_) => {
                "Put the value in a file of the image, and set the variable to its path."
            }
        }
    }
}

/// Checks that a program can have the environment variable.
///
/// # Errors
/// Why its value is impossible.
pub fn check_value(name: &str, value: &str) -> Result<(), ValueError> {
    if value.contains('\0') {
        return Err(ValueError::Nul);
    }
    // `NAME=value` and the NUL.
    let bytes = name.len() + 1 + value.len() + 1;
    if bytes > MAX_STRING {
        return Err(ValueError::TooLong(bytes));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_no_program_can_have_are_found() {
        for name in ["PATH", "_", "a-b", "a.b", "ä"] {
            assert!(is_variable_name(name), "{name}");
        }
        for name in [
            "",
            "A=B",
            "A B",
            " A",
            "A\n",
            "A\tB",
            "A\0",
            "A\u{1b}[m",
            "A\u{a0}B",
        ] {
            assert!(!is_variable_name(name), "{name:?}");
        }
    }

    #[test]
    fn the_longest_variable_has_room_for_its_name_and_a_nul() {
        let longest = "x".repeat(MAX_STRING - "NAME=".len() - 1);
        assert_eq!(check_value("NAME", &longest), Ok(()));
        let error = check_value("NAMES", &longest).unwrap_err();
        assert_eq!(error, ValueError::TooLong(MAX_STRING + 1));
        assert_eq!(
            error.to_string(),
            "has 129 KiB, but Linux passes at most 128 KiB to a program"
        );
        assert_eq!(check_value("A", "a\0b"), Err(ValueError::Nul));
        assert_eq!(check_value("A", "two\nlines"), Ok(()));
    }

    /// The limits are the kernel's: a program that gets the longest variable starts, and one byte more is refused.
    #[test]
    fn linux_agrees() {
        let start = |length: usize| {
            let mut command = std::process::Command::new("/proc/self/exe");
            command.arg("--list").stdout(std::process::Stdio::null());
            command.env("NAME", "x".repeat(length)).status()
        };
        let longest = MAX_STRING - "NAME=".len() - 1;
        assert!(start(longest).is_ok());
        assert!(start(longest + 1).is_err());
    }
}
