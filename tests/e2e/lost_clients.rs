//! Clients that go away while pip, the package manager or a command runs: the next build is right. `bad_days.rs` has the other
//! moments of a build.

use condafront_testkit::engine::Store;
use condafront_testkit::server::{Fault, Times};

use crate::bad_days::{asked, is_running, kill_client_with};
use crate::pip::hello;
use crate::pip_lists;
use crate::pip_private::index;
use crate::project::{Project, frontend};
use crate::system::Debian;

const FILE: &str = "env.yml";

/// The steps download from this machine.
const NETWORK: [&str; 2] = ["--network", "host"];

/// A backend without requirements (PEP 517) that takes a while for a wheel.
const BACKEND: &str = "\
import base64, hashlib, time, zipfile

INFO = 'slow_build-1.0.dist-info/'
FILES = {
    'slow_build.py': 'value = 1\\n',
    INFO + 'METADATA': 'Metadata-Version: 2.1\\nName: slow-build\\nVersion: 1.0\\n',
    INFO + 'WHEEL': 'Wheel-Version: 1.0\\nGenerator: own\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n',
}

def build_wheel(directory, settings=None, metadata=None):
    time.sleep(2)
    name = 'slow_build-1.0-py3-none-any.whl'
    record = INFO + 'RECORD,,\\n'
    with zipfile.ZipFile(directory + '/' + name, 'w') as wheel:
        for path, text in FILES.items():
            wheel.writestr(path, text)
            digest = hashlib.sha256(text.encode()).digest()
            digest = base64.urlsafe_b64encode(digest).decode().rstrip('=')
            record += f'{path},sha256={digest},{len(text)}\\n'
        wheel.writestr(INFO + 'RECORD', record)
    return name
";

/// Writes an env.yml with python, and this list for pip.
fn with_list(project: &Project, list: &str) {
    let text = format!(
        "# syntax={}\nchannels: [\"{}\"]\ndependencies:\n  - python\n  - pip\n  - pip:\n{list}",
        frontend(),
        project.channel()
    );
    project.write(FILE, text);
}

/// Kills the client of a build when it is time, and builds again.
fn kill_and_build(project: &Project, args: &[&str], is_time: impl Fn(&str) -> bool) {
    let args = [&NETWORK[..], args].concat();
    assert!(kill_client_with(project, FILE, &args, is_time));
    project.build_file(FILE, &args).expect_success();
}

#[test]
fn while_pip_finds_packages() {
    let project = Project::new(Store::Containerd);
    let folder = index(&[hello("1.0")]);
    project.server.mount("/pypi", folder.path());
    let page = "/pypi/simple/hello-world/";
    project.server.fault(page, Fault::Stall, Times::First(1));
    let url = project.server.url("/pypi/simple/");
    with_list(
        &project,
        &format!("    - --index-url {url}\n    - hello.world\n"),
    );
    kill_and_build(&project, &[], |_| asked(&project, page));
    let said = project.run(&[], &["hello"]).expect_success();
    assert_eq!(said.stdout, "hello 1.0\n");
}

#[test]
fn while_pip_builds_a_wheel() {
    let project = Project::new(Store::Containerd);
    let toml = "[project]\nname = \"slow-build\"\nversion = \"1.0\"\n[build-system]\nrequires = []\n\
                build-backend = \"backend\"\nbackend-path = [\".\"]\n";
    pip_lists::write(&project, "app/pyproject.toml", toml);
    // No other run has built it.
    let unique = format!("{BACKEND}# {}\n", project.server.address());
    pip_lists::write(&project, "app/backend.py", &unique);
    with_list(&project, "    - ./app\n");
    kill_and_build(&project, &[], |said| is_running(said, "[pip] build"));
    let code = "import slow_build; print(slow_build.value)";
    let said = project.run(&[], &["python", "-c", code]).expect_success();
    assert_eq!(said.stdout, "1\n");
}

#[test]
fn while_the_package_manager_downloads_and_a_command_runs() {
    let debian = Debian::new(Store::Containerd);
    let project = &debian.project;
    let base = debian.own_base();
    let text = format!(
        "# syntax={}\nchannels: [\"{}\"]\ndependencies: [bumpme]\ncondafront:\n  base: {}\n  apt: [hello-sys]\n  run:\n    \
         - mkdir -p made && echo half > made/file && echo the command waits && sleep 2 && echo {} > made/file\n",
        frontend(),
        project.channel(),
        base.tag(),
        project.server.address(),
    );
    project.write(FILE, text);
    let base_arg = format!("BASE_IMAGE={}", base.tag());
    // Not the cache of archives that other tests fill.
    let caches = format!("BUILDKIT_CACHE_MOUNT_NS={}", project.name());
    let args = ["--build-arg", &base_arg, "--build-arg", &caches];
    let archive = "/debian/./hello-sys_2.0_all.deb";
    project.server.fault(archive, Fault::Stall, Times::First(1));
    let all = [&NETWORK[..], &args].concat();
    assert!(kill_client_with(project, FILE, &all, |_| asked(
        project, archive
    )));
    // The next build goes on to the command. BuildKit may run a step to its end whose client has gone.
    let waits = |said: &str| {
        let mut lines = said.lines();
        lines.any(|line| line.ends_with(" the command waits"))
    };
    kill_and_build(project, &args, waits);
    let show = ["sh", "-c", "hello-sys; cat made/*; ls made"];
    let said = project.run(&[], &show).expect_success();
    let expected = format!(
        "hello 2.0, library 3.0\n{}\nfile\n",
        project.server.address()
    );
    assert_eq!(said.stdout, expected);
}
