//! The same input gives the same image, whoever builds it.

use condafront_testkit::engine::Store;

use crate::pip::{hello, real, serve};
use crate::project::{LOCK, Project};

#[test]
fn two_builders_that_never_met_make_the_same_image() {
    let one = Project::new(Store::Containerd);
    one.lock(&[
        "python",
        "activate-demo",
        "clash-a",
        "clash-b",
        "file-kinds",
        "jinja2",
        "noarch-demo",
        "post-link-demo",
        "prefix-demo",
        "text-prefix",
        "pip",
    ]);
    let pip = [
        serve(&one, "hello.world", &hello("1.0")),
        real(&one, "idna"),
    ];
    let lock = std::fs::read_to_string(one.path(LOCK)).unwrap();
    one.write(LOCK, lock + &pip.concat());
    let other = Project::fresh(Store::Containerd);
    other.write(LOCK, std::fs::read(one.path(LOCK)).unwrap());

    let epoch = ["--build-arg", "SOURCE_DATE_EPOCH=1700000000"];
    let ours = one.push("image", &epoch);
    let theirs = other.push("image", &epoch);
    assert_eq!(ours.layers, theirs.layers);
    assert_eq!(ours.manifest, theirs.manifest);
}
