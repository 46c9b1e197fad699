use super::*;

fn found(names: &ChannelNames, text: &str) -> Vec<String> {
    let channels = names.resolve(text, Platform::LinuxAmd64).unwrap();
    channels
        .iter()
        .map(|channel| {
            let url = channel.url.join("x").url().to_string();
            format!("{} {}", channel.name, url.trim_end_matches("/x"))
        })
        .collect()
}

#[test]
fn names_and_urls_are_resolved_as_conda_does() {
    let names = ChannelNames::default();
    for (text, channels) in [
        (
            "conda-forge",
            &["conda-forge https://conda.anaconda.org/conda-forge"][..],
        ),
        (
            "conda-forge/label/dev/",
            &["conda-forge/label/dev https://conda.anaconda.org/conda-forge/label/dev"],
        ),
        (
            "conda-forge/linux-64",
            &["conda-forge https://conda.anaconda.org/conda-forge"],
        ),
        ("nodefaults", &[]),
        (
            "defaults",
            &[
                "pkgs/main https://repo.anaconda.com/pkgs/main",
                "pkgs/r https://repo.anaconda.com/pkgs/r",
            ],
        ),
        (
            "https://conda.example/a/b/linux-64/",
            &["https://conda.example/a/b https://conda.example/a/b"],
        ),
        (
            "https://me:pw@conda.example/t/tk/forge/noarch",
            &["https://conda.example/forge https://me:pw@conda.example/t/tk/forge"],
        ),
        (
            "t/tk-1/private/label/dev",
            &["private/label/dev https://conda.anaconda.org/t/tk-1/private/label/dev"],
        ),
        (
            "t/tk-1/private/linux-64",
            &["private https://conda.anaconda.org/t/tk-1/private"],
        ),
        (
            "t/<TOKEN>/private",
            &["private https://conda.anaconda.org/private"],
        ),
        (
            "https://<user>:***@conda.example/t/{{ TOKEN }}/forge",
            &["https://conda.example/forge https://conda.example/forge"],
        ),
    ] {
        assert_eq!(found(&names, text), channels, "{text}");
    }
}

#[test]
fn the_alias_and_custom_channels_change_addresses() {
    let url = |text: &str| ChannelUrl::parse(text).unwrap();
    let names = ChannelNames {
        alias: url("https://mirror.example/conda/"),
        custom: [
            ("internal".to_owned(), url("https://tk@conda.example/x/")),
            ("defaults".to_owned(), url("https://mirror.example")),
        ]
        .into(),
    };
    for (text, channel) in [
        (
            "conda-forge",
            "conda-forge https://mirror.example/conda/conda-forge",
        ),
        (
            "internal/label/dev",
            "internal/label/dev https://tk@conda.example/x/internal/label/dev",
        ),
        ("defaults", "defaults https://mirror.example/defaults"),
    ] {
        assert_eq!(found(&names, text), [channel]);
    }
}

#[test]
fn placeholders_for_credentials_are_noticed() {
    let names = ChannelNames {
        alias: ChannelUrl::parse("https://mirror.example/t/<TOKEN>/").unwrap(),
        ..ChannelNames::default()
    };
    for (text, is_noticed) in [
        ("https://c.example/t/<TOKEN>/forge", true),
        ("private", true),
        ("https://c.example/t/tk-1/forge", false),
        ("https://c.example/forge", false),
    ] {
        let found = names.resolve(text, Platform::LinuxAmd64).unwrap();
        assert_eq!(found[0].url.has_placeholder(), is_noticed, "{text}");
    }
    assert_eq!(
        found(&names, "private"),
        ["private https://mirror.example/private"]
    );
    let many = "t/TOKEN/".repeat(100_000);
    for text in [format!("{many}c"), format!("https://c.example/{many}c")] {
        assert!(names.resolve(&text, Platform::LinuxAmd64).is_ok());
    }
}

#[test]
fn a_channel_has_no_query() {
    let resolve = |text: &str| ChannelNames::default().resolve(text, Platform::LinuxAmd64);
    let error = resolve("https://c.example/forge?sig=hunter2").unwrap_err();
    assert_eq!(
        error.to_string(),
        "`https://c.example/forge?***` has a query, which the URL of a channel cannot have"
    );
    let found = resolve("https://c.example/forge?#top").unwrap();
    assert_eq!(found[0].url.recorded(), "https://c.example/forge");
}

#[test]
fn anacondas_own_channels_are_recognised() {
    for (text, own) in [
        ("defaults", true),
        ("anaconda", true),
        ("main", true),
        ("https://conda.anaconda.org/t/tk/main", true),
        ("https://repo.anaconda.com/pkgs/main", true),
        ("https://repo.continuum.io/pkgs/free", true),
        ("conda-forge", false),
        ("https://conda.example/main", false),
    ] {
        let channels = ChannelNames::default()
            .resolve(text, Platform::LinuxAmd64)
            .unwrap();
        assert_eq!(channels[0].url.is_anacondas(), own, "{text}");
    }
}

proptest::proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "[a-z:/.@\\[\\]#? -]{0,40}") {
        let _ = ChannelNames::default().resolve(&text, Platform::LinuxAmd64);
        let _ = ChannelNames::default().resolve(&format!("https://{text}"), Platform::LinuxAmd64);
    }
}
