//! Entries that are next to the lock, that are left out, or that have placeholders for something.

use super::{MD5, SHA, entry, listed, lock, read};
use crate as input;
use crate::environment_input::{LockedPip, Pip};
use crate::settings::InputSettings;
use condafront_model::platform::Platform;
use condafront_model::source::{Level, SourceFile};

#[test]
fn a_package_next_to_the_lock_is_read() {
    for (url, path) in [
        ("./numpy", "numpy"),
        ("file://./numpy", "numpy"),
        ("file:libs/numpy", "libs/numpy"),
        ("file://../numpy", "../numpy"),
    ] {
        let one = || entry("numpy", &[("manager", "pip"), ("url", url), ("hash", "{}")]);
        // It is listed once for each category.
        let input = read(&lock(&[one(), one()])).unwrap();
        let Pip::Locked(LockedPip { files, local, .. }) = input.pip else {
            panic!("a lock");
        };
        let found: Vec<(&str, &str)> = local
            .iter()
            .map(|one| (one.name.as_str(), one.path.as_str()))
            .collect();
        assert_eq!(found, [("numpy", path)], "{url}");
        assert!(files.is_empty() && input.warnings.is_empty());
    }
}

#[test]
fn packages_are_left_out_by_name() {
    let text = lock(&[
        entry("a", &[]),
        entry(
            "mine",
            &[("url", "file:///opt/bld/linux-64/mine-1.0-0.conda")],
        ),
        entry(
            "My_Tool",
            &[
                ("manager", "pip"),
                ("url", "git+https://g.example/tool@12"),
                ("hash", "{sha256: 12}"),
            ],
        ),
        entry("vc14_runtime", &[("platform", "win-64")]),
    ]);
    let read = |skip: &[&str]| {
        let settings = InputSettings {
            skip: skip.iter().map(|name| (*name).to_owned()).collect(),
            ..InputSettings::default()
        };
        let file = SourceFile::new("conda-lock.yml", text.as_str());
        input::read(&file, Platform::LinuxAmd64, &settings)
    };
    let input = read(&["mine", "my-tool", "vc14_runtime"]).unwrap();
    assert_eq!(listed(&input).len(), 1);
    let mut all = String::new();
    for skip in [
        &[][..],
        &["mine"],
        &["mine", "my-tol"],
        &["a", "mine", "my-tool"],
    ] {
        let error = read(skip).unwrap_err();
        let shown = error.render(Level::Error);
        all.push_str(&format!("## {}\n{shown}\n\n", skip.join(",")));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn empty_hashes_are_as_if_they_were_not_there() {
    for (hash, found) in [
        (format!("{{md5: '', sha256: {SHA}}}"), (None, Some(SHA))),
        (format!("{{md5: {MD5}, sha256: \"\"}}"), (Some(MD5), None)),
        (format!("{{md5: {MD5}, sha256: ~}}"), (Some(MD5), None)),
        (
            format!("{{md5: null, sha256: {}}}", SHA.to_uppercase()),
            (None, Some(SHA)),
        ),
    ] {
        let text = lock(&[entry("a", &[("hash", &hash)])]);
        let input = read(&text).unwrap_or_else(|error| panic!("{}", error.render(Level::Error)));
        let hashes = &input.locked().unwrap()[0].hashes;
        assert_eq!(
            (hashes.md5.as_deref(), hashes.sha256.as_deref()),
            found,
            "{hash}"
        );
        assert!(input.warnings.is_empty());
    }
}

#[test]
fn placeholders_for_credentials_are_left_out() {
    for (before, after) in [
        ("https://c.example/t/<TOKEN>", "https://c.example"),
        ("https://c.example/t/%3CTOKEN%3E", "https://c.example"),
        ("https://c.example/t/********", "https://c.example"),
        ("https://c.example/t/xxxxxxxx", "https://c.example"),
        ("https://<user>:<pw>@c.example", "https://c.example"),
    ] {
        let url = format!("{before}/private/linux-64/a-1.0-0.conda");
        let text = lock(&[entry("a", &[("url", &url)])]);
        let input = read(&text).unwrap_or_else(|error| panic!("{}", error.render(Level::Error)));
        assert_eq!(
            input.locked().unwrap()[0].url.url().as_str(),
            format!("{after}/private/linux-64/a-1.0-0.conda")
        );
        let message = input.warnings[0].diagnostic.to_string();
        assert!(message.contains("c.example"), "{message}");
    }
}
