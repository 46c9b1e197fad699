//! PyPI packages that cannot be found or installed.

use condafront_testkit::engine::Store;

use crate::failure::Failures;
use crate::pip::{environment, fill_index, hello, line, lock_text, serve};
use crate::project::Project;

#[test]
fn locked_packages_that_cannot_be_installed() {
    let project = Project::new(Store::Containerd);
    let mut failures = Failures::new(&project);
    // `Failures::add` writes the syntax line.
    let lock = |conda: &[&str], pip: &str| {
        let text = lock_text(&project, conda, pip);
        text.split_once('\n').expect("a syntax line").1.to_owned()
    };
    let good = serve(&project, "hello.world", &hello("1.0"));
    let both = ["python", "pip"];
    let gone = project.server.url("/pypi/gone-1.0-py3-none-any.whl");
    let hash = good.split_once("#sha256=").expect("a hash").1.trim();
    let wrong_hash = good.replace(hash, &"0".repeat(64));
    let outside = hello("1.0").file("../../../../outside", "");
    let other_python = hello("1.0").tag("cp27-cp27m-win32");
    let old_python = hello("1.0").metadata("Requires-Python: <3");
    failures
        .add(
            "an environment without python",
            lock(&["bumpme"], &good),
            &[],
        )
        .add(
            "a missing file",
            lock(
                &both,
                &format!("# pip gone @ {gone}#sha256={}\n", "0".repeat(64)),
            ),
            &[],
        )
        .add("a file with other content", lock(&both, &wrong_hash), &[])
        .add(
            "a wheel for another python",
            lock(&both, &serve(&project, "hello.world", &other_python)),
            &[],
        )
        .add(
            "a wheel that needs another python",
            lock(&both, &serve(&project, "hello.world", &old_python)),
            &[],
        )
        .add(
            "a wheel with a file outside of the environment",
            lock(&both, &serve(&project, "hello.world", &outside)),
            &[],
        )
        .add(
            "a file that is not a wheel",
            lock(&both, &{
                let path = "/pypi/hello_world-2.0-py3-none-any.whl";
                project.server.put(path, "no archive");
                line(&project, "hello.world", path, b"no archive")
            }),
            &[],
        );
    insta::assert_snapshot!(failures.text());
}

#[test]
fn lists_that_cannot_be_resolved() {
    let project = Project::new(Store::Containerd);
    let index = fill_index(&project);
    let mut failures = Failures::new(&project);
    let args = ["--network", "host", "--build-arg", &index];
    for (title, list) in [
        (
            "a package that the index does not have",
            &["hello.world", "no-such-thing>=2"][..],
        ),
        (
            "a version that the index does not have",
            &["hello.world==3"],
        ),
        (
            "conflicting versions",
            &["hello.world==1.0", "hello.world==2.0"],
        ),
        ("an invalid requirement", &["hello.world", "jinja2 ==="]),
        ("a requirements file", &["-r requirements.txt"]),
    ] {
        environment(&project, list);
        let output = project.build(&args);
        failures.add_output(title, output);
    }
    insta::assert_snapshot!(failures.text());
}
