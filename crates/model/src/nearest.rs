//! Finds the valid word that a misspelt one was probably meant to be.

use std::fmt::Display;

use crate::prose;

/// The word in `known` that differs least from `word`, unless it differs too much to be what was meant.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    /// Longer words are not misspelt ones, and comparing takes time proportional to the product of both lengths.
    const LONGEST: usize = 64;
    let length = word.chars().count();
    if length > LONGEST {
        return None;
    }
    let word = word.to_lowercase();
    let distance = |candidate: &str| strsim::osa_distance(&candidate.to_lowercase(), &word);
    let best = known
        .into_iter()
        .min_by_key(|candidate| distance(candidate))?;
    let allowed = (length / 3).clamp(1, 4);
    (distance(best) <= allowed).then_some(best)
}

/// Help for a misspelt word: the word in `known` that was probably meant.
pub fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    Some(suggestion(nearest(word, known)?))
}

/// Help that suggests `meant`, in the form that the user would write it.
pub fn suggestion(meant: impl Display) -> String {
    suggestions([meant])
}

/// The same for several words, likeliest first.
pub fn suggestions(meant: impl IntoIterator<Item = impl Display>) -> String {
    format!("Did you mean {}?", prose::or(prose::code(meant)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggestions_read_well() {
        let names = ["numpy", "numpydoc", "numba"];
        for (number, help) in [
            (1, "Did you mean `numpy`?"),
            (2, "Did you mean `numpy` or `numpydoc`?"),
            (3, "Did you mean `numpy`, `numpydoc` or `numba`?"),
        ] {
            assert_eq!(suggestions(&names[..number]), help);
        }
        assert_eq!(suggestion("SIGINT"), "Did you mean `SIGINT`?");
        let known = ["channels", "name"];
        assert_eq!(
            did_you_mean("nmae", known).as_deref(),
            Some("Did you mean `name`?")
        );
        assert_eq!(did_you_mean("prefix", known), None);
    }

    #[test]
    fn near_words_are_found_and_others_are_not() {
        let known = ["channels", "dependencies", "name"];
        for (word, meant) in [
            ("dependancies", Some("dependencies")),
            ("Channels", Some("channels")),
            ("channel", Some("channels")),
            ("nmae", Some("name")),
            ("prefix", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, known), meant, "{word}");
        }
        assert_eq!(nearest(&"n".repeat(1000), known), None);
    }
}
