//! Mistakes in a pixi.lock, and their messages.

use super::{V6, V7, one, read_as};
use condafront_model::platform::Platform;
use condafront_model::source::Level;

/// A lock in which only the environment `prod` has packages.
const EMPTY_DEFAULT: &str = "\
version: 6
environments:
  default:
    channels: []
    packages: {}
  prod:
    channels: []
    packages:
      linux-64:
      - conda: https://c.example/f/noarch/tzdata-1.0-0.conda
packages:
- conda: https://c.example/f/noarch/tzdata-1.0-0.conda
";

/// Names, texts, and the requested environment.
fn mistakes() -> Vec<(&'static str, String, &'static str)> {
    const URL: &str = "https://c.example/f/linux-64/numpy-1.0-0.conda";
    let selector = format!("conda: {URL}");
    let plain = one(&selector, &format!("{selector}\n  md5: {}", "0".repeat(32)));
    let conda = |location: &str| {
        let selector = format!("conda: {location}");
        one(&selector, &selector)
    };
    let pypi = |location: &str| {
        let selector = format!("pypi: {location}");
        one(
            &selector,
            &format!("{selector}\n  name: numpy\n  version: '1.0'"),
        )
    };
    vec![
        (
            "a newer version",
            V6.replace("version: 6", "version: 12"),
            "",
        ),
        (
            "an invalid version",
            V6.replace("version: 6", "version: six"),
            "",
        ),
        (
            "a version of the other layout",
            V6.replace("version: 6", "version: 3"),
            "",
        ),
        (
            "an unknown environment",
            V6.to_owned(),
            "tset",
        ),
        ("one environment only", plain.clone(), "production"),
        (
            "no environments",
            "version: 6\nenvironments: []\npackages: []\n".to_owned(),
            "",
        ),
        (
            "an environment without packages",
            "version: 6\nenvironments:\n  default:\n    channels: []\npackages: []\n".to_owned(),
            "",
        ),
        (
            "an empty environment",
            "version: 6\nenvironments:\n  default:\n    channels: []\n    packages:\n      linux-64: []\npackages: []\n".to_owned(),
            "",
        ),
        (
            "an empty environment among others",
            EMPTY_DEFAULT.to_owned(),
            "",
        ),
        (
            "an environment that is empty for this platform",
            EMPTY_DEFAULT.replace("packages: {}", "packages:\n      linux-64: []\n      win-64:\n      - conda: https://c.example/f/noarch/tzdata-1.0-0.conda"),
            "",
        ),
        (
            "an environment for another platform among others",
            EMPTY_DEFAULT.replace("packages: {}", "packages:\n      win-64:\n      - conda: https://c.example/f/noarch/tzdata-1.0-0.conda"),
            "",
        ),
        (
            "no default environment",
            plain.replace("  default:", "  prod:"),
            "",
        ),
        (
            "another platform",
            plain.replace("linux-64", "osx-arm64"),
            "",
        ),
        (
            "a platform of ours",
            plain.replace("linux-64", "linux-aarch64"),
            "",
        ),
        (
            "an invalid platform",
            plain.replace("      linux-64:", "      linux-46:"),
            "",
        ),
        (
            "a named platform with an invalid subdir",
            V7.replace("subdir: linux-aarch64", "subdir: linux-arm"),
            "",
        ),
        (
            "several platforms that are one",
            V7.replace("- name: linux-64\n", "- name: cpu\n  subdir: linux-64\n")
                .replace("      linux-64:\n", "      cpu:\n"),
            "",
        ),
        (
            "a platform that the environment does not have",
            V7.to_owned(),
            "default@gpus",
        ),
        (
            "a platform that is not declared",
            V7.replace("- name: osx-64\n", ""),
            "",
        ),
        (
            "a platform twice",
            V7.replace("- name: osx-64\n", "- name: linux-64\n"),
            "",
        ),
        (
            "packages that are not a list",
            plain.replace(&format!("      - {selector}\n"), "        numpy: 1\n"),
            "",
        ),
        (
            "an entry of another kind",
            plain.replace(&format!("      - {selector}\n"), "      - npm: numpy\n"),
            "",
        ),
        (
            "a package that is not described",
            plain.replace(&format!("\n- {selector}"), "\n- conda: https://c.example/f/linux-64/scipy-1.0-0.conda"),
            "",
        ),
        (
            "a package that cannot be read",
            V6.replace("  name: idna\n", ""),
            "",
        ),
        (
            "an invalid hash",
            V6.replacen("  md5: d7c89558ba9fa0495403155b64376d81\n  size: 92286", "  md5: d7c8\n  size: 92286", 1),
            "",
        ),
        (
            "an invalid requirement",
            V6.replace("  name: idna\n", "  name: idna\n  requires_dist:\n  - '=='\n"),
            "",
        ),
        (
            "an invalid extra",
            V6.replace("  name: idna\n", "  name: idna\n  requires_dist:\n  - six[a-]\n"),
            "",
        ),
        (
            "a requirement with too many parentheses",
            V6.replace(
                "  name: idna\n",
                &format!("  name: idna\n  requires_dist:\n  - six ; {}\n", "(".repeat(5_000)),
            ),
            "",
        ),
        ("a source package", conda("."), ""),
        (
            "a source package of version 7",
            V7.replacen(
                "      - conda: https://conda.anaconda.org/conda-forge/linux-64/zlib-1.3.1-hb9d3cd8_2.conda",
                "      - conda_source: mine[9f3c2a7b] @ ./mine",
                1,
            ),
            "",
        ),
        (
            "a source package from git",
            conda("git+https://me:hunter2@github.example/mine.git?rev=abc#abc"),
            "",
        ),
        (
            "a package next to the lock",
            conda("./packages/linux-64/numpy-1.0-0.conda"),
            "",
        ),
        (
            "another platform's URL",
            conda("https://c.example/f/osx-64/numpy-1.0-0.conda"),
            "",
        ),
        (
            "no platform folder",
            conda("https://c.example/numpy-1.0-0.conda"),
            "",
        ),
        ("another scheme", conda("s3://bucket/linux-64/numpy-1.0-0.conda"), ""),
        ("a project on one machine", pypi("/home/me/numpy"), ""),
        ("a project on one machine, as a URL", pypi("file:///home/me/numpy"), ""),
        (
            "a package of conda-build on one machine",
            conda("file:///opt/conda/conda-bld/linux-64/numpy-1.0-0.conda"),
            "",
        ),
        (
            "a pip package from git",
            pypi("git+https://me:hunter2@github.example/numpy/numpy?rev=v2#0123"),
            "",
        ),
        (
            "a wheel and a project of one name",
            pypi("./numpy").replace(
                "packages:\n- ",
                "      - pypi: https://f.example/numpy-1.0-py3-none-any.whl\npackages:\n- pypi: https://f.example/numpy-1.0-py3-none-any.whl\n  name: numpy\n  version: '1.0'\n- ",
            ),
            "",
        ),
        (
            "a conda.lock that is damaged",
            V6.replace("version: 6", "version: 1").replace("  name: idna\n", ""),
            "",
        ),
        (
            "two versions",
            plain.replace(
                "packages:\n- ",
                "      - conda: https://c.example/f/linux-64/numpy-2.0-0.conda\npackages:\n- conda: https://c.example/f/linux-64/numpy-2.0-0.conda\n- ",
            ),
            "",
        ),
    ]
}

#[test]
fn mistakes_read_well() {
    let mut all = String::new();
    for (name, text, environment) in mistakes() {
        let outcome = read_as(&text, Platform::LinuxAmd64, environment);
        let error = outcome.expect_err(name);
        let message = error.to_string();
        assert!(!message.contains("hunter2"), "{message}");
        let shown = error.render(Level::Error);
        all.push_str(&format!("## {name}\n{shown}\n\n"));
    }
    insta::assert_snapshot!(all);
}
