use super::*;

fn tree(text: &str) -> Result<Node, Diagnostic> {
    read(&SourceFile::new("env.yml", text), text)
}

/// `line:text` of all scalars and keys.
fn scalars(node: &Node, out: &mut Vec<String>) {
    match &node.value {
        Value::Null => out.push(format!("{}:~", node.lines.first)),
        Value::Scalar { text, .. } => {
            let lines = node.lines;
            out.push(format!("{}-{}:{text}", lines.first, lines.last));
        }
        Value::List(items) => items.iter().for_each(|item| scalars(item, out)),
        Value::Mapping(entries) => {
            for (key, value) in entries {
                out.push(format!("{}:{}:", key.lines.first, key.name));
                scalars(value, out);
            }
        }
    }
}

#[test]
fn every_node_knows_its_lines_and_numbers_stay_as_written() {
    let text = "# é\nname: x\nversion: 3.10\nlist:\n  - 1_0\n  - \"a\n    b\"\n  - true\n  - ~\n  - {k: v}\r\nlast: |\n  one\n  two\n";
    let mut found = Vec::new();
    scalars(&tree(text).unwrap(), &mut found);
    assert_eq!(
        found,
        [
            "2:name:",
            "2-2:x",
            "3:version:",
            "3-3:3.10",
            "4:list:",
            "5-5:1_0",
            "6-7:a b",
            "8-8:true",
            "9:~",
            "10:k:",
            "10-10:v",
            "11:last:",
            "12-13:one\ntwo\n",
        ]
    );
    assert_eq!(
        tree(text).unwrap().get("list").unwrap().lines,
        Lines { first: 5, last: 10 }
    );
}

#[test]
fn an_alias_is_read_where_it_is_used() {
    let node = tree("a: &x [1.0]\nb: *x\n").unwrap();
    let alias = &node.get("b").unwrap().list().unwrap()[0];
    assert_eq!(alias.text(), Some("1.0"));
}

#[test]
fn mistakes_are_at_their_line() {
    let mut all = String::new();
    for text in [
        "a: 1\nb: [1\n",
        "a: 1\n b: 2\n",
        "a: 1\na: 2\n",
        "a: *x\n",
        "a:\n\t- b\n",
        "a: \"b\n",
        "--- a\n--- b\n",
        "? [a]\n: b\n",
        "a:\n  - b\n  -c\n",
        "a:\n-\u{a0}b\n",
        "a:\n– b\n",
        "a:b\nc: d\n",
        "a = b\nc: d\n",
        "a = b\n\n# c\nc: d\n",
        "```yaml\na: b\n```\n",
        "a: &a [*a]\n",
        "a: b\nc = [d]\n",
        "a: b\nc\n  - d\ne: f\n",
        "a:\n  - b\n  c=1\n  - d\n",
        "a: b\nc\n",
        "a: |\nb c\n",
        "a: b: c\n",
        "a: - b\n",
        "a:\n  - b\n - c\n",
        "a: b\n- c\n",
        "a:\n  - b\n  # d\n  c: d\n",
        "  a: b\nc: d\n",
        "a: [b,\nc]\n",
        "a:\n  - b\n    # c\n    d\n",
        "a:\n  - 'b\n  - c\n",
        "a: \"b\" c\n",
        "a: \"C:\\Users\"\n",
        "a:\n  - >=1 b\n",
        "a: [b: >=1]\n",
        "a:\n  - b: *\n",
        "a:\n  - @b\n",
        "a: [b\nc: d\n",
        "a: [b}\n",
        "a: b\nc: [d]]\n",
        "a: {b: c: d}\n",
        "a: [b,, c]\n",
        "a: [\"${B}\", ${C}]\n",
        "%YAML 1.1\na: b\n",
    ] {
        let outcome = tree(text).map(|node| format!("{node:?}"));
        let shown =
            outcome.unwrap_or_else(|error| error.render(condafront_model::source::Level::Error));
        all.push_str(&format!("{shown}\n\n"));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn aliases_of_aliases_do_not_explode() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for i in 1..12 {
        let list = vec![format!("*a{}", i - 1); 10].join(", ");
        text.push_str(&format!("a{i}: &a{i} [{list}]\n"));
    }
    let error = |text: &str| tree(text).unwrap_err().to_string();
    const ALIASES: &str = "env.yml has more than 100000 values with what its aliases repeat\nWrite the values themselves in place of `*name`.";
    assert_eq!(error(&text), ALIASES);
    let long = format!(
        "a: &a {}\nb: [{}]\n",
        "x".repeat(100_000),
        "*a, ".repeat(90)
    );
    let most = long.len().to_string();
    assert_eq!(error(&long), ALIASES.replace("100000", &most));
    assert_eq!(
        error(&format!("a: &a 1\nb: [{}]\n", "*a, ".repeat(2000))),
        ALIASES
    );
}

#[test]
fn values_are_nested_at_most_32_deep() {
    let block: String = (0..33)
        .map(|depth| format!("{}-\n", " ".repeat(depth)))
        .collect();
    for text in [
        "[".repeat(100_000),
        format!("{}1{}", "{a: ".repeat(33), "}".repeat(33)),
        format!("{}{}", "[".repeat(33), "]".repeat(33)),
        block,
    ] {
        let error = tree(&text).unwrap_err();
        assert_eq!(
            error.message, "lists and mappings are nested more than 32 deep",
            "{text:.20}"
        );
    }
    let deep = format!("{}{}", "[".repeat(30), "]".repeat(30));
    assert!(tree(&deep).is_ok());
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "[-a-c:{}\\[\\]&*!|>'\"#%@`, \n\t0-9.~?]{0,80}") {
        let _ = tree(&text);
    }
}
