//! The target `diff`: how the packages of two images differ.

use std::fs;

use condafront_testkit::channel::{self, Channel, HashStyle};
use condafront_testkit::engine::{Output, Store};
use serde_json::Value;

use crate::image::Image;
use crate::project::{LOCK, NATIVE, Project, frontend};

/// Compares with the image `old`. The reports go to the folder `reports`.
fn diff(project: &Project, old: &str, args: &[&str]) -> Output {
    let context = format!("old=docker-image://{old}");
    let usual = ["--target", "diff", "--build-context", &context];
    project.build(&[&usual[..], &["-o", "reports"], args].concat())
}

/// The changes in the report, each on a line: kind, name, old version, new version.
pub(crate) fn changes(project: &Project) -> Vec<String> {
    let report = fs::read(project.path("reports/diff.json")).expect("a report");
    let report: Value = serde_json::from_slice(&report).expect("JSON");
    let changes = report["changes"].as_array().expect("changes").iter();
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let line = |change: &Value| {
        let parts = [
            &change["kind"],
            &change["name"],
            &change["old"]["version"],
            &change["new"]["version"],
        ];
        parts.map(text).join(" ")
    };
    changes.map(line).collect()
}

/// What somebody did to an image without conda: a package of the distribution, one that pip could have installed, and traps.
const CHANGES: &str = "
USER root
RUN printf '\\nPackage: backdoor\\nStatus: install ok installed\\nArchitecture: all\\nVersion: 6.6\\n' >> /var/lib/dpkg/status
RUN cd /opt/conda && mkdir -p lib/python3.13/site-packages/evil-1.0.dist-info && \
    printf 'Name: Evil\\nVersion: 1.0\\n' > lib/python3.13/site-packages/evil-1.0.dist-info/METADATA && \
    mkdir -p lib/python3.12/site-packages/trap-1.0.dist-info envs && \
    ln -s /proc/self/environ lib/python3.12/site-packages/trap-1.0.dist-info/METADATA && \
    mkfifo conda-meta/pipe-1.0-0.json && ln -s /etc/passwd conda-meta/link-1.0-0.json && \
    ln -s loop envs/loop && ln -s / envs/root && truncate -s 65M conda-meta/large-1.0-0.json
";

#[test]
fn what_changed_between_images_is_listed() {
    let project = Project::new(Store::Containerd);
    project.lock(&["bumpme=1.0", "clash-a", "file-kinds"]);
    project.build(&[]).expect_success();
    let old = project.tag().to_owned();

    // With what the file describes.
    project.lock(&["bumpme=2.0", "clash-b", "file-kinds"]);
    let said = diff(&project, &old, &[]).expect_success().stderr;
    let summary = "packages: 1 added, 1 removed, 1 changed; ";
    assert!(said.contains(summary), "{said}");
    let text = fs::read_to_string(project.path("reports/diff.md")).expect("a report");
    // Not a link.
    let channel = project.channel().replace("://", r":\//");
    let rows = [
        "| changed | bumpme | 1.0 0 | 2.0 0 |".to_owned(),
        format!("| removed | clash-a | 1.0 0, from {channel}, licence MIT |"),
        format!("| added | clash-b |  | 1.0 0, from {channel}, licence MIT |"),
    ];
    for row in &rows {
        assert!(text.contains(row), "{text}");
        assert!(said.contains(row), "{said}");
    }
    let expected = [
        "conda bumpme 1.0 2.0",
        "conda clash-a 1.0 -",
        "conda clash-b - 1.0",
    ];
    assert_eq!(changes(&project), expected);
    assert!(
        text.contains("| distribution | Debian GNU/Linux 13"),
        "{text}"
    );

    // With another image.
    let changed = Image::from_dockerfile(&project, &format!("FROM {old}{CHANGES}"));
    let new = format!("new=docker-image://{}", changed.tag());
    let said = diff(&project, &old, &["--build-context", &new]).expect_success();
    let said = said.stderr;
    assert!(
        said.contains("packages: 2 added, 0 removed, 0 changed"),
        "{said}"
    );
    assert_eq!(
        changes(&project),
        ["pypi evil - 1.0", "system backdoor - 6.6"]
    );
    assert!(
        said.contains("Some records in conda-meta of base cannot be read."),
        "{said}"
    );

    // Where the records are gone, the inventory has the packages.
    let bare = Image::from_dockerfile(
        &project,
        &format!("FROM {old}\nRUN rm -r /opt/conda/conda-meta\n"),
    );
    let new = format!("new=docker-image://{}", bare.tag());
    diff(&project, &old, &["--build-context", &new]).expect_success();
    assert_eq!(changes(&project), [""; 0]);

    let said = project.build(&["--target", "diff"]).expect_failure().stderr;
    assert!(
        said.contains("the image to compare with is missing"),
        "{said}"
    );
}

/// Neither target runs anything of an image.
#[test]
fn images_for_another_platform_are_looked_at_without_emulation() {
    let project = Project::new(Store::Containerd);
    let packages = Channel::open().closure_for("linux-aarch64", &["clash-a", "platform-demo"]);
    let lock = channel::lock(&packages, project.channel(), HashStyle::Sha256);
    project.write(LOCK, format!("# syntax={}\n{lock}", frontend()));
    let arm = [
        "--platform",
        "linux/arm64",
        "--build-arg",
        "BASE_IMAGE=scratch",
        "-f",
        LOCK,
        ".",
    ];
    let usual = [&NATIVE[..], &arm].concat();
    project.build_image(&usual).expect_success();
    let image = project.tag().to_owned();
    for (target, context, expected) in [
        ("verify", "image", "2 packages match env.lock"),
        ("diff", "old", "packages: 0 added, 0 removed, 0 changed"),
    ] {
        let context = format!("{context}=docker-image://{image}");
        let args = [
            "--target",
            target,
            "--build-context",
            &context,
            "-o",
            "reports",
        ];
        let said = project.build_image(&[&args[..], &usual].concat());
        let said = said.expect_success().stderr;
        assert!(said.contains(expected), "{said}");
    }
}
