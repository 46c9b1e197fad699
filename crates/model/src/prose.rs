//! Lists in sentences.

use std::fmt::Display;

/// `a, b and c`.
pub fn and(items: impl IntoIterator<Item = impl Display>) -> String {
    joined(items, "and")
}

/// `a, b or c`.
pub fn or(items: impl IntoIterator<Item = impl Display>) -> String {
    joined(items, "or")
}

/// `a, b and c`; beyond `most` items, only the number of the others: `a, b and 2 more`.
pub fn listed(items: impl IntoIterator<Item = impl Display>, most: usize) -> String {
    let mut items: Vec<String> = texts(items);
    let more = items.len().saturating_sub(most);
    if more == 0 {
        return and(items);
    }
    items.truncate(most);
    format!("{} and {more} more", items.join(", "))
}

/// Each word in backticks.
pub fn code(words: impl IntoIterator<Item = impl Display>) -> Vec<String> {
    let words = words.into_iter();
    words.map(|word| format!("`{word}`")).collect()
}

fn joined(items: impl IntoIterator<Item = impl Display>, with: &str) -> String {
    let items = texts(items);
    match items.as_slice() {
        [others @ .., last] if !others.is_empty() => {
            format!("{} {with} {last}", others.join(", "))
        }
        _ => items.concat(),
    }
}

fn texts(items: impl IntoIterator<Item = impl Display>) -> Vec<String> {
    items.into_iter().map(|item| item.to_string()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_read_well() {
        assert_eq!(and([""; 0]), "");
        assert_eq!(and(["a"]), "a");
        assert_eq!(and(["a", "b"]), "a and b");
        assert_eq!(or(["a", "b", "c"]), "a, b or c");
        assert_eq!(and(code(["a", "b", "c"])), "`a`, `b` and `c`");
        assert_eq!(listed(["a", "b", "c"], 3), "a, b and c");
        assert_eq!(listed(["a", "b", "c", "d"], 2), "a, b and 2 more");
    }
}
