//! Credentials: they open channels and show nowhere.

use std::io::Read as _;
use std::path::Path;

use condafront_testkit::channel::{Channel, Package};
use condafront_testkit::engine::{Output, Store};
use condafront_testkit::server::Auth;

use crate::downloads::fresh_package;
use crate::failure::{error_of, masked};
use crate::project::{LOCK, Project, base, frontend};

/// Everything that an image holds, says and is recorded with.
pub(crate) fn all_bytes(project: &Project) -> Vec<u8> {
    let file = |name: &str| project.path(name).to_string_lossy().into_owned();
    let container = format!("{}-files", project.name());
    let inspect = project
        .docker(&["image", "inspect", project.tag()])
        .expect_success();
    let history = ["history", "--no-trunc", project.tag()];
    let history = project.docker(&history).expect_success();
    project
        .docker(&["save", "-o", &file("image.tar"), project.tag()])
        .expect_success();
    project
        .docker(&["create", "--name", &container, project.tag()])
        .expect_success();
    project
        .docker(&["export", "-o", &file("files.tar"), &container])
        .expect_success();
    project.docker(&["rm", &container]).expect_success();
    let mut all = format!("{}{}", inspect.stdout, history.stdout).into_bytes();
    // Layers may be compressed in the first, and are plain in the second.
    for name in ["image.tar", "files.tar"] {
        all.extend(std::fs::read(project.path(name)).expect("what docker wrote"));
    }
    all
}

pub(crate) fn contains(bytes: &[u8], text: &str) -> bool {
    memchr::memmem::find(bytes, text.as_bytes()).is_some()
}

/// All files below `folder`, compressed ones and what is in them.
pub(crate) fn unpacked_bytes(folder: &Path) -> Vec<u8> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            all.extend(unpacked_bytes(&path));
            continue;
        }
        let bytes = std::fs::read(&path).expect("a file");
        if bytes.starts_with(b"\x1f\x8b") {
            let mut gzip = flate2::read::MultiGzDecoder::new(bytes.as_slice());
            gzip.read_to_end(&mut all).expect("what gzip has packed");
        } else if bytes.starts_with(b"\x28\xb5\x2f\xfd") {
            all.extend(zstd::decode_all(bytes.as_slice()).expect("what zstd has packed"));
        }
        all.extend(bytes);
    }
    all
}

const PASSWORD: &str = "hunter2-5d1c";
const TOKEN: &str = "tk-9f3a7c-44";

/// A project with packages in channels that want credentials, and a lock that has them.
struct Private {
    project: Project,
    packages: Vec<Package>,
    lock: String,
    mirrors: String,
    _folder: tempfile::TempDir,
}

impl Private {
    fn new(store: Store) -> Self {
        let project = Project::new(store);
        let folder = tempfile::tempdir().expect("a folder for the channel");
        std::fs::create_dir(folder.path().join("noarch")).expect("a folder in it");
        let packages: Vec<Package> = (0..3)
            .map(|_| {
                let (package, archive) = fresh_package("1.0");
                std::fs::write(folder.path().join(package.path()), archive).expect("an archive");
                package
            })
            .collect();
        let basic = Auth::Basic {
            user: "ada".to_owned(),
            password: PASSWORD.to_owned(),
        };
        project.server.mount_private("/basic", folder.path(), basic);
        let token = Auth::Token(TOKEN.to_owned());
        project.server.mount_private("/token", folder.path(), token);
        let address = project.server.address();
        let bases = [
            format!("http://ada:{PASSWORD}@{address}/basic"),
            format!("http://{address}/t/{TOKEN}/token"),
            "http://mirrored.invalid/forge".to_owned(),
        ];
        let mut lock = format!("# syntax={}\n@EXPLICIT\n", frontend());
        for (base, package) in bases.iter().zip(&packages) {
            lock.push_str(&format!("{base}/{}#{}\n", package.path(), package.sha256));
        }
        let mirrors =
            format!("CONDA_MIRRORS=http://mirrored.invalid/forge=http://{address}/t/{TOKEN}/token");
        Self {
            project,
            packages,
            lock,
            mirrors,
            _folder: folder,
        }
    }

    /// Builds `lock`; no secret shows.
    fn build(&self, lock: &str, args: &[&str]) -> Output {
        self.project.write(LOCK, lock);
        let output = self
            .project
            .build(&[&["--build-arg", &self.mirrors], args].concat());
        let seen = format!("{}{}", output.stdout, output.stderr);
        for secret in [PASSWORD, TOKEN] {
            assert!(!seen.contains(secret), "{seen}");
        }
        output
    }

    /// The image has the packages and no secret.
    fn expect_clean_image(&self) {
        let bytes = all_bytes(&self.project);
        let address = self.project.server.address();
        let record = format!("http://{address}/token/{}", self.packages[1].path());
        assert!(contains(&bytes, &record), "no record says {record}");
        for secret in [PASSWORD, TOKEN] {
            assert!(!contains(&bytes, secret), "the image has {secret}");
        }
    }
}

fn credentials_show_nowhere(store: Store, args: &[&str]) {
    let private = Private::new(store);
    private.build(&private.lock, args).expect_success();
    private.expect_clean_image();
    // Errors of our own, of a download, and of a step; excerpts and all.
    let lock = &private.lock;
    let [first, second, third] = private.packages.as_slice() else {
        panic!("three packages");
    };
    for broken in [
        lock.replace(&second.sha256, "no-hash"),
        lock.replace(&second.name, "absent")
            .replace(&second.sha256, &"7".repeat(64)),
        lock.replace(&third.sha256, &"8".repeat(64)),
        lock.replace(&first.sha256, &"9".repeat(32)),
    ] {
        let output = private.build(&broken, args).expect_failure();
        assert!(output.stderr.contains(">>>"), "{}", output.stderr);
    }
}

#[test]
fn credentials_show_nowhere_on_the_containerd_store() {
    credentials_show_nowhere(Store::Containerd, &["--provenance=false"]);
}

#[test]
fn credentials_show_nowhere_on_the_classic_store() {
    credentials_show_nowhere(Store::Classic, &[]);
}

#[test]
fn a_token_that_provenance_would_tell_is_refused() {
    let private = Private::new(Store::Containerd);
    let error = error_of(&private.build(&private.lock, &[]).expect_failure());
    let mut error = masked(&private.project, &error);
    for (package, name) in private.packages.iter().zip(["first", "second", "third"]) {
        error = error.replace(&package.file_name, &format!("{name}-1.0-0.conda"));
    }
    insta::assert_snapshot!(error);

    // BuildKit takes users and passwords out of what it records.
    let lines: Vec<&str> = private.lock.lines().take(3).collect();
    private.build(&lines.join("\n"), &[]).expect_success();
    assert!(!contains(&all_bytes(&private.project), PASSWORD));
}

/// An environment whose channels want credentials of every kind, solved and installed: the secrets are in no layer, no
/// config, no history, no attestation, no line of the progress and no exported cache.
#[test]
fn credentials_of_channels_show_nowhere() {
    const BEARER: &str = "br-71c2e9-aa";
    let project = Project::new(Store::Containerd);
    let channel = Channel::open().directory();
    let address = project.server.address();
    let basic = Auth::Basic {
        user: "ada".to_owned(),
        password: PASSWORD.to_owned(),
    };
    let server = &project.server;
    server.mount_private("/basic", channel, basic);
    server.mount_private("/token", channel, Auth::Token(TOKEN.to_owned()));
    server.mount_private("/bearer", channel, Auth::Bearer(BEARER.to_owned()));
    project.write("secret", BEARER);
    let host = address.ip();
    let secret = format!(
        "id=HTTP_AUTH_TOKEN_{host},src={}",
        project.path("secret").display()
    );
    let secret = ["--secret", &secret];
    let cache = project.path("cache");
    let cache_to = format!("type=local,dest={},mode=max", cache.display());
    for (channel, secret) in [
        (format!("http://ada:{PASSWORD}@{address}/basic"), &[][..]),
        (format!("http://{address}/t/{TOKEN}/token"), &[]),
        (format!("http://{address}/bearer"), &secret),
    ] {
        project.write(
            "env.yml",
            format!(
                "# syntax={}\nchannels: [\"{channel}\"]\ndependencies:\n  - file-kinds\n  - bumpme\n",
                frontend()
            ),
        );
        let image = project.path("image");
        let output = format!("type=oci,tar=false,dest={}", image.display());
        let build = [
            "buildx",
            "build",
            "--progress=plain",
            "--no-cache",
            "-f",
            "env.yml",
            "--build-arg",
            "CONDAFRONT_INSTALLER=native",
            "--build-arg",
            &format!("BASE_IMAGE={}", base()),
            "--provenance=false",
            "--cache-to",
            &cache_to,
            "--output",
            &output,
            ".",
        ];
        let built = project.docker(&[&build[..], secret].concat());
        let built = built.expect_success();
        let mut seen = format!("{}{}", built.stdout, built.stderr).into_bytes();
        seen.extend(unpacked_bytes(&image));
        seen.extend(unpacked_bytes(&cache));
        // It is what was meant: the records of the packages are in there.
        assert!(contains(&seen, "noarch/bumpme-"), "no record of a package");
        for secret in [PASSWORD, TOKEN, BEARER] {
            assert!(!contains(&seen, secret), "{secret} shows for {channel}");
        }
        for folder in [image, cache.clone()] {
            std::fs::remove_dir_all(folder).expect("a folder of ours");
        }
    }
}
