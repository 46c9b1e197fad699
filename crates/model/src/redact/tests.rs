use super::*;

/// A URL as written, as recorded and as shown.
const URLS: &[(&str, &str, &str)] = &[
    (
        "https://conda.anaconda.org/t/tk-1.2/private/linux-64/a-1-0.conda",
        "https://conda.anaconda.org/private/linux-64/a-1-0.conda",
        "https://conda.anaconda.org/t/***/private/linux-64/a-1-0.conda",
    ),
    (
        "https://me:secret@example.org/ch/noarch/a-1-0.conda#abc",
        "https://example.org/ch/noarch/a-1-0.conda#abc",
        "https://***@example.org/ch/noarch/a-1-0.conda#abc",
    ),
    (
        "https://example.org/conda/t/tk/ch/linux-64?sig=abc",
        "https://example.org/conda/ch/linux-64?sig=abc",
        "https://example.org/conda/t/***/ch/linux-64?***",
    ),
    (
        "https://token@example.org/ch",
        "https://example.org/ch",
        "https://***@example.org/ch",
    ),
    (
        "https://example.org/t//tk/ch",
        "https://example.org/ch",
        "https://example.org/t/***/ch",
    ),
    (
        "https://example.org/t/tk",
        "https://example.org/",
        "https://example.org/t/***",
    ),
    (
        "https://example.org/ch",
        "https://example.org/ch",
        "https://example.org/ch",
    ),
    (
        "https://example.org",
        "https://example.org",
        "https://example.org",
    ),
    ("conda-forge", "conda-forge", "conda-forge"),
];

#[test]
fn credentials_are_neither_recorded_nor_shown() {
    for (url, recorded, shown) in URLS {
        assert_eq!(without_credentials(url), *recorded);
        assert_eq!(masked(url), *shown);
    }
}

#[test]
fn the_names_of_parameters_say_what_is_secret() {
    for (query, expected) in [
        ("", false),
        ("raw=true", false),
        ("dl=1&inline=", false),
        ("download", false),
        ("ref_type=heads", false),
        ("versionId=3HL4kqtJlcpXroDTDmJ.rmSpXd3dIbrHY", false),
        ("file=demo-1.0-py3-none-any.whl", false),
        ("path=a%2Fb&md5=d41d8cd98f00b204e9800998ecf8427e", false),
        ("author=me&keyword=a&monkey=1&cursor=2", false),
        ("raw=true&sig=abc", true),
        ("token=abc", true),
        ("private_token=abc", true),
        ("accessToken=abc", true),
        ("AWSAccessKeyId=abc", true),
        ("X-Amz-Date=20240101T000000Z", true),
        ("X-Goog-Expires=60", true),
        ("Key-Pair-Id=abc", true),
        ("auth_code=1234", true),
        ("signature=abc", true),
        ("sv=2024&sr=b&sig=a%2Bb%3D", true),
        ("t=eyJhbGciOiJIUzI1NiJ9", true),
        ("c2VjcmV0LXRva2VuMQ", true),
        (&format!("p={}", "x".repeat(120)), true),
        // A token without a name, with the padding of base64.
        ("c2VjcmV0LXRva2VuMQ=", true),
        ("3f8a2c=1", true),
    ] {
        assert_eq!(is_secret(query), expected, "{query}");
    }
}

#[test]
fn a_query_is_shown_if_none_of_it_can_be_a_secret() {
    for (query, is_shown) in [
        ("subdirectory=py&rev=v1.0", true),
        ("raw=true", true),
        ("file=demo-1.0/x.whl", true),
        ("inline=", true),
        ("", false),
        ("download", false),
        ("raw=true&sig=abc", false),
        ("raw=true&abc", false),
        ("url=https%3A%2F%2Fme%3Apw%40c.example", false),
        ("user=me:pw", false),
        ("user=me@c.example", false),
        ("rev=d41d8cd98f00b204e9800998ecf8427e", false),
        // What is refused as a secret in an address is not shown either.
        ("ref=eyJhbGciOiJIUzI1NiJ9", false),
        ("ref=eyJhbGci", false),
        (&"raw=true&".repeat(20)[..179], false),
        ("x=hunter2", false),
        ("raw=true&pin=1234", false),
        ("page=1)", false),
    ] {
        let shown = if is_shown { query } else { "***" };
        assert_eq!(
            masked(&format!("https://c.example/a?{query}#b")),
            format!("https://c.example/a?{shown}#b")
        );
    }
}

#[test]
fn tokens_in_names_of_channels_are_masked() {
    for (text, shown) in [
        ("t/tk-12/private", "t/***/private"),
        ("  - \"t/0a1b2c/private\"", "  - \"t/***/private\""),
        ("[t/Abc/a/label/dev, b]", "[t/***/a/label/dev, b]"),
        ("t//tk-12/private", "t/***/private"),
        ("`t/tk-12/private::numpy`", "`t/***/private::numpy`"),
        (
            "copy: t/data/x ./t/tk-12/x t/tk-12",
            "copy: t/data/x ./t/tk-12/x t/tk-12",
        ),
    ] {
        assert_eq!(masked(text), shown);
    }
}

#[test]
fn passwords_are_masked_that_a_url_must_not_have() {
    for password in [
        "pass/word",
        "pass#word",
        "pass?word",
        "pass word",
        "p@ss/word",
        "12/34",
        "12 34",
        "/x",
        " x",
        "a/b c#d",
        "p@ss",
        "p:w/x",
    ] {
        let text = format!("- https://me:{password}@c.example/a/b?q #x");
        assert_eq!(
            masked(&text),
            "- https://***@c.example/a/b?*** #x",
            "{text}"
        );
    }
}

#[test]
fn what_only_looks_like_a_password_is_shown() {
    for text in [
        "git+https://github.com/a/b@v1.2",
        "http://127.0.0.1:5000/a/b@v1.2 me@example.org",
        "http://registry:5000/a@sha256:0a",
        "http://[::1]:5000/a@b",
        "https://example.org/@scope/a me@example.org",
        "https://me@example.org\nhttps://c.example:x/\nme@example.org",
    ] {
        assert_eq!(masked(text), text.replace("//me@", "//***@"));
    }
    for host in ["github.com", "git"] {
        assert_eq!(
            masked(&format!("git+https://me:pw@{host}/a/b@v1")),
            format!("git+https://***@{host}/a/b@v1")
        );
    }
}

#[test]
fn every_url_in_a_text_is_masked() {
    assert_eq!(
        masked("https://a=https://me:pass@b/t/tk-1/c, then ftp://x@y and me@example.org"),
        "https://a=https://***@b/t/***/c, then ftp://***@y and me@example.org"
    );
    assert_eq!(masked("htps//x@y"), "htps//x@y");
    assert_eq!(
        masked("- me:pass@example.org/ch\nubuntu:24.04@sha256:0a me@example.org:x"),
        "- ***@example.org/ch\nubuntu:24.04@sha256:0a me@example.org:x"
    );
}
