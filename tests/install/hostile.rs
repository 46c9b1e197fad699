//! Broken and malicious archives: each is refused with a message that names the culprit, and nothing
//! is written outside the output.

use std::fs;

use condafront_steps::install::error::ErrorKind;
use condafront_testkit::channel::Channel;
use tar::EntryType;

use super::package::{Format, Package};
use super::step::{Step, mount_channel};

const FORMATS: [Format; 2] = [Format::Conda, Format::TarBz2];

fn bad() -> Package {
    Package::new("bad").file("share/fine", "fine")
}

#[test]
fn entries_that_leave_the_package_are_refused() {
    let file = EntryType::Regular;
    let cases = [
        bad().entry("../outside", file, 0o644, "", b"x"),
        bad().entry("share/../../outside", file, 0o644, "", b"x"),
        bad().entry("/outside", file, 0o644, "", b"x"),
        bad().symlink("share/link", "/etc/passwd"),
        bad().symlink("share/link", "../../outside"),
        bad().symlink("up", ".."),
        bad().symlink("share/a", "..").symlink("share/b", "a/.."),
        bad().hard_link("share/hard", "../../outside"),
        bad().hard_link("share/hard", "/etc/passwd"),
        bad()
            .symlink("dir", "share")
            .entry("dir/x", file, 0o644, "", b"x"),
        bad().entry("dev", EntryType::Char, 0o644, "", b""),
        bad().entry("pipe", EntryType::Fifo, 0o644, "", b""),
        bad().entry("new\nline", file, 0o644, "", b"x"),
        bad().listed("../outside"),
        bad().listed("/outside"),
        bad().listed(&"a/".repeat(201)),
    ];
    let mut messages = String::new();
    for package in cases {
        for format in FORMATS {
            let step = Step::new(&[package.clone().format(format)]);
            let error = step.fail();
            assert_eq!(error.kind(), ErrorKind::UnsafeArchive, "{error}");
            assert_eq!(error.package(), Some(0));
            for outside in ["outside", "out/outside", "out/opt/outside", "opt"] {
                let root = step.mounts().output;
                assert!(!root.parent().unwrap().join(outside).exists(), "{outside}");
            }
            if format == Format::Conda {
                messages += &format!("{error}\n");
            }
        }
    }
    insta::assert_snapshot!(messages, @r"
    bad 1.0 (bad-1.0-0.conda): the archive contains a path with `..`: `../outside`
    bad 1.0 (bad-1.0-0.conda): the archive contains a path with `..`: `share/../../outside`
    bad 1.0 (bad-1.0-0.conda): the archive contains an absolute path: `/outside`
    bad 1.0 (bad-1.0-0.conda): the archive contains a link that leaves the package: `share/link -> /etc/passwd`
    bad 1.0 (bad-1.0-0.conda): the archive contains a link that leaves the package: `share/link -> ../../outside`
    bad 1.0 (bad-1.0-0.conda): the archive contains a link that leaves the package: `up -> ..`
    bad 1.0 (bad-1.0-0.conda): the archive contains a link that leaves the package: `share/b -> a/..`
    bad 1.0 (bad-1.0-0.conda): the archive contains a hard link that leaves the package: `share/hard -> ../../outside`
    bad 1.0 (bad-1.0-0.conda): the archive contains a hard link that leaves the package: `share/hard -> /etc/passwd`
    bad 1.0 (bad-1.0-0.conda): the archive contains a file that would be written through a symlink: `dir/x`
    bad 1.0 (bad-1.0-0.conda): the archive contains a device, pipe or other special file: `dev`
    bad 1.0 (bad-1.0-0.conda): the archive contains a device, pipe or other special file: `pipe`
    bad 1.0 (bad-1.0-0.conda): the archive contains a path that is empty, not UTF-8, or has control characters: `new\nline`
    bad 1.0 (bad-1.0-0.conda): its info/paths.json lists a path with `..`: `../outside`
    bad 1.0 (bad-1.0-0.conda): its info/paths.json lists an absolute path: `/outside`
    bad 1.0 (bad-1.0-0.conda): its info/paths.json lists a path with more than 200 folders: `a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/…`
    ");
}

#[test]
fn entry_points_cannot_name_a_path() {
    let step = Step::new(&[bad().noarch_python(&["../../x = a:b"])]);
    let error = step.fail();
    assert_eq!(error.kind(), ErrorKind::BadMetadata, "{error}");
}

#[test]
fn entry_points_cannot_forge_lines_or_hide_text() {
    let mut messages = String::new();
    for command in ["x\n# 1", "x\ry", "x\u{1b}[2J", "x\u{202e}y"] {
        let entry_point = format!("{command} = a:b");
        let step = Step::new(&[bad().noarch_python(&[&entry_point])]);
        let error = step.fail();
        assert_eq!(error.kind(), ErrorKind::BadMetadata, "{error}");
        assert_eq!(error.package(), Some(0));
        messages += &format!("{error}\n");
    }
    insta::assert_snapshot!(messages, @r"
    bad 1.0 (bad-1.0-0.conda): the package's info/link.json cannot be used: the name of its entry point `x\n# 1` contains a line break
    bad 1.0 (bad-1.0-0.conda): the package's info/link.json cannot be used: the name of its entry point `x\ry` contains a line break
    bad 1.0 (bad-1.0-0.conda): the package's info/link.json cannot be used: the name of its entry point `x\u{1b}[2J` contains the invisible character U+001B
    bad 1.0 (bad-1.0-0.conda): the package's info/link.json cannot be used: the name of its entry point `x\u{202e}y` contains the invisible character U+202E
    ");
}

#[test]
fn broken_archives_and_other_files_are_distinguished() {
    let whole = |format| bad().format(format).bytes();
    let cut = |format, part: usize| {
        let bytes = whole(format);
        bytes[..bytes.len() * part / 10].to_vec()
    };
    let mut flipped = whole(Format::Conda);
    let middle = flipped.len() / 2;
    flipped[middle] ^= 0xff;
    let cases = [
        ("empty", Vec::new()),
        ("garbage", vec![7; 5000]),
        (
            "html",
            b"\n<!DOCTYPE html><html><body>Sign in</body></html>".to_vec(),
        ),
        ("conda cut short", cut(Format::Conda, 9)),
        ("conda cut in half", cut(Format::Conda, 5)),
        ("tar.bz2 cut short", cut(Format::TarBz2, 9)),
        ("tar.bz2 cut in half", cut(Format::TarBz2, 5)),
        ("only a signature", b"PK\x03\x04".to_vec()),
        ("flipped bits", flipped),
        ("another format", whole(Format::TarBz2)),
    ];
    let mut messages = String::new();
    for (name, bytes) in cases {
        let format = if name.starts_with("tar.bz2") {
            Format::TarBz2
        } else {
            Format::Conda
        };
        let step = Step::new(&[bad().format(format)]);
        let archive = step
            .mounts()
            .input
            .join("0")
            .join(&step.packages[0].archive);
        fs::write(archive, bytes).unwrap();
        let error = step.fail();
        let kind = match name {
            "html" => ErrorKind::WebPage,
            _ => ErrorKind::BadArchive,
        };
        assert_eq!(error.kind(), kind, "{name}: {error}");
        messages += &format!("{name}: {error}\n");
    }
    insta::assert_snapshot!(messages, @"
    empty: bad 1.0 (bad-1.0-0.conda): the downloaded file is empty
    garbage: bad 1.0 (bad-1.0-0.conda): the downloaded file is not a conda package (neither the .conda nor the .tar.bz2 format)
    html: bad 1.0 (bad-1.0-0.conda): the server sent a web page, not a conda package
    conda cut short: bad 1.0 (bad-1.0-0.conda): the archive is damaged or cut short: invalid Zip archive: Could not find EOCD
    conda cut in half: bad 1.0 (bad-1.0-0.conda): the archive is damaged or cut short: invalid Zip archive: Could not find EOCD
    tar.bz2 cut short: bad 1.0 (bad-1.0-0.tar.bz2): the archive is damaged or cut short: decompression not finished but EOF reached
    tar.bz2 cut in half: bad 1.0 (bad-1.0-0.tar.bz2): the archive is damaged or cut short: decompression not finished but EOF reached
    only a signature: bad 1.0 (bad-1.0-0.conda): the archive is damaged or cut short: invalid Zip archive: Could not find EOCD
    flipped bits: bad 1.0 (bad-1.0-0.conda): the archive is damaged or cut short: Data corruption detected
    another format: bad 1.0 (bad-1.0-0.conda): the downloaded file is a bzip2 archive, like .tar.bz2 packages, but is not named like one
    ");
}

#[test]
fn invalid_metadata_is_refused() {
    let step = Step::new(&[bad().listed("share/absent")]);
    let error = step.fail();
    assert_eq!(error.kind(), ErrorKind::BadMetadata);
    insta::assert_snapshot!(error, @"bad 1.0 (bad-1.0-0.conda): the package's info/paths.json cannot be used: it lists `share/absent`, which is not in the archive");
}

#[test]
fn a_package_that_is_not_mounted_is_named() {
    let step = Step::new(&[bad()]);
    fs::remove_file(step.mounts().input.join("0/bad-1.0-0.conda")).unwrap();
    let error = step.fail();
    assert_eq!(error.kind(), ErrorKind::MissingInput);
    assert!(error.to_string().contains("bad-1.0-0.conda"), "{error}");
}

#[test]
fn every_hostile_package_of_the_channel_is_refused() {
    let channel = Channel::hostile();
    for package in channel.packages() {
        let mut step = Step::new(&[]);
        mount_channel(&mut step, channel, &[package]);
        // Its archive matches the lock file, so there is only a notice.
        if package.name.starts_with("wrong-content") {
            step.run().unwrap();
            let notices = step.facts().notices;
            assert!(notices[0].message.contains("readme.txt"), "{notices:?}");
            continue;
        }
        let error = step.fail();
        let expected = match package.name.trim_end_matches("-bz2") {
            "truncated" | "garbage" | "wrong-format" | "empty" => ErrorKind::BadArchive,
            "html" => ErrorKind::WebPage,
            "no-info" | "wrong-name" => ErrorKind::BadMetadata,
            _ => ErrorKind::UnsafeArchive,
        };
        assert_eq!(error.kind(), expected, "{}: {error}", package.name);
    }
}

/// Variables with which no container would start.
#[test]
fn variables_that_no_program_can_have_are_refused() {
    let long = format!(r#"{{"A": "{}"}}"#, "x".repeat(300 << 10));
    let mut messages = String::new();
    for variables in [
        r#"{"GOOD": "1", "A B": "x"}"#,
        r#"{"A\nPATH=/evil": "x"}"#,
        r#"{"": "x"}"#,
        r#"{"A=B": "x"}"#,
        r#"{"A": "x\u0000y"}"#,
        &long,
    ] {
        let package = bad().file("etc/conda/env_vars.d/bad.json", variables);
        let step = Step::new(&[Package::new("good").file("share/good", ""), package]);
        let error = step.fail();
        assert_eq!(error.kind(), ErrorKind::BadMetadata, "{error}");
        assert_eq!(error.package(), Some(1));
        messages += &format!("{error}\n");
    }
    insta::assert_snapshot!(messages);
}

/// A few kilobytes of archive can hold gigabytes of names.
#[test]
fn names_that_no_package_has_are_refused_before_they_fill_the_memory() {
    let long = vec![b'a'; 2 << 20];
    let with_header = |kind| {
        bad()
            .entry("header", kind, 0o644, "", &long)
            .file("share/x", "x")
    };
    let mut messages = String::new();
    for package in [
        with_header(EntryType::GNULongName),
        with_header(EntryType::GNULongLink),
        with_header(EntryType::XHeader),
        with_header(EntryType::GNULongName).format(Format::TarBz2),
    ] {
        let error = Step::new(&[package]).fail();
        assert_eq!(error.kind(), ErrorKind::TooLarge, "{error}");
        assert_eq!(error.package(), Some(0));
        messages += &format!("{error}\n");
    }
    insta::assert_snapshot!(messages, @"
    bad 1.0 (bad-1.0-0.conda): the headers of an entry, such as its name, have more than 1 MiB; no real package does
    bad 1.0 (bad-1.0-0.conda): the headers of an entry, such as its name, have more than 1 MiB; no real package does
    bad 1.0 (bad-1.0-0.conda): the headers of an entry, such as its name, have more than 1 MiB; no real package does
    bad 1.0 (bad-1.0-0.tar.bz2): the headers of an entry, such as its name, have more than 1 MiB; no real package does
    ");
}

/// A small archive can describe much: files that are a single character again and again compress to almost nothing.
#[test]
fn what_no_package_has_is_refused_before_it_fills_memory_or_disk() {
    const MOST: usize = 16 << 20;
    let ones = "1".repeat(MOST + 1);
    let blank = " ".repeat(MOST + 1);
    let mut messages = String::new();
    for package in [
        bad().file_with_placeholder("share/ones", ones.as_bytes(), "1"),
        bad().file("etc/conda/env_vars.d/bad.json", &blank),
    ] {
        let error = Step::new(&[package]).fail();
        assert_eq!(error.package(), Some(0));
        messages += &format!("{error}\n");
    }
    insta::assert_snapshot!(messages, @"
    bad 1.0 (bad-1.0-0.conda): `share/ones` has 16777217 bytes, and a placeholder for the prefix of only 1; no real package does
    bad 1.0: no program could start with the variables in etc/conda/env_vars.d/bad.json: the file has more than 16 MiB
    ");
}
