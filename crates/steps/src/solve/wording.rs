//! Sentences and names in messages.

/// Several ways, each as the middle of a sentence, as one sentence: `Do this, or do that.` Empty if there are none.
pub(super) fn sentence(ways: &[String]) -> String {
    let [others @ .., last] = ways else {
        return String::new();
    };
    let text = match others {
        [] => last.clone(),
        others => format!("{}, or {last}", others.join(", ")),
    };
    let mut chars = text.chars();
    let first = chars.next().map(char::to_uppercase);
    format!(
        "{}{}.",
        first.into_iter().flatten().collect::<String>(),
        chars.as_str()
    )
}

/// The names that the user may have meant by `wrong`, best first, at most three.
pub(super) fn near<'a>(wrong: &str, names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    const MOST: usize = 3;
    /// Names with at least this similarity are alike (Jaro-Winkler, 1 is equal).
    const ALIKE: f64 = 0.88;
    let plain = |name: &str| name.replace(['_', '.'], "-");
    let wrong_plain = plain(wrong);
    let mut found: Vec<(f64, &str)> = names
        .filter_map(|name| {
            let name_plain = plain(name);
            let stripped = |prefix: &str| name_plain.strip_prefix(prefix) == Some(&wrong_plain);
            let similarity =
                if name_plain == wrong_plain || ["python-", "py", "r-"].into_iter().any(stripped) {
                    1.0
                } else if strsim::levenshtein(&name_plain, &wrong_plain) <= 1 {
                    0.99
                } else {
                    strsim::jaro_winkler(&name_plain, &wrong_plain)
                };
            (similarity >= ALIKE).then_some((similarity, name))
        })
        .collect();
    found.sort_by(|(a, a_name), (b, b_name)| b.total_cmp(a).then_with(|| a_name.cmp(b_name)));
    found.dedup_by_key(|(_, name)| *name);
    found.into_iter().take(MOST).map(|(_, name)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_make_a_sentence() {
        let ways = ["write a", "put b first", "leave c out"].map(str::to_owned);
        assert_eq!(sentence(&ways), "Write a, put b first, or leave c out.");
        assert_eq!(sentence(&ways[..1]), "Write a.");
        assert_eq!(sentence(&[]), "");
    }

    #[test]
    fn near_names_are_suggested() {
        let names = [
            "numpy",
            "numpydoc",
            "pyyaml",
            "r-dplyr",
            "scikit-learn",
            "scipy",
        ];
        let near = |wrong| near(wrong, names.into_iter());
        assert_eq!(near("numpi"), ["numpy"]);
        assert_eq!(near("numpydocs"), ["numpydoc", "numpy"]);
        assert_eq!(near("yaml"), ["pyyaml"]);
        assert_eq!(near("dplyr"), ["r-dplyr"]);
        assert_eq!(near("scikit_learn"), ["scikit-learn"]);
        assert_eq!(near("tensorflow"), [""; 0]);
    }
}
