use proptest::prelude::*;

use super::*;
use crate::input::InputSettings;
use crate::source::Level;

const MD5: &str = "d7c89558ba9fa0495403155b64376d81";
const SHA: &str = "5d7c0e5f0005f74112a34a7425179f4eb6e73c92f5d109e6af4ddeca407c92ab";

/// What a lock holds, with its packages taken out of it.
#[derive(Debug)]
struct List {
    packages: Vec<Package>,
    warnings: Vec<Warning>,
}

fn read(file: &Arc<SourceFile>) -> Result<List, Diagnostic> {
    let input = crate::input::read(file, Platform::LinuxAmd64, &InputSettings::default())?;
    Ok(List {
        packages: input.locked().unwrap().to_vec(),
        warnings: input.warnings,
    })
}

fn list(text: &str) -> Result<List, Diagnostic> {
    read(&SourceFile::new("env.lock", text))
}

fn error(text: &str) -> String {
    list(text).unwrap_err().render(Level::Error)
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
fn credentials_are_a_warning_that_does_not_show_them() {
    let text = format!(
        "@EXPLICIT\nhttps://c/f/linux-64/a-1-0.conda#{SHA}\nhttps://c.example/t/tk-1/f/linux-64/b-1-0.conda#{SHA}\n"
    );
    let list = list(&text).unwrap();
    assert_eq!(list.warnings.len(), 1);
    insta::assert_snapshot!(list.warnings[0].diagnostic.render(Level::Warning));
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
        ("not a URL", "@EXPLICIT\nnumpy=1.26\n".into()),
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
            "no platform folder",
            "@EXPLICIT\nhttps://c/a-1-0.conda\n".into(),
        ),
        (
            "a bad hash",
            "@EXPLICIT\nhttps://c/f/linux-64/a-1-0.conda#deadbeef\n".into(),
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
            "a secret is not shown",
            "@EXPLICIT\nhttps://me:hunter2@c/f/linux-64/a-1-py3-none-any.whl\n".into(),
        ),
    ];
    let mut all = String::new();
    for (name, text) in cases {
        let shown = error(&text);
        // The excerpt is the user's own file; the message around it must not repeat the secret.
        let message = list(&text).unwrap_err().to_string();
        assert!(!message.contains("hunter2"), "{message}");
        all.push_str(&format!("## {name}\n{shown}\n\n"));
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
