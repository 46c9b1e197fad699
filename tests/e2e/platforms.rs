//! Images for a platform other than the builder's: what works without emulation, what is reported if emulation is
//! missing, and the same images with emulation.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use condafront_testkit::channel::{Channel, HashStyle, Package, WheelFile, lock, package};
use condafront_testkit::engine::{self, Store};
use condafront_testkit::foreign::{Emulation, arm64_root};
use condafront_testkit::run;
use serde_json::Value;

use crate::failure::{Failures, error_of, masked};
use crate::image::{history, inspect};
use crate::project::{LOCK, Project, base, frontend};

const BOTH: &str = "linux/amd64,linux/arm64";
const ARM: &str = "linux/arm64";
/// Packages with a build for each platform, noarch packages, python modules, and an entry point.
const DEPENDENCIES: [&str; 6] = [
    "python",
    "pip",
    "click",
    "noarch-demo",
    "platform-demo",
    "bumpme",
];
/// Python and a package with modules, for what an emulated python has to compile.
const FEW: [&str; 2] = ["python", "click"];

/// A Debian image for both platforms, in the tests' registry.
fn base_of_both(project: &Project) -> String {
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

fn build_arg(name: &str, value: &str) -> [String; 2] {
    ["--build-arg".to_owned(), format!("{name}={value}")]
}

/// `docker build` of a file for these platforms, with the built-in installer.
fn build(project: &Project, file: &str, platforms: &str, more: &[&str]) -> engine::Output {
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

fn export_with(
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

fn env_yml(project: &Project, dependencies: &[&str]) -> String {
    format!(
        "# syntax={}\nchannels: [\"{}\"]\ndependencies: [{}]\n",
        frontend(),
        project.channel(),
        dependencies.join(", ")
    )
}

/// A conda-lock.yml of these dependencies for both platforms.
fn conda_lock(project: &Project) -> String {
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

/// An explicit lock for linux-aarch64.
fn arm_lock(project: &Project, packages: &[&Package]) -> String {
    let url = project.channel();
    format!(
        "# syntax={}\n{}",
        frontend(),
        lock(packages, url, HashStyle::Sha256)
    )
}

/// Serves a package with one file, for all platforms, and returns its lock line.
fn serve(project: &Project, name: &str, path: &str, content: &str) -> String {
    let (package, archive) = package(name, "1.0", &[(path, content, 0o755)]);
    let path = format!("/own/{}", package.path());
    project.server.put(&path, archive);
    format!("{}#{}\n", project.server.url(&path), package.sha256)
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
fn bytecode(folder: &Path) -> BTreeMap<String, Vec<u8>> {
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

/// One test, since an emulator is registered for the whole machine, and an engine that has seen one does not forget it.
#[test]
#[ignore = "needs a machine that can emulate arm64 and does not yet"]
fn needs_emulation_programs_of_the_platform_run_with_it() {
    assert!(!Emulation::is_there(), "this machine emulates arm64");
    let project = Project::new(Store::Containerd);
    let packages = Channel::open().closure_for("linux-aarch64", &DEPENDENCIES);
    let plain = arm_lock(&project, &packages);
    let post_link = serve(
        &project,
        "arm-post",
        "bin/.arm-post-post-link.sh",
        "#!/bin/bash\nprintf %s \"$MACHTYPE\" > \"$PREFIX/machine\"\n",
    );
    let activates = serve(
        &project,
        "arm-active",
        "etc/conda/activate.d/arm-active.sh",
        "export ARM_ACTIVE=1\n",
    );
    let wheel = crate::pip::real(&project, "six");
    without_emulation(&project, &plain, &post_link, &activates, &wheel);
    let wheels: Vec<String> = (0..40)
        .map(|number| small_wheel(&project, number))
        .collect();
    let entries: Vec<String> = wheels.iter().map(|line| pip_entry(line)).collect();
    project.write("conda-lock.yml", conda_lock(&project) + &entries.concat());
    let crossed = wheel_layers(&project, "conda-lock.yml");

    let _emulation = Emulation::start();
    // An engine detects the emulator when it starts.
    let fresh = Project::fresh(Store::Containerd);
    let few = Channel::open().closure_for("linux-aarch64", &FEW);
    let few = arm_lock(&fresh, &few);
    fresh.write(LOCK, format!("{few}{}", wheels.concat()));
    // The lock has no python for the builder's platform, so the emulated one compiles.
    assert_eq!(wheel_layers(&fresh, LOCK), crossed);
    fresh.write(LOCK, format!("{few}{post_link}{activates}"));
    steps_run_with_emulation(&fresh);
    wheels_run_with_emulation(&fresh, &wheel);
}

/// Serves a wheel with a module and a program, and returns its line for an explicit lock.
fn small_wheel(project: &Project, number: usize) -> String {
    let name = format!("small{number}");
    let module = format!("def main():\n    print({number})\n");
    let wheel = WheelFile::new(&name, "1.0")
        .file(&format!("{name}/__init__.py"), &module)
        .script(&format!("{name} = {name}:main"));
    crate::pip::serve(project, &name, &wheel)
}

/// The entry of a conda-lock.yml for the wheel of a line in an explicit lock.
fn pip_entry(line: &str) -> String {
    let (url, sha256) = line
        .trim_end()
        .rsplit_once("#sha256=")
        .expect("a line with a hash");
    let (name, url) = url.rsplit_once(" @ ").expect("a URL");
    let name = name.trim_start_matches("# pip ");
    format!(
        "- name: {name}\n  version: '1'\n  manager: pip\n  platform: linux-aarch64\n  dependencies: {{}}\n  url: {url}\n  hash: {{sha256: {sha256}}}\n  category: main\n  optional: false\n"
    )
}

/// The layers with the forty wheels of a file, by their names. So few layers are allowed that these are two.
fn wheel_layers(project: &Project, file: &str) -> BTreeMap<String, String> {
    let few = ["--build-arg", "CONDAFRONT_LAYERS=8"];
    build(project, file, ARM, &few).expect_success();
    let layers = inspect(project, project.tag(), "{{json .RootFS.Layers}}");
    let layers: Vec<String> = serde_json::from_value(layers).expect("digests");
    // The base image's history has entries without a layer.
    let names = history(project, project.tag()).into_iter().rev();
    let named = names.zip(layers.into_iter().rev());
    let of_wheels = named.filter(|(name, _)| name.starts_with("[pip install "));
    let found: BTreeMap<String, String> = of_wheels.collect();
    assert_eq!(found.len(), 2, "{found:?}");
    found
}

fn without_emulation(
    project: &Project,
    plain: &str,
    post_link: &str,
    activates: &str,
    wheel: &str,
) {
    let mut failures = Failures::new(project);
    // Unlike a wheel, it must be built.
    let source = wheel.replace("-py2.py3-none-any.whl", ".tar.gz");
    for (title, lock, platforms) in [
        ("a post-link script", format!("{plain}{post_link}"), ARM),
        ("a PyPI package", format!("{plain}{source}"), ARM),
        (
            "a platform that the lock is not for",
            plain.to_owned(),
            BOTH,
        ),
        ("a platform without images", plain.to_owned(), "linux/s390x"),
    ] {
        project.write(LOCK, lock);
        failures.add_output(title, build(project, LOCK, platforms, &[]));
    }
    insta::assert_snapshot!("a_builder_without_emulation", failures.text());

    // Steps that the image can do without are skipped with a warning, and wheels need none.
    project.write(LOCK, format!("{plain}{activates}{wheel}"));
    let output = build(project, LOCK, ARM, &[]).expect_success();
    let warnings = masked(project, &error_of(&output));
    // The client shows them in any order.
    let mut warnings: Vec<&str> = warnings.lines().collect();
    warnings.sort_unstable();
    let warnings = warnings.join("\n");
    insta::assert_snapshot!("a_builder_without_emulation_warns", warnings);

    // Without a base image for the builder, nothing can compile modules.
    let arm = base_of_both(project).replace("debian-two:13", "debian-arm64:13");
    let arm = build_arg("BASE_IMAGE", &arm);
    project.write("env.yml", env_yml(project, &["noarch-demo"]));
    let output = build(project, "env.yml", ARM, &[&arm[0], &arm[1]]).expect_success();
    let why = "the base image is for linux/arm64 only";
    assert!(output.stderr.contains(why), "{}", output.stderr);
}

fn steps_run_with_emulation(project: &Project) {
    let output = build(project, LOCK, ARM, &[]).expect_success();
    for missed in ["not compiled", "has an activation script"] {
        assert!(!output.stderr.contains(missed), "{}", output.stderr);
    }
    let program = "import os, platform; print(platform.machine(), os.environ['ARM_ACTIVE'], open('/opt/conda/machine').read()[:7])";
    let expected = "aarch64 1 aarch64\n";
    for entrypoint in [&[][..], &["--entrypoint", "python"]] {
        let python: &[&str] = match entrypoint {
            [] => &["python", "-c", program],
            _ => &["-c", program],
        };
        let options = [&["--platform", ARM], entrypoint].concat();
        let output = project.run(&options, python).expect_success();
        assert_eq!(output.stdout, expected);
    }
    // The lock has no python for the builder's platform; the emulated one compiles to the same bytes.
    let alone = ["--target", "prefix"];
    export_with(project, LOCK, ARM, "emulated", &alone);
    project.write("env.yml", env_yml(project, &FEW));
    export_with(project, "env.yml", ARM, "crossed", &alone);
    let emulated = bytecode(&project.path("emulated"));
    let mut crossed = bytecode(&project.path("crossed"));
    // A solved environment has pip as well.
    crossed.retain(|path, _| !path.starts_with("pip/"));
    assert!(
        emulated.keys().eq(crossed.keys()),
        "{:?} {:?}",
        emulated.keys(),
        crossed.keys()
    );
    for (path, content) in &emulated {
        assert!(crossed.get(path) == Some(content), "{path} differs");
    }
}

/// The lock is for both platforms, so the builder's python compiles modules, which would take an emulated one minutes.
fn wheels_run_with_emulation(project: &Project, wheel: &str) {
    project.write("conda-lock.yml", conda_lock(project) + &pip_entry(wheel));
    build(project, "conda-lock.yml", ARM, &[]).expect_success();
    let program = ["python", "-c", "import six; print(six.__name__)"];
    let output = project.run(&["--platform", ARM], &program).expect_success();
    assert_eq!(output.stdout, "six\n");
}
