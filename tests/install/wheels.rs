//! The step that links wheels: its result is pip's, and wheels that would write elsewhere are refused.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use condafront_model::pypi_package::normalized;
use condafront_step_spec::args::StepSpec as _;
use condafront_step_spec::facts::{FACTS_FILE, GroupFacts};
use condafront_step_spec::install::PythonSpec;
use condafront_step_spec::wheel::{DirectUrl, WheelSpec, WheelsSpec};
use condafront_steps::install::error::{Error, ErrorKind};
use condafront_steps::install::{Mounts, install_wheels};
use condafront_testkit::channel::{self, Channel, WheelFile};
use flate2::Crc;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use super::bytecode::runtime;
use super::step::{Step, mount_channel};

const SITE: &str = "lib/python3.13/site-packages";

/// One run of the step in its own folders.
struct WheelStep {
    dir: TempDir,
    spec: WheelsSpec,
    wheels: Vec<WheelSpec>,
    python: PathBuf,
}

impl WheelStep {
    /// A step for the user who runs the test, which compiles nothing.
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        for name in ["in", "out", "facts"] {
            fs::create_dir(dir.path().join(name)).unwrap();
        }
        let owner = fs::metadata(dir.path()).unwrap();
        Self {
            spec: WheelsSpec {
                prefix: "/opt/conda".into(),
                uid: owner.uid(),
                gid: owner.gid(),
                group_writable: false,
                python: PythonSpec {
                    version: "3.13".into(),
                    site_packages: SITE.into(),
                    runtime: false,
                },
                further_parts: 0,
            },
            wheels: Vec::new(),
            python: dir.path().join("python"),
            dir,
        }
    }

    /// The same, with a python that compiles.
    fn compiled() -> Self {
        let mut step = Self::new();
        step.spec.python.runtime = true;
        step.python = runtime().to_owned();
        step
    }

    fn with(mut self, file: &str, content: &[u8]) -> Self {
        let index = self.wheels.len();
        let dir = self.dir.path().join("in").join(index.to_string());
        fs::create_dir(&dir).unwrap();
        fs::write(dir.join(file), content).unwrap();
        let name = file.split('-').next().unwrap_or_default();
        self.wheels.push(WheelSpec {
            label: format!("{name} 1.0"),
            file: file.to_owned(),
            requested: true,
            direct_url: None,
        });
        self
    }

    fn with_made(self, wheel: &WheelFile) -> Self {
        self.with(&wheel.file_name(), &wheel.build())
    }

    fn run(&self) -> Result<(), Error> {
        let at = |name: &str| self.dir.path().join(name);
        let mounts = Mounts {
            input: at("in"),
            output: at("out"),
            facts: at("facts"),
            python: self.python.clone(),
            parts: at("parts"),
            ..Mounts::default()
        };
        let args = self.spec.to_args(&self.wheels).unwrap();
        install_wheels(&args[1..], &mounts)
    }

    fn prefix(&self) -> PathBuf {
        let prefix = self.spec.prefix.trim_start_matches('/');
        self.dir.path().join("out").join(prefix)
    }

    fn read(&self, path: &str) -> String {
        let path = self.prefix().join(path);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    fn facts(&self) -> GroupFacts {
        let text = fs::read(self.dir.path().join("facts").join(FACTS_FILE)).unwrap();
        serde_json::from_slice(&text).unwrap()
    }
}

/// The mode and content of each file below `dir`.
fn files(dir: &Path) -> BTreeMap<String, (u32, Vec<u8>)> {
    let mut found = BTreeMap::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let status = fs::symlink_metadata(&path).unwrap();
            if status.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(dir).unwrap().to_string_lossy();
            let content = if status.is_symlink() {
                b"link".to_vec()
            } else {
                fs::read(&path).unwrap()
            };
            let mode = status.permissions().mode() & 0o7777;
            found.insert(name.into_owned(), (mode, content));
        }
    }
    found
}

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

    let mut step = WheelStep::new();
    step.spec.prefix = prefix.to_string_lossy().into_owned();
    for path in &wheels {
        step = step.with(&file_name(path), &fs::read(path).unwrap());
    }
    step.run().unwrap();
    let ours = files(&step.prefix());
    let mut theirs = files(&prefix);
    theirs.retain(|path, _| !before.contains(path));
    // Where this build had the wheels: images do not say so.
    theirs.retain(|path, _| !path.ends_with(".dist-info/direct_url.json"));
    for (path, (_, content)) in &mut theirs {
        if path.ends_with(".dist-info/RECORD") {
            let text = String::from_utf8_lossy(content);
            let lines = text.split_inclusive('\n');
            let kept = lines.filter(|line| {
                // Besides that, pip lists the wrappers that it leaves out.
                !line.contains(".dist-info/direct_url.json,") && !line.contains(".data/scripts/odd")
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
fn a_url_that_the_user_gave_is_recorded() {
    let mut step = WheelStep::new().with_made(&WheelFile::new("demo", "1.0"));
    step.wheels[0].requested = false;
    step.wheels[0].direct_url = Some(DirectUrl {
        url: "https://f.example/demo-1.0-py3-none-any.whl".into(),
        sha256: "ab".repeat(32),
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

/// A file of an archive that is written byte by byte.
struct Member {
    name: &'static str,
    /// With the kind of the file.
    mode: u32,
    content: Vec<u8>,
}

fn member(name: &'static str, mode: u32) -> Member {
    Member {
        name,
        mode,
        content: b"content".to_vec(),
    }
}

/// The wheel `bad` with these files besides its metadata, all of them listed.
fn bad(members: Vec<Member>) -> Vec<u8> {
    let text = |name: &'static str, text: &str| Member {
        name,
        mode: 0o100_644,
        content: text.as_bytes().to_vec(),
    };
    let mut all = vec![
        text(
            "bad-1.0.dist-info/METADATA",
            "Metadata-Version: 2.1\nName: bad\nVersion: 1.0\n",
        ),
        text(
            "bad-1.0.dist-info/WHEEL",
            "Wheel-Version: 1.0\nRoot-Is-Purelib: true\n",
        ),
    ];
    all.extend(members);
    let line = |member: &Member| {
        use base64::Engine as _;
        let hash = base64::engine::general_purpose::URL_SAFE_NO_PAD
            .encode(Sha256::digest(&member.content));
        format!(
            "\"{}\",sha256={hash},{}\n",
            member.name,
            member.content.len()
        )
    };
    let record: String = all.iter().map(line).collect();
    all.push(text("bad-1.0.dist-info/RECORD", &record));
    zip(&all)
}

/// An archive without compression (<https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT>).
fn zip(members: &[Member]) -> Vec<u8> {
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for member in members {
        let mut crc = Crc::new();
        crc.update(&member.content);
        let size = u32::try_from(member.content.len()).unwrap().to_le_bytes();
        let name = u16::try_from(member.name.len()).unwrap().to_le_bytes();
        // The version, a flag for UTF-8, no compression, and the first day that there is.
        let common = [
            &[20, 0, 0, 8, 0, 0, 0, 0, 33, 0][..],
            &crc.sum().to_le_bytes(),
            &size,
            &size,
            &name,
            &[0, 0],
        ]
        .concat();
        let offset = u32::try_from(bytes.len()).unwrap().to_le_bytes();
        let attributes = (member.mode << 16).to_le_bytes();
        bytes.extend(
            [
                b"PK\x03\x04",
                &common[..],
                member.name.as_bytes(),
                &member.content,
            ]
            .concat(),
        );
        directory.extend(
            [
                b"PK\x01\x02\x14\x03",
                &common[..],
                &[0; 6],
                &attributes,
                &offset,
                member.name.as_bytes(),
            ]
            .concat(),
        );
    }
    let count = u16::try_from(members.len()).unwrap().to_le_bytes();
    let sizes =
        [directory.len(), bytes.len()].map(|size| u32::try_from(size).unwrap().to_le_bytes());
    [
        &bytes[..],
        &directory,
        b"PK\x05\x06\0\0\0\0",
        &count,
        &count,
        &sizes[0],
        &sizes[1],
        &[0, 0],
    ]
    .concat()
}

#[test]
fn wheels_that_write_elsewhere_are_refused() {
    const FILE: u32 = 0o100_644;
    let members = [
        member("../outside", FILE),
        member("a/../../outside", FILE),
        member("/outside", FILE),
        member("bad-1.0.data/data/../../outside", FILE),
        member("bad-1.0.data/scripts//../outside", FILE),
        member("link", 0o120_777),
        member("device", 0o020_644),
        member("pipe", 0o010_644),
        member("folder", 0o040_755),
        member("new\nline", FILE),
        member("escape\u{1b}[2J", FILE),
        member("turned\u{202e}round", FILE),
        member("bad-1.0.data/data/conda-meta/python-1-0.json", FILE),
        member("bad-1.0.data/data/conda-meta/history", FILE),
        member("bad-1.0.data/data/conda-meta", FILE),
    ];
    let mut messages = String::new();
    for member in members {
        let step = WheelStep::new().with("bad-1.0-py3-none-any.whl", &bad(vec![member]));
        let error = step.run().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnsafeArchive, "{error}");
        assert_eq!(error.package(), Some(0));
        for outside in ["outside", "out/outside", "out/opt/outside", "in/outside"] {
            assert!(!step.dir.path().join(outside).exists(), "{outside}");
        }
        messages += &format!("{error}\n");
    }
    assert!(!Path::new("/outside").exists());
    insta::assert_snapshot!(messages, @r"
    bad 1.0: the archive contains a path with `..`: `../outside`
    bad 1.0: the archive contains a path with `..`: `a/../../outside`
    bad 1.0: the archive contains an absolute path: `/outside`
    bad 1.0: the archive contains a path with `..`: `bad-1.0.data/data/../../outside`
    bad 1.0: the archive contains a path with `..`: `bad-1.0.data/scripts//../outside`
    bad 1.0: the archive contains a link: `link`
    bad 1.0: the archive contains a device, pipe or other special file: `device`
    bad 1.0: the archive contains a device, pipe or other special file: `pipe`
    bad 1.0: the archive contains a device, pipe or other special file: `folder`
    bad 1.0: the archive contains a path that is empty, too long, not UTF-8, or has control characters: `new\nline`
    bad 1.0: the archive contains a path that is empty, too long, not UTF-8, or has control characters: `escape\u{1b}[2J`
    bad 1.0: it has a path with the invisible character U+202E: `lib/python3.13/site-packages/turned\u{202e}round`
    bad 1.0: it has a path that only installers of conda packages may write: `conda-meta/python-1-0.json`
    bad 1.0: it has a path that only installers of conda packages may write: `conda-meta/history`
    bad 1.0: it has a path that only installers of conda packages may write: `conda-meta`
    ");
}

#[test]
fn wheels_that_are_damaged_or_wrong_are_refused() {
    const FILE: u32 = 0o100_644;
    let good = bad(vec![member("bad.py", FILE)]);
    WheelStep::new()
        .with("bad-1.0-py3-none-any.whl", &good)
        .run()
        .unwrap();
    let with = |members: &[(&'static str, &str)]| {
        let members = members.iter().map(|(name, content)| Member {
            name,
            mode: FILE,
            content: content.as_bytes().to_vec(),
        });
        zip(&members.collect::<Vec<_>>())
    };
    let info = |metadata: &str, wheel: &str| {
        with(&[
            ("bad-1.0.dist-info/METADATA", metadata),
            ("bad-1.0.dist-info/WHEEL", wheel),
        ])
    };
    let metadata = "Name: bad\nVersion: 1.0\n";
    let entry_points = |text: &str| Member {
        name: "bad-1.0.dist-info/entry_points.txt",
        mode: FILE,
        content: text.as_bytes().to_vec(),
    };
    let cases = [
        ("empty", Vec::new()),
        ("garbage", vec![7; 5000]),
        ("cut short", good[..good.len() / 2].to_vec()),
        ("no metadata", with(&[("bad.py", "")])),
        ("no METADATA", with(&[("bad-1.0.dist-info/WHEEL", "")])),
        (
            "no WHEEL",
            with(&[("bad-1.0.dist-info/METADATA", metadata)]),
        ),
        (
            "another package's",
            info("Name: other\nVersion: 1.0\n", "Wheel-Version: 1.0\n"),
        ),
        ("no version", info("Name: bad\n", "Wheel-Version: 1.0\n")),
        ("a newer format", info(metadata, "Wheel-Version: 2.0\n")),
        ("no RECORD", info(metadata, "Wheel-Version: 1.0\n")),
        (
            "the same name twice",
            bad(vec![member("bad.py", FILE), member("bad.py", FILE)]),
        ),
        (
            "the same path twice",
            bad(vec![member("a/bad.py", FILE), member("a//bad.py", FILE)]),
        ),
        (
            "a file below a file",
            bad(vec![member("bad", FILE), member("bad/x", FILE)]),
        ),
        (
            "a file below a file, once installed",
            bad(vec![
                member("bad", FILE),
                member("bad-1.0.data/purelib/bad/x", FILE),
            ]),
        ),
        (
            "an unknown folder",
            bad(vec![member("bad-1.0.data/other/x", FILE)]),
        ),
        (
            "a path as an entry point",
            bad(vec![entry_points("[console_scripts]\n../x = a:b\n")]),
        ),
        (
            "two packages",
            bad(vec![member("other-1.0.dist-info/METADATA", FILE)]),
        ),
    ];
    let mut messages = String::new();
    for (what, content) in cases {
        let error = WheelStep::new()
            .with("bad-1.0-py3-none-any.whl", &content)
            .run()
            .unwrap_err();
        assert!(
            matches!(error.kind(), ErrorKind::BadArchive | ErrorKind::BadMetadata),
            "{what}: {error}"
        );
        messages += &format!("{what}: {error}\n");
    }
    insta::assert_snapshot!(messages, @r"
    empty: bad 1.0: the file is not a wheel, or it is damaged: invalid Zip archive: Could not find EOCD
    garbage: bad 1.0: the file is not a wheel, or it is damaged: invalid Zip archive: Could not find EOCD
    cut short: bad 1.0: the file is not a wheel, or it is damaged: invalid Zip archive: Could not find EOCD
    no metadata: bad 1.0: it has no .dist-info folder, so it is not a wheel
    no METADATA: bad 1.0: it has no METADATA
    no WHEEL: bad 1.0: it has no WHEEL
    another package's: bad 1.0: it is named like `bad`, but its METADATA is that of `other`
    no version: bad 1.0: its METADATA has no Version
    a newer format: bad 1.0: its format is version `2.0`, and only version 1 is known
    no RECORD: bad 1.0: it has no RECORD
    the same name twice: bad 1.0: the archive is damaged or cut short: two of its files have the same name
    the same path twice: bad 1.0: the archive is damaged or cut short: `a/bad.py` is in it twice
    a file below a file: bad 1.0: the archive is damaged or cut short: `bad/x` is below a file
    a file below a file, once installed: bad 1.0: its files `lib/python3.13/site-packages/bad` and `lib/python3.13/site-packages/bad/x` cannot both be installed
    an unknown folder: bad 1.0: it has the folder bad-1.0.data/other, which is none of purelib, platlib, headers, scripts and data
    a path as an entry point: bad 1.0: its entry point `../x` does not have the name of a file
    two packages: bad 1.0: it has several .dist-info folders
    ");
}

#[test]
fn wheels_that_do_not_fit_together_are_refused() {
    let one = WheelFile::new("one", "1.0").file("shared", "");
    let other = WheelFile::new("other", "1.0").file("shared/x.py", "");
    let step = WheelStep::new().with_made(&one).with_made(&other);
    let error = step.run().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(
        error.to_string(),
        format!(
            "other 1.0 and one 1.0 cannot be installed together: other 1.0 has `{SITE}/shared/x.py`, but `{SITE}/shared` is a file of one 1.0"
        )
    );
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
