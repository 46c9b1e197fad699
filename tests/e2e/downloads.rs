//! Downloads that fail temporarily, have several sources, or have no sha256.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};

use condafront_testkit::channel::{self, Package};
use condafront_testkit::engine::{Output, Store};
use condafront_testkit::server::{Auth, Fault, Request, Times, Validators};

use crate::failure::{error_of, masked};
use crate::project::{LOCK, Project, frontend};

/// Packages that no engine has seen, served below `/own`.
struct Fresh {
    project: Project,
    packages: Vec<Package>,
}

impl Fresh {
    fn new(store: Store, count: usize) -> Self {
        let project = Project::new(store);
        let packages = (0..count)
            .map(|_| {
                let (package, archive) = fresh_package("1.0");
                project
                    .server
                    .put(&format!("/own/{}", package.path()), archive);
                package
            })
            .collect();
        Self { project, packages }
    }

    /// Writes a lock of the packages below `url`, each with its `hash`.
    fn lock(&self, url: &str, hash: impl Fn(&Package) -> String) {
        let lines: Vec<String> = self
            .packages
            .iter()
            .map(|package| format!("{url}/{}{}", package.path(), hash(package)))
            .collect();
        let text = format!("# syntax={}\n@EXPLICIT\n{}\n", frontend(), lines.join("\n"));
        self.project.write(LOCK, text);
    }

    fn build(&self, args: &[&str]) -> Output {
        self.lock(&self.project.server.url("own"), sha256);
        self.project.build(args)
    }

    /// The statuses that the server answered with, for each package.
    fn statuses(&self) -> BTreeMap<usize, Vec<u16>> {
        let mut all = BTreeMap::new();
        for request in self.project.server.requests() {
            let is_it = |package: &Package| request.path.ends_with(&package.file_name);
            if let Some(index) = self.packages.iter().position(is_it) {
                all.entry(index)
                    .or_insert_with(Vec::new)
                    .push(request.status);
            }
        }
        all
    }

    /// Checks that the files of all packages are in the image.
    fn expect_installed(&self) {
        let paths = self.packages.iter();
        let paths = paths.map(|package| format!("/opt/conda/share/{}.txt", package.name));
        let paths: Vec<String> = paths.collect();
        let mut command = vec!["cat"];
        command.extend(paths.iter().map(String::as_str));
        self.project.run(&[], &command).expect_success();
    }
}

/// A package that differs from those of all other runs.
pub(crate) fn fresh_package(version: &str) -> (Package, Vec<u8>) {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let since = std::time::UNIX_EPOCH.elapsed().expect("a clock").as_nanos();
    let name = format!("fresh-{number}-{since:x}");
    let path = format!("share/{name}.txt");
    channel::package(&name, version, &[(&path, version, 0o644)])
}

fn sha256(package: &Package) -> String {
    format!("#sha256:{}", package.sha256)
}

fn md5(package: &Package) -> String {
    format!("#{}", package.md5)
}

#[test]
fn each_package_is_requested_once() {
    let fresh = Fresh::new(Store::Containerd, 4);
    fresh.build(&[]).expect_success();
    let once = (0..4).map(|index| (index, vec![200]));
    assert_eq!(fresh.statuses(), once.collect());
}

fn a_temporary_failure_does_not_fail_the_build(store: Store, fault: Fault, times: Times) {
    build_with_fault(store, fault, times, &[]);
}

fn build_with_fault(store: Store, fault: Fault, times: Times, args: &[&str]) {
    let fresh = Fresh::new(store, 4);
    let pattern = format!("*/{}", fresh.packages[0].file_name);
    let pattern = match times {
        Times::FirstOfEach(_) => "*",
        _ => &pattern,
    };
    // `faults.rs` has the others.
    fresh.project.server.validators("*", Validators::None);
    fresh.project.server.fault(pattern, fault, times);
    fresh.build(args).expect_success();
    fresh.expect_installed();
    if args.is_empty() {
        // What a retry downloaded is cached like what the first attempt downloaded.
        fresh.project.server.clear();
        fresh.build(&[]).expect_success();
        assert_eq!(fresh.statuses(), BTreeMap::new());
    }
}

#[test]
fn a_reset_connection() {
    a_temporary_failure_does_not_fail_the_build(Store::Containerd, Fault::Reset, Times::First(1));
}

#[test]
fn reset_connections_of_every_package_on_the_classic_store() {
    a_temporary_failure_does_not_fail_the_build(
        Store::Classic,
        Fault::Reset,
        Times::FirstOfEach(1),
    );
}

#[test]
fn a_server_error() {
    a_temporary_failure_does_not_fail_the_build(
        Store::Containerd,
        Fault::Status(500),
        Times::First(2),
    );
}

#[test]
fn a_server_error_without_cache() {
    let fault = Fault::Status(500);
    build_with_fault(
        Store::Containerd,
        fault,
        Times::FirstOfEach(1),
        &["--no-cache"],
    );
}

#[test]
fn a_busy_server() {
    a_temporary_failure_does_not_fail_the_build(
        Store::Containerd,
        Fault::Status(503),
        Times::FirstOfEach(2),
    );
}

#[test]
fn a_body_that_ends_too_early() {
    a_temporary_failure_does_not_fail_the_build(
        Store::Containerd,
        Fault::ShortBody,
        Times::FirstOfEach(1),
    );
}

#[test]
fn a_body_that_ends_too_early_on_the_classic_store() {
    a_temporary_failure_does_not_fail_the_build(Store::Classic, Fault::ShortBody, Times::First(1));
}

#[test]
fn finished_downloads_are_not_requested_again() {
    let fresh = Fresh::new(Store::Containerd, 5);
    let bad = format!("*/{}", fresh.packages[4].file_name);
    fresh
        .project
        .server
        .fault(&bad, Fault::Status(500), Times::Always);
    let error = error_of(&fresh.build(&[]).expect_failure());
    assert!(error.contains("500 Internal Server Error"), "{error}");
    let first = fresh.statuses();
    for index in 0..4 {
        // When a download fails, BuildKit cancels those in progress. Each is requested again, once.
        let statuses = &first[&index];
        assert!(statuses.len() <= 2, "package {index}: {statuses:?}");
        assert_eq!(statuses.last(), Some(&200), "package {index}");
    }
    // One for the package, one for the reason, and three retries.
    assert_eq!(first[&4], [500; 5]);

    fresh.project.server.clear();
    fresh.project.server.heal();
    fresh.build(&[]).expect_success();
    assert_eq!(fresh.statuses(), BTreeMap::from([(4, vec![200])]));
}

#[test]
fn the_second_mirror_is_used_when_the_first_fails_for_good() {
    let fresh = Fresh::new(Store::Containerd, 3);
    let server = &fresh.project.server;
    server.fault("/first/*", Fault::Status(404), Times::Always);
    let mirrors = format!(
        "CONDA_MIRRORS=http://channel.invalid={} http://channel.invalid={}",
        server.url("first"),
        server.url("own")
    );
    fresh.lock("http://channel.invalid", sha256);
    fresh
        .project
        .build(&["--build-arg", &mirrors])
        .expect_success();
    fresh.expect_installed();
    let record = format!(
        "/opt/conda/conda-meta/{}.json",
        fresh.packages[0]
            .file_name
            .trim_end_matches(".conda")
            .trim_end_matches(".tar.bz2")
    );
    let record = fresh.project.run(&[], &["cat", &record]).expect_success();
    let url = format!("http://channel.invalid/{}", fresh.packages[0].path());
    assert!(record.stdout.contains(&url), "{}", record.stdout);
}

#[test]
fn a_package_without_a_sha256_is_revalidated_and_not_downloaded_again() {
    let fresh = Fresh::new(Store::Containerd, 2);
    let server = &fresh.project.server;
    fresh.lock(&server.url("own"), md5);
    fresh.project.build(&[]).expect_success();
    fresh.expect_installed();
    server.clear();
    fresh.project.build(&[]).expect_success();
    let requests = server.requests();
    assert!(!requests.is_empty());
    let is_light = |request: &Request| request.status == 304 || request.method == "HEAD";
    assert!(requests.iter().all(is_light), "{requests:#?}");
    assert!(
        requests
            .iter()
            .all(|request| request.if_none_match.is_some())
    );
}

#[test]
fn changed_content_at_the_same_url_is_noticed_by_its_md5() {
    let fresh = Fresh::new(Store::Containerd, 2);
    let server = &fresh.project.server;
    fresh.lock(&server.url("own"), md5);
    fresh.project.build(&[]).expect_success();
    let path = format!("/own/{}", fresh.packages[1].path());
    server.put(&path, fresh_package("2.0").1);
    let error = error_of(&fresh.project.build(&[]).expect_failure());
    assert!(error.contains("does not match its hash"), "{error}");
    assert!(error.starts_with("env.lock:4"), "{error}");
}

#[test]
fn packages_without_a_hash_are_warned_about() {
    let fresh = Fresh::new(Store::Containerd, 2);
    fresh.lock(&fresh.project.server.url("own"), |_| String::new());
    let output = fresh.project.build(&[]).expect_success();
    for (line, package) in [3, 4].iter().zip(&fresh.packages) {
        let warning = format!(
            "UnverifiedPackage: {}-1.0-0 has no hash: nothing checks what is downloaded (env.lock:{line})",
            package.name
        );
        assert!(output.stderr.contains(&warning), "{}", output.stderr);
    }
    // As in a Dockerfile, the user decides what that means.
    let arg = "BUILDKIT_DOCKERFILE_CHECK=error=true";
    let refused = fresh.project.build(&["--build-arg", arg]).expect_failure();
    let told = "UnverifiedPackage: ";
    assert!(refused.stderr.contains(told), "{}", refused.stderr);
    let lock = std::fs::read_to_string(fresh.project.path(LOCK)).expect("the lock");
    let directive = "@EXPLICIT\n";
    let skipping = format!("# check=skip=UnverifiedPackage;error=true\n{directive}");
    fresh
        .project
        .write(LOCK, lock.replace(directive, &skipping));
    let output = fresh.project.build(&[]).expect_success();
    assert!(!output.stderr.contains(told), "{}", output.stderr);
}

#[test]
fn a_secret_of_the_session_opens_a_private_channel() {
    let project = Project::new(Store::Containerd);
    let (package, archive) = fresh_package("1.0");
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("noarch")).expect("a folder in it");
    std::fs::write(folder.path().join(package.path()), archive).expect("the archive");
    project.server.mount_private(
        "/private",
        folder.path(),
        Auth::Bearer("tk-9f3a".to_owned()),
    );
    let url = project.server.url(&format!("private/{}", package.path()));
    project.write(
        LOCK,
        format!(
            "# syntax={}\n@EXPLICIT\n{url}{}\n",
            frontend(),
            sha256(&package)
        ),
    );
    let error = masked(&project, &error_of(&project.build(&[]).expect_failure()));
    let id = error
        .split_whitespace()
        .find_map(|word| word.strip_prefix("id="))
        .and_then(|id| id.split(',').next())
        .expect("the error names the secret")
        .to_owned();
    project.write("token", "tk-9f3a");
    let secret = format!("id={id},src={}", project.path("token").display());
    project.build(&["--secret", &secret]).expect_success();
}
