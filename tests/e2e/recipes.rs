//! The recipes of `docs/recipes.md`: images that are for a platform, started as the platform starts them.

use condafront_testkit::engine::{Output, Store};

use crate::errors::serve;
use crate::failure::{Failures, error_of};
use crate::image::{Container, Image, inspect};
use crate::project::{Project, base, frontend};

const FILE: &str = "image.yml";

/// What the environment's programs print of themselves.
const VERSION: &str = "#!/bin/sh\necho 4.2\n";

/// Prints where it is, who runs it and what is active.
const WHERE: &str = "echo $CONDA_PREFIX; tool; touch here && echo can write";

/// A project whose lock has a package with these files, and a base image without `ps`.
struct Platforms {
    project: Project,
}

impl Platforms {
    fn new(files: &[(&str, &str, u32)]) -> Self {
        let project = Project::new(Store::Containerd);
        write_lock(&project, files);
        Self { project }
    }

    /// `docker build` of an image file with these lines, on a base that condafront knows nothing about.
    fn build(&self, base: &str, lines: &str, args: &[&str]) -> Output {
        build(&self.project, base, lines, args)
    }

    /// The base of the tests under another name.
    fn base(&self) -> Image<'_> {
        Image::from_dockerfile(&self.project, &format!("FROM {}\n", base()))
    }
}

/// Writes a lock of one package with these files and a tool.
fn write_lock(project: &Project, files: &[(&str, &str, u32)]) {
    let tool = [("bin/tool", "#!/bin/sh\necho tool\n", 0o755)];
    let line = serve(project, "tools", &[&tool, files].concat());
    project.write("env.lock", format!("@EXPLICIT\n{line}"));
}

fn build(project: &Project, base: &str, lines: &str, args: &[&str]) -> Output {
    let text = format!(
        "# syntax={}\nenvironments: {{base: env.lock}}\nbase: {base}\ninstaller: native\n{lines}",
        frontend(),
    );
    project.write(FILE, text);
    project.build_image(&[&["-f", FILE], args, &["."]].concat())
}

/// Programs of everything that platforms start.
const EVERYTHING: [(&str, &str, u32); 6] = [
    ("bin/ps", VERSION, 0o755),
    ("bin/jupyter-lab", VERSION, 0o755),
    ("bin/jupyter-notebook", VERSION, 0o755),
    ("bin/jupyterhub-singleuser", VERSION, 0o755),
    ("bin/conda", VERSION, 0o755),
    ("share/jupyter/kernels/tool/kernel.json", "{}", 0o644),
];

#[test]
fn an_image_works_on_all_platforms_that_it_is_for() {
    let platforms = Platforms::new(&EVERYTHING);
    let project = &platforms.project;
    let base = platforms.base();
    let lines = "for: [openshift, nextflow, binder, jupyterhub, snakemake, devcontainer, github-actions, apptainer]\n";
    let args = ["NB_USER=jo", "NB_UID=1000"].map(|arg| ["--build-arg", arg]);
    let built = platforms.build(base.tag(), lines, args.as_flattened());
    let built = built.expect_success().stderr;
    for added in [
        "`for: openshift` adds `group_writable: true`, `user: {gid: 0}` and `env: {HOME: /home/jo}`",
        "`for: binder` adds `user: {name: jo, uid: 1000}`",
        "`for: snakemake` adds `labels: {io.github.snakemake.containerized: 'true'}`",
        "`for: devcontainer` adds `labels: {devcontainer.metadata: '[{\"remoteUser\":\"jo\"}]'}`",
    ] {
        assert!(built.contains(added), "{added}\n{built}");
    }
    let config = |of: &str| {
        inspect(
            project,
            project.tag(),
            &format!("{{{{json .Config.{of}}}}}"),
        )
    };
    assert_eq!(config("User"), "1000:0");
    let env = config("Env").to_string();
    assert!(env.contains("\"HOME=/home/jo\""), "{env}");

    // OpenShift, and Kubernetes with a `command:`.
    let any = ["--user", "1000660000:0", "--entrypoint", "sh"];
    let said = project.run(
        &any,
        &["-c", "cd; pwd; touch /opt/conda/new here && echo can write"],
    );
    assert_eq!(said.expect_success().stdout, "/home/jo\ncan write\n");

    // Nextflow mounts the task's folder, and runs its script there.
    std::fs::create_dir(project.path("work")).expect("a folder");
    project.write(
        "work/.command.run",
        "tool > out.txt; ps -e -o pid= -o ppid= > /dev/null\n",
    );
    let folder = project.path("work");
    let folder = folder.to_string_lossy();
    let mount = format!("{folder}:{folder}");
    let task = ["-v", &mount, "-w", &folder, "--user", "0:0"];
    let out = project.path("work/out.txt");
    let shell = ["--entrypoint", "/bin/bash"];
    // Through the image's entrypoint, or in its place.
    for (options, command) in [(&[][..], &["/bin/bash"][..]), (&shell, &[])] {
        let options = [&task, options].concat();
        let command = [command, &["-ue", ".command.run"]].concat();
        project.run(&options, &command).expect_success();
        let text = std::fs::read_to_string(&out).expect("the task's output");
        assert_eq!(text, "tool\n");
        std::fs::remove_file(&out).expect("the task's file");
    }

    // A job container of GitHub Actions, or a Dev Container: something keeps it running, and programs are started in it.
    let keep = ["--user", "1001", "-w", "/tmp", "--entrypoint", "tail"];
    let job = Container::start(project, &keep, &["-f", "/dev/null"]);
    let said = job.exec(&[], &["sh", "-e", "-c", WHERE]).expect_success();
    assert_eq!(said.stdout, "/opt/conda\ntool\ncan write\n");
    let said = job.exec(&["--user", "jo", "-w", "/home/jo"], &["sh", "-c", WHERE]);
    assert_eq!(
        said.expect_success().stdout,
        "/opt/conda\ntool\ncan write\n"
    );

    // repo2docker builds this file as it is.
    let layers = config_layers(project);
    std::fs::create_dir(project.path("binder")).expect("a folder");
    std::fs::copy(project.path(FILE), project.path("binder/Dockerfile")).expect("the same file");
    let binder = [&["-f", "binder/Dockerfile"], args.as_flattened(), &["."]].concat();
    project.build_image(&binder).expect_success();
    assert_eq!(config_layers(project), layers);

    // Binder and JupyterHub.
    for server in ["jupyter-lab", "jupyterhub-singleuser"] {
        let said = project.run(&[], &[server, "--ip=0.0.0.0"]).expect_success();
        assert_eq!(said.stdout, "4.2\n");
    }

    // Snakemake knows the environment by the content of its file.
    let find = "ls /conda-envs/*/bin/tool && /conda-envs/*/bin/tool";
    let said = project.run(&[], &["sh", "-c", find]).expect_success();
    let sum = std::process::Command::new("md5sum")
        .arg(project.path("env.lock"))
        .output()
        .expect("md5sum runs");
    let sum = String::from_utf8_lossy(&sum.stdout).into_owned();
    let sum = sum.split(' ').next().expect("a sum");
    assert_eq!(said.stdout, format!("/conda-envs/{sum}/bin/tool\ntool\n"));

    // Apptainer's root is read-only, and nobody knows the user.
    let strange = ["--user", "4321:4321", "--read-only", "-w", "/"];
    let said = project.run(
        &strange,
        &[
            "sh",
            "-c",
            "tool; touch /tmp/x 2> /dev/null || echo read-only",
        ],
    );
    assert_eq!(said.expect_success().stdout, "tool\nread-only\n");
}

fn config_layers(project: &Project) -> serde_json::Value {
    inspect(project, project.tag(), "{{json .RootFS.Layers}}")
}

#[test]
fn sagemaker_gets_its_user_port_and_kernel() {
    let platforms = Platforms::new(&EVERYTHING);
    let built = platforms.build(&base(), "for: sagemaker\nexpose: [80]\n", &[]);
    built.expect_success();
    let config = inspect(
        &platforms.project,
        platforms.project.tag(),
        "{{json .Config}}",
    );
    assert_eq!(config["User"], "1000:100");
    assert_eq!(config["WorkingDir"], "/home/sagemaker-user");
    assert_eq!(
        config["ExposedPorts"].as_object().map(serde_json::Map::len),
        Some(2)
    );
    let said = platforms.project.run(&[], &["sh", "-c", "id -un; echo ~"]);
    assert_eq!(
        said.expect_success().stdout,
        "sagemaker-user\n/home/sagemaker-user\n"
    );
}

#[test]
fn an_image_that_does_not_work_on_its_platform_is_an_error() {
    let platforms = Platforms::new(&[]);
    let base = platforms.base();
    let mut failures = Failures::new(&platforms.project);
    for (platform, lines) in [
        ("nextflow", ""),
        ("binder", ""),
        ("jupyterhub", ""),
        ("sagemaker", ""),
        ("snakemake", ""),
        ("openshift", "env: {HOME: /usr/share}\n"),
    ] {
        let lines = format!("for:\n  - {platform}\n{lines}");
        failures.add_output(platform, platforms.build(base.tag(), &lines, &[]));
    }
    platforms.project.write("env.post-deploy.sh", "echo mine\n");
    let output = platforms.build(base.tag(), "for: snakemake\n", &[]);
    let error = error_of(&output.expect_failure());
    assert!(
        error.contains("Snakemake would run env.post-deploy.sh"),
        "{error}"
    );
    assert!(error.contains(">>> for: snakemake"), "{error}");
    // It has no shell, and the lock brings none.
    for platform in ["devcontainer", "github-actions", "apptainer"] {
        let lines = format!("for: [{platform}]\n");
        let output = platforms.build("scratch", &lines, &[]).expect_failure();
        let error = error_of(&output);
        let told = ["but the image has no program", "/bin/sh: command not found"];
        assert!(told.iter().any(|told| error.contains(told)), "{error}");
        assert!(error.contains(&format!(">>> for: [{platform}]")), "{error}");
    }
    insta::assert_snapshot!(failures.text());
}

/// A part of `cache::what_was_found_is_not_looked_for_again`.
pub(crate) fn an_image_is_tried_once(project: &Project) {
    const FOR: &str = "for: [github-actions, apptainer]\n";
    write_lock(project, &[]);
    let trials = |more: &str| trials(build(project, &base(), &format!("{FOR}{more}"), &[]));
    let platforms = ["apptainer", "github-actions"];
    assert_eq!(trials(""), platforms.map(|name| (name.to_owned(), "DONE")));
    let cached = platforms.map(|name| (name.to_owned(), "CACHED"));
    assert_eq!(trials(""), cached);
    // The same files and variables.
    assert_eq!(trials("cmd: [tool]\n"), cached);
    let again = trials("env: {GREETING: hello}\n");
    assert_eq!(again, platforms.map(|name| (name.to_owned(), "DONE")));
}

/// The platforms that a build tries an image for, sorted, and what became of the steps.
fn trials(build: Output) -> Vec<(String, &'static str)> {
    let progress = build.expect_success().stderr;
    let mut found = Vec::new();
    for line in progress.lines() {
        let Some((number, name)) = line.split_once(" [for] try the image as ") else {
            continue;
        };
        let became = ["DONE", "CACHED"].into_iter().find(|end| {
            let line = format!("{number} {end}");
            progress.lines().any(|other| other.starts_with(&line))
        });
        let became = became.unwrap_or_else(|| panic!("{line} did not end:\n{progress}"));
        found.push((name.trim_end_matches(" does").to_owned(), became));
    }
    found.sort();
    found.dedup();
    found
}
