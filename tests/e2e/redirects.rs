//! Servers that lead elsewhere, or nowhere, or take for ever.

use std::time::Duration;

use condafront_testkit::engine::Store;
use condafront_testkit::server::{Auth, Fault, Server, Times};

use crate::downloads::fresh_package;
use crate::failure::{error_of, masked};
use crate::project::{LOCK, Project, frontend};

const TOKEN: &str = "tk-redirected-81";

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
