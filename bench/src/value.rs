//! Figures with their units, and medians.

use std::fmt;

/// A figure, with its unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Value {
    Seconds(f64),
    Bytes(f64),
    Count(f64),
}

impl Value {
    pub(crate) fn number(self) -> f64 {
        match self {
            Self::Seconds(number) | Self::Bytes(number) | Self::Count(number) => number,
        }
    }

    /// Another number with this unit.
    pub(crate) fn with(self, number: f64) -> Self {
        match self {
            Self::Seconds(_) => Self::Seconds(number),
            Self::Bytes(_) => Self::Bytes(number),
            Self::Count(_) => Self::Count(number),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match *self {
            // The sum is not negative if it is zero.
            Self::Seconds(seconds) if seconds.abs() < 0.1 => {
                format!("{:.1} ms", (seconds * 1e4).round() / 10.0 + 0.0)
            }
            Self::Seconds(seconds) => format!("{seconds:.2} s"),
            Self::Bytes(bytes) if bytes < 1e6 => format!("{:.1} kB", bytes / 1e3),
            Self::Bytes(bytes) => format!("{:.1} MB", bytes / 1e6),
            Self::Count(count) => format!("{count:.0}"),
        };
        f.pad(&text)
    }
}

/// The middle value, or the mean of the two middle values.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => values[odd / 2],
        even => f64::midpoint(values[even / 2 - 1], values[even / 2]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians() {
        assert!((median(vec![3.0, 1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
        assert!((median(vec![4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < f64::EPSILON);
        assert!(median(Vec::new()).is_nan());
    }

    #[test]
    fn figures_are_readable() {
        assert_eq!(Value::Bytes(1234.0).to_string(), "1.2 kB");
        assert_eq!(Value::Bytes(20_973_608.0).to_string(), "21.0 MB");
        assert_eq!(Value::Seconds(0.0021).to_string(), "2.1 ms");
        assert_eq!(Value::Seconds(-0.0021).to_string(), "-2.1 ms");
        assert_eq!(Value::Seconds(-0.00004).to_string(), "0.0 ms");
        assert_eq!(Value::Seconds(41.5).to_string(), "41.50 s");
    }
}
