//! Whether a pixi.lock was written for what projects in the user's folders say.

use super::pairs::{CHANNEL, installed_with};
use super::*;
use crate::environment_input::Pip;
use crate::file_path::{FilePath, Root};

const MANIFEST: &str = r#"[workspace]
channels = ["conda-forge"]
platforms = ["linux-64"]

[dependencies]
python = "3.12.*"

[pypi-dependencies]
app = { path = "." }
lib = { path = "packages/lib", editable = true }
shared = { path = "packages/shared" }
wheel = { path = "wheel-1.0-py3-none-any.whl" }
"#;

const LIB: &str = r#"[project]
name = "Lib"
version = "1.0"
requires-python = ">=3.11"
dependencies = ["idna>=3"]
"#;

fn lock() -> Arc<SourceFile> {
    let sha256 = "0".repeat(64);
    SourceFile::new(
        "pixi.lock",
        format!(
            "\
version: 7
platforms:
- name: linux-64
environments:
  default:
    channels:
    - url: {CHANNEL}/
    packages:
      linux-64:
      - conda: {CHANNEL}/linux-64/python-3.12.3-h1_0_cpython.conda
      - pypi: ./
      - pypi: ./packages/shared
      - pypi: ./packages/lib
      - pypi: ./wheel-1.0-py3-none-any.whl
      - pypi: https://files.example/idna-3.10-py3-none-any.whl
packages:
- conda: {CHANNEL}/linux-64/python-3.12.3-h1_0_cpython.conda
  sha256: {sha256}
- pypi: ./
  name: app
- pypi: ./packages/shared
  name: shared
- pypi: ./packages/lib
  name: lib
  requires_dist:
  - idna>=3
  requires_python: '>=3.11'
- pypi: ./wheel-1.0-py3-none-any.whl
  name: wheel
  version: '1.0'
- pypi: https://files.example/idna-3.10-py3-none-any.whl
  name: idna
  version: '3.10'
  sha256: {sha256}
"
        ),
    )
}

#[test]
fn only_files_of_other_folders_are_read() {
    let paths = |name: &str, text: &str| {
        let file = SourceFile::new(name, text);
        let settings = InputSettings::default();
        let input = of_kind::read(&file, Platform::LinuxAmd64, &settings).unwrap();
        let own = OwnLock::of(&file, &input, Platform::LinuxAmd64).unwrap();
        let lock = lock()
            .text()
            .unwrap()
            .replace("./packages/shared", "../shared");
        let lock = SourceFile::new("pixi.lock", lock);
        let content = own.read(&lock, &settings).unwrap();
        assert!(matches!(&content.pip, Pip::Locked(pip) if pip.local.len() == 4));
        let folder = FilePath {
            root: Root::Context,
            path: "a".to_owned(),
        };
        let projects = own.projects(&input, &content, &folder).into_iter();
        let shown = projects.map(|(path, named)| {
            let places = named.candidates().unwrap();
            format!("{path}: {}", places[0].path)
        });
        shown.collect::<Vec<_>>()
    };
    let others = [
        "../shared: shared/pyproject.toml",
        "packages/lib: a/packages/lib/pyproject.toml",
    ];
    let own = ": a/pyproject.toml";
    assert_eq!(paths("pixi.toml", MANIFEST), [own, others[0], others[1]]);
    let as_project = MANIFEST.replace("\n[", "\n[tool.pixi.");
    let as_project = format!("[project]\nname = \"app\"\n[tool.pixi.{}", &as_project[1..]);
    assert_eq!(paths("pyproject.toml", &as_project), others);
    // Only pixi's own lock says what they need.
    assert_eq!(paths("conda.toml", MANIFEST), [""; 0]);
}

#[test]
fn a_lock_has_what_projects_in_other_folders_need() {
    let installed = |path: &str, text: &str| {
        let projects = [LocalProject {
            path: path.to_owned(),
            file: SourceFile::new(format!("{path}/pyproject.toml"), text),
        }];
        installed_with("pixi.toml", MANIFEST, &lock(), None, &projects)
    };
    let lib = |old: &str, new: &str| {
        assert!(LIB.contains(old), "{old}");
        ("packages/lib", LIB.replace(old, new))
    };
    let shared = |text: &str| ("packages/shared", text.to_owned());
    for (path, text) in [
        lib("idna>=3", "idna >= 3"),
        lib("1.0", "2.0"),
        // Only a build of it can tell.
        lib(
            "dependencies = [\"idna>=3\"]",
            "dynamic = [\"dependencies\"]",
        ),
        // Its build says what is wrong.
        lib("[project]", "[project"),
        lib("Lib", "other"),
        shared("[project]\nname = \"shared\"\n"),
        shared("[build-system]\nrequires = []\n"),
    ] {
        if let Err(error) = installed(path, &text) {
            panic!("{text}: {error}");
        }
    }
    let mut all = String::new();
    for (path, text) in [
        lib("[\"idna>=3\"]", "[\n  \"idna>=3\",\n  \"rich>=13\",\n]"),
        lib("dependencies = [\"idna>=3\"]\n", ""),
        lib(">=3.11", ">=3.12"),
        shared("[project]\nname = \"shared\"\ndependencies = [\"idna\"]\n"),
    ] {
        let error = installed(path, &text).unwrap_err();
        all.push_str(&format!("{}\n\n", error.render(Level::Error)));
    }
    insta::assert_snapshot!(all, @r#"
    error: `pixi.lock` was written before lib needed `rich>=13`
     --> packages/lib/pyproject.toml:7:1
      |
    7 |   "rich>=13",
      | ^^^^^^^^^^^^^
      |
      = help: Write the lock again with `pixi lock`.

    error: `pixi.lock` was written when lib needed `idna>=3`
     --> packages/lib/pyproject.toml:1:1
      |
    1 | [project]
      | ^^^^^^^^^
      |
      = help: Write the lock again with `pixi lock`.

    error: `pixi.lock` was written when lib was for python >=3.11
     --> packages/lib/pyproject.toml:4:1
      |
    4 | requires-python = ">=3.12"
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: Write the lock again with `pixi lock`.

    error: `pixi.lock` was written before shared needed `idna`
     --> packages/shared/pyproject.toml:3:1
      |
    3 | dependencies = ["idna"]
      | ^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: Write the lock again with `pixi lock`.
    "#);
}
