//! Credentials: they open channels and appear nowhere, not even in what BuildKit records of a build.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use condafront_testkit::channel::{Channel, Package};
use condafront_testkit::engine::{Output, Store};
use condafront_testkit::server::Auth;

use crate::downloads::fresh_package;
use crate::failure::Failures;
use crate::image_bytes::{all_bytes, contains, unpacked_bytes};
use crate::project::{LOCK, Project, UNCOMPRESSED, frontend};

const PASSWORD: &str = "hunter2-5d1c";
const TOKEN: &str = "tk-9f3a7c-44";

fn basic() -> Auth {
    Auth::Basic {
        user: "ada".to_owned(),
        password: PASSWORD.to_owned(),
    }
}

/// The header of [`basic`].
fn basic_header() -> String {
    format!("Basic {}", STANDARD.encode(format!("ada:{PASSWORD}")))
}

/// Passes `value` as the secret `kind` for the project's server.
fn login(project: &Project, kind: &str, value: &str) -> String {
    let file = project.path("login");
    project.write("login", value);
    let host = project.server.address().ip();
    format!("id={kind}_{host},src={}", file.display())
}

/// Fails if one of the secrets is in `bytes`.
#[track_caller]
fn assert_clean(bytes: &[u8], what: &str) {
    for secret in [PASSWORD, TOKEN, &basic_header()[6..]] {
        assert!(!contains(bytes, secret), "{secret} is in {what}");
    }
}

/// A project with packages in a channel that needs a login, and a lock whose URLs have it in every form.
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
        let address = project.server.address();
        let bases = [
            format!("http://ada:{PASSWORD}@{address}/private"),
            format!("http://{address}/t/{TOKEN}/private"),
            format!("http://${{CHANNEL_USER}}:$CHANNEL_PASSWORD@{address}/private"),
            format!("http://{address}/t/$CHANNEL_TOKEN/private"),
            "http://mirrored.invalid/forge".to_owned(),
        ];
        let mut lock = format!("# syntax={}\n@EXPLICIT\n", frontend());
        let mut packages = Vec::new();
        for base in bases {
            let (package, archive) = fresh_package("1.0");
            std::fs::write(folder.path().join(package.path()), archive).expect("an archive");
            lock.push_str(&format!("{base}/{}#{}\n", package.path(), package.sha256));
            packages.push(package);
        }
        let server = &project.server;
        server.mount_private("/private", folder.path(), basic());
        let mirrors = format!(
            "CONDA_MIRRORS=http://mirrored.invalid/forge=http://ada:$CHANNEL_PASSWORD@{address}/private"
        );
        Self {
            project,
            packages,
            lock,
            mirrors,
            _folder: folder,
        }
    }

    /// Builds `lock` with the login and checks that the output contains no secret.
    fn build(&self, lock: &str, args: &[&str]) -> Output {
        self.project.write(LOCK, lock);
        let login = login(&self.project, "HTTP_AUTH_HEADER", &basic_header());
        let usual = ["--build-arg", &self.mirrors, "--secret", &login];
        let output = self.project.build(&[&usual[..], args].concat());
        assert_clean(
            format!("{}{}", output.stdout, output.stderr).as_bytes(),
            "the output",
        );
        output
    }

    /// Checks that the image has the packages and no secret.
    fn expect_clean_image(&self) {
        let bytes = all_bytes(&self.project);
        let address = self.project.server.address();
        let record = format!("http://{address}/private/{}", self.packages[1].path());
        assert!(contains(&bytes, &record), "no record has {record}");
        assert_clean(&bytes, "the image");
    }
}

fn credentials_appear_nowhere(store: Store, args: &[&str]) {
    let private = Private::new(store);
    let metadata = private.project.path("metadata");
    let metadata = metadata.to_string_lossy();
    let record = ["--metadata-file", &metadata];
    let built = private
        .build(&private.lock, &[args, &record].concat())
        .expect_success();
    let told = "CredentialsInUrl: the lock contains credentials for";
    assert!(built.stderr.contains(told), "{}", built.stderr);
    private.expect_clean_image();
    assert_clean(
        &history_record(&private.project, &metadata),
        "the builder's history",
    );
    // Errors from condafront, from a download and from a step, including the excerpts.
    let lock = &private.lock;
    let [first, second, .., last] = private.packages.as_slice() else {
        panic!("several packages");
    };
    for broken in [
        lock.replace(&second.sha256, "no-hash"),
        lock.replace(&second.name, "absent")
            .replace(&second.sha256, &"7".repeat(64)),
        lock.replace(&last.sha256, &"8".repeat(64)),
        lock.replace(&first.sha256, &"9".repeat(32)),
    ] {
        let output = private.build(&broken, args).expect_failure();
        assert!(output.stderr.contains(">>>"), "{}", output.stderr);
    }
}

#[test]
fn credentials_appear_nowhere_on_the_containerd_store() {
    credentials_appear_nowhere(Store::Containerd, &["--provenance=mode=max"]);
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

/// Every place for the address of a channel or an index, each without a secret that has the login.
#[test]
fn credentials_that_buildkit_would_record_are_refused() {
    let project = Project::new(Store::Containerd);
    project.write("secret", PASSWORD);
    let secret = format!("id=SECRET,src={}", project.path("secret").display());
    let secret = ["--secret", &secret];
    let lock = |base: &str| format!("@EXPLICIT\n{base}/noarch/a-1-0.conda#{}\n", "7".repeat(64));
    let env = |channel: &str| format!("channels: [\"{channel}\"]\ndependencies: [bumpme]\n");
    let env_of = |more: &str| format!("channels: [forge]\ndependencies:\n  - {more}\n");
    let alias = format!("--build-arg=CONDA_CHANNEL_ALIAS=http://ada:{PASSWORD}@c.example");
    let channels = format!("--build-arg=CONDA_CHANNELS=http://c.example/t/{TOKEN}/forge");
    let mirrors =
        format!("--build-arg=CONDA_MIRRORS=http://c.example=http://ada:{PASSWORD}@d.example");
    let index = format!("--build-arg=PIP_INDEX_URL=http://ada:{PASSWORD}@i.example/simple");
    let own = format!(
        "--build-arg=CONDA_CHANNEL_ALIAS={}",
        project.server.url("/")
    );
    let own_channel = format!("--build-arg=CONDA_CHANNELS={}", project.channel());
    let mut failures = Failures::new(&project);
    failures
        .add("a login", env(&format!("http://ada:{PASSWORD}@c.example/forge")), &[])
        .add("a token", lock(&format!("http://c.example/t/{TOKEN}/forge")), &[])
        .add("secrets as variables", env("http://ada:${SECRET}@c.example/forge"), &secret)
        .add("a secret as a token", lock("http://c.example/t/$SECRET/forge"), &secret)
        .add("a token in a channel's name", env(&format!("t/{TOKEN}/forge")), &[&own])
        .add(
            "a channel of a package",
            env_of(&format!("http://ada:{PASSWORD}@c.example/forge::numpy")),
            &[],
        )
        .add(
            "the URL of a package",
            env_of(&format!("http://c.example/t/{TOKEN}/forge/noarch/a-1-0.conda")),
            &[],
        )
        .add(
            "the channel alias of a section",
            format!("{}condafront: {{channel_alias: \"http://ada:{PASSWORD}@c.example\"}}\n", env_of("numpy")),
            &[],
        )
        .add("the build-arg of an alias", env_of("numpy"), &[&alias])
        .add("the build-arg of channels", env_of("numpy"), &[&channels])
        .add("the build-arg of mirrors", lock("http://c.example/forge"), &[&mirrors])
        .add("a wheel in a lock", format!("@EXPLICIT\n# pip a @ http://ada:{PASSWORD}@f.example/a-1-py3-none-any.whl#sha256={}\n", "7".repeat(64)), &[])
        .add("a signature", lock("http://c.example/forge").replace(".conda#", &format!(".conda?sig={TOKEN}#")), &[])
        .add("a list's index", env_of(&format!("python\n  - pip:\n    - --index-url http://ada:{PASSWORD}@i.example/simple\n    - idna")), &[&own_channel])
        .add("a list's URL", env_of(&format!("python\n  - pip:\n    - idna @ http://f.example/idna-3-py3-none-any.whl?token={TOKEN}")), &[&own_channel])
        .add("the build-arg of an index", env_of("python\n  - pip: [idna]"), &[&own_channel, &index]);
    project.write(
        "requirements.txt",
        format!("--index-url http://ada:{PASSWORD}@i.example/simple\nidna\n"),
    );
    failures.add(
        "the index of a requirements file",
        env_of("python\n  - pip: [-r requirements.txt]"),
        &[&own_channel],
    );
    let text = failures.text();
    assert_clean(text.as_bytes(), "the errors");
    insta::assert_snapshot!(text);
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
/// progress line or exported cache, nor in full provenance or in the builder's history.
#[test]
fn credentials_of_channels_appear_nowhere() {
    let project = Project::new(Store::Containerd);
    let channel = Channel::open().directory();
    let address = project.server.address();
    let server = &project.server;
    server.mount_private("/basic", channel, basic());
    server.mount_private("/token", channel, Auth::Token(TOKEN.to_owned()));
    server.mount_private("/bearer", channel, Auth::Bearer(TOKEN.to_owned()));
    let header = basic_header();
    let token = format!("token {TOKEN}");
    let variables = format!(
        "http://$CHANNEL_USER:${{CHANNEL_PASSWORD}}@{address}/basic\", \"http://{address}/t/${{CHANNEL_TOKEN}}/basic"
    );
    let cache = project.path("cache");
    let cache_to = format!(
        "type=local,dest={},mode=max,{UNCOMPRESSED}",
        cache.display()
    );
    let metadata = project.path("metadata").to_string_lossy().into_owned();
    for (channel, kind, value) in [
        (
            format!("http://ada:{PASSWORD}@{address}/basic"),
            "HTTP_AUTH_HEADER",
            header.as_str(),
        ),
        (
            format!("http://{address}/t/{TOKEN}/token"),
            "HTTP_AUTH_HEADER",
            &token,
        ),
        (format!("http://{address}/bearer"), "HTTP_AUTH_TOKEN", TOKEN),
        (variables, "HTTP_AUTH_HEADER", &header),
    ] {
        project.write(
            "env.yml",
            format!(
                "# syntax={}\nchannels: [\"{channel}\"]\ndependencies:\n  - file-kinds\n  - bumpme\n",
                frontend()
            ),
        );
        let image = project.path("image");
        let output = format!("type=oci,tar=false,dest={},{UNCOMPRESSED}", image.display());
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
            "BASE_IMAGE=scratch",
            "--provenance=mode=max",
            "--metadata-file",
            &metadata,
            "--cache-to",
            &cache_to,
            "--output",
            &output,
            "--secret",
            &login(&project, kind, value),
            ".",
        ];
        let built = project.docker(&build).expect_success();
        assert_eq!(
            built.stderr.contains("CredentialsInUrl"),
            channel.contains(PASSWORD) || channel.contains(TOKEN)
        );
        let mut seen = format!("{}{}", built.stdout, built.stderr).into_bytes();
        seen.extend(unpacked_bytes(&image));
        seen.extend(unpacked_bytes(&cache));
        let recorded = history_record(&project, &metadata);
        // The checks read the right data: URLs, and the packages' records.
        assert!(contains(&recorded, "/noarch/repodata.json"), "no URLs");
        assert!(contains(&seen, "noarch/bumpme-"), "no record of a package");
        assert_clean(&recorded, "the builder's history");
        assert_clean(&seen, "the image, the cache or the output");
        for folder in [image, cache.clone()] {
            std::fs::remove_dir_all(folder).expect("a folder of ours");
        }
    }
}
