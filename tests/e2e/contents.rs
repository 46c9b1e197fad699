//! What is in an image: the packages' files as the installer leaves them, and nothing else.

use std::collections::BTreeMap;

use condafront_testkit::channel::{Channel, HashStyle};
use condafront_testkit::engine::Store;
use serde_json::{Value, json};

use crate::image::each_prints;
use crate::project::{LOCK, Project, base, on_both_stores};

/// One package of each kind.
const PACKAGES: &[&str] = &[
    "python",
    "pygments",
    "noarch-demo",
    "text-prefix",
    "prefix-demo",
    "file-kinds",
    "post-link-demo",
    "clash-a",
    "clash-b",
    "metapackage",
];

/// A project with the image of [`PACKAGES`].
pub(crate) fn built(store: Store) -> Project {
    Project::with_shared_image(store, "contents", |project| {
        project.lock(PACKAGES).build(&[]).expect_success();
    })
}

/// What a shell in the image prints.
fn shell(project: &Project, text: &str) -> String {
    let output = project.run(&[], &["sh", "-c", text]);
    output.expect_success().stdout
}

fn the_files_are_what_the_packages_say(store: Store) {
    let project = built(store);
    let check = include_str!("contents.py");
    let output = project.run(&["--user", "root"], &["python", "-B", "-c", check]);
    let mut found: BTreeMap<String, Value> =
        serde_json::from_str(&output.expect_success().stdout).expect("JSON");

    let expected_urls: BTreeMap<String, String> = Channel::open()
        .closure(PACKAGES)
        .iter()
        .map(|package| (package.name.clone(), project.package_url(package)))
        .collect();
    let urls = found.remove("urls").expect("the records' URLs");
    assert_eq!(urls, json!(expected_urls));
    let expected = json!({
        "missing": [],
        // Two packages claim it, and the later one in the lock wins.
        "different": [["clash-a", "share/clash/both.txt"]],
        // A post-link script and condafront wrote them.
        "unclaimed": ["share/post-link-demo/written.txt", "share/sbom/condafront.spdx.json"],
        "owners": ["57439:57439"],
        "history": 0,
    });
    assert_eq!(json!(found), expected);
}

#[test]
fn nothing_else_is_in_the_image() {
    let project = built(Store::Containerd);
    // Mode, owner and size of everything outside the prefix, except the engine's files.
    let list = "find / -xdev -path /opt/conda -prune -o -type d -printf '%p %m %U:%G\\n' -o \
                ! -name resolv.conf ! -name hosts ! -name hostname -printf '%p %m %U:%G %s\\n'";
    let listed = |image: &str| {
        let run = ["run", "--rm", "--network", "none", "--user", "root"];
        let output = project.docker(&[&run[..], &[image, "sh", "-c", list]].concat());
        let mut lines: Vec<String> = output
            .expect_success()
            .stdout
            .lines()
            .map(str::to_owned)
            .collect();
        lines.sort();
        lines
    };
    let (found, base) = (listed(project.tag()), listed(&base()));
    let paths = |lines: &[String], others: &[String]| -> String {
        let new = lines.iter().filter(|line| !others.contains(line));
        new.map(|line| format!("{}\n", line.split(' ').next().unwrap_or_default()))
            .collect()
    };
    let changed = "\
/etc/bash.bashrc
/etc/group
/etc/gshadow
/etc/passwd
/etc/shadow
/root/.bashrc
";
    assert_eq!(paths(&base, &found), changed);
    let new = "\
/etc/profile.d/condafront.sh
/home/mambauser
/home/mambauser/.bash_logout
/home/mambauser/.bashrc
/home/mambauser/.profile
/usr/local/bin/_activate_current_env.sh
/usr/local/bin/_entrypoint.sh
/usr/local/bin/condafront-entrypoint
/usr/local/share/condafront
/usr/local/share/condafront/activate.sh
/usr/local/share/condafront/default
/usr/local/share/condafront/envs
/usr/local/share/condafront/envs/base
/usr/local/share/condafront/envs/base/activate.sh
/usr/local/share/condafront/envs/base/deactivate.sh
/usr/local/share/condafront/envs/base/record
/usr/local/share/condafront/plain.env
";
    let more = paths(&found, &base);
    let more: Vec<&str> = more
        .lines()
        .filter(|path| !changed.lines().any(|changed| changed == *path))
        .collect();
    assert_eq!(more, new.lines().collect::<Vec<_>>());
    assert_eq!(
        shell(&project, "ls -A /opt/conda")
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" "),
        "bin conda-meta etc lib share ssl"
    );
}

#[test]
fn prefixes_and_entry_points_are_in_place() {
    let project = built(Store::Containerd);
    let commands = [
        ("text-prefix", "prefix /opt/conda\n"),
        (
            "prefix-demo",
            "program /opt/conda\nlibrary /opt/conda\nmessage found\n",
        ),
        ("noarch-demo", "noarch-demo noarch_demo\n"),
        ("noarch-demo-script", "script\n"),
        ("file-kinds-link", "file-kinds\n"),
        (
            "cat /opt/conda/etc/text-prefix.ini",
            "[paths]\nroot=/opt/conda\ndata=/opt/conda/share/text-prefix\n",
        ),
        (
            "cat /opt/conda/share/post-link-demo/written.txt",
            "name=post-link-demo version=1.0 number=0\nprefix=/opt/conda\n",
        ),
    ];
    each_prints(|words| project.run(&[], words), &commands);
}

#[test]
fn modes_and_links_are_kept() {
    let project = built(Store::Containerd);
    let list = "cd /opt/conda && stat -c '%a %N' bin/file-kinds* lib/file-kinds/* lib/file-kinds-directory share/file-kinds";
    assert_eq!(
        shell(&project, list),
        "\
755 'bin/file-kinds'
777 'bin/file-kinds-link' -> 'file-kinds'
777 'lib/file-kinds/dangling' -> 'not-here'
644 'lib/file-kinds/data.txt'
644 'lib/file-kinds/empty'
664 'lib/file-kinds/group.txt'
644 'lib/file-kinds/name with space and \u{fc}.txt'
600 'lib/file-kinds/private.txt'
777 'lib/file-kinds-directory' -> 'file-kinds'
777 'share/file-kinds' -> '../lib/file-kinds'
"
    );
}

#[test]
fn bytecode_is_present_and_used() {
    let project = built(Store::Containerd);
    let output = project.run(&[], &["python", "-v", "-c", "import noarch_demo"]);
    let verbose = output.expect_success().stderr;
    let modules = "/opt/conda/lib/python3.13/site-packages";
    let used =
        format!("# code object from '{modules}/noarch_demo/__pycache__/__init__.cpython-313.pyc'");
    assert!(verbose.contains(&used), "{verbose}");

    // All of a large noarch package, as a user who may write everywhere.
    const IMPORT: &str = "
import glob, importlib.util, os, sys
def compiled():
    return {(path, os.stat(path).st_mtime_ns) for path in glob.glob(sys.argv[1] + '/**/*.pyc', recursive=True)}
before = compiled()
import pygments.lexers.python, pygments.formatters.html, noarch_demo
print(len(before) > 100, compiled() == before)
header = open(importlib.util.cache_from_source(noarch_demo.__file__), 'rb').read(16)
print(int.from_bytes(header[4:8], 'little'))
";
    let output = project.run(&["--user", "root"], &["python", "-c", IMPORT, modules]);
    // 1: bytecode that names its source by hash, which is not checked (PEP 552).
    assert_eq!(output.expect_success().stdout, "True True\n1\n");
}

fn the_later_package_in_the_lock_wins(store: Store) {
    let project = Project::new(store);
    let channel = Channel::open();
    let layers: &[&str] = match store {
        Store::Classic => &["1"],
        _ => &["auto", "1", "2"],
    };
    for order in [["clash-a", "clash-b"], ["clash-b", "clash-a"]] {
        let packages = ["bumpme", order[0], "file-kinds", order[1]].map(|name| channel.find(name));
        project.write(LOCK, project.lock_text(&packages, HashStyle::Sha256));
        for count in layers {
            let arg = format!("CONDAFRONT_LAYERS={count}");
            project.build(&["--build-arg", &arg]).expect_success();
            let found = shell(
                &project,
                "cd /opt/conda/share/clash; cat both.txt clash-a.txt clash-b.txt",
            );
            assert_eq!(found, format!("{}\nalone\nalone\n", order[1]), "{count}");
            let history = project.docker(&["history", project.tag()]).expect_success();
            let fixed = history.stdout.contains("files that several packages claim");
            assert_eq!(fixed, *count == "auto", "{}", history.stdout);
        }
    }
}

on_both_stores!(
    the_files_are_what_the_packages_say,
    the_later_package_in_the_lock_wins,
);
