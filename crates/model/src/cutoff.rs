//! The time after which packages are too new for a solve.

use std::fmt;
use std::str::FromStr;
use std::time::SystemTime;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// The oldest age, in seconds: a hundred years.
const OLDEST: u32 = 100 * 365 * 24 * 3600;

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

/// An age: `12h`, `7d` or `2w`. Manifests may also have minutes and seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Age {
    count: u32,
    unit: Unit,
}

impl Age {
    /// The age of so many seconds; `None` if it is too long.
    pub fn of_seconds(seconds: u64) -> Option<Self> {
        let seconds = u32::try_from(seconds).ok().filter(|all| *all <= OLDEST)?;
        let units = [Unit::Days, Unit::Hours, Unit::Minutes];
        let mut fitting = units
            .into_iter()
            .filter(|unit| seconds % unit.seconds() == 0);
        let unit = fitting.next().unwrap_or(Unit::Seconds);
        Some(Self {
            count: seconds / unit.seconds(),
            unit,
        })
    }

    fn seconds(self) -> i64 {
        i64::from(self.count) * i64::from(self.unit.seconds())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Seconds,
    Minutes,
    Hours,
    Days,
    Weeks,
}

impl Unit {
    /// Those that a text can have.
    const IN_TEXTS: [Self; 3] = [Self::Hours, Self::Days, Self::Weeks];

    fn letter(self) -> char {
        match self {
            Self::Seconds => 's',
            Self::Minutes => 'm',
            Self::Hours => 'h',
            Self::Days => 'd',
            Self::Weeks => 'w',
        }
    }

    fn seconds(self) -> u32 {
        match self {
            Self::Seconds => 1,
            Self::Minutes => 60,
            Self::Hours => 3600,
            Self::Days => 24 * 3600,
            Self::Weeks => 7 * 24 * 3600,
        }
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
            Unit::Seconds | Unit::Minutes | Unit::Hours => 3600,
            Unit::Days | Unit::Weeks => 24 * 3600,
        };
        let seconds = now.as_second();
        let start = seconds - seconds.rem_euclid(step) - age.seconds();
        let cutoff = Timestamp::from_millisecond(start * 1000 - 1);
        Cutoff(cutoff.unwrap_or(Timestamp::MIN))
    }

    /// The latest cutoff that a solve can have had which ended before `now`, whatever tool did it. The one of an age is exactly so
    /// long ago.
    pub fn latest(self, now: SystemTime) -> Cutoff {
        let age = match self {
            Self::At(cutoff) => return cutoff,
            Self::Age(age) => age,
        };
        let now = Timestamp::try_from(now).unwrap_or(Timestamp::MAX);
        let ago = now.checked_sub(SignedDuration::from_secs(age.seconds()));
        Cutoff(ago.unwrap_or(Timestamp::MIN))
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
    let mut units = Unit::IN_TEXTS.into_iter();
    let (unit, count) = units.find_map(|unit| Some((unit, text.strip_suffix(unit.letter())?)))?;
    let is_number = !count.is_empty() && count.bytes().all(|byte| byte.is_ascii_digit());
    let count: u32 = is_number.then(|| count.parse().ok()).flatten()?;
    let seconds = count.checked_mul(unit.seconds());
    let fits = seconds.is_some_and(|all| all <= OLDEST);
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
    fn a_lock_may_be_as_young_as_the_age() {
        // 2026-11-29T12:34:56Z
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_955_696);
        for (text, cutoff) in [
            ("7d", "2026-11-22T12:34:56Z"),
            ("0h", "2026-11-29T12:34:56Z"),
            ("2026-11-01", "2026-11-01T23:59:59.999Z"),
        ] {
            let limit: Limit = text.parse().unwrap();
            assert_eq!(limit.latest(now).time(), cutoff.parse().unwrap(), "{text}");
        }
    }

    #[test]
    fn an_age_in_seconds_has_the_largest_unit_that_fits() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_955_696);
        for (seconds, shown, cutoff) in [
            (14 * 24 * 3600, "14d", "2026-11-14T23:59:59.999Z"),
            (3600, "1h", "2026-11-29T10:59:59.999Z"),
            (90 * 60, "90m", "2026-11-29T10:29:59.999Z"),
            (61, "61s", "2026-11-29T11:58:58.999Z"),
        ] {
            let limit = Limit::Age(Age::of_seconds(seconds).unwrap());
            assert_eq!(limit.to_string(), shown);
            assert_eq!(limit.cutoff(now).time(), cutoff.parse().unwrap(), "{shown}");
        }
        assert_eq!(Age::of_seconds(101 * 366 * 24 * 3600), None);
        assert_eq!(Age::of_seconds(u64::MAX), None);
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
