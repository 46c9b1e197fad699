//! Whether a lock is current for its manifest.

use super::pairs::{CHANNEL, installed, lock};
use super::*;

/// A manifest with channels, platforms, and what else it has.
fn manifest(channels: &str, platforms: &str, rest: &str) -> String {
    format!("[workspace]\nchannels = [{channels}]\nplatforms = [{platforms}]\n{rest}")
}

const PYTHON: &str = "linux-64/python-3.12.3-h1_0_cpython.conda";

#[test]
fn files_of_a_channel_may_be_elsewhere() {
    let text = |channel: &str| {
        manifest(
            &format!("\"{channel}\""),
            "\"linux-64\"",
            "[dependencies]\npython = \"3.12.*\"\n",
        )
    };
    let lock = lock(&[("default", &[PYTHON])], "", "");
    // As prefix.dev serves conda-forge.
    let served = lock.text().unwrap().replace(
        &format!("- url: {CHANNEL}/"),
        "- url: https://fast.prefix.dev/conda-forge/",
    );
    let served = SourceFile::new("pixi.lock", served);
    let mirror = text("https://fast.prefix.dev/conda-forge");
    assert!(installed("pixi.toml", &mirror, &served, None).is_ok());
    // Also where the dependency names the channel.
    let named = mirror.replace(
        "\"3.12.*\"",
        "{ version = \"3.12.*\", channel = \"https://fast.prefix.dev/conda-forge\" }",
    );
    assert!(installed("pixi.toml", &named, &served, None).is_ok());
    let other = text("https://conda.example/other");
    for lock in [&served, &lock] {
        let error = installed("pixi.toml", &other, lock, None).unwrap_err();
        let shown = error.to_string();
        assert!(
            shown.contains("which is not one of the channels"),
            "{shown}"
        );
    }
}

#[test]
fn a_manifest_must_be_for_the_platform() {
    let lock = lock(&[("default", &[PYTHON])], "", "");
    let error = |platforms: &str, rest: &str| {
        let text = manifest("\"conda-forge\"", platforms, rest);
        let error = installed("pixi.toml", &text, &lock, None).unwrap_err();
        let lines: Vec<u32> = error.locations.iter().map(|it| it.lines.first).collect();
        (error.to_string(), lines)
    };
    // The lock has the platform, but the manifest has it no more.
    let mac = "pixi.toml is for osx-arm64, not for linux-64\nAdd linux-64 to `platforms`. Write the lock again with `pixi lock`.";
    assert_eq!(error("\"osx-arm64\"", ""), (mac.to_owned(), vec![3]));
    let arm = "pixi.toml is for osx-arm64, linux-aarch64, not for linux-64\nBuild with --platform linux/arm64, or add linux-64 to `platforms`. Write the lock again with `pixi lock`.";
    let of_feature = "[feature.a]\nplatforms = [\"osx-arm64\", \"linux-aarch64\"]\n[environments]\ndefault = [\"a\"]\n";
    assert_eq!(
        error("\"linux-64\", \"linux-aarch64\", \"osx-arm64\"", of_feature),
        (arm.to_owned(), vec![5])
    );
}

#[test]
fn a_lock_is_written_again_only_where_that_helps() {
    let text = manifest(
        "\"conda-forge\"",
        "\"linux-64\"",
        "[feature.a.dependencies]\npython = \"*\"\n[environments]\na = [\"a\"]\n",
    );
    let help = |lock: &Arc<SourceFile>| {
        let error = installed("pixi.toml", &text, lock, None).unwrap_err();
        error.help.unwrap()
    };
    assert_eq!(
        help(&lock(&[("default", &[]), ("a", &[PYTHON])], "", "")),
        "Choose another environment with the build-arg ENVIRONMENT: a."
    );
    assert_eq!(
        help(&lock(&[("default", &[])], "", "")),
        "Add packages to it. Regenerate the lock file with `pixi lock`."
    );
    assert_eq!(
        help(&lock(&[("a", &[PYTHON])], "", "")),
        "Choose one with the build-arg ENVIRONMENT. It has only a. Write the lock again with `pixi lock`."
    );
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0123\nsize 519\n";
    let pointer = SourceFile::new("pixi.lock", pointer);
    let error = installed("pixi.toml", &text, &pointer, None).unwrap_err();
    assert_eq!(
        error.to_string(),
        "pixi.lock is a Git LFS pointer, not the file itself\nLoad the file with `git lfs pull`."
    );
}

#[test]
fn packages_of_repositories_are_those_that_are_asked_for() {
    let commit = "0123456789abcdef0123456789abcdef01234567";
    let url = format!("git+https://g.example/team/vinca.git?subdirectory=py&rev=v1.0#{commit}");
    let described = format!("- pypi: {url}\n  name: vinca\n  version: '1.0'\n");
    let lock = lock(
        &[("default", &[PYTHON])],
        &format!("      - pypi: {url}\n"),
        &described,
    );
    let of = |entry: &str| {
        let rest = format!(
            "[dependencies]\npython = \"3.12.*\"\n[pypi-dependencies]\nvinca = {{ git = {entry}, subdirectory = \"py\" }}\n"
        );
        let text = manifest("\"conda-forge\"", "\"linux-64\"", &rest);
        installed("pixi.toml", &text, &lock, None)
    };
    for entry in [
        "\"https://g.example/team/vinca.git\", tag = \"v1.0\"",
        "\"https://g.example/team/Vinca\", rev = \"v1.0\"",
        "\"https://g.example/team/vinca\", rev = \"0123456\"",
    ] {
        let input = of(entry).unwrap();
        let Pip::Locked(pip) = &input.pip else {
            panic!("not locked");
        };
        let [vinca] = pip.repositories.as_slice() else {
            panic!("{pip:?}");
        };
        assert_eq!(vinca.url, "https://g.example/team/vinca.git");
        assert_eq!(vinca.commit, commit);
        assert_eq!(vinca.found_by.as_deref(), Some("v1.0"));
        assert_eq!(vinca.subdir.as_deref(), Some("py"));
        // Where the manifest asks for it.
        assert_eq!(vinca.lines.first, 7);
    }
    for entry in [
        "\"https://g.example/team/vinca.git\", tag = \"v1.1\"",
        "\"https://g.example/fork/vinca.git\", tag = \"v1.0\"",
        // That is the default branch.
        "\"https://g.example/team/vinca\"",
    ] {
        let error = of(entry).unwrap_err();
        assert_eq!(error.locations[0].lines.first, 7);
        let shown = error.to_string();
        let expected = format!(
            "`pixi.lock` has commit {commit} of the repository of vinca, which is not what this line asks for\nWrite the lock again with `pixi lock`."
        );
        assert_eq!(shown, expected);
    }
}

#[test]
fn a_package_with_a_marker_is_needed_where_that_holds() {
    let lock = lock(&[("default", &[PYTHON])], "", "");
    let of = |marker: &str| {
        let rest = format!(
            "[dependencies]\npython = \"3.12.*\"\n[pypi-dependencies]\nidna = {{ version = \"*\", env-markers = \"{marker}\" }}\n"
        );
        let text = manifest("\"conda-forge\"", "\"linux-64\"", &rest);
        installed("pixi.toml", &text, &lock, None).map(drop)
    };
    for marker in [
        "sys_platform == 'win32'",
        "python_version < '3.12'",
        "platform_release >= '5'",
    ] {
        of(marker).unwrap();
    }
    for marker in ["sys_platform == 'linux'", "python_full_version >= '3.12.3'"] {
        let error = of(marker).unwrap_err();
        assert_eq!(error.message, "`pixi.lock` has no PyPI package idna");
        assert_eq!(error.locations[0].lines.first, 7);
    }
}

#[test]
fn only_a_line_whose_marker_holds_is_compared() {
    let url = "https://files.example/idna-3.10-py3-none-any.whl";
    let sha256 = "1".repeat(64);
    let described =
        format!("- pypi: {url}\n  name: idna\n  version: '3.10'\n  sha256: '{sha256}'\n");
    let lock = lock(
        &[("default", &[PYTHON])],
        &format!("      - pypi: {url}\n"),
        &described,
    );
    let of = |old: &str, new: &str| {
        let text = format!(
            "[project]\nname = \"demo\"\nversion = \"1.0\"\ndependencies = [\n  \"idna<3; {old}\",\n  \"idna>=3; {new}\",\n]\n[tool.pixi.workspace]\nchannels = [\"conda-forge\"]\nplatforms = [\"linux-64\"]\n[tool.pixi.dependencies]\npython = \"3.12.*\"\n"
        );
        installed("pyproject.toml", &text, &lock, None).map(drop)
    };
    of("python_version < '3.12'", "python_version >= '3.12'").unwrap();
    of("sys_platform == 'win32'", "sys_platform != 'win32'").unwrap();
    let error = of("python_version < '4'", "python_version >= '4'").unwrap_err();
    assert!(error.message.contains("idna 3.10"), "{error}");
    assert_eq!(error.locations[0].lines.first, 5);
}

#[test]
fn a_release_is_no_repository() {
    let url = "https://files.example/vinca-1.0-py3-none-any.whl";
    let sha256 = "1".repeat(64);
    let described =
        format!("- pypi: {url}\n  name: vinca\n  version: '1.0'\n  sha256: '{sha256}'\n");
    let lock = lock(
        &[("default", &[PYTHON])],
        &format!("      - pypi: {url}\n"),
        &described,
    );
    let rest = "[dependencies]\npython = \"3.12.*\"\n[pypi-dependencies]\nvinca = { git = \"https://g.example/vinca\", tag = \"v1.0\" }\n";
    let text = manifest("\"conda-forge\"", "\"linux-64\"", rest);
    let error = installed("pixi.toml", &text, &lock, None).unwrap_err();
    assert_eq!(
        error.message,
        "`pixi.lock` has the PyPI package vinca 1.0, which is not what this line asks for"
    );
}

#[test]
fn what_a_build_cannot_load_from_a_repository_is_refused() {
    let commit = "0123456789abcdef0123456789abcdef01234567";
    let of = |query: &str| {
        let url = format!("git+https://g.example/vinca?{query}#{commit}");
        let described = format!("- pypi: {url}\n  name: vinca\n  version: '1.0'\n");
        let lock = lock(
            &[("default", &[PYTHON])],
            &format!("      - pypi: {url}\n"),
            &described,
        );
        let rest = "[dependencies]\npython = \"3.12.*\"\n[pypi-dependencies]\nvinca = { git = \"https://g.example/vinca\" }\n";
        let text = manifest("\"conda-forge\"", "\"linux-64\"", rest);
        installed("pixi.toml", &text, &lock, None)
            .unwrap_err()
            .message
    };
    assert_eq!(
        of("lfs=true"),
        "the repository of vinca needs Git LFS, which a build does not load"
    );
    assert_eq!(
        of("subdirectory=.."),
        "`..` is outside the repository of vinca"
    );
}

#[test]
fn what_extras_need_is_in_the_lock() {
    let wheel = |name: &str| format!("https://files.example/{name}-1.0-py3-none-any.whl");
    let black = wheel("black");
    let tokenize = wheel("tokenize_rt");
    let needs = "  requires_dist:\n  - click>=8 ; python_version < '3'\n  - tokenize-rt>=1 ; extra == 'Jupyter'\n  - colorama ; sys_platform == 'win32' and extra == 'jupyter'\n";
    let described = |url: &str, name: &str, needs: &str| {
        let sha256 = "1".repeat(64);
        format!("- pypi: {url}\n  name: {name}\n  version: '1.0'\n  sha256: '{sha256}'\n{needs}")
    };
    let all = [
        described(&black, "black", needs),
        described(&tokenize, "tokenize-rt", ""),
    ];
    let of = |extras: &str, pypi: &[&str], purls: &str| {
        let rest = format!(
            "[dependencies]\npython = \"3.12.*\"\n[pypi-dependencies]\nblack = {{ version = \"*\", extras = [{extras}] }}\n"
        );
        let text = manifest("\"conda-forge\"", "\"linux-64\"", &rest);
        let listed: String = pypi
            .iter()
            .map(|url| format!("      - pypi: {url}\n"))
            .collect();
        let lock = lock(
            &[("default", &[PYTHON])],
            &listed,
            &all[..pypi.len()].concat(),
        );
        let lock = lock.text().unwrap().replace("purls: []", purls);
        let lock = SourceFile::new("pixi.lock", lock);
        installed("pixi.toml", &text, &lock, None).map(drop)
    };
    let known = "purls: ['pkg:pypi/python']";
    of("\"jupyter\"", &[&black, &tokenize], known).unwrap();
    of("\"other\"", &[&black], known).unwrap();
    // A lock that does not say what its conda packages contain is compared later, and has no name for the extra.
    let error = of("\"jupyter\"", &[&black], "purls: []").unwrap_err();
    assert_eq!(
        error.message,
        "`pixi.lock` has no PyPI package tokenize-rt, which black needs"
    );
    let error = of("\"jupyter\"", &[&black], known).unwrap_err();
    assert_eq!(
        error.message,
        "`pixi.lock` has no PyPI package tokenize-rt, which the extra `jupyter` of black needs"
    );
    assert_eq!(error.locations[0].lines.first, 7);
}

/// A lock of version 2, which has the layout of a conda-lock.yml.
const OLD: &str = "\
version: 2
metadata:
  content_hash: {linux-64: '0'}
  channels:
  - url: https://conda.anaconda.org/conda-forge/
    used_env_vars: []
  platforms: [linux-64]
  sources: []
package:
- platform: linux-64
  name: python
  version: 3.12.3
  category: main
  manager: conda
  dependencies: [libssl >=3]
  url: https://conda.anaconda.org/conda-forge/linux-64/python-3.12.3-h1_0_cpython.conda
  hash: {sha256: '0000000000000000000000000000000000000000000000000000000000000000'}
  optional: false
  build: h1_0_cpython
  subdir: linux-64
- platform: linux-64
  name: libssl
  version: 3.3.0
  category: main
  manager: conda
  dependencies: []
  url: https://conda.anaconda.org/conda-forge/linux-64/libssl-3.3.0-h1_0.conda
  hash: {sha256: '0000000000000000000000000000000000000000000000000000000000000000'}
  optional: false
  build: h1_0
  subdir: linux-64
";

#[test]
fn the_first_versions_of_a_lock_are_compared_too() {
    let rest = "[dependencies]\npython = \"3.12.*\"\n[feature.a.dependencies]\nzlib = \"*\"\n[environments]\na = [\"a\"]\n";
    let manifest = manifest("\"conda-forge\"", "\"linux-64\"", rest);
    let of = |manifest: &str, lock: &str, environment: Option<&str>| {
        let lock = SourceFile::new("pixi.lock", lock);
        installed("pixi.toml", manifest, &lock, environment)
    };
    let error = |manifest: &str, lock: &str, environment: Option<&str>| {
        of(manifest, lock, environment).unwrap_err().to_string()
    };
    for version in ["version: 1", "version: 2", "version: 3"] {
        let lock = OLD.replace("version: 2", version);
        let input = of(&manifest, &lock, None).unwrap();
        assert_eq!(input.locked().unwrap().len(), 2);
        assert_eq!(input.warnings, []);
    }
    assert_eq!(
        error(&manifest.replace("3.12.*", "3.13.*"), OLD, None),
        "`pixi.lock` has python 3.12.3 h1_0_cpython, which is not what this line asks for\nWrite the lock again with `pixi lock`."
    );
    assert_eq!(
        error(&manifest, &OLD.replace("libssl >=3", "libtls"), None),
        "`pixi.lock` has no libtls, which python 3.12.3 h1_0_cpython needs\nWrite the lock again with `pixi lock`."
    );
    assert_eq!(
        error(&manifest.replace("zlib", "python"), OLD, Some("a")),
        "pixi.lock has no environment `a`\nRegenerate the lock file with `pixi lock`."
    );
    // Whatever the reader of the layout advises.
    let other = OLD.replace("platform: linux-64", "platform: osx-arm64");
    assert_eq!(
        error(&manifest, &other, None),
        "pixi.lock lists no packages for linux-64\nWrite the lock again with `pixi lock`."
    );
}
