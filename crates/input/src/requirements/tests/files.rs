//! Lists that name other files, and how files are read.

use super::*;
use crate::file_path::NamedPath;

fn local(file: Option<IncludedFile>) -> NamedPath {
    match file {
        Some(IncludedFile::Local(named)) => named,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_file_may_be_named_as_old_versions_of_pip_take_it() {
    let context = [
        ("more.txt", "idna\n-c file:limits.txt\n"),
        ("limits.txt", "idna<4\n"),
    ];
    let list = read("-r file:more.txt", &context).unwrap();
    let found: Vec<&str> = list
        .entries()
        .iter()
        .map(|entry| entry.text.as_str())
        .collect();
    assert_eq!(found, ["idna", "idna<4"]);
}

#[test]
fn a_file_is_read_in_any_encoding_as_pip_reads_it() {
    let read = |data: &[u8]| -> Result<Vec<String>, Diagnostic> {
        let args = BuildArgs::default();
        let mut reading = Reading::new(&args);
        reading.add(&[requirement("-r requirements.txt")], FilePath::context());
        let path = local(reading.next_file()?).candidates()?.remove(0);
        reading.open(&SourceFile::new("requirements.txt", data), path)?;
        reading.next_file()?;
        let entries = reading.finish();
        Ok(entries
            .entries()
            .iter()
            .map(|entry| entry.text.clone())
            .collect())
    };
    let text = "# für alle\r\nflask>=3\r\n# und\r\nidna\r\n";
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for data in [
        text.as_bytes(),
        &[b"\xef\xbb\xbf", text.as_bytes()].concat(),
        &[b"\xff\xfe", utf16.as_slice()].concat(),
        &utf16,
        b"# -*- coding: latin-1 -*- f\xfcr alle\nflask>=3\nidna\n",
        b"#!/usr/bin/pip\n# vim: set fileencoding=cp1251 : \xef\nflask>=3\nidna\n",
        b"flask>=3\ridna\r",
    ] {
        assert_eq!(read(data).unwrap(), ["flask>=3", "idna"], "{data:?}");
    }
    for (data, line) in [
        (&b"flask\n# f\xfcr alle\n"[..], 2),
        (b"# coding: klingon\nflask # \xfc\n", 1),
        (b"# coding: utf-8\nflask\n# \xfc\n", 3),
        (b"flask\n<<<<<<< HEAD\nidna\n", 2),
        (b"flask\n{% if dev %}\nidna\n", 2),
        (b"flask\nidna=={{ idna }}\n", 2),
        (b"flask\nx @ https://f.example/{{x}}.whl\n", 2),
    ] {
        let error = read(data).unwrap_err();
        assert_eq!(error.locations[0].lines, Lines::one(line), "{error}");
    }
}

#[test]
fn files_name_files() {
    let list = read(
        "-r reqs/main.txt",
        &[
            (
                "reqs/main.txt",
                "# all of it\n--index-url https://${INDEX_HOST}/simple\n-c ../constraints.txt\n-r more/extra.txt\nflask \\\n  >= 3\n",
            ),
            ("constraints.txt", "-r reqs/more/deep.txt\nflask<4\n"),
            ("reqs/more/deep.txt", "./demo\n"),
            ("reqs/more/extra.txt", "--requirement=deep.txt\nidna\n"),
        ],
    )
    .unwrap();
    let entries: Vec<String> = list
        .entries()
        .iter()
        .map(|entry| {
            let Lines { first, last } = entry.lines;
            let kind = if entry.is_constraint { "-c " } else { "" };
            format!("{}:{first}-{last}: {kind}{}", entry.file.name(), entry.text)
        })
        .collect();
    insta::assert_snapshot!(entries.join("\n"));
    // Listed twice, built once.
    assert_eq!(list.local().count(), 1);
    let wheels = list.for_step(false);
    let wheels = wheels.iter().filter_map(|entry| entry.wheel.as_ref());
    assert_eq!(wheels.map(|wheel| wheel.index).collect::<Vec<_>>(), [0, 0]);
    assert_eq!(
        list.place_of("Flask").unwrap().lines,
        Lines { first: 5, last: 6 }
    );
    let of_a_dependency = list.place_of("click").unwrap();
    assert_eq!(of_a_dependency.file.name(), "reqs/more/deep.txt");
}

#[test]
fn a_constraint_may_name_what_must_be_built() {
    let constraints =
        "x @ git+https://g.example/x@v1\ny @ file:./y\nz @ file:./z ; os_name == 'nt'\n";
    let list = read(
        "-r main.txt",
        &[
            ("main.txt", "-c c.txt\nx\n-e ./y\n"),
            ("c.txt", constraints),
        ],
    )
    .unwrap();
    let local: Vec<(&str, bool)> = list
        .local()
        .map(|(_, entry, found)| (entry.text.as_str(), found.is_editable))
        .collect();
    assert_eq!(
        local,
        [("-e ./y", true), ("x @ git+https://g.example/x@v1", false)]
    );
    let step: Vec<(String, bool, Option<usize>)> = list
        .for_step(false)
        .into_iter()
        .map(|entry| {
            (
                entry.text,
                entry.is_constraint,
                entry.wheel.map(|it| it.index),
            )
        })
        .collect();
    let of = |text: &str, is_constraint, wheel| (text.to_owned(), is_constraint, wheel);
    assert_eq!(
        step,
        [
            of("x @ ", true, Some(1)),
            of("y @ ", true, Some(0)),
            of("x", false, None),
            of("", false, Some(0)),
        ]
    );
}

#[test]
fn files_that_name_files_have_an_end() {
    let message = |count: usize, times: usize| {
        let files = (0..count).map(|number| {
            let next = format!("-r {}.txt\n", number + 1);
            (format!("{number}.txt"), next.repeat(times))
        });
        let last = (format!("{count}.txt"), "idna\n".to_owned());
        let files: Vec<(String, String)> = files.chain([last]).collect();
        let files: Vec<(&str, &str)> = files
            .iter()
            .map(|(name, text)| (name.as_str(), text.as_str()))
            .collect();
        read("-r 0.txt", &files).err().map(|error| error.message)
    };
    assert_eq!(message(31, 1), None);
    let deep = "more than 32 files include one another in a chain";
    assert_eq!(message(32, 1).as_deref(), Some(deep));
    assert_eq!(message(8, 2), None);
    let many = "more than 1000 files are included";
    assert_eq!(message(20, 2).as_deref(), Some(many));
    let half = format!("# {}", "x".repeat(33 << 20));
    let files = [
        ("0.txt", "-r 1.txt\n-r 2.txt\n"),
        ("1.txt", half.as_str()),
        ("2.txt", half.as_str()),
    ];
    let large = read("-r 0.txt", &files).unwrap_err();
    assert_eq!(
        (large.message.as_str(), large.locations[0].lines),
        (
            "the included files have more than 64 MiB together",
            Lines::one(2)
        )
    );
}

#[test]
fn binary_files_are_errors() {
    let args = BuildArgs::default();
    let mut reading = Reading::new(&args);
    reading.add(&[requirement("-r x.txt")], FilePath::context());
    let path = local(reading.next_file().unwrap()).candidates().unwrap();
    let file = SourceFile::new("x.txt", b"idna\n\xff".to_vec());
    let error = reading.open(&file, path[0].clone());
    assert_eq!(error.unwrap_err().locations[0].lines, Lines::one(2));
}

/// A file of another kind can have a mistake in every line.
#[test]
fn a_large_file_of_another_kind_is_refused_at_once() {
    let text: String = (0..20_000).map(|row| format!("{row},a b\n")).collect();
    let error = read("-r table.csv", &[("table.csv", &text)]).unwrap_err();
    assert_eq!(error.locations.len(), 5);
    let help = error.help.unwrap_or_default();
    assert!(help.ends_with("There are 19995 more mistakes."), "{help}");
}
