//! The target `dev`: changes of what is editable are seen.

use condafront_testkit::engine::Store;

use crate::pip::fill_index;
use crate::pip_lists::{sources, write};
use crate::project::{LOCK, Project, frontend, on_both_stores};

fn changes_of_editable_sources_are_seen(store: Store) {
    let project = Project::new(store);
    let index = fill_index(&project);
    sources(&project, "apps/demo", "demo");
    let channel = project.channel();
    let text = format!(
        "# syntax={}\nchannels: [\"{channel}\"]\ndependencies:\n  - python\n  - pip:\n      - -e ./apps/demo[extra]\ncondafront:\n  workdir: /srv/work\n",
        frontend()
    );
    project.write(LOCK, text);
    let args = ["--network", "host", "--build-arg", &index];
    let built = project.build(&[&args[..], &["--target", "dev"]].concat());
    let built = built.expect_success();
    assert!(
        !built.stderr.contains("is installed like any other package"),
        "{}",
        built.stderr
    );
    let run = |args: &[&str], command: &str| {
        let output = project.run(args, &["sh", "-c", command]).expect_success();
        output.stdout
    };
    let said = run(
        &[],
        // compose copies changed files into the container, as its user.
        "pwd; python -m demo; python -c 'import jinja2'; pip check; pip list -e --format=freeze; echo \"print('changed')\" > apps/demo/demo.py && cd / && python -m demo",
    );
    assert_eq!(
        said,
        "/srv/work\ndemo of the context\nNo broken requirements found.\ndemo==1.0\nchanged\n"
    );
    // Or the sources are mounted.
    write(&project, "apps/demo/demo.py", "print('mounted')\n");
    let mount = format!("{}:/srv/work", project.path("").display());
    let said = run(&["-v", &mount], "cd / && python -m demo");
    assert_eq!(said, "mounted\n");

    // The image has it as a package.
    write(
        &project,
        "apps/demo/demo.py",
        "print('demo of the context')\n",
    );
    let built = project.build(&args).expect_success();
    assert!(
        built.stderr.contains("is installed like any other package"),
        "{}",
        built.stderr
    );
    let said = run(&[], "ls; python -m demo; pip list -e --format=freeze");
    assert_eq!(said, "demo of the context\n");
}

on_both_stores!(changes_of_editable_sources_are_seen);
