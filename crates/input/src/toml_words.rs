//! Advice in the words of a TOML file. Advice is written with YAML in mind, where most keys are.

use crate::section::keys;
use crate::toml;
use crate::yaml::{self, Node, ScalarKind, Value};
use condafront_model::lint::Warning;
use condafront_model::source::{Diagnostic, SourceFile};

/// Keys outside the image section that advice shows with a value.
const MORE_KEYS: &[&str] = &["condafront", "name", "uid", "gid", "mounts", "cutoff"];

/// Phrases about YAML, and what they are in TOML.
const PHRASES: &[(&str, &str)] = &[
    (
        "in a `- pip:` list under `dependencies:`",
        "in `[pypi-dependencies]`",
    ),
    ("under `- pip:`", "in `[pypi-dependencies]`"),
    ("under `pip:`", "in `[pypi-dependencies]`"),
    ("the `pip:` list", "`[pypi-dependencies]`"),
    ("a list `pip:`", "a list `pip`"),
    ("the `channels:` list", "`channels`"),
    ("`channels:`", "`channels`"),
    ("under `condafront:`", "in `[tool.condafront]`"),
    ("under `dependencies:`", "in `[dependencies]`"),
    ("`trim:`", "`trim`"),
    ("`chmod: 755`", "`chmod = 755`"),
    ("such as 2026-11-01, a", "such as \"2026-11-01\", a"),
    (
        "such as 2026-11-01T12:00:00Z",
        "such as \"2026-11-01T12:00:00Z\"",
    ),
    ("such as 7d", "such as \"7d\""),
    ("in octal: 0400", "in octal, as a string: \"0400\""),
    ("[python, -m, app]", "[\"python\", \"-m\", \"app\"]"),
    (
        "Inside braces, quote a string that contains a comma.",
        "Write a string in quotation marks.",
    ),
];

/// What is about the values themselves.
const KINDS: &[(&str, &str)] = &[
    ("`condafront` must be", "`[tool.condafront]` must be"),
    ("a mapping", "a table"),
];

/// The diagnostic with advice in the language of the file that it is about.
#[must_use]
pub fn as_written(mut diagnostic: Diagnostic) -> Diagnostic {
    let is_toml = |file: &SourceFile| toml::is_likely(file.lossy_text());
    if diagnostic
        .locations
        .first()
        .is_none_or(|place| !is_toml(&place.file))
    {
        return diagnostic;
    }
    diagnostic.message = replaced(&diagnostic.message, KINDS);
    if let Some(help) = diagnostic.help.take() {
        diagnostic.help = Some(replaced(&snippets(&replaced(&help, PHRASES)), KINDS));
    }
    diagnostic
}

/// The same for warnings.
#[must_use]
pub fn warnings_as_written(warnings: Vec<Warning>) -> Vec<Warning> {
    let warnings = warnings.into_iter();
    let written = warnings.map(|warning| Warning {
        diagnostic: as_written(warning.diagnostic),
        ..warning
    });
    written.collect()
}

fn replaced(text: &str, phrases: &[(&str, &str)]) -> String {
    let mut text = text.to_owned();
    for (yaml, toml) in phrases {
        text = text.replace(yaml, toml);
    }
    text
}

/// Turns `key: value` into `key = value`.
fn snippets(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((at, end)) = first_snippet(&out, rest) {
        out.push_str(&rest[..at]);
        let yaml = &rest[at..end];
        out.push_str(&in_toml(yaml).unwrap_or_else(|| yaml.to_owned()));
        rest = &rest[end..];
    }
    out + rest
}

/// Where the first snippet in `text` begins and ends; `before` is what comes before the text.
fn first_snippet(before: &str, text: &str) -> Option<(usize, usize)> {
    let names = keys::names().chain(MORE_KEYS.iter().copied());
    let found = names.filter_map(|name| {
        let mark = format!("{name}: ");
        let mut places = text.match_indices(mark.as_str());
        places.find_map(|(at, _)| {
            let start = [before, &text[..at]].concat();
            let is_start = start.is_empty() || start.ends_with([' ', '`', '(']);
            let end = is_start.then(|| value_end(&start, &text[at + mark.len()..]))??;
            Some((at, at + mark.len() + end))
        })
    });
    found.min()
}

/// Where the value ends that `text` begins with; `before` is what comes before its key.
fn value_end(before: &str, text: &str) -> Option<usize> {
    let first = text.chars().next()?;
    if ['[', '{', '"', '\''].contains(&first) {
        return closed(text);
    }
    // An example is the last thing that is said.
    if before.ends_with(": ") || before.ends_with("? ") {
        return Some(text.len());
    }
    let word = text.split([' ', '`']).next()?;
    Some(word.trim_end_matches([',', '.', ';', ')']).len())
}

/// Where the brackets or quotation marks end that `text` begins with.
fn closed(text: &str) -> Option<usize> {
    let (mut depth, mut quote) = (0_usize, None);
    for (at, c) in text.char_indices() {
        if let Some(mark) = quote {
            if c != mark {
                continue;
            }
            quote = None;
        } else {
            match c {
                '"' | '\'' => {
                    quote = Some(c);
                    continue;
                }
                '[' | '{' => depth += 1,
                ']' | '}' => depth = depth.checked_sub(1)?,
                _ => continue,
            }
        }
        if depth == 0 {
            return Some(at + c.len_utf8());
        }
    }
    None
}

/// A key with its value.
fn in_toml(text: &str) -> Option<String> {
    let tree = yaml::read(&SourceFile::new("example", text), text).ok()?;
    let (key, value) = tree.mapping()?.first()?;
    Some(format!("{} = {}", bare(&key.name), of_value(value)))
}

fn of_value(node: &Node) -> String {
    match &node.value {
        Value::Null => "\"\"".to_owned(),
        Value::Scalar { text, kind } => match kind {
            ScalarKind::Bool if ["true", "false"].contains(&text.as_str()) => text.clone(),
            ScalarKind::Number if is_number(text) => text.clone(),
            ScalarKind::Bool | ScalarKind::Number | ScalarKind::String => in_quotes(text),
        },
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(of_value).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Mapping(entries) => {
            let entries = entries.iter();
            let entries =
                entries.map(|(key, value)| format!("{} = {}", bare(&key.name), of_value(value)));
            format!("{{ {} }}", entries.collect::<Vec<_>>().join(", "))
        }
    }
}

/// Whether TOML has the number in this form.
fn is_number(text: &str) -> bool {
    text == "0" || text.parse::<i64>().is_ok() && !text.starts_with(['0', '+'])
}

/// A key, in quotation marks if it needs them.
pub(crate) fn bare(name: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !name.is_empty() && name.chars().all(is_bare) {
        name.to_owned()
    } else {
        in_quotes(name)
    }
}

fn in_quotes(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read;
    use crate::settings::InputSettings;
    use condafront_model::platform::Platform;
    use condafront_model::source::Level;

    /// What is said about a manifest whose table `[tool.condafront]` says what the image section of `yaml` does.
    fn said_in_toml(yaml: &str) -> Option<String> {
        let file = SourceFile::new("env.yml", yaml);
        let tree = yaml::read(&file, yaml).ok()?;
        let section = tree.get("condafront")?;
        let text = format!(
            "workspace = {{ channels = [\"conda-forge\"] }}\n[tool]\ncondafront = {}\n",
            of_value(section)
        );
        let file = SourceFile::new("pixi.toml", text.as_str());
        let settings = InputSettings {
            build_args: crate::section::tests::ARGS.iter().copied().collect(),
            ..InputSettings::default()
        };
        let error = read::read(&file, Platform::LinuxAmd64, &settings).err()?;
        Some(error.render(Level::Error))
    }

    #[test]
    fn examples_are_in_the_language_of_the_file() {
        let mut all = String::new();
        for yaml in crate::section::mistakes::SECTIONS {
            if let Some(said) = said_in_toml(yaml) {
                // The first lines are the file, which has the whole section on one.
                let kept = said
                    .lines()
                    .filter(|line| !line.contains(" | ") && !line.contains("-->"));
                all.push_str(&kept.collect::<Vec<_>>().join("\n"));
                all.push_str("\n\n");
            }
        }
        let is_yaml = |line: &&str| {
            let help = line.trim_start().strip_prefix("= help: ");
            help.is_some_and(|help| {
                keys::names().any(|name| help.contains(&format!(" {name}: ")))
                    && !help.contains("environments: ")
            })
        };
        let left: Vec<&str> = all.lines().filter(is_yaml).collect();
        assert_eq!(left, Vec::<&str>::new());
        insta::assert_snapshot!(all);
    }

    #[test]
    fn each_example_is_the_same_in_toml() {
        for key in crate::section::keys() {
            let text = in_toml(key.example).unwrap();
            let file = SourceFile::new("pixi.toml", text.as_str());
            let tree = toml::read(&file, &text).unwrap();
            let yaml = yaml::read(&file, key.example).unwrap();
            assert_eq!(of_value(&tree), of_value(&yaml), "{text}");
        }
    }

    #[test]
    fn phrases_about_yaml_become_those_about_toml() {
        let file = SourceFile::new("pixi.toml", "[workspace]\n");
        let place = condafront_model::source::Lines::one(1);
        for (help, written) in [
            (
                "Write `a==1` in a `- pip:` list under `dependencies:`.",
                "Write `a==1` in `[pypi-dependencies]`.",
            ),
            (
                "Set `channel_priority: flexible` under `condafront:` or --build-arg A=b.",
                "Set `channel_priority = \"flexible\"` in `[tool.condafront]` or --build-arg A=b.",
            ),
            (
                "Write user: root, or use another uid.",
                "Write user = \"root\", or use another uid.",
            ),
            (
                "Replaced: cmd: exec serve $PORT",
                "Replaced: cmd = \"exec serve $PORT\"",
            ),
            (
                "Write `base: debian@sha256:…`; then see.",
                "Write `base = \"debian@sha256:…\"`; then see.",
            ),
        ] {
            let of = |file| as_written(Diagnostic::new("m").at(file, place).help(help)).help;
            assert_eq!(of(&file).as_deref(), Some(written));
            let env = SourceFile::new("env.yml", "dependencies: []\n");
            assert_eq!(of(&env).as_deref(), Some(help));
        }
    }
}
