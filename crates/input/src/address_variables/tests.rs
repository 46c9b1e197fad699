use super::*;

fn args() -> BuildArgs {
    [
        ("HOST", "conda.example"),
        ("CHANNEL", "conda-forge"),
        ("URL", "https://conda.example/base"),
        ("PRIVATE", "https://ada:hunter2@conda.example/base"),
    ]
    .into_iter()
    .collect()
}

/// The same with a login for `host`.
fn with_login(host: &str) -> BuildArgs {
    let name = format!("HTTP_AUTH_HEADER_{host}");
    args().with_logins(Logins::Given([name].into()))
}

#[test]
fn variables_are_replaced_as_conda_replaces_them() {
    for (written, filled) in [
        ("conda-forge", "conda-forge"),
        ("$CHANNEL", "conda-forge"),
        ("${CHANNEL}/label/dev", "conda-forge/label/dev"),
        (
            "https://${HOST}:80/$CHANNEL",
            "https://conda.example:80/conda-forge",
        ),
        ("${URL}/noarch", "https://conda.example/base/noarch"),
        // A dollar or a percent sign alone.
        ("https://h/a$/b%20c", "https://h/a$/b%20c"),
        // No credentials.
        ("https://h/pkgs/a@1.0/x", "https://h/pkgs/a@1.0/x"),
        ("https://@h/c", "https://@h/c"),
        ("https://h/not/a/t/", "https://h/not/a/t/"),
        // Placeholders are left out elsewhere.
        ("https://h/t/<TOKEN>/c", "https://h/t/<TOKEN>/c"),
        (
            "https://%USER%:%PASSWORD%@h/c",
            "https://%USER%:%PASSWORD%@h/c",
        ),
    ] {
        let address = fill(written, &args()).unwrap();
        assert_eq!(address.text, filled, "{written}");
        assert_eq!(address.left_out, None, "{written}");
    }
}

#[test]
fn what_an_address_lacks_is_told() {
    let mut all = String::new();
    for written in [
        "https://$NOWHERE/forge",
        "https://$NOWHERE/$NOTHING/$NOWHERE",
        "$MY_CHANNEL",
        "https://${A:-b}/forge",
        // Credentials in all their forms.
        "https://ada:hunter2@conda.example:8080/forge",
        "https://${A}:${B}@conda.example/forge",
        "https://$A:$B@$HOST/forge",
        "https://conda.example/t/$QUETZ_API_KEY/forge",
        "https://conda.example/t//tk-9f/forge",
        "https://ada@conda.example/forge",
        "https://:hunter2@conda.example/forge",
        "https://ada:12/hunter2@conda.example/forge",
        "$PRIVATE",
        "${PRIVATE}/label/dev",
        "https://ada:hunter2@[::1]:80/forge",
    ] {
        let error = fill(written, &args()).unwrap_err();
        all.push_str(&format!("{written}\n    {}\n    {}\n", error, error.help()));
    }
    assert!(
        !all.replace("ada:hunter2@", "")
            .replace("hunter2@conda", "")
            .contains("hunter2")
    );
    insta::assert_snapshot!(all);
}

#[test]
fn a_login_that_the_engine_sends_takes_the_place_of_the_one_in_the_address() {
    for (written, filled, left_out) in [
        ("https://$A:$B@c.example/x", "https://c.example/x", false),
        ("https://ada:$B@c.example/x", "https://c.example/x", false),
        ("https://ada:b@c.example/x", "https://c.example/x", true),
        ("https://ada:b/c#?@c.example/x", "https://c.example/x", true),
        (
            "https://c.example:80/t/${A}/x#0a",
            "https://c.example:80/x#0a",
            false,
        ),
        (
            "https://c.example/a/t/tk-1/x",
            "https://c.example/a/x",
            true,
        ),
    ] {
        let address = fill(written, &with_login("c.example")).unwrap();
        assert_eq!(address.text, filled);
        assert_eq!(address.left_out.is_some(), left_out, "{written}");
        let bare = without_credentials(written, &with_login("c.example")).unwrap();
        assert_eq!(bare.text, filled);
    }
    let filled = fill("https://$A:$B@$HOST/x", &with_login("conda.example")).unwrap();
    assert_eq!(filled.text, "https://conda.example/x");
    assert!(fill("https://$A:$B@d.example/x", &with_login("c.example")).is_err());
    assert!(fill("https://$A@c.example/$B", &with_login("c.example")).is_err());
    let anywhere = args().with_logins(Logins::Unknown);
    assert_eq!(
        fill("https://a:b@h/x", &anywhere).unwrap().text,
        "https://h/x"
    );
}

#[test]
fn the_image_section_has_other_forms_besides() {
    for text in ["https://${HOST:-h}/$CHANNEL", "$HOST", "https://h/${A}"] {
        assert_eq!(without_credentials(text, &args()).unwrap().text, text);
    }
    assert!(without_credentials("https://${USER:-me}:$PASSWORD@h", &args()).is_err());
}

#[test]
fn logins_are_looked_for_where_an_address_has_credentials() {
    let text = "channels:\n  - \"https://${A}:$B@a.example/$C\"\n  - https://b.example:80/t/$D/x # no\n  - $F\n\
        dependencies: [\"x[channel=https://$G@c.example]\", 'https://d.example/t/${H}/c::y', https://no.example/c]\n\
        @EXPLICIT\nhttps://u:p==@e.example/c/noarch/x-1-0.conda#0a\nhttps://no.example=https://a:b,c@f.example, http://$HOST/t/x/y\n";
    let hosts: Vec<String> = login_names(text, &args())
        .into_iter()
        .filter_map(|name| Some(name.strip_prefix("HTTP_AUTH_TOKEN_")?.to_owned()))
        .collect();
    assert_eq!(
        hosts,
        [
            "a.example",
            "b.example",
            "c.example",
            "conda.example",
            "d.example",
            "e.example",
            "f.example"
        ]
    );
}
