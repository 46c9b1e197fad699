//! Inventories that are the same but for the base image and the version of condafront.

use serde_json::Value;

/// The identifier of the base image.
const BASE: &str = "SPDXRef-base";

/// Whether two inventories list the same packages from the same places. The base image, the program that wrote the
/// inventory and the address that follows from all that may be different.
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
    let is_of_base = |item: &Value| {
        ["SPDXID", "relatedSpdxElement"]
            .iter()
            .any(|key| item.get(*key).and_then(Value::as_str) == Some(BASE))
    };
    for key in ["packages", "relationships"] {
        fields
            .get_mut(key)?
            .as_array_mut()?
            .retain(|item| !is_of_base(item));
    }
    Some(document)
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
        for wrong in [&b""[..], b"[]", b"{}", b"{\"packages\": 1}"] {
            assert!(!list_the_same(wrong, wrong));
        }
    }
}
