//! Where a lock can come from: folders, standard input, git, the web, and bake files.

use std::fs;
use std::process::Command;

use condafront_testkit::engine::{Output, Store, run};
use serde_json::json;

use crate::git::{GitServer, commit_all};
use crate::image::{Image, inspect};
use crate::project::{LOCK, Project, base, frontend, on_both_stores};

/// A project with a small lock.
fn project(store: Store) -> Project {
    let project = Project::new(store);
    project.lock(&["bumpme", "env-vars-demo"]);
    project
}

/// `docker build` with any context, which `args` give, and optionally a file as standard input.
fn build(project: &Project, args: &[&str], input: Option<&str>) -> Output {
    let base = format!("BASE_IMAGE={}", base());
    let native = "CONDAFRONT_INSTALLER=native";
    let options = ["--build-arg", &base, "--build-arg", native];
    project.build_image_from(&[&options[..], args].concat(), input)
}

/// Checks that the build succeeded and the image has what the lock lists.
#[track_caller]
fn assert_built(project: &Project, output: Output) {
    output.expect_success();
    let show = "cat /opt/conda/share/bumpme/version.txt; echo \"$ENV_VARS_DEMO\"";
    let output = project.run(&[], &["sh", "-c", show]).expect_success();
    assert_eq!(output.stdout, "2.0\nit's set\n");
}

#[test]
fn a_build_arg_replaces_the_syntax_line() {
    let project = project(Store::Containerd);
    let text = fs::read_to_string(project.path(LOCK)).expect("the lock");
    let (syntax, rest) = text.split_once('\n').expect("several lines");
    assert!(syntax.starts_with("# syntax="), "{syntax}");
    project.write(LOCK, rest);
    let arg = format!("BUILDKIT_SYNTAX={}", frontend());
    assert_built(&project, project.build(&["--build-arg", &arg]));
}

#[test]
fn dockerignore_does_not_hide_the_lock() {
    let project = project(Store::Containerd);
    project.write(".dockerignore", "# everything\n*\n");
    assert_built(&project, project.build(&[]));
    project.write(&format!("{LOCK}.dockerignore"), "*\n!nothing\n");
    assert_built(&project, project.build(&["--no-cache"]));
}

/// Without it, files that it excludes could be copied into the image. Where nothing is copied, it does not matter.
#[test]
fn an_unreadable_dockerignore_is_an_error() {
    let project = project(Store::Containerd);
    fs::create_dir(project.path(".dockerignore")).expect("a folder");
    let built = project.build(&[]).expect_success();
    assert!(!built.stderr.contains(".dockerignore"), "{}", built.stderr);
    let text = format!(
        "# syntax={}\nchannels: [\"{}\"]\ndependencies: [bumpme]\ncondafront:\n  copy: [{{src: env.yml, dest: /srv/}}]\n",
        frontend(),
        project.channel()
    );
    project.write("env.yml", text);
    let output = project.build_file("env.yml", &[]).expect_failure();
    assert!(
        output.stderr.contains("cannot read `.dockerignore`: "),
        "{}",
        output.stderr
    );
}

#[test]
fn a_lock_outside_of_the_context_is_found() {
    let project = project(Store::Containerd);
    fs::create_dir(project.path("context")).expect("a folder");
    assert_built(&project, build(&project, &["-f", LOCK, "context"], None));
    fs::create_dir(project.path("locks")).expect("a folder");
    fs::rename(
        project.path(LOCK),
        project.path("locks/conda-linux-64.lock"),
    )
    .expect("renamed");
    let args = ["-f", "locks/conda-linux-64.lock", "."];
    assert_built(&project, build(&project, &args, None));
}

#[test]
fn a_lock_comes_from_standard_input() {
    let project = project(Store::Containerd);
    assert_built(&project, build(&project, &["-f", "-", "."], Some(LOCK)));
    assert_built(&project, build(&project, &["-"], Some(LOCK)));
    archive(&project, "context.tar", &[LOCK]);
    let args = ["-f", LOCK, "-"];
    assert_built(&project, build(&project, &args, Some("context.tar")));
}

#[test]
fn a_lock_comes_from_the_web() {
    let project = project(Store::Containerd);
    archive(&project, "context.tar", &[LOCK]);
    archive(&project, "context.tar.gz", &["--gzip", LOCK]);
    for name in ["context.tar", "context.tar.gz", LOCK] {
        let content = fs::read(project.path(name)).expect("the file");
        project.server.put(&format!("/web/{name}"), content);
    }
    for name in ["context.tar", "context.tar.gz"] {
        let url = project.server.url(&format!("/web/{name}"));
        assert_built(&project, build(&project, &["-f", LOCK, &url], None));
    }
    let url = project.server.url(&format!("/web/{LOCK}"));
    assert_built(&project, build(&project, &[&url], None));
}

#[test]
fn a_lock_comes_from_git() {
    let project = project(Store::Containerd);
    let repository = project.path("repositories/ours");
    fs::create_dir_all(repository.join("locks")).expect("a folder");
    fs::copy(project.path(LOCK), repository.join(LOCK)).expect("copied");
    fs::rename(project.path(LOCK), repository.join("locks").join(LOCK)).expect("renamed");
    let commit = commit_all(&repository);
    let server = GitServer::start(&project.path("repositories"));
    let url = server.url("ours");
    for context in [
        url.clone(),
        format!("{url}#main"),
        format!("{url}#{commit}"),
        format!("{url}#main:locks"),
        format!("{url}?branch=main&subdir=locks"),
        format!("{url}?commit={commit}"),
    ] {
        assert_built(&project, build(&project, &["-f", LOCK, &context], None));
    }
    // The branch is at another commit.
    let other = format!("{url}?ref=main&checksum={}", "0".repeat(40));
    let output = build(&project, &["-f", LOCK, &other], None).expect_failure();
    assert!(
        output.stderr.contains("expected checksum"),
        "{}",
        output.stderr
    );
    let output = build(&project, &["-f", "nonsense.lock", &url], None).expect_failure();
    assert!(output.stderr.contains("nonsense.lock"), "{}", output.stderr);
}

fn a_bake_file_builds_it_between_other_targets(store: Store) {
    let project = project(store);
    let below = format!(
        "FROM {}\nLABEL below=yes\nRUN echo below > /below\n",
        base()
    );
    let above = "FROM lab\nWORKDIR /home/mambauser\nRUN [\"sh\", \"-c\", \"cat /below $CONDA_PREFIX/share/bumpme/version.txt > above\"]\n\
                 CMD [\"sh\", \"-c\", \"cat above; echo $ENV_VARS_DEMO; id -un\"]\n";
    let app = Image::named(&project, format!("{}-app", project.name()));
    let lab = Image::named(&project, format!("{}-lab", project.name()));
    let file = json!({
        "group": {"default": {"targets": ["lab", "app"]}},
        "target": {
            "below": {"dockerfile-inline": below, "network": "none"},
            "lab": {
                "dockerfile": LOCK,
                "contexts": {"ours": "target:below"},
                "args": {"BASE_IMAGE": "ours", "CONDAFRONT_INSTALLER": "native"},
                "tags": [lab.tag()],
            },
            "app": {
                "dockerfile-inline": above,
                "contexts": {"lab": "target:lab"},
                "network": "none",
                "tags": [app.tag()],
            },
        },
    });
    project.write("docker-bake.json", file.to_string());
    let output = project.docker(&["buildx", "bake", "--progress", "plain"]);
    output.expect_success();
    let shown = app.run(&[], &[]).expect_success();
    assert_eq!(shown.stdout, "below\n2.0\nit's set\nmambauser\n");
    let label = inspect(&project, lab.tag(), "{{json .Config.Labels.below}}");
    assert_eq!(label, "yes");
}

/// `tar` of files in the project's folder.
fn archive(project: &Project, name: &str, args: &[&str]) {
    let mut command = Command::new("tar");
    command.arg("--create").arg("--file").arg(name);
    run(command.args(args).current_dir(project.path("."))).expect_success();
}

on_both_stores!(a_bake_file_builds_it_between_other_targets);
