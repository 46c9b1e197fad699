//! What users read when a build fails. The snapshots are meant to be read.

use std::net::TcpListener;

use condafront_testkit::channel::{self, Channel, Package};
use condafront_testkit::engine::{Store, registry};
use condafront_testkit::server::{Auth, Fault, Times};

use crate::failure::Failures;
use crate::project::{LOCK, Project, frontend};

/// A lock of one line.
pub(crate) fn lock_of(line: &str) -> String {
    format!("@EXPLICIT\n{line}\n")
}

/// The lock line of a package below `base`.
pub(crate) fn pinned(project: &Project, base: &str, package: &Package) -> String {
    let url = project.server.url(&format!("{base}/{}", package.path()));
    format!("{url}#{}", package.sha256)
}

/// The lock line of a package that works.
pub(crate) fn good(project: &Project) -> String {
    pinned(project, "conda-forge", Channel::open().find("bumpme"))
}

/// Serves a package made for one test and returns its lock line.
pub(crate) fn serve(project: &Project, name: &str, files: &[(&str, &str, u32)]) -> String {
    let (package, archive) = channel::package(name, "1.0", files);
    project
        .server
        .put(&format!("/own/{}", package.path()), archive);
    pinned(project, "own", &package)
}

/// A hash that no package has.
pub(crate) fn no_hash(seed: u32) -> String {
    format!("{seed:064x}")
}

/// A lock with a good package first and `line` below it.
pub(crate) fn second(project: &Project, line: &str) -> String {
    lock_of(&format!("{}\n{line}", good(project)))
}

#[test]
fn files_that_are_not_locks() {
    let project = Project::new(Store::Containerd);
    let mut failures = Failures::new(&project);
    let arm = Channel::open().find_for("linux-aarch64", "aarch64-only");
    failures
        .add("an empty file", "", &[])
        .add("an empty lock", "@EXPLICIT\n# nothing yet\n", &[])
        .add(
            "a lock for another platform",
            format!(
                "# platform: linux-aarch64\n{}",
                lock_of(&pinned(&project, "conda-forge", arm))
            ),
            &[],
        )
        .add(
            "an environment file",
            "name: base\nchannels: [conda-forge]\ndependencies:\n  - python=3.13\n",
            &[],
        )
        .add(
            "binary garbage",
            b"\x7fELF\x02\x01\x01\0\0\xff\xfe\n\x80\x81\n",
            &[],
        )
        .add(
            "a web page that was saved instead",
            "<!DOCTYPE html>\n<html><body>Sign in</body></html>\n",
            &[],
        )
        .add(
            "a package name instead of a URL",
            second(&project, "numpy 2.1.0 py313_0"),
            &[],
        )
        .add(
            "a wheel",
            second(
                &project,
                "https://files.pythonhosted.org/packages/numpy-2.1.0-cp313-cp313-manylinux.whl",
            ),
            &[],
        )
        .add(
            "an invalid hash",
            second(&project, &format!("{}0", good(&project))),
            &[],
        )
        .add(
            "two versions of a package",
            second(
                &project,
                &pinned(&project, "conda-forge", Channel::open().find("bumpme=1.0")),
            ),
            &[],
        );
    let syntax = format!("BUILDKIT_SYNTAX={}", frontend());
    let missing = project.build_as_is(&["--build-arg", &syntax, "-f", "missing.lock"]);
    failures.add_output("a missing file", missing);
    insta::assert_snapshot!(failures.text());
}

#[test]
fn settings_that_make_no_sense() {
    let project = Project::new(Store::Containerd);
    let mut failures = Failures::new(&project);
    let lock = lock_of(&good(&project));
    let missing = format!("BASE_IMAGE={}/no-such-image:1", registry());
    let unreachable = format!("BASE_IMAGE={}/debian:13-slim", closed_port());
    for (title, arg) in [
        ("an invalid number", "CONDAFRONT_LAYERS=many"),
        ("an unknown build-arg", "CONDAFRONT_LAYER=20"),
        ("an invalid user ID", "MAMBA_USER_ID=ada"),
        ("an invalid user name", "MAMBA_USER=ada lovelace"),
        ("root with another ID", "MAMBA_USER=root"),
        ("a user name of the base image", "MAMBA_USER=daemon"),
        ("an unknown installer", "CONDAFRONT_INSTALLER=conda"),
        ("invalid mirrors", "CONDA_MIRRORS=https://mirror.test"),
        ("an invalid base image name", "BASE_IMAGE=Debian:13:slim"),
        ("a base image that does not exist", &missing),
        ("a base image that cannot be reached", &unreachable),
    ] {
        let mut args = vec!["--build-arg", arg];
        if arg.ends_with("=root") || arg.ends_with("=daemon") {
            args.extend(["--build-arg", "MAMBA_USER_ID=4321"]);
        }
        failures.add(title, &lock, &args);
    }
    failures.add(
        "a platform without images",
        &lock,
        &["--platform", "linux/s390x"],
    );
    let text = failures
        .text()
        .replace(&closed_port_of(&unreachable), "closed.test");
    insta::assert_snapshot!(text);
}

#[test]
fn downloads_that_fail_for_good() {
    let project = Project::new(Store::Containerd);
    let mut failures = Failures::new(&project);
    let server = &project.server;
    let token = Auth::Bearer("secret".to_owned());
    server.mount_private("/private", Channel::open().directory(), token);
    server.fault("/forbidden/*", Fault::Status(403), Times::Always);
    server.fault("/wall/*", Fault::Html, Times::Always);
    let line = |folder: &str, hash: &str| {
        let url = server.url(&format!("{folder}/noarch/absent-1.0-0.conda"));
        second(&project, &format!("{url}{hash}"))
    };
    let sha256 = |seed| format!("#sha256:{}", no_hash(seed));
    let md5 = format!("#{:032x}", 7);
    let closed = closed_port();
    let changed = Channel::open().find("file-kinds");
    let changed = server.url(&format!("conda-forge/{}", changed.path()));
    failures
        .add("401 Unauthorized", line("private", &sha256(1)), &[])
        .add("403 Forbidden", line("forbidden", &sha256(2)), &[])
        .add("404 Not Found", line("conda-forge", &sha256(3)), &[])
        .add(
            "404 for a package without a hash",
            line("conda-forge", ""),
            &[],
        )
        .add(
            "a web page instead of a package",
            line("wall", &sha256(4)),
            &[],
        )
        .add("a web page, only an md5", line("wall", &md5), &[])
        .add("a web page, no hash", line("wall", ""), &[])
        .add(
            "a different sha256",
            second(&project, &format!("{changed}{}", sha256(5))),
            &[],
        )
        .add(
            "a different md5",
            second(&project, &format!("{changed}{md5}")),
            &[],
        )
        .add(
            "a host that does not exist",
            second(
                &project,
                &format!(
                    "http://no-such-host.invalid/f/noarch/absent-1.0-0.conda{}",
                    sha256(6)
                ),
            ),
            &[],
        )
        .add(
            "a host that refuses connections",
            second(
                &project,
                &format!("http://{closed}/f/noarch/absent-1.0-0.conda{}", sha256(7)),
            ),
            &[],
        );
    let several: Vec<String> = [
        ("private", 11),
        ("forbidden", 12),
        ("conda-forge", 13),
        ("wall", 14),
    ]
    .into_iter()
    .map(|(folder, seed)| {
        let url = server.url(&format!("{folder}/noarch/absent-{folder}-1.0-0.conda"));
        format!("{url}{}", sha256(seed))
    })
    .collect();
    failures.add(
        "several at once",
        second(&project, &several.join("\n")),
        &[],
    );
    insta::assert_snapshot!(failures.text().replace(&closed, "closed.test"));
}

#[test]
fn archives_that_are_refused() {
    let project = Project::new(Store::Containerd);
    let hostile = Channel::hostile();
    project.server.mount("/hostile", hostile.directory());
    let mut failures = Failures::new(&project);
    // Reading both formats is tested without an engine.
    let bz2 = ["dotdot-bz2", "truncated-bz2"];
    let is_wanted =
        |package: &&Package| !package.name.ends_with("-bz2") || bz2.contains(&&*package.name);
    for package in hostile.packages().iter().filter(is_wanted) {
        let lock = second(&project, &pinned(&project, "hostile", package));
        if package.name == "wrong-content" {
            // Real packages have this fault, and other installers ignore it.
            project.write(LOCK, format!("# syntax={}\n{lock}", frontend()));
            let output = project.build(&[]).expect_success();
            let warning = format!(
                "PackageContents: {} 1.0: 1 of its files do not match its own info/paths.json, \
                 the first is share/{}/readme.txt (env.lock:4)",
                package.name, package.name
            );
            assert!(output.stderr.contains(&warning), "{}", output.stderr);
        } else {
            failures.add(&package.name, lock, &[]);
        }
    }
    insta::assert_snapshot!(failures.text());
}

/// In one layer, the install step refuses them; in several, the step that collects what all packages have.
#[test]
fn packages_that_do_not_fit_together() {
    let project = Project::new(Store::Containerd);
    let mut failures = Failures::new(&project);
    let file = serve(&project, "is-a-file", &[("share/x", "a file\n", 0o644)]);
    let folder = serve(
        &project,
        "is-a-folder",
        &[("share/x/y", "below it\n", 0o644)],
    );
    let lock = lock_of(&format!("{}\n{file}\n{folder}", good(&project)));
    for layers in ["1", "auto"] {
        let arg = format!("CONDAFRONT_LAYERS={layers}");
        failures.add(
            &format!("layers: {layers}"),
            lock.clone(),
            &["--build-arg", &arg],
        );
    }
    insta::assert_snapshot!(failures.text());
}

#[test]
fn steps_in_the_image_that_fail() {
    let project = Project::new(Store::Containerd);
    let mut failures = Failures::new(&project);
    let post_link = pinned(
        &project,
        "conda-forge",
        Channel::open().find("post-link-fails"),
    );
    let ends = serve(
        &project,
        "activate-ends",
        &[(
            "etc/conda/activate.d/ends.sh",
            "echo 'no licence found' >&2\nexit 7\n",
            0o644,
        )],
    );
    let unparsable = serve(
        &project,
        "activate-unparsable",
        &[(
            "etc/conda/activate.d/unparsable.sh",
            "if true; then\necho never\n",
            0o644,
        )],
    );
    failures
        .add(
            "a post-link script that fails",
            second(&project, &post_link),
            &[],
        )
        .add(
            "an activation script that ends the shell",
            second(&project, &ends),
            &[],
        )
        .add(
            "an activation script that cannot be parsed",
            second(&project, &unparsable),
            &[],
        )
        .add(
            "a script, and no shell",
            second(&project, &ends),
            &["--build-arg", "BASE_IMAGE=scratch"],
        )
        .add(
            "a post-link script, and no shell",
            second(&project, &post_link),
            &["--build-arg", "BASE_IMAGE=scratch"],
        );
    insta::assert_snapshot!(failures.text());
}

#[test]
fn an_engine_that_lacks_something() {
    let project = Project::new(Store::Classic);
    let mut failures = Failures::new(&project);
    let args = ["--build-arg", "CONDAFRONT_LAYERS=20"];
    failures.add(
        "layers, and no merge operation",
        lock_of(&good(&project)),
        &args,
    );
    insta::assert_snapshot!(failures.text());
}

/// The address of a port where nothing listens.
fn closed_port() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("its address").to_string()
}

fn closed_port_of(arg: &str) -> String {
    arg.trim_start_matches("BASE_IMAGE=")
        .split('/')
        .next()
        .unwrap_or_default()
        .to_owned()
}
