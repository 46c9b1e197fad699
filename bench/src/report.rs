//! The report: a table, and notes on what was compared.

use std::fmt;
use std::fs;
use std::thread::available_parallelism;
use std::time::Duration;

use condafront_testkit::channel::Package;

use crate::measure::{Run, Step};
use crate::side::Installer;
use crate::workload::{State, Workload};

/// How many times faster than the Dockerfile a small change is meant to be.
const AIM: f64 = 20.0;

/// The whole output.
pub(crate) struct Report {
    rows: Vec<Row>,
    footer: Vec<String>,
}

/// A line of the table, in the order of `Side::BOTH`.
struct Row {
    name: String,
    values: [Value; 2],
}

/// A figure, with its unit.
#[derive(Clone, Copy)]
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
            Self::Seconds(seconds) => format!("{seconds:.2} s"),
            Self::Bytes(bytes) if bytes < 1e6 => format!("{:.1} kB", bytes / 1e3),
            Self::Bytes(bytes) => format!("{:.1} MB", bytes / 1e6),
            Self::Count(count) => format!("{count:.0}"),
        };
        f.pad(&text)
    }
}

impl Report {
    /// The report on the runs of both sides; `load` is the machine's load average before them.
    pub(crate) fn new(
        runs: &[Vec<Run>; 2],
        workload: &Workload,
        installer: &Installer,
        load: &str,
    ) -> Self {
        let row = |name: String, value: fn(f64) -> Value, of: &dyn Fn(&Run) -> f64| Row {
            name,
            values: [0, 1].map(|side| value(median(runs[side].iter().map(of).collect()))),
        };
        let packages = workload.packages(State::Before);
        let titles = Step::ALL.map(|step| title(step, &packages));
        let mut rows = Vec::new();
        for (index, title) in titles.iter().enumerate() {
            let seconds = |run: &Run| Duration::as_secs_f64(&run.steps[index].time);
            rows.push(row(format!("{title}: time"), Value::Seconds, &seconds));
        }
        for (index, title) in titles.iter().enumerate() {
            let pushed = |run: &Run| run.steps[index].pushed as f64;
            rows.push(row(format!("{title}: pushed"), Value::Bytes, &pushed));
        }
        rows.push(row("image, compressed".to_owned(), Value::Bytes, &|run| {
            run.image.bytes as f64
        }));
        rows.push(row("image, its files".to_owned(), Value::Bytes, &|run| {
            run.unpacked as f64
        }));
        rows.push(row("image, layers".to_owned(), Value::Count, &|run| {
            run.image.layers as f64
        }));
        Self {
            rows,
            footer: footer(runs, &packages, installer, load),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.rows.iter().map(|row| row.name.len()).max();
        let width = width.unwrap_or_default();
        let [left, right] = crate::side::Side::BOTH.map(|side| side.to_string());
        writeln!(f, "| {:width$} | {left:>10} | {right:>10} | ratio |", "")?;
        let line = |width: usize| "-".repeat(width);
        writeln!(
            f,
            "|-{}-|-{}:|-{}:|------:|",
            line(width),
            line(10),
            line(10)
        )?;
        for Row { name, values } in &self.rows {
            let [left, right] = values;
            let ratio = match values.map(Value::number) {
                [ours, theirs] if ours > 0.0 => format!("{:.1}", theirs / ours),
                _ => String::new(),
            };
            writeln!(
                f,
                "| {name:width$} | {left:>10} | {right:>10} | {ratio:>5} |"
            )?;
        }
        for line in &self.footer {
            write!(f, "\n{line}\n")?;
        }
        Ok(())
    }
}

fn title(step: Step, packages: &[&Package]) -> String {
    let bump = |name: &str| {
        let size = packages.iter().find(|package| package.name == name);
        let bytes = size.map_or(0, |package| package.size);
        format!("{name} 1.0 → 1.1 ({})", Value::Bytes(bytes as f64))
    };
    match step {
        Step::Cold => "cold".to_owned(),
        Step::Unchanged => "nothing changed".to_owned(),
        Step::SmallChanged => bump("bumpme"),
        Step::LargeChanged => bump("bigpkg"),
    }
}

fn footer(
    runs: &[Vec<Run>; 2],
    packages: &[&Package],
    installer: &Installer,
    load: &str,
) -> Vec<String> {
    let small = |side: usize| {
        let time = |run: &Run| run.steps[Step::SmallChanged as usize].time.as_secs_f64();
        median(runs[side].iter().map(time).collect())
    };
    let bytes: u64 = packages.iter().map(|package| package.size).sum();
    let how = match installer {
        Installer::BuiltIn => {
            "Both sides use condafront's built-in installer. In the Dockerfile's RUN, the packages are in a \
             mounted folder of the client; with micromamba, a RUN would download all of them each time. \
             This favours the Dockerfile."
        }
        Installer::Micromamba(_) => {
            "Both sides use the micromamba named by MICROMAMBA. The Dockerfile's RUN downloads from \
             this machine, without the delays of a network. This favours the Dockerfile."
        }
    };
    let version = runs.iter().flatten().next().map(|run| run.engine.as_str());
    vec![
        format!(
            "A new version of a small package takes 1/{:.1} of the Dockerfile's time (aim: 1/{AIM:.0}).",
            small(1) / small(0)
        ),
        format!(
            "Times are of docker buildx build --push, from start to end{}. The environment has {} packages, \
             {} of archives; every image ran. Both sides started with an empty engine and an empty \
             registry, and pulled the base image and the installer from another registry on this machine; \
             `pushed` is how much the registry's storage grew.",
            if runs[0].len() > 1 {
                format!(", median of {}", runs[0].len())
            } else {
                ", once".to_owned()
            },
            packages.len(),
            Value::Bytes(bytes as f64)
        ),
        how.to_owned(),
        format!(
            "condafront {}, dockerd {} with the containerd store, {} cores ({}); load average at the start: {load}.",
            env!("CARGO_PKG_VERSION"),
            version.unwrap_or("?"),
            available_parallelism().map_or(0, usize::from),
            value_in("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown".to_owned()),
        ),
    ]
}

/// The average number of processes that wanted to run in the last minute.
pub(crate) fn load_average() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or("?").to_owned()
}

/// The first value of a key in a file of `key : value` lines.
fn value_in(file: &str, key: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(key))?;
    Some(line.split_once(':')?.1.trim().to_owned())
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
    fn the_ratio_is_dockerfile_to_condafront() {
        let report = Report {
            rows: vec![Row {
                name: "cold".to_owned(),
                values: [Value::Seconds(2.0), Value::Seconds(45.0)],
            }],
            footer: vec!["The end.".to_owned()],
        };
        assert_eq!(
            report.to_string(),
            "|      | condafront | Dockerfile | ratio |\n\
             |------|-----------:|-----------:|------:|\n\
             | cold |     2.00 s |    45.00 s |  22.5 |\n\
             \nThe end.\n"
        );
    }

    #[test]
    fn bytes_are_readable() {
        assert_eq!(Value::Bytes(1234.0).to_string(), "1.2 kB");
        assert_eq!(Value::Bytes(20_973_608.0).to_string(), "21.0 MB");
    }
}
