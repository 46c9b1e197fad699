mod mistakes;

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
