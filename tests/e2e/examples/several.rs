//! Examples with more than one environment, in one image or in one repository.

use condafront_testkit::engine::Store;

use super::example::Example;
use crate::image::Container;
use crate::pip;
use crate::project::Project;

#[test]
fn two_languages() {
    let project = Project::new(Store::Containerd);
    let mut example = Example::new(&project, "two-languages");
    example.run("docker build");
    assert_eq!(example.run("docker run").stdout, "10\n");
    let said = example.run("docker run").stdout;
    assert_eq!(said, "R version 4.5.1 (a stand-in)");

    // One command in the other environment, in a running container.
    let run = ["run", "--detach", "--network", "none", "two-languages"];
    let started = project.docker(&[&run[..], &["sleep", "infinity"]].concat());
    let container = Container::started(&project, started.expect_success().stdout.trim());
    let script = ["_entrypoint.sh", "Rscript", "-e", "cat(R.version.string)"];
    let said = container.exec(&["-e", "ENV_NAME=r"], &script);
    assert_eq!(said.expect_success().stdout, "R version 4.5.1 (a stand-in)");
    example.finish();
}

#[test]
fn an_optional_environment() {
    let project = Project::new(Store::Containerd);
    let mut example = Example::new(&project, "optional-ai");
    example.run("docker build");
    let run = ["run", "--rm", "--network", "none", "-e", "ENV_NAME=ai"];
    let without = project.docker(&[&run[..], &["optional-ai", "python", "-V"]].concat());
    let problem = "ENV_NAME=ai: no such environment";
    assert!(without.expect_failure().stderr.contains(problem));
    example.run("docker build");
    assert_eq!(example.run("docker run").stdout, "2.8.0\n");
    example.finish();
}

#[test]
fn a_repository_with_several_env_files() {
    let project = Project::new(Store::Containerd);
    pip::index(&project, "tqdm", &[pip::real_wheel("tqdm")]);
    let mut example = Example::new(&project, "monorepo")
        .build_arg("PIP_INDEX_URL", &project.server.url("/simple/"))
        .with_the_network();
    example.run("docker build -f services/api/env.yml");
    example.run("docker build -f services/report/env.yml");
    let said = example.run("docker run").stdout;
    assert_eq!(said, "the api of the corner shop\n");
    let said = example.run("docker run").stdout;
    assert_eq!(said, "R version 4.5.1 (a stand-in)");
    example.finish();
}
