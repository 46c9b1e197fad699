//! What only the manifest's own tool can do.

use super::*;
use crate::own_lock;

#[test]
fn what_only_the_tool_can_do_needs_its_lock() {
    let start = "[workspace]\nchannels = [\"conda-forge\"]\nplatforms = [\"linux-64\"]\n";
    let mut all = String::new();
    for rest in [
        "channel-priority = \"disabled\"\n",
        "solve-strategy = \"lowest\"\n",
        "exclude-newer = \"500ms\"\n",
        "[dependencies]\nown = { path = \"own\" }\n",
        "[dependencies]\nown = { path = \"own-1.0-0.conda\" }\n",
        "[dependencies]\nown = { git = \"https://git.example/own\" }\n",
        "[dev]\nown = { path = \"own\" }\n",
        "[pypi-dependencies]\na = { version = \"*\", index = \"https://pypi.example\" }\n",
        "[pypi-dependencies]\na = \"*\"\n[pypi-options]\nextra-index-urls = [\"https://pypi.example\"]\n",
        "[pypi-dependencies]\na = \"*\"\n[pypi-options]\nno-build-isolation = [\"a\"]\n",
        "[pypi-dependencies]\na = \"*\"\n[pypi-options]\nprerelease-mode = \"disallow\"\n",
        "[pypi-dependencies]\na = \"*\"\n[pypi-options]\nfind-links = [{ path = \"links\" }]\n",
        "[pypi-dependencies]\na = \"*\"\n[pypi-options.dependency-overrides]\nb = \"*\"\n",
    ] {
        let text = format!("{start}{rest}[feature.a.dependencies]\nb = \"*\"\n");
        let input = read_as("pixi.toml", &text, None);
        let file = SourceFile::new("pixi.toml", text.as_str());
        let own = OwnLock::of(&file, &input, Platform::LinuxAmd64).unwrap();
        let error = own.without(input).expect_err(rest);
        all.push_str(&format!("{}\n\n", error.render(Level::Error)));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn a_lock_of_another_name_is_not_solved_without_what_only_the_tool_can_do() {
    let start = "[workspace]\nchannels = [\"conda-forge\"]\nplatforms = [{ platform = \"linux-64\", linux = \"6.1\" }]\n[tool.condafront]\nlock = \"conda-{platform}.lock\"\n";
    let read = |rest: &str| {
        let text = format!("{start}{rest}");
        let input = read_as("pixi.toml", &text, None);
        let file = SourceFile::new("pixi.toml", text.as_str());
        let own = OwnLock::of(&file, &input, Platform::LinuxAmd64).unwrap();
        assert_eq!(own.path, "conda-linux-64.lock");
        assert!(!own.is_optional());
        (own.without(input.clone()), own_lock::to_solve(input))
    };
    let (without, to_solve) = read("[dependencies]\npython = \"*\"\n");
    let missing = without.unwrap_err().message;
    assert!(missing.contains("is missing"), "{missing}");
    assert_eq!(to_solve.unwrap().warnings.len(), 1);
    let (_, to_solve) = read("[dependencies]\nown = { path = \"own\" }\n");
    assert_eq!(to_solve.unwrap_err().locations[0].lines, Lines::one(7));
}
