use url::Url;

use super::*;
use condafront_model::channel::ChannelUrl;
use condafront_model::source::{Level, Lines};

fn url() -> PackageUrl {
    PackageUrl::new(Url::parse("https://me:hunter2@c.example/f/noarch/a-1-0.conda").unwrap())
}

fn wanted(kind: WantedKind, label: &str) -> Wanted {
    Wanted {
        kind,
        label: label.to_owned(),
        lines: Lines::one(1),
        file: None,
    }
}

fn failures() -> Vec<Failure> {
    let message = |text: &str| Failure::from_message(url(), text);
    let content = |text: &[u8]| {
        Failure::from_content(url(), text, text.len(), &"e".repeat(64), "f".repeat(64))
    };
    vec![
        message("failed to load cache key: invalid response status 401"),
        message("failed to load cache key: invalid response status 404"),
        message("failed to load cache key: invalid response status 503"),
        message(
            "Get \"https://c.example/f\": dial tcp: lookup c.example on 1.1.1.1:53: no such host",
        ),
        message(
            "Get \"https://c.example/f\": tls: failed to verify certificate: x509: certificate signed by unknown authority",
        ),
        message(
            "Get \"https://c.example/f\": tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time 2026-01-01T00:00:00Z is after 2025-01-01T00:00:00Z",
        ),
        message("Get \"https://c.example/f\": remote error: tls: handshake failure"),
        message(
            "Get \"https://c.example/f\": read tcp 127.0.0.1:1->127.0.0.1:2: read: connection reset by peer",
        ),
        message("Get \"https://c.example/f\": EOF"),
        message("unexpected EOF"),
        content(b"<!DOCTYPE html><html>Log in</html>"),
        content(b"PK\x03\x04"),
        message("digest mismatch sha256:eee: sha256:fff"),
        message(
            "source \"https://me:hunter2@c.example/f\" denied by policy: source denied by policy",
        ),
        message(
            "error evaluating the source policy: source \"https://me:hunter2@c.example/f\" not allowed by policy: action DENY",
        ),
    ]
}

#[test]
fn every_cause_reads_well_and_shows_no_secret() {
    let file = SourceFile::new(
        "env.lock",
        "https://me:hunter2@c.example/f/noarch/a-1-0.conda\n",
    );
    let package = wanted(WantedKind::Package, "a-1.0-0");
    let mut all = String::new();
    for failure in failures() {
        let again = if failure.is_passing() {
            "tried again"
        } else {
            "final"
        };
        let diagnostic = report(&file, &[(&package, failure)]).unwrap();
        all.push_str(&format!(
            "## {again}\n{}\n\n",
            diagnostic.render(Level::Error)
        ));
    }
    let many: Vec<_> = failures()
        .into_iter()
        .map(|failure| (&package, failure))
        .collect();
    all.push_str(&format!("## all\n{}\n", report(&file, &many).unwrap()));
    assert!(!all.contains("hunter2"));
    insta::assert_snapshot!(all);
}

#[test]
fn channels_that_fail_are_named() {
    let file = SourceFile::new(
        "env.yml",
        "channels:\n  - https://me:hunter2@c.example/f\ndependencies: [a]\n",
    );
    let channel = Channel {
        name: "https://c.example/f".to_owned(),
        url: ChannelUrl::new(Url::parse("https://me:hunter2@c.example/f").unwrap()),
        lines: Lines::one(2),
    };
    let url = channel.url.join("noarch/repodata.json");
    let failures: Vec<Failure> = ["401", "404", "503"]
        .iter()
        .map(|status| {
            let message = format!("failed to load cache key: invalid response status {status}");
            Failure::from_message(url.clone(), &message)
        })
        .chain([Failure::from_message(url.clone(), "no such host")])
        .collect();
    let mut all = String::new();
    for failure in &failures {
        let diagnostic = report_channels(&file, &[(&channel, failure.clone())]).unwrap();
        all.push_str(&format!("{}\n\n", diagnostic.render(Level::Error)));
    }
    let many: Vec<_> = failures
        .into_iter()
        .map(|failure| (&channel, failure))
        .collect();
    all.push_str(&format!(
        "## all\n{}\n",
        report_channels(&file, &many).unwrap()
    ));
    assert!(!all.contains("hunter2"));
    insta::assert_snapshot!(all);
}

#[test]
fn a_missing_pip_comes_with_advice() {
    let file = SourceFile::new("pixi.lock", "# syntax=org/condafront\nversion: 6\n");
    let pip = wanted(WantedKind::PipInstaller, "pip 26.3");
    let url = Url::parse("https://files.pythonhosted.org/packages/pip-26.3-py3-none-any.whl");
    let failure = Failure::from_message(
        PackageUrl::new(url.unwrap()),
        "failed to load cache key: invalid response status 404",
    );
    let diagnostic = report(&file, &[(&pip, failure)]).unwrap();
    insta::assert_snapshot!(diagnostic.render(Level::Error));
}

#[test]
fn only_a_channel_has_repodata_that_may_be_outdated() {
    let file = SourceFile::new("pylock.toml", "lock-version = \"1.0\"\n");
    let failure = Failure::from_content(url(), b"PK", 2, &"e".repeat(64), "f".repeat(64));
    for failure in [failure, Failure::from_step(url(), "it does not match")] {
        let help = |kind| {
            let wanted = wanted(kind, "a 1.0");
            let diagnostic = report(&file, &[(&wanted, failure.clone())]).unwrap();
            diagnostic.help.unwrap()
        };
        assert!(help(WantedKind::Package).contains("repodata"));
        let help = help(WantedKind::Pip);
        assert!(
            help.contains("lock file") && !help.contains("repodata"),
            "{help}"
        );
    }
}

#[test]
fn a_missing_installer_comes_with_alternatives() {
    let file = SourceFile::new("env.lock", "# syntax=org/condafront\n@EXPLICIT\n");
    let package = wanted(WantedKind::Installer, "micromamba-1.0-0");
    let mut all = String::new();
    for failure in failures() {
        let diagnostic = report(&file, &[(&package, failure)]).unwrap();
        let help = diagnostic.help.as_deref().unwrap();
        assert!(help.contains("CONDAFRONT_INSTALLER=native"), "{help}");
        if diagnostic.message.contains("404") || diagnostic.message.contains("does not match") {
            all.push_str(&format!("{}\n\n", diagnostic.render(Level::Error)));
        }
    }
    insta::assert_snapshot!(all);
}

#[test]
fn a_list_for_pip_has_advice_of_its_own() {
    let file = SourceFile::new("env.yml", "pip: [-c https://c.example/f]\n");
    let list = wanted(WantedKind::List, "the list");
    let mut all = String::new();
    for failure in failures() {
        let diagnostic = report(&file, &[(&list, failure)]).unwrap();
        let help = diagnostic.help.as_deref().unwrap();
        assert!(
            !help.contains("package") && !help.contains("channel"),
            "{help}"
        );
        all.push_str(&format!("{}\n{help}\n\n", diagnostic.message));
    }
    insta::assert_snapshot!(all);
}
