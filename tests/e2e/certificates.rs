//! Servers whose certificates are from an authority that nobody knows: the secret `CA_CERTIFICATES` makes a build trust it.

use std::collections::BTreeSet;
use std::fs;

use condafront_testkit::apt::{self, Deb};
use condafront_testkit::channel::Channel;
use condafront_testkit::engine::{Engine, Machine, Output, Store};
use condafront_testkit::server::{AUTHORITY, Certificate, Server};
use condafront_testkit::shards::{LIST, shards};
use sha2::{Digest, Sha256};

use crate::failure::{error_of, masked};
use crate::image::Image;
use crate::image_bytes::{all_bytes, contains, unpacked_bytes};
use crate::pip::hello;
use crate::project::{Project, base, frontend};

const FILE: &str = "env.yml";
/// The company's servers behind a proxy.
const BEHIND: &str = "https://servers.company.example";

const SECRET: &str = "id=CA_CERTIFICATES,src=ca.pem";

/// Asks a server with what python trusts by itself.
const ASK: &str =
    "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1]).read().decode())";

/// A project, and servers with TLS that have packages for apt, an index for pip, shards, and a file.
struct Company {
    project: Project,
    /// What answers for these servers.
    server: Server,
    /// Their URL.
    url: String,
    _folder: tempfile::TempDir,
}

impl Company {
    fn new() -> Self {
        let project = Project::with_own_channel(Store::Containerd);
        let server = Server::start_tls(Certificate::Good);
        let url = server.url("");
        // The builder itself downloads wheels, and does not know the authority.
        let wheels = project.server.url("/pypi");
        let folder = tempfile::tempdir().expect("a folder for packages");
        Self::with(project, server, folder, &url, &wheels)
    }

    /// Its servers are reached through a proxy only, which opens TLS. The engine knows both the proxy and the authority.
    fn behind_a_proxy() -> Self {
        let proxy = Server::start();
        proxy.mount("/conda-forge", Channel::open().directory());
        // The engine reads it when it first needs it.
        let folder = tempfile::tempdir().expect("a folder for packages");
        let file = folder.path().join("ca.pem");
        fs::write(&file, AUTHORITY).expect("a file with the authority");
        let authorities = file.display().to_string();
        let address = proxy.url("");
        let variables = [("HTTPS_PROXY", &*address), ("SSL_CERT_FILE", &*authorities)];
        let machine = Machine {
            variables: &variables,
            ..Machine::default()
        };
        let engine = Engine::start_fresh_on(Store::Containerd, machine);
        let project = Project::on(engine).with_channel(format!("{BEHIND}/conda-forge"));
        Self::with(project, proxy, folder, BEHIND, &format!("{BEHIND}/pypi"))
    }

    /// The wheels are at the URL `wheels`, which is one of the project's server or of `server`.
    fn with(
        project: Project,
        server: Server,
        folder: tempfile::TempDir,
        url: &str,
        wheels: &str,
    ) -> Self {
        let deb = Deb::new("hello-sys", "1.0").file("usr/share/hello-sys", "hello\n", 0o644);
        apt::repository(folder.path(), &[deb], &[]);
        server.mount("/debian", folder.path());
        let wheel = hello("1.0");
        let file = wheel.file_name();
        let content = wheel.build();
        let hash = hex::encode(Sha256::digest(&content));
        let link = format!("<html><a href=\"{wheels}/{file}#sha256={hash}\">{file}</a></html>");
        server.put("/simple/hello-world/", link);
        for server in [&server, &project.server] {
            server.put(&format!("/pypi/{file}"), content.clone());
        }
        server.put("/asset", "an asset");
        project.write("ca.pem", AUTHORITY);
        Self {
            project,
            server,
            url: url.trim_end_matches('/').to_owned(),
            _folder: folder,
        }
    }

    /// The URL of `path` on its servers.
    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// Has the project's channel name shards on the servers with TLS.
    fn serve_shards(&self) {
        for subdir in ["linux-64", "noarch"] {
            let list = Channel::open()
                .directory()
                .join(subdir)
                .join("repodata.json");
            let list = fs::read_to_string(list).expect("repodata");
            let place = format!("/shards/{subdir}");
            let shards = shards(&list, &self.url(&place));
            let channel = format!("/conda-forge/{subdir}");
            shards.serve(&self.server, &channel, &place);
            let list = format!("{channel}/{LIST}");
            self.project.server.put(&list, shards.list);
        }
    }

    /// A base whose packages come from its servers. Like Debian's own, it knows no authority at all.
    fn base(&self) -> Image<'_> {
        let url = self.url("/debian");
        Image::from_dockerfile(
            &self.project,
            &format!(
                "FROM {}\n\
                 RUN test ! -e /etc/ssl/certs/ca-certificates.crt && rm -rf /etc/apt/sources.list.d && \
                 echo 'deb [trusted=yes] {url} ./' > /etc/apt/sources.list\n",
                base()
            ),
        )
    }

    /// Writes an env.yml with python and this section.
    fn write(&self, dependencies: &str, section: &str) {
        let text = format!(
            "# syntax={}\nchannels: [\"{}\"]\ndependencies: [{dependencies}]\ncondafront:\n  installer: native\n{section}",
            frontend(),
            self.project.channel(),
        );
        self.project.write(FILE, text);
    }

    fn build(&self, args: &[&str]) -> Output {
        let usual = ["--network", "host", "-f", FILE];
        let caches = format!("BUILDKIT_CACHE_MOUNT_NS={}", self.project.name());
        let caches = ["--build-arg", &caches];
        let args = [&usual[..], &caches, args, &["."]].concat();
        self.project.build_image(&args)
    }

    /// The error of a failed build, without what differs between runs.
    fn error(&self, title: &str, output: Output) -> String {
        let output = output.expect_failure();
        let address = self.server.address();
        let text = error_of(&output).replace(&address.to_string(), "tls.test");
        // As apt writes it.
        let text = text.replace(&format!("{} {}", address.ip(), address.port()), "tls.test");
        format!(
            "{title}\n{}\n{}\n\n",
            "=".repeat(title.len()),
            masked(&self.project, &text)
        )
    }
}

/// Shards, apt, pip and commands trust the authority, and it is nowhere afterwards.
#[test]
fn the_authorities_of_a_company_are_trusted_and_in_no_layer() {
    let company = Company::new();
    let Company {
        project, server, ..
    } = &company;
    company.serve_shards();
    let base = company.base();
    company.write(
        "python, pip",
        &format!(
            "  base: {}\n  apt: [hello-sys]\n  pip: [\"--index-url {}\", hello.world]\n  run:\n  \
             - [python, -c, '{ASK}', '{}']\n  - {{run: [python, -c, '{ASK}', '{}'], user: root}}\n",
            base.tag(),
            company.url("/simple/"),
            company.url("/asset"),
            company.url("/asset?root"),
        ),
    );
    let args = ["--secret", SECRET];
    let output = company.build(&args).expect_success();
    let progress = output.stderr;
    assert!(!progress.contains("its shards are not used"), "{progress}");
    assert_eq!(progress.matches(" an asset").count(), 2, "{progress}");
    let asked = server.requests();
    for part in ["/shards/noarch/", "/debian/", "/simple/hello-world/"] {
        let is_asked = asked.iter().any(|request| request.path.contains(part));
        assert!(is_asked, "{part} in {asked:?}");
    }
    let left =
        "find / -xdev -name '*condafront-auth*'; env | grep -c all.pem; ls -d /usr/share/hello-sys";
    let left = project
        .run(&[], &["sh", "-c", left])
        .expect_success()
        .stdout;
    assert_eq!(left, "0\n/usr/share/hello-sys\n");

    // Nor in the history, the provenance or an exported cache.
    let (image, cache) = (project.path("image"), project.path("cache"));
    let dest = format!("type=oci,tar=false,dest={}", image.display());
    let cache_to = format!("type=local,dest={},mode=max", cache.display());
    let mut seen = all_bytes(project);
    let more = [
        "--provenance=mode=max",
        "--cache-to",
        &cache_to,
        "--output",
        &dest,
    ];
    let exported = company.build(&[&args[..], &more].concat()).expect_success();
    seen.extend(format!("{progress}{}{}", exported.stdout, exported.stderr).into_bytes());
    seen.extend(unpacked_bytes(&image));
    seen.extend(unpacked_bytes(&cache));
    // The check reads the right data.
    assert!(contains(&seen, "hello-sys"));
    for line in AUTHORITY.lines().filter(|line| !line.starts_with('-')) {
        assert!(!contains(&seen, line), "{line}");
    }
}

/// A proxy that opens TLS with an authority of its own: the engine, pip, apt, shards and commands all go through it.
#[test]
fn a_proxy_that_opens_tls_is_trusted() {
    let company = Company::behind_a_proxy();
    let Company {
        project, server, ..
    } = &company;
    company.serve_shards();
    let base = company.base();
    let on_base = format!("  base: {}\n", base.tag());
    let list = |package: &str| {
        let index = company.url("/simple/");
        format!("{on_base}  pip: [\"--index-url {index}\", {package}]\n")
    };
    let section = format!(
        "{}  apt: [hello-sys]\n  run: [[python, -c, '{ASK}', '{}']]\n",
        list("hello.world"),
        company.url("/asset"),
    );
    company.write("python, pip", &section);
    let proxy = format!("HTTPS_PROXY={}", server.url(""));
    let proxy = ["--build-arg", &proxy];
    let args = [&proxy[..], &["--secret", SECRET]].concat();
    let progress = company.build(&args).expect_success().stderr;
    assert!(!progress.contains("its shards are not used"), "{progress}");
    assert_eq!(progress.matches(" an asset").count(), 1, "{progress}");
    let asked = server.requests();
    let places = [
        "/conda-forge/noarch/",
        "/shards/noarch/",
        "/simple/hello-world/",
        "/pypi/",
        "/debian/",
        "/asset",
    ];
    for part in places {
        let is_asked = asked.iter().any(|request| request.path.contains(part));
        assert!(is_asked, "{part} in {asked:?}");
    }
    // There is no other way to these servers, and nothing asks for them without TLS.
    let opened = asked.iter().filter(|request| request.method == "CONNECT");
    let opened = opened.map(|request| request.path.as_str());
    // The engine also asks Docker Hub for the base.
    let opened: BTreeSet<&str> = opened.filter(|it| it.contains("company.")).collect();
    assert_eq!(opened, ["servers.company.example:443"].into());
    let said = project.run(&[], &["sh", "-c", "hello; cat /usr/share/hello-sys"]);
    assert_eq!(said.expect_success().stdout, "hello 1.0\nhello\n");

    company.write("python, pip", &list("hello.world==1.0"));
    let told = company.error("without the secret", company.build(&proxy));
    insta::assert_snapshot!(told.replace(base.tag(), "debian.test"));
}

/// What users read without the secret.
#[test]
fn certificates_that_are_not_accepted() {
    let company = Company::new();
    let project = &company.project;
    let mut told = String::new();
    let on_base = format!("  base: {}\n", base());
    let list = format!(
        "{on_base}  pip: [\"--index-url {}\", hello.world]\n",
        company.url("/simple/")
    );
    company.write("python, pip", &list);
    told += &company.error("an index of an unknown authority", company.build(&[]));

    let base = company.base();
    let section = format!("  base: {}\n  apt: [hello-sys]\n", base.tag());
    company.write("bumpme", &section);
    let error = company.error("apt and an unknown authority", company.build(&[]));
    told += &error.replace(base.tag(), "debian.test");

    let command = format!(
        "{on_base}  run: [[python, -c, '{ASK}', '{}']]\n",
        company.url("/asset")
    );
    company.write("python", &command);
    told += &company.error("a command and an unknown authority", company.build(&[]));
    let channel = company.url("/conda-forge");
    project.write(
        FILE,
        format!(
            "# syntax={}\nchannels: [\"{channel}\"]\ndependencies: [python]\n",
            frontend()
        ),
    );
    told += &company.error("a channel of an unknown authority", company.build(&[]));
    insta::assert_snapshot!(told);
}

/// What users read if the secret is something else. It is last of all (.config/nextest.toml): beside builds like these, an
/// engine may run other builds' steps once more.
#[test]
fn secrets_that_are_no_authorities() {
    let company = Company::new();
    let project = &company.project;
    let mut told = String::new();
    let key = AUTHORITY.replace("CERTIFICATE", "PRIVATE KEY");
    let on_base = format!("  base: {}\n", base());
    let command = format!("{on_base}  run: [[python, --version]]\n");
    let list = format!(
        "{on_base}  pip: [\"--index-url {}\", hello.world]\n",
        company.url("/simple/")
    );
    for (title, secret, section) in [
        ("a command and an empty secret", "", &command),
        ("a command and a private key", &key, &command),
        ("a list and a private key", &key, &list),
    ] {
        project.write("ca.pem", secret);
        company.write("python, pip", section);
        let output = company.build(&["--secret", SECRET]);
        let shown = format!("{}{}", output.stdout, output.stderr);
        let mut content = AUTHORITY.lines().filter(|line| !line.starts_with('-'));
        assert!(!content.any(|line| shown.contains(line)), "{title}");
        told += &company.error(title, output);
    }
    insta::assert_snapshot!(told);
}
