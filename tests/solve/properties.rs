//! Whatever channels and users write, a solve ends with an answer or an error message.

use condafront_step_spec::solve::RepodataSpec;
use condafront_steps::solve::solve;
use condafront_testkit::repodata::{Repodata, record};
use proptest::prelude::*;

use crate::{ask_lists, compressed, mount, question};

/// Text that resembles MatchSpecs.
fn spec_like() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        Just("a".to_owned()),
        Just("b".to_owned()),
        Just("__glibc".to_owned()),
        Just("https://conda.example/main::".to_owned()),
        "[a-z*^$\\[\\]=<>!~|,.:\" 0-9_-]{0,12}",
        "\\PC{0,8}",
    ];
    prop::collection::vec(word, 0..4).prop_map(|words| words.join(" "))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_matchspec_is_too_strange(spec in spec_like(), depends in spec_like(), constrains in spec_like()) {
        let mut channel = Repodata::default();
        channel
            .add(record("a 1.0 0").depends([&depends]).constrains([&constrains]))
            .add(record("a 2.0 0").depends(["b"]))
            .add(record("b 1.0 0"));
        for specs in [&[spec.as_str()][..], &["a", spec.as_str()], &["a"]] {
            if let Err(report) = ask_lists(&question(&["main"], specs), &[&channel]) {
                prop_assert!(!report.message.is_empty());
            }
        }
    }

    #[test]
    fn no_file_is_too_strange(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        cut in 0..2000usize,
        compress in any::<bool>(),
    ) {
        let mut channel = Repodata::default();
        channel.add(record("a 1.0 0")).add(record("b 1.0 0").depends(["a"]));
        let mut text = channel.json("linux-64").into_bytes();
        let at = cut.min(text.len());
        text.splice(at..at, bytes.iter().copied());
        let text = if compress { compressed(&String::from_utf8_lossy(&text)) } else { text };
        for bytes in [&bytes[..], &text[..]] {
            let input = tempfile::tempdir().unwrap();
            mount(input.path(), 0, "repodata.json", bytes);
            let files = [RepodataSpec {
                channel: 0,
                subdir: "linux-64".to_owned(),
                file: "repodata.json".to_owned(),
                address: None,
            }];
            let _ = solve(&question(&["main"], &["b"]), &files, input.path());
        }
    }
}
