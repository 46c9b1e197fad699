//! `pylock.toml`: what is for the environment is linked without asking pip.

use condafront_testkit::channel::WheelFile;
use condafront_testkit::engine::Store;
use sha2::{Digest as _, Sha256};

use crate::failure::error_of;
use crate::image::{each_prints, history};
use crate::pip::{CHECK, fill_index, hello, real_wheel, source_archive};
use crate::pip_lists::{sources, write};
use crate::project::{LOCK, Project, frontend};

/// A file on the project's server, as an inline table of a lock.
fn served(project: &Project, file: &str, content: Vec<u8>) -> String {
    let hash = hex::encode(Sha256::digest(&content));
    let path = format!("/pypi/{file}");
    project.server.put(&path, content);
    let url = project.server.url(&path);
    format!("{{url = '{url}', hashes = {{sha256 = '{hash}'}}}}")
}

fn package(name: &str, rest: &str) -> String {
    format!("[[packages]]\nname = '{name}'\n{rest}\n")
}

/// On one store: `wheels::the_image_is_that_of_pip` shows that linked wheels are the same on both.
#[test]
fn locked_wheels_are_linked_without_asking_pip() {
    let project = Project::new(Store::Containerd);
    let index = fill_index(&project);
    let wheel = |project: &Project, version: &str| {
        let wheel = hello(version);
        served(project, &wheel.file_name(), wheel.build())
    };
    let (markupsafe, content) = real_wheel("markupsafe");
    let markupsafe = served(&project, &markupsafe, content);
    let foreign = served(
        &project,
        "MarkupSafe-3.0.2-cp39-cp39-win_amd64.whl",
        Vec::new(),
    );
    let archive = source_archive(&[
        (
            "of_archive-1.0/setup.py",
            "from setuptools import setup\nsetup(name='of-archive', version='1.0', py_modules=['of_archive'])\n",
        ),
        ("of_archive-1.0/of_archive.py", "print('of an archive')\n"),
        (
            "of_archive-1.0/PKG-INFO",
            "Metadata-Version: 2.1\nName: of-archive\nVersion: 1.0\n",
        ),
    ]);
    let archive = served(&project, "of_archive-1.0.tar.bz2", archive);
    let carried = WheelFile::new("carried", "2.0").file("carried.py", "print('carried along')\n");
    let content = carried.build();
    std::fs::create_dir_all(project.path("locks")).expect("a folder");
    let carried = carried.file_name();
    let hash = hex::encode(Sha256::digest(&content));
    // The name in the lock counts, not the file's own.
    std::fs::write(project.path("locks/12"), content).expect("a wheel");
    sources(&project, "demo", "demo");
    let lock = |hello: &str| {
        [
            "lock-version = '1.0'\nrequires-python = '>=3.9'\nextras = ['more']\n".to_owned(),
            package("hello.world", &format!("wheels = [{hello}]")),
            package("markupsafe", &format!("wheels = [{foreign}, {markupsafe}]")),
            package("of-archive", &format!("sdist = {archive}")),
            package("carried", &format!("marker = \"'more' in extras\"\nwheels = [{{path = '12', name = '{carried}', hashes = {{sha256 = '{hash}'}}}}]")),
            package("demo", "directory = {path = '../demo'}"),
            package("colorama", &format!("marker = \"sys_platform == 'win32'\"\nsdist = {foreign}")),
        ]
        .concat()
    };
    let channel = project.channel();
    let text = format!(
        "# syntax={}\nchannels: [\"{channel}\"]\ndependencies:\n  - python\n  - pip:\n      - -r locks/pylock.toml\n",
        frontend()
    );
    project.write(LOCK, text);
    let args = [
        "--network",
        "host",
        "--build-arg",
        &index,
        "--build-arg",
        "CONDA_LOCK_CATEGORIES=more",
    ];
    write(
        &project,
        "locks/pylock.toml",
        &lock(&wheel(&project, "1.0")),
    );
    project.build(&args).expect_success();
    let commands = [
        ("hello", "hello 1.0\n"),
        ("python -m demo", "demo of the context\n"),
        ("python -m of_archive", "of an archive\n"),
        ("python -m carried", "carried along\n"),
        ("python -c 'import markupsafe._speedups'", ""),
        ("pip check", "No broken requirements found.\n"),
    ];
    each_prints(|words| project.run(&[], words), &commands);
    let output = project.run(&["--user", "root"], &["python", "-B", "-c", CHECK]);
    let checked = "checked carried demo hello-world markupsafe of-archive\n";
    assert_eq!(output.expect_success().stdout, checked);
    let layers = history(&project, project.tag()).join("\n");
    assert!(!layers.contains("[pip] install "), "{layers}");

    // One wheel changes: it is downloaded, and no other. No index is asked for what is locked. (BuildKit may build the
    // archive again while other tests use the engine.)
    write(
        &project,
        "locks/pylock.toml",
        &lock(&wheel(&project, "1.5")),
    );
    project.server.clear();
    let built = project.build(&args).expect_success();
    let requested = project.packages_requested();
    let of_pip: Vec<&String> = requested
        .iter()
        .filter(|path| path.starts_with("/simple") || path.starts_with("/pypi"))
        .filter(|path| !path.contains("setuptools"))
        .collect();
    assert_eq!(
        of_pip,
        ["/pypi/hello_world-1.5-py3-none-any.whl"],
        "{}",
        built.stderr
    );
    let output = project.run(&[], &["hello"]).expect_success();
    assert_eq!(output.stdout, "hello 1.5\n");

    // A lock for other platforms.
    let only_foreign = lock(&wheel(&project, "1.5")).replace(&format!(", {markupsafe}"), "");
    write(&project, "locks/pylock.toml", &only_foreign);
    let error = error_of(&project.build(&args).expect_failure());
    assert!(error.contains("locks/pylock.toml:8\n"), "{error}");
    assert!(
        error.contains("no wheel of markupsafe in the lock is for this image"),
        "{error}"
    );
}
