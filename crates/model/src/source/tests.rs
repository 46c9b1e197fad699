use super::*;

/// The message for a file, with its excerpt.
fn refused(data: &[u8]) -> String {
    let file = SourceFile::new("env.lock", data);
    let error = file.text().unwrap_err();
    error.render(Level::Error)
}

#[test]
fn what_is_not_text_is_reported_at_its_line() {
    let mut utf16 = b"\xff\xfe".to_vec();
    let text = "# syntax=x\r\n@EXPLICIT\r\nhttps://me:hunter2@c.example/\u{fffd}\r\n";
    utf16.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
    let bad = utf16.len() - 6;
    utf16[bad..bad + 2].copy_from_slice(&[0, 0xD8]);
    let all = [
        refused(b"# syntax=x\n@EXPLICIT\n\xff\xfe\n"),
        refused(b"name: lab # f\xfcr alle\n"),
        refused(b"@EXPLICIT\nhttps\xff//me:hunter2\xffc.example/f # hunter \xff\n"),
        refused(&utf16),
        refused(&utf16[..utf16.len() - 5]),
        refused(b"name: lab\n\0\0"),
    ]
    .join("\n\n");
    assert!(!all.contains("hunter2"), "{all}");
    insta::assert_snapshot!(all);
}

#[test]
fn what_is_no_text_at_all_is_named() {
    let told = |name: &str, data: &[u8]| {
        let error = SourceFile::new(name, data).text().unwrap_err();
        assert!(error.locations.is_empty());
        format!("{error}")
    };
    let all = [
        told("numpy-1-0.conda", b"PK\x03\x04\0\0"),
        told("numpy-1-0.tar.bz2", b"BZh91AY&SY\xff\0"),
        told("micromamba", b"\x7fELF\x02\x01\0"),
        told("lab.png", b"\x89PNG\r\n\x1a\n\0"),
    ];
    insta::assert_snapshot!(all.join("\n"), @r"
    numpy-1-0.conda is a ZIP archive
    To install a conda package from a file, list its URL in an explicit lock.
    numpy-1-0.tar.bz2 is compressed with bzip2
    To install a conda package from a file, list its URL in an explicit lock.
    micromamba is a program
    Check the name after -f: an environment file or a lock is text.
    lab.png is an image
    Check the name after -f: an environment file or a lock is text.
    ");
}

#[test]
fn excerpts_hide_credentials_and_keep_line_numbers() {
    let mut text = String::from("@EXPLICIT\n");
    text.push_str(&"# a comment that makes the file large\n".repeat(5000));
    text.push_str("https://me:hunter2@c.example/t/tk-9/f/noarch/a-1-0.conda#md5\n");
    text.push_str(&"# and more\n".repeat(50));
    let file = SourceFile::new("env.lock", text);
    let shown = String::from_utf8(file.excerpt(Lines::one(5002))).unwrap();
    assert!(shown.len() < 10_000, "{}", shown.len());
    assert_eq!(
        shown.lines().nth(5001),
        Some("https://***@c.example/t/***/f/noarch/a-1-0.conda#md5")
    );
}

#[test]
fn excerpts_show_the_start_of_long_lines() {
    let long = format!("A: \"{}\"\nB: 2\n", "x".repeat(300 << 10));
    let file = SourceFile::new("env.yml", long);
    let shown = String::from_utf8(file.excerpt(Lines::one(1))).unwrap();
    assert!(shown.len() < 5000, "{}", shown.len());
    assert!(shown.ends_with("xxx…\nB: 2\n"));
}

#[test]
fn a_diagnostic_keeps_its_cause() {
    let file = SourceFile::new("env.lock", b"\xff".to_vec());
    let error = file.text().unwrap_err();
    let cause = error.clone();
    let cause = cause
        .source()
        .unwrap()
        .downcast_ref::<std::str::Utf8Error>();
    assert_eq!(cause.unwrap().valid_up_to(), 0);
    let same = Diagnostic {
        cause: None,
        ..error.clone()
    };
    assert_eq!((&same, same.source().is_none()), (&error, true));
}

#[test]
fn a_diagnostic_renders_with_an_excerpt() {
    let file = SourceFile::new("env.lock", "@EXPLICIT\r\nhttps://x/y\r\n");
    let text = Diagnostic::new("no package")
        .at(&file, Lines::one(2))
        .help("name one")
        .render(Level::Error);
    insta::assert_snapshot!(text);
}
