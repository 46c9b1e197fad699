//! The frontend image for arm64, as `scripts/arm64` builds it: its program runs under an emulator.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use buildkit_proto::pb;
use condafront_step_spec::args::handed_over;
use condafront_testkit::channel::{self, Channel, HashStyle};
use condafront_testkit::foreign::emulator;
use condafront_testkit::needs::arm64_image;
use prost::Message as _;
use serde_json::Value;

/// A folder with the files of the image, and the emulator.
struct Root {
    folder: tempfile::TempDir,
}

impl Root {
    /// Unpacks an OCI layout with one image. Returns its configuration too.
    fn unpack(layout: &Path) -> (Self, Value) {
        let blob = |digest: &Value| {
            let digest = digest.as_str().expect("a digest").replace(':', "/");
            layout.join("blobs").join(digest)
        };
        let json = |path: PathBuf| -> Value {
            let text = fs::read(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
            serde_json::from_slice(&text).expect("JSON")
        };
        let index = json(layout.join("index.json"));
        let manifest = json(blob(&index["manifests"][0]["digest"]));
        let config = json(blob(&manifest["config"]["digest"]));
        let folder = tempfile::tempdir().expect("a folder");
        for layer in manifest["layers"].as_array().expect("layers") {
            let file = File::open(blob(&layer["digest"])).expect("a layer");
            let unpacked = flate2::read::GzDecoder::new(file);
            tar::Archive::new(unpacked)
                .unpack(folder.path())
                .expect("a tar file");
        }
        fs::copy(emulator(), folder.path().join("emulator")).expect("the emulator");
        (Self { folder }, config)
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path.trim_start_matches('/'))
    }

    /// Runs the program in there.
    fn run(&self, args: &[String]) -> Output {
        let mut command = Command::new("chroot");
        command.arg(self.folder.path());
        command.args(["/emulator", "/condafront"]).args(args);
        command.output().expect("chroot")
    }
}

/// A step: its arguments, with those that it has in variables, and where its mounts are.
#[derive(Clone, Debug)]
struct Step {
    args: Vec<String>,
    mounts: Vec<String>,
}

/// The install step of the lock, as the program itself plans it.
fn install_step(llb: &[u8]) -> Step {
    let graph = pb::Definition::decode(llb).expect("a graph");
    let ops = graph.def.iter().map(|op| pb::Op::decode(op.as_slice()));
    let steps = ops.filter_map(|op| match op.expect("an operation").op? {
        pb::op::Op::Exec(exec) => {
            let meta = exec.meta?;
            let mounts = exec.mounts.into_iter().map(|mount| mount.dest);
            let mut args = meta.args[1..].to_vec();
            // The program would start itself again with these, which only the kernel's emulation makes possible.
            args.extend(handed_over(|name| {
                let mut variables = meta.env.iter().filter_map(|it| it.split_once('='));
                let found = variables.find(|(variable, _)| *variable == name)?;
                Some(found.1.to_owned())
            }));
            (args[0] == "install").then(|| Step {
                args,
                mounts: mounts.collect(),
            })
        }
        _ => None,
    });
    let steps: Vec<Step> = steps.collect();
    let [step] = steps.as_slice() else {
        panic!("{steps:?}");
    };
    step.clone()
}

#[test]
#[ignore = "needs a frontend image for arm64: run scripts/arm64"]
fn needs_crosscompiled_the_frontend_runs_on_arm64() {
    let (root, config) = Root::unpack(&arm64_image());
    assert_eq!(config["architecture"], "arm64");
    assert_eq!(config["config"]["Entrypoint"][0], "/condafront");
    let program = fs::read(root.path("condafront")).expect("the program");
    // The machine in its ELF header.
    assert_eq!(program[18..20], [0xb7, 0]);
    let succeeds = |args: &[&str]| {
        let args: Vec<String> = args.iter().copied().map(str::to_owned).collect();
        let output = root.run(&args);
        assert!(output.status.success(), "{output:?}");
        output.stdout
    };
    let version = String::from_utf8(succeeds(&["--version"])).expect("text");
    let expected = format!("condafront {}", env!("CARGO_PKG_VERSION"));
    assert_eq!(version.trim(), expected);

    let channel = Channel::open();
    let package = channel.find("file-kinds");
    let url = "https://conda.example/forge";
    let lock = channel::lock(&[package], url, HashStyle::Sha256);
    fs::write(root.path("env.lock"), lock).expect("a lock");
    let checked = succeeds(&["check", "/env.lock"]);
    let checked = String::from_utf8(checked).expect("text");
    assert_eq!(checked, "/env.lock: 1 package\n");

    let platform = ["--platform", "linux/amd64"];
    let native = ["--build-arg", "CONDAFRONT_INSTALLER=native"];
    let llb = succeeds(&[&["llb", "/env.lock"][..], &platform, &native].concat());
    let step = install_step(&llb);
    for mount in &step.mounts {
        fs::create_dir_all(root.path(mount)).expect("a mount");
    }
    let archive = root.path("in/0").join(&package.file_name);
    fs::copy(channel.archive(package), archive).expect("the package");
    let output = root.run(&step.args);
    assert!(output.status.success(), "{output:?}");
    let record = format!("out/opt/conda/conda-meta/{}.json", stem(&package.file_name));
    let record = fs::read(root.path(&record)).expect("a record");
    let record: Value = serde_json::from_slice(&record).expect("JSON");
    let files = record["files"].as_array().expect("files");
    assert!(!files.is_empty());
    for file in files {
        let path = root
            .path("out/opt/conda")
            .join(file.as_str().expect("a path"));
        let metadata = fs::symlink_metadata(&path);
        let metadata = metadata.unwrap_or_else(|error| panic!("{path:?}: {error}"));
        assert!(metadata.is_symlink() || metadata.permissions().mode() & 0o444 != 0);
    }
}

/// The name of a package's file without its ending.
fn stem(file: &str) -> &str {
    file.trim_end_matches(".conda").trim_end_matches(".tar.bz2")
}
