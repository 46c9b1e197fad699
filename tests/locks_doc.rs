//! What docs/locks.md says is true: its files can be read, and its commands print what it shows.

use std::path::Path;
use std::process::Command;

const DOC: &str = include_str!("../docs/locks.md");

/// A fenced block: its info string, and its text without the fence's indentation.
struct Block {
    info: &'static str,
    text: String,
}

fn blocks() -> Vec<Block> {
    let mut found = Vec::new();
    let mut lines = DOC.lines();
    while let Some(line) = lines.next() {
        let Some(info) = line.trim_start().strip_prefix("```") else {
            continue;
        };
        let indent = line.len() - line.trim_start().len();
        let text = lines
            .by_ref()
            .take_while(|line| line.trim() != "```")
            .map(|line| format!("{}\n", line.get(indent..).unwrap_or_default()))
            .collect();
        found.push(Block { info, text });
    }
    found
}

/// What the commands of a block print.
fn printed(commands: &str, dir: &Path) -> String {
    let run = |command: &str| {
        let args = command
            .strip_prefix("condafront ")
            .expect("a command of ours");
        let output = Command::new(env!("CARGO_BIN_EXE_condafront"))
            .args(args.split_whitespace())
            .current_dir(dir)
            .output()
            .expect("the program runs");
        let text = [output.stderr, output.stdout].concat();
        String::from_utf8(text).expect("text")
    };
    commands.lines().map(run).collect()
}

#[test]
fn every_example_does_what_it_says() {
    let dir = tempfile::tempdir().unwrap();
    let mut expected = None;
    let mut compared = 0;
    for block in blocks() {
        if let Some((_, name)) = block.info.split_once(' ') {
            std::fs::write(dir.path().join(name), &block.text).unwrap();
        } else if block.info == "sh" {
            expected = Some(printed(&block.text, dir.path()));
        } else {
            let shown = expected.take().expect("a command before the output");
            assert_eq!(shown, block.text);
            compared += 1;
        }
    }
    assert_eq!(compared, 7);
    assert!(expected.is_none());
}
