//! Examples of which user an image runs as, and what it runs.

use condafront_testkit::engine::Store;

use super::example::Example;
use crate::project::Project;

#[test]
fn another_user() {
    let project = Project::new(Store::Containerd);
    let images = ["another-user", "another-user:renamed"];
    let mut example = Example::new(&project, "another-user");
    let run = ["run", "--rm", "--network", "none"];
    let write = "id -un; echo $HOME $MAMBA_USER; touch $HOME/mine /opt/conda/mine";
    let shell = ["bash", "-c", write];

    example.run("docker buildx bake");
    let said = example.run("docker run").stdout;
    assert_eq!(said, "uid=1000(ada) gid=1000(ada) groups=1000(ada)\n");
    let said = project.docker(&[&run[..], &images[..1], &shell].concat());
    assert_eq!(said.expect_success().stdout, "ada\n/home/ada ada\n");

    example.run("docker buildx bake renamed");
    let said = example.run("docker run").stdout;
    assert_eq!(said, "uid=57439(ada) gid=57439(ada) groups=57439(ada)\n");
    let said = project.docker(&[&run[..], &images[1..], &shell].concat());
    assert_eq!(said.expect_success().stdout, "ada\n/home/ada ada\n");

    assert_eq!(example.run("docker run").stdout, "/opt/conda\n");
    example.finish();
}

#[test]
fn entrypoints() {
    let project = Project::new(Store::Containerd);
    let images = [
        "entrypoints:exec",
        "entrypoints:shell",
        "entrypoints:derived",
    ];
    let mut example = Example::new(&project, "entrypoints");
    example.run("docker buildx bake");
    for beginning in [
        "   February 2026\nMo Tu",
        "<?xml",
        "   February 2026\nMo Tu",
    ] {
        let said = example.run("docker run").stdout;
        assert!(said.starts_with(beginning), "{said}");
    }
    // Without arguments, the entrypoint gets `cmd`.
    for image in images {
        let run = ["run", "--rm", "--network", "none", image];
        let said = project.docker(&run).expect_success().stdout;
        assert!(said.trim_start().starts_with("2026\n"), "{image}: {said}");
    }
    example.finish();
}
