//! The other targets: the environment alone, and a folder from which to build it without network.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use condafront_testkit::channel::{self, Channel, HashStyle};
use condafront_testkit::engine::{self, Store};
use condafront_testkit::needs::micromamba;
use serde_json::Value;

use crate::failure::Failures;
use crate::image::{Image, inspect};
use crate::installers::{build_with_package, package_of, serve_package};
use crate::pip::{hello, index};
use crate::project::{LOCK, Project, base, frontend, on_both_stores};

/// Checks that conda's and pip's packages work together in the environments below.
const WORKS: &str =
    "import hello_world, noarch_demo, os, sys; print(os.environ['ACTIVATE_DEMO_HOME'], sys.prefix)";

fn write(project: &Project, text: &str) {
    project.write(LOCK, format!("# syntax={}\n{text}", frontend()));
}

/// An env.yml with these channels and dependencies.
fn env(channels: &[String], dependencies: &[&str]) -> String {
    let list =
        |items: &[&str]| -> String { items.iter().map(|item| format!("  - {item}\n")).collect() };
    let channels: Vec<&str> = channels.iter().map(String::as_str).collect();
    format!(
        "channels:\n{}dependencies:\n{}",
        list(&channels),
        list(dependencies)
    )
}

fn the_environment_alone_is_copied_into_other_images(store: Store) {
    let project = Project::new(store);
    let channel = [project.channel().to_owned()];
    let alone = Image::named(&project, format!("{}-prefix", project.name()));
    let app = format!(
        "FROM {}\nCOPY --from={} /opt/conda /opt/conda\n",
        base(),
        alone.tag()
    );
    // With a post-link script, which needs a shell, and without.
    for (dependencies, program, works, printed) in [
        (
            &["prefix-demo", "activate-demo", "post-link-demo"][..],
            "/bin/prefix-demo",
            "/opt/conda/bin/prefix-demo",
            "program /opt/conda\n",
        ),
        (
            &["python", "noarch-demo", "activate-demo"],
            "/bin/python",
            "/opt/conda/bin/python -c 'import noarch_demo, sys; print(sys.prefix)'",
            "/opt/conda\n",
        ),
    ] {
        write(&project, &env(&channel, dependencies));
        let build = ["--target", "prefix", "-t", alone.tag()];
        project.build(&build).expect_success();
        let copied = Image::from_dockerfile(&project, &app);
        let list = format!(
            "set -e; {works}; ls / | grep -v -x -e .dockerenv | tr '\\n' ' '; ls /opt; stat -c '%n %u:%g' /opt/conda /opt/conda{program} /opt/conda/conda-meta/history; cat /opt/conda/share/post-link-demo/* 2>/dev/null || true; ls /usr/local/bin"
        );
        let output = copied.run(&[], &["sh", "-c", &list]).expect_success();
        assert!(output.stdout.starts_with(printed), "{}", output.stdout);
        // COPY creates the directory itself.
        for owned in [program, "/conda-meta/history"] {
            let line = format!("/opt/conda{owned} 57439:57439\n");
            assert!(output.stdout.contains(&line), "{}", output.stdout);
        }
        assert!(!output.stdout.contains("_entrypoint"), "{}", output.stdout);
        let is_linked = output.stdout.contains("post-link\n");
        assert_eq!(is_linked, dependencies.contains(&"post-link-demo"));

        // An image built from it has the environment's variables.
        let env: BTreeSet<String> =
            serde_json::from_value(inspect(&project, alone.tag(), "{{json .Config.Env}}"))
                .expect("a list of variables");
        for variable in [
            "CONDA_PREFIX=/opt/conda",
            "ACTIVATE_DEMO_HOME=/opt/conda/share/activate-demo",
        ] {
            assert!(env.contains(variable), "{env:?}");
        }
        assert!(
            env.iter().any(|it| it.starts_with("PATH=/opt/conda/bin:")),
            "{env:?}"
        );
    }

    let out = project.path("out");
    let args = ["--target", "prefix", "-o", "out"];
    project.build_file(LOCK, &args).expect_success();
    let names: Vec<_> = fs::read_dir(&out).expect("the folder").collect();
    assert_eq!(names.len(), 1, "{names:?}");
    assert!(out.join("opt/conda/conda-meta/history").is_file());
    assert!(out.join("opt/conda/bin/python").exists());
    let inventory = out.join("opt/conda/share/sbom/condafront.spdx.json");
    let text = fs::read_to_string(&inventory).expect("an inventory");
    assert!(
        text.contains("pkg:conda/python@") && !text.contains("pkg:oci/"),
        "{text}"
    );

    let args = ["--target", "prefix", "-o", "type=tar,dest=env.tar"];
    project.build_file(LOCK, &args).expect_success();
    let mut tar = std::process::Command::new("tar");
    let listed = tar.arg("-tf").arg(project.path("env.tar")).output();
    let listed = listed.expect("tar runs").stdout;
    let listed = String::from_utf8_lossy(&listed);
    let has = |path: &str| listed.lines().any(|line| line == path);
    assert!(
        has("opt/conda/bin/python") && !has("etc/passwd"),
        "{listed}"
    );
}

/// An env.yml with packages from two channels and a pip index, all on the project's server, and the build-arg that
/// names the index.
fn site(project: &Project) -> (String, String) {
    let server = &project.server;
    server.mount("/own", Channel::small().directory());
    let channels = ["/own", "/conda-forge"].map(|name| server.url(name));
    let conda = ["python", "pip", "activate-demo", "noarch-demo"];
    let mut text = env(&channels, &conda);
    server.put("/limits.txt", "hello-world<2\n");
    let limits = server.url("limits.txt");
    text.push_str(&format!("  - pip: [hello-world, -c {limits}]\n"));
    let wheels = ["1.0", "2.0"].map(hello);
    let wheels = wheels.map(|wheel| (wheel.file_name(), wheel.build()));
    index(project, "hello-world", &wheels);
    (text, format!("PIP_INDEX_URL={}", server.url("simple/")))
}

/// The names in a folder, sorted.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    let mut names: Vec<String> = names
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// Copies a folder, as if to another machine.
fn carry(from: &Path, to: &Path) {
    let mut copy = Command::new("cp");
    engine::run(copy.arg("-r").arg(from).arg(to)).expect_success();
}

/// The name of the project's server in the folder of the target `channel`.
fn host(project: &Project) -> String {
    let address = project.server.address().to_string();
    format!("http+{}", address.replace(':', "+"))
}

/// Checks that each of these subdirs lists exactly the packages that it has.
fn assert_listed(folder: &Path, subdirs: &[&str]) {
    for subdir in subdirs {
        let subdir = folder.join(subdir);
        let list = fs::read(subdir.join("repodata.json")).expect("a list");
        let list: Value = serde_json::from_slice(&list).expect("JSON");
        let mut listed = vec!["repodata.json".to_owned(), "repodata.json.zst".to_owned()];
        for key in ["packages", "packages.conda"] {
            listed.extend(list[key].as_object().expect("records").keys().cloned());
        }
        listed.sort();
        assert_eq!(names(&subdir), listed, "{subdir:?}");
    }
}

/// The folder is made on one engine and used on another, which cannot reuse anything from an earlier build.
fn a_folder_is_all_that_a_build_needs(here: Store, there: Store) {
    let project = Project::new(here);
    let (text, pip) = site(&project);
    write(&project, &text);
    let online = ["--build-arg", &pip, "--network", "host"];
    for args in [
        ["--target", "channel", "-o", "channel"],
        ["--target", "lock", "-o", "."],
    ] {
        project
            .build_file(LOCK, &[&args[..], &online].concat())
            .expect_success();
    }
    let folder = project.path("channel");
    let host = host(&project);
    assert_eq!(names(&folder), [&*host, "pypi"]);
    assert_eq!(names(&folder.join(&host)), ["conda-forge", "own"]);
    let subdirs = [
        "conda-forge/linux-64",
        "conda-forge/noarch",
        "own/linux-64",
        "own/noarch",
    ];
    assert_listed(&folder.join(&host), &subdirs);
    let lock = fs::read_to_string(project.path("conda-linux-64.lock")).expect("a lock");
    for line in lock.lines().filter(|line| line.starts_with("http")) {
        let url = line.split('#').next().unwrap_or_default();
        let path = url.replacen(&project.server.url(""), "", 1);
        assert!(folder.join(&host).join(&path).is_file(), "{path}");
    }
    let away = Project::new(there);
    carry(&folder, &away.path("channel"));
    // Few layers, because all of them are made twice.
    let one_layer = ["--build-arg", "CONDAFRONT_LAYERS=1"];
    // Only this store can push.
    let layers = (there == Store::Containerd).then(|| {
        write(&away, &text);
        let args = [&online[..], &one_layer].concat();
        away.push("online", &args).layers
    });

    // The server is gone, and there is no network.
    drop(project);
    let offline = ["--build-context", "channel=channel", "--network", "none"];
    for text in [&text, &lock] {
        write(&away, text);
        // If layers are compared, the second build must not use the results of the first.
        let is_cold = layers.is_some() && text == &lock;
        let cold = if is_cold { &["--no-cache"][..] } else { &[] };
        away.build(&[&offline[..], &one_layer, cold].concat())
            .expect_success();
        let script = format!(
            "set -e; python -c \"{WORKS}\"; hello; cat /opt/conda/conda-meta/*.json | grep '\"url\"'"
        );
        let output = away.run(&[], &["sh", "-c", &script]).expect_success();
        let works = "/opt/conda/share/activate-demo /opt/conda\nhello 1.0\n";
        let urls = output.stdout.strip_prefix(works);
        let urls = urls.unwrap_or_else(|| panic!("{}", output.stdout));
        assert!(!urls.contains("file:"), "{urls}");
        assert!(urls.contains("/own/noarch/"), "{urls}");
        if let Some(layers) = &layers {
            let args = [&offline[..], &one_layer].concat();
            assert_eq!(&away.push("offline", &args).layers, layers);
        }
    }
    assert_eq!(away.packages_requested(), [""; 0]);
}

#[test]
fn what_is_missing_from_the_folder_is_reported_at_its_line() {
    let project = Project::new(Store::Containerd);
    let channel = Channel::open();
    let [first, second, other] = ["bumpme", "file-kinds", "text-prefix"].map(|it| channel.find(it));
    let lock = |packages: &[&channel::Package]| {
        channel::lock(
            packages,
            &project.server.url("/conda-forge"),
            HashStyle::Sha256,
        )
    };
    write(&project, &lock(&[first, second]));
    let make = ["--target", "channel", "-o", "channel"];
    project.build_file(LOCK, &make).expect_success();
    let given = ["--build-context", "channel=channel"];
    let mut failures = Failures::new(&project);
    failures
        .add(
            "a package missing from the folder",
            lock(&[first, other]),
            &given,
        )
        .add(
            "a channel missing from the folder",
            env(&["https://conda.invalid/nowhere".to_owned()], &["bumpme"]),
            &given,
        )
        .add(
            "a package missing from the channel in the folder",
            env(&[project.server.url("/conda-forge")], &["text-prefix"]),
            &given,
        )
        .add(
            "a list for pip missing from the folder",
            env(&[project.server.url("/conda-forge")], &["bumpme"])
                + &format!("  - pip: [-c {}]\n", project.server.url("limits.txt")),
            &given,
        )
        .add(
            "an installer missing from the folder",
            lock(&[first]),
            &[
                &given[..],
                &["--build-arg", "CONDAFRONT_INSTALLER=micromamba"],
            ]
            .concat(),
        );
    let path = project.path("channel").join(host(&project));
    let path = path.join("conda-forge").join(second.path());
    fs::write(&path, "something else").expect("a different file");
    failures.add("a different file", lock(&[first, second]), &given);
    fs::create_dir(project.path("empty")).expect("a folder");
    let empty = ["--build-context", "channel=empty"];
    failures.add("an empty folder", lock(&[first]), &empty);
    let text = failures
        .text()
        .replace(&host(&project), "http+channel.test");
    assert_eq!(
        project
            .packages_requested()
            .iter()
            .filter(|path| path.contains("text-prefix"))
            .count(),
        0
    );
    insta::assert_snapshot!(text);
}

/// The folder as an image, with the installer in it.
#[test]
#[ignore = "needs a micromamba"]
fn needs_micromamba_the_folder_may_be_an_image_and_has_the_installer() {
    let program = micromamba();
    let project = Project::with_own_channel(Store::Containerd);
    let hash = serve_package(&project, "2.8.1-7", package_of(&program));
    let version = format!("2.8.1-7#sha256:{hash}");
    project.lock(&["bumpme", "file-kinds"]);
    let image = format!("{}/{}-channel", engine::registry(), project.name());
    build_with_package(&project, &version, &["--target", "channel"]).expect_success();
    for args in [["tag", project.tag(), &image].as_slice(), &["push", &image]] {
        project.docker(args).expect_success();
    }
    build_with_package(
        &project,
        &version,
        &["--target", "channel", "-o", "channel"],
    )
    .expect_success();
    let forge = project.path("channel/conda.anaconda.org/conda-forge");
    assert_listed(&forge, &["linux-64", "noarch"]);

    // A real micromamba can use the folder as a channel.
    let folder = project
        .path("channel")
        .join(host(&project))
        .join("conda-forge");
    let root = project.path("micromamba");
    let mut create = Command::new(&program);
    create
        .args([
            "create",
            "--yes",
            "--offline",
            "--no-rc",
            "--override-channels",
        ])
        .args(["--channel", &format!("file://{}", folder.display())])
        .arg("--root-prefix")
        .arg(&root)
        .args(["--name", "it", "bumpme", "file-kinds"])
        .env("HOME", project.path("."));
    engine::run(&mut create).expect_success();
    assert!(root.join("envs/it/share/bumpme/version.txt").is_file());

    let text = fs::read_to_string(project.path(LOCK)).expect("the lock");
    drop(project);
    let away = Project::fresh(Store::Containerd);
    away.write(LOCK, text);
    let channel = format!("channel=docker-image://{image}");
    let given = ["--build-context", &channel, "--network", "none"];
    build_with_package(&away, &version, &given).expect_success();
    let show = "cat /opt/conda/share/bumpme/version.txt";
    let output = away.run(&[], &["sh", "-c", show]).expect_success();
    assert_eq!(output.stdout, "2.0\n");
    assert_eq!(away.packages_requested(), [""; 0]);
}

#[test]
fn a_folder_of_the_containerd_store_is_all_that_a_build_needs() {
    a_folder_is_all_that_a_build_needs(Store::Containerd, Store::Classic);
}

#[test]
fn a_folder_of_the_classic_store_is_all_that_a_build_needs() {
    a_folder_is_all_that_a_build_needs(Store::Classic, Store::Containerd);
}

on_both_stores!(the_environment_alone_is_copied_into_other_images);
