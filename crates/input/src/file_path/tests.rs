use super::*;
use condafront_model::source::{Level, Lines};

fn at(root: Root, path: &str) -> FilePath {
    FilePath {
        root,
        path: path.to_owned(),
    }
}

fn named(folder: FilePath, path: &str) -> NamedPath {
    NamedPath {
        path: normalized("", path),
        folder,
        beside: None,
        or_context: true,
        location: Location {
            file: SourceFile::new("environment.yml", format!("pip: [-r {path}]\n")),
            lines: Lines::one(1),
        },
    }
}

#[test]
fn paths_are_looked_up_beside_the_file_and_then_in_the_context() {
    use Root::{BuildFile, Context};
    for (root, folder, path, expected) in [
        (Context, "", "a.txt", &[(Context, "a.txt")][..]),
        (Context, "", "../a.txt", &[]),
        (
            Context,
            "docs",
            "a.txt",
            &[(Context, "docs/a.txt"), (Context, "a.txt")],
        ),
        (Context, "docs", "../a.txt", &[(Context, "a.txt")]),
        (Context, "docs", "../../a.txt", &[]),
        (Context, "docs", "x/../..", &[(Context, "")]),
        (Context, "docs", ".", &[(Context, "docs"), (Context, "")]),
        (
            BuildFile,
            "",
            "a.txt",
            &[(BuildFile, "a.txt"), (Context, "a.txt")],
        ),
        (BuildFile, "", "../a.txt", &[(BuildFile, "../a.txt")]),
        (BuildFile, "docs", "../a.txt", &[(BuildFile, "a.txt")]),
        (BuildFile, "..", "../..x", &[(BuildFile, "../../..x")]),
    ] {
        let places = at(root, folder).candidates(path);
        let expected: Vec<FilePath> = expected
            .iter()
            .map(|(root, path)| at(*root, path))
            .collect();
        assert_eq!(places, expected, "{folder:?} {path}");
    }
    assert!(at(BuildFile, "../x").is_above());
    assert!(!at(BuildFile, "..x").is_above());
}

#[test]
fn the_way_from_a_folder_is_found() {
    let from =
        |folder: &str, path: &str| at(Root::Context, path).from_folder(&at(Root::Context, folder));
    assert_eq!(from("docs", "a.txt").as_deref(), Some("../a.txt"));
    assert_eq!(from("a/b", "a/c/d").as_deref(), Some("../c/d"));
    assert_eq!(from("a/b", "").as_deref(), Some("../.."));
    assert_eq!(from("a", "a").as_deref(), Some("."));
    let elsewhere = at(Root::BuildFile, "");
    assert_eq!(at(Root::Context, "a").from_folder(&elsewhere), None);
}

#[test]
fn the_file_beside_is_chosen_and_the_other_is_reported_if_it_differs() {
    let file = |text: &str| Content::File(text.as_bytes().to_vec());
    let choose = |folder: FilePath, contents: [Content; 2]| {
        let named = named(folder, "reqs/a.txt");
        let places = named.candidates().unwrap();
        let found = named.choose(places.into_iter().zip(contents).collect())?;
        let text = found.file.text().map(str::to_owned)?;
        let warning = found
            .warning
            .map(|one| one.diagnostic.render(Level::Warning));
        Ok::<_, Diagnostic>((text, found.path, warning))
    };
    let docs = || at(Root::Context, "docs");
    let (text, path, warning) = choose(docs(), [file("a"), file("a")]).unwrap();
    assert_eq!((text.as_str(), warning), ("a", None));
    assert_eq!(path, at(Root::Context, "docs/reqs/a.txt"));
    let (text, path, warning) = choose(docs(), [Content::Nothing, file("b")]).unwrap();
    assert_eq!((text.as_str(), warning), ("b", None));
    assert_eq!(path, at(Root::Context, "reqs/a.txt"));
    let (text, _, warning) = choose(docs(), [file("a"), Content::Nothing]).unwrap();
    assert_eq!((text.as_str(), warning), ("a", None));
    let mut all = String::new();
    for folder in [docs(), FilePath::build_file()] {
        let (text, _, warning) = choose(folder, [file("a"), file("b")]).unwrap();
        assert_eq!(text, "a");
        all.push_str(&format!("{}\n\n", warning.unwrap()));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn what_is_missing_reads_well() {
    use Content::{Folder, Nothing, Unknown};
    let (docs, unknown) = (at(Root::Context, "docs"), FilePath::build_file());
    let mut all = String::new();
    let mut add = |named: NamedPath, contents: &[Content]| {
        let error = named.candidates().and_then(|places| {
            let contents = contents.iter().cloned();
            named.choose(places.into_iter().zip(contents).collect())
        });
        all.push_str(&format!("{}\n\n", error.unwrap_err().render(Level::Error)));
    };
    add(named(docs.clone(), "a.txt"), &[Nothing, Nothing]);
    add(named(docs.clone(), "../a.txt"), &[Nothing]);
    add(named(docs.clone(), "../../a.txt"), &[]);
    add(named(docs, "reqs"), &[Folder, Nothing]);
    add(named(FilePath::context(), "a.txt"), &[Nothing]);
    add(named(unknown.clone(), "a.txt"), &[Nothing, Nothing]);
    add(named(unknown.clone(), "../reqs/a.txt"), &[Unknown]);
    add(named(unknown.clone(), "../.."), &[Unknown]);
    let nested = |folder: FilePath, path: &str| NamedPath {
        or_context: false,
        ..named(folder, path)
    };
    add(nested(at(Root::Context, "reqs"), "a.txt"), &[Nothing]);
    add(nested(unknown.clone(), "a.txt"), &[Nothing]);
    add(nested(unknown, "../a.txt"), &[Unknown]);
    insta::assert_snapshot!(all);
}

#[test]
fn paths_in_a_nested_list_are_relative_to_the_environments_file() {
    let mut all = String::new();
    for (folder, beside, path, is_beside) in [
        ("", "a", "x", true),
        ("", "a", "x", false),
        ("docs", "docs/a", "x", true),
        ("docs", "docs/a", "x", false),
        ("docs", "a", "x", true),
    ] {
        let named = NamedPath {
            beside: Some(at(Root::Context, beside)),
            ..named(at(Root::Context, folder), path)
        };
        let places = named.candidates().unwrap();
        let meant = named.mistaken().filter(|_| is_beside);
        let error = named.nowhere(&places, meant.as_ref());
        let help = error.help.unwrap_or_default();
        all.push_str(&format!(
            "{folder:?} {beside} {path}\n  {}\n  {help}\n",
            error.message
        ));
    }
    let nested = NamedPath {
        beside: Some(at(Root::Context, "docs/a")),
        ..named(at(Root::Context, "docs"), "x")
    };
    all.push_str(&nested.ambiguous(&at(Root::Context, "x")).diagnostic.message);
    insta::assert_snapshot!(all);
}
