//! Images for a platform other than the builder's, without emulation.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use condafront_testkit::channel::Channel;
use condafront_testkit::engine::{self, Store};
use condafront_testkit::foreign::arm64_root;
use condafront_testkit::run;
use serde_json::Value;

use crate::failure::Failures;
use crate::project::{Project, base, frontend};

pub(crate) const BOTH: &str = "linux/amd64,linux/arm64";
pub(crate) const ARM: &str = "linux/arm64";
/// Packages with a build for each platform, noarch packages, python modules, and an entry point.
pub(crate) const DEPENDENCIES: [&str; 6] = [
    "python",
    "pip",
    "click",
    "noarch-demo",
    "platform-demo",
    "bumpme",
];

/// A Debian image for both platforms, in the tests' registry.
pub(crate) fn base_of_both(project: &Project) -> String {
    run::once("base-of-both-platforms", || {
        let registry = engine::registry();
        let arm = format!("{registry}/debian-arm64:13");
        let both = format!("{registry}/debian-two:13");
        project.write(
            "Dockerfile.arm64",
            "FROM scratch\nCOPY . /\nCMD [\"bash\"]\n",
        );
        let output = format!("type=image,name={arm},push=true");
        let root = arm64_root();
        project
            .docker(&[
                "build",
                "--platform",
                ARM,
                "--provenance=false",
                "--output",
                &output,
                "-f",
                &project.path("Dockerfile.arm64").to_string_lossy(),
                &root.to_string_lossy(),
            ])
            .expect_success();
        let create = ["buildx", "imagetools", "create", "-t", &both, &base(), &arm];
        project.docker(&create).expect_success();
        both
    })
}

pub(crate) fn build_arg(name: &str, value: &str) -> [String; 2] {
    ["--build-arg".to_owned(), format!("{name}={value}")]
}

/// `docker build` of a file for these platforms, with the built-in installer.
pub(crate) fn build(
    project: &Project,
    file: &str,
    platforms: &str,
    more: &[&str],
) -> engine::Output {
    let base = build_arg("BASE_IMAGE", &base_of_both(project));
    let base: Vec<&str> = base.iter().map(String::as_str).collect();
    let args = [&base[..], &["--platform", platforms], more].concat();
    project.build_file(file, &args)
}

/// Exports the files of images into a folder of the project, with a subfolder (`linux_amd64`, …) for each platform if
/// there are several. Returns the progress.
fn export(project: &Project, file: &str, platforms: &str, name: &str) -> String {
    export_with(project, file, platforms, name, &[])
}

pub(crate) fn export_with(
    project: &Project,
    file: &str,
    platforms: &str,
    name: &str,
    more: &[&str],
) -> String {
    let folder = project.path(name);
    let output = format!("type=local,dest={}", folder.display());
    let args = ["--output", &output];
    build(project, file, platforms, &[&args[..], more].concat())
        .expect_success()
        .stderr
}

pub(crate) fn env_yml(project: &Project, dependencies: &[&str]) -> String {
    format!(
        "# syntax={}\nchannels: [\"{}\"]\ndependencies: [{}]\n",
        frontend(),
        project.channel(),
        dependencies.join(", ")
    )
}

/// A conda-lock.yml of these dependencies for both platforms.
pub(crate) fn conda_lock(project: &Project) -> String {
    let mut text = format!(
        "# syntax={}\nversion: 1\nmetadata:\n  platforms: [linux-64, linux-aarch64]\n  sources: [environment.yml]\npackage:\n",
        frontend()
    );
    for platform in ["linux-64", "linux-aarch64"] {
        for package in Channel::open().closure_for(platform, &DEPENDENCIES) {
            let url = project.package_url(package);
            text.push_str(&format!(
                "- name: {}\n  version: '{}'\n  manager: conda\n  platform: {platform}\n  dependencies: {{}}\n  url: {url}\n  hash: {{md5: '{}', sha256: '{}'}}\n  category: main\n  optional: false\n",
                package.name, package.version, package.md5, package.sha256
            ));
        }
    }
    text
}

/// The processors that the programs and libraries below a folder are for, with one file for each.
fn machines(folder: &Path) -> BTreeMap<u16, String> {
    let mut found = BTreeMap::new();
    for (path, content) in files(folder, "") {
        if let Some(header) = content.get(..20).filter(|it| it.starts_with(b"\x7fELF")) {
            found.insert(u16::from_le_bytes([header[18], header[19]]), path);
        }
    }
    found
}

/// The regular files below a folder whose path ends in `end`.
fn files(folder: &Path, end: &str) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).expect("a folder of the image") {
            let entry = entry.expect("an entry");
            let kind = entry.file_type().expect("its type");
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() && entry.path().to_string_lossy().ends_with(end) {
                let path = entry.path();
                let name = path.strip_prefix(folder).expect("a path below it");
                let content = fs::read(&path).expect("a file of the image");
                found.insert(name.to_string_lossy().into_owned(), content);
            }
        }
    }
    found
}

/// The bytecode that the build compiled.
pub(crate) fn bytecode(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let prefix = folder.join("opt/conda/lib/python3.13/site-packages");
    let found = files(&prefix, ".cpython-313.pyc");
    assert!(found.len() > 10, "{:?}", found.keys());
    found
}

const AMD64_MACHINE: u16 = 62;
const ARM64_MACHINE: u16 = 183;

/// The layers and the configuration of an image in the registry, by platform.
fn manifests(project: &Project, reference: &str) -> BTreeMap<String, (Vec<String>, Value)> {
    let inspect = |reference: &str| -> Value {
        let args = ["buildx", "imagetools", "inspect", "--raw", reference];
        let output = project.docker(&args).expect_success();
        serde_json::from_str(&output.stdout).expect("JSON from the registry")
    };
    let text = |value: &Value| value.as_str().expect("a string").to_owned();
    let index = inspect(reference);
    let manifests = index["manifests"].as_array().expect("an image index");
    let manifests = manifests.iter().map(|entry| {
        let name = format!("{reference}@{}", text(&entry["digest"]));
        let manifest = inspect(&name);
        let layers = manifest["layers"].as_array().expect("layers").iter();
        let layers = layers.map(|layer| text(&layer["digest"])).collect();
        let config = [
            "buildx",
            "imagetools",
            "inspect",
            "--format",
            "{{json .Image}}",
            &name,
        ];
        let config = project.docker(&config).expect_success();
        let config = serde_json::from_str(&config.stdout).expect("a configuration");
        let platform = &entry["platform"];
        let platform = format!(
            "{}/{}",
            text(&platform["os"]),
            text(&platform["architecture"])
        );
        (platform, (layers, config))
    });
    manifests.collect()
}

#[test]
fn one_build_gives_images_for_two_platforms() {
    let project = Project::new(Store::Containerd);
    project.write("env.yml", env_yml(&project, &DEPENDENCIES));
    project.write("conda-lock.yml", conda_lock(&project));
    for file in ["env.yml", "conda-lock.yml"] {
        let progress = export(&project, file, BOTH, file.trim_end_matches(".yml"));
        assert!(!progress.contains("not compiled"), "{progress}");
        let folder = project.path(file.trim_end_matches(".yml"));
        let (amd, arm) = (folder.join("linux_amd64"), folder.join("linux_arm64"));
        // No file is for the other platform: not in the base image, not in a package, not the entrypoint.
        let found = machines(&amd);
        assert_eq!(
            found.keys().collect::<Vec<_>>(),
            [&AMD64_MACHINE],
            "{found:?}"
        );
        let found = machines(&arm);
        assert_eq!(
            found.keys().collect::<Vec<_>>(),
            [&ARM64_MACHINE],
            "{found:?}"
        );
        for program in [
            "opt/conda/bin/python3.13",
            "usr/local/bin/condafront-entrypoint",
        ] {
            assert!(arm.join(program).is_file(), "{program}");
        }
        let demo = |folder: &Path| {
            fs::read_to_string(folder.join("opt/conda/share/platform-demo/platform.txt"))
        };
        assert_ne!(demo(&amd).ok(), demo(&arm).ok());
        // A python for the builder's platform compiles to the same bytecode as one for the other platform.
        assert!(bytecode(&amd) == bytecode(&arm), "{file}: bytecode differs");
    }
    let records = |folder: &str| {
        files(&project.path(folder), "")
            .into_keys()
            .collect::<Vec<_>>()
    };
    assert_eq!(
        records("env/linux_arm64/opt/conda/conda-meta"),
        records("conda-lock/linux_arm64/opt/conda/conda-meta")
    );

    let reference = format!("{}/{}:both", engine::registry(), project.name());
    let output = format!("type=image,name={reference},push=true");
    let base = format!("BASE_IMAGE={}", base_of_both(&project));
    // One layer for each package.
    let settings = [&base, "CONDAFRONT_INSTALLER=native", "CONDAFRONT_LAYERS=40"];
    let mut args = vec!["build", "-f", "env.yml", "--platform", BOTH];
    args.extend(["--provenance=false", "--output", &output]);
    args.extend(settings.iter().flat_map(|it| ["--build-arg", it]));
    args.push(".");
    project.docker(&args).expect_success();
    let manifests = manifests(&project, &reference);
    assert_eq!(
        manifests.keys().collect::<Vec<_>>(),
        ["linux/amd64", "linux/arm64"]
    );
    for (platform, (layers, config)) in &manifests {
        let architecture = config["architecture"].as_str();
        assert_eq!(architecture, platform.strip_prefix("linux/"));
        assert_eq!(
            layers.len(),
            config["history"].as_array().map_or(0, |all| {
                all.iter().filter(|one| one["empty_layer"] != true).count()
            })
        );
    }
    let (amd, arm) = (&manifests["linux/amd64"].0, &manifests["linux/arm64"].0);
    let shared = amd.iter().filter(|layer| arm.contains(layer)).count();
    assert!(shared >= 5, "{shared} layers of {amd:?} and {arm:?}");
}

/// The classic store holds an image for only one platform, which need not be the engine's.
#[test]
fn a_classic_store_has_an_image_for_another_platform() {
    let containerd = Project::new(Store::Containerd);
    base_of_both(&containerd);
    let project = Project::new(Store::Classic);
    project.write("env.yml", env_yml(&project, &DEPENDENCIES));
    build(&project, "env.yml", "linux/arm64/v8", &[]).expect_success();
    let format = "{{.Os}}/{{.Architecture}}";
    let inspect = ["image", "inspect", "--format", format, project.tag()];
    let output = project.docker(&inspect).expect_success();
    assert_eq!(output.stdout.trim(), ARM);
    export(&project, "env.yml", ARM, "image");
    let found = machines(&project.path("image"));
    assert_eq!(
        found.keys().collect::<Vec<_>>(),
        [&ARM64_MACHINE],
        "{found:?}"
    );
}

/// An engine gives an image that is for one platform only, whatever platform it is asked for.
#[test]
fn bases_for_another_platform_are_refused() {
    let project = Project::new(Store::Containerd);
    let both = base_of_both(&project);
    let arm = both.replace("debian-two:13", "debian-arm64:13");
    project.write(
        "env.yml",
        format!(
            "# syntax={}\nchannels: [\"{}\"]\ndependencies: [noarch-demo]\ncondafront:\n  installer: native\n  base: ${{BASE}}\n",
            frontend(),
            project.channel()
        ),
    );
    let build = |base: &str, more: &[&str]| {
        let base = format!("BASE={base}");
        let usual = ["-f", "env.yml", "--build-arg", &base];
        project.build_image(&[&usual[..], more, &["."]].concat())
    };
    let amd = base();
    // With attestations, as usual, so that it is a list of images for platforms.
    let local = format!("{}-local", project.name());
    project.write("Dockerfile.local", format!("FROM {amd}\nLABEL local=yes\n"));
    let arguments = ["build", "--provenance=true", "-t", &local];
    let from = ["-f", "Dockerfile.local", "."];
    project
        .docker(&[&arguments[..], &from].concat())
        .expect_success();
    let layout = format!(
        "type=oci,tar=false,dest={}",
        project.path("layout").display()
    );
    let arguments = ["build", "-f", "Dockerfile.layout", "--output", &layout, "."];
    project.write("Dockerfile.layout", format!("FROM {amd}\n"));
    project.docker(&arguments).expect_success();
    let image = format!("ours=docker-image://{amd}");
    let layout = "ours=oci-layout://layout";
    let given = format!("BASE_IMAGE={amd}");
    let mut failures = Failures::new(&project);
    for (title, base, args) in [
        (
            "an image for the builder alone",
            &*amd,
            &["--platform", ARM][..],
        ),
        ("one of two platforms", &amd, &["--platform", BOTH]),
        ("an image for another platform alone", &arm, &[]),
        ("an image of the engine's own", &local, &["--platform", ARM]),
        (
            "a build-arg",
            &both,
            &["--platform", ARM, "--build-arg", &given],
        ),
        (
            "a named context",
            "ours",
            &["--platform", ARM, "--build-context", &image],
        ),
        (
            "an OCI layout",
            "ours",
            &["--platform", ARM, "--build-context", layout],
        ),
    ] {
        failures.add_output(title, build(base, args));
    }
    let text = failures.text().replace(&local, "local-image");
    insta::assert_snapshot!(text);
    let glibc = [
        "--platform",
        ARM,
        "--build-arg",
        "CONDA_OVERRIDE_GLIBC=2.40",
    ];
    build("scratch", &glibc).expect_success();
    build(&both, &["--platform", ARM]).expect_success();
    build(&arm, &["--platform", ARM]).expect_success();
    build(&local, &[]).expect_success();
}
