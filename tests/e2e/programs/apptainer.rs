//! An image in Apptainer.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use condafront_testkit::engine::{Output, Store, run};
use condafront_testkit::needs;

use crate::project::{Project, frontend};

/// Not a user of the image.
const SOMEONE: &str = "4321";

/// Prints who runs it and what is active, and where it may write.
const SCRIPT: &str = "\
python -c 'import os, sys, jinja2; print(os.getuid(), sys.prefix, os.environ[\"ACTIVATE_DEMO_FOUND\"])'
touch /opt/conda/here 2>&1 | grep -o 'Read-only file system'
touch /tmp/condafront-$$ && rm /tmp/condafront-$$ && echo can write";

#[test]
#[ignore = "needs Apptainer"]
fn needs_apptainer_a_user_whom_the_image_does_not_know_runs_it_on_a_read_only_root() {
    let project = Project::new(Store::Containerd);
    let channel = project.channel();
    let text = format!(
        "# syntax={}\nchannels: [\"{channel}\"]\ndependencies: [python, jinja2, activate-demo]\ncondafront: {{for: apptainer}}\n",
        frontend()
    );
    project.write("env.yml", text);
    project.build_file("env.yml", &[]).expect_success();
    let archive = project.path("image.tar").display().to_string();
    project
        .docker(&["save", "--output", &archive, project.tag()])
        .expect_success();
    for path in [".", "image.tar"] {
        let mode = fs::Permissions::from_mode(0o755);
        fs::set_permissions(project.path(path), mode).expect("a file that all may read");
    }
    let home = tempfile::tempdir().expect("a folder for the user");
    let mode = fs::Permissions::from_mode(0o777);
    fs::set_permissions(home.path(), mode).expect("a folder that all may write to");
    fs::write(home.path().join("try.sh"), SCRIPT).expect("a script");
    let apptainer = |args: &[&str]| -> Output {
        let mut command = project.engine.tool(&needs::apptainer());
        command.env("AS_USER", SOMEONE).args(args);
        run(command.current_dir(home.path())).expect_success()
    };
    apptainer(&["build", "image.sif", &format!("docker-archive:{archive}")]);
    // Without the entrypoint, and with it.
    for how in ["exec", "run"] {
        let said = apptainer(&[how, "image.sif", "sh", "try.sh"]).stdout;
        assert_eq!(
            said,
            format!("{SOMEONE} /opt/conda yes\nRead-only file system\ncan write\n"),
            "{how}"
        );
    }
}
