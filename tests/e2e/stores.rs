//! The same files, whether layers are merged or copied.

use condafront_testkit::engine::Store;

use crate::project::{LOCK, Project};
use crate::tree::Tree;

#[test]
fn both_stores_give_the_same_files() {
    let merged = Project::new(Store::Containerd);
    merged.lock(&[
        "python",
        "numpy",
        "activate-demo",
        "bumpme",
        "clash-a",
        "clash-b",
        "file-kinds",
        "jinja2",
        "noarch-demo",
        "post-link-demo",
        "prefix-demo",
        "text-prefix",
    ]);
    let copied = Project::new(Store::Classic);
    copied.write(LOCK, std::fs::read(merged.path(LOCK)).unwrap());
    let [merged, copied] = [&merged, &copied].map(|project| {
        let archive = project.path("root.tar");
        let output = format!("type=tar,dest={}", archive.display());
        project.build(&["--output", &output]).expect_success();
        Tree::read(&archive)
    });
    assert!(merged.count_below("opt/conda/") > 1000);
    let differences = merged.differences(&copied);
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
