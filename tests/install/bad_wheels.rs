//! Wheels that would write elsewhere, are damaged or do not fit together are refused.

use std::io::Cursor;
use std::path::Path;

use condafront_steps::install::error::ErrorKind;
use condafront_testkit::channel::WheelFile;
use sha2::{Digest, Sha256};

use super::wheel_step::{SITE, WheelStep, files};
use super::zip_bytes::{Member, compressed_with, member, renamed, zip};

/// The wheel `bad` with these files besides its metadata, all of them listed.
fn bad(members: Vec<Member>) -> Vec<u8> {
    let text = |name: &'static str, text: &str| Member {
        name,
        mode: 0o100_644,
        content: text.as_bytes().to_vec(),
        other: None,
    };
    let mut all = vec![
        text(
            "bad-1.0.dist-info/METADATA",
            "Metadata-Version: 2.1\nName: bad\nVersion: 1.0\n",
        ),
        text(
            "bad-1.0.dist-info/WHEEL",
            "Wheel-Version: 1.0\nRoot-Is-Purelib: true\n",
        ),
    ];
    all.extend(members);
    let line = |member: &Member| {
        use base64::Engine as _;
        let hash = base64::engine::general_purpose::URL_SAFE_NO_PAD
            .encode(Sha256::digest(&member.content));
        format!(
            "\"{}\",sha256={hash},{}\n",
            member.name,
            member.content.len()
        )
    };
    let record: String = all.iter().map(line).collect();
    all.push(text("bad-1.0.dist-info/RECORD", &record));
    zip(&all)
}

#[test]
fn a_wheel_with_more_files_than_any_package_has_is_refused() {
    use zip::write::SimpleFileOptions;
    const MOST: usize = 500_000;
    let wheel = |count: usize| {
        let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for number in 0..count {
            let options = SimpleFileOptions::default();
            archive.add_directory(number.to_string(), options).unwrap();
        }
        archive.finish().unwrap().into_inner()
    };
    let run = |count| {
        let step = WheelStep::new().with("bad-1.0-py3-none-any.whl", &wheel(count));
        step.run().unwrap_err()
    };
    let error = run(MOST + 1);
    assert_eq!(error.kind(), ErrorKind::TooLarge, "{error}");
    // It is no wheel, but that is another reason.
    assert_ne!(run(1).kind(), ErrorKind::TooLarge);
}

#[test]
fn wheels_that_write_elsewhere_are_refused() {
    const FILE: u32 = 0o100_644;
    let members = [
        member("../outside", FILE),
        member("a/../../outside", FILE),
        member("/outside", FILE),
        member("bad-1.0.data/data/../../outside", FILE),
        member("bad-1.0.data/scripts//../outside", FILE),
        member("device", 0o020_644),
        member("pipe", 0o010_644),
        member("folder", 0o040_755),
        member("new\nline", FILE),
        member("escape\u{1b}[2J", FILE),
        member("turned\u{202e}round", FILE),
        member("bad-1.0.data/data/conda-meta/python-1-0.json", FILE),
        member("bad-1.0.data/data/conda-meta/history", FILE),
        member("bad-1.0.data/data/conda-meta", FILE),
    ];
    let mut messages = String::new();
    for member in members {
        let step = WheelStep::new().with("bad-1.0-py3-none-any.whl", &bad(vec![member]));
        let error = step.run().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnsafeArchive, "{error}");
        assert_eq!(error.package(), Some(0));
        for outside in ["outside", "out/outside", "out/opt/outside", "in/outside"] {
            assert!(!step.dir.path().join(outside).exists(), "{outside}");
        }
        messages += &format!("{error}\n");
    }
    assert!(!Path::new("/outside").exists());
    insta::assert_snapshot!(messages, @r"
    bad 1.0: the archive contains a path with `..`: `../outside`
    bad 1.0: the archive contains a path with `..`: `a/../../outside`
    bad 1.0: the archive contains an absolute path: `/outside`
    bad 1.0: the archive contains a path with `..`: `bad-1.0.data/data/../../outside`
    bad 1.0: the archive contains a path with `..`: `bad-1.0.data/scripts//../outside`
    bad 1.0: the archive contains a device, pipe or other special file: `device`
    bad 1.0: the archive contains a device, pipe or other special file: `pipe`
    bad 1.0: the archive contains a device, pipe or other special file: `folder`
    bad 1.0: the archive contains a path that is empty, not UTF-8, or has control characters: `new\nline`
    bad 1.0: the archive contains a path that is empty, not UTF-8, or has control characters: `escape\u{1b}[2J`
    bad 1.0: it has a path with the invisible character U+202E: `lib/python3.13/site-packages/turned\u{202e}round`
    bad 1.0: it has a path that only installers of conda packages may write: `conda-meta/python-1-0.json`
    bad 1.0: it has a path that only installers of conda packages may write: `conda-meta/history`
    bad 1.0: it has a path that only installers of conda packages may write: `conda-meta`
    ");
}

#[test]
fn links_in_wheels_are_files() {
    let wheel = bad(vec![Member {
        name: "link",
        mode: 0o120_777,
        content: b"/etc/passwd".to_vec(),
        other: None,
    }]);
    let step = WheelStep::new().with("bad-1.0-py3-none-any.whl", &wheel);
    step.run().unwrap();
    let files = files(&step.prefix());
    let (mode, content) = &files[&format!("{SITE}/link")];
    assert_eq!((*mode, &**content), (0o644, &b"/etc/passwd"[..]));
}

#[test]
fn wheels_that_are_damaged_or_wrong_are_refused() {
    const FILE: u32 = 0o100_644;
    let good = bad(vec![member("bad.py", FILE)]);
    WheelStep::new()
        .with("bad-1.0-py3-none-any.whl", &good)
        .run()
        .unwrap();
    let with = |members: &[(&'static str, &str)]| {
        let members = members.iter().map(|(name, content)| Member {
            name,
            mode: FILE,
            content: content.as_bytes().to_vec(),
            other: None,
        });
        zip(&members.collect::<Vec<_>>())
    };
    let with_bytes = |name: &'static str, content: &[u8]| {
        let content = content.to_vec();
        let mode = FILE;
        zip(&[Member {
            name,
            mode,
            content,
            other: None,
        }])
    };
    let info = |metadata: &str, wheel: &str| {
        with(&[
            ("bad-1.0.dist-info/METADATA", metadata),
            ("bad-1.0.dist-info/WHEEL", wheel),
        ])
    };
    let metadata = "Name: bad\nVersion: 1.0\n";
    let entry_points = |text: &str| Member {
        name: "bad-1.0.dist-info/entry_points.txt",
        mode: FILE,
        content: text.as_bytes().to_vec(),
        other: None,
    };
    let cases = [
        ("empty", Vec::new()),
        ("garbage", vec![7; 5000]),
        ("cut short", good[..good.len() / 2].to_vec()),
        ("compressed in another way", compressed_with(14, &good)),
        ("no metadata", with(&[("bad.py", "")])),
        ("no METADATA", with(&[("bad-1.0.dist-info/WHEEL", "")])),
        (
            "no WHEEL",
            with(&[("bad-1.0.dist-info/METADATA", metadata)]),
        ),
        (
            "another package's",
            info("Name: other\nVersion: 1.0\n", "Wheel-Version: 1.0\n"),
        ),
        ("no version", info("Name: bad\n", "Wheel-Version: 1.0\n")),
        (
            "another encoding",
            with_bytes("bad-1.0.dist-info/METADATA", b"Name: bad\nAuthor: \xe9\n"),
        ),
        ("a newer format", info(metadata, "Wheel-Version: 2.0\n")),
        ("an unknown format", info(metadata, "Tag: py3-none-any\n")),
        ("no RECORD", info(metadata, "Wheel-Version: 1.0\n")),
        (
            "the same name twice",
            bad(vec![member("bad.py", FILE), member("bad.py", FILE)]),
        ),
        (
            "the same path twice",
            bad(vec![member("a/bad.py", FILE), member("a//bad.py", FILE)]),
        ),
        (
            "a file below a file",
            bad(vec![member("bad", FILE), member("bad/x", FILE)]),
        ),
        (
            "a file below a file, once installed",
            bad(vec![
                member("bad", FILE),
                member("bad-1.0.data/purelib/bad/x", FILE),
            ]),
        ),
        (
            "an unknown folder",
            bad(vec![member("bad-1.0.data/other/x", FILE)]),
        ),
        (
            "a path as an entry point",
            bad(vec![entry_points("[console_scripts]\n../x = a:b\n")]),
        ),
        (
            "two packages",
            bad(vec![member("other-1.0.dist-info/METADATA", FILE)]),
        ),
        (
            "a file that is called like metadata",
            bad(vec![member("other.dist-info", FILE)]),
        ),
        (
            "an empty folder that is called like metadata",
            bad(vec![member("other-1.0.dist-info/", 0o040_755)]),
        ),
        (
            "spaces after the name",
            info("Name: bad  \nVersion: 1.0\n", "Wheel-Version: 1.0\n"),
        ),
        (
            "a name on a line of its own",
            info("Name:\n bad\nVersion: 1.0\n", "Wheel-Version: 1.0\n"),
        ),
        ("two names for one file", renamed(&good, "bad.py", "evil.p")),
        (
            "another name in Unicode",
            bad(vec![Member {
                other: Some("evil.py"),
                ..member("bad.py", FILE)
            }]),
        ),
    ];
    let mut messages = String::new();
    for (what, content) in cases {
        let error = WheelStep::new()
            .with("bad-1.0-py3-none-any.whl", &content)
            .run()
            .unwrap_err();
        assert!(
            matches!(error.kind(), ErrorKind::BadArchive | ErrorKind::BadMetadata),
            "{what}: {error}"
        );
        messages += &format!("{what}: {error}\n");
    }
    insta::assert_snapshot!(messages, @r"
    empty: bad 1.0: the file is not a wheel, or it is damaged: invalid Zip archive: Could not find EOCD
    garbage: bad 1.0: the file is not a wheel, or it is damaged: invalid Zip archive: Could not find EOCD
    cut short: bad 1.0: the file is not a wheel, or it is damaged: invalid Zip archive: Could not find EOCD
    compressed in another way: bad 1.0: one of its files is compressed with another method than deflate, which is not supported
    no metadata: bad 1.0: it has no .dist-info folder, so it is not a wheel
    no METADATA: bad 1.0: it has no METADATA
    no WHEEL: bad 1.0: it has no WHEEL
    another package's: bad 1.0: it is named like `bad`, but its METADATA is that of `other`
    no version: bad 1.0: its METADATA has no Version
    another encoding: bad 1.0: its METADATA is not UTF-8
    a newer format: bad 1.0: its format is version `2.0`, and only version 1 is known
    an unknown format: bad 1.0: its WHEEL has no Wheel-Version
    no RECORD: bad 1.0: it has no RECORD
    the same name twice: bad 1.0: the archive is damaged or cut short: two of its files have the same name
    the same path twice: bad 1.0: the archive is damaged or cut short: `a/bad.py` is in it twice
    a file below a file: bad 1.0: the archive is damaged or cut short: `bad/x` is below a file
    a file below a file, once installed: bad 1.0: its files `lib/python3.13/site-packages/bad` and `lib/python3.13/site-packages/bad/x` cannot both be installed
    an unknown folder: bad 1.0: it has the folder bad-1.0.data/other, which is none of purelib, platlib, headers, scripts and data
    a path as an entry point: bad 1.0: its entry point `../x` does not have the name of a file
    two packages: bad 1.0: it has `bad-1.0.dist-info` and `other-1.0.dist-info`, but a wheel has one .dist-info folder
    a file that is called like metadata: bad 1.0: it has `bad-1.0.dist-info` and `other.dist-info`, but a wheel has one .dist-info folder
    an empty folder that is called like metadata: bad 1.0: it has `bad-1.0.dist-info` and `other-1.0.dist-info`, but a wheel has one .dist-info folder
    spaces after the name: bad 1.0: its METADATA has the name `bad  `, which is not valid
    a name on a line of its own: bad 1.0: its METADATA has the name `\n bad`, which is not valid
    two names for one file: bad 1.0: the archive is damaged or cut short: `bad.py` is also called `evil.p` in it
    another name in Unicode: bad 1.0: the archive is damaged or cut short: `evil.py` is also called `bad.py` in it
    ");
}

#[test]
fn wheels_that_do_not_fit_together_are_refused() {
    let one = WheelFile::new("one", "1.0").file("shared", "");
    let other = WheelFile::new("other", "1.0").file("shared/x.py", "");
    let step = WheelStep::new().with_made(&one).with_made(&other);
    let error = step.run().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(
        error.to_string(),
        format!(
            "other 1.0 and one 1.0 cannot be installed together: other 1.0 has `{SITE}/shared/x.py`, but `{SITE}/shared` is a file of one 1.0"
        )
    );
}

#[test]
fn metadata_that_no_wheel_has_is_refused_before_it_fills_the_memory() {
    const MOST: usize = 500_000;
    let programs = |count: usize| {
        let lines: String = (0..count).map(|it| format!("p{it}=a:b\n")).collect();
        bad(vec![Member {
            name: "bad-1.0.dist-info/entry_points.txt",
            mode: 0o100_644,
            content: format!("[console_scripts]\n{lines}").into_bytes(),
            other: None,
        }])
    };
    let listed = |count: usize| {
        let text = |name, text: String| Member {
            name,
            mode: 0o100_644,
            content: text.into_bytes(),
            other: None,
        };
        zip(&[
            text(
                "bad-1.0.dist-info/METADATA",
                "Name: bad\nVersion: 1.0\n".to_owned(),
            ),
            text("bad-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\n".to_owned()),
            text("bad-1.0.dist-info/RECORD", "a,,\n".repeat(count)),
        ])
    };
    let long = zip(&[Member {
        name: "bad-1.0.dist-info/METADATA",
        mode: 0o100_644,
        content: vec![b'\n'; (16 << 20) + 1],
        other: None,
    }]);
    let mut messages = String::new();
    for wheel in [programs(MOST + 1), listed(MOST + 1), long] {
        let step = WheelStep::new().with("bad-1.0-py3-none-any.whl", &wheel);
        let error = step.run().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooLarge, "{error}");
        messages += &format!("{error}\n");
    }
    insta::assert_snapshot!(messages, @"
    bad 1.0: its entry_points.txt lists more than 500000 programs; no real package does
    bad 1.0: its RECORD lists more than 500000 files; no real package does
    bad 1.0: its METADATA has 16777217 bytes; no real package does
    ");
}
