//! Whether a pixi.lock was written for what its manifest says, apart from the dependencies.

use super::pairs::installed;
use super::*;
use crate::own_lock::LockKind;

const MANIFEST: &str = r#"[workspace]
channels = ["conda-forge", "bioconda"]
platforms = ["linux-64", "osx-arm64"]

[dependencies]
python = "3.12.*"

[pypi-dependencies]
idna = ">=3"
demo = { path = "demo", editable = true, extras = ["color"] }
"#;

const LOCK: &str = "\
version: 7
platforms:
- name: linux-64
- name: osx-arm64
environments:
  default:
    channels:
    - url: https://conda.anaconda.org/conda-forge/
    - url: https://conda.anaconda.org/bioconda/
    indexes:
    - https://pypi.org/simple
    packages:
      linux-64:
      - conda: https://conda.anaconda.org/conda-forge/linux-64/openssl-3.3.0-h1_0.conda
      - conda: https://conda.anaconda.org/conda-forge/linux-64/python-3.12.3-h1_0_cpython.conda
      - pypi: ./demo
      - pypi: https://files.example/idna-3.10-py3-none-any.whl
      - pypi: https://files.example/rich-13.7.1.tar.gz
      osx-arm64:
      - conda: https://conda.anaconda.org/conda-forge/osx-arm64/python-3.12.3-h1_0_cpython.conda
packages:
- conda: https://conda.anaconda.org/conda-forge/linux-64/openssl-3.3.0-h1_0.conda
  sha256: 0000000000000000000000000000000000000000000000000000000000000000
  timestamp: 1717200000000
- conda: https://conda.anaconda.org/conda-forge/linux-64/python-3.12.3-h1_0_cpython.conda
  sha256: 0000000000000000000000000000000000000000000000000000000000000000
  depends:
  - openssl >=3.3.0,<4.0a0
  purls: ['pkg:pypi/python']
  timestamp: 1714500000000
- conda: https://conda.anaconda.org/conda-forge/osx-arm64/python-3.12.3-h1_0_cpython.conda
  sha256: 0000000000000000000000000000000000000000000000000000000000000000
- pypi: ./demo
  name: demo
  requires_dist:
  - rich>=13 ; extra == 'color'
- pypi: https://files.example/idna-3.10-py3-none-any.whl
  name: idna
  version: '3.10'
  sha256: 11111111111111111111111111111111111111111111111111111111111111aa
- pypi: https://files.example/rich-13.7.1.tar.gz
  name: rich
  version: 13.7.1
  sha256: 11111111111111111111111111111111111111111111111111111111111111aa
";

/// A text with `new` instead of `old`, or after the last line if `old` is empty.
fn with(text: &str, (old, new): (&str, &str)) -> String {
    assert!(text.contains(old), "{old}");
    if old.is_empty() {
        return format!("{text}{new}");
    }
    text.replacen(old, new, 1)
}

/// What a manifest with this lock installs, with these changes.
fn changed(manifest: (&str, &str), lock: (&str, &str)) -> Result<EnvironmentInput, Diagnostic> {
    let lock = SourceFile::new("pixi.lock", with(LOCK, lock));
    installed("pixi.toml", &with(MANIFEST, manifest), &lock, None)
}

const SAME: (&str, &str) = ("", "");

/// The end of the table about the project.
const END: &str = "\n[dependencies]";

const OPTIONS: &str = "    indexes:\n    - https://pypi.org/simple\n";

const NO_CUDA: &str = "- name: linux-64\n";
const CUDA: &str = "- name: linux-64\n  virtual-packages:\n  - __glibc=2.28\n  - __cuda=12\n";

/// What the lock has of openssl and, up to what it provides, of python.
const CONDA: &str = "\
  timestamp: 1717200000000
- conda: https://conda.anaconda.org/conda-forge/linux-64/python-3.12.3-h1_0_cpython.conda
  sha256: 0000000000000000000000000000000000000000000000000000000000000000
  depends:
  - openssl >=3.3.0,<4.0a0
";

/// The same if nothing needs openssl, and it contains a PyPI package.
const IN_CONDA: &str = "\
  purls: ['pkg:pypi/idna']
- conda: https://conda.anaconda.org/conda-forge/linux-64/python-3.12.3-h1_0_cpython.conda
  sha256: 0000000000000000000000000000000000000000000000000000000000000000
";

/// What takes the place of what.
type Change = (&'static str, &'static str);

/// Changes of the manifest and of the lock, after which they still fit.
#[rustfmt::skip]
const FITTING: &[(Change, Change)] = &[
    (SAME, SAME),
    // Options that change no lock.
    (("", "[pypi-options]\nindex-strategy = \"first-index\"\nno-build = [\"idna\"]\nno-binary = [\"rich\"]\n"), SAME),
    ((END, "channel-priority = \"strict\"\nsolve-strategy = \"highest\"\nrequires-pixi = \">=0.50\"\n\n[dependencies]"), SAME),
    // What is editable may be built.
    (("", "[pypi-options]\nno-build = [\"demo\"]\n"), SAME),
    ((END, "exclude-newer = \"2024-06-01\"\n\n[dependencies]"), SAME),
    // An age counts from the time of the build: 2026-12-01.
    ((END, "exclude-newer = \"7d\"\n\n[dependencies]"), SAME),
    ((END, "exclude-newer = \"7d\"\n\n[dependencies]"), ("1717200000000", "1795478400000")),
    ((END, "exclude-newer = { cutoff = \"2024-05-01\", exemptions = { openssl = \"3.3.0\" } }\n\n[dependencies]"), SAME),
    ((END, "[workspace.exclude-newer]\ncutoff = \"2024-05-01\"\nexemptions = { openssl = { version = \">=3.3\", channel = \"conda-forge\" } }\n\n[dependencies]"), SAME),
    ((END, "exclude-newer = { exemptions = { openssl = \"*\" } }\n\n[dependencies]"), SAME),
    ((END, "exclude-newer = \"2024-05-01\"\n[exclude-newer]\nopenssl = \"0d\"\n\n[dependencies]"), SAME),
    // pixi takes this for a channel.
    (("\"bioconda\"", "\"bioconda\", \"nodefaults\""), ("bioconda/\n", "bioconda/\n    - url: https://conda.anaconda.org/nodefaults/\n")),
    // A lock that does not say where its packages come from.
    (SAME, (OPTIONS, "")),
    (("", "[pypi-options]\nindex-url = \"https://pypi.org/simple\"\n"), SAME),
    // The manifest names none.
    (SAME, (OPTIONS, "    indexes:\n    - https://pypi.org/simple\n    - https://i.example/simple\n")),
    (SAME, (OPTIONS, "    indexes:\n    - https://pypi.org/simple\n    find-links:\n    - path: ./wheels\n")),
    (("", "[pypi-options]\nindex-url = \"https://me:secret@i.example/simple\"\n"), (OPTIONS, "    indexes:\n    - https://i.example/simple\n")),
    (("", "[pypi-options]\nextra-index-urls = [\"https://i.example/simple\"]\nfind-links = [{ path = \"./wheels\" }]\n"), (OPTIONS, "    indexes:\n    - https://pypi.org/simple\n    - https://i.example/simple\n    find-links:\n    - path: ./wheels\n")),
    // The order of several tables is not certain.
    (("", "[pypi-options]\nextra-index-urls = [\"https://a.example\"]\n[feature.b.pypi-options]\nextra-index-urls = [\"https://b.example\"]\n[environments]\ndefault = [\"b\"]\n"), (OPTIONS, "    indexes:\n    - https://pypi.org/simple\n    - https://a.example/\n    - https://b.example/\n")),
    ((END, "solve-strategy = \"lowest-direct\"\nchannel-priority = \"disabled\"\n\n[dependencies]"), (OPTIONS, "    indexes:\n    - https://pypi.org/simple\n    options:\n      strategy: lowest-version-direct\n      channel-priority: disabled\n")),
    // The workspace's are those of the default feature.
    ((END, "solve-strategy = \"lowest\"\n[feature.a]\nsolve-strategy = \"highest\"\n[environments]\ndefault = [\"a\"]\n\n[dependencies]"), SAME),
    (("", "[pypi-options.dependency-overrides]\nidna = \"<3\"\n"), ("3.10'", "2.10'")),
    (("idna = \">=3\"", "idna = { version = \">=3\", index = \"https://i.example/simple\" }"), ("version: '3.10'", "version: '3.10'\n  index: https://i.example/simple")),
    (("", "[pypi-options.dependency-overrides]\nrich = \">=13\"\n"), ("rich>=13", "rich>=14")),
    (("", "[pypi-options.dependency-overrides]\nrich = \"*\"\n"), ("rich>=13", "rich>=14")),
    // What machines have.
    (("", "[system-requirements]\ncuda = \"12.0\"\n"), (NO_CUDA, CUDA)),
    (("", "[system-requirements]\ncuda = \"12.4\"\n"), ("<4.0a0\n", "<4.0a0\n  - __cuda >=12\n")),
    (SAME, ("<4.0a0\n", "<4.0a0\n  - __glibc >=2.17,<3.0.a0\n  - __linux\n")),
    (("3.12.*\"\n", "3.12.*\"\ngpu = { version = \"*\", when = \"__cuda>=12\" }\n"), SAME),
    // Dependencies whose condition does not hold, and extras that nothing asks for.
    (SAME, ("<4.0a0\n", "<4.0a0\n  - old *[when=\"python<3.10\"]\n  extra_depends:\n    test: [pytest]\n")),
    // A conda package that is also needed as such.
    (("3.12.*\"\n", "3.12.*\"\nopenssl = \"*\"\n"), (CONDA, IN_CONDA)),
];

/// Changes of the manifest or of the lock, after which they do not fit.
#[rustfmt::skip]
const STALE: &[(&str, Change, Change)] = &[
    ("A channel less", (", \"bioconda\"", ""), SAME),
    ("A channel more", ("bioconda\"", "bioconda\", \"nvidia\""), SAME),
    ("Another order of channels", ("\"conda-forge\", \"bioconda\"", "\"bioconda\", \"conda-forge\""), SAME),
    ("A platform less", (", \"osx-arm64\"", ""), SAME),
    ("Another index", ("", "[pypi-options]\nindex-url = \"https://i.example/simple\"\n"), SAME),
    ("One more index", ("", "[feature.a.pypi-options]\nextra-index-urls = [\"https://i.example/simple\"]\n[environments]\ndefault = [\"a\"]\n"), SAME),
    ("Links", ("", "[pypi-options]\nfind-links = [{ url = \"https://i.example/wheels\" }]\n"), SAME),
    ("The index of a package", ("idna = \">=3\"", "idna = { version = \">=3\", index = \"https://i.example/simple\" }"), SAME),
    ("A package's index that is not said any more", SAME, ("version: '3.10'", "version: '3.10'\n  index: https://i.example/simple")),
    ("Only wheels", ("", "[pypi-options]\nno-build = true\n"), SAME),
    ("No wheel of a package", ("", "[pypi-options]\nno-binary = [\"rich\", \"Idna\"]\n"), SAME),
    ("Another strategy", (END, "solve-strategy = \"lowest\"\n\n[dependencies]"), SAME),
    ("Another priority", ("", "[feature.a]\nchannel-priority = \"disabled\"\n[environments]\ndefault = [\"a\"]\n"), SAME),
    ("A priority that is not said any more", SAME, (OPTIONS, "    indexes:\n    - https://pypi.org/simple\n    options:\n      channel-priority: disabled\n")),
    ("Prereleases", ("", "[pypi-options]\nprerelease-mode = \"allow\"\n"), SAME),
    ("A day", (END, "exclude-newer = \"2024-05-01\"\n\n[dependencies]"), SAME),
    ("An age", (END, "exclude-newer = \"7d\"\n\n[dependencies]"), ("1717200000000", "1795478400001")),
    ("The age of a table", (END, "[workspace.exclude-newer]\ncutoff = \"1 week\"\nexemptions = { openssl = \"<3.3\" }\n\n[dependencies]"), ("1717200000000", "1795737600000")),
    ("The day of a package", (END, "exclude-newer = \"2024-07-01\"\n[exclude-newer]\nopenssl = \"2024-05-01\"\n\n[dependencies]"), SAME),
    ("The day of a channel", ("\"conda-forge\"", "{ channel = \"conda-forge\", exclude-newer = \"2024-05-01\" }"), SAME),
    ("An override", ("", "[pypi-options.dependency-overrides]\nidna = \"<3\"\n"), SAME),
    ("Another folder", ("path = \"demo\"", "path = \"apps/demo\""), SAME),
    ("A folder instead of a release", ("idna = \">=3\"", "idna = { path = \"idna\" }"), SAME),
    ("What an extra of a folder needs", SAME, ("      - pypi: https://files.example/rich-13.7.1.tar.gz\n", "")),
    ("A conda package that nothing needs", SAME, ("  - openssl >=3.3.0,<4.0a0\n", "  - libssl\n")),
    ("A PyPI package that nothing needs", ("idna = \">=3\"\n", ""), SAME),
    ("A package that was asked for, and what it needs", ("python = \"3.12.*\"\n\n[pypi-dependencies]\nidna = \">=3\"\ndemo = { path = \"demo\", editable = true, extras = [\"color\"] }\n", ""), SAME),
    ("A conda package in place of a PyPI package", SAME, (CONDA, IN_CONDA)),
    ("A conda package of another version than a PyPI package that is asked for", ("idna = \">=3\"", "python = \">=3.13\"\nidna = \">=3\""), SAME),
    ("A conda package in place of a repository", ("idna = \">=3\"", "python = { git = \"https://g.example/python\" }\nidna = \">=3\""), SAME),
    ("A conda package of another version than one needs", SAME, ("openssl >=3.3.0", "openssl >=3.4")),
    ("A PyPI package of another version than one needs", SAME, ("rich>=13", "rich>=14")),
    ("An override of what a package needs", ("", "[pypi-options.dependency-overrides]\nrich = \"<13\"\n"), SAME),
    ("Drivers that a package needs", SAME, ("<4.0a0\n", "<4.0a0\n  - __cuda >=12\n")),
    ("Drivers that the lock was not written for", ("", "[system-requirements]\ncuda = \"12\"\n"), (NO_CUDA, "- name: linux-64\n  virtual-packages:\n  - __glibc=2.28\n")),
    ("Other drivers", ("", "[system-requirements]\ncuda = \"11.8\"\n"), (NO_CUDA, CUDA)),
    ("Drivers that are not said any more", SAME, (NO_CUDA, CUDA)),
    ("A package for these drivers", ("3.12.*\"\n", "3.12.*\"\ngpu = { version = \"*\", when = \"__cuda>=12\" }\n[system-requirements]\ncuda = \"12\"\n"), SAME),
];

#[test]
fn a_lock_is_that_of_its_manifest() {
    for &(manifest, lock) in FITTING {
        if let Err(error) = changed(manifest, lock) {
            panic!("{manifest:?} {lock:?}: {error}");
        }
    }
}

#[test]
fn what_a_lock_was_not_written_for_is_an_error_at_its_line() {
    let mut all = String::new();
    for &(title, manifest, lock) in STALE {
        let error = changed(manifest, lock).expect_err(title);
        all.push_str(&format!("{title}\n{}\n\n", error.render(Level::Error)));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn a_build_arg_replaces_what_the_lock_was_written_for() {
    let file = SourceFile::new("pixi.toml", with(MANIFEST, (", \"bioconda\"", "")));
    let settings = InputSettings {
        channels: vec!["bioconda".to_owned(), "conda-forge".to_owned()],
        priority: Some(condafront_model::channel::ChannelPriority::Flexible),
        ..InputSettings::default()
    };
    let input = of_kind::read(&file, Platform::LinuxAmd64, &settings).unwrap();
    let own = OwnLock::of(&file, &input, Platform::LinuxAmd64).unwrap();
    let list = own.list_of_manifest(
        &input.pip,
        &crate::file_path::FilePath::context(),
        &settings,
    );
    let list = list.unwrap();
    for lock in [
        LOCK.to_owned(),
        with(
            LOCK,
            (OPTIONS, "    options:\n      channel-priority: flexible\n"),
        ),
    ] {
        let lock = SourceFile::new("pixi.lock", lock);
        let found = own.read(&lock, &settings).unwrap();
        let installed = own.installed(
            input.clone(),
            found,
            &lock,
            &Surroundings::example(&settings, list.as_ref()),
        );
        assert!(installed.is_ok(), "{installed:?}");
    }
}

#[test]
fn builds_are_isolated_whatever_a_manifest_says() {
    let warnings = |names: &str| {
        let options = format!("[pypi-options]\nno-build-isolation = {names}\n");
        let input = changed(("", &options), SAME).unwrap();
        let warnings = input.warnings.iter();
        let shown = warnings.map(|one| one.diagnostic.message.clone());
        shown.collect::<Vec<_>>()
    };
    assert_eq!(warnings("[\"idna\"]"), [""; 0]);
    let message = |name: &str| {
        format!(
            "`{name}` is built in isolation from the environment, in spite of `no-build-isolation`"
        )
    };
    assert_eq!(warnings("[\"Demo\"]"), [message("demo")]);
    assert_eq!(warnings("true"), [message("rich")]);
}

const PROJECT: &str = r#"[project]
name = "Demo-App"
version = "1.0"
requires-python = ">=3.11"
dependencies = ["idna>=3"]

[project.optional-dependencies]
color = ["rich >= 13; python_version > '3.8'"]

[tool.pixi.workspace]
channels = []
platforms = ["linux-64"]

[tool.pixi.dependencies]
python = "3.12.*"

[tool.pixi.pypi-dependencies]
demo-app = { path = ".", editable = true, extras = ["color"] }
"#;

/// The lock of the project.
fn lock_of_project() -> String {
    let text = LOCK
        .replace("- name: osx-arm64\n", "")
        .replace("./demo", "./");
    let start = text.find("      osx-arm64:").unwrap();
    let end = text.find("packages:\n- conda").unwrap();
    let text = format!("{}{}", &text[..start], &text[end..]);
    let text = text.replace(
        "  name: demo\n  requires_dist:\n  - rich>=13 ; extra == 'color'\n",
        "  name: demo-app\n  requires_dist:\n  - idna>=3\n  - rich>=13 ; python_full_version >= '3.9' and extra == 'color'\n  requires_python: '>=3.11'\n",
    );
    text.replace("    - url: https://conda.anaconda.org/bioconda/\n", "")
}

/// What the project with this lock installs, with these changes.
fn of_project(manifest: (&str, &str), lock: (&str, &str)) -> Result<EnvironmentInput, Diagnostic> {
    let lock = SourceFile::new("pixi.lock", with(&lock_of_project(), lock));
    installed("pyproject.toml", &with(PROJECT, manifest), &lock, None)
}

#[test]
fn a_lock_has_what_its_project_needs() {
    for (manifest, lock) in [
        (SAME, SAME),
        (("idna>=3", "idna >= 3"), SAME),
        // Only a build of it can tell.
        (
            (
                "dependencies = [\"idna>=3\"]",
                "dynamic = [\"dependencies\"]",
            ),
            SAME,
        ),
        (
            ("", "[tool.uv.sources]\nrich = { path = \"rich\" }\n"),
            SAME,
        ),
        (("version = \"1.0\"", "version = \"1.1\""), SAME),
    ] {
        if let Err(error) = of_project(manifest, lock) {
            panic!("{manifest:?} {lock:?}: {error}");
        }
    }
    let mut all = String::new();
    for (title, manifest) in [
        ("Another version", ("idna>=3", "idna>=3.5")),
        ("A requirement less", ("dependencies = [\"idna>=3\"]\n", "")),
        (
            "One more extra",
            ("color = [", "plot = [\"numpy\"]\ncolor = ["),
        ),
        ("Other versions of python", (">=3.11", ">=3.12")),
        (
            "Any version of python",
            ("requires-python = \">=3.11\"\n", ""),
        ),
    ] {
        let error = of_project(manifest, SAME).expect_err(title);
        all.push_str(&format!("{title}\n{}\n\n", error.render(Level::Error)));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn packages_stay_in_a_new_lock_beside_the_project_that_they_are_for() {
    let stays = |manifest: (&str, &str)| {
        let file = SourceFile::new("pyproject.toml", with(PROJECT, manifest));
        let settings = InputSettings::default();
        let input = of_kind::read(&file, Platform::LinuxAmd64, &settings).unwrap();
        let own = OwnLock::of(&file, &input, Platform::LinuxAmd64).unwrap();
        let folder = crate::file_path::FilePath::context();
        let list = own
            .list_of_manifest(&input.pip, &folder, &settings)
            .unwrap();
        let lock = SourceFile::new("pixi.lock", lock_of_project());
        let found = own.read(&lock, &settings).unwrap();
        let project = own.own_project(&input, &lock, &settings);
        let kept = own.kept_pip(&found, &list.unwrap(), LockKind::Pixi, &settings, project);
        kept.map(|kept| {
            let packages = kept.packages().iter().map(|one| one.name.clone());
            (packages.collect::<Vec<_>>(), kept.project().cloned())
        })
    };
    let (packages, project) = stays(SAME).unwrap();
    assert_eq!(packages, ["idna", "rich"]);
    let project = project.unwrap();
    assert_eq!(
        (project.name.as_str(), project.path.as_str()),
        ("demo-app", ".")
    );
    assert_eq!(project.requires_dist.len(), 2);
    assert_eq!(project.requires_python.as_deref(), Some(">=3.11"));
    // Only a build says what it needs, or that has changed.
    assert_eq!(
        stays((
            "dependencies = [\"idna>=3\"]",
            "dynamic = [\"dependencies\"]"
        )),
        None
    );
    assert_eq!(stays(("idna>=3", "idna>=3.5")), None);
}
