//! What `check` says about files that name other files.

use std::path::Path;
use std::process::Command;

use crate::text;

/// What `condafront check` says about files in `dir`.
fn checked(dir: &Path, args: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_condafront"))
        .arg("check")
        .args(args)
        .current_dir(dir)
        .env_remove("BUILDKIT_SESSION_ID")
        .output()
        .unwrap();
    text(&output)
}

/// The files that a file names are beside it, or else in the current folder.
#[test]
fn files_are_found_as_a_build_finds_them() {
    let dir = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = dir.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let environment = |entries: &[&str]| {
        let lines = entries.iter().map(|entry| format!("    - {entry}\n"));
        let lines: String = lines.collect();
        format!("channels: [c]\ndependencies:\n  - python\n  - pip\n  - pip:\n{lines}")
    };
    write(
        "docs/env.yml",
        &environment(&[
            "-r a.txt",
            "-r b.txt",
            "-r ../c.txt",
            "-r d.txt",
            "./app",
            "..",
        ]),
    );
    write("docs/a.txt", "idna\n-r more/a.txt\n");
    write("docs/more/a.txt", "six\n");
    write("a.txt", "jinja2 ===\n");
    write("b.txt", "six\n");
    write("c.txt", "wheel\n");
    write("docs/bad.yml", &environment(&["-r bad.txt"]));
    write("docs/bad.txt", "idna\njinja2 ===\n");
    write("docs/out.yml", &environment(&["-r ../../c.txt"]));
    write(
        "docs/image.yml",
        "environments:\n  base: env.yml\n  other: ../other.yml\n  third: other.yml\npip: [-r a.txt]\n",
    );
    write("other.yml", &environment(&["-r b.txt", "-r missing.txt"]));
    write("docs/nested.yml", &environment(&["-r more/b.txt"]));
    write("docs/more/b.txt", "./lib\n./missing\n./own\n");
    write("docs/more/lib/pyproject.toml", "");
    write("docs/own/pyproject.toml", "");
    // A list on a server may have the hash that `idna` needs.
    let ones = "1".repeat(64);
    write(
        "docs/web.yml",
        &environment(&[
            "-c https://lists.example/limits.txt",
            &format!("-r https://lists.example/all.txt#sha256={ones}"),
            &format!("six==1.17 --hash=sha256:{ones}"),
            "idna",
        ]),
    );
    let mut all = String::new();
    for file in [
        "env.yml",
        "bad.yml",
        "out.yml",
        "nested.yml",
        "image.yml",
        "web.yml",
    ] {
        let said = checked(dir.path(), &[&format!("docs/{file}")]);
        all.push_str(&format!("$ condafront check docs/{file}\n{said}\n"));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn packages_for_builds_are_checked() {
    let mut all = String::new();
    for (pip, build) in [
        ("requests", "- cmake"),
        ("requests", "- numpy scipy"),
        ("requests", "- gcc=14=*=x"),
        ("requests", "- https://user:hunter2@x.example/c::gcc"),
        ("", "- cmake"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let pip = match pip {
            "" => String::new(),
            pip => format!("pip: [{pip}]\n"),
        };
        for (name, text) in [
            (
                "env.yml",
                "channels: [conda-forge]\ndependencies: [python=3.13, pip]\n",
            ),
            (
                "image.yml",
                &format!("environments:\n  base: env.yml\n{pip}build:\n  {build}\n"),
            ),
            (
                "own.yml",
                &format!(
                    "channels: [conda-forge]\ndependencies: [python=3.13, pip]\ncondafront:\n  build:\n    {build}\n  {pip}"
                ),
            ),
        ] {
            std::fs::write(dir.path().join(name), text).unwrap();
        }
        for file in ["own.yml", "image.yml"] {
            all.push_str(&checked(dir.path(), &[file]));
            all.push('\n');
        }
    }
    assert!(!all.contains("hunter2"), "{all}");
    insta::assert_snapshot!(all);
}

#[test]
fn locks_that_lists_name_are_checked() {
    let lock = "lock-version = \"1.0\"\n[[packages]]\nname = \"demo\"\n";
    let vcs = "vcs = {type = \"git\", url = \"https://git.example/demo\", commit-id = \"0123456789abcdef0123456789abcdef01234567\"}\n";
    let env = "channels: [conda-forge]\ndependencies:\n  - python=3.13\n  - pip:\n    - ";
    let mut all = String::new();
    for (title, list, lock) in [
        ("a lock", "-r pylock.toml", format!("{lock}{vcs}")),
        ("a mistake in it", "-r pylock.toml", lock.to_owned()),
        ("as constraints", "-c pylock.toml", format!("{lock}{vcs}")),
    ] {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("env.yml"), format!("{env}{list}\n")).unwrap();
        std::fs::write(dir.path().join("pylock.toml"), lock).unwrap();
        let said = checked(dir.path(), &["env.yml"]);
        all.push_str(&format!("{title}:\n{said}\n"));
    }
    insta::assert_snapshot!(all);
}

/// What a build refuses to take from a list for pip, or of categories, `check` refuses too.
#[test]
fn credentials_and_unknown_categories_are_errors() {
    let lock = "version: 1\nmetadata: {}\npackage:\n- {name: zlib, version: '1', manager: conda, platform: linux-64, category: main, url: 'https://c.example/linux-64/zlib-1-0.conda', hash: {md5: 11111111111111111111111111111111}}\n";
    let pylock = "lock-version = '1.0'\nextras = ['socks']\npackages = []\n";
    let newer = pylock.replace("1.0", "1.1");
    let image = "environments: {base: conda-lock.yml}\npip: [-r pylock.toml]\n";
    let env = |entry: &str| {
        format!(
            "channels: [conda-forge]\ndependencies:\n  - python\n  - pip\n  - pip:\n    - {entry}\n"
        )
    };
    let url = "https://me:hunter2@pypi.example/simple";
    let index = format!("PIP_INDEX_URL={url}");
    let mut all = String::new();
    for (title, text, arg) in [
        (
            "an index",
            env(&format!("--index-url {url}\n    - six")),
            "",
        ),
        ("a file", env(&format!("demo @ {url}/demo-1.0.tar.gz")), ""),
        (
            "a repository",
            env("demo @ git+https://me:hunter2@git.example/demo"),
            "",
        ),
        ("a build-arg", env("six"), &*index),
        (
            "a secret's name",
            env("--index-url https://${TOKEN}@pypi.example/simple\n    - six"),
            "",
        ),
        (
            "a category of the pylock.toml",
            image.to_owned(),
            "CONDA_LOCK_CATEGORIES=socks",
        ),
        (
            "a category of neither",
            image.to_owned(),
            "CONDA_LOCK_CATEGORIES=main,sokcs",
        ),
        (
            "a category of no lock, of which one has a warning",
            env("-r pylock.newer.toml"),
            "CONDA_LOCK_CATEGORIES=sokcs",
        ),
        (
            "a category without a lock",
            env("six"),
            "CONDA_LOCK_CATEGORIES=dev",
        ),
    ] {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in [
            ("conda-lock.yml", lock),
            ("pylock.toml", pylock),
            ("pylock.newer.toml", &newer),
            ("it.yml", &text),
        ] {
            std::fs::write(dir.path().join(name), text).unwrap();
        }
        let mut args = vec!["it.yml"];
        if !arg.is_empty() {
            args.extend(["--build-arg", arg]);
        }
        let said = checked(dir.path(), &args);
        all.push_str(&format!("## {title}\n{said}\n"));
    }
    assert!(!all.contains("hunter2"), "{all}");
    insta::assert_snapshot!(all);
}
