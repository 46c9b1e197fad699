//! Servers that lead elsewhere, or nowhere, or take for ever.

use std::collections::BTreeSet;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use condafront_testkit::channel::Channel;
use condafront_testkit::engine::Store;
use condafront_testkit::server::{Auth, Fault, Server, Times};

use crate::downloads::fresh_package;
use crate::failure::{error_of, masked};
use crate::pip::hello;
use crate::pip_private::index;
use crate::project::{LOCK, Project, frontend};

const TOKEN: &str = "tk-redirected-81";
const USER: &str = "ada-redirected";
const PASSWORD: &str = "hunter2-redirected";

fn basic() -> Auth {
    Auth::Basic {
        user: USER.to_owned(),
        password: PASSWORD.to_owned(),
    }
}

#[test]
fn redirects_give_no_secret_away_and_lead_in_no_circle() {
    let project = Project::new(Store::Containerd);
    let folder = tempfile::tempdir().expect("a folder for the channel");
    std::fs::create_dir(folder.path().join("noarch")).expect("a folder in it");
    let token = Auth::Bearer(TOKEN.to_owned());
    project
        .server
        .mount_private("/private", folder.path(), token);
    let address = project.server.address();
    // Another host, as far as names tell.
    let elsewhere = Server::start();
    let other = format!("http://localhost:{}", elsewhere.address().port());
    let mut lock = format!("# syntax={}\n@EXPLICIT\n", frontend());
    let packages = [(); 3].map(|()| {
        let (package, archive) = fresh_package("1.0");
        let path = package.path();
        std::fs::write(folder.path().join(&path), &archive).expect("an archive");
        for folder in ["elsewhere", "own"] {
            elsewhere.put(&format!("/{folder}/{path}"), archive.clone());
            project
                .server
                .put(&format!("/{folder}/{path}"), archive.clone());
        }
        package
    });
    // The first comes from where it is asked for, the second from another host, the third from another folder of the same.
    let to = |place: &str, index: usize| format!("{place}/{}", packages[index].path());
    for (index, target) in [
        (1, to(&other, 1)),
        (2, format!("http://{address}/{}", to("own", 2))),
    ] {
        let target = target.replace(&other, &format!("{other}/elsewhere"));
        let path = to("/private", index);
        project
            .server
            .fault(&path, Fault::Redirect(target), Times::Always);
    }
    for package in &packages {
        let line = format!(
            "http://{address}/private/{}#{}\n",
            package.path(),
            package.sha256
        );
        lock.push_str(&line);
    }
    project.write(LOCK, &lock);
    project.write("login", TOKEN);
    let login = format!(
        "id=HTTP_AUTH_TOKEN_{},src={}",
        address.ip(),
        project.path("login").display()
    );
    project.build(&["--secret", &login]).expect_success();
    let own = project.server.requests();
    let asked = own.iter().filter(|it| it.path.starts_with("/private/"));
    assert!(asked.clone().count() >= 3 && asked.clone().all(|it| it.authorization));
    let requests = elsewhere.requests();
    assert!(!requests.is_empty());
    assert!(requests.iter().all(|it| !it.authorization), "{requests:?}");

    // In a circle: the other mirror is used, and without one, the build says so.
    let (package, archive) = fresh_package("1.0");
    let path = package.path();
    project.server.put(&format!("/own/{path}"), archive);
    let circle = project.server.url(&format!("first/{path}"));
    let fault = Fault::Redirect(circle);
    project.server.fault("/first/*", fault, Times::Always);
    let line = format!("http://channel.invalid/{path}#sha256:{}\n", package.sha256);
    project.write(LOCK, format!("# syntax={}\n@EXPLICIT\n{line}", frontend()));
    let mirror = |name: &str| format!("http://channel.invalid={}", project.server.url(name));
    let circle = format!("CONDA_MIRRORS={}", mirror("first"));
    let error = project.build(&["--build-arg", &circle]).expect_failure();
    let error = masked(&project, &error_of(&error));
    assert!(error.starts_with("env.lock:3"), "{error}");
    assert!(error.contains("stopped after 10 redirects"), "{error}");
    let both = format!("{circle} {}", mirror("own"));
    project.build(&["--build-arg", &both]).expect_success();
}

#[test]
fn a_server_that_sends_one_byte_a_second_is_left() {
    let project = Project::new(Store::Containerd);
    let server = &project.server;
    let (package, archive) = fresh_package("1.0");
    let path = package.path();
    for folder in ["first", "own"] {
        server.put(&format!("/{folder}/{path}"), archive.clone());
    }
    let drip = Fault::Drip(Duration::from_secs(1));
    server.fault("/first/*", drip, Times::Always);
    let line = format!("http://channel.invalid/{path}#sha256:{}\n", package.sha256);
    project.write(LOCK, format!("# syntax={}\n@EXPLICIT\n{line}", frontend()));
    let mirror = |name: &str| format!("http://channel.invalid={}", server.url(name));
    let mirrors = format!("CONDA_MIRRORS={} {}", mirror("first"), mirror("own"));
    let patience = "CONDAFRONT_TIMEOUT=4s";
    let args = ["--build-arg", &mirrors, "--build-arg", patience];
    project.build(&args).expect_success();
    let sent = server.requests();
    let sent = sent.iter().filter(|it| it.path.starts_with("/first/"));
    let sent: Vec<u64> = sent.map(|it| it.bytes).collect();
    assert!(sent.iter().any(|bytes| (1..20).contains(bytes)), "{sent:?}");
}

/// An index for pip, and a channel's list, whose servers lead to another host or in a circle.
#[test]
fn redirects_of_lists_and_indexes() {
    let project = Project::new(Store::Containerd);
    let elsewhere = Server::start();
    let other = format!("http://localhost:{}", elsewhere.address().port());
    let folder = index(&[hello("1.0")]);
    elsewhere.mount("/elsewhere", folder.path());
    let channel = Channel::open().directory();
    elsewhere.mount("/channel", channel);
    let server = &project.server;
    server.mount_private("/index", folder.path(), basic());
    server.mount_private("/channel", channel, basic());
    let leads = |from: &str, to: String| {
        server.fault(from, Fault::Redirect(to), Times::Always);
    };
    let page = "/simple/hello-world/";
    leads(&format!("/index{page}"), format!("{other}/elsewhere{page}"));
    let list = "/channel/noarch/repodata.json.zst";
    leads(list, format!("{other}{list}"));
    let address = server.address();
    let host = address.ip();
    project.write(
        "netrc",
        format!("machine {host} login {USER} password {PASSWORD}\n"),
    );
    let encoded = STANDARD.encode(format!("{USER}:{PASSWORD}"));
    project.write("login", format!("Basic {encoded}"));
    let environment = |list: &str| {
        let text = format!(
            "# syntax={}\nchannels: [\"http://{address}/channel\"]\ndependencies:\n  - python\n  - pip\n  - pip:\n    - --index-url http://{address}{list}/\n    - hello.world\n",
            frontend(),
        );
        project.write("env.yml", text);
    };
    let login = format!(
        "id=HTTP_AUTH_HEADER_{host},src={}",
        project.path("login").display()
    );
    let netrc = format!("id=NETRC,src={}", project.path("netrc").display());
    let args = ["--network", "host", "--secret", &login, "--secret", &netrc];
    environment("/index/simple");
    let built = project.build_file("env.yml", &args).expect_success();
    for secret in [USER, PASSWORD, &encoded] {
        assert!(!built.stderr.contains(secret), "{secret}");
    }
    let has_login = |server: &Server, part: &str| {
        let asked = server.requests();
        let logins = asked.iter().filter(|it| it.path.contains(part));
        let logins: BTreeSet<bool> = logins.map(|it| it.authorization).collect();
        logins
    };
    for part in [page, list] {
        assert!(has_login(server, part).contains(&true), "{part}");
        assert_eq!(
            has_login(&elsewhere, part),
            BTreeSet::from([false]),
            "{part}"
        );
    }
    assert_eq!(
        has_login(&elsewhere, "hello_world-1.0"),
        BTreeSet::from([false])
    );

    let round = "/round/simple/hello-world/";
    leads(round, server.url(round));
    environment("/round/simple");
    let error = project.build_file("env.yml", &args).expect_failure();
    let error = masked(&project, &error_of(&error));
    // At the line that names the index.
    assert!(error.starts_with("env.yml:7"), "{error}");
    let told = "pip cannot find the PyPI packages: http://channel.test/round/simple/ redirects in a loop: pip followed 30 redirects";
    assert!(error.contains(told), "{error}");
}
