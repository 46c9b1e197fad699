mod local;
mod manifests;
mod repositories;

use super::for_conda_lock::render as conda_lock;
use super::for_pixi::render as pixi_lock;
use super::*;
use crate::environment_input::{Conda, EnvironmentInput, Machine, Pip, PypiIndexes, SolveRequest};
use crate::settings::InputSettings;
use crate::{read, yaml};
use condafront_model::package::{Hashes, Package, PackageId, PackageUrl};
use condafront_model::platform::Platform;
use condafront_model::pypi_package::PipPackage;
use condafront_model::source::{Diagnostic, Lines, SourceFile};
use condafront_step_spec::solve::{Details, SolvedPackage};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use url::Url;

const CHANNEL: &str = "https://conda.anaconda.org/conda-forge";

fn package(subdir: &str, file_name: &str) -> Package {
    let url = Url::parse(&format!("{CHANNEL}/{subdir}/{file_name}")).unwrap();
    Package {
        id: PackageId::from_file_name(file_name).unwrap(),
        subdir: subdir.to_owned(),
        url: PackageUrl::new(url),
        hashes: Hashes {
            sha256: Some("ab".repeat(32)),
            md5: Some("cd".repeat(16)),
        },
        size: Some(1234),
        lines: Lines::one(1),
    }
}

fn record(package: &Package, depends: &[&str], details: Details) -> SolvedPackage {
    SolvedPackage {
        name: package.id.name.clone(),
        version: package.id.version.clone(),
        build: package.id.build.clone(),
        subdir: package.subdir.clone(),
        channel: 0,
        url: package.url.url().to_string(),
        sha256: package.hashes.sha256.clone(),
        md5: package.hashes.md5.clone(),
        size: package.size,
        license: Some("MIT".to_owned()),
        depends: depends.iter().map(|text| (*text).to_owned()).collect(),
        requested_by: 0,
        details,
    }
}

fn wheel() -> PipPackage {
    let url = "https://files.example/idna-3.10-py3-none-any.whl";
    PipPackage {
        name: "idna".to_owned(),
        version: Some("3.10".to_owned()),
        url: PackageUrl::new(Url::parse(url).unwrap()),
        hashes: Hashes {
            sha256: Some("ef".repeat(32)),
            md5: None,
        },
        lines: Lines::one(1),
        is_direct: false,
        size: None,
        file: None,
        requires_dist: [
            "typing-extensions>=4.0,<5; python_version < '3.11'",
            "tzdata>=2024; sys_platform == 'linux'",
            "certifi",
            "urllib3[secure] (>=1.26)",
            "pytest ; extra == 'all'",
            // Not valid, so it is left out.
            "six[a-]",
        ]
        .map(str::to_owned)
        .to_vec(),
        requires_python: Some(">=3.6".to_owned()),
    }
}

/// What was found for a platform.
struct Found {
    platform: Platform,
    machine: Option<Machine>,
    machines: Vec<Machine>,
    request: SolveRequest,
    packages: Vec<Package>,
    records: Vec<SolvedPackage>,
    pip: Vec<PipPackage>,
    local: Vec<LocalPypi>,
    repositories: Vec<RepositoryPypi>,
    direct: BTreeMap<String, Option<String>>,
    indexes: Option<PypiIndexes>,
    in_conda: BTreeMap<String, BTreeSet<String>>,
}

impl Found {
    fn of(platform: Platform) -> Self {
        let env = SourceFile::new(
            "env.yml",
            "channels: [conda-forge]\ndependencies: [python >=3.13]\n",
        );
        let input = read(&env, platform, &InputSettings::default()).unwrap();
        let Conda::Unsolved(request) = input.conda else {
            panic!("locked");
        };
        let python = package(platform.subdir(), "python-3.13.1-h1_2_cpython.conda");
        let tzdata = package("noarch", "tzdata-2025b-h78e105d_0.conda");
        let records = vec![
            record(
                &python,
                &["tzdata", "libfoo >=1.0,<2.0a0", "libfoo !=1.5"],
                Details {
                    build_number: 2,
                    constrains: vec!["python_abi 3.13.* *_cp313".to_owned()],
                    timestamp: Some(1_700_000_000_123),
                    ..Details::default()
                },
            ),
            record(
                &tzdata,
                &[],
                Details {
                    noarch: Some("generic".to_owned()),
                    ..Details::default()
                },
            ),
        ];
        Self {
            platform,
            machine: None,
            machines: Vec::new(),
            request: *request,
            packages: vec![tzdata, python],
            records,
            pip: vec![wheel()],
            local: Vec::new(),
            repositories: Vec::new(),
            direct: BTreeMap::new(),
            indexes: None,
            in_conda: BTreeMap::new(),
        }
    }

    fn borrowed(&self) -> LockedPlatform<'_> {
        LockedPlatform {
            platform: self.platform,
            machine: self.machine.as_ref(),
            machines: &self.machines,
            request: &self.request,
            listed_channels: usize::MAX,
            packages: &self.packages,
            records: &self.records,
            pip: LockedPypi {
                local: &self.local,
                repositories: &self.repositories,
                packages: &self.pip,
                direct: &self.direct,
                indexes: self.indexes.as_ref(),
                in_conda: &self.in_conda,
            },
        }
    }
}

/// What was found for an environment.
fn environment<'f>(name: &'f str, found: &'f [Found]) -> LockedEnvironment<'f> {
    LockedEnvironment {
        name,
        platforms: found.iter().map(Found::borrowed).collect(),
    }
}

type Write = fn(&NewLock<'_>) -> Result<String, Diagnostic>;

const KINDS: [(&str, Write); 2] = [("conda-lock.yml", conda_lock), ("pixi.lock", pixi_lock)];

fn written(write: Write, found: &[Found], old: Option<&Arc<SourceFile>>) -> String {
    write(&NewLock {
        source: "env.yml",
        environments: &[environment("default", found)],
        old,
        all: None,
    })
    .unwrap()
}

fn read_back(name: &str, text: &str, platform: Platform) -> EnvironmentInput {
    let file = SourceFile::new(name, text);
    let read = read(&file, platform, &InputSettings::default());
    read.unwrap_or_else(|error| panic!("{error}\n{text}"))
}

#[test]
fn locks_read_back_to_the_same_packages() {
    let found = [
        Found::of(Platform::LinuxAmd64),
        Found::of(Platform::LinuxArm64),
    ];
    for (name, write) in KINDS {
        let text = written(write, &found, None);
        insta::assert_snapshot!(format!("written_{name}"), text);
        assert_eq!(text, written(write, &found, None));
        for one in &found {
            let input = read_back(name, &text, one.platform);
            assert_eq!(input.warnings, [], "{name}");
            let packages = input.locked().unwrap().iter();
            let same = packages.zip(&one.packages);
            for (read, given) in same {
                assert_eq!((&read.id, &read.subdir), (&given.id, &given.subdir));
                assert_eq!(read.url, given.url);
                assert_eq!(read.hashes, given.hashes);
            }
            assert_eq!(input.locked().unwrap().len(), one.packages.len());
            let Pip::Locked(pip) = &input.pip else {
                panic!("not locked");
            };
            let pip: Vec<_> = pip
                .files
                .iter()
                .map(|file| (&file.name, &file.url, &file.hashes))
                .collect();
            let given = wheel();
            assert_eq!(pip, [(&given.name, &given.url, &given.hashes)]);
        }
    }
}

#[test]
fn a_conda_lock_has_what_the_standard_asks_for() {
    let text = written(conda_lock, &[Found::of(Platform::LinuxAmd64)], None);
    let file = SourceFile::new("conda-lock.yml", text.as_str());
    let tree = yaml::read(&file, &text).unwrap();
    assert_eq!(tree.get("version").unwrap().text(), Some("1"));
    let metadata = tree.get("metadata").unwrap();
    // conda-lock does not install from a lock in which a platform has none.
    let hash = |lock: &str| {
        let file = SourceFile::new("conda-lock.yml", lock);
        let tree = yaml::read(&file, lock).unwrap();
        let hashes = tree.get("metadata").unwrap().get("content_hash").unwrap();
        let of = |subdir: &str| Some(hashes.get(subdir)?.text()?.to_owned());
        ["linux-64", "linux-aarch64"].map(of)
    };
    let [Some(own), None] = hash(&text) else {
        panic!("{text}");
    };
    assert_eq!(own.len(), 64);
    // What conda-lock has computed for another platform stays.
    let of_other = text.replace("linux-64", "linux-aarch64");
    for (there, expected) in [
        (own.as_str(), own.as_str()),
        ("abc", "abc"),
        ("", super::for_conda_lock::NO_HASH),
    ] {
        let old = match there {
            "" => of_other.replace(&format!("    \"linux-aarch64\": \"{own}\"\n"), ""),
            _ => of_other.replace(&own, there),
        };
        let old = SourceFile::new("conda-lock.yml", old);
        let both = written(conda_lock, &[Found::of(Platform::LinuxAmd64)], Some(&old));
        let expected = [Some(own.clone()), Some(expected.to_owned())];
        assert_eq!(hash(&both), expected, "{both}");
    }
    for key in ["channels", "platforms", "sources"] {
        assert_eq!(metadata.get(key).unwrap().list().unwrap().len(), 1, "{key}");
    }
    for entry in tree.get("package").unwrap().list().unwrap() {
        for key in [
            "name",
            "version",
            "manager",
            "platform",
            "dependencies",
            "url",
            "hash",
            "category",
            "optional",
        ] {
            assert!(entry.get(key).is_some(), "{key}");
        }
    }
}

#[test]
fn packages_of_other_platforms_and_environments_stay() {
    for (name, write) in KINDS {
        let first = written(write, &[Found::of(Platform::LinuxArm64)], None);
        let with_login = first.replace("https://files", "https://me:hunter2@files");
        let old = SourceFile::new(name, with_login);
        let text = written(write, &[Found::of(Platform::LinuxAmd64)], Some(&old));
        let both = [
            Found::of(Platform::LinuxAmd64),
            Found::of(Platform::LinuxArm64),
        ];
        for one in &both {
            let input = read_back(name, &text, one.platform);
            assert_eq!(input.locked().unwrap().len(), 2, "{name}");
        }
        assert!(!text.contains("hunter2"), "{name}");
        // The same platform again.
        let old = SourceFile::new(name, text.as_str());
        let again = written(write, &[Found::of(Platform::LinuxAmd64)], Some(&old));
        let count = |text: &str| text.matches("python-3.13.1").count();
        assert_eq!(count(&again), count(&text), "{name}");
    }
    let named = |environment: &str, old: Option<&Arc<SourceFile>>| {
        let found = [Found::of(Platform::LinuxAmd64)];
        pixi_lock(&NewLock {
            source: "env.yml",
            environments: &[self::environment(environment, &found)],
            old,
            all: None,
        })
        .unwrap()
    };
    let settings = "    indexes:\n    - https://me:hunter2@pypi.example/simple\n    options:\n      pypi-prerelease-mode: allow\n    packages:";
    let old = named("test", None).replacen("    packages:", settings, 1);
    let old = SourceFile::new("pixi.lock", old);
    let text = named("default", Some(&old));
    assert!(text.contains("https://pypi.example/simple"), "{text}");
    assert!(text.contains("pypi-prerelease-mode: allow"), "{text}");
    assert!(!text.contains("hunter2"), "{text}");
    for environment in ["test", "default"] {
        let settings = InputSettings {
            environment: Some(environment.to_owned()),
            ..InputSettings::default()
        };
        let file = SourceFile::new("pixi.lock", text.as_str());
        let input = read(&file, Platform::LinuxAmd64, &settings).unwrap();
        assert_eq!(input.locked().unwrap().len(), 2);
    }
    let damaged = SourceFile::new("pixi.lock", "version: 6\nenvironments: {default: 1}\n");
    let found = [Found::of(Platform::LinuxAmd64)];
    let error = pixi_lock(&NewLock {
        source: "env.yml",
        environments: &[environment("default", &found)],
        old: Some(&damaged),
        all: None,
    })
    .unwrap_err();
    assert!(
        error
            .message
            .starts_with("pixi.lock has packages for other platforms"),
        "{error}"
    );
}
