//! What is recorded about where a package comes from.

use super::*;

#[test]
fn where_a_package_comes_from_is_recorded_if_a_url_asks_for_it() {
    let hashes = Hashes {
        sha256: Some("1".repeat(64)),
        md5: None,
    };
    let url = "https://me:hunter2@f.example/six-1.17.0-py3-none-any.whl?raw=true#sha256=1";
    let asked = PipPackage {
        is_direct: true,
        ..package(url, hashes.clone())
    };
    let found = direct_url(&asked).unwrap().to_json();
    let recorded = "https://f.example/six-1.17.0-py3-none-any.whl?raw=true";
    assert!(
        found.contains(&format!("\"url\": \"{recorded}\"")),
        "{found}"
    );
    assert_eq!(direct_url(&package(url, hashes)), None);
    let unpinned = PipPackage {
        hashes: Hashes::default(),
        ..asked
    };
    assert_eq!(direct_url(&unpinned), None);

    let commit = "0123456789abcdef0123456789abcdef01234567";
    let repository = |reference: Option<&str>, found_by: Option<&str>| Local {
        label: "demo".to_owned(),
        kind: LocalKind::Folder,
        output: Image::new("docker.io/org/demo:latest").build(),
        build_options: Vec::new(),
        hashes: Hashes::default(),
        editable: None,
        repository: Some(Repository {
            url: "https://me@g.example/demo.git".to_owned(),
            reference: reference.map(str::to_owned),
            found_by: found_by.map(str::to_owned),
            subdir: None,
            has_history: false,
        }),
    };
    for (reference, found_by, requested) in [
        (Some(commit), None, Some(commit)),
        (Some(commit), Some("refs/heads/main"), Some("main")),
        (Some(commit), Some("v1.0"), Some("v1.0")),
        (Some("main"), None, None),
        (None, None, None),
    ] {
        let found = repository(reference, found_by).direct_url();
        let expected = requested.map(|requested| {
            format!(
                r#"{{"url": "https://g.example/demo.git", "vcs_info": {{"commit_id": "{commit}", "requested_revision": "{requested}", "vcs": "git"}}}}"#
            )
        });
        assert_eq!(found.map(|found| found.to_json()), expected);
    }
    let folder = Local {
        repository: None,
        ..repository(None, None)
    };
    assert_eq!(folder.direct_url(), None);
}
