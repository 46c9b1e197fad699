//! The time after which packages are too new for a solve.

use std::fmt;
use std::str::FromStr;
use std::time::SystemTime;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// The oldest age, in hours: a hundred years.
const OLDEST: u32 = 100 * 365 * 24;

/// The last moment that counts: packages from after it are too new.
///
/// As text, it is a day in UTC, which counts as a whole, or a time as in RFC 3339.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Cutoff(Timestamp);

impl Cutoff {
    /// The cutoff at this time.
    pub fn at(time: Timestamp) -> Self {
        Self(time)
    }

    /// The last moment of this day in UTC; `None` if it is too far away.
    fn end_of(day: Date) -> Option<Self> {
        let next = day.tomorrow().ok()?.to_zoned(TimeZone::UTC).ok()?;
        let last = next.timestamp() - SignedDuration::from_millis(1);
        Some(Self(last))
    }

    /// The time.
    pub fn time(self) -> Timestamp {
        self.0
    }

    /// Whether it is still to come.
    pub fn is_after(self, now: SystemTime) -> bool {
        Timestamp::try_from(now).is_ok_and(|now| self.0 > now)
    }
}

/// The day of a time, in UTC.
pub fn day(time: Timestamp) -> Date {
    time.to_zoned(TimeZone::UTC).date()
}

impl fmt::Display for Cutoff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let day = day(self.0);
        if Self::end_of(day) == Some(*self) {
            write!(f, "{day}")
        } else {
            write!(f, "{}", self.0)
        }
    }
}

impl FromStr for Cutoff {
    type Err = NotACutoff;

    fn from_str(text: &str) -> Result<Self, NotACutoff> {
        let found = match text.split_at_checked(10) {
            Some((day, rest)) if is_day(day) && rest.is_empty() => {
                day.parse().ok().and_then(Self::end_of)
            }
            Some((day, _)) if is_day(day) => text.parse().ok().map(Self),
            _ => None,
        };
        found.ok_or_else(|| NotACutoff(text.to_owned()))
    }
}

/// Whether ten characters have the form of a day: `2026-11-01`.
fn is_day(text: &str) -> bool {
    text.bytes().enumerate().all(|(at, byte)| match at {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    })
}

impl From<Cutoff> for String {
    fn from(cutoff: Cutoff) -> Self {
        cutoff.to_string()
    }
}

impl TryFrom<String> for Cutoff {
    type Error = NotACutoff;

    fn try_from(text: String) -> Result<Self, NotACutoff> {
        text.parse()
    }
}

/// What a user gives as a cutoff.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// A time.
    At(Cutoff),
    /// How old packages must be when the build starts.
    Age(Age),
}

/// An age: `12h`, `7d` or `2w`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Age {
    count: u32,
    unit: Unit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Hours,
    Days,
    Weeks,
}

impl Unit {
    /// All, each with its letter and its hours.
    const ALL: [(Self, char, u32); 3] = [
        (Self::Hours, 'h', 1),
        (Self::Days, 'd', 24),
        (Self::Weeks, 'w', 7 * 24),
    ];

    fn letter(self) -> char {
        match self {
            Self::Hours => 'h',
            Self::Days => 'd',
            Self::Weeks => 'w',
        }
    }

    fn hours(self) -> u32 {
        let found = Self::ALL.into_iter().find(|(unit, ..)| *unit == self);
        found.map_or(1, |(.., hours)| hours)
    }
}

impl Limit {
    /// The cutoff for a build that starts at `now`.
    ///
    /// That of an age is the end of an hour or a day, so that builds soon after each other have the same.
    pub fn cutoff(self, now: SystemTime) -> Cutoff {
        let age = match self {
            Self::At(cutoff) => return cutoff,
            Self::Age(age) => age,
        };
        let now = Timestamp::try_from(now).unwrap_or(Timestamp::MAX);
        let step: i64 = match age.unit {
            Unit::Hours => 3600,
            Unit::Days | Unit::Weeks => 24 * 3600,
        };
        let seconds = now.as_second();
        let age = i64::from(age.count) * i64::from(age.unit.hours()) * 3600;
        let start = seconds - seconds.rem_euclid(step) - age;
        let cutoff = Timestamp::from_millisecond(start * 1000 - 1);
        Cutoff(cutoff.unwrap_or(Timestamp::MIN))
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(cutoff) => cutoff.fmt(f),
            Self::Age(age) => write!(f, "{}{}", age.count, age.unit.letter()),
        }
    }
}

impl FromStr for Limit {
    type Err = NotACutoff;

    fn from_str(text: &str) -> Result<Self, NotACutoff> {
        let text = text.trim();
        match age(text) {
            Some(age) => Ok(Self::Age(age)),
            None => Ok(Self::At(text.parse()?)),
        }
    }
}

fn age(text: &str) -> Option<Age> {
    let (unit, letter, hours) = Unit::ALL
        .into_iter()
        .find(|(_, letter, _)| text.ends_with(*letter))?;
    let count = text.strip_suffix(letter)?;
    let is_number = !count.is_empty() && count.bytes().all(|byte| byte.is_ascii_digit());
    let count: u32 = is_number.then(|| count.parse().ok()).flatten()?;
    let fits = count.checked_mul(hours).is_some_and(|all| all <= OLDEST);
    fits.then_some(Age { count, unit })
}

/// A text that is not a cutoff.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not a date, a time or an age", crate::redact::quoted(.0))]
pub struct NotACutoff(String);

impl NotACutoff {
    /// What to write instead.
    pub const HELP: &str = "Write a date such as 2026-11-01, a time with its time zone such as 2026-11-01T12:00:00Z, or the age that packages must have, such as 7d.";
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_day_counts_as_a_whole_and_a_time_as_it_is() {
        for (text, time, shown) in [
            ("2026-11-01", "2026-11-01T23:59:59.999Z", "2026-11-01"),
            ("2024-02-29", "2024-02-29T23:59:59.999Z", "2024-02-29"),
            (
                "2026-11-01T12:00:00Z",
                "2026-11-01T12:00:00Z",
                "2026-11-01T12:00:00Z",
            ),
            (
                "2026-11-01 12:00:00.5+02:00",
                "2026-11-01T10:00:00.5Z",
                "2026-11-01T10:00:00.5Z",
            ),
            (
                "2026-11-01T00:00:00Z",
                "2026-11-01T00:00:00Z",
                "2026-11-01T00:00:00Z",
            ),
        ] {
            let cutoff: Cutoff = text.parse().unwrap();
            assert_eq!(cutoff.time(), time.parse().unwrap(), "{text}");
            assert_eq!(cutoff.to_string(), shown);
            assert_eq!(shown.parse(), Ok(cutoff));
        }
    }

    #[test]
    fn ages_end_with_an_hour_or_a_day_and_are_never_shorter() {
        // 2026-11-29T12:34:56Z
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_955_696);
        for (text, cutoff) in [
            ("0h", "2026-11-29T11:59:59.999Z"),
            ("12h", "2026-11-28T23:59:59.999Z"),
            ("13h", "2026-11-28T22:59:59.999Z"),
            ("0d", "2026-11-28T23:59:59.999Z"),
            ("7d", "2026-11-21T23:59:59.999Z"),
            ("2w", "2026-11-14T23:59:59.999Z"),
            ("2026-11-01", "2026-11-01T23:59:59.999Z"),
        ] {
            let limit: Limit = text.parse().unwrap();
            assert_eq!(limit.cutoff(now).time(), cutoff.parse().unwrap(), "{text}");
            assert_eq!(limit.to_string(), text);
        }
        let days: Limit = "7d".parse().unwrap();
        assert_eq!(days.cutoff(now).to_string(), "2026-11-21");
        let before = |text: &str| text.parse::<Limit>().unwrap().cutoff(now).is_after(now);
        assert!(!before("0h"));
        assert!(before("2026-11-29"));
        assert!(!before("2026-11-28"));
    }

    #[test]
    fn other_texts_are_neither() {
        for text in [
            "",
            "yesterday",
            "2026",
            "2026-11",
            "2026-13-01",
            "2026-02-30",
            "01.11.2026",
            "2026-11-01T12:00:00",
            "20261101T120000Z",
            "-7d",
            "7",
            "d",
            "7m",
            "7 d",
            "1d12h",
            "99999999w",
            "9999-12-31",
        ] {
            let found: Result<Limit, _> = text.parse();
            assert_eq!(found, Err(NotACutoff(text.to_owned())));
        }
    }
}
