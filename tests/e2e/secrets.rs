//! Credentials: they open channels and appear nowhere.

use std::io::Read as _;
use std::path::Path;

use condafront_testkit::channel::{Channel, Package};
use condafront_testkit::engine::{Output, Store};
use condafront_testkit::server::Auth;

use crate::downloads::fresh_package;
use crate::failure::{error_of, masked};
use crate::project::{LOCK, Project, base, frontend};

/// All bytes of an image: its files, configuration and history.
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
    // The first may have compressed layers; the second is uncompressed.
    for name in ["image.tar", "files.tar"] {
        all.extend(std::fs::read(project.path(name)).expect("what docker wrote"));
    }
    all
}

pub(crate) fn contains(bytes: &[u8], text: &str) -> bool {
    memchr::memmem::find(bytes, text.as_bytes()).is_some()
}

/// The content of all files below `folder`; compressed files both as they are and decompressed.
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
            gzip.read_to_end(&mut all).expect("valid gzip data");
        } else if bytes.starts_with(b"\x28\xb5\x2f\xfd") {
            all.extend(zstd::decode_all(bytes.as_slice()).expect("valid zstd data"));
        }
        all.extend(bytes);
    }
    all
}

const PASSWORD: &str = "hunter2-5d1c";
const TOKEN: &str = "tk-9f3a7c-44";

/// Passes [`PASSWORD`] as the secret `CHANNEL_PASSWORD`.
fn password_secret(project: &Project) -> String {
    project.write("password", format!("{PASSWORD}\n"));
    let file = project.path("password");
    format!("id=CHANNEL_PASSWORD,src={}", file.display())
}

/// A project with packages in channels that need credentials, and a lock that contains them.
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
            format!("http://ada:${{CHANNEL_PASSWORD}}@{address}/basic"),
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

    /// Builds `lock` and checks that the output contains no secret.
    fn build(&self, lock: &str, args: &[&str]) -> Output {
        self.project.write(LOCK, lock);
        let secret = password_secret(&self.project);
        let usual = ["--build-arg", &self.mirrors, "--secret", &secret];
        let output = self.project.build(&[&usual[..], args].concat());
        let seen = format!("{}{}", output.stdout, output.stderr);
        for secret in [PASSWORD, TOKEN] {
            assert!(!seen.contains(secret), "{seen}");
        }
        output
    }

    /// Checks that the image has the packages and no secret.
    fn expect_clean_image(&self) {
        let bytes = all_bytes(&self.project);
        let address = self.project.server.address();
        let record = format!("http://{address}/token/{}", self.packages[1].path());
        assert!(contains(&bytes, &record), "no record has {record}");
        for secret in [PASSWORD, TOKEN] {
            assert!(!contains(&bytes, secret), "the image has {secret}");
        }
    }
}

fn credentials_appear_nowhere(store: Store, args: &[&str]) {
    let private = Private::new(store);
    private.build(&private.lock, args).expect_success();
    private.expect_clean_image();
    // Errors from condafront, from a download and from a step, including the excerpts.
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
fn credentials_appear_nowhere_on_the_containerd_store() {
    credentials_appear_nowhere(Store::Containerd, &["--provenance=false"]);
}

#[test]
fn credentials_appear_nowhere_on_the_classic_store() {
    credentials_appear_nowhere(Store::Classic, &[]);
}

#[test]
fn builds_at_once_each_read_their_secrets() {
    std::thread::scope(|scope| {
        let build = || {
            let private = Private::new(Store::Classic);
            private.build(&private.lock, &[]).expect_success();
        };
        let builds: Vec<_> = (0..8).map(|_| scope.spawn(build)).collect();
        for build in builds {
            build.join().expect("a build with its secrets");
        }
    });
}

#[test]
fn a_token_that_provenance_would_reveal_is_refused() {
    let private = Private::new(Store::Containerd);
    let error = error_of(&private.build(&private.lock, &[]).expect_failure());
    let mut error = masked(&private.project, &error);
    for (package, name) in private.packages.iter().zip(["first", "second", "third"]) {
        error = error.replace(&package.file_name, &format!("{name}-1.0-0.conda"));
    }
    insta::assert_snapshot!(error);

    // BuildKit removes users and passwords from what it records.
    let lines: Vec<&str> = private.lock.lines().take(3).collect();
    private.build(&lines.join("\n"), &[]).expect_success();
    assert!(!contains(&all_bytes(&private.project), PASSWORD));
}

/// What the builder's history has about the build that wrote this metadata file.
fn history_record(project: &Project, metadata: &str) -> Vec<u8> {
    let text = std::fs::read_to_string(metadata).expect("metadata of the build");
    let metadata: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let name = metadata["buildx.build.ref"].as_str().expect("its name");
    let id = name.rsplit('/').next().unwrap_or(name);
    let file = project.path("record.tar");
    let file = file.to_string_lossy();
    let export = ["buildx", "history", "export", id, "-o", &file];
    project.docker(&export).expect_success();
    let folder = tempfile::tempdir().expect("a folder");
    let record = std::fs::File::open(&*file).expect("the record");
    tar::Archive::new(flate2::read::GzDecoder::new(record))
        .unpack(folder.path())
        .expect("a valid tar file");
    unpacked_bytes(folder.path())
}

/// Solves and installs an environment whose channels need every kind of credential: the secrets are in no layer, config,
/// progress line or exported cache. A secret that BuildKit sends itself is not even in full provenance or in the builder's
/// history.
#[test]
fn credentials_of_channels_appear_nowhere() {
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
    project.write("token", TOKEN);
    let token = format!("id=CHANNEL_TOKEN,src={}", project.path("token").display());
    let password = password_secret(&project);
    let variables = [
        "--build-arg",
        "CHANNEL_USER=ada",
        "--secret",
        &password,
        "--secret",
        &token,
    ];
    let with_variables = format!(
        "http://$CHANNEL_USER:${{CHANNEL_PASSWORD}}@{address}/basic\", \"http://{address}/t/${{CHANNEL_TOKEN}}/token"
    );
    let host = address.ip();
    let secret = format!(
        "id=HTTP_AUTH_TOKEN_{host},src={}",
        project.path("secret").display()
    );
    let secret = ["--secret", &secret];
    let cache = project.path("cache");
    let cache_to = format!("type=local,dest={},mode=max", cache.display());
    let metadata = project.path("metadata").to_string_lossy().into_owned();
    for (channel, secret) in [
        (format!("http://ada:{PASSWORD}@{address}/basic"), &[][..]),
        (format!("http://{address}/t/{TOKEN}/token"), &[]),
        (format!("http://{address}/bearer"), &secret),
        (with_variables, &variables),
    ] {
        project.write(
            "env.yml",
            format!(
                "# syntax={}\nchannels: [\"{channel}\"]\ndependencies:\n  - file-kinds\n  - bumpme\n",
                frontend()
            ),
        );
        let is_sent_by_buildkit = channel.ends_with("/bearer");
        let provenance = if is_sent_by_buildkit {
            "--provenance=mode=max"
        } else {
            "--provenance=false"
        };
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
            provenance,
            "--metadata-file",
            &metadata,
            "--cache-to",
            &cache_to,
            "--output",
            &output,
            ".",
        ];
        let built = project.docker(&[&build[..], secret].concat());
        let built = built.expect_success();
        let told = "from a secret, but the builder's history keeps its URLs";
        assert_eq!(
            built.stderr.contains(told),
            channel.contains("${CHANNEL_PASSWORD}")
        );
        let mut seen = format!("{}{}", built.stdout, built.stderr).into_bytes();
        seen.extend(unpacked_bytes(&image));
        seen.extend(unpacked_bytes(&cache));
        let recorded = history_record(&project, &metadata);
        assert!(contains(&recorded, "/noarch/repodata.json"), "no URLs");
        // BuildKit records the addresses of its downloads.
        assert_eq!(contains(&recorded, PASSWORD), channel.contains("basic"));
        if is_sent_by_buildkit {
            seen.extend(recorded);
        }
        // The check reads the right data: the packages' records are in it.
        assert!(contains(&seen, "noarch/bumpme-"), "no record of a package");
        for secret in [PASSWORD, TOKEN, BEARER] {
            assert!(!contains(&seen, secret), "{secret} appears for {channel}");
        }
        for folder in [image, cache.clone()] {
            std::fs::remove_dir_all(folder).expect("a folder of ours");
        }
    }
    // Without the secrets, the address is not used as it is, nor without a login.
    let user = ["--build-arg", "CHANNEL_USER=ada"];
    let refused = project.build_file("env.yml", &user).expect_failure();
    let why = "the address needs the variable CHANNEL_PASSWORD, which has no value";
    assert!(refused.stderr.contains(why), "{}", refused.stderr);
}
