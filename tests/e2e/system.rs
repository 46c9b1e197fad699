//! Packages of Debian from the base image's package manager, and locales.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use condafront_testkit::apt::{self, Deb};
use condafront_testkit::cache::engine_dir;
use condafront_testkit::engine::{Output, Store};
use condafront_testkit::server::AUTHORITY;
use condafront_testkit::spdx;
use serde_json::{Value, json};

use crate::diff::changes;
use crate::image::{Image, each_prints, history, inspect};
use crate::project::{Project, base, frontend, on_both_stores};

const FILE: &str = "env.yml";

/// apt's configuration in Debian's official images, which deletes downloaded archives.
const DOCKER_CLEAN: &str = "DPkg::Post-Invoke { \"rm -f /var/cache/apt/archives/*.deb || true\"; };\n\
    APT::Update::Post-Invoke { \"rm -f /var/cache/apt/archives/*.deb || true\"; };\n";

/// Registers an alternative (update-alternatives(1)) and adds a user, without questions. Its ids are those for which other tests
/// have installed python.
const SCRIPT: &str = "test \"$DEBIAN_FRONTEND\" = noninteractive\n\
    groupadd --system --gid 57439 hello\n\
    useradd --system --uid 57439 --gid 57439 --home-dir /nonexistent hello\n\
    update-alternatives --install /usr/bin/greet greet /usr/bin/hello-sys 10\n";

/// A project whose server has a repository with Debian packages at `/debian`.
pub(crate) struct Debian {
    pub(crate) project: Project,
    _folder: tempfile::TempDir,
}

impl Debian {
    pub(crate) fn new(store: Store) -> Self {
        let project = Project::new(store);
        let hello = |version: &str| {
            Deb::new("hello-sys", version)
                .field("Depends: hello-lib")
                .field("Recommends: hello-extra")
                .file(
                    "usr/bin/hello-sys",
                    &format!("#!/bin/sh\necho hello {version}, $(cat /usr/lib/hello/lib)\n"),
                    0o755,
                )
                .script(SCRIPT)
        };
        let packages = [
            hello("1.0"),
            hello("2.0"),
            Deb::new("hello-lib", "3.0").file("usr/lib/hello/lib", "library 3.0\n", 0o644),
            Deb::new("hello-extra", "1.0").file("usr/share/hello-extra", "", 0o644),
            Deb::new("listed", "1.0").file("usr/share/listed", "from a list\n", 0o644),
            Deb::new("broken", "1.0").script("echo there is no disk today\nexit 3\n"),
            Deb::new("procps", "4.0").file("usr/bin/ps", "#!/bin/sh\necho 1\n", 0o755),
            Deb::new("lonely", "1.0").field("Depends: libnowhere (>= 9)"),
        ];
        let folder = tempfile::tempdir().expect("a folder for packages");
        apt::repository(folder.path(), &packages, &[apt::debian("locales")]);
        project.server.mount("/debian", folder.path());
        Self {
            project,
            _folder: folder,
        }
    }

    /// The base image with `url` as its only source of packages.
    pub(crate) fn base(&self, url: &str) -> Image<'_> {
        self.project.write("docker-clean", DOCKER_CLEAN);
        Image::from_dockerfile(
            &self.project,
            &format!(
                "FROM {}\n\
                 COPY docker-clean /etc/apt/apt.conf.d/docker-clean\n\
                 RUN rm -rf /etc/apt/sources.list.d && echo 'deb [trusted=yes] {url} ./' > /etc/apt/sources.list\n",
                base()
            ),
        )
    }

    pub(crate) fn own_base(&self) -> Image<'_> {
        self.base(&self.project.server.url("/debian"))
    }
}

/// Writes an env.yml with this section.
fn write(project: &Project, base: &str, section: &str) {
    write_with(project, "python", base, section);
}

fn write_with(project: &Project, dependency: &str, base: &str, section: &str) {
    let channel = project.channel();
    project.write(
        FILE,
        format!(
            "# syntax={}\nchannels: [{channel}]\ndependencies: [{dependency}]\ncondafront:\n  installer: native\n  base: {base}\n{section}",
            frontend()
        ),
    );
}

/// `docker build` of an env.yml with this section.
pub(crate) fn build(project: &Project, base: &str, section: &str, args: &[&str]) -> Output {
    write(project, base, section);
    let file = ["--network", "host", "-f", FILE];
    // A build without cache empties the cache mounts of its steps, so they must not be those of another test.
    let caches = format!("BUILDKIT_CACHE_MOUNT_NS={}", project.name());
    let caches = ["--build-arg", &caches];
    project.build_image(&[&file[..], &caches, args, &["."]].concat())
}

/// The packages of this section are on a server whose certificate is from an authority that nobody knows. One of them has
/// `program`.
pub(crate) fn needs_the_authority(
    project: &Project,
    base: &Image<'_>,
    section: &str,
    program: &str,
    printed: &str,
) {
    project.write("ca.pem", AUTHORITY);
    let failed = build(project, base.tag(), section, &[]).expect_failure();
    for said in [&format!(">>> {section}"), "CA_CERTIFICATES"] {
        assert!(failed.stderr.contains(said), "{}", failed.stderr);
    }
    let secret = ["--secret", "id=CA_CERTIFICATES,src=ca.pem"];
    build(project, base.tag(), section, &secret).expect_success();
    let output = project.run(&[], &[program]).expect_success();
    assert_eq!(output.stdout, printed);
    let left = "find / -xdev -name '*condafront-auth*'";
    let output = project.run(&["--user", "root"], &["sh", "-c", left]);
    assert_eq!(output.expect_success().stdout, "");
}

/// The `[base]` steps in the image's history.
fn steps_in_history(project: &Project) -> Vec<String> {
    let mut steps = history(project, project.tag());
    steps.retain(|line| line.starts_with("[base]"));
    steps
}

/// The package URLs of the distribution's packages in the image's inventory.
pub(crate) fn in_inventory(project: &Project) -> Vec<String> {
    let text = project.run(&[], &["cat", "/opt/conda/share/sbom/condafront.spdx.json"]);
    let text = text.expect_success().stdout;
    // The validator does not take a server's number for a name.
    let named = text.replace(project.channel(), "https://conda.example/demo");
    project.write("inventory.spdx.json", named);
    let said = spdx::validate(&project.path("inventory.spdx.json"));
    assert_eq!(said.lines().count(), 1, "{said}");
    let document: Value = serde_json::from_str(&text).expect("JSON");
    let packages = document["packages"].as_array().expect("packages").iter();
    let urls = packages.filter_map(|one| one["externalRefs"][0]["referenceLocator"].as_str());
    let is_of_system = |url: &&str| {
        ["pkg:apk/", "pkg:deb/", "pkg:rpm/"]
            .iter()
            .any(|it| url.starts_with(it))
    };
    urls.filter(is_of_system).map(str::to_owned).collect()
}

/// Lists traces of an installation, other than what it installed.
const LEFT: &str = "find /var/lib/apt/lists /var/cache/apt /var/log /var/cache/debconf -type f ! -name lock | sort; \
    find / -xdev -path /proc -prune -o -name '.condafront*' -print -o -name 'condafront-*' -path '/tmp/*' -print; \
    cut -d: -f1,3 /etc/shadow | grep hello";

#[test]
fn a_platform_adds_its_system_package() {
    let debian = Debian::new(Store::Containerd);
    let project = &debian.project;
    let base = debian.own_base();
    let section = "  apt: [listed]\n  for: nextflow\n";
    let built = build(project, base.tag(), section, &[]).expect_success();
    let added = "`for: nextflow` adds `apt: [procps]`";
    assert!(built.stderr.contains(added), "{}", built.stderr);
    let said = project.run(&[], &["ps"]).expect_success();
    assert_eq!(said.stdout, "1\n");
}

fn packages_of_debian_are_installed(store: Store) {
    let debian = Debian::new(store);
    let project = &debian.project;
    let base = debian.own_base();
    fs::create_dir_all(project.path("lists")).expect("a folder");
    project.write(
        "lists/apt.txt",
        "# what we need\nlisted   # of no version\n",
    );
    let section = "  apt:\n    - -r lists/apt.txt\n    - hello-sys=1.0\n  locale: de_DE.UTF-8\n  user: {name: hello}\n";
    build(project, base.tag(), section, &[]).expect_success();

    let say = |command: &str| {
        let output = project.run(&["--user", "root"], &["sh", "-c", command]);
        output.expect_success().stdout
    };
    let commands = [
        (
            "hello-sys; greet; cat /usr/share/listed; dpkg-query -W hello-sys",
            "hello 1.0, library 3.0\nhello 1.0, library 3.0\nfrom a list\nhello-sys\t1.0\n",
        ),
        (
            "ls /usr/share/hello-extra 2>/dev/null || echo none",
            "none\n",
        ),
        ("id -u hello", "57439\n"),
        // The locales are those of the base image and the requested one; their sources are gone.
        ("locale -a", "C\nC.utf8\nde_DE.utf8\nPOSIX\n"),
        (
            "ls -d /usr/share/i18n 2>/dev/null || echo none; dpkg-query -W -f '${db:Status-Abbrev}' locales 2>/dev/null | grep ^ii || echo none",
            "none\nnone\n",
        ),
    ];
    each_prints(|words| project.run(&["--user", "root"], words), &commands);
    let added = |name: &str, version: &str| {
        format!("pkg:deb/debian/{name}@{version}?arch=all&distro=debian-13")
    };
    assert_eq!(
        in_inventory(project),
        [
            added("hello-lib", "3.0"),
            added("hello-sys", "1.0"),
            added("listed", "1.0")
        ]
    );
    // The account is set up after the packages, one of which created it.
    let config = inspect(project, project.tag(), "{{json .Config}}");
    assert_eq!(config["User"], "57439:57439");
    let env = config["Env"].as_array().expect("variables");
    assert!(env.contains(&json!("LANG=de_DE.UTF-8")), "{env:?}");
    let settings = ["DEBIAN_FRONTEND", "SOURCE_DATE_EPOCH", "LC_ALL"];
    let has = |name: &&str| {
        env.iter()
            .any(|it| it.as_str().is_some_and(|it| it.starts_with(*name)))
    };
    assert!(!settings.iter().any(has), "{env:?}");
    let program = "import locale, os, pwd; locale.setlocale(locale.LC_ALL, ''); print(locale.format_string('%.2f', 1234.5, grouping=True), locale.getlocale(), pwd.getpwuid(os.getuid()).pw_name)";
    let output = project
        .run(&[], &["python", "-c", program])
        .expect_success();
    assert_eq!(output.stdout, "1.234,50 ('de_DE', 'UTF-8') hello\n");
    // The installation left nothing that the base image did not have.
    let before = base.run(&[], &["sh", "-c", LEFT]);
    assert_eq!(say(LEFT), format!("{}hello:3652\n", before.stdout));
    assert_eq!(
        steps_in_history(project),
        [
            "[base] apt install listed hello-sys=1.0, locale de_DE.UTF-8",
            "[base] account"
        ]
    );

    // With other environment variables, the packages come from the cache. While other builds fill a new engine's cache, BuildKit
    // may run a step once more, as long as one of them has not ended.
    let is_cached = |value: &str| {
        project.server.clear();
        let section = format!("{section}  env: {{A: {value}}}\n");
        let output = build(project, base.tag(), &section, &[]).expect_success();
        let requests = project.server.requests();
        let mut requests = requests.iter().map(|request| &request.path);
        output.stderr.contains("CACHED") && !requests.any(|path| path.starts_with("/debian"))
    };
    assert!(["b", "c", "d", "e"].into_iter().any(is_cached));
    // With other packages, the archives that are the same are not downloaded again, except that of locales, which is not kept.
    let old = format!("old=docker-image://{}", project.tag());
    let other = section
        .replace("    - -r lists/apt.txt\n", "    - hello-extra\n")
        .replace("hello-sys=1.0", "hello-sys=2.0");
    build(project, base.tag(), &other, &[]).expect_success();
    let requests = project.server.requests();
    let archives = requests.iter().filter(|it| it.path.contains("hello-"));
    let archives: BTreeSet<&str> = archives.map(|it| it.path.as_str()).collect();
    let expected = [
        "/debian/./hello-extra_1.0_all.deb",
        "/debian/./hello-sys_2.0_all.deb",
    ];
    assert_eq!(archives, BTreeSet::from(expected));

    if store == Store::Containerd {
        let diff = ["--target", "diff", "--build-context", &old, "-o", "reports"];
        build(project, base.tag(), &other, &diff).expect_success();
        assert_eq!(
            changes(project),
            [
                "system hello-extra - 1.0",
                "system hello-sys 1.0 2.0",
                "system listed 1.0 -",
            ]
        );
    }
}

#[test]
fn the_same_packages_are_the_same_layer() {
    let debian = Debian::new(Store::Containerd);
    let project = &debian.project;
    let base = debian.own_base();
    let section = "  apt: [hello-sys]\n  locale: en_US.UTF-8\n";
    write_with(project, "bumpme", base.tag(), section);
    let base_arg = format!("BASE_IMAGE={}", base.tag());
    let args = ["--build-arg", &base_arg, "--network", "host", "--no-cache"];
    let first = project.push_file(FILE, "first", &args);
    let second = project.push_file(FILE, "second", &args);
    assert_eq!(first.layers, second.layers);
    assert!(
        second
            .steps_run()
            .iter()
            .any(|step| step.contains("apt install"))
    );
}

#[test]
fn a_proxy_reaches_the_package_manager() {
    let debian = Debian::new(Store::Containerd);
    let project = &debian.project;
    let base = debian.base("http://deb.invalid/debian");
    let proxy = format!("HTTP_PROXY={}", project.server.url(""));
    let args = ["--build-arg", &proxy];
    build(project, base.tag(), "  apt: [hello-sys]\n", &args).expect_success();
    let output = project.run(&[], &["hello-sys"]).expect_success();
    assert_eq!(output.stdout, "hello 2.0, library 3.0\n");
}

/// Copies the static busybox that came with the engines into the project's folder.
pub(crate) fn busybox(project: &Project) {
    let from: PathBuf = engine_dir().join("root/usr/bin/busybox");
    fs::copy(from, project.path("busybox")).expect("the engines' busybox");
}

/// A locale that the base image already has needs neither packages nor network.
#[test]
fn a_locale_that_the_base_has_costs_nothing() {
    let project = Project::new(Store::Containerd);
    let has_lc_all = Image::from_dockerfile(&project, &format!("FROM {}\nENV LC_ALL=C\n", base()));
    let output = build(
        &project,
        has_lc_all.tag(),
        "  locale: C.UTF-8\n",
        &["--network", "none"],
    );
    output.expect_success();
    let config = inspect(&project, project.tag(), "{{json .Config.Env}}");
    let env = config.as_array().expect("variables");
    for variable in ["LANG=C.UTF-8", "LC_ALL=C.UTF-8"] {
        assert!(env.contains(&json!(variable)), "{env:?}");
    }
    assert_eq!(steps_in_history(&project), ["[base] account"]);
}

on_both_stores!(packages_of_debian_are_installed);
