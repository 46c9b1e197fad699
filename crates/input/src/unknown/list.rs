//! Bare lists of packages: for pip, or for conda.

/// Whom a list is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum List {
    Pip,
    Conda,
    /// It may be either.
    Either,
}

/// What a line shows about the list that it is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Entry {
    /// A name alone.
    Name,
    /// A name with versions that both accept.
    Versions,
    /// An entry that is not one of conda's, or hardly ever.
    Pip,
    /// An entry that is not one of pip's.
    Conda,
}

/// The first line that is neither blank nor a comment, and its number, counted from 1.
pub(crate) fn first_line(text: &str) -> Option<(usize, &str)> {
    let is_blank = |line: &str| line.is_empty() || line.starts_with('#');
    let mut lines = (1..).zip(text.lines().map(str::trim));
    lines.find(|(_, line)| !is_blank(line))
}

/// Whether each line is `numpy`, `numpy=1.26=0`, `numpy>=1.26` or a pip option, and at least one has more than a name.
pub(crate) fn is_package_list(text: &str) -> bool {
    let entries = entries(text).unwrap_or_default();
    entries.iter().any(|entry| *entry != Entry::Name)
}

/// Whom the list `text` is for, if it is one.
pub(super) fn list(text: &str) -> Option<List> {
    let entries = entries(text)?;
    let has = |wanted: Entry| entries.contains(&wanted);
    // One word may be anything.
    let is_word = entries.len() == 1 && has(Entry::Name);
    (!entries.is_empty() && !is_word).then(|| match (has(Entry::Pip), has(Entry::Conda)) {
        (true, false) => List::Pip,
        (false, true) => List::Conda,
        _ => List::Either,
    })
}

/// The entries of a list; `None` if one of the lines is not an entry.
fn entries(text: &str) -> Option<Vec<Entry>> {
    first_line(text)?;
    let lines = text.lines().map(str::trim);
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(entry).collect()
}

fn entry(line: &str) -> Option<Entry> {
    let line = line.split(" #").next().unwrap_or_default();
    let line = line.trim_end_matches('\\').trim_end();
    if let Some(option) = line.strip_prefix('-') {
        let long = option.strip_prefix('-');
        let is_long = long.is_some_and(|name| name.starts_with(char::is_alphabetic));
        let is_short = ["r ", "c ", "e ", "i ", "f "]
            .iter()
            .any(|short| option.starts_with(short));
        return (is_long || is_short).then_some(Entry::Pip);
    }
    if line.starts_with("git+") {
        return Some(Entry::Pip);
    }
    let is_name = |c: char| c.is_alphanumeric() || "-_.".contains(c);
    let rest = line.trim_start_matches(is_name);
    if rest.len() == line.len() {
        return None;
    }
    let asked = rest.trim_start();
    let after = |sign: &str| asked.strip_prefix(sign).map(str::trim_start);
    if asked.is_empty() {
        Some(Entry::Name)
    } else if asked.starts_with("::") {
        Some(Entry::Conda)
    } else if let Some(inside) = after("[") {
        let (inside, _) = inside.split_once(']')?;
        Some(if inside.contains('=') {
            Entry::Conda
        } else {
            Entry::Pip
        })
    } else if [";", "@ ", "==="]
        .iter()
        .any(|sign| asked.starts_with(sign))
    {
        Some(Entry::Pip)
    } else if let Some(inside) = after("(") {
        inside
            .starts_with(['<', '>', '=', '~', '!'])
            .then_some(Entry::Pip)
    } else if let Some(version) = after("==") {
        let has_build = version.contains('=') && !version.contains([';', ' ']);
        Some(if has_build { Entry::Conda } else { Entry::Pip })
    } else if let Some(version) = after("=") {
        // A string is that of a file in TOML.
        (!version.starts_with(['"', '\''])).then_some(Entry::Conda)
    } else if asked.starts_with(['<', '>', '~', '!']) {
        Some(if asked.contains([';']) || asked.contains(" --") {
            Entry::Pip
        } else {
            Entry::Versions
        })
    } else {
        let is_version = asked.starts_with(|c: char| c.is_ascii_digit());
        (rest.starts_with(' ') && is_version).then_some(Entry::Conda)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_for_pip_or_for_conda() {
        for (text, expected) in [
            ("numpy==1.26.4\npandas\n", Some(List::Pip)),
            ("-r base.txt\npytest\n", Some(List::Pip)),
            (
                "--index-url https://pypi.example/simple\ntorch\n",
                Some(List::Pip),
            ),
            (
                "idna==3.10 \\\n    --hash=sha256:00 \\\n    --hash=sha256:01\n    # via requests\n",
                Some(List::Pip),
            ),
            ("uvicorn[standard]\nfastapi\n", Some(List::Pip)),
            ("numpy>=1.26; python_version < \"3.12\"\n", Some(List::Pip)),
            ("anyio @ file:///croot/anyio_1/work\n", Some(List::Pip)),
            (
                "git+https://git.example/a/b.git@main\nrequests\n",
                Some(List::Pip),
            ),
            ("pendulum (>=1.4.4)\n", Some(List::Pip)),
            (
                "# platform: linux-64\nzlib=1.3.1=hb9d3cd8_2\n",
                Some(List::Conda),
            ),
            ("zlib==1.3.1=hb9d3cd8_2\n", Some(List::Conda)),
            ("numpy = 1.26\n", Some(List::Conda)),
            ("python 3.12.*\nnumpy >=1.26\n", Some(List::Conda)),
            ("conda-forge::zlib\npython\n", Some(List::Conda)),
            ("numpy[version='>=1.26']\n", Some(List::Conda)),
            ("numpy>=1.26\npandas  # for tables\n", Some(List::Either)),
            ("-e .\nnumpy=1.26\n", Some(List::Either)),
            ("numpy\npandas\n", Some(List::Either)),
            ("numpy\n", None),
            ("# nothing\n", None),
            ("- numpy\n- pandas\n", None),
            ("name: lab\nnumpy\n", None),
            ("version = 1\nrequires-python = \">=3.12\"\n", None),
            ("This file is broken\n", None),
            ("install.packages(\"ggplot2\")\n", None),
        ] {
            assert_eq!(list(text), expected, "{text}");
        }
        assert!(is_package_list("numpy>=1.26\npandas\n"));
        assert!(!is_package_list("numpy\npandas\n"));
        assert!(!is_package_list("# nothing\n"));
    }
}
