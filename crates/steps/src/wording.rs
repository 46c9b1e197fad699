//! Lists in messages.

/// `a, b and c`; beyond `most` items, only the number of the others: `a, b and 2 more`.
pub(crate) fn listed<T: AsRef<str>>(items: impl IntoIterator<Item = T>, most: usize) -> String {
    let items: Vec<T> = items.into_iter().collect();
    let shown: Vec<&str> = items.iter().take(most).map(T::as_ref).collect();
    let more = items.len() - shown.len();
    if more > 0 {
        return format!("{} and {more} more", shown.join(", "));
    }
    match shown.split_last() {
        None => String::new(),
        Some((only, [])) => (*only).to_owned(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_read_well() {
        assert_eq!(listed([""; 0], 3), "");
        assert_eq!(listed(["a"], 3), "a");
        assert_eq!(listed(["a", "b"], 3), "a and b");
        assert_eq!(listed(["a", "b", "c"], 3), "a, b and c");
        assert_eq!(listed(["a", "b", "c", "d"], 2), "a, b and 2 more");
    }
}
