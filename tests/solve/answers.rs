//! What is said of the packages that are chosen.

use std::collections::BTreeMap;

use condafront_testkit::repodata::{Repodata, record};

use crate::channels;
use crate::{ask, question, url};

#[test]
fn packages_come_after_what_they_need_and_belong_to_who_asks() {
    let spec = question(&["main"], &["pandas", "openssl", "python", "torch"]);
    let packages = ask(&spec, &[&channels::main()]).unwrap();
    let place: BTreeMap<&str, usize> = packages
        .iter()
        .enumerate()
        .map(|(index, package)| (package.name.as_str(), index))
        .collect();
    for (index, package) in packages.iter().enumerate() {
        for dependency in &package.depends {
            let name = dependency.split(' ').next().unwrap();
            if let Some(needed) = place.get(name) {
                assert!(*needed < index, "{} needs {name}", package.name);
            }
        }
    }
    let asked_by = |name: &str| packages[place[name]].requested_by;
    assert_eq!(asked_by("pandas"), 0);
    assert_eq!(asked_by("six"), 0);
    assert_eq!(asked_by("openssl"), 1);
    assert_eq!(asked_by("python"), 2);
    // Nobody asks for it, but python brings it.
    assert_eq!(asked_by("pip"), 2);
    assert_eq!(asked_by("torch"), 3);
    let numpy = &packages[place["numpy"]];
    assert_eq!(numpy.license.as_deref(), Some("MIT"));
    assert_eq!(numpy.sha256.as_ref().unwrap().len(), 64);
    assert_eq!(numpy.md5.as_ref().unwrap().len(), 32);
    // The same question has the same answer, to the byte.
    assert_eq!(ask(&spec, &[&channels::main()]).unwrap(), packages);
}

#[test]
fn archives_are_where_the_list_says() {
    for (base, expected) in [
        (None, url("main/noarch/a-1-0.conda")),
        (
            Some("https://files.example/x/"),
            "https://files.example/x/a-1-0.conda".to_owned(),
        ),
        (Some("../../files"), url("files/a-1-0.conda")),
    ] {
        let mut channel = Repodata::default();
        channel.add(record("a 1 0").noarch());
        if let Some(base) = base {
            channel.base_url(base);
        }
        let packages = ask(&question(&["main"], &["a"]), &[&channel]).unwrap();
        assert_eq!(packages[0].url, expected);
    }
}

#[test]
fn channels_of_a_group_matter_equally() {
    let (main, extra) = (channels::main(), channels::extra());
    let mut spec = question(&["main", "extra"], &["zlib >=1.4"]);
    ask(&spec, &[&main, &extra]).unwrap_err();
    for channel in &mut spec.channels {
        channel.group = Some("both".to_owned());
    }
    let packages = ask(&spec, &[&main, &extra]).unwrap();
    assert_eq!(packages[0].version, "1.4.0");
}
