//! Locks that cannot be used as they are.

use super::*;

/// What the user sees: the error, or else the first warning.
fn shown(text: &str) -> String {
    match list(text) {
        Ok(list) => list.warnings[0].diagnostic.render(Level::Warning),
        Err(error) => {
            let message = error.to_string();
            assert!(!message.contains("hunter2"), "{message}");
            error.render(Level::Error)
        }
    }
}

#[test]
fn files_of_two_channels_are_two_without_a_hash() {
    let text = format!(
        "@EXPLICIT\nhttps://c/f/linux-64/a-1-0.conda#{SHA}\nhttps://m/f/linux-64/a-1-0.conda\n"
    );
    let error = list(&text).unwrap_err();
    assert_eq!(
        error.message,
        "a is listed twice, as https://c/f/linux-64/a-1-0.conda and as https://m/f/linux-64/a-1-0.conda"
    );
}

#[test]
fn credentials_are_an_error_that_does_not_show_them() {
    let text = format!(
        "@EXPLICIT\nhttps://c/f/linux-64/a-1-0.conda#{SHA}\nhttps://c.example/t/tk-1/f/linux-64/b-1-0.conda#{SHA}\n"
    );
    insta::assert_snapshot!(list(&text).unwrap_err().render(Level::Error));
}

#[test]
fn mistakes_read_well() {
    let sha = format!("#sha256:{SHA}");
    let cases = [
        ("empty", String::new()),
        (
            "nothing listed",
            "# syntax=org/condafront\n@EXPLICIT\n".into(),
        ),
        (
            "no marker",
            "# syntax=org/condafront\nhttps://c/f/linux-64/a-1-0.conda\n".into(),
        ),
        (
            "before the marker",
            "https://c/f/linux-64/a-1-0.conda\n@EXPLICIT\n".into(),
        ),
        (
            "text before the marker",
            "$ conda list --explicit\n@EXPLICIT\nhttps://c/f/linux-64/a-1-0.conda\n".into(),
        ),
        (
            "a misspelt marker",
            "# all packages\n@explicit\nhttps://c/f/linux-64/a-1-0.conda\n".into(),
        ),
        (
            "a comment after the marker",
            "@EXPLICIT  # all packages\nhttps://c/f/linux-64/a-1-0.conda\n".into(),
        ),
        ("not a URL", "@EXPLICIT\nnumpy=1.26\n".into()),
        (
            "a channel's package",
            "@EXPLICIT\nconda-forge::numpy=1.26=py312_0\n".into(),
        ),
        (
            "two URLs on a line",
            "@EXPLICIT\nhttps://c/f/linux-64/a-1-0.conda https://c/f/linux-64/b-1-0.conda\n".into(),
        ),
        (
            "a requirement",
            format!("@EXPLICIT\nidna==3.10 --hash=sha256:{SHA}\n"),
        ),
        (
            "a path",
            "@EXPLICIT\n/opt/pkgs/linux-64/a-1-0.conda\n".into(),
        ),
        (
            "a file URL",
            "@EXPLICIT\nfile:///opt/pkgs/linux-64/a-1-0.conda\n".into(),
        ),
        (
            "another scheme",
            "@EXPLICIT\ns3://bucket/linux-64/a-1-0.conda\n".into(),
        ),
        ("a folder", "@EXPLICIT\nhttps://c/f/linux-64/\n".into()),
        ("no name", "@EXPLICIT\nhttps://c/f/linux-64/.conda\n".into()),
        (
            "a wheel",
            "@EXPLICIT\nhttps://c/f/linux-64/a-1-py3-none-any.whl\n".into(),
        ),
        (
            "what pip installed",
            "@EXPLICIT\nhttps://conda.anaconda.org/pypi/noarch/six-1.16.0-pypi_0.tar.bz2\n".into(),
        ),
        (
            "what pip installed, as conda lists it",
            "@EXPLICIT\nsix=1.16.0=pypi_0\n".into(),
        ),
        (
            "no platform folder",
            "@EXPLICIT\nhttps://c/a-1-0.conda\n".into(),
        ),
        (
            "a bad hash",
            "@EXPLICIT\nhttps://c/f/linux-64/a-1-0.conda#deadbeef\n".into(),
        ),
        (
            "a hash of another length",
            format!(
                "@EXPLICIT\nhttps://c/f/linux-64/a-1-0.conda#sha256:{}\n",
                &SHA[1..]
            ),
        ),
        (
            "a hash as pip writes it",
            format!("@EXPLICIT\nhttps://c/f/linux-64/a-1-0.conda#md5={MD5}\n"),
        ),
        (
            "a hash of another kind",
            format!("@EXPLICIT\nhttps://c/f/linux-64/a-1-0.conda#sha512:{SHA}{SHA}\n"),
        ),
        (
            "a comment after a hash",
            format!("@EXPLICIT\nhttps://c/f/linux-64/a-1-0.conda#{MD5}  # pinned\n"),
        ),
        (
            "a comment after a URL",
            "@EXPLICIT\nhttps://c/f/linux-64/a-1-0.conda # pinned\n".into(),
        ),
        (
            "a long URL",
            format!(
                "@EXPLICIT\nhttps://c/f/linux-64/{}.conda\n",
                "a".repeat(10_000)
            ),
        ),
        (
            "two versions",
            format!(
                "@EXPLICIT\nhttps://c/f/linux-64/a-1-0.conda{sha}\n\nhttps://c/f/linux-64/a-2-0.conda{sha}\n"
            ),
        ),
        (
            "two hashes",
            format!(
                "@EXPLICIT\nhttps://c/f/linux-64/a-1-0.conda{sha}\nhttps://c/f/linux-64/a-1-0.conda#{}\n",
                "0".repeat(64)
            ),
        ),
        (
            "another platform",
            format!("# platform: osx-arm64\n@EXPLICIT\nhttps://c/f/osx-arm64/a-1-0.conda{sha}\n"),
        ),
        (
            "a platform of ours",
            format!(
                "@EXPLICIT\nhttps://c/f/noarch/b-1-0.conda{sha}\nhttps://c/f/linux-aarch64/a-1-0.conda{sha}\n"
            ),
        ),
        (
            "a pip package from a repository",
            format!(
                "@EXPLICIT\nhttps://c/f/noarch/b-1-0.conda{sha}\n# pip idna @ git+https://me:hunter2@f/idna@v1\n"
            ),
        ),
        (
            "a pip package on one machine",
            format!(
                "@EXPLICIT\nhttps://c/f/noarch/b-1-0.conda{sha}\n# pip idna @ file:///w/idna-3.10-py3-none-any.whl\n"
            ),
        ),
        (
            "a pip package with a bad hash",
            format!(
                "@EXPLICIT\nhttps://c/f/noarch/b-1-0.conda{sha}\n# pip idna @ https://f/idna-3.10-py3-none-any.whl#sha256=12\n"
            ),
        ),
        (
            "two pip packages of one name",
            format!(
                "@EXPLICIT\nhttps://c/f/noarch/b-1-0.conda{sha}\n# pip a.b @ https://f/a_b-1-py3-none-any.whl\n# pip A_B @ https://f/a_b-2-py3-none-any.whl\n"
            ),
        ),
        (
            "an invalid variable",
            format!("# variable: 1=2\n@EXPLICIT\nhttps://c/f/noarch/b-1-0.conda{sha}\n"),
        ),
        (
            "a secret is not shown",
            "@EXPLICIT\nhttps://me:hunter2@c/f/linux-64/a-1-py3-none-any.whl\n".into(),
        ),
    ];
    let mut all = String::new();
    for (name, text) in cases {
        all.push_str(&format!("## {name}\n{}\n\n", shown(&text)));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn garbage_is_reported_at_its_line() {
    let file = SourceFile::new("env.lock", b"@EXPLICIT\n\x00\x9f\x92\x96\n".to_vec());
    let error = read(&file).unwrap_err();
    assert_eq!(error.locations[0].lines, Lines::one(2));
}

#[test]
fn variables_that_no_program_can_have_are_errors_at_their_lines() {
    let long = "x".repeat(300 << 10);
    for (value, why) in [
        (long.as_str(), "has 301 KiB"),
        ("\"a\\u0000b\"", "contains a NUL character"),
    ] {
        let text = format!(
            "# variable: OK=1\n# variable: A={value}\n@EXPLICIT\nhttps://c.example/noarch/a-1-0.conda#{MD5}\n"
        );
        let error = list(&text).unwrap_err();
        assert_eq!(error.locations[0].lines.first, 2);
        assert!(error.message.starts_with(&format!("the variable A {why}")));
    }
}

#[test]
fn what_is_wrong_for_another_platform_does_not_matter() {
    let other = "file:///opt/bld/osx-64/a-1-0.conda\nhttps://$HOST/f/osx-64/b-1-0.conda\nhttps://c.example/f/osx-64/c-1-0.conda#12\n";
    let both = format!("@EXPLICIT\n{other}https://c.example/f/linux-64/a-1-0.conda#{SHA}\n");
    assert_eq!(list(&both).unwrap().packages.len(), 1);
    let error = list(&format!("@EXPLICIT\n{other}")).unwrap_err();
    assert_eq!(
        error.message,
        "the lock is for osx-64, but the image is built for linux/amd64 (linux-64)"
    );
}

#[test]
fn variables_without_a_value_are_an_error_at_their_line() {
    let mut all = String::new();
    for line in [
        "https://$USER:$PASSWORD@c.example/f/noarch/a-1-0.conda#sha256:0a",
        "https://c.example/t/${TOKEN}/f/noarch/a-1-0.conda",
        "https://$HOST/f/noarch/a-1-0.conda",
        "# pip x @ https://$USER:$PASSWORD@c.example/x-1-py3-none-any.whl",
        "# variable: PATH=\"/custom/bin\"",
    ] {
        let text = format!("@EXPLICIT\nhttps://c.example/f/noarch/b-1-0.conda#{SHA}\n{line}\n");
        let shown = match list(&text) {
            Err(error) => error.render(Level::Error),
            Ok(input) => input.warnings[0].diagnostic.render(Level::Warning),
        };
        all.push_str(&format!("{shown}\n\n"));
    }
    insta::assert_snapshot!(all);
}
