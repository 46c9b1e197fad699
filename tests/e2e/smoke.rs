//! A lock becomes an image that runs.

use condafront_testkit::engine::Store;

use crate::project::Project;

fn a_lock_becomes_an_image(store: Store) {
    let project = Project::new(store);
    project.lock(&[
        "python",
        "numpy",
        "activate-demo",
        "post-link-demo",
        "clash-a",
        "clash-b",
    ]);
    project.build(&[]).expect_success();
    let program =
        "import numpy, os; print(int(numpy.arange(5).sum()), os.environ['ACTIVATE_DEMO_HOME'])";
    let output = project
        .run(&[], &["python", "-c", program])
        .expect_success();
    assert_eq!(output.stdout, "10 /opt/conda/share/activate-demo\n");
}

#[test]
fn a_lock_becomes_an_image_on_the_containerd_store() {
    a_lock_becomes_an_image(Store::Containerd);
}

#[test]
fn a_lock_becomes_an_image_on_the_classic_store() {
    a_lock_becomes_an_image(Store::Classic);
}
