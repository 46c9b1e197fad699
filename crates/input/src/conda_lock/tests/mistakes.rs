//! Mistakes in a conda-lock.yml, and their messages.

use super::{SHA, entry, lock, read_with};
use condafront_model::platform::Platform;
use condafront_model::source::Level;

/// Names, texts, and requested categories.
fn mistakes() -> Vec<(&'static str, String, &'static [&'static str])> {
    let one = |change: &[(&str, &str)]| lock(&[entry("numpy", change)]);
    let two = |last: &[(&str, &str)]| lock(&[entry("numpy", &[]), entry("zlib", last)]);
    let plain = one(&[]);
    let pip = |url: &str| one(&[("manager", "pip"), ("url", url)]);
    vec![
        (
            "a newer version",
            plain.replace("version: 1\n", "version: 4\n"),
            &[],
        ),
        (
            "an invalid version",
            plain.replace("version: 1\n", "version: one\n"),
            &[],
        ),
        (
            "a version that is not whole",
            plain.replace("version: 1\n", "version: 1.0\n"),
            &[],
        ),
        (
            "cut off",
            "version: 1\nmetadata:\n  platforms: [linux-64]\n".to_owned(),
            &[],
        ),
        (
            "cut off after a URL",
            two(&[("hash", ""), ("category", "")]),
            &[],
        ),
        ("cut off before the category", two(&[("category", "")]), &[]),
        (
            "no list of packages",
            "version: 1\nmetadata: {}\npackage: none\n".to_owned(),
            &[],
        ),
        (
            "an entry that is not a mapping",
            "version: 1\nmetadata: {}\npackage:\n- numpy\n".to_owned(),
            &[],
        ),
        (
            "another platform",
            one(&[("platform", "osx-arm64")]).replace("[linux-64]", "[osx-arm64, win-64]"),
            &[],
        ),
        (
            "a platform of ours",
            one(&[("platform", "linux-aarch64")]).replace("[linux-64]", "[linux-aarch64]"),
            &[],
        ),
        (
            "a platform without packages",
            one(&[("platform", "win-64")]),
            &[],
        ),
        ("only other categories", one(&[("category", "dev")]), &[]),
        (
            "a category that is a mapping",
            one(&[("category", "{a: b}")]),
            &[],
        ),
        ("no URL", one(&[("url", "")]), &[]),
        ("no manager", one(&[("manager", "")]), &[]),
        ("no platform", one(&[("platform", "")]), &[]),
        ("no name", one(&[("name", "")]), &[]),
        ("a URL that is a list", one(&[("url", "[a]")]), &[]),
        ("another manager", one(&[("manager", "npm")]), &[]),
        (
            "a file URL",
            one(&[("url", "file:///opt/pkgs/linux-64/numpy-1.0-0.conda")]),
            &[],
        ),
        (
            "another scheme",
            one(&[("url", "s3://bucket/linux-64/numpy-1.0-0.conda")]),
            &[],
        ),
        (
            "another package's URL",
            one(&[("url", "https://c.example/f/linux-64/scipy-1.0-0.conda")]),
            &[],
        ),
        (
            "another platform's URL",
            one(&[("url", "https://c.example/f/osx-64/numpy-1.0-0.conda")]),
            &[],
        ),
        (
            "a wheel as a conda package",
            one(&[("url", "https://f.example/w/numpy-1.0-py3-none-any.whl")]),
            &[],
        ),
        (
            "a variable in the host",
            one(&[("url", "https://$HOST/f/linux-64/numpy-1.0-0.conda")]),
            &[],
        ),
        ("a hash that is a string", one(&[("hash", SHA)]), &[]),
        (
            "a hash that is cut off",
            one(&[("hash", "{md5: d7c89558, sha256: ''}")]),
            &[],
        ),
        (
            "a hash of decimal digits",
            one(&[("hash", "{md5: 12345678}")]),
            &[],
        ),
        (
            "two versions",
            lock(&[
                entry("numpy", &[]),
                entry(
                    "numpy",
                    &[("url", "https://c.example/f/linux-64/numpy-2.0-0.conda")],
                ),
            ]),
            &[],
        ),
        (
            "two wheels",
            lock(&[
                entry(
                    "a-b",
                    &[
                        ("manager", "pip"),
                        ("url", "https://f.example/a_b-1-py3-none-any.whl"),
                    ],
                ),
                entry(
                    "A_b",
                    &[
                        ("manager", "pip"),
                        ("url", "https://f.example/a_b-2-py3-none-any.whl"),
                    ],
                ),
            ]),
            &[],
        ),
        (
            "a pip package from git",
            pip("git+https://me:hunter2@github.example/numpy/numpy@v2.1.0"),
            &[],
        ),
        (
            "a pip package on one machine",
            pip("file:///home/me/numpy-1.0-py3-none-any.whl"),
            &[],
        ),
        (
            "a pip package from git with its commit for a hash",
            one(&[
                ("manager", "pip"),
                ("url", "git+https://github.example/numpy/numpy@12345678"),
                ("hash", "{sha256: 0123456789012345678901234567890123456789}"),
            ]),
            &[],
        ),
        (
            "a conda package from git with its commit for a hash",
            one(&[
                ("url", "git+https://github.example/numpy/numpy@12345678"),
                ("hash", "{sha256: 0123456789012345678901234567890123456789}"),
            ]),
            &[],
        ),
        (
            "a page for a conda package",
            one(&[
                ("url", "https://github.example/numpy"),
                ("hash", "{sha256: abc}"),
            ]),
            &[],
        ),
        (
            "another manager and a variable",
            one(&[("manager", "npm"), ("url", "https://$HOST/numpy")]),
            &[],
        ),
        (
            "a duplicate key",
            plain.replace("  manager: conda\n", "  manager: conda\n  manager: conda\n"),
            &[],
        ),
    ]
}

#[test]
fn mistakes_read_well() {
    let mut all = String::new();
    for (name, text, categories) in mistakes() {
        let error = read_with(&text, Platform::LinuxAmd64, categories).unwrap_err();
        let message = error.to_string();
        assert!(!message.contains("hunter2"), "{message}");
        let shown = error.render(Level::Error);
        all.push_str(&format!("## {name}\n{shown}\n\n"));
    }
    insta::assert_snapshot!(all);
}
