//! PyPI packages of a manifest, as lines for pip.

use super::*;

#[test]
fn pypi_packages_become_lines_that_pip_understands() {
    let text = r#"[workspace]
channels = ["conda-forge"]
platforms = ["linux-64"]

[dependencies]
python = "3.13.*"

[pypi-dependencies]
any = "*"
some = ">=1,<2"
extra = { version = "~=1.0", extras = ["a", "b"], env-markers = "python_version < '4'" }
own = { path = ".", editable = true }
other = { path = "./my libs/[x]", extras = ["cli"] }
up = { path = "../shared" }
commit = { git = "https://git.example/team/commit.git", rev = "abc", subdirectory = "py" }
tag = { git = "ssh://git@git.example/team/tag", tag = "v1", extras = ["dev"] }
web = { url = "https://files.example/web-1.0-py3-none-any.whl" }

[pypi-options]
index-url = "https://pypi.example/simple"
extra-index-urls = ["https://more.example/simple", { url = "https://last.example/simple" }]
find-links = [{ url = "https://files.example/links" }]
index-strategy = "unsafe-best-match"
no-build = ["any"]
no-binary = ["some"]
prerelease-mode = "allow"
no-build-isolation = false

[target.linux-64.pypi-dependencies]
Some = "==1.5"
"#;
    let input = read_as("pixi.toml", text, None);
    insta::assert_snapshot!(asked(&input));
    let Pip::Unsolved(list) = &input.pip else {
        panic!("no list");
    };
    let args = BuildArgs::default();
    let mut reading = Reading::new(&args);
    reading.add(list, FilePath::build_file());
    assert_eq!(reading.next_file(), Ok(None));
}

#[test]
fn a_pyproject_says_more_about_python() {
    let text = r#"[project]
name = "my-app"
requires-python = ">= 3.12, <4"
dependencies = ["requests>=2", "numpy ; python_version < '4'"]

[project.optional-dependencies]
test = ["pytest"]
all = ["extra", "My_App[test, ]"]

[dependency-groups]
docs = ["sphinx"]
dev = [{ include-group = "docs" }, "black"]

[tool.pixi.workspace]
channels = ["conda-forge"]
platforms = ["linux-64"]

[tool.pixi.pypi-dependencies]
my-app = { path = ".", editable = true }

[tool.pixi.feature.test.dependencies]
hypothesis = "*"

[tool.pixi.environments]
all = { features = ["all", "test"] }
dev = { features = ["dev"], no-default-feature = true }

[tool.condafront]
cmd = ["my-app"]
"#;
    let mut all = String::new();
    for environment in [None, Some("all"), Some("dev")] {
        let input = read_as("pyproject.toml", text, environment);
        assert!(input.section.cmd.is_some());
        assert_eq!(input.beside.as_ref().unwrap().lock.value, "pixi.lock");
        all.push_str(&format!("--- {environment:?}\n{}", asked(&input)));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn how_prereleases_count_is_known_without_pypi_packages() {
    let read = |rest: &str| {
        let text = format!(
            "[workspace]\nchannels = [\"conda-forge\"]\nplatforms = [\"linux-64\"]\n{rest}[feature.more.pypi-options]\nprerelease-mode = \"explicit\"\n[environments]\nmore = [\"more\"]\n"
        );
        ["default", "more"].map(|environment| {
            let input = read_as("pixi.toml", &text, Some(environment));
            input.beside.unwrap()
        })
    };
    for (rest, mode) in [
        ("", None),
        (
            "[pypi-options]\nprerelease-mode = \"allow\"\n",
            Some("allow"),
        ),
        (
            "[workspace.pypi-options]\nprerelease-mode = \"disallow\"\nextra-index-urls = [\"https://pypi.example\"]\n",
            Some("disallow"),
        ),
    ] {
        let [default, more] = read(rest);
        assert_eq!(default.indexes.prerelease_mode.as_deref(), mode, "{rest}");
        let of_feature = more.indexes.prerelease_mode.as_deref();
        assert_eq!(of_feature, Some("explicit"), "{rest}");
        // There is nothing to find otherwise than pixi does.
        assert_eq!(default.unsolvable, None, "{rest}");
        assert_eq!(more.unsolvable, None, "{rest}");
    }
    let [default, _] =
        read("[pypi-dependencies]\na = \"*\"\n[pypi-options]\nprerelease-mode = \"allow\"\n");
    assert_eq!(default.indexes.prerelease_mode.as_deref(), Some("allow"));
}

#[test]
fn a_group_that_is_included_must_be_there() {
    let text = "[dependency-groups]\ndev = [\n  { include-group = \"nope\" },\n]\n[tool.pixi.workspace]\nchannels = []\n[tool.pixi.environments]\ndefault = [\"dev\"]\n";
    let error = read_for(text, None).unwrap_err();
    assert_eq!(error.message, "there is no dependency group `nope`");
    assert_eq!(error.locations[0].lines, Lines::one(3));
    assert_eq!(error.help.as_deref(), Some("The groups are dev."));
}

#[test]
fn groups_that_include_each_other_are_read_once() {
    let read = |groups: String| {
        let text = format!(
            "[dependency-groups]\n{groups}[tool.pixi.workspace]\nchannels = []\n[tool.pixi.environments]\ndefault = [\"g0\"]\n"
        );
        read_for(&text, None)
    };
    let includes = |times: usize, next: usize| {
        let one = format!("{{ include-group = \"g{next}\" }}");
        vec![one; times].join(", ")
    };
    let chain = |length: usize, times: usize| {
        let group = |n: usize| format!("g{n} = [{}]\n", includes(times, n + 1));
        let groups: String = (0..length).map(group).collect();
        format!("{groups}g{length} = [\"a\"]\n")
    };
    let input = read(chain(40, 2)).unwrap();
    let Pip::Unsolved(list) = &input.pip else {
        panic!("{:?}", input.pip);
    };
    assert_eq!(list.len(), 1);
    let error = read(chain(3000, 1)).unwrap_err();
    assert_eq!(
        error.message,
        "more than 50 groups include one another in a chain"
    );
    assert_eq!(error.locations[0].lines, Lines::one(52));
}

#[test]
fn pip_comes_only_with_packages_for_it() {
    let start = "[workspace]\nchannels = [\"conda-forge\"]\n[dependencies]\npython = \"*\"\n";
    let specs = |rest: &str| {
        let input = read_as("pixi.toml", &format!("{start}{rest}"), None);
        let request = request(&input);
        assert!(request.without_pip);
        let specs = request.specs.iter();
        specs
            .map(|one| (one.spec.clone(), one.is_implied))
            .collect::<Vec<_>>()
    };
    let of = |name: &str, is_implied| (name.to_owned(), is_implied);
    assert_eq!(specs(""), [of("python", false)]);
    let both = [of("python", false), of("pip", true)];
    assert_eq!(specs("[pypi-dependencies]\na = \"*\"\n"), both);
    let section = "[tool.condafront]\npip = [\"a\"]\n";
    assert_eq!(specs(section), both);
    let asked = format!("pip = \"*\"\n{section}");
    assert_eq!(specs(&asked), [of("python", false), of("pip", false)]);
}

#[test]
fn sources_for_uv_are_not_left_out() {
    let read = |rest: &str| {
        let text = format!(
            "[project]\nname = \"app\"\ndependencies = [\"My_Lib>=1\"]\n[tool.uv.sources]\nmy-lib = {{ path = \"../lib\" }}\nother = {{ index = \"b\" }}\n[tool.pixi.workspace]\nchannels = [\"conda-forge\"]\n{rest}"
        );
        let input = read_as("pyproject.toml", &text, None);
        input.beside.unwrap().unsolvable
    };
    insta::assert_snapshot!(read("").unwrap().render(Level::Error));
    let said = "[tool.pixi.pypi-dependencies]\nmy-lib = { path = \"../lib\" }\n";
    assert_eq!(read(said), None);
}

#[test]
fn what_pypi_packages_a_lock_must_have() {
    let start = "[workspace]\nchannels = [\"conda-forge\"]\nplatforms = [\"linux-64\"]\n[dependencies]\npytorch = \"*\"\nattrs = \"*\"\n[pypi-dependencies]\n";
    let sha256 = "0".repeat(64);
    let channel = "https://conda.anaconda.org/conda-forge/linux-64";
    let wheel = "https://files.example/idna-3.10-py3-none-any.whl";
    let text = format!(
        "version: 6\nenvironments:\n  default:\n    channels: []\n    packages:\n      linux-64:\n      - conda: {channel}/pytorch-2.0-0.conda\n      - conda: {channel}/attrs-25.0-0.conda\n      - pypi: {wheel}\n      - pypi: ./app\npackages:\n- conda: {channel}/pytorch-2.0-0.conda\n  sha256: '{sha256}'\n  purls: ['pkg:pypi/torch?source=hash-mapping']\n- conda: {channel}/attrs-25.0-0.conda\n  sha256: '{sha256}'\n- pypi: {wheel}\n  name: idna\n  version: '3.10'\n  sha256: '{sha256}'\n- pypi: ./app\n  name: my-app\n  version: 0.1.0\n"
    );
    let lock = SourceFile::new("pixi.lock", text);
    let others = [
        "idna = \"*\"",
        "torch = \"*\"",
        "attrs = \"*\"",
        "my_app = { path = \"./app\" }",
    ];
    let check = |line: &str, skip: &str| {
        let name = |line: &str| line.split(' ').next().unwrap().to_lowercase();
        let others = others.iter().filter(|other| name(other) != name(line));
        let others: String = others.map(|other| format!("{other}\n")).collect();
        let text = format!("{start}{line}\n{others}");
        let file = SourceFile::new("pixi.toml", text.as_str());
        let settings = InputSettings {
            skip: skip.split_whitespace().map(str::to_owned).collect(),
            ..InputSettings::default()
        };
        let input = of_kind::read(&file, Platform::LinuxAmd64, &settings)?;
        let own = OwnLock::of(&file, &input, Platform::LinuxAmd64).unwrap();
        let folder = crate::file_path::FilePath::context();
        let list = own
            .list_of_manifest(&input.pip, &folder, &settings)?
            .unwrap();
        let found = own.read(&lock, &settings)?;
        let found = own.installed(
            input,
            found,
            &lock,
            &Surroundings::example(&settings, Some(&list)),
        );
        found.map(drop)
    };
    for line in [
        "idna = \">=3\"",
        "Torch = \"*\"",
        "attrs = \"*\"",
        "my_app = { path = \"./app\", editable = true }",
    ] {
        assert_eq!(check(line, ""), Ok(()), "{line}");
    }
    assert_eq!(check("idna = \"*\"", "idna"), Ok(()));
    let mut all = String::new();
    for line in [
        "idna = \">=4\"",
        "requests = \"*\"",
        "other = { path = \"./other\" }",
    ] {
        let error = check(line, "").unwrap_err().render(Level::Error);
        all.push_str(&format!("{error}\n\n"));
    }
    insta::assert_snapshot!(all);
}
