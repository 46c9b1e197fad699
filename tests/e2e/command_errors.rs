//! Copies and commands that fail.

use condafront_testkit::engine::Store;

use crate::commands::{app, build};
use crate::failure::Failures;
use crate::image::Image;
use crate::project::{Project, base};

#[test]
fn copies_and_commands_that_fail() {
    let project = Project::new(Store::Containerd);
    app(&project);
    std::os::unix::fs::symlink("setup.cfg", project.path("gone.cfg")).expect("a link");
    let other = Image::from_dockerfile(&project, "FROM scratch\nCOPY config /config\n");
    let mut failures = Failures::new(&project);
    let usual = format!("  base: {}\n", base());
    let from = format!(
        "  copy: [{{from: {}, src: /config/d.toml, dest: /srv/}}]\n",
        other.tag()
    );
    for (title, section) in [
        (
            "a missing file",
            "  copy: {app: /srv/app, setup.cfg: /srv/}\n",
        ),
        (
            "a link that leads nowhere",
            "  copy: {app: /srv/app, gone.cfg: /srv/}\n",
        ),
        (
            "a missing file, before the owner is looked up",
            "  copy:\n    - {src: setup.cfg, dest: /srv/}\n    - {src: app, dest: /srv/app, chown: \"root:root\"}\n",
        ),
        (
            "a file that .dockerignore excludes",
            "  copy:\n    - {src: [app/main.py, app/data/big.bin], dest: /srv/}\n",
        ),
        (
            "a pattern that matches nothing",
            "  copy: {config/*.yml: /srv/}\n",
        ),
        ("a file missing from the image", &from),
        (
            "an invalid image name",
            "  copy: [{from: Debian!, src: /a, dest: /b}]\n",
        ),
        (
            "a folder copied onto a file",
            "  copy: {app: /etc/passwd}\n",
        ),
        (
            "an unknown owner",
            "  copy: [{src: app, dest: /srv, chown: \"ada:staff2\"}]\n",
        ),
        (
            "an unknown user",
            "  run:\n    - true\n    - {run: id, user: grace}\n",
        ),
        (
            "a command that fails",
            "  copy: {app: app}\n  run:\n    - true\n    - |\n      echo about to fail\n      exit 3\n    - [never]\n",
        ),
        (
            "a script that cannot be executed",
            "  copy: {tool.sh: /srv/}\n  workdir: /srv\n  run: ./tool.sh\n",
        ),
        ("a missing program", "  run: [[pyhton, -m, app]]\n"),
        (
            "a missing secret",
            "  run:\n    - {run: make, mounts: [\"type=secret,id=token,required=true\"]}\n",
        ),
        (
            "a cache mounted over everything",
            "  run:\n    - run: make\n      mounts:\n        - {type: cache, target: ../..}\n",
        ),
        ("a home that cannot be used", "  copy: {app: ~/app}\n"),
        (
            "a network that is not allowed",
            "  run: [{run: make, network: host}]\n",
        ),
    ] {
        failures.add_output(
            title,
            build(&project, "bumpme", &format!("{usual}{section}"), &[]),
        );
    }
    let bare = "  base: scratch\n  run: echo hello\n";
    failures.add_output("no shell", build(&project, "bumpme", bare, &[]));
    insta::assert_snapshot!(failures.text().replace(other.tag(), "other"));
}
