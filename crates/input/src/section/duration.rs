//! Durations as Go writes them (<https://pkg.go.dev/time#ParseDuration>): `1h30m`, `1.5s`, `100ms`.

use std::time::Duration;

/// The units in nanoseconds. Both letters for micro are in use: U+00B5 and U+03BC.
const UNITS: &[(&str, u64)] = &[
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// Parses a non-negative duration; `None` if it is invalid or longer than Go can represent (292 years).
pub(super) fn parse(text: &str) -> Option<Duration> {
    let text = text.strip_prefix('+').unwrap_or(text);
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let mut rest = text;
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let whole = digits(&mut rest);
        let fraction = match rest.strip_prefix('.') {
            Some(after) => {
                rest = after;
                digits(&mut rest)
            }
            None => "",
        };
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let is_unit = |c: char| c != '.' && !c.is_ascii_digit();
        let end = rest.find(|c| !is_unit(c)).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        let (_, unit) = UNITS.iter().find(|(unit, _)| *unit == name)?;
        rest = after;
        let whole: u64 = if whole.is_empty() {
            0
        } else {
            whole.parse().ok()?
        };
        total = total
            .checked_add(whole.checked_mul(*unit)?)?
            .checked_add(part(fraction, *unit))?;
    }
    let fits = !text.is_empty() && i64::try_from(total).is_ok();
    fits.then(|| Duration::from_nanos(total))
}

/// Takes the leading digits off `rest`.
fn digits<'a>(rest: &mut &'a str) -> &'a str {
    let end = rest
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(rest.len());
    let (digits, after) = rest.split_at(end);
    *rest = after;
    digits
}

/// The fraction of a unit that the digits after the point represent, rounded down.
fn part(digits: &str, unit: u64) -> u64 {
    // Further digits are below a nanosecond even for the largest unit.
    const PRECISION: usize = 18;
    let mut sum = 0u128;
    let mut divisor = 1u128;
    for digit in digits.bytes().take(PRECISION) {
        divisor *= 10;
        sum = sum * 10 + u128::from(digit - b'0');
    }
    u64::try_from(u128::from(unit) * sum / divisor).unwrap_or(u64::MAX)
}
