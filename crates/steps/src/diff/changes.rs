//! How two lists of packages differ.

use super::list::{Key, List};
use condafront_step_spec::diff::{Change, Details};

/// The packages that only one list has, or that differ; by kind, environment and name.
pub(super) fn between(old: List, new: List) -> Vec<Change> {
    let (old, mut new) = (old.into_packages(), new.into_packages());
    let mut changes = Vec::new();
    for (key, old) in old {
        match new.remove(&key) {
            Some(new) if is_same(&old, &new) => {}
            new => changes.push(change(key, Some(old), new)),
        }
    }
    let added = new
        .into_iter()
        .map(|(key, new)| change(key, None, Some(new)));
    changes.extend(added);
    changes.sort_by(|one, other| place(one).cmp(&place(other)));
    changes
}

fn place(change: &Change) -> impl Ord {
    (change.kind, change.environment.clone(), change.name.clone())
}

fn change(key: Key, old: Option<Details>, new: Option<Details>) -> Change {
    let Key {
        kind,
        environment,
        name,
    } = key;
    Change {
        kind,
        environment,
        name,
        old,
        new,
    }
}

/// Whether two packages of the same name are the same. What only one of them says does not count, nor do sizes: tools
/// compile different modules.
fn is_same(old: &Details, new: &Details) -> bool {
    let agree = |old: &Option<String>, new: &Option<String>| match (old, new) {
        (Some(old), Some(new)) => old == new,
        _ => true,
    };
    old.version == new.version
        && agree(&old.build, &new.build)
        && agree(&old.channel, &new.channel)
        && agree(&old.license, &new.license)
        && agree(&old.sha256, &new.sha256)
}

#[cfg(test)]
mod tests {
    use super::*;
    use condafront_step_spec::diff::PackageKind;

    fn list(packages: &[(&str, &str, Option<&str>)]) -> List {
        let mut list = List::default();
        for (name, version, license) in packages {
            let key = Key {
                kind: PackageKind::Conda,
                environment: None,
                name: (*name).to_owned(),
            };
            let details = Details {
                version: (*version).to_owned(),
                license: license.map(str::to_owned),
                ..Details::default()
            };
            list.add(key, details, "");
        }
        list
    }

    #[test]
    fn only_what_both_say_can_differ() {
        let mit = Some("MIT");
        let old = list(&[
            ("a", "1", mit),
            ("b", "1", None),
            ("c", "1", mit),
            ("d", "1", None),
            ("f", "1", None),
        ]);
        let new = list(&[
            ("a", "2", mit),
            ("b", "1", mit),
            ("c", "1", Some("BSD")),
            ("e", "1", None),
            ("f", "1", None),
        ]);
        let changes = between(old, new);
        let found = changes
            .iter()
            .map(|it| (it.name.as_str(), it.old.is_some(), it.new.is_some()));
        assert_eq!(
            found.collect::<Vec<_>>(),
            [
                ("a", true, true),
                ("c", true, true),
                ("d", true, false),
                ("e", false, true)
            ]
        );
    }
}
