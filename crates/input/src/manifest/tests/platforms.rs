//! Platforms that are one to conda, as with and without a GPU.

use super::*;

const MANIFEST: &str = r#"[workspace]
channels = ["conda-forge"]
platforms = ["linux-64", { platform = "linux-64", cuda = "12.9" }, { name = "gpu", platform = "linux-64", cuda = "13.0" }]
[dependencies]
python = "*"
[feature.old]
platforms = ["linux-64-cuda-12-9"]
[feature.any]
platforms = ["linux-64-cuda-12-9", "gpu"]
[feature.plain]
platforms = ["linux-64"]
[environments]
old = ["old"]
any = ["any"]
plain = ["plain"]
"#;

/// What pixi writes for it, with a build of python for each platform.
fn lock() -> Arc<SourceFile> {
    let url = |build: &str| {
        format!(
            "https://conda.anaconda.org/conda-forge/linux-64/python-3.13.1-{build}_0_cp313.conda"
        )
    };
    let of =
        |platform: &str, build: &str| format!("      {platform}:\n      - conda: {}\n", url(build));
    let environment = |name: &str, platforms: &[(&str, &str)]| {
        let all: String = platforms
            .iter()
            .map(|(one, build)| of(one, build))
            .collect();
        format!(
            "  {name}:\n    channels:\n    - url: https://conda.anaconda.org/conda-forge/\n    packages:\n{all}"
        )
    };
    let (plain, old, new) = (("linux-64", "a"), ("p1", "b"), ("p2", "c"));
    let mut text = "version: 7\nplatforms:\n- name: linux-64\n  virtual-packages: [__unix=0=0, __linux=4.18, __glibc=2.28, __archspec=0=x86_64]\n".to_owned();
    for (name, cuda) in [("p1", "12.9"), ("p2", "13.0")] {
        text += &format!(
            "- name: {name}\n  subdir: linux-64\n  virtual-packages: [__cuda={cuda}, __unix=0=0, __linux=4.18, __glibc=2.28, __archspec=0=x86_64]\n"
        );
    }
    text += "environments:\n";
    text += &environment("default", &[plain, old, new]);
    text += &environment("old", &[old]);
    text += &environment("any", &[old, new]);
    text += &environment("plain", &[plain]);
    text += "packages:\n";
    for build in ["a", "b", "c"] {
        let hash = "0".repeat(64);
        text += &format!("- conda: {}\n  sha256: {hash}\n", url(build));
    }
    SourceFile::new("pixi.lock", text)
}

/// The build of python that an image has.
fn installed(environment: &str) -> Result<String, Diagnostic> {
    let settings = InputSettings {
        environment: Some(environment.to_owned()),
        ..InputSettings::default()
    };
    let file = SourceFile::new("pixi.toml", MANIFEST);
    let input = of_kind::read(&file, Platform::LinuxAmd64, &settings)?;
    let own = OwnLock::of(&file, &input, Platform::LinuxAmd64).unwrap();
    let settings = own.settings(&settings);
    let lock = lock();
    let found = own.read(&lock, &settings)?;
    let surroundings = Surroundings::example(&settings, None);
    let input = own.installed(input, found, &lock, &surroundings)?;
    Ok(input.locked().unwrap()[0].id.build.clone())
}

#[test]
fn a_platform_is_chosen_by_the_name_in_the_manifest() {
    for (environment, expected) in [
        ("default", "a"),
        ("plain", "a"),
        ("old", "b"),
        ("default@linux-64-cuda-12-9", "b"),
        ("any@linux-64-cuda-12-9", "b"),
        ("any@gpu", "c"),
        ("any@linux-64-cuda-13-0", "c"),
    ] {
        let build = installed(environment).unwrap();
        assert_eq!(build, format!("{expected}_0_cp313"), "{environment}");
    }
}

#[test]
fn the_error_names_the_platforms_as_the_manifest_does() {
    let error = installed("any").unwrap_err().to_string();
    assert!(
        error.contains("linux-64-cuda-12-9, linux-64-cuda-13-0"),
        "{error}"
    );
    let error = installed("old@gpu").unwrap_err();
    let help = error.help.unwrap_or_default();
    assert!(help.contains("linux-64-cuda-12-9"), "{help}");
}

#[test]
fn tables_for_a_platform_count_for_it_alone() {
    let targets = "[target.linux-64.dependencies]\na = \"*\"\n[target.gpu.dependencies]\nb = \"*\"\n[target.\"*cuda*\".dependencies]\na = \"1.*\"\nc = \"*\"\n[target.linux-64-cuda-12-9.dependencies]\nc = \"2.*\"\n";
    let asked = |environment: &str| {
        let input = read_for(&format!("{MANIFEST}{targets}"), Some(environment)).unwrap();
        assert_eq!(input.warnings, [], "{environment}");
        assert_eq!(input.beside.unwrap().unsolvable, None, "{environment}");
        let Conda::Unsolved(request) = input.conda else {
            panic!("locked");
        };
        let specs = request.specs.into_iter().map(|asked| asked.spec);
        // What the platform itself needs is among them.
        let specs = specs.filter(|spec| !spec.starts_with("__"));
        specs.collect::<Vec<_>>()
    };
    let default = ["python", "a"];
    assert_eq!(asked("default"), default);
    assert_eq!(asked("any@gpu"), ["python", "a", "b"]);
    assert_eq!(asked("old"), ["python", "a 1.*", "c 2.*"]);
}
