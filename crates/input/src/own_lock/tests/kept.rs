//! What stays as it is in the lock when it is written again.

use super::*;

#[test]
fn what_may_change_is_not_kept() {
    let (file, input) = read(ENV);
    let own = OwnLock::of(&file, &input, Platform::LinuxAmd64).unwrap();
    let kept = |upgrade: &[&str]| {
        let settings = InputSettings {
            upgrade: upgrade.iter().map(|name| (*name).to_owned()).collect(),
            ..InputSettings::default()
        };
        let found = own.read(&explicit(LOCK), &settings).unwrap();
        let (kept, warnings) = own.kept(found, &settings);
        let names = kept.packages.into_iter().map(|package| package.id.name);
        let messages = warnings
            .into_iter()
            .map(|warning| warning.diagnostic.to_string());
        (names.collect::<Vec<_>>(), messages.collect::<Vec<_>>())
    };
    assert_eq!(kept(&[]).0, ["python", "numpy", "samtools"]);
    assert_eq!(kept(&["NumPy", "python"]).0, ["samtools"]);
    let (names, warnings) = kept(&["nunpy"]);
    assert_eq!(names.len(), 3);
    let [warning] = &warnings[..] else {
        panic!("{warnings:?}");
    };
    assert!(warning.contains("no package `nunpy`"), "{warning}");
}

const PIXI_LOCK: &str = "version: 6
environments:
  default:
    channels: [{url: 'https://conda.anaconda.org/conda-forge/'}]
    packages:
      linux-64:
      - conda: https://conda.anaconda.org/conda-forge/linux-64/python-3.13.1-h1_0.conda
      - pypi: https://files.example/flask-3.0-py3-none-any.whl
      - pypi: https://files.example/click-8.0-py3-none-any.whl
      - pypi: https://files.example/asgiref-3.0-py3-none-any.whl
packages:
- conda: https://conda.anaconda.org/conda-forge/linux-64/python-3.13.1-h1_0.conda
- pypi: https://files.example/flask-3.0-py3-none-any.whl
  name: flask
  version: '3.0'
  requires_dist: [click>=8.0, asgiref>=3.2 ; extra == 'async']
- pypi: https://files.example/click-8.0-py3-none-any.whl
  name: click
  version: '8.0'
- pypi: https://files.example/asgiref-3.0-py3-none-any.whl
  name: asgiref
  version: '3.0'
";

fn kept_pip(pypi: &str, upgrade: &[&str]) -> Option<KeptPip> {
    let settings = InputSettings {
        upgrade: upgrade.iter().map(|name| (*name).to_owned()).collect(),
        ..InputSettings::default()
    };
    kept_pip_of(PIXI_LOCK, pypi, &settings)
}

fn kept_pip_of(lock: &str, pypi: &str, settings: &InputSettings) -> Option<KeptPip> {
    let text = format!(
        "[workspace]\nchannels = [\"conda-forge\"]\n[dependencies]\npython = \"*\"\n[pypi-dependencies]\n{pypi}\n"
    );
    let file = SourceFile::new("pixi.toml", text);
    let input = read::read(&file, Platform::LinuxAmd64, settings).unwrap();
    let own = OwnLock::of(&file, &input, Platform::LinuxAmd64).unwrap();
    let Pip::Unsolved(asked) = &input.pip else {
        panic!("locked");
    };
    let texts: Vec<&str> = asked.iter().map(|one| one.text.as_str()).collect();
    let list = list_of(&texts.join("\n"));
    let lock = SourceFile::new("pixi.lock", lock);
    let found = own.read(&lock, settings).unwrap();
    own.kept_pip(&found, &list, LockKind::Pixi, settings, None)
}

#[test]
fn packages_stay_if_the_manifest_asks_for_all_of_them_and_no_more() {
    let with_extra = "flask = { version = \"*\", extras = [\"async\"] }";
    assert!(kept_pip(with_extra, &[]).is_some());
    assert!(kept_pip("flask = \"*\"\nasgiref = \"*\"", &["python"]).is_some());
    for (pypi, upgrade) in [
        // Nothing needs asgiref any more.
        ("flask = \"*\"", &[][..]),
        ("flask = \"*\"\nasgiref = \"*\"\nidna = \"*\"", &[]),
        ("flask = \"*\"\nasgiref = \">=4\"", &[]),
        (with_extra, &["Click"]),
        // Its marker may be true.
        (
            "flask = { version = \"*\", extras = [\"async\"] }\nidna = { version = \"*\", env-markers = \"python_version > '3'\" }",
            &[],
        ),
        // Another file than that of the index.
        (
            "flask = \"*\"\nasgiref = { url = \"https://files.example/asgiref-3.0-py3-none-any.whl\" }",
            &[],
        ),
    ] {
        assert!(kept_pip(pypi, upgrade).is_none(), "{pypi} {upgrade:?}");
    }
    // Several extras may need a package.
    let lock = PIXI_LOCK.replace("extra == 'async'", "extra == 'x' or extra == 'async'");
    let settings = InputSettings::default();
    assert!(kept_pip_of(&lock, with_extra, &settings).is_some());
    // What an extra that is new needs.
    let lock = PIXI_LOCK.replace(
        "      - pypi: https://files.example/asgiref-3.0-py3-none-any.whl\n",
        "",
    );
    assert!(kept_pip_of(&lock, "flask = \"*\"", &settings).is_some());
    assert!(kept_pip_of(&lock, with_extra, &settings).is_none());
    // A lock without what is left out would be incomplete.
    let settings = InputSettings {
        skip: ["asgiref".to_owned()].into(),
        ..settings
    };
    assert!(kept_pip_of(PIXI_LOCK, with_extra, &settings).is_none());
}

#[test]
fn packages_stay_if_the_conda_packages_do() {
    let kept = kept_pip("flask = \"*\"\nasgiref = \"*\"", &[]).unwrap();
    let package = |file: &str| {
        let url = format!("https://conda.anaconda.org/conda-forge/linux-64/{file}");
        let file = SourceFile::new("a.lock", format!("@EXPLICIT\n{url}\n"));
        let input = read::read(&file, Platform::LinuxAmd64, &InputSettings::default()).unwrap();
        input.locked().unwrap()[0].clone()
    };
    let python = package("python-3.13.1-h1_0.conda");
    let fits = |packages: &[Package]| kept.fits(packages);
    assert!(fits(std::slice::from_ref(&python)));
    assert!(fits(&[python.clone(), package("zlib-1.3-0.conda")]));
    assert!(!fits(&[package("python-3.13.2-h1_0.conda")]));
    assert!(!fits(&[python, package("flask-3.0-0.conda")]));
}
