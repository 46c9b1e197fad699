//! Mistakes in manifests, and what has no effect in them.

use super::*;
use condafront_model::lint::Rule;

#[test]
fn mistakes_in_tables_are_reported_at_their_lines() {
    let start = "[workspace]\nchannels = [\"conda-forge\"]\nplatforms = [\"linux-64\"]\n";
    let mut all = String::new();
    for rest in [
        "[dependencies]\npython = \"3\"\nnumpy = [\"1\"]\n",
        "[dependencies]\nnumpy = { verison = \"1\" }\n",
        "[dependencies]\nnumpy = { version = [1] }\n",
        "[dependencies]\nnumpy = { extras = \"a\" }\n",
        "[dependencies]\nnumpy = { when = { none = [] } }\n",
        "[dependencies]\nnumpy = { workspace = true }\n",
        "[pypi-dependencies]\na = \"1.0\"\n",
        "[pypi-dependencies]\na = { vresion = \"1.0\" }\n",
        "[pypi-dependencies]\na = { version = \"*\", extras = \"b\" }\n",
        "[pypi-dependencies]\na = [1]\n",
        "[pypi-dependencies]\na = \"*\"\n[pypi-options]\nindex-url = [\"a\"]\n",
        "[system-requirements]\ncuda = \"twelve\"\n",
        "[environments]\ndefault = \"test\"\n",
        "[environments]\ndefault = { feature = [\"test\"] }\n",
        "[environments]\ndefault = { features = \"test\" }\n",
        "[environments]\ndefault = { features = [], solve_group = \"a\" }\n",
        "[environments]\ndefault = { features = [], no-default-feature = \"yes\" }\n",
        "[environments]\ndefault = { features = [], solve-group = [] }\n",
        "channel-priority = \"lenient\"\n",
    ] {
        let text = format!("{start}{rest}");
        let error = read_for(&text, None).expect_err(rest).render(Level::Error);
        all.push_str(&format!("{error}\n\n"));
    }
    for (text, environment) in [
        (start.replace("\"linux-64\"", "\"linux64\""), None),
        (start.replace("\"linux-64\"", "1, [2]"), None),
        (start.replace("[\"conda-forge\"]", "\"conda-forge\""), None),
        (start.replace("\"conda-forge\"", "{ channel = \"a\", prio = 1 }"), None),
        (start.replace("\"conda-forge\"", "{ channel = \"a\", priority = \"b\" }"), None),
        (start.to_owned(), Some("tests")),
        (
            "[project]\ndependencies = [\"a\"]\n[dependency-groups]\na = [{ include-group = \"b\" }]\nb = [{ include-group = \"a\" }]\n[tool.pixi.workspace]\nchannels = []\n[tool.pixi.environments]\ndefault = [\"a\"]\n".to_owned(),
            None,
        ),
    ] {
        let error = read_for(&text, environment).expect_err(&text);
        all.push_str(&format!("{}\n\n", error.render(Level::Error)));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn keys_below_tables_are_pointed_out_too() {
    let text = r#"[workspace]
channels = ["conda-forge"]
chanels = ["bioconda"]
platforms = [
  { name = "gpu", platform = "linux-64", cuda = "12", __own = "1" },
  { name = "box", platform = "linux-64", cudda = "12" },
]
[activation]
environment = { A = "1" }
[target.gpu]
[target.linux.dependancies]
a = "*"
[target."linux-*".dependencies]
[target.linux-65.dependencies]
a = "*"
[target.osx.activation]
envv = {}
[environments.x]
target.unixx.tasks = {}
activation.script = []
"#;
    let input = read_as("pixi.toml", text, Some("default@gpu"));
    let warnings = input.warnings.iter();
    let lines: Vec<u32> = warnings
        .map(|one| one.diagnostic.locations[0].lines.first)
        .collect();
    assert_eq!(lines, [9, 11, 14, 17, 20, 19, 3, 6]);
    let error = input.beside.unwrap().unsolvable.unwrap();
    assert_eq!(error.locations[0].lines, Lines::one(5));
}

#[test]
fn keys_without_effect_are_pointed_out() {
    let text = "[workspace]\nchannels = [\"conda-forge\"]\n[dependancies]\na = \"*\"\n[dependencies]\nb = \"*\"\n[feature.x]\ndependecies = {}\n[activation.env]\nA = \"$(pwd)/lib\"\nB = \"5$\"\nC = '\\$HOME'\nPATH = \"$A\"\n[workspace.dependencies]\nnumpy = \"*\"\n";
    let input = read_as("pixi.toml", text, None);
    let warnings = input.warnings.iter();
    let found: Vec<(u32, Rule)> = warnings
        .map(|one| (one.diagnostic.locations[0].lines.first, one.rule))
        .collect();
    assert_eq!(
        found,
        [
            (3, Rule::Ignored),
            (8, Rule::Ignored),
            (15, Rule::Ignored),
            (10, Rule::UnexpandedVariable),
            (13, Rule::ReservedVariable),
        ]
    );
    assert_eq!(input.variables["B"], "5$");
    assert_eq!(input.variables["C"], "$HOME");
    let inherited = text.replace("b = \"*\"", "numpy = { workspace = true }");
    let input = read_as("pixi.toml", &inherited, None);
    let lines = input.warnings.iter();
    let mut lines = lines.map(|one| one.diagnostic.locations[0].lines.first);
    assert!(!lines.any(|line| line == 15));
}

#[test]
fn what_would_install_nothing_or_something_else_is_reported() {
    let workspace = "[workspace]\nchannels = [\"conda-forge\"]\n";
    let with = |more: &str| format!("{workspace}{more}\n");
    let dependency = |more: &str| with(&format!("[dependencies]\n{more}"));
    let mut all = String::new();
    for (name, text) in [
        ("pixi.toml", with("dependencies = [\"numpy\"]")),
        (
            "pixi.toml",
            "[project]\nname = \"a\"\nchannels = []\ndependencies = [\"numpy\"]\n".to_owned(),
        ),
        ("pixi.toml", with("[project]\nname = \"a\"")),
        ("pixi.toml", String::new()),
        ("pyproject.toml", "# later\n".to_owned()),
        ("pixi.toml", dependency("python = \"^3.10\"")),
        ("pixi.toml", dependency("python = { version = \"~3.10\" }")),
        ("pixi.toml", dependency("python = \">=3.10 <3.12\"")),
        ("pixi.toml", dependency("python = \"~=3.10 <3.12\"")),
        ("pixi.toml", dependency("python = \"latest\"")),
        ("pixi.toml", dependency("python = \"==latest\"")),
        ("pixi.toml", dependency("python = \"~=3\"")),
        ("pixi.toml", dependency("python = \"*, <4\"")),
        ("pixi.toml", dependency("python = \"3.*.1\"")),
        ("pixi.toml", with("[pypi-dependencies]\nidna = \">=3 <4\"")),
        (
            "pixi.toml",
            with("[pypi-dependencies]\nidna = \"~=3.1 !=3.2\""),
        ),
        (
            "pixi.toml",
            with("[tool.condafront]\nlock = \"conda-{arch}.lock\""),
        ),
    ] {
        let file = SourceFile::new(name, text.as_str());
        let error = crate::read(&file, Platform::LinuxAmd64, &settings(None));
        let shown = match error {
            Ok(_) => format!("{text}: no error\n"),
            Err(error) => crate::as_written(error).render(Level::Error),
        };
        all.push_str(&format!("{shown}\n\n"));
    }
    let beside = with("[project]\nname = \"a\"");
    let input = read_as("conda.toml", &beside, None);
    assert_eq!(
        input.warnings[0].diagnostic.locations[0].lines,
        Lines::one(3)
    );
    let cutoff = read_as("pixi.toml", &with("exclude-newer = \"yesterday\""), None);
    let error = cutoff.beside.unwrap().unsolvable.unwrap();
    all.push_str(&crate::as_written(error).render(Level::Error));
    insta::assert_snapshot!(all);
}
