//! What is published along with the code: the schema and the documentation.

use super::keys::{FILE_KEYS, KEYS};
use super::schema;
use super::tests::{lines, section};
use crate::section::args::BuildArgs;
use crate::section::file::{is_image_file, read_image_file};
use crate::yaml::{self, Node, ScalarKind, Value};
use condafront_model::source::{Level, SourceFile};

/// A tree as JSON.
pub(super) fn json(node: &Node) -> serde_json::Value {
    match &node.value {
        Value::Null => serde_json::Value::Null,
        Value::Scalar { text, kind } => match kind {
            ScalarKind::String => text.as_str().into(),
            ScalarKind::Bool => (text.to_lowercase() == "true").into(),
            ScalarKind::Number => {
                let digits = text.trim_start_matches('0');
                let number = if digits.is_empty() { "0" } else { digits };
                serde_json::from_str(number).unwrap_or_else(|_| text.as_str().into())
            }
        },
        Value::List(items) => items.iter().map(json).collect(),
        Value::Mapping(entries) => {
            let entries = entries.iter();
            entries
                .map(|(key, value)| (key.name.clone(), json(value)))
                .collect()
        }
    }
}

pub(super) fn validator() -> &'static jsonschema::Validator {
    static VALIDATOR: std::sync::LazyLock<jsonschema::Validator> =
        std::sync::LazyLock::new(|| jsonschema::validator_for(&schema()).unwrap());
    &VALIDATOR
}

fn docs(name: &str) -> String {
    format!("{}/../../docs/{name}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_published_schema_is_up_to_date() {
    let own = format!("{:#}\n", schema());
    let path = docs("condafront.schema.json");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &own).unwrap();
    }
    let published = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        published == own,
        "docs/condafront.schema.json is not what crates/input/src/section/schema.rs says: run the test with UPDATE_DOCS=1"
    );
}

#[test]
fn the_schema_knows_every_key_and_says_what_it_is_for() {
    let schema = schema();
    let keys = schema["definitions"]["file"]["properties"]
        .as_object()
        .unwrap();
    for key in KEYS.iter().chain(FILE_KEYS) {
        let property = &keys[key.name];
        assert!(
            property.as_object().is_some_and(|fields| fields.len() > 1),
            "{}",
            key.name
        );
        assert!(
            property["description"]
                .as_str()
                .unwrap()
                .contains(key.about)
        );
    }
}

#[test]
fn every_keys_example_is_read() {
    for key in KEYS {
        lines(&format!("  {}\n", key.example));
    }
}

/// The YAML examples of `docs/image.md`.
fn examples() -> Vec<String> {
    let page = std::fs::read_to_string(docs("image.md")).unwrap();
    let parts = page.split("```yaml\n").skip(1);
    let examples: Vec<String> = parts
        .map(|part| part.split("```").next().unwrap_or_default().to_owned())
        .collect();
    assert!(examples.len() >= KEYS.len() + FILE_KEYS.len());
    examples
}

/// An example as a file. One that begins with a key of the section goes under `condafront:`.
fn as_file(example: &str) -> String {
    let is_whole = |line: &str| {
        ["condafront:", "dependencies:", "environments:"]
            .iter()
            .any(|key| line.starts_with(key))
    };
    if example.lines().any(is_whole) {
        return example.to_owned();
    }
    let indented: String = example.lines().map(|line| format!("  {line}\n")).collect();
    format!("condafront:\n{indented}")
}

#[test]
fn the_documentations_examples_are_read_and_fit_the_schema() {
    let published = jsonschema::validator_for(&schema()).unwrap();
    for example in examples() {
        let text = as_file(&example);
        let file = SourceFile::new("f", text.as_str());
        let tree = yaml::read(&file, &text).unwrap();
        let read = if is_image_file(&tree) {
            read_image_file(&file, &tree, &BuildArgs::default()).map(drop)
        } else {
            section(&text, &[]).map(drop)
        };
        if let Err(error) = read {
            panic!("{}", error.render(Level::Error));
        }
        if let Err(error) = published.validate(&json(&tree)) {
            panic!("{error} in\n{text}");
        }
    }
}

#[test]
fn every_key_is_documented() {
    let page = std::fs::read_to_string(docs("image.md")).unwrap();
    for key in KEYS.iter().chain(FILE_KEYS) {
        let name = format!("`{}`", key.name);
        let is_heading = |line: &str| line.starts_with('#') && line.contains(&name);
        assert!(page.lines().any(is_heading), "{name}");
    }
}

#[test]
fn the_schema_refuses_nothing_that_the_code_accepts() {
    for text in [
        "user: 1000:100",
        "user: {uid: 0}",
        "expose: 8888",
        "expose: [\"8000-8010/TCP\"]",
        "run: make",
        "run: {run: [make]}",
        "run: [{run: make, mounts: [\"type=cache,dst=/c\", {type: secret, dst: /run/x, mode: 0400}]}]",
        "cmd: []",
        "cmd: \"\\\"a\\\" b\"",
        "copy: {a: 1}",
        "copy: [{src: [a, b], dest: c/, chmod: 755, chown: 5:5}]",
        "healthcheck: None",
        "healthcheck: {cmd: [a], interval: 0, timeout: 1.5s, retries: \"3\"}",
        "layers: \"5\"",
        "layers: ${LAYERS:-5}",
        "trim: yes",
        "trim: true",
        "trim: []",
        "env: {A: 1, B: true, C: \"\"}",
        "channel_alias: HTTPS://x.example",
        "build: []",
        "build: {packages: [cmake]}",
        "stopsignal: 9",
    ] {
        let text = format!("condafront:\n  {text}\n");
        section(&text, &[]).unwrap_or_else(|error| panic!("{}", error.render(Level::Error)));
        let tree = yaml::read(&SourceFile::new("f", text.as_str()), &text).unwrap();
        if let Err(error) = validator().validate(&json(&tree)) {
            panic!("{error} in\n{text}");
        }
    }
}
