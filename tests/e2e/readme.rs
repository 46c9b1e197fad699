//! What the README shows first, run as written.

use condafront_testkit::engine::Store;

use crate::examples::example::{Example, page};
use crate::failure::error_of;
use crate::image::inspect;
use crate::project::{Project, base};

pub(crate) const README: &str = include_str!("../../README.md");

/// The README's YAML blocks that are whole files.
pub(crate) fn files() -> Vec<&'static str> {
    let blocks = README.split("```yaml\n").skip(1);
    let blocks = blocks.filter_map(|rest| rest.split("```").next());
    blocks
        .filter(|block| block.starts_with("# syntax="))
        .collect()
}

/// The README's only block in this language, which is part of a list.
fn indented(readme: &str, language: &str) -> String {
    let (_, block) = readme
        .split_once(&format!("  ```{language}\n"))
        .expect("a block");
    let (block, _) = block.split_once("  ```").expect("its end");
    let lines: Vec<&str> = block
        .lines()
        .map(|line| line.strip_prefix("  ").unwrap_or(line))
        .collect();
    lines.join("\n")
}

#[test]
fn three_lines_and_one_command_and_a_lab() {
    let project = Project::new(Store::Containerd).through_docker();
    let [env, lab] = files()[..] else {
        panic!("{:?}", files());
    };
    assert_eq!(env.lines().count(), 3, "{env}");
    project.write("env.yml", env).write("lab.yml", lab);
    let mut readme = Example::of_project(&project, README).base("ubuntu:24.04", &base());

    project.write("env.yml", env.replace("numpy", "numpi"));
    let failed = readme.rehearse("docker build -f env.yml").expect_failure();
    let shown = indented(README, "text").replace("failed to build: failed to solve: ", "");
    assert_eq!(error_of(&failed), shown);

    // The line is not the first one.
    project.write("late.yml", format!("\n{env}"));
    let late = project
        .docker(&["build", "-f", "late.yml", "."])
        .expect_failure();
    let (_, told) = README
        .split_once("Dockerfile (`")
        .expect("what Docker says");
    let (told, _) = told.split_once('`').expect("its end");
    assert!(late.stderr.contains(told), "{}", late.stderr);

    project.write("env.yml", env);
    readme.run("docker build -f env.yml");
    let (_, run) = README.split_once("`docker run env ").unwrap();
    let (run, _) = run.split_once('`').unwrap();
    let command = ["run", "--rm", "--network", "none", "env", "sh", "-c", run];
    let output = project.docker(&command).expect_success();
    assert_eq!(output.stderr, "");

    readme.run("docker build -f lab.yml");
    let lab = readme.start(&[]);
    let said = page(&lab, "http://localhost:8888/api");
    assert!(said.starts_with("{\"version\": "), "{said}");
    // Port 8888 of all addresses, not of the loopback alone.
    let outside = "grep -o ' 00000000:22B8 ' /proc/net/tcp";
    let notebook = "pwd; touch notebook.ipynb; stat -c %U notebook.ipynb";
    let script = format!("set -e; {outside}; {notebook}");
    let said = lab.exec(&[], &["sh", "-c", &script]).expect_success();
    assert_eq!(said.stdout, " 00000000:22B8 \n/home/ada\nada\n");

    let layers = |of: &str| inspect(&project, of, "{{json .RootFS.Layers}}");
    let solved = layers("env");
    let (_, key) = README.split_once("```yaml\ncondafront:\n").expect("a lock");
    let (key, _) = key.split_once("```").expect("its end");
    project.write("env.yml", format!("{env}condafront:\n{key}"));
    readme.run("docker build -f env.yml --target lock");
    assert!(project.path("conda-linux-64.lock").exists());
    readme.run("docker build -f env.yml");
    assert_eq!(layers("env"), solved);
}
