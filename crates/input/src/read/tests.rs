use proptest::prelude::*;

use super::*;

/// A file of each kind.
const FILES: &[(&str, &str)] = &[
    (
        "env.yml",
        "# für alle\nname: lab\nchannels: [conda-forge]\ndependencies:\n  - numpy  # [linux]\n  - pip:\n    - idna\n",
    ),
    (
        "image.yml",
        "environments: {base: env.yml}\nlabels: {größe: \"1\"}\n",
    ),
    (
        "env.lock",
        "# größer\n@EXPLICIT\nhttps://conda.example/forge/noarch/a-1-0.conda#d7c89558ba9fa0495403155b64376d81\n",
    ),
    (
        "conda-lock.yml",
        include_str!("../conda_lock/fixtures/several.conda-lock.yml"),
    ),
    (
        "pixi.lock",
        include_str!("../pixi_lock/fixtures/v6.pixi.lock"),
    ),
];

fn read_any(name: &str, data: impl Into<Vec<u8>>) -> Result<BuildInput, Diagnostic> {
    let source = BuildSource::File(SourceFile::new(name, data));
    read_build_source(&source, Platform::LinuxAmd64, &InputSettings::default())
}

/// The same text in other encodings, and with other ends of lines that mean the same.
fn spellings(text: &str) -> Vec<Vec<u8>> {
    let marked = format!("\u{feff}{text}");
    let utf16 = |text: &str, unit: fn(u16) -> [u8; 2]| {
        text.encode_utf16().flat_map(unit).collect::<Vec<u8>>()
    };
    let utf32 = |text: &str, unit: fn(u32) -> [u8; 4]| {
        text.chars()
            .flat_map(|c| unit(u32::from(c)))
            .collect::<Vec<u8>>()
    };
    vec![
        marked.clone().into_bytes(),
        utf16(&marked, u16::to_le_bytes),
        utf16(&marked, u16::to_be_bytes),
        utf16(text, u16::to_le_bytes),
        utf16(text, u16::to_be_bytes),
        utf32(&marked, u32::to_le_bytes),
        utf32(&marked, u32::to_be_bytes),
        utf32(text, u32::to_le_bytes),
        utf32(text, u32::to_be_bytes),
    ]
}

#[test]
fn every_kind_of_file_is_read_in_every_encoding() {
    for (name, text) in FILES {
        let expected = read_any(name, *text).unwrap();
        for data in spellings(text) {
            assert_eq!(read_any(name, data).unwrap(), expected, "{name}");
        }
        // `>` of PowerShell ends lines with both characters; old Macs had only the first.
        let lines = text.replace('\n', "\r\n");
        let crlf = read_any(name, lines.as_str()).unwrap();
        assert_eq!(
            read_any(name, spellings(&lines)[1].as_slice()).unwrap(),
            crlf
        );
        assert_eq!(read_any(name, text.replace('\n', "\r")).unwrap(), expected);
    }
}

#[test]
fn the_frontend_may_be_a_key_of_json() {
    let warnings = |text: &str| match read_any("env.json", text).unwrap() {
        BuildInput::Environment(input) => input.warnings.len(),
        BuildInput::Image(_) => 0,
    };
    let env = "{\"syntax\": \"org/condafront\", \"channels\": [\"conda-forge\"], \"dependencies\": [\"numpy\"]}";
    assert_eq!(warnings(env), 0);
    assert_eq!(warnings(&format!("\u{feff}\n{env}\n")), 0);
    assert_eq!(
        warnings("{\"environments\": {\"base\": \"env.yml\"}, \"syntax\": \"org/condafront\"}"),
        0
    );
    // BuildKit reads JSON, not everything that YAML allows.
    assert_eq!(warnings(&env.replace('"', "")), 1);
    assert!(read_any("image.yml", "syntax: x\nenvironments: {base: env.yml}\n").is_err());
}

#[test]
fn merge_keys_and_commands_are_neither_conflicts_nor_templates() {
    for text in [
        "x-all: &all {A: 1}\nchannels: [c]\ndependencies: [numpy]\nvariables:\n  <<: *all\n",
        "channels: [c]\ndependencies: [numpy]\ncondafront:\n  run:\n    - |\n      cat <<EOF\n      =======\n      EOF\n",
        "channels: [c]\ndependencies: [numpy]\ncondafront:\n  labels: {a: \"{{ .Names }}\"}\n  env: {A: \"<% b %>\"}\n",
        "# {% if gpu %}\nchannels: [c]\ndependencies:\n  - numpy  # {{ version }}\n",
    ] {
        assert!(
            read_any("env.yml", text).is_ok(),
            "{:?}",
            read_any("env.yml", text)
        );
    }
}

proptest! {
    #[test]
    fn any_text_means_the_same_in_every_encoding(
        text in "[a-z#{@]([-a-zé :{}\\[\\]#'\"%<>=@,.0-9\u{1F680}]{0,12}\n){0,5}"
    ) {
        let shown = |data: Vec<u8>| format!("{:?}", read_any("env.yml", data));
        let expected = shown(text.clone().into_bytes());
        for data in spellings(&text) {
            prop_assert_eq!(shown(data), expected.clone());
        }
    }
}
