//! What pip sees of the packages that are there already.

use super::*;
use condafront_step_spec::facts::PackageFacts;
use condafront_step_spec::pip_metadata::PackageMetadata;

/// The facts of python, pip, and further packages, each with the text of its metadata.
fn facts(further: &[(&str, &str)]) -> EnvironmentFacts {
    let package = |name: &str, depends: &str| PackageFacts {
        name: name.to_owned(),
        depends: [depends.to_owned()].into(),
        ..PackageFacts::default()
    };
    let mut packages = vec![package("python", ""), package("pip", "python")];
    packages.extend(further.iter().map(|(name, text)| {
        let path = format!("lib/python3.13/site-packages/{name}-1.dist-info/METADATA");
        PackageFacts {
            distributions: [(*name).to_owned()].into(),
            metadata: [(path, (*text).to_owned())].into(),
            ..package(name, "python")
        }
    }));
    EnvironmentFacts {
        packages,
        ..EnvironmentFacts::default()
    }
}

/// The step in which pip finds six beside these packages, in a root of its own. `show` says how it sees them.
fn resolved_beside(
    further: &[(&str, &str)],
    show: impl FnOnce(Vec<PackageMetadata>) -> Beside,
) -> String {
    let names = further.iter().map(|(name, _)| *name);
    let names: Vec<&str> = std::iter::once("pip").chain(names).collect();
    with_environment_of(&names, true, |environment, _| {
        let mirrors = Mirrors::default();
        let urls = environment.fetched().map(|package| &package.url);
        let conda = environment.install(&mirrors.addresses(urls)).unwrap();
        let found = environment.pip_root(&conda, &facts(further));
        let PipRoot { root, metadata } = found.unwrap().unwrap();
        let wanted = environment.pip_resolving(&mirrors).unwrap();
        let with = (&wanted, &wanted.addresses());
        let list = list_of("six>=1\n");
        let wheels = [Image::new("docker.io/org/wheel:latest").build()];
        let network = PipNetwork::default();
        let beside = show(metadata);
        let resolved = environment.pip_resolve(&root, &list, &wheels, &network, &beside, with);
        resolved.unwrap().facts
    })
}

/// Of packages that pip does not need, there is only the metadata.
#[test]
fn pip_finds_packages_beside_python_and_metadata() {
    let text = resolved_beside(&[("six", "Name: six\n")], Beside::HandedOver);
    assert!(!text.contains("/six-1.0-"), "{text}");
    insta::assert_snapshot!(text);
}

/// The step that asks pip has the same cache key whatever is handed over to it, unless that has to be in it.
#[test]
fn metadata_is_in_the_cache_key_only_if_it_must_be() {
    let few: &[(&str, &str)] = &[("six", "Name: six\n")];
    let more: &[(&str, &str)] = &[("six", "Name: six\n"), ("idna", "Name: idna\n")];
    // The step's own vertex is the last one. BuildKit knows its inputs by their content.
    let step = |text: &str| {
        let start = text.rfind(" exec\n").unwrap();
        let lines = text[start..].lines().skip(1);
        let lines = lines.map(|line| line.split(" bind #").next().unwrap_or(line).to_owned());
        lines
            .take_while(|line| !line.contains("result"))
            .collect::<Vec<_>>()
    };
    let [one, other] = [few, more].map(|it| step(&resolved_beside(it, Beside::HandedOver)));
    assert_eq!(one, other);
    assert!(one.join("\n").contains("mount /metadata cache"), "{one:?}");
    let mounted = resolved_beside(more, Beside::Mounted);
    assert!(!mounted.contains("hand over"), "{mounted}");
    assert!(mounted.contains("mount /metadata bind"), "{mounted}");
}
