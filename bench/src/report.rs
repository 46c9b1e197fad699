//! The report in Markdown: a table for each kind of figure, and notes on what was compared.

use std::fmt::Write as _;
use std::fs;
use std::thread::available_parallelism;

use crate::conditions::Conditions;
use crate::environment::{Change, Environment};
use crate::measure::{Measured, Run, medians};
use crate::scenario::Scenario;
use crate::side::Side;
use crate::value::Value;

/// What was measured.
pub(crate) struct Report<'a> {
    pub(crate) environment: &'a Environment,
    pub(crate) conditions: Conditions,
    /// All runs of each side.
    pub(crate) runs: Vec<(Side, Vec<Run>)>,
    /// The machine's load average at the start.
    pub(crate) load: String,
}

/// A table's figures: one line for each scenario, one value for each side.
struct Table {
    title: &'static str,
    columns: Vec<&'static str>,
    rows: Vec<(String, Vec<Value>)>,
}

impl Report<'_> {
    /// The medians of the sides that build the environment, in the order of [`Scenario::all`].
    pub(crate) fn medians(&self) -> Vec<(Side, Vec<Measured>)> {
        let of = |(side, runs): &(Side, Vec<Run>)| (*side, medians(runs));
        let is_whole = |(side, _): &&(Side, _)| *side != Side::OtherFrontend;
        self.runs.iter().filter(is_whole).map(of).collect()
    }

    /// How long the builds take in which nothing has changed, and the starts of their frontends.
    fn frontends(&self) -> Vec<(Side, [f64; 2])> {
        let has_frontend =
            |(side, _): &&(Side, _)| matches!(side, Side::Condafront | Side::OtherFrontend);
        let of = |(side, runs): &(Side, Vec<Run>)| {
            let scenarios = side.scenarios(self.environment.size());
            let measured = medians(runs);
            let seconds = [Scenario::Change(Change::None), Scenario::Targets].map(|wanted| {
                let mut both = scenarios.iter().zip(&measured);
                let found = both.find(|(scenario, _)| **scenario == wanted);
                found.map_or(f64::NAN, |(_, measured)| measured.seconds)
            });
            (*side, seconds)
        };
        self.runs.iter().filter(has_frontend).map(of).collect()
    }

    /// The whole report.
    pub(crate) fn markdown(&self) -> String {
        let scenarios = Scenario::all(self.environment.size());
        let medians = self.medians();
        let table =
            |title, is_in: &dyn Fn(Scenario) -> bool, value: &dyn Fn(&Measured) -> Value| {
                let rows = scenarios.iter().enumerate();
                let rows = rows.filter(|(_, scenario)| is_in(**scenario));
                let values = |index: usize| medians.iter().map(move |(_, of)| value(&of[index]));
                Table {
                    title,
                    columns: medians.iter().map(|(side, _)| side.title()).collect(),
                    rows: rows
                        .map(|(index, scenario)| (scenario.title(), values(index).collect()))
                        .collect(),
                }
            };
        let is_build = |it| {
            matches!(
                it,
                Scenario::Cold | Scenario::Change(_) | Scenario::EmptyBuilder(_)
            )
        };
        let is_pull = |it| matches!(it, Scenario::Pull | Scenario::Update);
        let time = table("Time", &|_| true, &|it| Value::Seconds(it.seconds));
        let mut text = time.to_string();
        let more = [
            beyond_the_start(&self.frontends()),
            table("From the channel", &is_build, &|it| {
                Value::Bytes(it.downloaded)
            }),
            table("Pushed", &is_build, &|it| Value::Bytes(it.moved)),
            table("Pulled", &is_pull, &|it| Value::Bytes(it.moved)),
            table(
                "Layers that the first image does not have",
                &|it| is_build(it) && it != Scenario::Cold,
                &|it| Value::Count(it.layers),
            ),
            table("Memory of the whole machine, at most", &is_build, &|it| {
                Value::Bytes(it.memory)
            }),
        ];
        for table in more.iter().filter(|table| !table.rows.is_empty()) {
            // Writing to a string cannot fail.
            let _ = write!(text, "\n{table}");
        }
        for line in self.notes() {
            let _ = write!(text, "\n{line}\n");
        }
        text
    }

    fn notes(&self) -> Vec<String> {
        let packages = self.environment.packages(Change::None);
        let bytes: u64 = packages.iter().map(|package| package.size).sum();
        let runs = || self.runs.iter().flat_map(|(_, runs)| runs);
        let times = self.runs.first().map_or(0, |(_, runs)| runs.len());
        let images = self.runs.iter().filter_map(|(side, runs)| {
            let image = &runs.first()?.image;
            Some(format!(
                "{}: {} layers, {}",
                side.title(),
                image.layers.len(),
                Value::Bytes(image.bytes() as f64)
            ))
        });
        let images: Vec<String> = images.collect();
        let mut notes = vec![format!(
            "{} packages, {} of archives. Each figure is {}; all sides were measured in one go, and every image \
                 ran. The first image, compressed: {}.",
            packages.len(),
            Value::Bytes(bytes as f64),
            if times == 1 {
                "of one run".to_owned()
            } else {
                format!("the median of {times} runs")
            },
            images.join("; "),
        )];
        notes.extend(self.conditions.notes());
        if self.runs.iter().any(|(side, _)| *side == Side::OneRun) {
            notes.push(
                "condafront's installer in a Dockerfile downloads nothing: its packages are in a folder of the client, \
                 of which BuildKit copies what has changed. That favours this side."
                    .to_owned(),
            );
        }
        if self.environment.size().has_list() {
            notes.push(format!(
                "pip finds {} and what they need. The Dockerfile installs a lock of the conda packages, which favours it: \
                 condafront solves an env.yml.",
                Environment::listed(Change::None).collect::<Vec<_>>().join(", ")
            ));
        }
        if !self.runs.iter().any(|(side, _)| *side == Side::Micromamba) {
            notes.push("No micromamba was compared: `MICROMAMBA` did not name one.".to_owned());
        }
        let is_other = |(side, _): &(Side, _)| *side == Side::OtherFrontend;
        if !self.runs.iter().any(is_other) {
            notes.push(
                "No other frontend was compared: `DOCKERFILE_FRONTEND` did not name one."
                    .to_owned(),
            );
        }
        notes.push(format!(
            "condafront {}; {}, {}; {} cores ({}); load average at the start: {}.",
            env!("CARGO_PKG_VERSION"),
            self.conditions.builder.title(),
            runs().next().map_or("?", |run| run.engine.as_str()),
            available_parallelism().map_or(0, usize::from),
            value_in("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown".to_owned()),
            self.load,
        ));
        notes
    }
}

/// What a build costs in which nothing has changed, beyond the start of its frontend.
fn beyond_the_start(frontends: &[(Side, [f64; 2])]) -> Table {
    type Figure = fn(&[f64; 2]) -> f64;
    let rows: [(String, Figure); 3] = [
        (Scenario::Change(Change::None).title(), |[build, _]| *build),
        (Scenario::Targets.title(), |[_, start]| *start),
        ("the difference".to_owned(), |[build, start]| build - start),
    ];
    let values = |figure: Figure| {
        let seconds = frontends.iter().map(|(_, of)| figure(of));
        seconds.map(Value::Seconds).collect()
    };
    Table {
        title: "Nothing changed, beside another frontend",
        columns: frontends.iter().map(|(side, _)| side.title()).collect(),
        rows: rows.map(|(name, figure)| (name, values(figure))).into(),
    }
}

impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "## {}\n", self.title)?;
        write!(f, "| |")?;
        for column in &self.columns {
            write!(f, " {column} |")?;
        }
        writeln!(f, " ratio |")?;
        writeln!(f, "|---|{}---:|", "---:|".repeat(self.columns.len()))?;
        for (name, values) in &self.rows {
            write!(f, "| {name} |")?;
            for value in values {
                write!(f, " {value} |")?;
            }
            let ratio = match values.get(..2) {
                Some([ours, theirs]) if theirs.number() > 0.0 && ours.number() > 0.0 => {
                    ratio(ours.number() / theirs.number())
                }
                _ => String::new(),
            };
            writeln!(f, " {ratio} |")?;
        }
        Ok(())
    }
}

/// A small ratio is a fraction, which tells more than zeros.
fn ratio(ratio: f64) -> String {
    if ratio < 0.1 {
        format!("1/{:.0}", 1.0 / ratio)
    } else {
        format!("{ratio:.2}")
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_start_is_taken_off() {
        let both = [
            (Side::Condafront, [1.5, 0.5]),
            (Side::OtherFrontend, [0.75, 0.25]),
        ];
        let rows = beyond_the_start(&both).to_string();
        let rows: Vec<&str> = rows.lines().skip(4).collect();
        assert_eq!(
            rows,
            [
                "| nothing changed | 1.50 s | 0.75 s | 2.00 |",
                "| the frontend's start alone | 0.50 s | 0.25 s | 2.00 |",
                "| the difference | 1.00 s | 0.50 s | 2.00 |",
            ]
        );
        let alone = beyond_the_start(&both[..1]).to_string();
        assert!(
            alone.ends_with("| the difference | 1.00 s |  |\n"),
            "{alone}"
        );
    }

    #[test]
    fn the_ratio_is_of_the_first_two_columns() {
        let table = Table {
            title: "Time",
            columns: vec!["condafront", "Dockerfile", "another"],
            rows: vec![(
                "first build".to_owned(),
                vec![
                    Value::Seconds(2.0),
                    Value::Seconds(40.0),
                    Value::Seconds(1.0),
                ],
            )],
        };
        assert_eq!(
            table.to_string(),
            "## Time\n\n\
             | | condafront | Dockerfile | another | ratio |\n\
             |---|---:|---:|---:|---:|\n\
             | first build | 2.00 s | 40.00 s | 1.00 s | 1/20 |\n"
        );
    }
}
