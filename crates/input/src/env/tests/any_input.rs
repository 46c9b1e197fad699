//! Whatever a file says, it is read without a panic, or refused.

use proptest::prelude::*;

use super::*;

/// YAML that resembles an environment file: a scalar, a list or a mapping with meaningful keys.
fn yaml() -> impl Strategy<Value = String> {
    let scalar = prop_oneof![
        Just(String::new()),
        "[a-z]{1,4}([=<>]{0,2}[0-9.*]{0,4})?",
        "'[a-z0-9 :/@=<>\\[\\]*-]{0,20}'",
        "[0-9.]{1,4}",
        Just("https://u:p@h/c::n".to_owned()),
        Just("defaults".to_owned()),
        Just("true".to_owned()),
    ];
    scalar.prop_recursive(4, 24, 5, |inner| {
        let key = prop_oneof![
            Just("pip"),
            Just("name"),
            Just("channels"),
            Just("dependencies"),
            Just("variables"),
            Just("platforms"),
            Just("condafront"),
            Just("custom_channels"),
            Just("channel_priority"),
            Just("sel(linux)"),
            Just("prefix"),
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5)
                .prop_map(|items| format!("[{}]", items.join(", "))),
            prop::collection::btree_map(key, inner, 0..5).prop_map(|entries| {
                let entries: Vec<String> = entries
                    .into_iter()
                    .map(|(key, value)| format!("{key}: {value}"))
                    .collect();
                format!("{{{}}}", entries.join(", "))
            }),
        ]
    })
}

fn read_any(text: &str) {
    let file = SourceFile::new("env.yml", text);
    if let Ok(input) = input::read(&file, Platform::LinuxAmd64, &InputSettings::default()) {
        let Conda::Unsolved(request) = &input.conda else {
            return;
        };
        assert!(!request.channels.is_empty());
        assert!(!format!("{input:?}").contains("u:p@"));
        let parts = request.specs.len() + input.warnings.len();
        assert!(parts <= 2 * text.len() + 10);
    }
}

proptest! {
    #[test]
    fn shaped_like_a_file(
        dependencies in yaml(), channels in yaml(), section in yaml(), rest in yaml(), key in "name|variables|platforms|prefix"
    ) {
        read_any(&format!(
            "dependencies: {dependencies}\nchannels: {channels}\ncondafront: {section}\n{key}: {rest}\n"
        ));
    }

    #[test]
    fn in_lines(lines in prop::collection::vec("( {0,4}- ?)?(pip:|dependencies:|channels:|[a-z]{1,3}(=[0-9.]{1,3})?)?( # \\[(win|linux|not |osx|\\(){0,3}\\])?", 0..12)) {
        read_any(&format!("dependencies:\n{}\n", lines.join("\n")));
    }

    #[test]
    fn of_any_text(text in "\\PC{0,100}") {
        read_any(&format!("dependencies:\n - {text}\n"));
        read_any(&format!("dependencies: [a]\nchannels: ['{}']\n", text.replace('\'', "")));
    }
}

#[test]
fn a_long_list_is_read() {
    let list: String = (0..4_000).map(|i| format!("  - p{i} >=1,<2\n")).collect();
    let input = read(
        &format!("channels: [conda-forge]\ndependencies:\n{list}"),
        Platform::LinuxAmd64,
        &[],
    );
    assert_eq!(specs(&input).len(), 4_000);
}
