//! The folder of the target `channel`: what its steps write, and the problems they find in one.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::process::Command;

use condafront_step_spec::args::StepSpec as _;
use condafront_step_spec::failure_report::Culprit;
use condafront_step_spec::local_channel::{
    Archive, CheckSpec, CondaSpec, PypiFile, PypiSpec, WantedFile,
};
use condafront_steps::install::Mounts;
use condafront_steps::local_channel::{check, conda, pypi};
use condafront_testkit::channel::{Channel, Package, WheelFile};
use condafront_testkit::engine;
use condafront_testkit::needs::micromamba;
use serde_json::{Value, json};

/// The mounts of a step, in their own folder.
struct Step {
    dir: tempfile::TempDir,
    mounts: Mounts,
}

impl Step {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mounts = Mounts {
            input: dir.path().join("in"),
            output: dir.path().join("out"),
            ..Mounts::default()
        };
        for folder in [&mounts.output, &dir.path().join("list")] {
            fs::create_dir(folder).unwrap();
        }
        Self { dir, mounts }
    }

    /// Mounts a file as the step's package `index`.
    fn mount(&self, index: usize, name: &str, content: &[u8]) {
        let folder = self.mounts.input.join(index.to_string());
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(name), content).unwrap();
    }

    fn lists(&self) -> PathBuf {
        self.dir.path().join("list")
    }

    fn read(&self, path: &str) -> Vec<u8> {
        let path = self.mounts.output.join(path);
        fs::read(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"))
    }
}

fn archive(package: &Package) -> Archive {
    Archive {
        label: format!("{} {}", package.name, package.version),
        name: package.name.clone(),
        file: package.file_name.clone(),
        md5: Some(package.md5.clone()),
    }
}

/// Makes the folder `c.example/main/<subdir>` from packages.
fn make(step: &Step, subdir: &str, packages: &[&Package], list: Option<&str>) {
    for (index, package) in packages.iter().enumerate() {
        let content = fs::read(Channel::small().archive(package)).unwrap();
        step.mount(index, &package.file_name, &content);
    }
    let spec = CondaSpec {
        folder: format!("c.example/main/{subdir}"),
        subdir: subdir.to_owned(),
        list: list.map(str::to_owned),
    };
    let archives: Vec<Archive> = packages.iter().map(|package| archive(package)).collect();
    let args = spec.to_args(&archives).unwrap();
    conda(&args[1..], &step.mounts, &step.lists()).unwrap();
}

/// The records of a channel's list, by file name.
fn records(list: &[u8]) -> Value {
    let list: Value = serde_json::from_slice(list).unwrap();
    let mut all = list["packages"].clone();
    for (name, record) in list["packages.conda"].as_object().unwrap() {
        all[name] = record.clone();
    }
    all
}

/// Leaves out empty fields, which mean the same as missing ones.
fn without_nothing(record: &Value) -> Value {
    let fields = record.as_object().unwrap().clone().into_iter();
    fields
        .filter(|(_, value)| !value.is_null() && *value != json!([]))
        .collect()
}

#[test]
fn lists_describe_packages_as_their_channels_do() {
    let channel = Channel::small();
    for subdir in ["linux-64", "noarch"] {
        let packages = channel.packages().iter();
        let packages: Vec<&Package> = packages.filter(|it| it.subdir == subdir).collect();
        let formats = |ending: &str| packages.iter().any(|it| it.file_name.ends_with(ending));
        assert!(subdir != "noarch" || formats(".conda"));
        let step = Step::new();
        make(&step, subdir, &packages, None);
        let folder = format!("c.example/main/{subdir}");
        let list = step.read(&format!("{folder}/repodata.json"));
        let compressed = step.read(&format!("{folder}/repodata.json.zst"));
        assert_eq!(zstd::decode_all(&*compressed).unwrap(), list);

        let theirs = fs::read(channel.directory().join(subdir).join("repodata.json")).unwrap();
        let (ours, theirs) = (records(&list), records(&theirs));
        for package in &packages {
            let name = &package.file_name;
            let (ours, theirs) = (without_nothing(&ours[name]), without_nothing(&theirs[name]));
            for (field, value) in theirs.as_object().unwrap() {
                assert_eq!(&ours[field], value, "{field} of {name}");
            }
            let copy = step.read(&format!("{folder}/{name}"));
            assert_eq!(copy, fs::read(channel.archive(package)).unwrap());
        }

        // Corrections in a channel's own list are kept.
        let corrected = Step::new();
        let mut known: Value = serde_json::from_slice(&list).unwrap();
        for key in ["packages", "packages.conda"] {
            for (_, record) in known[key].as_object_mut().unwrap() {
                record["depends"] = json!(["corrected"]);
            }
        }
        fs::write(corrected.lists().join("repodata.json"), known.to_string()).unwrap();
        make(&corrected, subdir, &packages, Some("repodata.json"));
        let list = corrected.read(&format!("{folder}/repodata.json"));
        for package in &packages {
            let record = &records(&list)[&package.file_name];
            assert_eq!(record["depends"], json!(["corrected"]));
            assert_eq!(record["sha256"], package.sha256);
        }
    }
}

#[test]
fn the_same_packages_give_the_same_folder() {
    let find = |name: &str| Channel::small().find(name);
    let packages = [find("bumpme=1.0"), find("noarch-demo")];
    let stat = |step: &Step| -> Vec<(u32, i64, i64)> {
        let folder = step.mounts.output.join("c.example/main/noarch");
        let files = packages.map(|package| folder.join(&package.file_name));
        let files = files
            .into_iter()
            .chain([folder.join("repodata.json"), folder]);
        let stat = |path: PathBuf| {
            let metadata = fs::metadata(path).unwrap();
            (metadata.mode(), metadata.mtime(), metadata.mtime_nsec())
        };
        files.map(stat).collect()
    };
    let [first, second] = [Step::new(), Step::new()];
    make(&first, "noarch", &packages, None);
    make(&second, "noarch", &packages, None);
    assert_eq!(stat(&first), stat(&second));
    let list = "c.example/main/noarch/repodata.json.zst";
    assert_eq!(first.read(list), second.read(list));
    // Files with different contents have different times, even if their sizes are the same.
    let times = stat(&first);
    assert_ne!(times[0].2, times[1].2);
}

#[test]
#[ignore = "needs a micromamba"]
fn needs_micromamba_it_uses_the_folder_as_a_channel() {
    let program = micromamba();
    let step = Step::new();
    let find = |name: &str| Channel::small().find(name);
    make(
        &step,
        "noarch",
        &[find("bumpme=1.0"), find("metapackage")],
        None,
    );
    let noarch = step.mounts.output.clone();
    let other = Step::new();
    make(&other, "linux-64", &[find("file-kinds")], None);
    let channel = noarch.join("c.example/main");
    fs::rename(
        other.mounts.output.join("c.example/main/linux-64"),
        channel.join("linux-64"),
    )
    .unwrap();
    let root = step.dir.path().join("root");
    let mut create = Command::new(program);
    create
        .args([
            "create",
            "--yes",
            "--offline",
            "--no-rc",
            "--override-channels",
            "--channel",
        ])
        .arg(format!("file://{}", channel.display()))
        .arg("--root-prefix")
        .arg(&root)
        .args(["--name", "it", "metapackage"])
        .env("HOME", step.dir.path());
    engine::run(&mut create).expect_success();
    assert!(root.join("envs/it/share/bumpme/version.txt").is_file());
}

#[test]
fn files_for_pip_get_an_index() {
    let step = Step::new();
    let wheel = WheelFile::new("Hello_World", "1.0+a").file("hello_world/__init__.py", "");
    let (name, content) = (wheel.file_name(), wheel.build());
    step.mount(0, &name, &content);
    let path = format!("pypi/files/files.example/a b/{name}");
    let files = [PypiFile {
        label: "hello-world 1.0".to_owned(),
        name: "hello-world".to_owned(),
        file: name.clone(),
        path: path.clone(),
        md5: None,
    }];
    let args = PypiSpec {}.to_args(&files).unwrap();
    pypi(&args[1..], &step.mounts).unwrap();
    assert_eq!(step.read(&path), content);
    let page = String::from_utf8(step.read("pypi/simple/hello-world/index.html")).unwrap();
    let link = format!("<a href=\"../../../pypi/files/files.example/a%20b/{name}#sha256=");
    assert!(page.contains(&link), "{page}");
    let out = step.dir.path().join("wheels");
    let index = format!("file://{}/pypi/simple", step.mounts.output.display());
    let mut pip = Command::new("python3");
    pip.args([
        "-m",
        "pip",
        "--isolated",
        "download",
        "--no-deps",
        "--index-url",
        &index,
    ])
    .arg("--dest")
    .arg(&out)
    .arg("hello_world");
    engine::run(&mut pip).expect_success();
    assert_eq!(fs::read(out.join(&name)).unwrap(), content);
    let root = String::from_utf8(step.read("pypi/simple/index.html")).unwrap();
    assert!(root.contains("<a href=\"hello-world/\">"), "{root}");
}

#[test]
fn what_is_missing_or_wrong_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let write = |path: &str| fs::write(dir.path().join(path), path).unwrap();
    write("a");
    write("b");
    let wanted = |path: &str, sha256: Option<&str>, md5: Option<&str>| WantedFile {
        label: format!("{path} 1.0"),
        path: path.to_owned(),
        sha256: sha256.map(str::to_owned),
        md5: md5.map(str::to_owned),
    };
    // sha256sum and md5sum of "a".
    let sha256 = "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb";
    let md5 = "0cc175b9c0f1b6a831c399e269772661";
    let run = |files: &[WantedFile]| {
        let out = tempfile::tempdir().unwrap();
        let args = CheckSpec {}.to_args(files).unwrap();
        check(&args[1..], dir.path(), out.path())
    };
    let good = [
        wanted("a", Some(sha256), None),
        wanted("a", None, Some(md5)),
        wanted("b", None, None),
    ];
    run(&good).unwrap();
    let mut text = String::new();
    let many: Vec<WantedFile> = (0..12)
        .map(|n| wanted(&format!("x{n}"), None, None))
        .collect();
    for files in [
        vec![wanted("a", None, None), wanted("x", None, None)],
        vec![
            wanted("b", Some(sha256), None),
            wanted("a", None, Some("0")),
        ],
        many,
    ] {
        let report = run(&files).unwrap_err();
        let culprits: Vec<usize> = report
            .culprits
            .iter()
            .filter_map(|culprit| match culprit {
                Culprit::Package(index) => Some(*index),
                _ => None,
            })
            .collect();
        let help = report.help.unwrap_or_default();
        text.push_str(&format!(
            "{}\n  of {culprits:?}\n  {help}\n\n",
            report.message
        ));
    }
    insta::assert_snapshot!(text);
}
