//! Packages' scripts change their environment and nothing else of an image.

use std::collections::BTreeMap;

use condafront_testkit::channel;
use condafront_testkit::engine::{Output, Store};
use condafront_testkit::needs::micromamba;

use crate::failure::{error_of, masked};
use crate::installers::{build_with_package, package_of, serve_package};
use crate::project::{LOCK, Project, base, frontend, on_both_stores};
use crate::trees::{Entry, differences, tree_of};

/// Does all that a script should not do, and two things that it may.
const SCRIPT: &str = "\
cp /bin/sh /usr/local/bin/rootsh; chmod 4755 /usr/local/bin/rootsh
echo 'toor::0:0::/:/bin/sh' >> /etc/passwd
rm -rf /var/lib/dpkg
mkdir /opt/other; echo x > /opt/other/file; chmod 777 /etc; chown 1:1 /usr
echo x > ~/.settings
cd \"$PREFIX/share\"
cp /bin/sh rootsh; chmod 6755 rootsh
echo x > open; chmod 777 open; mkdir -m 1777 drop
mknod null c 1 3; mkfifo pipe
cp /bin/sh later; setsid sh -c 'while :; do chmod 4755 later; done' >/dev/null 2>&1 &
until [ -u later ]; do :; done
id -u > kept; echo $HOME > home
";

/// The build runs it before post-link scripts, and again to record what it sets.
const ACTIVATION: &str = "\
touch /usr/local/bin/by-activation /opt/by-activation 2>/dev/null
chmod 4755 \"$CONDA_PREFIX/share/own\" 2>/dev/null || true
";

/// A build's outcome.
struct Built {
    output: Output,
    tree: BTreeMap<String, Entry>,
}

/// Builds an image for `user` with a package that has no harmful scripts, and then one with a package that has them.
fn without_and_with(
    project: &Project,
    user: &str,
    build: impl Fn(&Project, &[&str]) -> Output,
) -> [Built; 2] {
    [("harmless", "", "true\n"), ("harmful", SCRIPT, ACTIVATION)].map(
        |(folder, script, activation)| {
            let all = [
                ("bin/.harmful-post-link.sh", script, 0o755),
                ("etc/conda/activate.d/harmful.sh", activation, 0o644),
                ("share/own", "own\n", 0o644),
            ];
            let files = if script.is_empty() { &all[1..] } else { &all };
            let (package, archive) = channel::package("harmful", "1.0", files);
            let path = format!("/{folder}/{}", package.path());
            project.server.put(&path, archive);
            let text = format!(
                "# syntax={}\n@EXPLICIT\n{}#{}\n",
                frontend(),
                project.server.url(&path),
                package.sha256
            );
            project.write(LOCK, text);
            let output = build(project, &["--build-arg", &format!("MAMBA_USER={user}")]);
            let output = output.expect_success();
            Built {
                output,
                tree: tree_of(project, project.tag()),
            }
        },
    )
}

/// What gives rights away: a file that is set-uid or set-gid, or that everyone can write.
fn rights(tree: &BTreeMap<String, Entry>) -> Vec<&str> {
    let entries = tree.iter().filter(|(_, entry)| entry.gives_rights());
    entries.map(|(path, _)| path.as_str()).collect()
}

fn outside(mut tree: BTreeMap<String, Entry>) -> BTreeMap<String, Entry> {
    tree.retain(|path, _| !path.starts_with("opt/conda/"));
    tree
}

fn a_script_changes_its_environment_alone(
    project: &Project,
    user: &str,
    build: impl Fn(&Project, &[&str]) -> Output,
) -> String {
    let [without, with] = without_and_with(project, user, build);
    let of_base = tree_of(project, &base());
    assert_eq!(rights(&with.tree), rights(&of_base));
    assert!(with.tree["opt/conda/share/kept"].size > 0);
    assert!(with.tree["opt/conda/share/later"].size > 0);
    let kinds = [
        tar::EntryType::Regular,
        tar::EntryType::Link,
        tar::EntryType::Symlink,
        tar::EntryType::Directory,
    ];
    for (path, entry) in with.tree.range("opt/conda/".to_owned()..) {
        assert!(
            !path.starts_with("opt/conda/") || kinds.contains(&entry.kind),
            "{path}: {entry:?}"
        );
    }
    let different = differences(&outside(with.tree), &outside(without.tree));
    assert!(different.is_empty(), "{}", different.join("\n"));
    assert!(!without.output.stderr.contains("post-link"));
    let warnings = masked(project, &error_of(&with.output));
    // The client shows them in the order in which they arrive.
    let mut warnings: Vec<&str> = warnings.lines().collect();
    warnings.sort_unstable();
    warnings.join("\n")
}

fn scripts_of_root(store: Store) {
    let project = Project::new(store);
    let warnings = a_script_changes_its_environment_alone(&project, "root", |project, args| {
        project.build(args)
    });
    insta::assert_snapshot!("scripts_of_root", warnings);
}

on_both_stores!(scripts_of_root);

#[test]
fn scripts_run_as_the_images_user() {
    let project = Project::new(Store::Containerd);
    let warnings = a_script_changes_its_environment_alone(&project, "ada", |project, args| {
        project.build(args)
    });
    insta::assert_snapshot!(warnings);
    let kept = ["kept", "home"].map(|name| format!("/opt/conda/share/{name}"));
    let output = project
        .run(&[], &["cat", &kept[0], &kept[1]])
        .expect_success();
    assert_eq!(output.stdout, "57439\n/home/ada\n");
}

#[test]
#[ignore = "needs a buildkitd"]
fn needs_buildkitd_scripts_of_root() {
    let project = Project::new(Store::Buildkitd);
    let build = |project: &Project, args: &[&str]| project.build(&[&["--push"], args].concat());
    a_script_changes_its_environment_alone(&project, "root", build);
}

fn scripts_of_root_with_micromamba(store: Store) {
    let project = Project::new(store);
    // A build number of its own: another test looks at whether its package is downloaded.
    let hash = serve_package(&project, "2.8.1-5", package_of(&micromamba()));
    let version = format!("2.8.1-5#sha256:{hash}");
    let build = |project: &Project, args: &[&str]| build_with_package(project, &version, args);
    a_script_changes_its_environment_alone(&project, "root", build);
}

#[test]
#[ignore = "needs a micromamba"]
fn needs_micromamba_scripts_of_root_on_the_containerd_store() {
    scripts_of_root_with_micromamba(Store::Containerd);
}

#[test]
#[ignore = "needs a micromamba"]
fn needs_micromamba_scripts_of_root_on_the_classic_store() {
    scripts_of_root_with_micromamba(Store::Classic);
}
