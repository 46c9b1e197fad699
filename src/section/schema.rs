//! The JSON schema of the section and of image files, for editors. It is published as `docs/condafront.schema.json`.
//!
//! It says no more than the code checks: what it refuses, the code refuses. Texts with `$` are let through, for their value
//! is known in a build only.

use serde_json::{Map, Value, json};

use super::keys::{FILE_KEYS, KEYS, KeyInfo};
use super::options::{INSTALLERS, PRIORITIES, TRIMS};
use crate::plan::groups::MAX_LAYERS;

/// The schema, in the 2007 draft that editors know (<https://json-schema.org/draft-07>). It fits a file with a key
/// `condafront`, and an image file.
pub fn schema() -> Value {
    let section = object(KEYS.iter().map(property));
    let mut file = object(FILE_KEYS.iter().chain(KEYS).map(property));
    file["required"] = json!(["environments"]);
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "condafront",
        "description": "The key condafront of an env.yml, or an image file.",
        "if": {"required": ["environments"], "not": {"required": ["version"]}},
        "then": {"$ref": "#/definitions/file"},
        "else": {"properties": {"condafront": {"$ref": "#/definitions/section"}}},
        "definitions": {
            "section": or_nothing(section),
            "file": file,
            "build-arg": {
                "description": "A text with build-args: ${NAME}, ${NAME:-default}.",
                "type": "string",
                "pattern": "\\$",
            },
            "text": {"type": ["string", "number", "boolean"]},
            "word": {"type": ["string", "number", "boolean"], "pattern": "\\S"},
            "words": {"type": "array", "items": {"$ref": "#/definitions/text"}},
            "command": {
                "description": "A text for the shell, or a list: a program and its arguments.",
                "anyOf": [reference("word"), reference("words")],
            },
            "something": {
                "description": "A text for the shell, or a list: a program and its arguments.",
                "anyOf": [reference("word"), {"allOf": [reference("words"), {"minItems": 1}]}],
            },
            "id": or_build_arg(json!({"type": ["integer", "string"], "pattern": "^[0-9]+$", "minimum": 0, "maximum": u32::MAX - 1})),
            "owner": or_build_arg(json!({
                "type": ["string", "integer"],
                "pattern": "^([A-Za-z_][A-Za-z0-9_.-]*|[0-9]+)(:([A-Za-z_][A-Za-z0-9_.-]*|[0-9]+))?$",
            })),
            "flag": or_build_arg(json!({
                "anyOf": [{"type": "boolean"}, {"enum": [0, 1]}, {"type": "string", "pattern": truth()}],
            })),
            "duration": or_build_arg(json!({
                "type": ["string", "integer"],
                "pattern": "^(\\+?([0-9]*\\.?[0-9]*(ns|us|µs|μs|ms|s|m|h))+|\\+?0)$",
                "maximum": 0,
                "minimum": 0,
            })),
            "url": or_build_arg(json!({"type": "string", "pattern": "^\\s*[Hh][Tt][Tt][Pp][Ss]?:"})),
            "mode": or_build_arg(json!({"type": ["string", "integer"]})),
            "mount": mount(),
            "run": run(),
            "copy": copy_entry(),
        },
    })
}

fn property(key: &KeyInfo) -> (String, Value) {
    let mut value = value(key.name);
    if let Value::Object(fields) = &mut value {
        let mut described = Map::new();
        let text = format!("{}\n\n{}", key.about, key.example);
        described.insert("description".to_owned(), text.into());
        described.append(fields);
        return (key.name.to_owned(), Value::Object(described));
    }
    (key.name.to_owned(), value)
}

/// What a key takes. A key that is not here takes nothing, which a test would find.
fn value(key: &str) -> Value {
    match key {
        "base" | "workdir" | "stopsignal" | "locale" | "default" => same_as("word"),
        "user" => json!({"anyOf": [
            reference("owner"),
            with_fields(&[("name", reference("word")), ("uid", reference("id")), ("gid", reference("id"))], &[]),
        ]}),
        "apt" | "apk" | "dnf" | "pip" | "volumes" => list(reference("word")),
        "copy" => json!({"anyOf": [texts(), list(reference("copy"))]}),
        "run" => json!({"anyOf": [reference("run"), list(reference("run"))]}),
        "env" | "labels" => texts(),
        "cmd" | "entrypoint" => same_as("command"),
        "shell" => json!({"allOf": [reference("words"), {"minItems": 1}]}),
        "expose" => {
            let port = or_build_arg(json!({
                "type": ["integer", "string"],
                "minimum": 1,
                "maximum": u16::MAX,
                "pattern": "^\\s*[0-9]+(-[0-9]+)?(/([Tt][Cc][Pp]|[Uu][Dd][Pp]|[Ss][Cc][Tt][Pp]))?\\s*$",
            }));
            json!({"anyOf": [port, list(port.clone())]})
        }
        "healthcheck" => json!({"anyOf": [
            or_build_arg(json!({"type": "string", "pattern": "^\\s*[Nn][Oo][Nn][Ee]\\s*$"})),
            with_fields(&[
                ("cmd", reference("something")),
                ("interval", reference("duration")),
                ("timeout", reference("duration")),
                ("retries", or_build_arg(json!({"type": ["integer", "string"], "minimum": 0, "maximum": i32::MAX, "pattern": "^[0-9]+$"}))),
                ("start_period", reference("duration")),
                ("start_interval", reference("duration")),
            ], &["cmd"]),
        ]}),
        "layers" => or_build_arg(json!({"anyOf": [
            {"enum": ["auto"]},
            {"type": ["integer", "string"], "minimum": 1, "maximum": MAX_LAYERS, "pattern": "^[0-9]+$"},
        ]})),
        "installer" => words(INSTALLERS),
        "trim" => json!({"anyOf": [reference("flag"), list(words(TRIMS))]}),
        "channel_priority" => words(PRIORITIES),
        "channel_alias" => same_as("url"),
        "custom_channels" => json!({
            "type": "object",
            "additionalProperties": reference("url"),
        }),
        "environments" => json!({
            "type": "object",
            "minProperties": 1,
            "additionalProperties": {"anyOf": [
                reference("word"),
                with_fields(&[
                    ("file", reference("word")),
                    ("when", reference("word")),
                    ("name", reference("word")),
                ], &["file"]),
            ]},
        }),
        _ => Value::Null,
    }
}

fn run() -> Value {
    json!({"anyOf": [
        reference("something"),
        with_fields(&[
            ("run", reference("something")),
            ("mounts", list(reference("mount"))),
            ("network", json!({"anyOf": [{"enum": ["default", "none", "host"]}, reference("build-arg")]})),
            ("user", reference("owner")),
        ], &["run"]),
    ]})
}

fn mount() -> Value {
    let common = [
        ("mode", reference("mode")),
        ("uid", reference("id")),
        ("gid", reference("id")),
        ("target", reference("word")),
        ("dst", reference("word")),
        ("destination", reference("word")),
        ("id", reference("word")),
    ];
    let cache = [
        ("type", json!({"const": "cache"})),
        (
            "sharing",
            json!({"anyOf": [{"enum": ["shared", "private", "locked"]}, reference("build-arg")]}),
        ),
        ("readonly", reference("flag")),
        ("ro", reference("flag")),
    ];
    let secret = [
        ("type", json!({"const": "secret"})),
        ("env", reference("word")),
        ("required", reference("flag")),
    ];
    json!({"anyOf": [
        {"type": "string", "pattern": "type="},
        with_fields(&[&cache[..], &common[..]].concat(), &["type"]),
        with_fields(&[&secret[..], &common[..]].concat(), &["type"]),
    ]})
}

fn copy_entry() -> Value {
    let sources = json!({"anyOf": [
        reference("word"),
        {"type": "array", "minItems": 1, "items": reference("word")},
    ]});
    with_fields(
        &[
            ("from", reference("word")),
            ("src", sources),
            ("dest", reference("word")),
            ("chown", reference("owner")),
            ("chmod", reference("mode")),
        ],
        &["src", "dest"],
    )
}

fn object(properties: impl Iterator<Item = (String, Value)>) -> Value {
    json!({
        "type": "object",
        "properties": properties.collect::<Map<_, _>>(),
        "additionalProperties": false,
    })
}

fn with_fields(fields: &[(&str, Value)], required: &[&str]) -> Value {
    let fields = fields.iter();
    let mut value = object(fields.map(|(name, value)| ((*name).to_owned(), value.clone())));
    if !required.is_empty() {
        value["required"] = json!(required);
    }
    value
}

fn list(items: Value) -> Value {
    json!({"type": "array", "items": items})
}

fn texts() -> Value {
    json!({"type": "object", "additionalProperties": reference("text")})
}

fn words<T>(known: &[(&str, T)]) -> Value {
    let words: Vec<&str> = known.iter().map(|(word, _)| *word).collect();
    or_build_arg(json!({"enum": words}))
}

fn or_build_arg(value: Value) -> Value {
    json!({"anyOf": [value, reference("build-arg")]})
}

fn or_nothing(value: Value) -> Value {
    json!({"anyOf": [value, {"type": "null"}]})
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/definitions/{name}")})
}

/// The same as a property that says more.
fn same_as(name: &str) -> Value {
    json!({"allOf": [reference(name)]})
}

fn truth() -> &'static str {
    "^\\s*([Tt][Rr][Uu][Ee]|[Yy][Ee][Ss]|[Oo][Nn]|1|[Ff][Aa][Ll][Ss][Ee]|[Nn][Oo]|[Oo][Ff][Ff]|0)\\s*$"
}
