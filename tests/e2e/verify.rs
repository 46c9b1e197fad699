//! The target `verify`: an image that holds what its file says passes, and any other does not.

use std::fs;

use condafront_testkit::channel::{Channel, HashStyle};
use condafront_testkit::engine::{Output, Store};
use serde_json::Value;

use crate::image::Image;
use crate::pip::{hello, serve};
use crate::project::{LOCK, Project, on_both_stores};

/// Packages with everything special but python's: links, prefixes in text and in programs, scripts, a clash.
const PLAIN: [&str; 7] = [
    "activate-demo",
    "clash-a",
    "clash-b",
    "file-kinds",
    "post-link-demo",
    "prefix-demo",
    "text-prefix",
];

/// Checks `image` with the project's lock. The report goes to the folder `report`.
fn verify(project: &Project, image: &str, args: &[&str]) -> Output {
    let context = format!("image=docker-image://{image}");
    let usual = ["--target", "verify", "--build-context", &context];
    project.build(&[&usual[..], &["-o", "report"], args].concat())
}

fn an_image_passes_the_check_with_its_own_lock(store: Store) {
    let project = Project::new(store);
    project.lock(&PLAIN);
    project.build(&[]).expect_success();
    let image = project.tag().to_owned();
    let said = verify(&project, &image, &[]).expect_success().stderr;
    let packages = Channel::open().closure(&PLAIN).len();
    let expected = format!("{packages} packages match env.lock: ");
    assert!(said.contains(&expected), "{said}");
    assert!(said.contains("nothing else is in /opt/conda"), "{said}");
    let report = fs::read(project.path("report/verify.json")).expect("a report");
    let report: Value = serde_json::from_slice(&report).expect("JSON");
    assert_eq!(report["different"], 0);
    assert!(report["files"].as_u64() > Some(20), "{report}");
}

on_both_stores!(an_image_passes_the_check_with_its_own_lock);

/// What was done to an image, and what is said about it. The list is sorted by path.
const TAMPERED: [(&str, &str); 15] = [
    (
        "printf '#!/bin/sh\\n' > /usr/local/bin/condafront-entrypoint",
        "/usr/local/bin/condafront-entrypoint has 10 bytes instead of ",
    ),
    (
        "chmod u+s bin/file-kinds",
        "/opt/conda/bin/file-kinds has the mode 4755 instead of 755 (file-kinds 1.0)",
    ),
    (
        "rm bin/file-kinds-link; mkfifo bin/file-kinds-link",
        "/opt/conda/bin/file-kinds-link is a named pipe instead of a link (file-kinds 1.0)",
    ),
    (
        "ln -sfn /bin/sh bin/python",
        "/opt/conda/bin/python points to `/bin/sh` instead of `python3.13` (python 3.",
    ),
    (
        "printf '{\"name\": \"x\"}' > conda-meta/bumpme-2.0-0.json",
        "/opt/conda/conda-meta/bumpme-2.0-0.json has 13 bytes instead of ",
    ),
    (
        "touch conda-meta/evil-1.0-0.json",
        "/opt/conda/conda-meta/evil-1.0-0.json is a file that nothing accounts for",
    ),
    (
        "rm -r etc/conda; ln -s /etc etc/conda",
        "/opt/conda/etc/conda is a link instead of a directory",
    ),
    (
        "rm lib/file-kinds/data.txt",
        "/opt/conda/lib/file-kinds/data.txt is missing (file-kinds 1.0)",
    ),
    (
        "chown 0:0 lib/file-kinds/group.txt",
        "/opt/conda/lib/file-kinds/group.txt belongs to 0:0 instead of 57439:57439 (file-kinds 1.0)",
    ),
    (
        "printf X | dd of=lib/python3.13/os.py bs=1 seek=9 conv=notrunc",
        "/opt/conda/lib/python3.13/os.py has different content (python 3.",
    ),
    (
        "truncate -s 9M lib/python3.13/site-packages/hello_world/data.txt",
        "/opt/conda/lib/python3.13/site-packages/hello_world/data.txt has 9437184 bytes instead of 5 (hello_world 1.0)",
    ),
    (
        "for f in lib/python3.13/site-packages/jinja2/__pycache__/loaders.*.pyc; do printf X | dd of=$f bs=1 seek=99 conv=notrunc; chmod u+s $f; done",
        "/opt/conda/lib/python3.13/site-packages/jinja2/__pycache__/loaders.cpython-313.pyc has different content (jinja2 3.",
    ),
    (
        "rm -r share/clash",
        "/opt/conda/share/clash is missing, with everything in it",
    ),
    (
        "mkdir -p share/new && touch share/new/a share/new/b",
        "/opt/conda/share/new is a directory that nothing accounts for",
    ),
    (
        "echo > share/post-link-demo/written.txt",
        "/opt/conda/share/post-link-demo/written.txt has 1 bytes instead of ",
    ),
];

/// What another tool leaves in its image of the same packages: other owners, records of its own, modules that it compiled.
const BY_ANOTHER_TOOL: &str = "
COPY --from=IMAGE --chown=0:0 /opt/conda /opt/conda
RUN cd /opt/conda && rm -r share/sbom lib/python3.13/site-packages/hello_world*/RECORD && \
    sed -i 's/\"requested_spec\": \"\"/\"requested_spec\": \"x\"/' conda-meta/*.json && \
    echo '==> now <==' > conda-meta/history && echo '{\"env_vars\": {}}' > conda-meta/state && \
    bin/python -m compileall -q -f lib/python3.13/site-packages/jinja2 && chmod g+w bin/hello
";

#[test]
fn every_change_to_an_image_is_listed() {
    let project = Project::new(Store::Containerd);
    let packages = [&PLAIN[..], &["bumpme", "jinja2", "python"]].concat();
    let packages = Channel::open().closure(&packages);
    let wheel = serve(&project, "hello.world", &hello("1.0"));
    project.write(
        LOCK,
        project.lock_text(&packages, HashStyle::Sha256) + &wheel,
    );
    project.build(&[]).expect_success();
    let image = project.tag().to_owned();
    verify(&project, &image, &[]).expect_success();

    let commands = TAMPERED.map(|(command, _)| command).join(" && ");
    let tampered = Image::from_dockerfile(
        &project,
        &format!("FROM {image}\nUSER root\nRUN cd /opt/conda && {commands}\n"),
    );
    let said = verify(&project, tampered.tag(), &[])
        .expect_failure()
        .stderr;
    let count = format!("{} paths differ", TAMPERED.len());
    assert!(said.contains(&count), "{said}");
    let (_, mut rest) = said.split_once(&count).expect("the list");
    for (_, expected) in TAMPERED {
        let found = rest.split_once(&format!("\n  {expected}"));
        let Some((_, after)) = found else {
            panic!("{expected} is missing, or not in its place:\n{said}");
        };
        rest = after;
    }

    let base = crate::project::base();
    let foreign = BY_ANOTHER_TOOL.replace("IMAGE", &image);
    let foreign = Image::from_dockerfile(&project, &format!("FROM {base}{foreign}"));
    let said = verify(&project, foreign.tag(), &[]).expect_failure().stderr;
    assert!(said.contains("CONDAFRONT_VERIFY=packages"), "{said}");
    let packages_only = ["--build-arg", "CONDAFRONT_VERIFY=packages"];
    let said = verify(&project, foreign.tag(), &packages_only);
    let said = said.expect_success().stderr;
    assert!(
        said.contains("files that other tools write differently were not compared"),
        "{said}"
    );
    let said = verify(&project, tampered.tag(), &packages_only);
    let said = said.expect_failure().stderr;
    // Owners, the entrypoint and what a post-link script wrote are not the packages'. Bytecode is not either, but it has no
    // rights.
    let count = format!("{} paths differ", TAMPERED.len() - 3);
    assert!(said.contains(&count), "{said}");
    assert!(
        said.contains(".pyc has the mode 4644 instead of 644"),
        "{said}"
    );
    assert!(
        said.contains("conda-meta/bumpme-2.0-0.json is the record of a different package"),
        "{said}"
    );

    let said = project
        .build(&["--target", "verify"])
        .expect_failure()
        .stderr;
    assert!(said.contains("the image to check is missing"), "{said}");
}
