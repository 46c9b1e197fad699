//! The JSON schema of the section, for editors. It is published as `docs/condafront.schema.json`.
//!
//! It is never stricter than the code: what it refuses, the code refuses. Strings with `$` are accepted, because their
//! value is known only in a build.

use serde_json::{Map, Value, json};

use super::contract::CONTRACTS;
use super::keys::{self, KeyInfo};
use super::options::{INSTALLERS, TRIMS};
use condafront_model::channel::ChannelPriority;
use condafront_model::layers::MAX_LAYERS;

/// The name of an account.
const NAME: &str = "[A-Za-z_][A-Za-z0-9_.-]*";

const DRAFT: &str = "http://json-schema.org/draft-07/schema#";

/// The schema, in the draft that editors support (<https://json-schema.org/draft-07>). It applies to files with a
/// `condafront` key and to image files.
pub fn schema() -> Value {
    let mut definitions = definitions();
    definitions["section"] = or_nothing(object(keys::KEYS.iter().map(property)));
    let mut file = object(keys::FILE_KEYS.iter().chain(keys::KEYS).map(property));
    file["required"] = json!(["environments"]);
    definitions["file"] = file;
    json!({
        "$schema": DRAFT,
        "title": "condafront",
        "description": "The condafront key of an env.yml, and image files.",
        "if": {"required": ["environments"], "not": {"required": ["version"]}},
        "then": reference("file"),
        "else": {"properties": {"condafront": reference("section")}},
        "definitions": definitions,
    })
}

/// The definitions that values refer to.
fn definitions() -> Value {
    json!({
            "build-arg": {
                "description": "A string with build-args: ${NAME}, ${NAME:-default}.",
                "type": "string",
                "pattern": "\\$",
            },
            "text": {"type": ["string", "number", "boolean"]},
            "word": {"type": ["string", "number", "boolean"], "pattern": "\\S"},
            "words": {"type": "array", "items": [reference("word")], "additionalItems": reference("text")},
            "command": {
                "description": "A string for the shell, or a list: a program and its arguments.",
                "anyOf": [reference("word"), reference("words")],
            },
            "something": {
                "description": "A string for the shell, or a list: a program and its arguments.",
                "anyOf": [reference("word"), {"allOf": [reference("words"), {"minItems": 1}]}],
            },
            "id": or_build_arg(json!({"type": ["integer", "string"], "pattern": "^\\s*[0-9]+\\s*$", "minimum": 0, "maximum": u32::MAX - 1})),
            "owner": or_build_arg(json!({
                "type": ["string", "integer"],
                "pattern": format!("^\\s*({NAME}|[0-9]+)(:({NAME}|[0-9]+))?\\s*$"),
            })),
            "flag": or_build_arg(json!({
                "anyOf": [{"type": "boolean"}, {"enum": [0, 1]}, {"type": "string", "pattern": truth()}],
            })),
            "duration": or_build_arg(json!({
                "type": ["string", "integer"],
                "pattern": "^\\s*(\\+?([0-9]*\\.?[0-9]*(ns|us|µs|μs|ms|s|m|h))+|\\+?0)\\s*$",
                "maximum": 0,
                "minimum": 0,
            })),
            "cutoff": or_build_arg(json!({
                "description": "A date, a time with its time zone, or an age: 12h, 7d, 2w.",
                "type": "string",
                "pattern": "^\\s*([0-9]{4}-[0-9]{2}-[0-9]{2}.*|[0-9]+[hdw])\\s*$",
            })),
            "url": or_build_arg(json!({"type": "string", "pattern": "^\\s*[Hh][Tt][Tt][Pp][Ss]?:"})),
            "mode": or_build_arg(json!({
                "type": ["string", "integer"],
                "pattern": "^\\s*((0o)?[0-7]{1,5}|[ugoa]*([=+-]([rwxXst]*|[ugo]))+(,[ugoa]*([=+-]([rwxXst]*|[ugo]))+)*)\\s*$",
            })),
            "mount": mount(),
            "run": run(),
            "copy": copy_entry(),
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

/// What a key accepts. A test fails for a key that is missing here.
fn value(key: &str) -> Value {
    match key {
        "workdir" | "default" | "lock" => same_as("word"),
        "base" => matching_or_number("\\S+"),
        "stopsignal" => or_build_arg(json!({
            "type": ["string", "integer"],
            "minimum": 1,
            "maximum": 64,
            "pattern": "^\\s*([0-9]+|[A-Za-z]+[12]?|([Ss][Ii][Gg])?[Rr][Tt][Mm]([Ii][Nn]\\+|[Aa][Xx]-)[0-9]+)\\s*$",
        })),
        "locale" => matching(
            "(C|POSIX|C\\.UTF-8|C\\.utf8|[a-z]{2,3}_[A-Z]{2}\\.[A-Za-z0-9-]+(@[A-Za-z0-9-]+)?)",
        ),
        "user" => user(),
        "for" => json!({"anyOf": [words(CONTRACTS), list(words(CONTRACTS))]}),
        "group_writable" => same_as("flag"),
        "apt" | "apk" | "dnf" => list(matching_or_number(
            "(-r\\s.*|@?[A-Za-z0-9][A-Za-z0-9+._:@-]*(=~?[A-Za-z0-9][A-Za-z0-9.+:~_^*-]*)?)",
        )),
        "volumes" => list(matching("/[^:]*")),
        "pip" => list(reference("word")),
        "build" => build(),
        "copy" => copy(),
        "run" => json!({"anyOf": [reference("run"), list(reference("run"))]}),
        "env" => named("^[^=$\\s]+$"),
        "labels" => named("\\S"),
        "cmd" | "entrypoint" => same_as("command"),
        "shell" => json!({"allOf": [reference("words"), {"minItems": 1}]}),
        "expose" => expose(),
        "healthcheck" => healthcheck(),
        "layers" => or_build_arg(json!({"anyOf": [
            matching("auto"),
            {"type": ["integer", "string"], "minimum": 1, "maximum": MAX_LAYERS, "pattern": "^\\s*[+]?[0-9]+\\s*$"},
        ]})),
        "installer" => words(INSTALLERS),
        "trim" => json!({"anyOf": [reference("flag"), list(words(TRIMS))]}),
        "channel_priority" => words(ChannelPriority::WORDS),
        "exclude_newer" => exclude_newer(),
        "channel_alias" => same_as("url"),
        "custom_channels" => json!({
            "type": "object",
            "propertyNames": {"pattern": "^\\S+$"},
            "additionalProperties": reference("url"),
        }),
        "environments" => environments(),
        _ => Value::Null,
    }
}

fn user() -> Value {
    let mut account = with_fields(
        &[
            ("name", matching(NAME)),
            ("uid", reference("id")),
            ("gid", reference("id")),
        ],
        &[],
    );
    account["minProperties"] = 1.into();
    let word = format!("({NAME}|[0-9]+)(:[0-9]+)?");
    json!({"anyOf": [{"type": "integer", "minimum": 0, "maximum": u32::MAX - 1}, matching(&word), account]})
}

fn build() -> Value {
    let words = list(reference("word"));
    let named = with_fields(
        &[("packages", words.clone()), ("channels", words.clone())],
        &["packages"],
    );
    json!({"anyOf": [words, named]})
}

fn copy() -> Value {
    let mut pairs = texts();
    pairs["not"] = json!({"required": ["src", "dest"]});
    json!({"anyOf": [pairs, list(reference("copy"))]})
}

fn expose() -> Value {
    let port = or_build_arg(json!({
        "type": ["integer", "string"],
        "minimum": 1,
        "maximum": u16::MAX,
        "pattern": "^\\s*[0-9]+(-[0-9]+)?(/([Tt][Cc][Pp]|[Uu][Dd][Pp]|[Ss][Cc][Tt][Pp]))?\\s*$",
    }));
    json!({"anyOf": [port, list(port.clone())]})
}

fn healthcheck() -> Value {
    let retries = or_build_arg(json!({
        "type": ["integer", "string"],
        "minimum": 0,
        "maximum": i32::MAX,
        "pattern": "^\\s*[0-9]+\\s*$",
    }));
    json!({"anyOf": [
        or_build_arg(json!({"type": "string", "pattern": "^\\s*[Nn][Oo][Nn][Ee]\\s*$"})),
        with_fields(&[
            ("cmd", reference("something")),
            ("interval", reference("duration")),
            ("timeout", reference("duration")),
            ("retries", retries),
            ("start_period", reference("duration")),
            ("start_interval", reference("duration")),
        ], &["cmd"]),
    ]})
}

fn exclude_newer() -> Value {
    let cutoffs = json!({"type": "object", "additionalProperties": {"anyOf": [
        {"enum": [false, "false"]},
        reference("cutoff"),
    ]}});
    json!({"anyOf": [
        reference("cutoff"),
        with_fields(&[
            ("cutoff", reference("cutoff")),
            ("channels", cutoffs.clone()),
            ("packages", cutoffs),
        ], &["cutoff"]),
    ]})
}

fn environments() -> Value {
    json!({
        "type": "object",
        "minProperties": 1,
        "propertyNames": {"pattern": "^[^-./\\\\:#\"'$`\\s][^/\\\\:#\"'$`\\s]*$"},
        "additionalProperties": {"anyOf": [
            reference("word"),
            with_fields(&[
                ("file", reference("word")),
                ("when", reference("word")),
                ("name", reference("word")),
            ], &["file"]),
        ]},
    })
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
    let needs = |names: &[&str]| {
        let names = names.iter().map(|name| json!({"required": [name]}));
        Value::Array(names.collect())
    };
    let mut cache = with_fields(&[&cache[..], &common[..]].concat(), &["type"]);
    cache["anyOf"] = needs(&["target", "dst", "destination"]);
    let mut secret = with_fields(&[&secret[..], &common[..]].concat(), &["type"]);
    secret["anyOf"] = needs(&["id", "target", "dst", "destination"]);
    json!({"anyOf": [{"type": "string", "pattern": "type=(cache|secret|.*\\$)"}, cache, secret]})
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

/// A mapping of names to strings.
fn named(pattern: &str) -> Value {
    let mut value = texts();
    value["propertyNames"] = json!({"pattern": pattern});
    value
}

/// One word of this form, or a string with build-args.
fn matching(pattern: &str) -> Value {
    let pattern = format!("^\\s*{pattern}\\s*$");
    or_build_arg(json!({"type": ["string", "boolean"], "pattern": pattern}))
}

/// The same, or a number.
fn matching_or_number(pattern: &str) -> Value {
    json!({"anyOf": [{"type": "number"}, matching(pattern)]})
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

/// A reference that may have a description beside it.
fn same_as(name: &str) -> Value {
    json!({"allOf": [reference(name)]})
}

fn truth() -> &'static str {
    "^\\s*([Tt][Rr][Uu][Ee]|[Yy][Ee][Ss]|[Oo][Nn]|1|[Ff][Aa][Ll][Ss][Ee]|[Nn][Oo]|[Oo][Ff][Ff]|0)\\s*$"
}
