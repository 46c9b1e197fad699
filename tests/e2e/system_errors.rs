//! What the package managers of base images cannot install.

use condafront_testkit::engine::Store;

use crate::failure::Failures;
use crate::image::Image;
use crate::system::{Debian, build, busybox};

#[test]
fn what_a_base_cannot_install() {
    let debian = Debian::new(Store::Containerd);
    let project = &debian.project;
    let base = debian.own_base();
    let unreachable = debian.base("http://127.0.0.1:9/debian");
    busybox(project);
    project.write(
        "os-release",
        "ID=alpine\nNAME=\"Alpine Linux\"\nPRETTY_NAME=\"Alpine Linux v3.22\"\n",
    );
    let alpine = Image::from_dockerfile(
        project,
        "FROM scratch\nCOPY busybox /bin/busybox\nCOPY busybox /sbin/apk\nCOPY os-release /etc/os-release\n",
    );
    project.write("os-release", "ID=debian\nPRETTY_NAME=\"Distroless\"\n");
    let distroless = Image::from_dockerfile(
        project,
        &format!(
            "FROM scratch\nCOPY --from={0} /usr/lib/x86_64-linux-gnu /lib/x86_64-linux-gnu\nCOPY --from={0} /lib64 /lib64\nCOPY os-release /usr/lib/os-release\n",
            crate::project::base()
        ),
    );
    project.write("apt.txt", "listed\nhello-syss\n");
    project.write("wrong.txt", "listed\nhello-sys --fix-missing\n");
    let mut failures = Failures::new(project);
    for (title, base, section) in [
        (
            "packages that do not exist",
            base.tag(),
            "  apt:\n    - -r apt.txt\n    - nonsense\n    - hello-lib\n",
        ),
        (
            "a version that does not exist",
            base.tag(),
            "  apt: [listed, hello-sys=1.5]\n",
        ),
        (
            "a dependency that does not exist",
            base.tag(),
            "  apt:\n    - listed\n    - lonely\n",
        ),
        (
            "a package whose script fails",
            base.tag(),
            "  apt: [listed, broken]\n",
        ),
        ("a missing list", base.tag(), "  apt: [-r packages.txt]\n"),
        (
            "a list with an option",
            base.tag(),
            "  apt: [-r wrong.txt]\n",
        ),
        ("no network", unreachable.tag(), "  apt: [listed]\n"),
        ("Alpine's key for Debian", base.tag(), "  apk: [tini]\n"),
        (
            "Debian's key for Alpine",
            alpine.tag(),
            "  apt:\n    - tzdata\n    - tini\n",
        ),
        ("no package manager", distroless.tag(), "  dnf: [tzdata]\n"),
        ("an empty base image", "scratch", "  apt: [tzdata]\n"),
        (
            "a locale that does not exist",
            base.tag(),
            "  locale: en_UX.UTF-8\n",
        ),
        (
            "an encoding that does not exist",
            base.tag(),
            "  locale: en_US.UTF-88\n",
        ),
        (
            "a locale, and no network",
            unreachable.tag(),
            "  locale: en_US.UTF-8\n",
        ),
        (
            "a locale, and no package manager",
            distroless.tag(),
            "  locale: en_US.UTF-8\n",
        ),
        (
            "a locale, and an empty base image",
            "scratch",
            "  locale: en_US.UTF-8\n",
        ),
    ] {
        failures.add_output(title, build(project, base, section, &[]));
    }
    let text = [&base, &unreachable, &alpine, &distroless]
        .iter()
        .zip(["debian", "unreachable", "alpine", "distroless"])
        .fold(failures.text().to_owned(), |text, (image, name)| {
            text.replace(image.tag(), name)
        });
    insta::assert_snapshot!(text);
}
