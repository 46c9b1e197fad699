//! Layers that are divided because a package is large.

use std::collections::BTreeMap;
use std::fs;

use super::package::{PLACEHOLDER, Package};
use super::step::{Step, paths_of};

fn packages() -> Vec<Package> {
    let binary = format!("{PLACEHOLDER}/lib\0{}", "x".repeat(900));
    vec![
        Package::new("large")
            .file("lib/a.so", &"a".repeat(1000))
            .file("lib/deep/er/b.so", &"b".repeat(990))
            .file_with_prefix("lib/c.so", binary.as_bytes(), "binary")
            .file("share/small-1", "1")
            .file("share/small-2", "2")
            .symlink("lib/link.so", "a.so")
            .hard_link("share/again", "lib/a.so"),
    ]
}

/// What is in each part.
fn parts(prefix: &str, further: u16) -> Vec<BTreeMap<String, String>> {
    let mut step = Step::new(&packages());
    step.spec.prefix = prefix.into();
    step.spec.further_parts = further;
    let mounts = step.mounts();
    let further = (1..=further).map(|part| mounts.parts.join(part.to_string()));
    let roots: Vec<_> = std::iter::once(mounts.output.clone())
        .chain(further)
        .collect();
    for root in &roots[1..] {
        fs::create_dir_all(root).unwrap();
    }
    step.run().unwrap();
    roots.iter().map(|root| paths_of(root)).collect()
}

#[test]
fn the_parts_are_the_layer() {
    let whole = parts("/opt/conda", 0).remove(0);
    let parts = parts("/opt/conda", 2);
    let together: BTreeMap<_, _> = parts.iter().flatten().collect();
    assert_eq!(together, whole.iter().collect());
    let files =
        |part: &BTreeMap<String, String>| part.keys().filter(|it| !it.ends_with('/')).count();
    let all: usize = parts.iter().map(files).sum();
    assert_eq!(all, files(&whole), "each file is in one part");
}

#[test]
fn the_parts_are_of_like_size_whatever_the_prefix_is() {
    let named = |prefix: &str| -> Vec<Vec<String>> {
        let libraries = |part: BTreeMap<String, String>| {
            let names = part.into_keys();
            let names = names.filter(|it| it.ends_with(".so") && !it.ends_with("link.so"));
            names
                .map(|it| it.trim_start_matches(prefix).to_owned())
                .collect()
        };
        parts(prefix, 2).into_iter().map(libraries).collect()
    };
    let found = named("/opt/conda");
    assert!(found.iter().all(|names| names.len() == 1), "{found:?}");
    assert_eq!(found, named("/opt/conda/envs/another"));
}
