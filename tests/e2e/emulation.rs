//! Images for another platform with emulation, and what is reported if emulation is missing.

use std::collections::BTreeMap;

use condafront_testkit::channel::{Channel, HashStyle, Package, WheelFile, lock, package};
use condafront_testkit::engine::{Output, Store};
use condafront_testkit::foreign::Emulation;

use crate::failure::{Failures, error_of, masked};
use crate::image::{history, inspect};
use crate::platforms::{
    ARM, BOTH, DEPENDENCIES, base_of_both, build, build_arg, bytecode, conda_lock, env_yml,
    export_with,
};
use crate::project::{LOCK, Project, frontend};

/// Python and a package with modules, for what an emulated python has to compile.
const FEW: [&str; 2] = ["python", "click"];

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
    let warned = warnings(project, &output);
    insta::assert_snapshot!("a_builder_without_emulation_warns", warned);

    // Without a base image for the builder, nothing can compile modules.
    let arm = base_of_both(project).replace("debian-two:13", "debian-arm64:13");
    let arm = build_arg("BASE_IMAGE", &arm);
    project.write("env.yml", env_yml(project, &["noarch-demo"]));
    let output = build(project, "env.yml", ARM, &[&arm[0], &arm[1]]).expect_success();
    let why = "the base image is for linux/arm64 only";
    assert!(output.stderr.contains(why), "{}", output.stderr);

    // An image that cannot be tried as its platforms start it is built all the same.
    let demo = Channel::open().closure_for("linux-aarch64", &["platform-demo"]);
    project.write(LOCK, arm_lock(project, &demo));
    let image = "environments: {base: env.lock}\nfor: [github-actions, apptainer]\n";
    project.write("image.yml", format!("# syntax={}\n{image}", frontend()));
    let output = build(project, "image.yml", ARM, &[]).expect_success();
    let warned = warnings(project, &output);
    insta::assert_snapshot!("a_builder_without_emulation_tries_nothing", warned);
    assert!(!output.stderr.contains("[for] try"), "{}", output.stderr);
}

/// The warnings of a build, in order: the client shows them in any.
fn warnings(project: &Project, output: &Output) -> String {
    let warnings = masked(project, &error_of(output));
    let mut warnings: Vec<&str> = warnings.lines().collect();
    warnings.sort_unstable();
    warnings.join("\n")
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
