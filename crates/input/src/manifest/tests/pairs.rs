//! Manifests with locks, in the shapes of pixi's own examples.

use super::*;
use crate::environment_input::LockedPip;
use crate::file_path::FilePath;

pub(super) const CHANNEL: &str = "https://conda.anaconda.org/conda-forge";

/// A lock of version 6: environments with conda packages, all for linux-64, and what follows them in each.
pub(super) fn lock(
    environments: &[(&str, &[&str])],
    pypi: &str,
    described: &str,
) -> Arc<SourceFile> {
    let mut text = "version: 6\nenvironments:\n".to_owned();
    let mut packages: Vec<&str> = Vec::new();
    for (name, list) in environments {
        text.push_str(&format!(
            "  {name}:\n    channels:\n    - url: {CHANNEL}/\n    packages:\n      linux-64:\n"
        ));
        for package in *list {
            text.push_str(&format!("      - conda: {CHANNEL}/{package}\n"));
        }
        text.push_str(pypi);
        packages.extend(*list);
    }
    packages.sort_unstable();
    packages.dedup();
    text.push_str("packages:\n");
    for package in packages {
        let sha256 = "0".repeat(64);
        text.push_str(&format!(
            "- conda: {CHANNEL}/{package}\n  sha256: '{sha256}'\n  purls: []\n"
        ));
    }
    text.push_str(described);
    SourceFile::new("pixi.lock", text)
}

/// What a manifest with this lock installs.
pub(super) fn installed(
    name: &str,
    text: &str,
    lock: &Arc<SourceFile>,
    environment: Option<&str>,
) -> Result<EnvironmentInput, Diagnostic> {
    installed_with(name, text, lock, environment, &[])
}

/// The same with these projects.
pub(super) fn installed_with(
    name: &str,
    text: &str,
    lock: &Arc<SourceFile>,
    environment: Option<&str>,
    projects: &[LocalProject],
) -> Result<EnvironmentInput, Diagnostic> {
    let settings = InputSettings {
        environment: environment.map(str::to_owned),
        ..InputSettings::default()
    };
    let file = SourceFile::new(name, text);
    let input = of_kind::read(&file, Platform::LinuxAmd64, &settings)?;
    let own = OwnLock::of(&file, &input, Platform::LinuxAmd64).unwrap();
    let list = own.list_of_manifest(&input.pip, &FilePath::context(), &settings)?;
    let found = own.read(lock, &settings)?;
    let surroundings = Surroundings {
        projects,
        ..Surroundings::example(&settings, list.as_ref())
    };
    own.installed(input, found, lock, &surroundings)
}

fn names(input: &EnvironmentInput) -> Vec<&str> {
    let packages = input.locked().unwrap().iter();
    packages.map(|package| package.id.name.as_str()).collect()
}

fn local(input: &EnvironmentInput) -> Vec<(&str, &str)> {
    let Pip::Locked(LockedPip { local, .. }) = &input.pip else {
        panic!("not locked");
    };
    let local = local.iter();
    local
        .map(|one| (one.name.as_str(), one.path.as_str()))
        .collect()
}

const DOCKER: &str = r#"[project]
name = "docker-project"
version = "0.1.0"
requires-python = ">=3.12"
authors = [{ name = "someone", email = "someone@example.org" }]

[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[tool.pixi.workspace]
channels = ["conda-forge"]
name = "docker-project"
platforms = ["linux-64", "osx-arm64"]

[tool.pixi.dependencies]
flask = ">=3.0.2,<3.1"

[tool.pixi.feature.dev.pypi-dependencies]
docker-project = { path = ".", editable = true }

[tool.pixi.feature.prod.pypi-dependencies]
docker-project = { path = ".", editable = false }

[tool.pixi.feature.test.dependencies]
pytest = "*"

[tool.pixi.feature.test.tasks]
test = "pytest"

[tool.pixi.environments]
default = { features = ["test", "dev"], solve-group = "default" }
prod = { features = ["prod"], solve-group = "default" }
"#;

#[test]
fn a_project_is_built_from_the_context() {
    const PROD: &[&str] = &[
        "linux-64/python-3.12.12-h1_1_cpython.conda",
        "noarch/flask-3.0.3-pyhd8ed1ab_0.conda",
    ];
    let default = [PROD, &["noarch/pytest-9.0.2-pyhcf101f3_0.conda"]].concat();
    let project =
        "- pypi: ./\n  name: docker-project\n  version: 0.1.0\n  requires_python: '>=3.12'\n";
    let lock = lock(
        &[("default", &default), ("prod", PROD)],
        "      - pypi: ./\n",
        project,
    );
    let of = |environment| installed("pyproject.toml", DOCKER, &lock, environment).unwrap();
    let prod = of(Some("prod"));
    assert_eq!(names(&prod), ["python", "flask"]);
    assert_eq!(local(&prod), [("docker-project", "")]);
    assert_eq!(prod.warnings, []);
    assert_eq!(names(&of(None)).len(), 3);
    let old = DOCKER.replace(">=3.12", ">=3.13");
    let error = installed("pyproject.toml", &old, &lock, None).unwrap_err();
    assert_eq!(error.locations[0].lines.first, 4, "{error}");
    let newer = DOCKER.replace("<3.1\"", "<3.1\"\ngunicorn = \"*\"");
    let error = installed("pyproject.toml", &newer, &lock, Some("prod")).unwrap_err();
    assert_eq!(error.locations[0].lines.first, 18, "{error}");
}

#[test]
fn an_editable_package_with_extras_is_a_copy() {
    // An inline table with several lines is new in TOML 1.1.
    let text = r#"[workspace]
channels = ["conda-forge"]
name = "editable-with-extras"
platforms = ["osx-arm64", "linux-64"]

[dependencies]
python = "3.12"

[pypi-dependencies]
package_with_extras = {
  path = "./package_with_extras",
  editable = true,
  extras = [
    "cli",
    "color",
  ]
}
"#;
    let wheel = "https://files.example/rich-13.7.1-py3-none-any.whl";
    let described = format!(
        "- pypi: {wheel}\n  name: rich\n  version: 13.7.1\n  sha256: '{}'\n- pypi: ./package_with_extras\n  name: package-with-extras\n  version: 0.0.2\n  requires_dist:\n  - rich ; extra == 'color'\n  editable: true\n",
        "1".repeat(64)
    );
    let pypi = format!("      - pypi: {wheel}\n      - pypi: ./package_with_extras\n");
    let of = |python: &str| {
        let python = format!("linux-64/python-{python}-h1_0_cpython.conda");
        let lock = lock(&[("default", &[python.as_str()])], &pypi, &described);
        installed("pixi.toml", text, &lock, None)
    };
    let input = of("3.12.0").unwrap();
    assert_eq!(
        local(&input),
        [("package-with-extras", "package_with_extras")]
    );
    // A version without an operator is exact.
    let error = of("3.12.1").unwrap_err();
    assert_eq!(error.locations[0].lines.first, 7, "{error}");
}

#[test]
fn environments_choose_among_versions() {
    let text = r#"[workspace]
channels = ["conda-forge"]
name = "polarify-use-case"
platforms = ["linux-64", "osx-64", "win-64"]

[tasks]
postinstall = "pip install -e ."
start = 'python -c "import sys; print(f\"{sys.version}\")"'

[dependencies]
pip = "*"
polars = ">=0.14.24,<0.21"
python = ">=3.9"

[feature.py310.dependencies]
python = "3.10.*"

[feature.pl017.dependencies]
polars = "0.17.*"

[feature.test.dependencies]
pytest = "*"

[feature.lint.dependencies]
pre-commit = "*"

[environments]
default = ["test"]
lint = { features = ["lint"], no-default-feature = true }
pl017 = ["pl017", "py310", "test"]
"#;
    const OLD: &[&str] = &[
        "linux-64/python-3.10.14-h1_0_cpython.conda",
        "linux-64/polars-0.17.15-py310h1_0.conda",
        "noarch/pip-24.0-pyhd8ed1ab_0.conda",
        "noarch/pytest-8.2.0-pyhd8ed1ab_0.conda",
    ];
    const NEW: &[&str] = &[
        "linux-64/python-3.12.3-h1_0_cpython.conda",
        "linux-64/polars-0.20.30-py312h1_0.conda",
        "noarch/pip-24.0-pyhd8ed1ab_0.conda",
        "noarch/pytest-8.2.0-pyhd8ed1ab_0.conda",
    ];
    const LINT: &[&str] = &["noarch/pre-commit-3.7.1-pyha770c72_0.conda"];
    let with = |old: &[&str]| lock(&[("default", NEW), ("lint", LINT), ("pl017", old)], "", "");
    let good = with(OLD);
    let of = |environment| installed("pixi.toml", text, &good, environment).unwrap();
    assert_eq!(names(&of(None)).len(), 4);
    assert_eq!(names(&of(Some("lint"))), ["pre-commit"]);
    assert_eq!(names(&of(Some("pl017"))).len(), 4);
    let error = installed("pixi.toml", text, &with(NEW), Some("pl017")).unwrap_err();
    assert_eq!(error.locations[0].lines.first, 19, "{error}");
}

#[test]
fn what_another_environment_of_a_solve_group_asks_for_is_a_conda_package_in_all() {
    let manifest = |group: &str| {
        format!(
            "[workspace]\nchannels = [\"conda-forge\"]\nplatforms = [\"linux-64\"]\n[dependencies]\npython = \"3.12.*\"\n[pypi-dependencies]\nrich = \"*\"\n[feature.docs.dependencies]\nmyst-parser = \"*\"\n[environments]\ndefault = {{ solve-group = \"{group}\" }}\ndocs = {{ features = [\"docs\"], solve-group = \"docs\" }}\n"
        )
    };
    const PYTHON: &str = "linux-64/python-3.12.3-h1_0_cpython.conda";
    const MARKDOWN: &str = "noarch/markdown-it-py-4.0.0-pyhd8ed1ab_0.conda";
    const MYST: &str = "noarch/myst-parser-5.0.0-pyhd8ed1ab_0.conda";
    let rich = "https://files.example/rich-14.0-py3-none-any.whl";
    let lock = lock(
        &[
            ("default", &[PYTHON, MARKDOWN]),
            ("docs", &[PYTHON, MARKDOWN, MYST]),
        ],
        &format!("      - pypi: {rich}\n"),
        &format!(
            "- pypi: {rich}\n  name: rich\n  version: '14.0'\n  requires_dist:\n  - markdown-it-py>=2\n"
        ),
    );
    let text = lock.text().unwrap();
    let text = text.replacen("  purls: []\n", "  purls: ['pkg:pypi/markdown-it-py']\n", 3);
    let text = text.replace(
        &format!("{MYST}\n  sha256"),
        &format!("{MYST}\n  depends: [markdown-it-py]\n  sha256"),
    );
    let lock = SourceFile::new("pixi.lock", text);
    installed("pixi.toml", &manifest("docs"), &lock, None).unwrap();
    let error = installed("pixi.toml", &manifest("own"), &lock, None).unwrap_err();
    assert_eq!(
        error.message,
        "`pixi.lock` has markdown-it-py 4.0.0 as a conda package, but it is asked for only as a PyPI package"
    );
}
