//! What users read when a build fails.

use condafront_testkit::channel::Channel;
use condafront_testkit::engine::Store;

use crate::project::{LOCK, Project, frontend};

#[test]
fn try_errors() {
    let project = Project::new(Store::Containerd);
    let url = |path: &str| project.server.url(path);
    let show = |title: &str, lock: &str, args: &[&str]| {
        let lock = format!("# syntax={}\n{lock}", frontend());
        project.write(LOCK, lock);
        let output = project.build(args);
        eprintln!("=== {title}: {:?}\n{}\n{}", output.status, output.stdout, output.stderr);
    };
    let sha = "1".repeat(64);
    let good = Channel::open().find("bumpme");
    show("404", &format!("@EXPLICIT\n{}#{}\n{}#{sha}\n", url(&format!("conda-forge/{}", good.path())), good.sha256, url("conda-forge/noarch/nothing-1-0.conda")), &[]);
    show("empty lock", "@EXPLICIT\n", &[]);
    let pf = Channel::open().find("post-link-fails");
    show("post-link", &format!("@EXPLICIT\n{}#{}\n", url(&format!("conda-forge/{}", pf.path())), pf.sha256), &[]);
    show("account", &format!("@EXPLICIT\n{}#{}\n", url(&format!("conda-forge/{}", good.path())), good.sha256), &["--build-arg", "MAMBA_USER=root", "--build-arg", "MAMBA_USER_ID=7"]);
    let h = Channel::hostile().find("dotdot");
    project.server.mount("/hostile", Channel::hostile().directory());
    show("dotdot", &format!("@EXPLICIT\n{}#{}\n", url(&format!("hostile/{}", h.path())), h.sha256), &[]);
}
