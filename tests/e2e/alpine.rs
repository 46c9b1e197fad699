//! Packages of Alpine from the base image's package manager.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use condafront_testkit::engine::{Store, run};
use condafront_testkit::needs;
use condafront_testkit::server::{Certificate, Server};

use crate::failure::Failures;
use crate::image::Image;
use crate::project::{Project, base};
use crate::system::{build, in_inventory, needs_the_authority};

/// Makes a repository in `folder`: a package that depends on a second, and two that provide the same.
fn repository(apk: &Path, folder: &Path) {
    let programs = folder.join("programs/usr/bin");
    fs::create_dir_all(&programs).expect("a folder");
    let apk = |arguments: &[&str]| {
        let mut command = Command::new(apk);
        run(command.args(arguments).current_dir(folder)).expect_success();
    };
    let mut files = Vec::new();
    for (name, relation) in [
        ("hello-apk", "depends:hello-apk-lib"),
        ("hello-apk-lib", "provides:hello-apk-api=1"),
        ("this-mta", "provides:some-mta"),
        ("that-mta", "provides:some-mta"),
    ] {
        let program = programs.join(name);
        fs::write(&program, format!("#!/bin/sh\necho {name} from apk\n")).expect("a program");
        fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).expect("a program");
        let file = format!("{name}-1.0-r0.apk");
        let (named, output) = (format!("name:{name}"), ["--output", &file]);
        let mut arguments = vec!["mkpkg", "--files", "programs"];
        for info in [
            &named,
            "version:1.0-r0",
            "arch:x86_64",
            "license:MIT",
            relation,
        ] {
            arguments.extend(["--info", info]);
        }
        apk(&[&arguments[..], &output].concat());
        fs::remove_file(&program).expect("the program can be removed");
        files.push(file);
    }
    let files = files.iter().map(String::as_str);
    let arguments = ["mkndx", "--allow-untrusted", "--output", "Packages.adb"];
    apk(&arguments.into_iter().chain(files).collect::<Vec<_>>());
}

/// A base image with apk, which finds packages at `url`, and no apt. conda's packages need its C library, which is Debian's.
fn with_apk<'a>(project: &'a Project, url: &str) -> Image<'a> {
    Image::from_dockerfile(
        project,
        &format!(
            "FROM {}\n\
             COPY apk /sbin/apk\n\
             COPY repository /srv/repository\n\
             RUN rm /usr/bin/apt* && mkdir -p /etc/apk && echo x86_64 > /etc/apk/arch && \\\n\
                 echo allow-untrusted > /etc/apk/config && apk --initdb add && \\\n\
                 echo {url} > /etc/apk/repositories && \\\n\
                 printf 'ID=alpine\\nPRETTY_NAME=\"Alpine Linux v3.23\"\\n' > /etc/os-release\n",
            base()
        ),
    )
}

#[test]
#[ignore = "needs an apk"]
fn needs_apk_packages_of_alpine_are_installed() {
    let apk = needs::apk();
    let project = Project::new(Store::Containerd);
    fs::copy(&apk, project.path("apk")).expect("apk");
    let folder = project.path("repository");
    repository(&apk, &folder);
    let base = with_apk(&project, "/srv/repository/Packages.adb");
    let section = "  apk: [hello-apk=~1.0]\n";
    build(&project, base.tag(), section, &[]).expect_success();
    assert_eq!(
        in_inventory(&project),
        [
            "pkg:apk/alpine/hello-apk@1.0-r0?arch=x86_64&distro=alpine",
            "pkg:apk/alpine/hello-apk-lib@1.0-r0?arch=x86_64&distro=alpine",
        ]
    );
    let commands =
        "hello-apk; hello-apk-lib; find /var/cache/apk /etc/apk/cache -type f 2>/dev/null";
    let output = project.run(&[], &["sh", "-c", commands]);
    assert_eq!(
        output.stdout,
        "hello-apk from apk\nhello-apk-lib from apk\n"
    );

    let mut failures = Failures::new(&project);
    for (title, section) in [
        (
            "packages that do not exist",
            "  apk:\n    - hello-apk-lib\n    - nonsense\n",
        ),
        ("a version that is gone", "  apk: [hello-apk=0.9-r0]\n"),
        ("a virtual package", "  apk: [some-mta]\n"),
    ] {
        failures.add_output(title, build(&project, base.tag(), section, &[]));
    }
    insta::assert_snapshot!(failures.text().replace(base.tag(), "<base>"));

    let server = Server::start_tls(Certificate::Good);
    server.mount("/repository", &folder);
    // apk does not compare addresses with certificates, only names.
    let url = server.url("/repository/Packages.adb");
    let base = with_apk(&project, &url.replace("127.0.0.1", "localhost"));
    let section = "  apk: [hello-apk]\n";
    needs_the_authority(
        &project,
        &base,
        section,
        "hello-apk",
        "hello-apk from apk\n",
    );
}
