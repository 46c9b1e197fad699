use proptest::prelude::*;

use super::*;
use crate::environment_input::{LockedPip, Pip};
use crate::logins::Logins;
use crate::section::args::BuildArgs;
use crate::settings::InputSettings;
use condafront_model::lint::Warning;
use condafront_model::source::Level;

const MD5: &str = "d7c89558ba9fa0495403155b64376d81";
const SHA: &str = "5d7c0e5f0005f74112a34a7425179f4eb6e73c92f5d109e6af4ddeca407c92ab";

/// The packages and warnings of a lock.
#[derive(Debug)]
struct List {
    packages: Vec<Package>,
    warnings: Vec<Warning>,
}

fn read(file: &Arc<SourceFile>) -> Result<List, Diagnostic> {
    let input = crate::read(file, Platform::LinuxAmd64, &InputSettings::default())?;
    Ok(List {
        packages: input.locked().unwrap().to_vec(),
        warnings: input.warnings,
    })
}

fn list(text: &str) -> Result<List, Diagnostic> {
    read(&SourceFile::new("env.lock", text))
}

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
fn every_form_of_hash_is_read() {
    let base = "https://c.example/conda-forge/linux-64";
    let text = format!(
        "# syntax=org/condafront\r\n# platform: linux-64\r\n\r\n@EXPLICIT\r\n\
         {base}/a-1-0.conda#{MD5}\r\n{base}/b-1-0.tar.bz2#sha256:{SHA}\r\n{base}/c-1-0.conda#{SHA}\r\n\
         {base}/d-1-0.conda\r\n{base}/e-1-0.conda#\r\n"
    );
    let list = list(&text).unwrap();
    let hashes: Vec<_> = list
        .packages
        .iter()
        .map(|package| {
            (
                package.id.name.as_str(),
                package.hashes.md5.is_some(),
                package.hashes.sha256.is_some(),
                package.lines.first,
            )
        })
        .collect();
    assert_eq!(
        hashes,
        [
            ("a", true, false, 5),
            ("b", false, true, 6),
            ("c", false, true, 7),
            ("d", false, false, 8),
            ("e", false, false, 9),
        ]
    );
    assert_eq!(list.warnings.len(), 2);
    assert!(
        list.warnings
            .iter()
            .all(|w| w.rule == Rule::UnverifiedPackage)
    );
}

#[test]
fn packages_that_conda_could_not_list_are_named() {
    let text = format!(
        "@EXPLICIT\nhttps://c/f/linux-64/a-1-0.conda#{SHA}\n# no URL for: own-1.0-0.conda\n"
    );
    let list = list(&text).unwrap();
    assert_eq!(list.packages.len(), 1);
    assert_eq!(list.warnings.len(), 1);
    insta::assert_snapshot!(list.warnings[0].diagnostic.render(Level::Warning));
    let settings = InputSettings {
        skip: vec!["own".to_owned()],
        ..InputSettings::default()
    };
    let file = SourceFile::new("env.lock", text);
    let input = crate::read(&file, Platform::LinuxAmd64, &settings).unwrap();
    assert_eq!(input.warnings, []);
}

#[test]
fn a_long_lock_without_hashes_has_one_warning() {
    let lock = |count: usize, hash: &str| {
        let lines = (0..count).map(|n| format!("https://c/f/linux-64/a{n}-1-0.conda{hash}\n"));
        format!("@EXPLICIT\n{}", lines.collect::<String>())
    };
    let warnings = |text: &str| list(text).unwrap().warnings;
    assert_eq!(warnings(&lock(20, "")).len(), 20);
    let of_long = warnings(&lock(21, ""));
    assert_eq!(of_long.len(), 1);
    insta::assert_snapshot!(of_long[0].diagnostic.render(Level::Warning));
    let one_has = format!("{}https://c/f/linux-64/b-1-0.conda#{MD5}\n", lock(21, ""));
    assert_eq!(warnings(&one_has).len(), 21);
}

#[test]
fn packages_of_anacondas_channels_are_pointed_out_once() {
    let text = format!(
        "@EXPLICIT\nhttps://conda.anaconda.org/conda-forge/noarch/a-1-0.conda#{SHA}\nhttps://repo.anaconda.com/pkgs/main/linux-64/b-1-0.conda#{SHA}\nhttps://repo.anaconda.com/pkgs/r/noarch/c-1-0.conda#{SHA}\n"
    );
    let warnings = list(&text).unwrap().warnings;
    assert_eq!(warnings.len(), 1);
    assert_eq!(warnings[0].rule, Rule::AnacondaChannel);
    let place = &warnings[0].diagnostic.locations[0];
    assert_eq!(place.lines, Lines::one(3));
    assert!(warnings[0].diagnostic.message.contains("pkgs/main"));
}

#[test]
fn one_file_may_hold_several_platforms() {
    let text = format!(
        "@EXPLICIT\nhttps://c/f/linux-64/a-1-0.conda#{SHA}\nhttps://c/f/osx-arm64/a-2-0.conda#{SHA}\n\
         https://c/f/noarch/b-1-0.conda#{SHA}\n"
    );
    let list = list(&text).unwrap();
    let ids: Vec<_> = list.packages.iter().map(|p| p.id.to_string()).collect();
    assert_eq!(ids, ["a-1-0", "b-1-0"]);
}

#[test]
fn the_same_archive_twice_is_a_warning() {
    let text = format!(
        "@EXPLICIT\nhttps://c/f/linux-64/a-1-0.conda#{SHA}\nhttps://m/f/linux-64/a-1-0.conda#{SHA}\n"
    );
    let list = list(&text).unwrap();
    assert_eq!(list.packages.len(), 1);
    assert_eq!(list.warnings[0].rule, Rule::DuplicatePackage);
    assert_eq!(
        list.warnings[0].diagnostic.locations[0].lines,
        Lines::one(3)
    );
}

#[test]
fn entries_of_one_archive_complete_each_other() {
    let url = "https://c/f/linux-64/a-1-0.conda";
    let md5 = "0123456789abcdef0123456789abcdef";
    for (first, second, sha256, has_md5) in [
        (url.to_owned(), format!("{url}#{SHA}"), true, false),
        (format!("{url}#{md5}"), format!("{url}#{SHA}"), true, true),
        (format!("{url}#{md5}"), url.to_owned(), false, true),
    ] {
        let list = list(&format!("@EXPLICIT\n{first}\n{second}\n")).unwrap();
        let hashes = &list.packages[0].hashes;
        assert_eq!(list.packages.len(), 1);
        assert_eq!(hashes.sha256.is_some(), sha256, "{first} {second}");
        assert_eq!(hashes.md5.is_some(), has_md5, "{first} {second}");
        assert_eq!(list.warnings[0].rule, Rule::DuplicatePackage);
        assert_eq!(list.warnings.len(), 1);
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

fn pip(text: &str) -> (Vec<String>, Vec<Warning>) {
    let file = SourceFile::new("env.lock", text);
    let settings = InputSettings::default();
    let input = crate::read(&file, Platform::LinuxAmd64, &settings).unwrap();
    let Pip::Locked(LockedPip {
        files: packages, ..
    }) = input.pip
    else {
        panic!("a lock");
    };
    let shown = packages.iter().map(|package| {
        let hash = package.hashes.sha256.as_deref().map_or(0, str::len);
        let version = package.version.as_deref().unwrap_or("?");
        let line = package.lines.first;
        format!("{line}: {} {version} {} {hash}", package.name, package.url)
    });
    (shown.collect(), input.warnings)
}

#[test]
fn pip_packages_in_comments_are_read_for_their_platform() {
    let text = format!(
        "# Generated by conda-lock.\n# platform: linux-64\n@EXPLICIT\nhttps://c/f/linux-64/a-1-0.conda#{SHA}\n\
         # pip idna @ https://f/idna-3.10-py3-none-any.whl#sha256={SHA}\n\
         # pip Some_Thing @ https://f/some_thing-1.0.tar.gz\n\
         # pip old === 1.0 --hash=sha256:{SHA}\n\
         # platform: osx-arm64\nhttps://c/f/osx-arm64/a-1-0.conda#{SHA}\n\
         # pip idna @ https://f/idna-3.9-py3-none-any.whl#sha256={SHA}\n"
    );
    let (packages, warnings) = pip(&text);
    assert_eq!(
        packages,
        [
            "5: idna 3.10 https://f/idna-3.10-py3-none-any.whl 64",
            "6: Some_Thing 1.0 https://f/some_thing-1.0.tar.gz 0",
        ]
    );
    let shown: Vec<String> = warnings
        .iter()
        .map(|warning| warning.diagnostic.render(Level::Warning))
        .collect();
    insta::assert_snapshot!(shown.join("\n\n"));
}

#[test]
fn comments_of_other_tools_are_ignored() {
    let text = format!(
        "# This file may be used to create an environment using:\n# $ conda create --name <env> --file <this file>\n\
         # name of the game\n# size matters\n# pipeline: x\n# platform: linux-64\n# created-by: conda 26.1.0\n\
         @EXPLICIT\nhttps://c/f/linux-64/a-1-0.conda#{SHA}\n"
    );
    let (packages, warnings) = pip(&text);
    assert!(packages.is_empty() && warnings.is_empty(), "{warnings:?}");
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

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "(@EXPLICIT\n)?(\\PC|[\n\r#/:@.-]){0,200}") {
        let _ = list(&text);
    }

    #[test]
    fn what_is_listed_is_read(names in proptest::collection::btree_set("[a-z][a-z0-9_.-]{0,12}", 1..40)) {
        let mut text = String::from("@EXPLICIT\n");
        for name in &names {
            text.push_str(&format!("https://c.example/f/noarch/{name}-1.0-0.conda#{SHA}\n"));
        }
        let read: Vec<String> = list(&text).unwrap().packages.into_iter().map(|p| p.id.name).collect();
        let expected: Vec<String> = names.into_iter().collect();
        prop_assert_eq!(read, expected);
    }
}

#[test]
fn what_the_file_cannot_use_is_a_warning() {
    let text = format!(
        "@EXPLICIT\nhttps://$USER:$PASSWORD@c.example/f/noarch/a-1-0.conda#{SHA}\nhttps://me:hunter2@d.example/t/$TOKEN/f/noarch/b-1-0.conda#{SHA}\n"
    );
    let args = BuildArgs::default().with_logins(Logins::Unknown);
    let settings = InputSettings {
        environment: Some("test".to_owned()),
        build_args: args,
        ..InputSettings::default()
    };
    let file = SourceFile::new("env.lock", text);
    let input = crate::read(&file, Platform::LinuxAmd64, &settings).unwrap();
    let shown: Vec<String> = input
        .warnings
        .iter()
        .map(|warning| {
            let message = warning.diagnostic.to_string();
            assert!(!message.contains("hunter2"), "{message}");
            warning.diagnostic.render(Level::Warning)
        })
        .collect();
    insta::assert_snapshot!(shown.join("\n\n"));
    let urls = input.locked().unwrap().iter();
    let urls: Vec<&str> = urls.map(|package| package.url.url().as_str()).collect();
    assert_eq!(
        urls,
        [
            "https://c.example/f/noarch/a-1-0.conda",
            "https://d.example/f/noarch/b-1-0.conda"
        ]
    );
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
fn packages_are_left_out_by_name() {
    let text = format!(
        "@EXPLICIT\nhttps://c.example/f/linux-64/a-1-0.conda#{SHA}\n# size: 12\nfile:///opt/bld/linux-64/my_lib-1-0.conda\nhttps://c.example/f/linux-64/c-1-0.conda#{SHA}\n# pip My.Tool @ git+https://g.example/tool\n# pip idna @ https://f.example/idna-3-py3-none-any.whl#sha256={SHA}\n"
    );
    let file = SourceFile::new("env.lock", text);
    let read = |skip: &[&str]| {
        let settings = InputSettings {
            skip: skip.iter().map(|name| (*name).to_owned()).collect(),
            ..InputSettings::default()
        };
        crate::read(&file, Platform::LinuxAmd64, &settings)
    };
    let input = read(&["MY_LIB", "my-tool"]).unwrap();
    let names: Vec<&str> = input
        .locked()
        .unwrap()
        .iter()
        .map(|p| p.id.name.as_str())
        .collect();
    assert_eq!(names, ["a", "c"]);
    assert_eq!(input.locked().unwrap()[1].size, None);
    assert_eq!(input.pip.lines().len(), 1);
    let mut all = String::new();
    for skip in [
        &[][..],
        &["my_lib"],
        &["my_lib", "my-tol"],
        &["my_lib", "my-tool", "a", "c"],
    ] {
        let error = read(skip).unwrap_err();
        all.push_str(&format!(
            "## {}\n{}\n\n",
            skip.join(","),
            error.render(Level::Error)
        ));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn placeholders_and_empty_hashes_are_left_out() {
    let text = format!(
        "@EXPLICIT\nhttps://c.example/t/<TOKEN>/f/linux-64/a-1-0.conda#{}\nhttps://<user>:***@c.example/t/{{{{ TOKEN }}}}/f/noarch/b-1-0.conda#sha256:\n# pip idna @ https://c.example/t/xxxx/idna-3-py3-none-any.whl#sha256=\n",
        SHA.to_uppercase()
    );
    let list = list(&text).unwrap();
    let urls = list.packages.iter();
    let urls: Vec<&str> = urls.map(|package| package.url.url().as_str()).collect();
    assert_eq!(
        urls,
        [
            "https://c.example/f/linux-64/a-1-0.conda",
            "https://c.example/f/noarch/b-1-0.conda"
        ]
    );
    assert_eq!(list.packages[0].hashes.sha256.as_deref(), Some(SHA));
    let warnings = list.warnings.iter();
    let warnings: Vec<String> = warnings
        .map(|warning| warning.diagnostic.render(Level::Warning))
        .collect();
    insta::assert_snapshot!(warnings.join("\n\n"));
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
