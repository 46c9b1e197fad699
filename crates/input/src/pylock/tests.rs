use super::*;
use crate::file_path::FilePath;
use condafront_model::source::{Diagnostic, Level, SourceFile};

fn lock(text: &str) -> Result<Pylock, Diagnostic> {
    let file = SourceFile::new("locks/pylock.toml", text);
    let folder = FilePath {
        path: "locks".to_owned(),
        ..FilePath::context()
    };
    read(&file, folder)
}

fn environment() -> MarkerEnvironment {
    let values = [
        ("python_version", "3.13"),
        ("python_full_version", "3.13.5"),
        ("sys_platform", "linux"),
    ];
    MarkerEnvironment {
        values: values.map(|(name, value)| (name, value.to_owned())).into(),
        ..MarkerEnvironment::default()
    }
}

/// What an environment gets of a lock, whose wheels for linux fit better than those for any platform, and no others.
fn chosen(text: &str, categories: &[&str]) -> Result<Vec<String>, Diagnostic> {
    let rank = |name: &str| {
        let ranks = [("linux_x86_64.whl", 0), ("none-any.whl", 1)];
        let found = ranks.iter().find(|(end, _)| name.ends_with(end));
        found.map(|(_, rank)| *rank)
    };
    let categories: Vec<String> = categories.iter().map(|name| (*name).to_owned()).collect();
    let found = lock(text)?.choose(environment(), "3.13.5", &categories, rank)?;
    let shown = found.into_iter().map(|chosen| match chosen {
        Chosen::Remote(package) => format!(
            "{} {} {}:{}",
            package.label(),
            package.url,
            package.file.as_ref().unwrap().name(),
            package.lines.first
        ),
        Chosen::Local(local) => {
            let name = local.file_name.map(|name| format!(" ({name})"));
            let name = name.unwrap_or_default();
            format!("{} {}{name} {}", local.name, local.path, local.lines.first)
        }
        Chosen::Repository {
            name,
            repository,
            lines,
        } => format!(
            "{name} {} {:?} {:?} {}",
            repository.url, repository.reference, repository.subdir, lines.first
        ),
    });
    Ok(shown.collect())
}

const HASH: &str =
    "hashes = {sha256 = '0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef'}";

/// A lock with all kinds of packages.
fn all_kinds() -> String {
    let text = "\
lock-version = '1.0'
environments = [\"sys_platform == 'win32'\", \"sys_platform == 'linux'\"]
requires-python = '>=3.11'
extras = ['socks']
dependency-groups = ['Dev_Tools', 'base']
default-groups = ['base']
created-by = 'a test'
[[packages]]
name = 'numpy'
version = '2.0'
index = 'https://pypi.example/simple'
wheels = [
  {name = 'numpy-2.0-py3-none-any.whl', url = 'https://f.example/numpy-2.0-py3-none-any.whl', HASH},
  {url = 'https://f.example/numpy-2.0-cp313-cp313-win_amd64.whl', HASH},
  {name = 'numpy-2.0-cp313-cp313-linux_x86_64.whl', url = 'https://f.example/files/12', HASH},
]
[packages.sdist]
url = 'https://f.example/numpy-2.0.tar.gz'
HASH
[[packages]]
name = 'source'
version = '1.0'
requires-python = '>=3.9'
sdist = {url = 'https://f.example/source-1.0.tar.gz', HASH}
wheels = [{url = 'https://f.example/source-1.0-cp39-cp39-win_amd64.whl', HASH}]
[[packages]]
name = 'colorama'
marker = \"sys_platform == 'win32'\"
wheels = [{url = 'https://f.example/colorama-1.0-py3-none-any.whl', HASH}]
[[packages]]
name = 'pysocks'
marker = \"'socks' in extras\"
wheels = [{path = 'wheels/12', name = 'PySocks-1.0-py3-none-any.whl', HASH}]
[[packages]]
name = 'pytest'
marker = \"'dev-tools' in dependency_groups\"
wheels = [{url = 'https://f.example/pytest-1.0-py3-none-any.whl', path = 'pytest.whl', HASH}]
[[packages]]
name = 'of-base'
marker = \"'base' in dependency_groups\"
archive = {path = '../of-base.tar.gz', HASH}
[[packages]]
name = 'app'
directory = {path = '..', subdirectory = 'app', editable = true}
[[packages]]
name = 'cloned'
vcs = {type = 'git', url = 'https://git.example/cloned.git', commit-id = '0123456789abcdef0123456789abcdef01234567', subdirectory = 'python'}
[tool.other]
anything = 1
";
    text.replace("HASH", HASH)
}

#[test]
fn an_environment_gets_what_is_for_it() {
    let text = all_kinds();
    assert_eq!(
        chosen(&text, &[]).unwrap(),
        [
            "app ../app 43",
            "cloned https://git.example/cloned.git Some(\"0123456789abcdef0123456789abcdef01234567\") Some(\"python\") 46",
            "numpy 2.0 https://f.example/files/12 locks/pylock.toml:9",
            "of-base ../of-base.tar.gz 39",
            "source 1.0 https://f.example/source-1.0.tar.gz locks/pylock.toml:21",
        ]
    );
    let with_more = chosen(&text, &["socks", "dev.tools", "other"]).unwrap();
    let more: Vec<&String> = with_more
        .iter()
        .filter(|line| line.starts_with("py"))
        .collect();
    assert_eq!(
        more,
        [
            "pysocks wheels/12 (PySocks-1.0-py3-none-any.whl) 31",
            "pytest 1.0 https://f.example/pytest-1.0-py3-none-any.whl locks/pylock.toml:35",
        ]
    );
    let rank = |name: &str| name.ends_with("linux_x86_64.whl").then_some(0);
    let found = lock(&text).unwrap();
    let found = found.choose(environment(), "3.13.5", &[], rank).unwrap();
    let found = found.iter().find_map(|chosen| match chosen {
        Chosen::Remote(package) if package.name == "numpy" => Some(package),
        _ => None,
    });
    let wheel = found.unwrap();
    assert_eq!(wheel.file_name(), "numpy-2.0-cp313-cp313-linux_x86_64.whl");
    assert!(wheel.is_pinned_wheel());
    let warnings = lock(&text).unwrap().warnings;
    assert_eq!(warnings[0].diagnostic.locations[0].lines.first, 43);
}

#[test]
fn names_of_locks() {
    for name in ["pylock.toml", "a/pylock.dev.toml", "pylock.dev-1.toml"] {
        assert!(Pylock::is_name(name), "{name}");
    }
    for name in [
        "pylock.a.b.toml",
        "pylock..toml",
        "pylocktoml",
        "my-pylock.toml",
        "pylock.txt",
    ] {
        assert!(!Pylock::is_name(name), "{name}");
    }
}

#[test]
fn mistakes_are_reported_at_their_line() {
    let package = |rest: &str| {
        format!("lock-version = '1.0'\n[[packages]]\nname = 'demo'\n{rest}\n").replace("HASH", HASH)
    };
    let wheel = "wheels = [{url = 'https://f.example/demo-1.0-py3-none-any.whl', HASH}]";
    let mut shown = String::new();
    for text in [
        "[[packages]]\n".to_owned(),
        "lock-version = '2.0'\n".to_owned(),
        "lock-version = '1.0'\n".to_owned(),
        "lock-version = '1.0'\npackages = 1\n".to_owned(),
        "lock-version = \n".to_owned(),
        "lock-version = '1.0'\n[[packages]]\nversion = '1.0'\n".to_owned(),
        "lock-version = '1.0'\nrequires-python = 'three'\npackages = []\n".to_owned(),
        "lock-version = '1.0'\nrequires-python = '<3.10'\npackages = []\n".to_owned(),
        "lock-version = '1.0'\nenvironments = [\n\"os_name == 'nt'\",\n\"python_version < '3'\"]\npackages = []\n"
            .to_owned(),
        "lock-version = '1.0'\nextras = 'x'\npackages = []\n".to_owned(),
        package(""),
        package("marker = 'os_name ='\nwheels = []"),
        package("requires-python = '>=3.14'\nwheels = []"),
        package("wheels = []"),
        package(&format!("{wheel}\ndirectory = {{path = '.'}}")),
        package(&format!("{wheel}\n[[packages]]\nname = 'Demo'\n{wheel}")),
        package(&format!("{wheel}\n[[packages]]\nname = 'Demo'\nmarker = \"sys_platform == 'linux'\"\n{wheel}")),
        package("wheels = [{url = 'https://f.example/demo-1.0-py3-n"),
        "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n".to_owned(),
        package("wheels = [\n{url = 'https://f.example/demo-1.0-py3-none-any.whl'}]"),
        package("wheels = [\n{url = 'https://f.example/demo-1.0-py3-none-any.whl', hashes = {sha512 = 'x', blake2b = 'y'}}]"),
        package("wheels = [\n{url = 'https://f.example/demo-1.0-py3-none-any.whl', hashes = {sha256 = 'x'}}]"),
        package("wheels = [\n{url = 'ftp://f.example/demo-1.0-py3-none-any.whl', HASH}]"),
        package("wheels = [\n{path = '/home/me/demo-1.0-py3-none-any.whl', HASH}]"),
        package("wheels = [{HASH}]"),
        package("wheels = [\n{path = '12', name = '../demo-1.0-py3-none-any.whl', HASH}]"),
        package("wheels = [\n{path = '12', name = 'demo-1.0-cp38-cp38-win_amd64.whl', HASH}]"),
        package("archive = {url = 'https://f.example/demo.exe', HASH, subdirectory = 'x'}"),
        package("vcs = {type = 'hg', url = 'https://h.example/demo', commit-id = 'a'}"),
        package("vcs = {type = 'git', path = '../demo', commit-id = 'a'}"),
        package("vcs = {type = 'git', url = 'https://me:hunter2@', commit-id = 'a'}"),
        package("vcs = {type = 'git', url = 'https://me:hunter2@g.example/demo', commit-id = 'a'}"),
        package("vcs = {type = 'git', url = 'https://g.example/demo'}"),
        package("vcs = {type = 'git', url = 'https://g.example/demo', commit-id = 'main'}"),
        package("vcs = {type = 'git', url = 'https://g.example/demo', commit-id = 'abc1234'}"),
        package("vcs = {type = 'git', url = 'https://g.example/demo', commit-id = '0123456789abcdef0123456789abcdef01234567', subdirectory = '..'}"),
        package("directory = {editable = true}"),
        package("version = ''\nwheels = []"),
        package("version = \"1.0\\u0007\"\nwheels = []"),
        format!("lock-version = '1.0'\n[[packages]]\nname = \"demo\\nexample\"\n{wheel}\n").replace("HASH", HASH),
    ] {
        let error = chosen(&text, &[]).unwrap_err();
        shown.push_str(&format!("{}\n\n", error.render(Level::Error)));
    }
    assert!(!shown.contains("hunter2"), "{shown}");
    insta::assert_snapshot!(shown);
}
