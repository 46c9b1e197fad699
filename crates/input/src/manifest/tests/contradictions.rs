//! Tables of dependencies that contradict themselves.

use super::*;

const COMMON: &str = "[workspace]\nchannels = [\"conda-forge\"]\n";

fn error(text: &str) -> Option<String> {
    let file = SourceFile::new("pixi.toml", text);
    let error = of_kind::read(&file, Platform::LinuxAmd64, &InputSettings::default()).err()?;
    Some(error.render(Level::Error))
}

/// What is said of each dependency, which is in `table`.
fn errors(table: &str, wrong: &[&str]) -> String {
    let mut all = String::new();
    for one in wrong {
        let text = format!("{COMMON}[{table}]\n{one}\n");
        let said = error(&text).unwrap_or_else(|| panic!("{one} is accepted"));
        all.push_str(&format!("{said}\n\n"));
    }
    all
}

#[test]
fn conda_packages() {
    insta::assert_snapshot!(errors(
        "dependencies",
        &[
            "python = { url = \"https://c.example/noarch/zlib-1.3.1-0.conda\" }",
            "python = { path = \"./zlib-1.3.1-0.tar.bz2\" }",
            "a = { path = \"a\", url = \"https://c.example/a.zip\" }",
            "a = { git = \"https://g.example/a\", path = \"a\" }",
            "a = { git = \"https://g.example/a\", branch = \"main\", tag = \"v1\" }",
            "a = { git = \"https://g.example/a\", tag = \"v1\", rev = \"abc\" }",
            "a = { version = \"1.*\", branch = \"main\" }",
            "a = { path = \"a\", lfs = true }",
            "a = { git = \"https://g.example/a\", channel = \"conda-forge\" }",
            "a = { url = \"https://c.example/noarch/a-1-0.conda\", version = \"1.*\" }",
            "a = { path = \"a\", sha256 = \"00\" }",
            "a = { workspace = false }",
            "a = { workspace = \"true\" }",
            "a = {}",
            "[dependencies.a]\ngit = \"https://g.example/a\"\nrev = \"abc\"\nbranch = \"main\"",
        ],
    ));
    // What pixi takes. A package that is built needs a lock, but is no mistake.
    for right in [
        "a = { url = \"https://c.example/noarch/A-1-0.conda\", sha256 = \"0000000000000000000000000000000000000000000000000000000000000000\" }",
        "a = { git = \"https://g.example/a\", version = \"1.*\", rev = \"abc\", subdirectory = \"x\" }",
        "a = { path = \"./a\", version = \"*\" }",
        "a = { version = \"*\", channel = \"conda-forge\", build = \"h*\" }",
    ] {
        assert_eq!(
            error(&format!("{COMMON}[dependencies]\n{right}\n")),
            None,
            "{right}"
        );
    }
    // The entry and what it takes from the workspace count together.
    let text = "[workspace]\nchannels = [\"conda-forge\"]\n[workspace.dependencies]\na = { git = \"https://g.example/a\", branch = \"main\" }\n[dependencies]\na = { workspace = true, tag = \"v1\" }\n";
    let said = error(text).unwrap();
    assert!(said.contains("both `tag` and `branch`"), "{said}");
}

#[test]
fn pypi_packages() {
    insta::assert_snapshot!(errors(
        "pypi-dependencies",
        &[
            "a = { version = \">=1\", git = \"https://g.example/a\" }",
            "a = { git = \"https://g.example/a\", branch = \"main\", tag = \"v1\" }",
            "a = { git = \"https://g.example/a\", branch = \"main\", rev = \"abc\" }",
            "a = { version = \"*\", tag = \"v1\" }",
            "a = { path = \".\", url = \"https://f.example/a-1.0-py3-none-any.whl\" }",
            "a = { path = \".\", version = \"*\" }",
            "a = { path = \".\", index = \"https://i.example/simple\" }",
            "a = { url = \"https://f.example/b-1.0-py3-none-any.whl\" }",
            "a = { path = \"dist/b_c-1.0-py3-none-any.whl\" }",
        ],
    ));
    for right in [
        "b-c = { path = \"dist/B_c-1.0-py3-none-any.whl\", extras = [\"x\"] }",
        "a = { git = \"https://g.example/a\", rev = \"abc\", subdirectory = \"x\" }",
        "a = { url = \"https://f.example/archive/v1.tar.gz\" }",
    ] {
        let text = format!("{COMMON}[pypi-dependencies]\n{right}\n");
        assert_eq!(error(&text), None, "{right}");
    }
}

#[test]
fn sources_of_uv() {
    let text = |source: &str| {
        format!(
            "[project]\nname = \"y1\"\ndependencies = [\"a\"]\n[tool.pixi.workspace]\nchannels = [\"conda-forge\"]\n[tool.uv.sources]\na = {source}\n"
        )
    };
    let mut all = String::new();
    for source in [
        "{ git = \"https://g.example/a\", branch = \"main\", tag = \"v1\" }",
        "{ path = \"a\", url = \"https://f.example/a.whl\" }",
        "{ workspace = false }",
        "[{ path = \"a\", marker = \"x\" }, { index = \"i\", git = \"https://g.example/a\" }]",
    ] {
        let said = error(&text(source)).unwrap_or_else(|| panic!("{source} is accepted"));
        all.push_str(&format!("{said}\n\n"));
    }
    insta::assert_snapshot!(all);
    assert_eq!(error(&text("{ workspace = true }")), None);
}
