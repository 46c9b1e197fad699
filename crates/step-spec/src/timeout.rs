//! How long a build waits for something that makes no progress.

use std::fmt;
use std::time::Duration;

/// The variable that says how long a step's programs may print nothing, in seconds. Without it, the default applies.
pub const TIMEOUT: &str = "CONDAFRONT_TIMEOUT";

/// How long to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeout(Duration);

impl Default for Timeout {
    fn default() -> Self {
        Self(Duration::from_mins(30))
    }
}

impl Timeout {
    /// Reads `90s`, `30m` or `2h`.
    ///
    /// # Errors
    /// Why it is not a time.
    pub fn parse(text: &str) -> Result<Self, String> {
        /// A year is as good as forever.
        const LONGEST: u64 = 365 * 24 * 60 * 60;
        const EXPECTED: &str = "must be a number with a unit, such as 90s, 30m or 2h";
        let (number, unit) =
            text.split_at(text.len() - text.chars().last().map_or(0, char::len_utf8));
        let factor = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 60 * 60,
            _ => return Err(EXPECTED.to_owned()),
        };
        if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(EXPECTED.to_owned());
        }
        // All that can go wrong is that there are too many digits.
        let seconds = number.parse::<u64>().unwrap_or(u64::MAX);
        match seconds.saturating_mul(factor) {
            0 => Err("must not be zero".to_owned()),
            seconds if seconds <= LONGEST => Ok(Self(Duration::from_secs(seconds))),
            _ => Err(format!("must be at most {}h", LONGEST / 3600)),
        }
    }

    /// The limit of a step, from the variables of its environment.
    pub fn of_step(variable: impl Fn(&str) -> Option<String>) -> Self {
        let seconds = variable(TIMEOUT).and_then(|seconds| seconds.parse().ok());
        seconds.map_or(Self::default(), |seconds| {
            Self(Duration::from_secs(seconds))
        })
    }

    /// The value of [`TIMEOUT`], unless it is the default: it is part of a step's cache key.
    pub fn variable(self) -> Option<String> {
        (self != Self::default()).then(|| self.0.as_secs().to_string())
    }

    /// This time.
    pub fn of(time: Duration) -> Self {
        Self(time)
    }

    /// The time.
    pub fn duration(self) -> Duration {
        self.0
    }
}

/// `30 minutes`.
impl fmt::Display for Timeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (number, unit) = match self.0.as_secs() {
            seconds if seconds > 0 && seconds % 60 == 0 => (seconds / 60, "minute"),
            seconds => (seconds, "second"),
        };
        let end = if number == 1 { "" } else { "s" };
        write!(f, "{number} {unit}{end}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_unit() {
        let parse = |text| Timeout::parse(text).map(|time| time.to_string());
        assert_eq!(parse("90s").unwrap(), "90 seconds");
        assert_eq!(parse("30m").unwrap(), "30 minutes");
        assert_eq!(parse("1m").unwrap(), "1 minute");
        assert_eq!(parse("2h").unwrap(), "120 minutes");
        for wrong in [
            "", "30", "m", "0s", "-1m", "1.5h", "30 m", "30min", "1d", "+1d", "+1h", "3é",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_time_that_is_too_long_is_one() {
        assert!(Timeout::parse("8760h").is_ok());
        for long in ["8761h", "99999999999h", "99999999999999999999999s"] {
            let why = Timeout::parse(long).unwrap_err();
            assert_eq!(why, "must be at most 8760h", "{long}");
        }
    }

    #[test]
    fn steps_get_it_unless_it_is_the_default() {
        let read = |time: Timeout| Timeout::of_step(|_| time.variable());
        for text in ["30m", "1s", "5h"] {
            let time = Timeout::parse(text).unwrap();
            assert_eq!(read(time), time);
        }
        assert_eq!(Timeout::default().variable(), None);
    }
}
