//! The step that links wheels: its result is pip's.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use condafront_model::pypi_package::normalized;
use condafront_step_spec::wheel::{DirectUrl, Origin};
use condafront_testkit::channel::{self, Channel, WheelFile};
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use zip::ZipArchive;

use super::step::{Step, mount_channel};
use super::wheel_step::{SITE, WheelStep, files};

/// What pip leaves in the prefix `prefix`, which has a python; all `wheels` are installed at once.
fn install_with_pip(prefix: &Path, wheels: &[PathBuf]) {
    let pip = channel::wheels();
    let is_pip = |path: &&PathBuf| {
        path.file_name()
            .unwrap()
            .to_string_lossy()
            .starts_with("pip-")
    };
    let pip = pip.iter().find(is_pip).unwrap();
    let output = channel::command(&prefix.join("bin/python"))
        .args(["-I", "-B"])
        .arg(pip.join("pip"))
        .args([
            "install",
            "--no-deps",
            "--no-index",
            "--no-compile",
            "--no-cache-dir",
        ])
        .args([
            "--force-reinstall",
            "--no-warn-script-location",
            "--disable-pip-version-check",
        ])
        .args(wheels)
        .env_clear()
        .env("LC_ALL", "C.UTF-8")
        .env("PATH", "/usr/bin:/bin")
        .env("PIP_CONFIG_FILE", "/dev/null")
        .env("PIP_ROOT_USER_ACTION", "ignore")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// What a wheel's name and archive say about its kind.
struct Contents {
    /// Python, ABI and platform tags.
    tags: [String; 3],
    /// The paths in the archive.
    paths: Vec<String>,
    entry_points: String,
}

impl Contents {
    fn read(wheel: &Path) -> Self {
        let name = wheel.file_stem().unwrap().to_string_lossy();
        let mut tags = name.rsplit('-').map(str::to_owned);
        let mut tag = || tags.next().unwrap();
        let (platform, abi, python) = (tag(), tag(), tag());
        let mut archive = ZipArchive::new(fs::File::open(wheel).unwrap()).unwrap();
        let paths: Vec<String> = archive
            .file_names()
            .map(|name| name.unwrap().into_owned())
            .collect();
        let mut entry_points = String::new();
        if let Some(path) = paths.iter().find(|it| it.ends_with("/entry_points.txt")) {
            let mut file = archive.by_name(path).unwrap();
            file.read_to_string(&mut entry_points).unwrap();
        }
        Self {
            tags: [python, abi, platform],
            paths,
            entry_points,
        }
    }

    fn has(&self, part: &str) -> bool {
        self.paths.iter().any(|path| path.contains(part))
    }

    /// Whether it has modules in a folder at the top that is no package by itself.
    fn has_namespace(&self) -> bool {
        let mut modules = self.paths.iter().filter(|path| path.ends_with(".py"));
        modules.any(|path| {
            let top = path.split_once('/').map(|(top, _)| top);
            top.is_some_and(|top| {
                !top.contains('.') && !self.paths.contains(&format!("{top}/__init__.py"))
            })
        })
    }
}

type IsOfKind = fn(&Contents) -> bool;

/// What real wheels must be among those that are compared.
const KINDS: [(&str, IsOfKind); 11] = [
    ("without machine code", |it| it.tags[2] == "any"),
    ("with machine code", |it| it.has(".so")),
    ("with scripts", |it| it.has(".data/scripts/")),
    ("with data", |it| it.has(".data/data/")),
    ("with headers", |it| it.has(".data/headers/")),
    ("in a namespace", Contents::has_namespace),
    ("with programs", |it| {
        it.entry_points.contains("[console_scripts]")
    }),
    ("with a program that needs an extra", |it| {
        let mut lines = it
            .entry_points
            .lines()
            .filter(|line| !line.starts_with('['));
        lines.any(|line| line.ends_with(']'))
    }),
    ("for the stable ABI", |it| it.tags[1] == "abi3"),
    ("for a platform and any python 3", |it| {
        it.tags[0] == "py3" && it.tags[2] != "any"
    }),
    ("with several tags", |it| it.tags[2].contains('.')),
];

/// More than a hundred real wheels and an odd one: the same files with the same modes and contents, `RECORD` included.
#[test]
fn the_result_is_that_of_pip() {
    /// What larger wheels have is no different.
    const LARGEST: u64 = 1 << 20;
    let mut python = Step::new(&[]);
    let prefix = TempDir::new().unwrap();
    let prefix = fs::canonicalize(prefix.path()).unwrap().join("env");
    python.spec.prefix = prefix.to_string_lossy().into_owned();
    let packages = Channel::open().closure(&["python"]);
    mount_channel(&mut python, Channel::open(), &packages);
    python.run().unwrap();
    fs::create_dir_all(prefix.parent().unwrap()).unwrap();
    let linked = python
        .mounts()
        .output
        .join(prefix.strip_prefix("/").unwrap());
    fs::rename(linked, &prefix).unwrap();
    let before: BTreeSet<String> = files(&prefix).into_keys().collect();

    let extra = TempDir::new().unwrap();
    let odd = WheelFile::unusual();
    fs::write(extra.path().join(odd.file_name()), odd.build()).unwrap();
    let mut wheels: Vec<PathBuf> = channel::wheels()
        .into_iter()
        .chain(channel::further_wheels())
        .filter(|path| fs::metadata(path).unwrap().len() <= LARGEST)
        .chain([extra.path().join(odd.file_name())])
        .collect();
    assert!(wheels.len() > 60, "{} wheels", wheels.len());
    let file_name = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
    // pip installs the last one first.
    wheels.sort_by_key(|path| {
        std::cmp::Reverse(normalized(file_name(path).split('-').next().unwrap()))
    });
    install_with_pip(&prefix, &wheels);

    let mut theirs = files(&prefix);
    theirs.retain(|path, _| !before.contains(path));
    // pip got each by its path.
    let origins = theirs
        .iter()
        .filter(|(path, _)| path.ends_with(".dist-info/direct_url.json"));
    let urls: Vec<String> = origins
        .map(|(_, (_, content))| {
            let origin: serde_json::Value = serde_json::from_slice(content).unwrap();
            origin["url"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(urls.len(), wheels.len());
    for (kind, is_of_kind) in KINDS {
        let has_one = wheels
            .iter()
            .any(|wheel| is_of_kind(&Contents::read(wheel)));
        assert!(has_one, "no wheel {kind}");
    }
    let mut step = WheelStep::new();
    step.spec.prefix = prefix.to_string_lossy().into_owned();
    for path in &wheels {
        let content = fs::read(path).unwrap();
        step = step.with(&file_name(path), &content);
        let end = format!("/{}", file_name(path).replace('+', "%2B"));
        let url = urls.iter().find(|url| url.ends_with(&end));
        step.wheels.last_mut().unwrap().direct_url = Some(DirectUrl {
            url: url.unwrap_or_else(|| panic!("{end}")).clone(),
            origin: Origin::File {
                sha256: hex::encode(Sha256::digest(&content)),
            },
        });
    }
    step.run().unwrap();
    let ours = files(&step.prefix());
    for (path, (_, content)) in &mut theirs {
        if path.ends_with(".dist-info/RECORD") {
            let text = String::from_utf8_lossy(content);
            let lines = text.split_inclusive('\n');
            let kept = lines.filter(|line| {
                // pip lists the wrappers that it leaves out.
                !line.contains(".data/scripts/odd")
            });
            *content = kept.collect::<String>().into_bytes();
        }
    }
    let names = |all: &BTreeMap<String, _>| -> BTreeSet<String> { all.keys().cloned().collect() };
    let (our_names, their_names) = (names(&ours), names(&theirs));
    let only: Vec<_> = our_names.symmetric_difference(&their_names).collect();
    assert!(only.is_empty(), "{only:?}");
    for (path, found) in &ours {
        let expected = &theirs[path];
        let text = |content: &[u8]| String::from_utf8_lossy(content).into_owned();
        assert_eq!(found.0, expected.0, "{path}");
        assert!(
            found.1 == expected.1,
            "{path}\n{}\n{}",
            text(&found.1),
            text(&expected.1)
        );
    }
}

#[test]
fn modules_are_compiled_and_the_list_names_everything() {
    let wheel = WheelFile::new("demo", "1.0")
        .metadata("Requires-Python: >=3.9")
        .file("demo/__init__.py", "def main(): pass\n")
        .file("demo/old.py", "print 'python 2'\n")
        .script("demo = demo:main");
    let step = WheelStep::compiled().with_made(&wheel);
    step.run().unwrap();
    let record = step.read(&format!("{SITE}/demo-1.0.dist-info/RECORD"));
    let paths: Vec<&str> = record
        .lines()
        .map(|line| line.split(',').next().unwrap())
        .collect();
    assert_eq!(
        paths,
        [
            "../../../bin/demo",
            "demo-1.0.dist-info/INSTALLER",
            "demo-1.0.dist-info/METADATA",
            "demo-1.0.dist-info/RECORD",
            "demo-1.0.dist-info/REQUESTED",
            "demo-1.0.dist-info/WHEEL",
            "demo-1.0.dist-info/entry_points.txt",
            "demo/__init__.py",
            "demo/__pycache__/__init__.cpython-313.pyc",
            "demo/old.py",
        ]
    );
    let compiled = format!("{SITE}/demo/__pycache__/__init__.cpython-313.pyc");
    let compiled = fs::read(step.prefix().join(compiled)).unwrap();
    // PEP 552: a hash that is not checked.
    assert_eq!(compiled[4..8], [1, 0, 0, 0]);
    let place = "/opt/conda/lib/python3.13/site-packages/demo/__init__.py";
    assert!(String::from_utf8_lossy(&compiled).contains(place));
    let facts = step.facts();
    assert_eq!(facts.notices, []);
    assert_eq!(facts.packages[0].requires_python.as_deref(), Some(">=3.9"));
    assert!(facts.packages[0].distributions.contains("demo"));
}

#[test]
fn bytecode_of_the_wheel_itself_is_replaced() {
    let compiled = "__pycache__/demo.cpython-313.pyc";
    let wheel = WheelFile::new("demo", "1.0")
        .file("demo.py", "x = 1\n")
        .file(compiled, "bytecode that depends on a time");
    let step = WheelStep::compiled().with_made(&wheel);
    step.run().unwrap();
    let found = fs::read(step.prefix().join(SITE).join(compiled)).unwrap();
    assert_eq!(found[4..8], [1, 0, 0, 0]);
    let record = step.read(&format!("{SITE}/demo-1.0.dist-info/RECORD"));
    assert!(record.contains(&format!("{compiled},,\r\n")), "{record}");
}

#[test]
fn a_package_does_not_depend_on_what_it_shares_a_layer_with() {
    let demo = WheelFile::new("demo", "1.0").file("demo.py", "x = ('a', 'b')\n");
    let other = WheelFile::new("other", "1.0").file("other.py", "x = ('a', 'c')\n");
    let alone = WheelStep::compiled().with_made(&demo);
    let both = WheelStep::compiled().with_made(&other).with_made(&demo);
    alone.run().unwrap();
    both.run().unwrap();
    let both = files(&both.prefix());
    for (path, file) in files(&alone.prefix()) {
        assert!(both[&path] == file, "{path}");
    }
}

#[test]
fn the_later_wheel_has_the_path_and_no_stale_bytecode() {
    let first = WheelFile::new("first", "1.0")
        .file("shared.py", "x = 1\n")
        .file("both.py", "x = 1\n");
    let second = WheelFile::new("second", "1.0")
        .file("shared.py", "print 'python 2'\n")
        .file("both.py", "x = 2\n");
    let step = WheelStep::compiled().with_made(&first).with_made(&second);
    step.run().unwrap();
    assert_eq!(step.read(&format!("{SITE}/both.py")), "x = 2\n");
    let compiled = |name: &str| {
        let path = format!("{SITE}/__pycache__/{name}.cpython-313.pyc");
        fs::read(step.prefix().join(path)).unwrap()
    };
    assert!(compiled("shared").is_empty());
    assert!(!compiled("both").is_empty());
}

#[test]
fn of_two_files_at_one_place_the_later_one_in_the_archive_counts() {
    let [pure, plat] = ["purelib", "platlib"].map(|kind| format!("demo-1.0.data/{kind}/demo.py"));
    for (first, second) in [(&pure, &plat), (&plat, &pure)] {
        let wheel = WheelFile::new("demo", "1.0")
            .file(first, "x = 1\n")
            .file(second, "x = 2\n")
            .file("demo.py", "x = 3\n");
        let step = WheelStep::new().with_made(&wheel);
        step.run().unwrap();
        assert_eq!(step.read(&format!("{SITE}/demo.py")), "x = 2\n", "{first}");
    }
}

#[test]
fn a_url_that_the_user_gave_is_recorded() {
    let mut step = WheelStep::new().with_made(&WheelFile::new("demo", "1.0"));
    step.wheels[0].requested = false;
    step.wheels[0].direct_url = Some(DirectUrl {
        url: "https://f.example/demo-1.0-py3-none-any.whl".into(),
        origin: Origin::File {
            sha256: "ab".repeat(32),
        },
    });
    step.run().unwrap();
    let info = format!("{SITE}/demo-1.0.dist-info");
    let hash = "ab".repeat(32);
    assert_eq!(
        step.read(&format!("{info}/direct_url.json")),
        format!(
            r#"{{"archive_info": {{"hash": "sha256={hash}", "hashes": {{"sha256": "{hash}"}}}}, "url": "https://f.example/demo-1.0-py3-none-any.whl"}}"#
        )
    );
    assert!(!step.prefix().join(info).join("REQUESTED").exists());
}

/// What is in each of the layers of a wheel that has as many and one more.
fn parts_of(further: u16) -> Vec<BTreeMap<String, (u32, Vec<u8>)>> {
    let wheel = WheelFile::unusual()
        .file("large_1.so", &"1".repeat(1 << 16))
        .file("large_2.so", &"2".repeat(1 << 16))
        .file("deep/large_3.so", &"3".repeat(1 << 16));
    let mut step = WheelStep::compiled().with_made(&wheel);
    step.spec.further_parts = further;
    let part = |number: u16| step.dir.path().join("parts").join(number.to_string());
    for number in 1..=further {
        fs::create_dir_all(part(number)).unwrap();
    }
    step.run().unwrap();
    let parts = (1..=further).map(|number| files(&part(number)));
    let first = files(&step.dir.path().join("out"));
    std::iter::once(first).chain(parts).collect()
}

#[test]
fn the_layers_of_a_large_wheel_are_the_wheel() {
    let whole = parts_of(0).remove(0);
    let parts = parts_of(2);
    let together: BTreeMap<_, _> = parts.iter().flatten().collect();
    assert_eq!(together, whole.iter().collect());
    let all: usize = parts.iter().map(BTreeMap::len).sum();
    assert_eq!(all, whole.len(), "each file is in one layer");
    for part in &parts {
        let large = part.keys().filter(|path| path.contains("large_"));
        assert_eq!(large.filter(|path| path.ends_with(".so")).count(), 1);
    }
    // The prefix is in programs, and bytecode is made here.
    let made = |path: &&String| path.contains("/bin/") || path.ends_with(".pyc");
    assert!(parts[0].keys().any(|path| made(&path)));
    assert_eq!(parts[1..].iter().flat_map(BTreeMap::keys).find(made), None);
}
