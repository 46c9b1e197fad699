//! The report for people.

use condafront_model::visible::visible_line;
use condafront_step_spec::diff::{Change, Details, DiffReport, Overview, PackageKind};

/// The report in Markdown. What images say is not taken for markup.
pub(super) fn render(report: &DiffReport) -> String {
    let DiffReport { old, new, changes } = report;
    let mut text = String::from("# What is different\n\n");
    let mut row = |cells: [&str; 3]| text.push_str(&format!("| {} |\n", cells.join(" | ")));
    row(["", "old", "new"]);
    row(["---", "---", "---"]);
    for (title, of) in [
        (
            "image",
            (|it: &Overview| it.image.clone()) as fn(&Overview) -> String,
        ),
        ("base", |it| it.base.clone().unwrap_or_default()),
        ("distribution", |it| it.system.clone().unwrap_or_default()),
        ("packages", |it| it.packages.to_string()),
        ("files", |it| megabytes(it.bytes)),
    ] {
        let cells = [old, new].map(|it| plain(&of(it)));
        if cells.iter().any(|cell| !cell.is_empty()) {
            row([title, &cells[0], &cells[1]]);
        }
    }
    for (which, overview) in [("old", old), ("new", new)] {
        for note in &overview.notes {
            text.push_str(&format!("\nThe {which} image: {}\n", plain(note)));
        }
    }
    if changes.is_empty() {
        text.push_str("\nThe packages are the same.\n");
    }
    for group in changes.chunk_by(|one, other| heading(one) == heading(other)) {
        if let Some(first) = group.first() {
            text.push_str(&format!(
                "\n## {}\n\n| | package | old | new | size |\n| --- | --- | --- | --- | --: |\n",
                heading(first)
            ));
        }
        for change in group {
            text.push_str(&line(change));
        }
    }
    text
}

fn heading(change: &Change) -> String {
    let environment = change.environment.as_deref().map(plain);
    let place = environment
        .map(|name| format!(" in {name}"))
        .unwrap_or_default();
    match change.kind {
        PackageKind::Conda => format!("Conda packages{place}"),
        PackageKind::Pypi => format!("PyPI packages{place}"),
        PackageKind::System => "Packages of the distribution".to_owned(),
    }
}

fn line(change: &Change) -> String {
    let Change { name, old, new, .. } = change;
    let (what, cells) = match (old, new) {
        (None, Some(new)) => ("added", [String::new(), shown(new, None)]),
        (Some(old), None) => ("removed", [shown(old, None), String::new()]),
        (Some(old), Some(new)) => ("changed", [shown(old, Some(new)), shown(new, Some(old))]),
        (None, None) => ("", [String::new(), String::new()]),
    };
    let size = |of: &Option<Details>| of.as_ref().map_or(Some(0), |it| it.bytes);
    let size = match (size(old), size(new)) {
        (Some(old), Some(new)) => difference(old, new),
        _ => String::new(),
    };
    format!(
        "| {what} | {} | {} | {} | {size} |\n",
        plain(name),
        cells[0],
        cells[1]
    )
}

/// Version and build; and what else is different from `other`.
fn shown(details: &Details, other: Option<&Details>) -> String {
    let mut text = details.version.clone();
    if let Some(build) = details.build.as_ref().filter(|build| !build.is_empty()) {
        text.push_str(&format!(" {build}"));
    }
    let is_new = |get: fn(&Details) -> &Option<String>| {
        other.is_none_or(|other| get(other).is_some() && get(other) != get(details))
    };
    if let Some(channel) = details
        .channel
        .as_ref()
        .filter(|_| is_new(|it| &it.channel))
    {
        text.push_str(&format!(", from {channel}"));
    }
    if let Some(license) = details
        .license
        .as_ref()
        .filter(|_| is_new(|it| &it.license))
    {
        text.push_str(&format!(", licence {license}"));
    }
    let stated = |it: &Details| {
        (
            it.version.clone(),
            it.build.clone(),
            it.channel.clone(),
            it.license.clone(),
        )
    };
    let is_same = other.is_some_and(|other| stated(other) == stated(details));
    if let Some(hash) = details.sha256.as_ref().filter(|_| is_same) {
        let start: String = hash.chars().take(12).collect();
        text.push_str(&format!(", sha256 {start}…"));
    }
    plain(&text)
}

fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

/// `+1.2 MB`; nothing if that would be zero.
fn difference(old: u64, new: u64) -> String {
    let sign = if new >= old { "+" } else { "−" };
    let size = new.abs_diff(old);
    match size {
        0..1_000 => String::new(),
        1_000..100_000 => format!("{sign}{:.1} kB", size as f64 / 1e3),
        _ => format!("{sign}{}", megabytes(size)),
    }
}

/// Text on one line with nothing that Markdown, HTML or GitHub takes for markup, a link, a mention or the number of an issue.
/// What ends such a name early is a space without width, since a backslash does not.
fn plain(text: &str) -> String {
    const END: &str = "&#8203;";
    let text = &visible_line(text);
    let mut plain = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        let (before, after) = (&text[..at], &text[at + c.len_utf8()..]);
        let is_in_word = before.ends_with(char::is_alphanumeric);
        match c {
            // Inside of a word, this is no emphasis.
            '_' if is_in_word && after.starts_with(char::is_alphanumeric) => plain.push(c),
            '|' | '`' | '*' | '[' | ']' | '<' | '>' | '\\' | '_' | '~' | '!' => {
                plain.push('\\');
                plain.push(c);
            }
            '&' => plain.push_str("&amp;"),
            '$' => plain.push_str("&#36;"),
            // Not an address or a name, but an image's digest.
            '@' if is_in_word && after.starts_with("sha256:") => plain.push(c),
            '@' | '#' => {
                plain.push(c);
                plain.push_str(END);
            }
            '/' if before.ends_with(':') => plain.push_str("\\/"),
            '.' if is_www(before) => plain.push_str("\\."),
            c => plain.push(c),
        }
    }
    plain
}

fn is_www(before: &str) -> bool {
    let end = before.len().checked_sub(3).and_then(|at| before.get(at..));
    end.is_some_and(|end| end.eq_ignore_ascii_case("www"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn details(version: &str, license: Option<&str>, bytes: u64) -> Details {
        Details {
            version: version.to_owned(),
            build: Some("0".to_owned()),
            channel: Some("conda-forge".to_owned()),
            license: license.map(str::to_owned),
            sha256: Some("ab".repeat(32)),
            bytes: Some(bytes),
        }
    }

    #[test]
    fn what_images_say_is_no_markup() {
        for (text, expected) in [
            ("ld_impl_linux-64 _x64_", "ld_impl_linux-64 \\_x64\\_"),
            (
                "~~a~~ $x$ ![i](u)",
                "\\~\\~a\\~\\~ &#36;x&#36; \\!\\[i\\](u)",
            ),
            ("@team org/x#1", "@&#8203;team org/x#&#8203;1"),
            ("me@c.example", "me@&#8203;c.example"),
            ("debian:13@sha256:ab", "debian:13@sha256:ab"),
            ("@sha256:ab", "@&#8203;sha256:ab"),
            ("https://c.example", "https:\\//c.example"),
            ("WWW.c.example", "WWW\\.c.example"),
            ("üw.x", "üw.x"),
            ("&lt;b>", "&amp;lt;b\\>"),
            ("a\n# b\u{1b}[2J", "a #&#8203; b\\\\u{1b}\\[2J"),
        ] {
            assert_eq!(plain(text), expected, "{text}");
        }
    }

    #[test]
    fn a_report_reads_well_and_is_not_taken_for_markup() {
        let change = |name: &str, old: Option<Details>, new: Option<Details>| Change {
            kind: PackageKind::Conda,
            environment: Some("base".to_owned()),
            name: name.to_owned(),
            old,
            new,
        };
        let rebuilt = Details {
            sha256: Some("cd".repeat(32)),
            ..details("1.0", Some("MIT"), 10)
        };
        let overview = |image: &str| Overview {
            image: image.to_owned(),
            base: Some("docker.io/library/debian:13-slim".to_owned()),
            bytes: 123_456_789,
            packages: 4,
            ..Overview::default()
        };
        let system = Change {
            kind: PackageKind::System,
            environment: None,
            ..change("libc6", None, Some(details("2.41", None, 5_000)))
        };
        let report = DiffReport {
            old: overview("lab:1"),
            new: Overview {
                notes: vec!["Something is odd.".to_owned()],
                ..overview("lab:2")
            },
            changes: vec![
                change(
                    "a|b <i>*x*</i>",
                    Some(details("1.0", Some("MIT"), 1_000)),
                    None,
                ),
                change(
                    "numpy",
                    Some(details("2.1", Some("MIT"), 900)),
                    Some(details("2.2", Some("BSD"), 2_000_900)),
                ),
                change(
                    "rebuilt",
                    Some(details("1.0", Some("MIT"), 10)),
                    Some(rebuilt),
                ),
                system,
            ],
        };
        insta::assert_snapshot!(render(&report));
    }
}
