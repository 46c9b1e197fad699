use super::*;
use crate::secrets::Secrets;

fn args() -> BuildArgs {
    let args = [
        ("USER", "ada"),
        ("HOST", "conda.example"),
        ("EMPTY", ""),
        ("BOTH", "ada:p@ss:w"),
        ("ENCODED", "p%40ss%"),
        ("CHANNEL", "conda-forge"),
        ("URL", "https://conda.example/base"),
    ];
    let secrets = [("PASSWORD", "p@ss/w rd:#?%$é\n"), ("TOKEN", "tk-1/2")];
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    let secrets: Secrets = secrets.into_iter().map(owned).collect();
    args.into_iter()
        .collect::<BuildArgs>()
        .with_secrets(secrets)
}

#[test]
fn variables_are_replaced_as_conda_replaces_them() {
    const PASSWORD: &str = "p%40ss%2Fw%20rd%3A%23%3F%25%24%C3%A9";
    for (written, filled, credentials) in [
        ("conda-forge", "conda-forge", CredentialSource::Text),
        (
            "https://ada:x@conda.example/f",
            "https://ada:x@conda.example/f",
            CredentialSource::Text,
        ),
        ("$CHANNEL", "conda-forge", CredentialSource::Text),
        (
            "${CHANNEL}/label/dev",
            "conda-forge/label/dev",
            CredentialSource::Text,
        ),
        (
            "https://${HOST}:80/$CHANNEL",
            "https://conda.example:80/conda-forge",
            CredentialSource::Text,
        ),
        (
            "${URL}/noarch",
            "https://conda.example/base/noarch",
            CredentialSource::Text,
        ),
        (
            "https://${USER}:${PASSWORD}@h/c",
            &format!("https://ada:{PASSWORD}@h/c"),
            CredentialSource::BuildArg,
        ),
        (
            "https://ada:$PASSWORD@h/c",
            &format!("https://ada:{PASSWORD}@h/c"),
            CredentialSource::Secret,
        ),
        (
            "https://$BOTH@h/c",
            "https://ada:p%40ss%3Aw@h/c",
            CredentialSource::BuildArg,
        ),
        (
            "https://ada:$ENCODED@h",
            "https://ada:p%40ss%25@h",
            CredentialSource::BuildArg,
        ),
        (
            "https://h/t/$TOKEN/c#0a",
            "https://h/t/tk-1%2F2/c#0a",
            CredentialSource::Secret,
        ),
        (
            "https://h/conda/t/${TOKEN}",
            "https://h/conda/t/tk-1%2F2",
            CredentialSource::Secret,
        ),
        (
            "https://u:p@h/t/x${TOKEN}y/c",
            "https://u:p@h/t/xtk-1%2F2y/c",
            CredentialSource::Text,
        ),
        // Credentials that are left out.
        (
            "https://$EMPTY:${EMPTY}@h/c",
            "https://h/c",
            CredentialSource::Text,
        ),
        (
            "https://$EMPTY@h/t/$EMPTY/c",
            "https://h/c",
            CredentialSource::Text,
        ),
        (
            "https://$USER:$EMPTY@h/c",
            "https://ada:@h/c",
            CredentialSource::BuildArg,
        ),
        // A dollar or a percent sign alone.
        (
            "https://h/a$/b%20c",
            "https://h/a$/b%20c",
            CredentialSource::Text,
        ),
        (
            "https://a%40b%40c:$@h/c",
            "https://a%40b%40c:$@h/c",
            CredentialSource::Text,
        ),
        (
            "https://a%ss%b:%x@h/c",
            "https://a%ss%b:%x@h/c",
            CredentialSource::Text,
        ),
    ] {
        let address = fill(written, &args()).unwrap();
        assert_eq!(address.text, filled, "{written}");
        assert_eq!(address.credentials, credentials, "{written}");
    }
}

#[test]
fn values_that_are_missing_are_named() {
    let mut all = String::new();
    for written in [
        "https://${USER}:${NOTHING}@conda.example:8080/forge",
        "https://$A:$B@conda.example/forge",
        "https://conda.example/t/$QUETZ_API_KEY/forge",
        "https://$NOWHERE/forge",
        "https://$A:$B@$NOWHERE/forge",
        // A secret is not recorded, and these parts of an address are.
        "https://conda.example/$TOKEN/forge",
        "$MY_CHANNEL",
        "https://${A:-b}@conda.example/forge",
        "https://%USER%:%PASSWORD%@conda.example/forge",
    ] {
        let error = fill(written, &args()).err().unwrap();
        all.push_str(&format!("{written}\n    {}\n    {}\n", error, error.help()));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn only_credentials_can_be_secrets() {
    let text = "channels:\n  - \"https://${A}:$B@h/$C\"\n  - https://h/t/$D/x # https://${E}@h\n  - $F\ndependencies: [\"x[channel=https://$G@h]\", 'https://h/t/${H}/c::y']\n\
        @EXPLICIT\nhttps://u:$I@h/c/noarch/x-1-0.conda#0a\nhttps://a=https://$J:p@b ${K} http://h/${L}\n";
    let names: Vec<String> = credential_variables(text).into_iter().collect();
    assert_eq!(names.concat(), "ABDEGHIJ");
    let names: Vec<String> = secret_names("- https://$A@c.example:80/x\n- https://d.example/$B\n")
        .into_iter()
        .collect();
    let expected = [
        "A",
        "HTTP_AUTH_HEADER_c.example",
        "HTTP_AUTH_TOKEN_c.example",
    ];
    assert_eq!(names, expected);
}

#[test]
fn a_login_that_the_engine_sends_takes_the_place_of_the_one_in_the_address() {
    let login = (
        "HTTP_AUTH_HEADER_c.example".to_owned(),
        "Basic eA==".to_owned(),
    );
    let args = BuildArgs::default().with_secrets([login].into_iter().collect());
    for (written, filled) in [
        ("https://$A:$B@c.example/x", "https://c.example/x"),
        ("https://ada:$B@c.example/x", "https://c.example/x"),
        ("https://c.example:80/t/${A}/x", "https://c.example:80/x"),
    ] {
        assert_eq!(fill(written, &args).unwrap().text, filled);
        assert_eq!(fill_credentials(written, &args).unwrap(), filled);
    }
    assert!(fill("https://$A:$B@d.example/x", &args).is_err());
    assert!(fill("https://$A@c.example/$B", &args).is_err());
}

#[test]
fn the_image_section_has_other_forms_besides() {
    let text = "https://${USER}:$PASSWORD@${HOST:-h}/t/$TOKEN/$CHANNEL";
    let filled = fill_credentials(text, &args()).unwrap();
    assert!(filled.starts_with("https://ada:p%40ss"), "{filled}");
    assert!(
        filled.ends_with("@${HOST:-h}/t/tk-1%2F2/$CHANNEL"),
        "{filled}"
    );
    for text in ["https://${USER:-me}:$PASSWORD@h", "$HOST", "https://h/${A}"] {
        assert_eq!(fill_credentials(text, &args()).unwrap(), text);
    }
    assert!(fill_credentials("https://me:$NOTHING@h", &args()).is_err());
}
