//! What an image can be built on, and what it keeps of that.

use condafront_testkit::engine::Store;
use serde_json::json;

use crate::activation::{ACTIVE, PACKAGES, PROBE};
use crate::image::{Image, inspect};
use crate::project::{Project, base, on_both_stores};

fn the_configuration_of_the_base_is_kept(store: Store) {
    let project = Project::new(store);
    let configured = Image::from_dockerfile(
        &project,
        &format!(
            "FROM {}\n\
             ENV FROM_BASE=yes MAMBA_USER=someone CONDA_PREFIX=/elsewhere\n\
             LABEL one=base two=base\n\
             WORKDIR /srv/work\n\
             EXPOSE 8888\n\
             VOLUME /data\n\
             STOPSIGNAL SIGINT\n\
             HEALTHCHECK CMD true\n\
             ONBUILD RUN false\n\
             ENTRYPOINT [\"false\"]\n\
             CMD [\"pwd\"]\n",
            base()
        ),
    );
    project.lock(&["bumpme", "activate-demo"]);
    let base_arg = format!("BASE_IMAGE={}", configured.tag());
    let args = [
        "--build-arg",
        &base_arg,
        "--label",
        "two=build",
        "--label",
        "three=build",
    ];
    project.build(&args).expect_success();
    let config = inspect(&project, project.tag(), "{{json .Config}}");
    let labels = json!({"one": "base", "two": "build", "three": "build"});
    assert_eq!(config["Labels"], labels);
    assert_eq!(config["WorkingDir"], "/srv/work");
    assert_eq!(config["ExposedPorts"], json!({"8888/tcp": {}}));
    assert_eq!(config["Volumes"], json!({"/data": {}}));
    assert_eq!(config["StopSignal"], "SIGINT");
    assert_eq!(config["Healthcheck"]["Test"], json!(["CMD-SHELL", "true"]));
    // Triggers of the base are for its own children, not for theirs.
    assert_eq!(config["OnBuild"], json!(null));
    assert_eq!(project.run(&[], &[]).expect_success().stdout, "/srv/work\n");
    let env: Vec<&str> = config["Env"]
        .as_array()
        .expect("variables")
        .iter()
        .filter_map(|variable| variable.as_str())
        .collect();
    let values = |name: &str| -> Vec<&str> {
        let of_name = env.iter().filter_map(|variable| variable.split_once('='));
        of_name
            .filter(|(key, _)| *key == name)
            .map(|(_, value)| value)
            .collect()
    };
    assert_eq!(values("FROM_BASE"), ["yes"]);
    assert_eq!(values("CONDA_PREFIX"), ["/opt/conda"]);
    assert_eq!(values("MAMBA_USER"), ["mambauser"]);
    assert_eq!(values("ACTIVATE_DEMO_FOUND"), ["yes"]);

    let plain = project.run(
        &["-e", "MAMBA_SKIP_ACTIVATE=1"],
        &["printenv", "CONDA_PREFIX"],
    );
    assert_eq!(plain.expect_success().stdout, "/elsewhere\n");
}

/// A base with a C library and not one program.
fn a_base_without_a_shell_is_enough(store: Store) {
    let project = Project::new(store);
    let libraries = Image::from_dockerfile(
        &project,
        &format!(
            "FROM scratch\n\
             COPY --from={0} /usr/lib/x86_64-linux-gnu /lib/x86_64-linux-gnu\n\
             COPY --from={0} /lib64 /lib64\n",
            base()
        ),
    );
    let base_arg = format!("BASE_IMAGE={}", libraries.tag());
    let args = ["--build-arg", &base_arg];
    project.lock(&["python", "env-vars-demo", "noarch-demo"]);
    project.build(&args).expect_success();
    let program = "import ctypes, os, ssl; print(os.environ['ENV_VARS_DEMO'], os.environ['HOME'])";
    for (user, home) in [
        ("57439", "/home/mambauser"),
        ("1234:5678", "/tmp"),
        ("root", "/root"),
    ] {
        let options = ["--user", user, "--read-only"];
        let output = project
            .run(&options, &["python", "-c", program])
            .expect_success();
        assert_eq!(output.stdout, format!("it's set {home}\n"));
    }
    let output = project.run(&[], &["noarch-demo"]).expect_success();
    assert_eq!(output.stdout, "noarch-demo noarch_demo\n");
    let output = project.run(&[], &[]).expect_failure();
    assert_eq!(output.status.code(), Some(127));
    let problem = "condafront-entrypoint: no command given, and the image has no shell\n";
    assert_eq!(output.stderr, problem);

    project.lock(PACKAGES);
    let output = project.build(&args).expect_failure();
    let problem =
        "the image has no shell to run them; use a base image with one, or add the package bash";
    assert!(output.stderr.contains(problem), "{}", output.stderr);
}

fn scratch_is_a_base(store: Store) {
    let project = Project::new(store);
    project.lock(&["bumpme", "file-kinds", "env-vars-demo"]);
    project
        .build(&["--build-arg", "BASE_IMAGE=scratch"])
        .expect_success();
    let config = inspect(&project, project.tag(), "{{json .Config}}");
    assert_eq!(config["User"], "57439:57439");
    let path = "PATH=/opt/conda/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    let env = config["Env"].as_array().expect("variables");
    assert!(env.contains(&json!(path)), "{env:?}");
    let files = Image::from_dockerfile(
        &project,
        &format!(
            "FROM {}\n\
             COPY --from={} / /image\n\
             RUN cat /image/opt/conda/share/bumpme/version.txt > /version\n",
            base(),
            project.tag()
        ),
    );
    let shown = files
        .run(&[], &["cat", "/version", "/image/etc/passwd"])
        .expect_success();
    assert!(
        shown.stdout.starts_with("2.0\nroot:x:0:0:"),
        "{}",
        shown.stdout
    );
    let listed = files
        .run(&[], &["ls", "/image", "/image/opt/conda"])
        .expect_success();
    assert_eq!(
        listed
            .stdout
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" "),
        "/image: etc home opt root tmp usr /image/opt/conda: bin conda-meta etc lib share"
    );
    let output = project.run(&[], &["file-kinds"]).expect_failure();
    assert_eq!(output.status.code(), Some(127));
    assert!(output.stderr.contains("interpreter"), "{}", output.stderr);
}

fn a_named_context_is_the_base(store: Store) {
    let project = Project::new(store);
    project.lock(PACKAGES);
    let marked = Image::from_dockerfile(&project, &format!("FROM {}\nLABEL marked=yes\n", base()));
    // A name that no registry has, and one that stands for something else otherwise.
    for name in ["our/base:1", "debian:13-slim"] {
        let context = format!("{name}=docker-image://{}", marked.tag());
        let base_arg = format!("BASE_IMAGE={name}");
        let args = ["--build-arg", &base_arg, "--build-context", &context];
        project.build(&args).expect_success();
        let label = inspect(&project, project.tag(), "{{json .Config.Labels.marked}}");
        assert_eq!(label, "yes", "{name}");
    }
    let output = project.run(&[], &["python", "-c", PROBE]).expect_success();
    assert_eq!(output.stdout, ACTIVE);
}

fn a_folder_is_the_base(store: Store) {
    let project = Project::new(store);
    project.lock(&["bumpme"]);
    std::fs::create_dir_all(project.path("root/etc")).expect("a folder");
    project.write("root/etc/marked", "from a folder\n");
    let args = [
        "--build-arg",
        "BASE_IMAGE=ours",
        "--build-context",
        "ours=root",
    ];
    project.build(&args).expect_success();
    let files = Image::from_dockerfile(
        &project,
        &format!("FROM {}\nCOPY --from={} / /image\n", base(), project.tag()),
    );
    let shown = files
        .run(
            &[],
            &[
                "cat",
                "/image/etc/marked",
                "/image/opt/conda/share/bumpme/version.txt",
            ],
        )
        .expect_success();
    assert_eq!(shown.stdout, "from a folder\n2.0\n");
}

on_both_stores!(
    the_configuration_of_the_base_is_kept,
    a_base_without_a_shell_is_enough,
    scratch_is_a_base,
    a_named_context_is_the_base,
    a_folder_is_the_base,
);
