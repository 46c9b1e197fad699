//! What a build must not leave in an image, and what the image's history says.

use std::collections::BTreeSet;

use crate::image::history;
use crate::project::Project;

/// Lists all files in the directories for caches, lists and logs, and package archives anywhere.
const FIND: &str = "\
find /opt/conda/pkgs /root/.cache /home/*/.cache /home/*/.conda /home/*/.mamba /tmp /var/cache/apt /var/lib/apt/lists /var/log /var/tmp -type f 2>/dev/null
find / -xdev -type f '(' -name '*.conda' -o -name '*.tar.bz2' -o -name '*.whl' -o -name '*.deb' -o -name 'repodata*' ')'
true";

/// The files from caches and the like that the image has and its base image does not.
pub(crate) fn left_behind(project: &Project, image: &str, base: &str) -> BTreeSet<String> {
    let files = |image: &str| -> BTreeSet<String> {
        let run = ["run", "--rm", "--network", "none", "--user", "root"];
        let shell = ["--entrypoint", "sh", image, "-c", FIND];
        let found = project.docker(&[&run[..], &shell].concat());
        let lines = found.expect_success().stdout;
        lines.lines().map(str::to_owned).collect()
    };
    let of_base = files(base);
    let found = files(image);
    found.difference(&of_base).cloned().collect()
}

/// Checks that `docker history` reads like a description: its lines are step titles (`[install 3/14] numpy`), not
/// commands.
#[track_caller]
pub(crate) fn assert_described(project: &Project, image: &str, base: &str) {
    let own = history(project, image).split_off(history(project, base).len());
    eprintln!("{}", own.join("\n"));
    assert!(own.len() > 3, "{own:?}");
    for line in own {
        let named = line.starts_with('[') && !line.contains(['{', '}']);
        assert!(named && !line.contains("condafront"), "{line}");
    }
}
