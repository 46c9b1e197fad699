//! Packages of Fedora from the base image's package manager.

use std::fs;
use std::path::Path;
use std::process::Command;

use condafront_testkit::cache::made_once;
use condafront_testkit::engine::{Store, run};
use condafront_testkit::server::{Certificate, Server};

use crate::diff::changes;
use crate::failure::Failures;
use crate::image::{Image, each_prints};
use crate::project::Project;
use crate::system::{build, in_inventory, needs_the_authority};

/// Packages for dnf: one that requires a second and recommends a third, and a stand-in for a locale.
const SPEC: &str = "\
Name: hello-rpm
Version: 1.0
Release: 1
Summary: made by a test
License: MIT
BuildArch: noarch
AutoReqProv: no
Requires: hello-rpm-lib
Recommends: hello-rpm-extra
%description
Made by a test.
%package -n hello-rpm-lib
Summary: needed
%description -n hello-rpm-lib
Needed.
%package -n hello-rpm-extra
Summary: recommended
%description -n hello-rpm-extra
Recommended.
%package -n glibc-langpack-nl
Summary: a locale
AutoReqProv: no
%description -n glibc-langpack-nl
A locale.
%install
mkdir -p %{buildroot}/usr/bin %{buildroot}/usr/lib/locale/nl_NL.utf8
printf '#!/bin/sh\\necho hello from dnf\\n' > %{buildroot}/usr/bin/hello-rpm
cp -r /usr/lib/locale/C.utf8/. %{buildroot}/usr/lib/locale/nl_NL.utf8/
%files
%attr(755,root,root) /usr/bin/hello-rpm
%files -n hello-rpm-lib
%files -n hello-rpm-extra
%files -n glibc-langpack-nl
/usr/lib/locale/nl_NL.utf8
";

/// A base image with dnf, a repository of the packages above, and no apt. dnf and rpm are Debian's: those of other
/// distributions are not available here.
fn with_dnf(project: &Project) -> Image<'_> {
    let root = made_once("root-dnf", |folder| {
        run(
            Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/engine"))
                .arg("root")
                .arg(folder.join("root.tar"))
                .args(["dnf", "rpm", "createrepo-c"]),
        )
        .expect_success();
    });
    fs::copy(root.join("root.tar"), project.path("root.tar")).expect("the root with dnf");
    project.write("hello.spec", SPEC);
    let image = Image::from_dockerfile(
        project,
        "FROM scratch\n\
         ADD root.tar /\n\
         COPY hello.spec /\n\
         RUN rpmbuild -bb --define '_topdir /srv' hello.spec && createrepo_c /srv/RPMS && rm /usr/bin/apt* && \\\n\
             mkdir -p /etc/yum.repos.d && printf '[local]\\nname=local\\nbaseurl=file:///srv/RPMS\\ngpgcheck=0\\n' > /etc/yum.repos.d/local.repo && \\\n\
             printf 'ID=fedora\\nPRETTY_NAME=\"Fedora Linux 43\"\\n' > /etc/os-release\n",
    );
    fs::remove_file(project.path("root.tar")).expect("the root with dnf can be removed");
    image
}

#[test]
fn packages_of_fedora_are_installed() {
    let project = Project::new(Store::Containerd);
    let base = with_dnf(&project);
    let section = "  dnf: [hello-rpm=1.0]\n  locale: nl_NL.UTF-8\n";
    build(&project, base.tag(), section, &[]).expect_success();
    assert_eq!(
        in_inventory(&project),
        [
            "pkg:rpm/fedora/glibc-langpack-nl@1.0-1?arch=noarch&distro=fedora&upstream=hello-rpm-1.0-1.src.rpm",
            "pkg:rpm/fedora/hello-rpm@1.0-1?arch=noarch&distro=fedora&upstream=hello-rpm-1.0-1.src.rpm",
            "pkg:rpm/fedora/hello-rpm-lib@1.0-1?arch=noarch&distro=fedora&upstream=hello-rpm-1.0-1.src.rpm",
        ]
    );
    let commands = [
        (
            "find /var/cache/dnf /var/log -name '*dnf*' -type f; ls -d /.condafront* 2>/dev/null || true",
            "",
        ),
        ("hello-rpm", "hello from dnf\n"),
        (
            "rpm -qa | sort; echo $LANG; locale -a | grep nl",
            "glibc-langpack-nl-1.0-1.noarch\nhello-rpm-1.0-1.noarch\nhello-rpm-lib-1.0-1.noarch\nnl_NL.UTF-8\nnl_NL.utf8\n",
        ),
    ];
    each_prints(|words| project.run(&["--user", "root"], words), &commands);

    // rpm's database is not read, but the inventory has what the build added.
    let old = format!("old=docker-image://{}", base.tag());
    let diff = ["--target", "diff", "--build-context", &old, "-o", "reports"];
    let said = build(&project, base.tag(), section, &diff).expect_success();
    let note = "Of the distribution's packages, only those are listed that the build added";
    assert!(said.stderr.contains(note), "{}", said.stderr);
    let mut of_system = changes(&project);
    of_system.retain(|change| change.starts_with("system "));
    assert_eq!(
        of_system,
        [
            "system glibc-langpack-nl - 1.0-1",
            "system hello-rpm - 1.0-1",
            "system hello-rpm-lib - 1.0-1",
        ]
    );
    let mut failures = Failures::new(&project);
    for (title, section) in [
        (
            "packages that do not exist",
            "  dnf:\n    - hello-rpm-lib\n    - nonsense\n    - hello-rpm=7\n",
        ),
        ("a locale that does not exist", "  locale: fr_FR.UTF-8\n"),
        ("Debian's key", "  apt: [tzdata]\n"),
    ] {
        failures.add_output(title, build(&project, base.tag(), section, &[]));
    }
    let text = failures.text();
    for said in [
        ">>>     - nonsense\n  10 | >>>     - hello-rpm=7\n",
        "ERROR: dnf has no packages `nonsense` and `hello-rpm-7` for this base image\n",
        ">>>   locale: fr_FR.UTF-8\n",
        "ERROR: cannot install the locale: dnf has no package `glibc-langpack-fr` for this base image\n",
        "ERROR: the base image (Fedora Linux 43) has no apt: its package manager is dnf\nUse the key `dnf` instead",
    ] {
        assert!(text.contains(said), "{said}\nis not in\n{text}");
    }
    dnf_trusts_the_authorities_of_a_company(&project, &base);
}

/// The repository of `base` on a server whose certificate is from an authority that nobody knows.
fn dnf_trusts_the_authorities_of_a_company(project: &Project, base: &Image<'_>) {
    let files = format!(
        "FROM {} AS made\nFROM scratch\nCOPY --from=made /srv/RPMS /\n",
        base.tag()
    );
    project.write("files.Dockerfile", files);
    let files = ["build", "-f", "files.Dockerfile", "-o", "rpms", "."];
    project.docker(&files).expect_success();
    let server = Server::start_tls(Certificate::Good);
    server.mount("/rpms", project.path("rpms"));
    let base = Image::from_dockerfile(
        project,
        &format!(
            "FROM {}\nRUN rm -r /srv/RPMS && sed -i 's|file:///srv/RPMS|{}|' /etc/yum.repos.d/local.repo\n",
            base.tag(),
            server.url("/rpms")
        ),
    );
    let section = "  dnf: [hello-rpm]\n";
    needs_the_authority(project, &base, section, "hello-rpm", "hello from dnf\n");
}
