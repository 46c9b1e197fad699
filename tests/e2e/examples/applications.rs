//! Examples with an application in the image.

use std::collections::BTreeSet;

use condafront_testkit::apt;
use condafront_testkit::engine::{self, Store};

use super::example::{Example, page};
use super::traces::{assert_described, left_behind};
use crate::image::Image;
use crate::pip;
use crate::project::{Project, base};

/// What the JupyterLab image says about its user and about what `postBuild` did.
const LAB: &str = r#"uid=1000(al-khawarizmi) gid=100(users) groups=100(users)
/home/al-khawarizmi
notebooks
al-khawarizmi:users
al-khawarizmi:users
3.6.1
{
  "disabledExtensions": {
    "@jupyterlab/apputils-extension:announcements": true
  },
  "lockedExtensions": {
    "@jupyterlab/apputils-extension:announcements": true
  }
}
"#;

#[test]
fn jupyterlab() {
    let project = Project::new(Store::Containerd);
    // Ubuntu's image has this account too.
    let ubuntu = Image::from_dockerfile(
        &project,
        &format!(
            "FROM {}\nRUN useradd --create-home --uid 1000 --shell /bin/bash ubuntu\n",
            base()
        ),
    );
    for name in ["networkx", "tqdm"] {
        pip::index(&project, name, &[pip::real_wheel(name)]);
    }
    let mut example = Example::new(&project, "jupyterlab")
        .base("ubuntu:24.04", ubuntu.tag())
        .build_arg("PIP_INDEX_URL", &project.server.url("/simple/"))
        .with_the_network();
    example.run("docker build");
    let lab = example.start(&[]);
    let said = page(&lab, "http://localhost:8888/api");
    assert!(said.starts_with("{\"version\": "), "{said}");
    let script = "id; pwd; ls; stat -c %U:%G . notebooks; \
        python -c 'import networkx, tqdm; print(networkx.__version__)'; \
        cat /opt/conda/etc/jupyter/labconfig/page_config.json; echo";
    let said = lab.exec(&[], &["bash", "-c", script]).expect_success();
    assert_eq!(said.stdout, LAB);
    example.finish();
    assert_eq!(
        left_behind(&project, "jupyterlab", ubuntu.tag()),
        BTreeSet::new()
    );
    assert_described(&project, "jupyterlab", ubuntu.tag());
}

#[test]
fn a_minimal_python() {
    let project = Project::new(Store::Containerd);
    let folder = tempfile::tempdir().expect("a folder for Debian's packages");
    let archives = ["less", "locales", "tini"].map(apt::debian);
    apt::repository(folder.path(), &[], &archives);
    project.server.mount("/debian", folder.path());
    let debian = Image::from_dockerfile(
        &project,
        &format!(
            "FROM {}\nRUN rm -rf /etc/apt/sources.list.d && echo 'deb [trusted=yes] {} ./' > /etc/apt/sources.list\n",
            base(),
            project.server.url("/debian")
        ),
    );
    let mut example = Example::new(&project, "minimal-python")
        .base("debian:13-slim", debian.tag())
        .with_the_network();
    example.run("docker build");
    let said = example.run("docker run").stdout;
    let lines: Vec<&str> = said.lines().collect();
    let [conda, python, pip] = lines[..] else {
        panic!("{said}");
    };
    assert_eq!(conda, "conda 25.9.1");
    assert!(python.starts_with("Python 3.13."), "{said}");
    assert!(pip.contains(" from /opt/conda/lib/python3.13/"), "{said}");
    let locale = example.run("docker run");
    assert_eq!(locale.stderr, "");
    assert!(
        locale.stdout.starts_with("LANG=en_US.UTF-8\n"),
        "{locale:?}"
    );
    example.finish();

    let script = "id; command -v less; command -v tini; touch ~/mine /opt/conda/mine";
    let run = ["run", "--rm", "--network", "none", "minimal-python"];
    let said = project.docker(&[&run[..], &["sh", "-c", script]].concat());
    let expected = "uid=900(app) gid=900(app) groups=900(app)\n/usr/bin/less\n/usr/bin/tini\n";
    assert_eq!(said.expect_success().stdout, expected);
    assert_eq!(
        left_behind(&project, "minimal-python", debian.tag()),
        BTreeSet::new()
    );
    assert_described(&project, "minimal-python", debian.tag());
}

#[test]
fn an_app_on_top() {
    let project = Project::new(Store::Containerd);
    let mut example = Example::new(&project, "app");
    example.run("docker buildx bake");
    let container = example.start(&[]);
    let said = page(&container, "http://localhost:5000");
    assert_eq!(said, "hello from /opt/conda\n");
    example.finish();
    assert_eq!(left_behind(&project, "app", &base()), BTreeSet::new());
}

/// Asks for a page until it has this text.
const UNTIL: &str = "
import http.client, sys, time, urllib.request
deadline = time.monotonic() + 60
while True:
    try:
        said = urllib.request.urlopen('http://localhost:5000').read().decode()
        if said == sys.argv[1]:
            break
    # A server that restarts may end in the middle of an answer.
    except (OSError, http.client.HTTPException):
        said = 'nothing'
    assert time.monotonic() < deadline, said
    time.sleep(0.1)
";

#[test]
fn developing_an_app() {
    let project = Project::new(Store::Containerd);
    let index = pip::fill_index(&project);
    let (name, index) = index.split_once('=').expect("a build-arg");
    let (example, folder) = Example::new(&project, "develop")
        .build_arg(name, index)
        .with_the_network()
        .copied();
    let mut example = example.replace("$PWD", &folder.display().to_string());
    example.run("docker build --target dev");
    let container = example.start(&[]);
    let until = |text: &str| {
        let command = ["python", "-c", UNTIL, text];
        container.exec(&[], &command).expect_success();
    };
    until("hello\n");
    let module = std::fs::read_to_string(folder.join("greeter.py")).expect("the app");
    let changed = module.replace("hello\\n", "changed\\n");
    std::fs::write(folder.join("greeter.py"), changed).expect("the changed app");
    until("changed\n");

    // What compose would do: it builds this target, and copies changed files to where the sources are.
    let bake = ["buildx", "bake", "--print", "-f", "compose.yaml"];
    let mut docker = project.engine.docker(&bake);
    let printed = engine::run(docker.current_dir(&folder))
        .expect_success()
        .stdout;
    for expected in ["\"dockerfile\": \"env.yml\"", "\"target\": \"dev\""] {
        assert!(printed.contains(expected), "{printed}");
    }
    let compose = std::fs::read_to_string(folder.join("compose.yaml")).expect("compose.yaml");
    let target = "/home/mambauser/app/greeter.py";
    assert!(
        compose.contains(&format!("target: {target}}}")),
        "{compose}"
    );
    let found = ["python", "-c", "import greeter; print(greeter.__file__)"];
    let found = container.exec(&["--workdir", "/"], &found).expect_success();
    assert_eq!(found.stdout, format!("{target}\n"));

    example.run("docker build");
    example.finish();
    let script = "ls; cd /; python -c 'import greeter; print(greeter.__file__)'";
    let run = [
        "run",
        "--rm",
        "--network",
        "none",
        "greeter",
        "sh",
        "-c",
        script,
    ];
    let said = project.docker(&run).expect_success();
    let place = "/opt/conda/lib/python3.13/site-packages/greeter.py\n";
    assert_eq!(said.stdout, place);
}

#[test]
fn a_server_for_jupyterhub() {
    let project = Project::new(Store::Containerd);
    let mut example = Example::new(&project, "jupyterhub");
    example.run("docker build");
    assert_eq!(example.run("docker run").stdout, "5.4.0 (a stand-in)\n");
    example.finish();
}

/// As a JupyterLab app of Studio, where a volume hides what the image has in the home.
#[test]
fn a_lab_for_sagemaker() {
    let project = Project::new(Store::Containerd);
    let mut example = Example::new(&project, "sagemaker");
    example.run("docker build");
    let lab = example.start(&["--tmpfs", "/home/sagemaker-user:uid=1000,gid=100"]);
    // Studio asks this page whether the app works.
    let said = page(&lab, "http://localhost:8888/jupyterlab/default/api/status");
    assert!(said.starts_with("{\"connections\": "), "{said}");
    let outside = "grep -o ' 00000000:22B8 ' /proc/net/tcp";
    let script = format!("set -e; {outside}; id; pwd; touch new; jupyter kernelspec list");
    let said = lab
        .exec(&[], &["sh", "-c", &script])
        .expect_success()
        .stdout;
    let expected = " 00000000:22B8 \nuid=1000(sagemaker-user) gid=100(users) groups=100(users)\n/home/sagemaker-user\n";
    assert!(said.starts_with(expected), "{said}");
    let kernels = "/opt/conda/share/jupyter/kernels/python3\n";
    assert!(said.ends_with(kernels), "{said}");
    example.finish();
}

/// Without a shell, or any other program.
#[test]
fn a_distroless_service() {
    let project = Project::new(Store::Containerd);
    let accounts = "root:x:0:0:root:/root:/sbin/nologin\\nnonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\\n";
    let groups = "root:x:0:\\nnonroot:x:65532:\\n";
    let distroless = Image::from_dockerfile(
        &project,
        &format!(
            "FROM {0} AS parts\n\
             RUN mkdir -p /parts/etc /parts/home/nonroot && chown 65532:65532 /parts/home/nonroot && \
             printf '{accounts}' > /parts/etc/passwd && printf '{groups}' > /parts/etc/group\n\
             FROM scratch\n\
             COPY --from=parts /usr/lib/x86_64-linux-gnu /lib/x86_64-linux-gnu\n\
             COPY --from=parts /lib64 /lib64\n\
             COPY --from=parts /parts /\n",
            base()
        ),
    );
    let mut example = Example::new(&project, "distroless")
        .base("gcr.io/distroless/base-debian12", distroless.tag());
    example.run("docker build");
    let service = example.start(&[]);
    assert_eq!(page(&service, "http://localhost:8080"), "hello\n");
    let who = "import os; print(os.getuid(), os.path.exists('/bin/sh'), open('/proc/1/cmdline').read().split('\\0')[0])";
    let said = service.exec(&[], &["python", "-c", who]).expect_success();
    assert_eq!(said.stdout, "65532 False python\n");
    assert_eq!(service.stop(), (0, "listening\n".to_owned()));
    example.finish();
}
