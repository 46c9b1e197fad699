//! The terminal session that the README shows, which `make record` records.

use std::fs;
use std::path::Path;
use std::process::Command;

const README: &str = include_str!("../README.md");
const RECORDING: &str = include_str!("../docs/recording.svg");

#[test]
fn it_shows_the_readmes_file_and_commands() {
    assert!(README.contains("](docs/recording.svg)"));
    let block = |language: &str| {
        let (_, rest) = README.split_once(&format!("```{language}\n")).unwrap();
        rest.split_once("```").unwrap().0
    };
    for line in block("yaml").lines().chain(block("sh").lines()) {
        assert!(RECORDING.contains(&format!("{line}</")), "{line}");
    }
    // A build, and another one with a package more.
    assert_eq!(
        RECORDING
            .matches(" docker build -f env.yml -t env:2 .</")
            .count(),
        1
    );
    for failed in ["ERROR", "CANCELED", "WARN"] {
        assert!(!RECORDING.contains(failed), "{failed}");
    }
}

#[test]
fn what_programs_write_to_a_terminal_is_drawn() {
    let dir = tempfile::tempdir().unwrap();
    let events = serde_json::json!([
        [0.0, "\u{1b}[1;32m$\u{1b}[0m "],
        [0.5, "build <a> & b\r\n"],
        [
            1.0,
            "\u{1b}[?25l[+] Building 0.1s\u{1b}[0K\r\n\u{1b}[34m => first \u{1b}[0m\r\n => seco"
        ],
        // Too soon after the last one for a frame of its own, with a sequence that is cut in two.
        [1.1, "nd\r\n\u{1b}[3"],
        [
            1.5,
            "A\u{1b}[0G[+] Building 0.5s\u{1b}[K\u{1b}[1B\u{1b}[0G\u{1b}[34m => CACHED first\u{1b}[0m\u{1b}[J\r\n"
        ],
        [2.0, "100 %\rdone.\u{1b}[?25h\r\n"],
    ]);
    fs::write(dir.path().join("events"), events.to_string()).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/lib/recording.py");
    let output = Command::new("python3")
        .arg(script)
        .args(["out.svg", "--replay", "events"])
        .current_dir(&dir)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let svg = fs::read_to_string(dir.path().join("out.svg")).unwrap();
    let (_, drawn) = svg.split_once("#strip").unwrap();
    insta::assert_snapshot!(drawn);
}
