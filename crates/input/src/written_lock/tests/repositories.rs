//! Packages of git repositories.

use super::*;
use crate::requirements::Repository;

/// A repository at a commit.
fn repository(url: &str, reference: &str) -> Repository {
    Repository {
        url: url.to_owned(),
        reference: Some(reference.to_owned()),
        found_by: None,
        subdir: Some("a b/c+d".to_owned()),
        has_history: false,
    }
}

#[test]
fn repositories_read_back_at_their_commits() {
    let commit = "0123456789".repeat(4);
    let url = "https://git.example/team/demo.git";
    let package = RepositoryPypi::of("demo", &repository(url, &commit)).unwrap();
    let package = package.built("1.0".to_owned(), vec!["idna>=3".to_owned()], None);
    let found = Found {
        repositories: vec![package],
        ..Found::of(Platform::LinuxAmd64)
    };
    for (name, write) in KINDS {
        let text = written(write, std::slice::from_ref(&found), None);
        let input = read_back(name, &text, Platform::LinuxAmd64);
        assert_eq!(input.warnings, [], "{name}");
        let Pip::Locked(pip) = &input.pip else {
            panic!("not locked");
        };
        let [demo] = pip.repositories.as_slice() else {
            panic!("{text}");
        };
        assert_eq!((&*demo.name, &*demo.url), ("demo", url), "{name}");
        assert_eq!(demo.commit, commit);
        assert_eq!(demo.subdir.as_deref(), Some("a b/c+d"), "{text}");
        assert_eq!(
            RepositoryPypi::locked(demo).unwrap().address(),
            found.repositories[0].address()
        );
    }
}

#[test]
fn a_lock_has_only_repositories_that_stay_as_they_are() {
    let commit = "0123456789".repeat(4);
    let url = "https://git.example/demo.git";
    let is_possible = |one: &Repository| RepositoryPypi::of("demo", one).is_some();
    assert!(is_possible(&repository(url, &commit)));
    assert!(is_possible(&repository(
        "ssh://git@git.example/demo.git",
        &commit
    )));
    for (url, reference) in [
        (url, "main"),
        (url, &commit[..10]),
        ("https://me:hunter2@git.example/demo.git", &*commit),
        ("https://git.example/demo.git?a=b", &*commit),
        ("file:///w/demo.git", &*commit),
    ] {
        assert!(
            !is_possible(&repository(url, reference)),
            "{url}@{reference}"
        );
    }
    let with_history = Repository {
        has_history: true,
        ..repository(url, &commit)
    };
    assert!(!is_possible(&with_history));
    let of_default = Repository {
        reference: None,
        ..repository(url, &commit)
    };
    assert!(!is_possible(&of_default));
}
