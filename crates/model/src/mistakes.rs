//! Mistakes that have nothing to do with each other, and are reported together.

use crate::source::Diagnostic;

/// How many are told: what fits on a screen.
const MOST: usize = 5;

/// The mistakes that have been found.
#[derive(Debug, Default)]
pub struct Mistakes {
    /// The first of them.
    told: Vec<Diagnostic>,
    /// How many more there are.
    left_out: usize,
}

impl Mistakes {
    /// Adds one. `mistake` is only called for the first few: a large file of another kind can have one in every line.
    pub fn add(&mut self, mistake: impl FnOnce() -> Diagnostic) {
        if self.told.len() < MOST {
            self.told.push(mistake());
        } else {
            self.left_out += 1;
        }
    }

    /// Reports those that have been added.
    ///
    /// # Errors
    /// The first of them, whose help goes on with the others.
    pub fn check(&mut self) -> Result<(), Diagnostic> {
        let Self { told, left_out } = std::mem::take(self);
        let mut told = told.into_iter();
        let Some(mut all) = told.next() else {
            return Ok(());
        };
        let mut help: Vec<String> = all.help.take().into_iter().collect();
        for other in told {
            let place = other.locations.first().map(|place| {
                let first = all.locations.first();
                let line = place.lines.first;
                match first.filter(|first| first.file.name() == place.file.name()) {
                    Some(_) => format!("line {line}: "),
                    None => format!("{}:{line}: ", place.file.name()),
                }
            });
            help.push(format!(
                "Also, {}{}",
                place.unwrap_or_default(),
                other.message
            ));
            help.extend(other.help.filter(|text| !help.contains(text)));
            for place in &other.locations {
                all = all.at(&place.file, place.lines);
            }
        }
        match left_out {
            0 => {}
            1 => help.push("There is one more mistake.".to_owned()),
            more => help.push(format!("There are {more} more mistakes.")),
        }
        all.help = (!help.is_empty()).then(|| help.join("\n"));
        Err(all)
    }
}

/// Calls `check` for each item.
///
/// # Errors
/// What is wrong with them, as [`Mistakes::check()`] reports it.
pub fn check_each<T>(
    items: impl IntoIterator<Item = T>,
    mut check: impl FnMut(T) -> Result<(), Diagnostic>,
) -> Result<(), Diagnostic> {
    let mut mistakes = Mistakes::default();
    for item in items {
        if let Err(mistake) = check(item) {
            mistakes.add(|| mistake);
        }
    }
    mistakes.check()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::source::{Lines, SourceFile};

    fn mistake(file: &Arc<SourceFile>, line: usize) -> Diagnostic {
        Diagnostic::new(format!("mistake {line}"))
            .help(format!("Mend {line}."))
            .at(file, Lines::one(line))
    }

    fn file() -> Arc<SourceFile> {
        SourceFile::new("env.yml", "a\nb\nc\nd\ne\nf\ng\n")
    }

    /// The error for all of them.
    fn together(all: Vec<Diagnostic>) -> Diagnostic {
        check_each(all, Err).unwrap_err()
    }

    #[test]
    fn the_first_is_reported_with_the_others_in_its_help() {
        let file = file();
        let alone = mistake(&file, 2);
        assert_eq!(together(vec![alone.clone()]), alone);
        let other = SourceFile::new("more.txt", "x\n");
        let all = vec![mistake(&file, 2), mistake(&file, 4), mistake(&other, 1)];
        let told = together(all);
        assert_eq!(
            told.to_string(),
            "mistake 2\nMend 2.\nAlso, line 4: mistake 4\nMend 4.\nAlso, more.txt:1: mistake 1\nMend 1."
        );
        let places = told.locations.iter();
        let lines: Vec<u32> = places.map(|place| place.lines.first).collect();
        assert_eq!(lines, [2, 4, 1]);
    }

    #[test]
    fn each_line_is_shown_once() {
        let file = file();
        let told = together(vec![
            mistake(&file, 1),
            mistake(&file, 1),
            mistake(&file, 2),
        ]);
        let places = told.locations.iter();
        let lines: Vec<u32> = places.map(|place| place.lines.first).collect();
        assert_eq!(lines, [1, 2]);
    }

    #[test]
    fn what_does_not_fit_on_a_screen_is_counted() {
        let file = file();
        for (count, last) in [
            (5, "Mend 5."),
            (6, "Mend 5.\nThere is one more mistake."),
            (7, "Mend 5.\nThere are 2 more mistakes."),
        ] {
            let mut mistakes = Mistakes::default();
            for line in 1..=count {
                mistakes.add(|| {
                    assert!(line <= MOST, "{line}");
                    mistake(&file, line)
                });
            }
            let told = mistakes.check().unwrap_err();
            assert_eq!(told.locations.len(), MOST);
            let help = told.help.unwrap();
            assert!(help.ends_with(last), "{help}");
            assert_eq!(mistakes.check(), Ok(()));
        }
    }

    #[test]
    fn items_without_mistakes_are_left_out() {
        let file = file();
        let odd = |line: usize| {
            if line.is_multiple_of(2) {
                Ok(())
            } else {
                Err(mistake(&file, line))
            }
        };
        assert_eq!(check_each([2, 4], odd), Ok(()));
        assert_eq!(check_each([2, 3, 4], odd), Err(mistake(&file, 3)));
    }
}
