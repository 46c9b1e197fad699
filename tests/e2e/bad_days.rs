//! Clients that go away, engines that crash, full disks, crowds and registries that die: after each of them, the next build is
//! right, and nothing half-made is in the cache.

use std::collections::BTreeSet;
use std::os::unix::process::ExitStatusExt as _;

use condafront_testkit::channel::{self, Channel, HashStyle, Package};
use condafront_testkit::engine::{self, Store};
use condafront_testkit::proxy::Proxy;
use condafront_testkit::server::{Fault, Times};

use crate::client::Client;
use crate::failure::error_of;
use crate::project::{GZIP, LOCK, Project, frontend};
use crate::pushed::Pushed;

/// A project with a lock that gets longer from day to day.
struct Days {
    project: Project,
    lines: String,
}

impl Days {
    fn new(project: Project) -> Self {
        let packages = Channel::open().closure(&["bumpme", "file-kinds", "text-prefix"]);
        let lines = channel::lock(&packages, project.channel(), HashStyle::Sha256);
        Self { project, lines }
    }

    /// Adds a package to the lock. Returns it.
    fn add(&mut self, (package, archive): (Package, Vec<u8>)) -> Package {
        let path = format!("/own/{}", package.path());
        self.project.server.put(&path, archive);
        let line = format!("{}#{}\n", self.project.server.url(&path), package.sha256);
        self.lines.push_str(&line);
        let text = format!("# syntax={}\n{}", frontend(), self.lines);
        self.project.write(LOCK, text);
        package
    }

    /// Adds a package with a file of this many bytes, which no builder has seen.
    fn add_large(&mut self, name: &str, bytes: usize) -> Package {
        self.add(large(name, bytes))
    }
}

/// A package with a file of this many bytes, which no builder has seen.
fn large(name: &str, bytes: usize) -> (Package, Vec<u8>) {
    let time = std::time::UNIX_EPOCH.elapsed().expect("a clock");
    let name = format!("{name}-{:x}", time.as_nanos());
    channel::package_of_size(&name, "1.0", bytes)
}

/// One engine has all of these days, one after the other. In the end, its image is that of an engine that has had none.
#[test]
fn the_build_after_a_bad_day_is_right() {
    let mut days = Days::new(Project::in_memory(Store::Containerd));
    clients_go_away(&mut days);
    the_engine_crashes(&mut days);
    the_disk_is_full(&mut days);
    let Days { project, .. } = days;
    let epoch = ["--build-arg", "SOURCE_DATE_EPOCH=1700000000"];
    let ours = project.push("survivor", &epoch);
    let other = Project::new(Store::Containerd);
    other.write(LOCK, std::fs::read(project.path(LOCK)).expect("the lock"));
    let theirs = other.push("undisturbed", &epoch);
    assert_eq!(ours.layers, theirs.layers);
    assert_eq!(ours.manifest, theirs.manifest);
}

/// Clients are killed while a build resolves, downloads, installs, runs a script, merges and exports.
fn clients_go_away(days: &mut Days) {
    let channel = days.project.channel().to_owned();
    let env = format!(
        "# syntax={}\nchannels: [{channel}]\ndependencies: [bumpme]\n",
        frontend()
    );
    days.project.write("env.yml", env);
    let server = &days.project.server;
    let list = "/conda-forge/noarch/repodata.json.zst";
    server.fault(list, Fault::Stall, Times::First(1));
    let is_killed = kill_client(&days.project, "env.yml", |_| asked(&days.project, list));
    assert!(is_killed);
    days.project.build_file("env.yml", &[]).expect_success();

    let fetched = days.add_large("is-fetched", 100_000);
    let path = format!("/own/{}", fetched.path());
    let server = &days.project.server;
    server.fault(&path, Fault::Stall, Times::First(1));
    let is_killed = kill_client(&days.project, LOCK, |_| asked(&days.project, &path));
    assert!(is_killed);
    build(days);

    until_in_time(|| {
        let package = days.add_large("is-installed", 20_000_000);
        let is_killed = kill_client(&days.project, LOCK, |said| {
            is_installing(said, &package.name)
        });
        build(days);
        is_killed
    });

    let script = "echo the script waits\nsleep 1\n";
    let script = ("bin/.has-a-script-post-link.sh", script, 0o755);
    days.add(channel::package("has-a-script", "1.0", &[script]));
    let is_killed = kill_client(&days.project, LOCK, |said| {
        said.contains("the script waits")
    });
    assert!(is_killed);
    build(days);

    for (name, bytes, moment) in [
        ("is-merged", 1_000_000, "put the layers together"),
        ("is-exported", 20_000_000, "exporting layers"),
    ] {
        until_in_time(|| {
            days.add_large(name, bytes);
            let is_killed = kill_client(&days.project, LOCK, |said| is_running(said, moment));
            build(days);
            is_killed
        });
    }
}

/// The engine is killed in an install step, and while it exports.
fn the_engine_crashes(days: &mut Days) {
    let moments = [
        ("crashes-installing", ""),
        ("crashes-exporting", "exporting layers"),
    ];
    for (name, moment) in moments {
        until_in_time(|| {
            let package = days.add_large(name, 20_000_000);
            let client = Client::start(&days.project, LOCK, &[]);
            client.wait_until(|said| match moment {
                "" => is_installing(said, &package.name),
                moment => is_running(said, moment),
            });
            days.project.engine.crash_and_restart();
            let (status, _) = client.finish();
            build(days);
            !status.success()
        });
    }
}

/// There is too little space for a download, for what an install step writes, and for what is exported.
fn the_disk_is_full(days: &mut Days) {
    const TOLD: &str = "the builder's disk is full";
    const ADVICE: &str =
        "Free space on it, for example with `docker builder prune`, and build again.";
    days.add_large("is-too-large", 20_000_000);
    let engine = &days.project.engine;
    // The second time, there is space for the download alone, then for what is installed.
    for (megabytes, told) in [
        (8, &[TOLD, ADVICE][..]),
        (24, &[TOLD, ADVICE]),
        // BuildKit's own words: the frontend has done its part.
        (24, &["no space left on device"]),
    ] {
        engine.leave_space(megabytes * 1_000_000);
        let output = days.project.build(&[]).expect_failure();
        let error = error_of(&output);
        for part in told {
            assert!(error.contains(part), "{part} in {error}");
        }
    }
    // As another user, everything is installed again.
    engine.leave_space(8_000_000);
    let user = ["--build-arg", "MAMBA_USER_ID=4321"];
    let error = error_of(&days.project.build(&user).expect_failure());
    assert!(error.contains(TOLD) && error.contains(ADVICE), "{error}");
    engine.leave_space(1_000_000_000);
    days.project.build(&user).expect_success();
    build(days);
}

/// Whether the server has been asked for this.
pub(crate) fn asked(project: &Project, path: &str) -> bool {
    project.server.requests().iter().any(|it| it.path == path)
}

/// Whether the install step of a package runs or has run.
fn is_installing(said: &str, name: &str) -> bool {
    let mut lines = said.lines();
    lines.any(|line| line.contains("[install ") && line.contains(name))
}

/// Whether a step with this in its name runs or has run.
pub(crate) fn is_running(said: &str, name: &str) -> bool {
    said.lines()
        .any(|line| line.starts_with('#') && line.contains(name))
}

/// Repeats a day until it happens in time: nothing holds a build in these moments, so it may have ended before.
fn until_in_time(mut day: impl FnMut() -> bool) {
    assert!((0..5).any(|_| day()), "every build ended too early");
}

/// Starts a build, and kills its client when it is time. Says whether it was still running.
fn kill_client(project: &Project, file: &str, is_time: impl Fn(&str) -> bool) -> bool {
    kill_client_with(project, file, &[], is_time)
}

/// The same for a build with these options.
pub(crate) fn kill_client_with(
    project: &Project,
    file: &str,
    args: &[&str],
    is_time: impl Fn(&str) -> bool,
) -> bool {
    let client = Client::start(project, file, args);
    client.wait_until(is_time);
    let (status, said) = client.end("KILL");
    assert!(status.success() || status.signal() == Some(9), "{said}");
    !status.success()
}

/// Builds the lock as if nothing had happened, and looks for its last package.
fn build(days: &Days) {
    days.project.build(&[]).expect_success();
    let last = days.lines.lines().last().expect("a package");
    let file = last.split(['/', '#']).find(|part| part.contains("-1.0-"));
    let name = file.and_then(|file| file.split("-1.0-").next());
    let list = ["sh", "-c", "ls /opt/conda/conda-meta"];
    let found = days.project.run(&[], &list).expect_success().stdout;
    assert!(found.contains(name.expect("a name")), "{found}");
}

/// Forty clients build ten files at once.
#[test]
fn crowds_get_what_they_ask_for() {
    const FILES: usize = 10;
    const CLIENTS: usize = 40;
    let project = Project::new(Store::Containerd);
    let all = format!("# syntax={}\n@EXPLICIT\n", frontend());
    let line = |name: &str| {
        let (package, archive) = large(name, 100_000);
        let path = format!("/own/{}", package.path());
        project.server.put(&path, archive);
        (
            format!("{}#{}\n", project.server.url(&path), package.sha256),
            package,
        )
    };
    let (common, _) = line("common");
    let own: Vec<_> = (0..FILES)
        .map(|number| line(&format!("own-{number}")))
        .collect();
    for (number, (own, _)) in own.iter().enumerate() {
        project.write(&format!("{number}.lock"), format!("{all}{common}{own}"));
    }
    let tags: Vec<String> = (0..CLIENTS)
        .map(|number| format!("{}-crowd:{number}", project.name()))
        .collect();
    let clients: Vec<Client> = tags
        .iter()
        .enumerate()
        .map(|(number, tag)| {
            let file = format!("{}.lock", number % FILES);
            Client::start(&project, &file, &["--tag", tag])
        })
        .collect();
    for client in clients {
        let (status, said) = client.finish();
        assert!(status.success(), "{said}");
    }
    let layers = |tags: &[&str]| -> Vec<Vec<String>> {
        let inspect = ["image", "inspect", "--format", "{{json .RootFS.Layers}}"];
        let found = project.docker(&[&inspect, tags].concat()).expect_success();
        let lines = found.stdout.lines();
        lines
            .map(|line| serde_json::from_str(line).expect("layers"))
            .collect()
    };
    let names: Vec<&str> = tags.iter().map(String::as_str).collect();
    let images = layers(&names);
    assert_eq!(images.len(), CLIENTS);
    for (number, image) in images.iter().enumerate() {
        assert_eq!(*image, images[number % FILES], "{number}");
    }

    // One at a time, from the start, they give the same layers: all but the topmost, the inventory.
    let lines: String = own.iter().map(|(line, _)| line.as_str()).collect();
    project.write(LOCK, format!("{all}{common}{lines}"));
    project.build(&["--no-cache"]).expect_success();
    let of_all: BTreeSet<String> = layers(&[project.tag()]).remove(0).into_iter().collect();
    let mut seen = BTreeSet::new();
    for image in &images[..FILES] {
        let (_, below) = image.split_last().expect("layers");
        assert!(below.iter().all(|layer| of_all.contains(layer)));
        seen.extend(below.iter().cloned());
    }
    assert_eq!(seen.len(), of_all.len() - 1);
    let versions = own
        .iter()
        .map(|(_, it)| format!("/opt/conda/share/{}/version.txt", it.name));
    let versions: Vec<String> = versions.collect();
    let mut cat = vec!["cat"];
    cat.extend(versions.iter().map(String::as_str));
    let found = project.run(&[], &cat).expect_success();
    assert_eq!(found.stdout, "1.0\n".repeat(FILES));
}

/// The client goes away, and then the registry dies, in the middle of a layer; both live again when the build is repeated.
#[test]
fn a_registry_that_dies_while_a_build_pushes() {
    let mut days = Days::new(Project::new(Store::Containerd));
    let package = days.add_large("is-pushed", 8_000_000);
    let project = &days.project;
    let registry = engine::registry().parse().expect("an address");
    let proxy = Proxy::start(registry);
    let place = format!("{}/{}:pushed", proxy.address(), project.name());
    let output = format!("type=image,name={place},push=true,store=false,{GZIP}");
    let epoch = "SOURCE_DATE_EPOCH=1700000000";
    let args = [
        "--provenance=false",
        "--build-arg",
        epoch,
        "--output",
        &output,
    ];
    proxy.hold_after(2_000_000);
    let is_killed = kill_client_with(project, LOCK, &args, |_| proxy.is_held());
    assert!(is_killed);
    proxy.revive();

    let push = || {
        let (status, said) = Client::start(project, LOCK, &args).finish();
        (status.success(), said)
    };
    proxy.die_after(4_000_000);
    let (is_pushed, told) = push();
    assert!(proxy.is_dead() && !is_pushed, "{told}");
    assert!(told.contains("failed to push"), "{told}");

    proxy.revive();
    project.packages_requested();
    let (is_pushed, told) = push();
    assert!(is_pushed, "{told}");
    assert_eq!(project.packages_requested(), [""; 0]);
    // What is in the registry is what a push without a fault gives.
    let name = format!("{}/{}:pushed", engine::registry(), project.name());
    let again = Pushed::new(String::new(), &name);
    let whole = project.push("whole", &["--build-arg", "SOURCE_DATE_EPOCH=1700000000"]);
    assert_eq!(again.manifest, whole.manifest);
    let file = format!("/opt/conda/share/{}/version.txt", package.name);
    project
        .docker(&["run", "--rm", "--network=none", &name, "cat", &file])
        .expect_success();
}
