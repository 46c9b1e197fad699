mod dates;
mod kept;

use super::*;
use crate::requirements::list_of;
use condafront_model::source::Level;

const ENV: &str = "\
channels: [conda-forge, bioconda]
dependencies:
- python 3.12.*
- numpy >=2
- bioconda::samtools
- __glibc >=2.17
- tomli[when='python <3.11']
condafront:
  lock: conda-{platform}.lock
";

const LOCK: &[&str] = &[
    "conda-forge/linux-64/python-3.12.1-h1_0_cpython.conda",
    "conda-forge/linux-64/numpy-2.1.0-py312h1_3.conda",
    "bioconda/linux-64/samtools-1.20-h1_0.tar.bz2",
];

fn read(text: &str) -> (Arc<SourceFile>, EnvironmentInput) {
    let file = SourceFile::new("env.yml", text);
    let settings = InputSettings::default();
    let input = read::read(&file, Platform::LinuxAmd64, &settings).unwrap();
    (file, input)
}

fn explicit(packages: &[&str]) -> Arc<SourceFile> {
    let mut text = "@EXPLICIT\n".to_owned();
    for package in packages {
        text.push_str(&format!(
            "https://conda.anaconda.org/{package}#sha256:{}\n",
            "0".repeat(64)
        ));
    }
    SourceFile::new("conda-linux-64.lock", text)
}

/// What an env.yml with this lock installs.
fn installed(
    env: &str,
    lock: &Arc<SourceFile>,
    settings: &InputSettings,
) -> Result<EnvironmentInput, Diagnostic> {
    let (file, input) = read(env);
    let own = OwnLock::of(&file, &input, Platform::LinuxAmd64).unwrap();
    let found = own.read(lock, settings)?;
    own.installed(input, found, lock, &Surroundings::example(settings, None))
}

#[test]
fn a_list_of_another_tool_is_not_to_be_written_again() {
    let settings = InputSettings::default();
    let refused = |name: &str, text: &str| {
        let lock = SourceFile::new(name, text);
        installed(ENV, &lock, &settings).unwrap_err()
    };
    for (name, text) in [
        (
            "requirements.txt",
            "numpy==2.1.0 \\\n    --hash=sha256:00\n",
        ),
        ("uv.lock", "version = 1\nrequires-python = \">=3.12\"\n"),
        (
            "Pipfile.lock",
            "{\"_meta\": {\"pipfile-spec\": 6}, \"default\": {}}\n",
        ),
    ] {
        let error = refused(name, text);
        let help = error.help.clone().unwrap_or_default();
        assert!(!help.contains("--target lock"), "{error}");
        let names: Vec<&str> = error.locations.iter().map(|at| at.file.name()).collect();
        assert_eq!(names, [name, "env.yml"]);
    }
    let list = refused("conda-linux-64.lock", "zlib=1.3.1=0\n");
    assert!(list.help.unwrap().contains("--target lock"));
}

#[test]
fn anacondas_channels_are_pointed_out_in_the_file_that_lists_them() {
    let env =
        "channels: [defaults]\ndependencies: [zlib]\ncondafront: {lock: conda-linux-64.lock}\n";
    let text = format!(
        "@EXPLICIT\nhttps://repo.anaconda.com/pkgs/main/linux-64/zlib-1.3.1-0.conda#sha256:{}\n",
        "0".repeat(64)
    );
    let lock = SourceFile::new("conda-linux-64.lock", text);
    let input = installed(env, &lock, &InputSettings::default()).unwrap();
    let places: Vec<&str> = input
        .warnings
        .iter()
        .filter(|warning| warning.rule == Rule::AnacondaChannel)
        .map(|warning| warning.diagnostic.locations[0].file.name())
        .collect();
    assert_eq!(places, ["env.yml"]);
}

#[test]
fn packages_come_from_the_lock_and_the_rest_from_the_file() {
    let env = format!("name: lab\nvariables: {{A: b}}\n{ENV}  user: ada\n");
    let lock = explicit(LOCK);
    let input = installed(&env, &lock, &InputSettings::default()).unwrap();
    let packages = input.locked().unwrap().iter();
    let found: Vec<(String, u32)> = packages
        .map(|package| (package.id.to_string(), package.lines.first))
        .collect();
    // Where the file asks for them.
    assert_eq!(
        found,
        [
            ("python-3.12.1-h1_0_cpython".to_owned(), 5),
            ("numpy-2.1.0-py312h1_3".to_owned(), 6),
            ("samtools-1.20-h1_0".to_owned(), 7),
        ]
    );
    assert_eq!(input.prefix.unwrap().name(), "lab");
    assert_eq!(input.variables["A"], "b");
    assert!(input.section.user.is_some());
    assert_eq!(input.warnings, []);
}

#[test]
fn an_age_does_not_count_if_nothing_is_solved() {
    let rules = |more: &str| {
        let env = format!("{ENV}  exclude_newer: 7d\n{more}");
        let input = installed(&env, &explicit(LOCK), &InputSettings::default()).unwrap();
        let rules = input.warnings.iter().map(|warning| warning.rule);
        rules.collect::<Vec<_>>()
    };
    assert_eq!(rules(""), []);
    assert_eq!(rules("  build: [cmake]\n"), [Rule::Unrepeatable]);
}

#[test]
fn dependencies_hold_as_far_as_a_lock_says() {
    let ask = |dependency: &str| {
        let env = format!(
            "channels: [conda-forge, bioconda]\ndependencies:\n- \"{dependency}\"\ncondafront: {{lock: a.lock}}\n"
        );
        let lock = explicit(LOCK);
        installed(&env, &lock, &InputSettings::default()).is_ok()
    };
    for dependency in [
        "numpy",
        "NumPy",
        "numpy=2.1",
        "numpy ==2.1.0 py312*",
        "numpy[build_number=3]",
        "numpy[build_number='>2']",
        "conda-forge/linux-64::numpy",
        "numpy[license=BSD]",
        "numpy[flags=['blas:mkl']]",
        "__cuda >=12",
        "tomli[when='python <3.11']",
        "tomli[when='python <3.11 or numpy <2']",
        "tomli[when='__cuda']",
        "tomli[when='__cuda and python <3.11']",
        "numpy[when='python >=3.12']",
    ] {
        assert!(ask(dependency), "{dependency}");
    }
    for dependency in [
        "scipy",
        "numpy <2",
        "numpy ==2.1.0 py311*",
        "numpy[build_number=2]",
        "bioconda::numpy",
        "tomli[when='python >=3.12']",
        "tomli[when='python >=3.12 and numpy']",
        "tomli[when='__cuda or python >=3.12']",
        "numpy <2[when='python >=3.12']",
    ] {
        assert!(!ask(dependency), "{dependency}");
    }
}

#[test]
fn what_is_left_out_of_the_lock_may_be_missing() {
    let settings = InputSettings {
        skip: vec!["numpy".to_owned()],
        ..InputSettings::default()
    };
    let input = installed(ENV, &explicit(LOCK), &settings).unwrap();
    assert_eq!(input.locked().unwrap().len(), 2);
    let (_, asked) = read(ENV);
    assert_eq!(asked.warnings, []);
}

#[test]
fn mistakes_read_well() {
    let mut all = String::new();
    let mut add = |title: &str, outcome: Result<EnvironmentInput, Diagnostic>| {
        let error = outcome.expect_err(title).render(Level::Error);
        all.push_str(&format!("{title}\n{error}\n\n"));
    };
    let settings = InputSettings::default();
    let with = |index: usize, package: &'static str| {
        let mut packages = LOCK.to_vec();
        packages[index] = package;
        explicit(&packages)
    };
    add(
        "A missing package",
        installed(ENV, &explicit(&LOCK[..1]), &settings),
    );
    let old = with(1, "conda-forge/linux-64/numpy-1.26.4-py312h1_0.conda");
    add("Another version", installed(ENV, &old, &settings));
    let other = with(2, "conda-forge/linux-64/samtools-1.20-h1_0.conda");
    add("Another channel", installed(ENV, &other, &settings));
    let mut more = LOCK.to_vec();
    more.push("nvidia/linux-64/cuda-12.0-0.conda");
    add(
        "A package from elsewhere",
        installed(ENV, &explicit(&more), &settings),
    );
    let arm: Vec<String> = LOCK
        .iter()
        .map(|text| text.replace("linux-64", "linux-aarch64"))
        .collect();
    let arm: Vec<&str> = arm.iter().map(String::as_str).collect();
    add(
        "Another platform",
        installed(ENV, &explicit(&arm), &settings),
    );
    let text = with(0, "conda-forge/linux-64/python.conda");
    let (file, input) = read(ENV);
    let own = OwnLock::of(&file, &input, Platform::LinuxAmd64).unwrap();
    add(
        "A lock to renew that cannot be read",
        own.read_old(&text, &settings),
    );
    let env = SourceFile::new("other.yml", "dependencies: [numpy]\n");
    add("An environment file", installed(ENV, &env, &settings));
    let conda_lock = SourceFile::new(
        "conda-lock.yml",
        "version: 1\nmetadata: {platforms: [linux-64]}\npackage:\n- {name: numpy, version: 2.1.0, manager: conda, platform: linux-64, url: 'https://conda.anaconda.org/conda-forge/linux-64/numpy-2.1.0-0.conda', hash: {md5: c9f075ab2f33b3bbee9e62d4ad0a6cd8}}\n",
    );
    let env = ENV.replace("conda-{platform}.lock", "locks/conda-lock.yml");
    add(
        "A lock of another tool",
        installed(&env, &conda_lock, &settings),
    );
    let (file, input) = read(ENV);
    let own = OwnLock::of(&file, &input, Platform::LinuxArm64).unwrap();
    add("A missing lock", Err(own.missing()));
    let listed = format!("platforms: [linux-aarch64]\n{ENV}");
    let listed = SourceFile::new("env.yml", listed);
    let input = read::read(&listed, Platform::LinuxArm64, &settings).unwrap();
    let declared = OwnLock::of(&listed, &input, Platform::LinuxArm64).unwrap();
    add(
        "A missing lock of a listed platform",
        Err(declared.missing()),
    );
    add("A lock that two would share", Err(own.shared()));
    add("A lock that is elsewhere", Err(own.outside()));
    let (file, input) = read(&env);
    let own = OwnLock::of(&file, &input, Platform::LinuxAmd64).unwrap();
    add("A missing lock of another tool", Err(own.missing()));
    assert_eq!(
        own.kind_to_write(Some(&conda_lock), &input),
        Ok(LockKind::CondaLock)
    );
    assert_eq!(own.kind_to_write(None, &input), Ok(LockKind::CondaLock));
    assert_eq!(
        own.kind_to_write(Some(&explicit(LOCK)), &input),
        Ok(LockKind::Explicit)
    );
    let workspaces = ENV.replace("conda-{platform}.lock", "conda.lock");
    let (file, input) = read(&workspaces);
    let own = OwnLock::of(&file, &input, Platform::LinuxAmd64).unwrap();
    let refused = own.kind_to_write(None, &input).unwrap_err();
    add("A lock that only another tool writes", Err(refused));
    let manifest = |name: &str, more: &str| {
        let text = format!(
            "[workspace]\nchannels = [\"conda-forge\"]\n[dependencies]\npython = \"*\"\n{more}"
        );
        let file = SourceFile::new(name, text);
        let input = read::read(&file, Platform::LinuxAmd64, &settings).unwrap();
        let own = OwnLock::of(&file, &input, Platform::LinuxAmd64).unwrap();
        own.kind_to_write(None, &input)
    };
    assert_eq!(manifest("pixi.toml", ""), Ok(LockKind::Pixi));
    assert_eq!(manifest("conda.toml", ""), Ok(LockKind::Workspaces));
    let pypi = "[pypi-dependencies]\nflask = \"*\"\n";
    assert_eq!(manifest("pixi.toml", pypi), Ok(LockKind::Pixi));
    add(
        "A conda.toml's lock with PyPI packages",
        Err(manifest("conda.toml", pypi).unwrap_err()),
    );
    insta::assert_snapshot!(all);
}

#[test]
fn pypi_packages_of_the_lock_must_be_those_of_the_list() {
    let (file, input) = read(ENV);
    let own = OwnLock::of(&file, &input, Platform::LinuxAmd64).unwrap();
    let text = "@EXPLICIT\nhttps://conda.anaconda.org/conda-forge/noarch/pip-25.0-0.conda\n# pip Flask @ https://files.example/flask-3.0.1-py3-none-any.whl\n# pip old @ https://files.example/old-1.2.tar.gz\n";
    let (commit, other) = ("0123456789".repeat(4), "9876543210".repeat(4));
    let text = format!("{text}# pip demo @ git+https://git.example/demo.git@{commit}\n");
    let lock = SourceFile::new("conda-linux-64.lock", text);
    let found = own.read(&lock, &InputSettings::default()).unwrap();
    let check = |line: &str| {
        let list = list_of(line);
        let (Conda::Locked(packages), Pip::Locked(pip)) = (&found.conda, &found.pip) else {
            panic!("not locked");
        };
        let settings = InputSettings::default();
        own.check_pip(&list, packages, pip, LockKind::Explicit, &settings)
    };
    for line in [
        "flask",
        "FLASK[async]>=3",
        "old ~=1.0",
        "requests; python_version < '3'",
        "--extra-index-url https://files.example",
        &format!("demo @ git+https://git.example/demo.git@{commit}"),
        &format!("git+https://git.example/demo@{commit}"),
        // Such a lock does not say how the commit was found.
        "demo @ git+https://git.example/demo.git@main",
    ] {
        assert_eq!(check(line), Ok(()), "{line}");
    }
    let mut all = String::new();
    for line in [
        "requests",
        "flask>=3.1",
        "old==1.3",
        "./app",
        "more @ git+https://git.example/more.git@main",
        &format!("demo @ git+https://git.example/demo.git@{other}"),
        &format!("git+https://git.example/demo.git@{other}"),
    ] {
        let error = check(line).unwrap_err().render(Level::Error);
        all.push_str(&format!("{error}\n\n"));
    }
    insta::assert_snapshot!(all);
}
