use proptest::prelude::*;

use super::*;

/// A text in UTF-16 or UTF-32, in either byte order.
fn encoded(text: &str, width: usize, is_little: bool) -> Vec<u8> {
    let units: Vec<u32> = match width {
        2 => text.encode_utf16().map(u32::from).collect(),
        _ => text.chars().map(u32::from).collect(),
    };
    let bytes = units.iter().flat_map(|unit| {
        let mut bytes = unit.to_be_bytes()[4 - width..].to_vec();
        if is_little {
            bytes.reverse();
        }
        bytes
    });
    bytes.collect()
}

fn line_and_kind(data: &[u8]) -> Option<(usize, DamageKind)> {
    decode(data).damage.map(|damage| (damage.line, damage.kind))
}

#[test]
fn powershells_redirection_is_read() {
    let data = b"\xff\xfen\0a\0m\0e\0:\0 \0x\0\r\0\n\0";
    assert_eq!(decode(data).text, "name: x\r\n");
    // Encoded as `>` writes the rocket, and cut off in its middle.
    let rocket = encoded("a\n\u{1F680}", 2, true);
    assert_eq!(decode(&rocket).text, "a\n\u{1F680}");
    assert_eq!(
        line_and_kind(&rocket[..rocket.len() - 2]),
        Some((2, DamageKind::CutOff("UTF-16")))
    );
    assert_eq!(
        line_and_kind(&rocket[..rocket.len() - 1]),
        Some((2, DamageKind::CutOff("UTF-16")))
    );
}

#[test]
fn damage_is_at_its_line_of_the_text() {
    for (data, line, kind) in [
        (&b"a\nb\xe9c\n"[..], 2, DamageKind::Invalid("UTF-8")),
        (
            b"\xef\xbb\xbfa\r\nb\r\n\xff",
            3,
            DamageKind::Invalid("UTF-8"),
        ),
        (b"a\rb\r\xff", 3, DamageKind::Invalid("UTF-8")),
        (b"a\nb\xe2\x82", 2, DamageKind::CutOff("UTF-8")),
        (b"a\n\0b\n\xff", 2, DamageKind::Nul),
        (b"a: 1\nb\0: \x001\0\n\0", 2, DamageKind::Nul),
        (
            b"\xff\xfea\0\n\0\x00\xdcb\0",
            2,
            DamageKind::Invalid("UTF-16"),
        ),
        (
            b"\xfe\xff\0a\0\n\xd8\x00\0b",
            2,
            DamageKind::Invalid("UTF-16"),
        ),
        (
            b"\0\0\xfe\xff\0\0\0a\0\0\0\n\0\x11\0\0",
            2,
            DamageKind::Invalid("UTF-32"),
        ),
        (b"a\0\0\0\n\0\0\0b\0", 2, DamageKind::CutOff("UTF-32")),
        (b"\x1f\x8b\x08\0\0\0", 1, DamageKind::Invalid("UTF-8")),
    ] {
        assert_eq!(line_and_kind(data), Some((line, kind)), "{data:?}");
    }
}

#[test]
fn a_python_file_declares_its_encoding() {
    for (data, text) in [
        (&b"# -*- coding: latin-1 -*-\n# caf\xe9\n"[..], "# café"),
        (
            b"#!/bin/x\n# vim: set fileencoding=cp1251 :\n# \xef\xf0\n",
            "# пр",
        ),
        (b"# coding=Shift_JIS\n# \x83e\x83X\x83g\n", "# テスト"),
        (b"# coding: iso8859-15\n# \xa4\n", "# €"),
        (b"# coding: utf_8\n# \xc3\xa9\n", "# é"),
        (b"# coding: cp437\n# \x80\x9b\xfe\xff\n", "# Ç¢■\u{a0}"),
        (b"# coding: IBM850\n# \x80\x9b\xfe\xff\n", "# Çø■\u{a0}"),
    ] {
        let decoded = decode_as_declared(data).unwrap().unwrap();
        assert_eq!(decoded.text.lines().last(), Some(text));
        assert_eq!(decoded.damage, None);
    }
    for data in [
        &b"a\nb\n# coding: latin-1\n"[..],
        b"x = 1 # coding: latin-1\n",
        b"",
    ] {
        assert_eq!(decode_as_declared(data), None);
    }
    let unknown = decode_as_declared(b"#\n# coding: klingon\n");
    assert_eq!(unknown, Some(Err((2, "klingon".to_owned()))));
    let damaged = decode_as_declared(b"# coding: utf-8\n\n\xff\n").unwrap();
    assert_eq!(damaged.unwrap().damage.map(|damage| damage.line), Some(3));
}

proptest! {
    #[test]
    fn every_encoding_says_the_same(
        text in "[a-z#:][a-z0-9é\u{1F680}:# \n-]{0,40}", mark in any::<bool>()
    ) {
        let expected = Decoded { text: text.clone(), damage: None };
        for (width, is_little) in [(2, true), (2, false), (4, true), (4, false)] {
            let marked = if mark { format!("\u{feff}{text}") } else { text.clone() };
            prop_assert_eq!(decode(&encoded(&marked, width, is_little)), expected.clone());
        }
        prop_assert_eq!(decode(text.as_bytes()), expected.clone());
        prop_assert_eq!(decode(format!("\u{feff}{text}").as_bytes()), expected);
    }

    #[test]
    fn no_bytes_make_it_panic(data in prop::collection::vec(any::<u8>(), 0..40), mark in 0_usize..6) {
        let marks: [&[u8]; 6] = [b"", b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff", b"\xff\xfe\0\0", b"# coding: gbk\n"];
        let data = [marks[mark], &data].concat();
        let decoded = decode(&data);
        let lines = 1 + decoded.text.matches('\n').count();
        prop_assert!(decoded.damage.is_none_or(|damage| (1..=lines).contains(&damage.line)));
        let _ = decode_as_declared(&data);
    }
}
