//! `docs/reference.md` lists all that the code knows.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use condafront::options::build_args::BUILD_ARGS;
use condafront::options::inputs;
use condafront::options::target::Target;
use condafront_input::section::keys;
use condafront_model::lint::Rule;

/// What the page has between the comments `generated: NAME` and `end`.
fn generated(name: &str) -> String {
    let mut text = String::new();
    let mut row = |cells: &[&str]| writeln!(text, "| {} |", cells.join(" | ")).unwrap();
    match name {
        "targets" => {
            row(&["target", ""]);
            row(&["---", "---"]);
            for target in Target::ALL {
                row(&[&code(target.name()), &in_markdown(target.description())]);
            }
        }
        "build-args" => {
            row(&["build-arg", "", "more"]);
            row(&["---", "---", "---"]);
            for arg in BUILD_ARGS {
                let link = format!("[{}]({})", page(arg.docs), arg.docs);
                row(&[&code(arg.name), &in_markdown(arg.description), &link]);
            }
        }
        "keys" => {
            row(&["key", "", "example"]);
            row(&["---", "---", "---"]);
            for key in keys() {
                row(&[&code(key.name), key.about, &code(key.example)]);
            }
        }
        "named contexts" | "secrets" | "variables" => {
            let (heading, all) = match name {
                "named contexts" => ("`--build-context`", inputs::named_contexts()),
                "secrets" => ("`--secret`", inputs::secrets()),
                _ => ("variable", inputs::container_variables()),
            };
            row(&[heading, ""]);
            row(&["---", "---"]);
            for one in all {
                row(&[&one.form, one.about]);
            }
        }
        "rules" | "rules on request" => {
            row(&["rule", "found by", "", "why"]);
            row(&["---", "---", "---", "---"]);
            let on_request = name != "rules";
            let rules = Rule::ALL.into_iter();
            for rule in rules.filter(|rule| rule.is_on_request() == on_request) {
                let finder = if rule.needs_build() {
                    "a build"
                } else {
                    "check"
                };
                row(&[
                    &code(rule.name()),
                    finder,
                    rule.description(),
                    rule.reason(),
                ]);
            }
        }
        _ => panic!("nothing is generated under the name {name}"),
    }
    text
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

/// `<` would begin a tag.
fn in_markdown(text: &str) -> String {
    text.replace('<', "&lt;")
}

fn page(link: &str) -> &str {
    link.split('#').next().unwrap_or(link)
}

#[test]
fn the_reference_is_what_the_code_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference.md");
    let published = fs::read_to_string(&path).unwrap();
    let mut own = String::new();
    let mut rest = published.as_str();
    let mut blocks = 0;
    while let Some((before, after)) = rest.split_once("<!-- generated: ") {
        let (name, after) = after.split_once(" -->\n").unwrap();
        let (_, after) = after.split_once("<!-- end -->").unwrap();
        let block = generated(name);
        write!(
            own,
            "{before}<!-- generated: {name} -->\n{block}<!-- end -->"
        )
        .unwrap();
        rest = after;
        blocks += 1;
    }
    own.push_str(rest);
    assert_eq!(blocks, 8);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &own).unwrap();
    }
    let published = fs::read_to_string(&path).unwrap();
    assert!(
        published == own,
        "docs/reference.md is not what the code says: run the test with UPDATE_DOCS=1"
    );
}

#[test]
fn links_of_build_args_lead_to_headings() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    for arg in BUILD_ARGS {
        let text = fs::read_to_string(docs.join(page(arg.docs))).unwrap();
        let Some((_, anchor)) = arg.docs.split_once('#') else {
            continue;
        };
        let anchors = text.lines().filter_map(|line| line.strip_prefix('#'));
        let mut anchors = anchors.map(|heading| anchor_of(heading.trim_start_matches('#')));
        assert!(anchors.any(|found| found == anchor), "{}", arg.docs);
    }
}

/// The anchor that GitHub gives a heading.
fn anchor_of(heading: &str) -> String {
    let heading = heading.trim().to_lowercase();
    let kept = heading.chars().filter_map(|it| match it {
        ' ' => Some('-'),
        _ if it.is_alphanumeric() || matches!(it, '-' | '_') => Some(it),
        _ => None,
    });
    kept.collect()
}
