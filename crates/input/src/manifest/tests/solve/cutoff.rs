//! How new packages may be.

use super::*;

#[test]
fn packages_can_be_too_new() {
    let text = r#"[workspace]
channels = [{ channel = "fresh", exclude-newer = "0d" }, "conda-forge"]
platforms = ["linux-64"]
exclude-newer = "2026-11-01"
[dependencies]
python = "*"
[exclude-newer]
openssl = "0d"
numpy = "2026-11-05"
"#;
    let input = read_as("pixi.toml", text, None);
    let asked = request(&input).exclude_newer.clone();
    let asked = asked.map(|asked| asked.map(|limit| limit.to_string()));
    assert_eq!(
        serde_json::to_string(&asked).unwrap(),
        r#"{"cutoff":"2026-11-01","channels":{"0":null},"by_name":{"numpy":"2026-11-05","openssl":null}}"#
    );
    let without = text.replace("exclude-newer = \"2026-11-01\"\n", "");
    let input = read_as(
        "pixi.toml",
        &format!("{without}[pypi-dependencies]\na = \"*\"\n[pypi-exclude-newer]\na = \"7d\"\n"),
        None,
    );
    let only = request(&input).exclude_newer.clone();
    let only = only.map(|asked| asked.map(|limit| limit.to_string()));
    assert_eq!(
        serde_json::to_string(&only).unwrap(),
        r#"{"channels":{"0":null},"by_name":{"numpy":"2026-11-05","openssl":null}}"#
    );
    let of_pypi = &input.beside.as_ref().unwrap().warnings;
    assert_eq!(of_pypi[0].diagnostic.locations[0].lines, Lines::one(11));
    let with_table = |table: &str| text.replace("\"2026-11-01\"\n", &format!("{{ {table} }}\n"));
    let exempt = "cutoff = \"7d\", exemptions = { polars = \"1.43.1\", rattler = \"*\" }";
    let input = read_as("pixi.toml", &with_table(exempt), None);
    let asked = request(&input).exclude_newer.clone();
    let asked = asked.map(|asked| asked.map(|limit| limit.to_string()));
    assert_eq!(
        serde_json::to_string(&asked).unwrap(),
        r#"{"cutoff":"7d","channels":{"0":null},"packages":{"polars ==1.43.1":null,"rattler":null},"by_name":{"numpy":"2026-11-05","openssl":null}}"#
    );
    assert_eq!(input.beside.as_ref().unwrap().unsolvable, None);
    let of_channel = "exemptions = { polars = { version = \"1.*\", channel = \"fresh\" } }";
    let input = read_as("pixi.toml", &with_table(of_channel), None);
    let error = input.beside.unwrap().unsolvable.unwrap();
    assert!(error.message.contains("for one channel"), "{error}");
    for (table, message) in [
        ("cutof = \"7d\"", "`exclude-newer` has no key `cutof`"),
        (
            "cutoff = { a = \"7d\" }",
            "a cutoff must be a string, not a table",
        ),
        (
            "exemptions = \"polars\"",
            "`exemptions` must be a table, not a string",
        ),
        (
            "exemptions = { polars = { path = \"polars\" } }",
            "an exemption must be a version, not a place",
        ),
        (
            "exemptions = { polars = { version = \"1\", extras = [\"gpu\"] } }",
            "`polars[version='1', extras=[gpu]]` names more than a package",
        ),
    ] {
        let error = read_for(&with_table(table), None).unwrap_err();
        assert_eq!(error.message, message);
        assert_eq!(error.locations[0].lines, Lines::one(4));
    }
    let of_pypi = text.replace(
        "[dependencies]",
        "pypi-exclude-newer = \"7d\"\n[dependencies]",
    );
    let of_pypi = format!("{of_pypi}[pypi-dependencies]\na = \"*\"\n");
    let input = read_as("pixi.toml", &of_pypi, None);
    assert_eq!(input.warnings, []);
    let warnings = &input.beside.as_ref().unwrap().warnings;
    assert_eq!(warnings[0].diagnostic.locations[0].lines, Lines::one(5));
    let spec = format!("{text}\"numpy 2\" = \"0d\"\n");
    let error = read_for(&spec, None).unwrap_err();
    assert_eq!(error.message, "`numpy 2` is not the name of a package");
    let own = format!("{text}[tool.condafront]\nexclude_newer = \"2026-10-01\"\n");
    let own = read_as("pixi.toml", &own, None);
    let cutoff = request(&own).exclude_newer.as_ref().unwrap().cutoff;
    assert_eq!(cutoff.unwrap().to_string(), "2026-10-01");
}
