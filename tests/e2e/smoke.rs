//! A lock becomes an image that runs.

use condafront_testkit::engine::{Engine, Store, run};

use crate::project::Project;

/// A buildkitd cannot run images, so its image is pushed to the registry and run by another engine.
fn a_lock_becomes_an_image(store: Store) {
    let project = Project::new(store).through_docker();
    project.lock(&[
        "python",
        "numpy",
        "activate-demo",
        "post-link-demo",
        "clash-a",
        "clash-b",
    ]);
    let output = match store {
        Store::Buildkitd => &["--push"][..],
        _ => &[],
    };
    project.build(output).expect_success();
    let program =
        "import numpy, os; print(int(numpy.arange(5).sum()), os.environ['ACTIVATE_DEMO_HOME'])";
    let engine = match store {
        Store::Buildkitd => &Engine::shared(Store::Containerd),
        _ => &project.engine,
    };
    let command = [
        "run",
        "--rm",
        "--network",
        "none",
        project.tag(),
        "python",
        "-c",
        program,
    ];
    let output = run(&mut engine.docker(command)).expect_success();
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

#[test]
#[ignore = "needs a buildkitd"]
fn needs_buildkitd_a_lock_becomes_an_image() {
    a_lock_becomes_an_image(Store::Buildkitd);
}
