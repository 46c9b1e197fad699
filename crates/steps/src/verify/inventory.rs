//! Inventories that are the same except for the base image, packages of its distribution, and the version of condafront.

use serde_json::Value;

use condafront_step_spec::inventory::{BASE, IMAGE, SYSTEM};

/// Whether two inventories list the same packages from the same places. The base image, packages of its distribution, the
/// program that wrote the inventory and the address that follows from all that may be different.
pub(super) fn list_the_same(one: &[u8], other: &[u8]) -> bool {
    match (packages(one), packages(other)) {
        (Some(one), Some(other)) => one == other,
        _ => false,
    }
}

fn packages(text: &[u8]) -> Option<Value> {
    let mut document: Value = serde_json::from_slice(text).ok()?;
    let fields = document.as_object_mut()?;
    fields.remove("documentNamespace");
    fields.remove("creationInfo");
    for (list, key) in [
        ("packages", "SPDXID"),
        ("relationships", "relatedSpdxElement"),
    ] {
        let items = fields.get_mut(list)?.as_array_mut()?;
        let count = items.len();
        items.retain(|item| item.get(key).and_then(Value::as_str) != Some(BASE));
        // An image has one base. Another package of that name would be one that nobody looks at.
        if count - items.len() > 1 {
            return None;
        }
    }
    let packages = fields.get_mut("packages")?.as_array_mut()?;
    packages.retain(|item| !is_system(item));
    let relationships = fields.get_mut("relationships")?.as_array_mut()?;
    relationships.retain(|item| {
        let is = |key: &str, value: &str| item.get(key).and_then(Value::as_str) == Some(value);
        let related = item.get("relatedSpdxElement").and_then(Value::as_str);
        let is_system = related.is_some_and(|id| id.starts_with(SYSTEM));
        !(is_system && is("relationshipType", "CONTAINS") && is("spdxElementId", IMAGE))
    });
    Some(document)
}

/// Whether an entry is of a distribution's package, and says nothing else.
fn is_system(item: &Value) -> bool {
    let id = item.get("SPDXID").and_then(Value::as_str);
    let urls = item.get("externalRefs").and_then(Value::as_array);
    let mut urls = urls.into_iter().flatten();
    let is_of_system = |url: &Value| {
        let url = url.get("referenceLocator").and_then(Value::as_str);
        let kinds = ["pkg:deb/", "pkg:apk/", "pkg:rpm/"];
        url.is_some_and(|url| kinds.iter().any(|kind| url.starts_with(kind)))
    };
    id.is_some_and(|id| id.starts_with(SYSTEM)) && urls.all(is_of_system)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_packages_count() {
        let document = |base: &str, package: &str| {
            let document = json!({
                "documentNamespace": format!("https://{base}"),
                "creationInfo": {"creators": [base]},
                "packages": [
                    {"SPDXID": "SPDXRef-base", "name": base},
                    {"SPDXID": "SPDXRef-1-a", "name": package},
                ],
                "relationships": [
                    {"spdxElementId": "SPDXRef-image", "relatedSpdxElement": "SPDXRef-base"},
                ],
            });
            document.to_string().into_bytes()
        };
        let own = document("debian", "a");
        assert!(list_the_same(&own, &document("ubuntu", "a")));
        assert!(!list_the_same(&own, &document("debian", "b")));
        let with = |list: &str, item: Value| {
            let mut document: Value = serde_json::from_slice(&own).unwrap();
            document[list].as_array_mut().unwrap().push(item);
            document.to_string().into_bytes()
        };
        let system = |url: &str| {
            let reference = json!([{"referenceLocator": url}]);
            json!({"SPDXID": "SPDXRef-system-1-b", "name": "b", "externalRefs": reference})
        };
        let added = with("packages", system("pkg:deb/debian/b@1"));
        assert!(list_the_same(&own, &added));
        for hidden in [
            with("packages", system("pkg:conda/b@1")),
            with(
                "packages",
                json!({"SPDXID": "SPDXRef-2-b", "name": "b", "relatedSpdxElement": "SPDXRef-base"}),
            ),
            with("packages", json!({"SPDXID": "SPDXRef-base", "name": "b"})),
            with(
                "relationships",
                json!({"SPDXID": "SPDXRef-base", "relatedSpdxElement": "SPDXRef-2-b"}),
            ),
        ] {
            assert!(!list_the_same(&own, &hidden));
        }
        for wrong in [&b""[..], b"[]", b"{}", b"{\"packages\": 1}"] {
            assert!(!list_the_same(wrong, wrong));
        }
    }
}
