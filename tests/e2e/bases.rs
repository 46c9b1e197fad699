//! Base images, and what an image keeps of them.

use condafront_testkit::channel::{Channel, HashStyle};
use condafront_testkit::engine::Store;
use serde_json::json;

use crate::activation::{ACTIVE, PACKAGES, PROBE};
use crate::failure::Failures;
use crate::image::{Image, each_prints, inspect};
use crate::project::{LOCK, Project, base, frontend, on_both_stores};
use crate::system::busybox;

fn the_configuration_of_the_base_is_kept(store: Store) {
    let project = Project::new(store);
    let configured = Image::from_dockerfile(
        &project,
        &format!(
            "FROM {}\n\
             ENV FROM_BASE=yes MAMBA_USER=someone CONDA_PREFIX=/elsewhere\n\
             ENV ENV_NAME=prod MAMBA_SKIP_ACTIVATE=1 HOME=/root PATH=$PATH:/opt/conda/bin\n\
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
    // The base image's triggers are for images built on it, not for images built on those.
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
    assert_eq!(values("ENV_NAME"), ["base"]);
    assert!(values("MAMBA_SKIP_ACTIVATE").is_empty() && values("HOME").is_empty());
    let show = "echo $HOME $CONDA_DEFAULT_ENV; case $PATH in /opt/conda/bin:*) echo first;; esac";
    let shells = ["-c", "-lc"].map(|it| format!("bash {it} '{show}'"));
    let expected = shells
        .each_ref()
        .map(|it| (it.as_str(), "/home/mambauser base\nfirst\n"));
    each_prints(|words| project.run(&[], words), &expected);

    let plain = project.run(
        &["-e", "MAMBA_SKIP_ACTIVATE=1"],
        &["printenv", "CONDA_PREFIX"],
    );
    assert_eq!(plain.expect_success().stdout, "/elsewhere\n");
}

#[test]
fn containers_start_in_the_home_of_the_user_if_there_is_one() {
    let project = Project::new(Store::Containerd);
    project.lock(&["bumpme"]);
    // The home of root is closed to others.
    for (user, home) in [("root", "/root"), ("nobody", "/")] {
        let user = format!("MAMBA_USER={user}");
        project.build(&["--build-arg", &user]).expect_success();
        for other in [&[][..], &["--user", "4321:4321"]] {
            let said = project.run(other, &["sh", "-c", "pwd"]).expect_success();
            assert_eq!(said.stdout, format!("{home}\n"), "{user} {other:?}");
        }
    }
}

/// A base image with a C library and no programs.
#[test]
fn a_base_without_a_shell_is_enough() {
    let project = Project::new(Store::Containerd);
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
             COPY --from={} / /image\n",
            base(),
            project.tag()
        ),
    );
    let script =
        "cd /image; echo $(ls . opt/conda); cat opt/conda/share/bumpme/version.txt etc/passwd";
    let shown = files.run(&[], &["sh", "-c", script]).expect_success();
    let listed = ".: etc home opt root tmp usr opt/conda: bin conda-meta etc lib share\n";
    let expected = format!("{listed}2.0\nroot:x:0:0:");
    assert!(shown.stdout.starts_with(&expected), "{}", shown.stdout);
    let output = project.run(&[], &["file-kinds"]).expect_failure();
    assert_eq!(output.status.code(), Some(127));
    assert!(output.stderr.contains("interpreter"), "{}", output.stderr);
}

#[test]
fn a_named_context_is_the_base() {
    let project = Project::new(Store::Containerd);
    project.lock(PACKAGES);
    let marked = Image::from_dockerfile(&project, &format!("FROM {}\nLABEL marked=yes\n", base()));
    // A name that no registry has, and one that normally means another image.
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

#[test]
fn a_folder_is_the_base() {
    let project = Project::new(Store::Containerd);
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

/// A root with one static program, and account files as in some distributions: no newline at the end, no shadow file,
/// no homes, and `nogroup` and an ID are taken.
#[test]
fn a_base_with_busybox_alone_is_enough() {
    let project = Project::new(Store::Containerd);
    busybox(&project);
    project.write("passwd", "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/sbin/nologin\nguest:x:1000:1000::/nonexistent:/bin/sh");
    project.write("group", "root:x:0:root\nnogroup:x:65534:\nada:x:99:");
    let root = Image::from_dockerfile(
        &project,
        "FROM scratch\n\
         COPY busybox /bin/busybox\n\
         COPY passwd group /etc/\n\
         RUN [\"/bin/busybox\", \"--install\", \"-s\", \"/bin\"]\n",
    );
    project.lock(&["bumpme", "env-vars-demo", "activate-demo"]);
    let base = format!("BASE_IMAGE={}", root.tag());
    let user = ["MAMBA_USER=ada", "MAMBA_USER_ID=1000"];
    let args = [
        "--build-arg",
        &base,
        "--build-arg",
        user[0],
        "--build-arg",
        user[1],
    ];
    project.build(&args).expect_success();
    const WHO: &str = "id; echo $HOME $ENV_VARS_DEMO $ACTIVATE_DEMO_FOUND; touch ~/made /opt/conda/made; cat /etc/passwd /etc/group";
    let output = project.run(&[], &["sh", "-c", WHO]).expect_success();
    assert_eq!(
        output.stdout,
        "uid=1000(ada) gid=1000(ada-1000) groups=1000(ada-1000)\n/home/ada it's set yes\n\
         root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/sbin/nologin\nada:x:1000:1000::/home/ada:/bin/sh\nguest:x:1000:1000::/nonexistent:/bin/sh\nroot:x:0:root\nnogroup:x:65534:\nada:x:99:\nada-1000:x:1000:\n"
    );
    for (options, expected) in [
        (["--user", "1234:5678"], "1234:5678 /tmp it's set\n"),
        (["--user", "root"], "0:0 /root it's set\n"),
        (["--user", "nobody"], "65534:65534 /tmp it's set\n"),
    ] {
        let say = "echo $(id -u):$(id -g) $HOME $ENV_VARS_DEMO";
        let output = project.run(&options, &["sh", "-c", say]).expect_success();
        assert_eq!(output.stdout, expected);
    }
}

/// NVIDIA's images have their CUDA version in an environment variable.
#[test]
fn a_base_with_cuda_has_the_virtual_package() {
    let project = Project::new(Store::Containerd);
    let cuda = Image::from_dockerfile(
        &project,
        &format!("FROM {}\nENV CUDA_VERSION=12.8.1\n", base()),
    );
    let write = |version: &str| {
        let channel = project.channel();
        let text = format!(
            "# syntax={}\nchannels: [{channel}]\ndependencies:\n  - bumpme\n  - __cuda={version}\n",
            frontend()
        );
        project.write("env.yml", text);
    };
    let from = format!("BASE_IMAGE={}", cuda.tag());
    let args = ["--build-arg", &from];
    write("12.8");
    project.build_file("env.yml", &args).expect_success();
    let lock = ["--target", "lock", "-o", "locked"];
    project
        .build_file("env.yml", &[&args[..], &lock].concat())
        .expect_success();
    assert!(project.path("locked/conda-linux-64.lock").is_file());
    let output = project.build_file("env.yml", &[]).expect_failure();
    assert!(
        output.stderr.contains("only if the base image has CUDA"),
        "{}",
        output.stderr
    );
    let said = ["--build-arg", "CONDA_OVERRIDE_CUDA=12.4"];
    project
        .build_file("env.yml", &[&args[..], &said].concat())
        .expect_failure();
    write("12.4");
    project
        .build_file("env.yml", &[&args[..], &said].concat())
        .expect_success();
}

/// The packages of a lock may need a newer C library than the base image has: no solve has checked that.
#[test]
fn bases_without_the_glibc_that_packages_need() {
    let project = Project::new(Store::Containerd);
    project.write(
        "libc",
        "\0GNU C Library (Debian GLIBC 2.31-13) stable release version 2.31.\n",
    );
    busybox(&project);
    let old = Image::from_dockerfile(
        &project,
        "FROM scratch\nCOPY libc /lib/x86_64-linux-gnu/libc.so.6\n",
    );
    let musl = Image::from_dockerfile(
        &project,
        "FROM scratch\nCOPY busybox /lib/ld-musl-x86_64.so.1\n",
    );
    let mut failures = Failures::new(&project);
    let channel = Channel::open();
    let lock = channel.closure(&["python"]);
    project.write(LOCK, project.lock_text(&lock, HashStyle::Sha256));
    for (title, base) in [
        ("a lock on an old base", old.tag()),
        ("a lock on a base with musl", musl.tag()),
        ("a lock on an empty base", "scratch"),
    ] {
        let base = format!("BASE_IMAGE={base}");
        failures.add_output(title, project.build(&["--build-arg", &base]));
    }
    let channel = project.channel();
    let text = format!(
        "# syntax={}\nchannels: [{channel}]\ndependencies: [python]\ncondafront:\n  installer: native\n  base: {}\n",
        frontend(),
        musl.tag()
    );
    project.write("env.yml", text);
    let build = ["build", "--progress", "plain", "-f", "env.yml", "."];
    failures.add_output("a solve for a base with musl", project.docker(&build));
    // A build-arg overrides what was found.
    let args = [
        "--build-arg",
        "BASE_IMAGE=scratch",
        "--build-arg",
        "CONDA_OVERRIDE_GLIBC=2.41",
    ];
    project.build(&args).expect_success();
    let text = failures.text();
    let line = format!(">>>   base: {}\n", musl.tag());
    for said in [
        "needs glibc >=2.38, and ",
        " other packages need one too; the base image has glibc 2.31\nChoose a base image with a newer glibc",
        " need one too; the base image has musl instead of glibc\n",
        " need one too; the base image has none\n",
        "`python` cannot be satisfied:",
        "The base image has musl, not glibc. Choose another base image",
        &line,
    ] {
        assert!(text.contains(said), "{said}\nis not in\n{text}");
    }
}

on_both_stores!(the_configuration_of_the_base_is_kept, scratch_is_a_base,);
