//! Examples with more than one environment.

use condafront_testkit::engine::Store;

use super::example::Example;
use crate::image::Container;
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
