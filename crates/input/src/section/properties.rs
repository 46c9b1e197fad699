//! Properties that hold for any input.

use std::collections::BTreeSet;

use condafront_model::source::Lines;
use condafront_step_spec::system::Manager;
use proptest::prelude::*;

use super::file::read_image_file;
use super::keys::{FILE_KEYS, KEYS};
use super::published::{json, validator};
use super::tests::ARGS;
use super::*;
use crate::yaml::{self, Node, ScalarKind, Value};
use condafront_model::source::SourceFile;

/// Values of all shapes, biased towards those that mean something in some key.
fn value() -> impl Strategy<Value = Node> {
    let text = prop_oneof![
        "[-a-z0-9=:/.,$ {}@*?#%\\\\]{0,12}",
        prop::sample::select(vec![
            "true",
            "none",
            "auto",
            "1",
            "root",
            "type=cache,target=/c",
            "${PORT:-1}",
            "a.yml",
            "30s",
            "https://x",
            "${EMPTY:+x}",
            "é\u{0}",
            "SIGRTMIN+3",
            "0755",
            "u=rwX",
        ])
        .prop_map(str::to_owned),
    ];
    let scalar = |text: String| {
        let kind = match text.as_str() {
            "true" | "false" => ScalarKind::Bool,
            digits if digits.parse::<u64>().is_ok() => ScalarKind::Number,
            _ => ScalarKind::String,
        };
        Value::Scalar { text, kind }
    };
    let lines = Lines::one(1);
    let leaf = prop_oneof![
        1 => Just(Value::Null),
        8 => text.prop_map(scalar),
    ]
    .prop_map(move |value| Node { value, lines });
    leaf.prop_recursive(3, 24, 4, move |inner| {
        let names = prop::sample::select(vec![
            "name", "uid", "gid", "src", "dest", "from", "chmod", "run", "mounts", "type", "id",
            "cmd", "interval", "retries", "file", "when", "base", "", "a", "${PORT}", "$", "root",
        ]);
        let entry = (names, inner.clone()).prop_map(move |(name, node)| {
            let name = name.to_owned();
            (yaml::Key { name, lines }, node)
        });
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(Value::List),
            prop::collection::vec(entry, 0..5).prop_map(mapping),
        ]
        .prop_map(move |value| Node { value, lines })
    })
}

/// No key occurs twice: the YAML reader rejects that.
fn mapping(mut entries: Vec<(yaml::Key, Node)>) -> Value {
    let mut seen = BTreeSet::new();
    entries.retain(|(key, _)| seen.insert(key.name.clone()));
    Value::Mapping(entries)
}

fn tree() -> impl Strategy<Value = Node> {
    let names: Vec<&str> = KEYS.iter().chain(FILE_KEYS).map(|key| key.name).collect();
    let lines = Lines::one(1);
    let entry = (prop::sample::select(names), value()).prop_map(move |(name, node)| {
        let name = name.to_owned();
        (yaml::Key { name, lines }, node)
    });
    prop::collection::vec(entry, 0..3).prop_map(move |entries| Node {
        value: mapping(entries),
        lines,
    })
}

proptest! {
    #[test]
    fn no_tree_makes_it_panic_and_the_schema_accepts_what_the_code_accepts(tree in tree()) {
        let file = SourceFile::new("env.yml", "condafront: {}\n");
        let args: BuildArgs = ARGS.iter().copied().collect();
        let json = json(&tree);
        if read_image_file(&file, &tree, &args).is_ok() {
            let refused = validator().validate(&json).err();
            prop_assert!(refused.is_none(), "{refused:?}");
        }
        if read(&file, &tree, &args).is_ok() {
            let whole = serde_json::json!({"condafront": json});
            let refused = validator().validate(&whole).err();
            prop_assert!(refused.is_none(), "{refused:?}");
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in "(condafront|environments): ?\n?([ a-z:,\\[\\]{}$\"'-]{0,12}\n?){0,8}") {
        let file = SourceFile::new("env.yml", text.as_str());
        if let Ok(tree) = yaml::read(&file, &text) {
            let args: BuildArgs = ARGS.iter().copied().collect();
            let _ = read_image_file(&file, &tree, &args);
            if let Some(node) = tree.get("condafront") {
                let _ = read(&file, node, &args);
            }
        }
    }

    #[test]
    fn packages_never_reach_a_shell(text in ".{0,20}") {
        let file = SourceFile::new("apt.txt", text);
        for manager in [Manager::Apt, Manager::Apk, Manager::Dnf] {
            for entry in read_package_list(&file, manager).into_iter().flatten() {
                if let PackageEntry::Package(text) = entry.value {
                    let plain = |c: char| c.is_ascii_alphanumeric() || "+.-:_~^=@".contains(c);
                    prop_assert!(text.chars().all(plain) && !text.starts_with('-'), "{text}");
                }
            }
        }
    }

    #[test]
    fn times_and_signals_are_read_or_refused(text in "[0-9a-zµ.+-]{0,16}") {
        let _ = (duration::parse(&text), signal::parse(&text));
    }
}

/// No check takes quadratic time.
#[test]
fn large_files_are_read() {
    let many = |line: &dyn Fn(usize) -> String| (0..10_000).map(line).collect::<String>();
    let args: BuildArgs = ARGS.iter().copied().collect();
    let mut text = String::from("condafront:\n  env:\n");
    text.push_str(&many(&|i| format!("    V{i}: ${{PORT}}\n")));
    text.push_str("  labels:\n");
    text.push_str(&many(&|i| format!("    l{i}: ${{PORT:-{i}}}\n")));
    text.push_str("  apt:\n");
    text.push_str(&many(&|i| format!("    - p{i}\n")));
    text.push_str("  run:\n    - run: make\n      mounts: [\"");
    text.push_str(&many(&|i| format!("k{i}=v,")));
    text.push_str("type=cache\"]\n");
    let file = SourceFile::new("env.yml", text.as_str());
    let tree = yaml::read(&file, &text).unwrap();
    let outcome = read(&file, tree.get("condafront").unwrap(), &args);
    assert!(outcome.unwrap_err().message.contains("has no key `k0`"));
    let mut text = String::from("environments:\n  base: e.yml\n");
    text.push_str(&many(&|i| {
        format!("  e{i}: {{file: e.yml, when: EMPTY}}\n")
    }));
    let file = SourceFile::new("image.yml", text.as_str());
    let tree = yaml::read(&file, &text).unwrap();
    let image = read_image_file(&file, &tree, &args).unwrap();
    assert_eq!(image.left_out.len(), 10_000);
}
