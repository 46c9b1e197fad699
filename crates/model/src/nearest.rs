//! Finds the valid word that a misspelt one was probably meant to be.

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
    Some(format!("Did you mean `{}`?", nearest(word, known)?))
}

#[cfg(test)]
mod tests {
    use super::*;

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
