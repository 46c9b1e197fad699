//! Locks of manifests.

use super::*;

#[test]
fn a_manifests_lock_has_its_environments_and_no_others() {
    let manifest = |environments: &str| {
        let text = format!(
            "[workspace]\nchannels = [\"conda-forge\"]\nplatforms = [\"linux-64\", \"linux-aarch64\"]\n[dependencies]\npython = \"*\"\n[feature.one]\nplatforms = [\"linux-64\"]\n[environments]\n{environments}"
        );
        SourceFile::new("pixi.toml", text)
    };
    let found = |environment: &str, file: &Arc<SourceFile>, platform: Platform| {
        let settings = InputSettings {
            environment: Some(environment.to_owned()),
            ..InputSettings::default()
        };
        let input = read(file, platform, &settings).unwrap();
        let Conda::Unsolved(request) = input.conda else {
            panic!("locked");
        };
        Found {
            request: *request,
            machines: input.beside.unwrap().machines,
            pip: Vec::new(),
            ..Found::of(platform)
        }
    };
    let write = |file: &Arc<SourceFile>, names: &[&str], old: Option<&Arc<SourceFile>>| {
        let input = read(file, Platform::LinuxAmd64, &InputSettings::default()).unwrap();
        let all = input.beside.unwrap().environments;
        let found: Vec<(&str, Vec<Found>)> = names
            .iter()
            .map(|name| (*name, vec![found(name, file, Platform::LinuxAmd64)]))
            .collect();
        let environments: Vec<_> = found
            .iter()
            .map(|(name, found)| environment(name, found))
            .collect();
        let lock = NewLock {
            source: file.name(),
            environments: &environments,
            old,
            all: Some(&all),
        };
        [
            pixi_lock(&lock).unwrap(),
            for_pixi::render_for_workspaces(&lock).unwrap(),
        ]
    };
    let file = manifest("one = [\"one\"]\ntwo = []\n");
    let [first, workspaces] = write(&file, &["default", "one", "two"], None);
    insta::assert_snapshot!("written_conda.lock", workspaces);
    for (name, text) in [("pixi.lock", &first), ("conda.lock", &workspaces)] {
        for environment in ["default", "one", "two"] {
            let settings = InputSettings {
                environment: Some(environment.to_owned()),
                ..InputSettings::default()
            };
            let lock = SourceFile::new(name, text.as_str());
            let input = read(&lock, Platform::LinuxAmd64, &settings).unwrap();
            assert_eq!(input.locked().unwrap().len(), 2, "{name}: {environment}");
        }
    }
    // Of what another tool has locked, other platforms of the same environment stay, and those that it no longer has do not.
    let arm = first
        .replace("linux-64:", "linux-aarch64:")
        .replace("name: linux-64", "name: linux-aarch64");
    let gone = manifest("one = [\"one\"]\n");
    for old in [first.as_str(), arm.as_str()] {
        let old = SourceFile::new("pixi.lock", old);
        let [text, _] = write(&gone, &["default", "one"], Some(&old));
        let tree = yaml::read(&old, &text).unwrap();
        let environments = tree.get("environments").unwrap();
        let platforms = |name: &str| {
            let packages = environments.get(name)?.get("packages")?.mapping()?;
            Some(
                packages
                    .iter()
                    .map(|(key, _)| key.name.clone())
                    .collect::<Vec<_>>(),
            )
        };
        let is_arm = old.text().unwrap() == arm;
        let both = vec!["linux-64".to_owned(), "linux-aarch64".to_owned()];
        let of_default = if is_arm {
            both
        } else {
            vec!["linux-64".to_owned()]
        };
        assert_eq!(platforms("default"), Some(of_default));
        assert_eq!(platforms("one"), Some(vec!["linux-64".to_owned()]));
        assert_eq!(platforms("two"), None);
    }
}

#[test]
fn platforms_that_are_one_to_conda_are_in_a_lock_by_their_names() {
    let manifest = |platforms: &str| {
        let text = format!(
            "[workspace]\nchannels = [\"conda-forge\"]\nplatforms = [{platforms}]\n[dependencies]\npython = \"*\"\n[feature.two]\n[environments]\ntwo = [\"two\"]\n"
        );
        SourceFile::new("pixi.toml", text)
    };
    let found = |file: &Arc<SourceFile>, asked: &str| {
        let settings = InputSettings {
            environment: Some(asked.to_owned()),
            ..InputSettings::default()
        };
        let input = read(file, Platform::LinuxAmd64, &settings).unwrap();
        let beside = input.beside.unwrap();
        Found {
            machine: beside.machine,
            machines: beside.machines,
            pip: Vec::new(),
            ..Found::of(Platform::LinuxAmd64)
        }
    };
    let write = |file: &Arc<SourceFile>, asked: &[(&str, &[&str])], old: Option<&str>| {
        let old = old.map(|text| SourceFile::new("pixi.lock", text));
        let all: Vec<(&str, Vec<Found>)> = asked
            .iter()
            .map(|(name, platforms)| {
                let names = platforms
                    .iter()
                    .map(|platform| format!("{name}@{platform}"));
                (*name, names.map(|asked| found(file, &asked)).collect())
            })
            .collect();
        let environments: Vec<_> = all
            .iter()
            .map(|(name, found)| environment(name, found))
            .collect();
        pixi_lock(&NewLock {
            source: file.name(),
            environments: &environments,
            old: old.as_ref(),
            all: Some(&["default".to_owned(), "two".to_owned()]),
        })
        .unwrap()
    };
    /// The platforms, and those that each environment has packages for.
    fn listed(text: &str) -> Vec<String> {
        let tree = yaml::read(&SourceFile::new("pixi.lock", text), text).unwrap();
        let platforms = tree.get("platforms").unwrap().list().unwrap().iter();
        let mut all: Vec<String> = platforms
            .map(|one| {
                let packages = one.get("virtual-packages").and_then(yaml::Node::list);
                let packages = packages.unwrap_or_default().iter();
                let packages: Vec<&str> = packages.filter_map(yaml::Node::text).collect();
                let name = one.get("name").and_then(yaml::Node::text).unwrap();
                format!("{name}: {}", packages.join(" "))
            })
            .collect();
        let environments = tree.get("environments").unwrap().mapping().unwrap();
        for (key, environment) in environments {
            let packages = environment.get("packages").unwrap().mapping().unwrap();
            let names: Vec<&str> = packages.iter().map(|(key, _)| key.name.as_str()).collect();
            all.push(format!("{} {}", key.name, names.join(" ")));
        }
        all
    }
    const CUDA: &str = "linux-64-cuda-12-9";
    let file = manifest(
        "\"linux-64\", { platform = \"linux-64\", cuda = \"12.9\" }, { name = \"gpu\", platform = \"linux-64\", cuda = \"13.0\" }",
    );
    let every: &[&str] = &["linux-64", CUDA, "gpu"];
    let first = write(&file, &[("default", every), ("two", every)], None);
    let expected = [
        "gpu: __cuda=13.0",
        "linux-64: ",
        "linux-64-cuda-12-9: __cuda=12.9",
        "default gpu linux-64 linux-64-cuda-12-9",
        "two gpu linux-64 linux-64-cuda-12-9",
    ];
    assert_eq!(listed(&first), expected);
    let lock = SourceFile::new("pixi.lock", first.as_str());
    for platform in every {
        let settings = InputSettings {
            environment: Some(format!("two@{platform}")),
            ..InputSettings::default()
        };
        let input = read(&lock, Platform::LinuxAmd64, &settings).unwrap();
        assert_eq!(input.locked().unwrap().len(), 2, "{platform}");
    }
    // One that older releases of pixi have written keeps the packages of what is not solved again, under the names of now.
    let older = first.replace(CUDA, "p1").replace("gpu", "p2");
    let renewed = write(&file, &[("default", &[CUDA, "gpu"])], Some(&older));
    assert_eq!(listed(&renewed), expected);
    // What the manifest does not have any more goes.
    let file =
        manifest("\"linux-64\", { name = \"gpu\", platform = \"linux-64\", cuda = \"13.0\" }");
    let fewer: &[&str] = &["linux-64", "gpu"];
    let renewed = write(&file, &[("default", fewer), ("two", fewer)], Some(&older));
    let expected = [
        "gpu: __cuda=13.0",
        "linux-64: ",
        "default gpu linux-64",
        "two gpu linux-64",
    ];
    assert_eq!(listed(&renewed), expected);
}

#[test]
fn a_manifests_pypi_packages_are_in_its_lock_as_pixi_writes_them() {
    let manifest = "[workspace]\nchannels = [\"conda-forge\"]\nplatforms = [\"linux-64\"]\n[workspace.pypi-options]\nindex-url = \"https://me:hunter2@pypi.example/simple\"\nfind-links = [{ url = \"https://files.example/more\" }]\nprerelease-mode = \"allow\"\n[dependencies]\npython = \">=3.13\"\n[pypi-dependencies]\nidna = \"*\"\ndemo = { url = \"https://files.example/demo-1.0.tar.gz\" }\n";
    let file = SourceFile::new("pixi.toml", manifest);
    let settings = InputSettings::default();
    let input = read(&file, Platform::LinuxAmd64, &settings).unwrap();
    let Conda::Unsolved(request) = input.conda else {
        panic!("locked");
    };
    let mut found = Found {
        request: *request,
        indexes: Some(input.beside.unwrap().indexes),
        direct: [(
            "demo".to_owned(),
            Some(format!("sha256={}", "ef".repeat(32))),
        )]
        .into(),
        in_conda: [
            ("python".to_owned(), BTreeSet::new()),
            ("tzdata".to_owned(), BTreeSet::from(["tzdata".to_owned()])),
        ]
        .into(),
        ..Found::of(Platform::LinuxAmd64)
    };
    let url = "https://files.example/demo-1.0.tar.gz";
    found.pip.push(PipPackage {
        name: "Demo".to_owned(),
        version: Some("1.0".to_owned()),
        url: PackageUrl::new(Url::parse(url).unwrap()),
        requires_dist: Vec::new(),
        requires_python: None,
        ..wheel()
    });
    let write = |found: Found, old: Option<&Arc<SourceFile>>| {
        let found = [found];
        pixi_lock(&NewLock {
            source: "pixi.toml",
            environments: &[environment("default", &found)],
            old,
            all: Some(&["default".to_owned()]),
        })
        .unwrap()
    };
    let again = Found {
        packages: found.packages.clone(),
        records: found.records.clone(),
        pip: found.pip.clone(),
        direct: found.direct.clone(),
        indexes: found.indexes.clone(),
        in_conda: BTreeMap::new(),
        ..Found::of(Platform::LinuxAmd64)
    };
    let text = write(found, None);
    insta::assert_snapshot!("written_with_pypi_packages", text);
    // What conda packages have stays known without looking again.
    let old = SourceFile::new("pixi.lock", text.as_str());
    assert_eq!(write(again, Some(&old)), text);
    // Without any, it does not say where they came from, but how prereleases count.
    let without = Found {
        pip: Vec::new(),
        indexes: Some(PypiIndexes {
            prerelease_mode: Some("disallow".to_owned()),
            ..PypiIndexes::default()
        }),
        ..Found::of(Platform::LinuxAmd64)
    };
    let none = write(without, Some(&old));
    assert!(!none.contains("indexes:"), "{none}");
    assert!(!none.contains("files.example"), "{none}");
    assert!(none.contains("pypi-prerelease-mode: disallow"), "{none}");
    // Those of another platform stay, and come from where they came from.
    let other = Found {
        pip: Vec::new(),
        indexes: Some(PypiIndexes::default()),
        ..Found::of(Platform::LinuxArm64)
    };
    let both = write(other, Some(&old));
    assert!(both.contains("- https://pypi.example/simple"), "{both}");
    let input = read_back("pixi.lock", &text, Platform::LinuxAmd64);
    assert_eq!(input.warnings, []);
    let Pip::Locked(pip) = input.pip else {
        panic!("not locked");
    };
    let files = pip
        .files
        .iter()
        .map(|file| (file.label(), file.url.to_string()));
    assert_eq!(
        files.collect::<Vec<_>>(),
        [
            ("demo 1.0".to_owned(), url.to_owned()),
            ("idna 3.10".to_owned(), wheel().url.to_string()),
        ]
    );
    assert_eq!(pip.files[1].requires_dist.len(), 5);
    assert_eq!(pip.files[1].requires_python.as_deref(), Some(">=3.6"));
    assert_eq!(pip.by_conda, ["tzdata".to_owned()].into());
}
