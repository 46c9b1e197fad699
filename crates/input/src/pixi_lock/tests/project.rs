//! The project that a lock is for, other packages next to it, and what `CONDAFRONT_SKIP` leaves out.

use super::{one, read};
use crate as input;
use crate::environment_input::{EnvironmentInput, LockedPip, Pip};
use crate::settings::{ChannelDefaults, InputSettings};
use condafront_model::lint::Rule;
use condafront_model::platform::Platform;
use condafront_model::source::{Diagnostic, Level, SourceFile};

const SHA: &str = "5d7c0e5f0005f74112a34a7425179f4eb6e73c92f5d109e6af4ddeca407c92ab";

/// What pixi itself writes for its Docker example, and for one with packages to build.
const LOCK: &str = "\
version: 6
environments:
  default:
    channels:
    - url: https://conda.anaconda.org/conda-forge/
    packages:
      linux-64:
      - conda: https://conda.anaconda.org/conda-forge/linux-64/python-3.12.8-h9e4cc4f_1_cpython.conda
      - conda: .
      - conda: ./cpp
        name: cpp-math
        subdir: linux-64
      - conda: ./cpp
        name: cpp-tools
        subdir: linux-64
      - pypi: ./
      - pypi: https://files.example/idna-3.10-py3-none-any.whl
      win-64:
      - conda: https://conda.anaconda.org/conda-forge/win-64/vc14_runtime-14.40-hcc2c482_20.conda
packages:
- conda: https://conda.anaconda.org/conda-forge/linux-64/python-3.12.8-h9e4cc4f_1_cpython.conda
- conda: https://conda.anaconda.org/conda-forge/win-64/vc14_runtime-14.40-hcc2c482_20.conda
- conda: .
  name: rich_example
  version: 0.1.0
  build: pyhbf21a9e_0
  subdir: noarch
  depends:
  - rich
- conda: ./cpp
  name: cpp-math
  version: 0.1.0
  build: h0
  subdir: linux-64
- conda: ./cpp
  name: cpp-tools
  version: 0.1.0
  build: h0
  subdir: linux-64
- pypi: ./
  name: docker-project
  version: 0.1.0
  sha256: 0000000000000000000000000000000000000000000000000000000000000000
  editable: true
- pypi: https://files.example/idna-3.10-py3-none-any.whl
  name: idna
  version: '3.10'
";

fn read_skipping(name: &str, text: &str, skip: &[&str]) -> Result<EnvironmentInput, Diagnostic> {
    let settings = InputSettings {
        skip: skip.iter().map(|name| (*name).to_owned()).collect(),
        ..InputSettings::default()
    };
    let file = SourceFile::new(name, text);
    input::read(&file, Platform::LinuxAmd64, &settings)
}

/// What is read: conda packages, PyPI files, and local packages with their paths.
fn listed(input: &EnvironmentInput) -> String {
    let Pip::Locked(LockedPip { files, local, .. }) = &input.pip else {
        panic!("a lock");
    };
    let conda = input.locked().unwrap().iter();
    let conda = conda.map(|package| package.id.name.clone());
    let files = files.iter().map(|package| format!("pip {}", package.name));
    let local = local
        .iter()
        .map(|one| format!("{} in `{}`", one.name, one.path));
    conda
        .chain(files)
        .chain(local)
        .collect::<Vec<_>>()
        .join(", ")
}

/// A lock of each version with a project at `path`.
fn with_project(path: &str) -> [String; 4] {
    let legacy = |version: u8| {
        format!(
            "version: {version}\nenvironments:\n  default:\n    channels: []\n    packages:\n      linux-64:\n      - pypi: {path}\npackages:\n- kind: pypi\n  name: mine\n  version: 0.1.0\n  path: {path}\n  sha256: {SHA}\n  requires_python: '>=3.12'\n  editable: true\n"
        )
    };
    let selector = format!("pypi: {path}");
    let current = |more: &str| one(&selector, &format!("{selector}\n  name: mine{more}"));
    let v7 = current("\n  requires_dist:\n  - flask")
        .replace("version: 6\n", "version: 7\nplatforms:\n- name: linux-64\n");
    [
        legacy(4),
        legacy(5),
        current("\n  version: 0.1.0\n  editable: true"),
        v7,
    ]
}

#[test]
fn a_project_next_to_the_lock_is_read() {
    for (written, path) in [
        ("./", ""),
        (".", ""),
        ("./libs/foo", "libs/foo"),
        ("libs/foo/", "libs/foo"),
        ("../shared", "../shared"),
        ("./dist/mine-0.1.0.tar.gz", "dist/mine-0.1.0.tar.gz"),
    ] {
        for text in with_project(written) {
            let input = read_skipping("pixi.lock", &text, &[])
                .unwrap_or_else(|error| panic!("{}", error.render(Level::Error)));
            assert_eq!(listed(&input), format!("mine in `{path}`"), "{text}");
            assert!(input.warnings.is_empty(), "{:?}", input.warnings);
        }
    }
}

#[test]
fn a_file_that_pixi_marks_as_direct_is_downloaded() {
    let direct = LOCK.replace("pypi: https:", "pypi: direct+https:");
    let skip = ["rich_example", "cpp-math", "cpp-tools", "docker-project"];
    let input = read_skipping("pixi.lock", &direct, &skip).unwrap();
    let Pip::Locked(LockedPip { files, .. }) = &input.pip else {
        panic!("a lock");
    };
    assert_eq!(
        files[0].url.to_string(),
        "https://files.example/idna-3.10-py3-none-any.whl"
    );
    // pixi writes none of its own for such a file.
    let about_hash = |text: &str| {
        let warnings = read_skipping("pixi.lock", text, &skip).unwrap().warnings;
        let mut warnings = warnings.into_iter().map(|one| one.diagnostic);
        let found = warnings.find(|one| one.message.contains("idna"));
        found.map(|one| one.help.unwrap_or_default())
    };
    let help = about_hash(&direct).unwrap();
    assert!(
        help.contains("Append #sha256=<hash> to the `url`"),
        "{help}"
    );
    assert!(about_hash(LOCK).unwrap().contains("a newer pixi"));
    let fragment = direct.replace("any.whl\n", &format!("any.whl#sha256={SHA}\n"));
    assert_eq!(about_hash(&fragment), None);
}

#[test]
fn only_files_next_to_the_lock_have_a_hash() {
    let hash = |text: &str| match read(text).unwrap().pip {
        Pip::Locked(locked) => locked.local[0].hashes.sha256.clone(),
        Pip::Unsolved(_) => panic!("a lock"),
    };
    for path in [
        "./links/mine-0.1.0-py3-none-any.whl",
        "dist/mine-0.1.0.tar.gz",
    ] {
        let text = &with_project(path)[1];
        assert_eq!(hash(text).as_deref(), Some(SHA), "{path}");
    }
    // The hash of a project is that of some of its files, which pixi uses to notice changes.
    assert_eq!(hash(&with_project("./mine")[1]), None);
}

#[test]
fn packages_are_left_out_by_name() {
    let all = ["rich_example", "cpp-math", "cpp-tools"];
    let mut one_less = all.to_vec();
    let input = read_skipping("pixi.lock", LOCK, &all).unwrap();
    assert_eq!(listed(&input), "python, pip idna, docker-project in ``");
    one_less.push("Docker_Project");
    let input = read_skipping("pixi.lock", LOCK, &one_less).unwrap();
    assert_eq!(listed(&input), "python, pip idna");
    // Packages for other platforms are known too.
    one_less.extend(["vc14_runtime", "idna"]);
    let input = read_skipping("pixi.lock", LOCK, &one_less).unwrap();
    assert_eq!(listed(&input), "python");
}

#[test]
fn what_must_be_built_is_an_error_that_says_how_to_leave_it_out() {
    let mut all = String::new();
    for skip in [
        &[][..],
        &["rich_example"],
        &["rich_example", "cpp-math"],
        &["rich_exmaple"],
        &["nothing-like-it", "rich_example", "cpp-math", "cpp-tools"],
        &[
            "rich_example",
            "cpp-math",
            "cpp-tools",
            "docker-project",
            "idna",
            "python",
        ],
    ] {
        let error = read_skipping("pixi.lock", LOCK, skip).unwrap_err();
        let shown = error.render(Level::Error);
        all.push_str(&format!("## {}\n{shown}\n\n", skip.join(",")));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn a_package_to_leave_out_must_be_in_one_of_an_images_locks() {
    let settings = |skip: &[&str]| InputSettings {
        skip: skip.iter().map(|name| (*name).to_owned()).collect(),
        image_file: Some(ChannelDefaults::default()),
        ..InputSettings::default()
    };
    let read = |text: &str, skip: &[&str]| {
        let file = SourceFile::new("a.lock", text);
        input::read(&file, Platform::LinuxAmd64, &settings(skip)).unwrap()
    };
    let first = "@EXPLICIT\nhttps://c.example/f/linux-64/a-1-0.conda\nhttps://c.example/f/noarch/c-1-0.conda\n";
    let second = "@EXPLICIT\nhttps://c.example/f/linux-64/b-1-0.conda\nhttps://c.example/f/noarch/c-1-0.conda\n";
    let env = "channels: [conda-forge]\ndependencies: [numpy]\n";
    let check = |skip: &[&str]| {
        let inputs = [first, second, env].map(|text| read(text, skip));
        input::check_skips(&inputs)
    };
    check(&["a", "b"]).unwrap();
    assert!(check(&["a", "numpy"]).is_err());
    // An environment file alone has nothing to leave out.
    input::check_skips(&[read(env, &["numpy"])]).unwrap();
    let input = read_skipping("env.yml", env, &["numpy"]).unwrap();
    assert_eq!(input.warnings[0].rule, Rule::Ignored);
}

#[test]
fn empty_hashes_are_as_if_they_were_not_there() {
    const URL: &str = "https://c.example/f/linux-64/numpy-1.0-0.conda";
    const WHEEL: &str = "https://f.example/numpy-1.0-py3-none-any.whl";
    let md5 = "d7c89558ba9fa0495403155b64376d81";
    for (hashes, found) in [
        (format!("sha256: {SHA}\n  md5: ''"), (Some(SHA), None)),
        (format!("sha256: \"\"\n  md5: {md5}"), (None, Some(md5))),
        (format!("sha256: ~\n  md5: {md5}"), (None, Some(md5))),
        (format!("sha256: {SHA}\n  md5: null"), (Some(SHA), None)),
        (format!("sha256:\n  md5: {md5}"), (None, Some(md5))),
        (
            format!(
                "sha256: {}\n  md5: {}",
                SHA.to_uppercase(),
                md5.to_uppercase()
            ),
            (Some(SHA), Some(md5)),
        ),
    ] {
        let conda = format!("conda: {URL}");
        let wheel = format!("pypi: {WHEEL}");
        let conda = one(&conda, &format!("{conda}\n  {hashes}"));
        let wheel = one(
            &wheel,
            &format!("{wheel}\n  name: numpy\n  version: '1.0'\n  {hashes}"),
        );
        for text in [conda, wheel] {
            let input =
                read(&text).unwrap_or_else(|error| panic!("{}", error.render(Level::Error)));
            let read = match (&input.pip, input.locked()) {
                (_, Some([package])) => &package.hashes,
                (Pip::Locked(locked), _) => &locked.files[0].hashes,
                _ => panic!("{text}"),
            };
            assert_eq!(
                (read.sha256.as_deref(), read.md5.as_deref()),
                found,
                "{text}"
            );
        }
    }
}

#[test]
fn placeholders_for_credentials_are_left_out() {
    let text = LOCK
        .replace(
            "https://conda.anaconda.org/conda-forge/linux-64",
            "https://conda.anaconda.org/t/<TOKEN>/private/linux-64",
        )
        .replace("https://files.example", "https://<user>:***@files.example");
    let skip = ["rich_example", "cpp-math", "cpp-tools"];
    let input = read_skipping("pixi.lock", &text, &skip).unwrap();
    let Pip::Locked(LockedPip { files, .. }) = &input.pip else {
        panic!("a lock");
    };
    assert_eq!(
        input.locked().unwrap()[0].url.url().as_str(),
        "https://conda.anaconda.org/private/linux-64/python-3.12.8-h9e4cc4f_1_cpython.conda"
    );
    assert_eq!(
        files[0].url.url().as_str(),
        "https://files.example/idna-3.10-py3-none-any.whl"
    );
    let rules: Vec<Rule> = input.warnings.iter().map(|warning| warning.rule).collect();
    assert_eq!(rules[0], Rule::CredentialsInUrl);
}

#[test]
fn a_lock_of_conda_workspaces_is_read() {
    let text = super::V6.replace("version: 6", "version: 1");
    let (input, same) = (read(&text).unwrap(), read(super::V6).unwrap());
    assert_eq!(input, same);
}
