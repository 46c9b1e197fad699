//! The recipe for Dev Containers with their own command-line tool.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use condafront_testkit::engine::{Output, Store, run};
use condafront_testkit::needs;
use serde_json::Value;

use crate::image::Container;
use crate::project::{Project, base, frontend};

const RECIPES: &str = include_str!("../../../docs/recipes.md");

/// The recipe that builds the image first.
fn recipe() -> &'static str {
    let blocks = RECIPES.split("```json\n").skip(1);
    let blocks = blocks.filter_map(|rest| rest.split("```").next());
    let mut with_build = blocks.filter(|block| block.contains("initializeCommand"));
    with_build.next().expect("the recipe for Dev Containers")
}

#[test]
#[ignore = "needs the Dev Containers CLI"]
fn needs_devcontainers_the_recipe_is_built_started_and_entered() {
    let project = Project::new(Store::Containerd);
    let channel = project.channel();
    project.write(
        "env.yml",
        format!(
            "# syntax={}\nchannels: [\"{channel}\"]\ndependencies: [python, jinja2]\ncondafront: {{for: devcontainer}}\n",
            frontend()
        ),
    );
    let image = format!("{}-tools", project.name());
    let json = recipe().replace("-t tools", &format!("-t {image}"));
    let json = json.replace("\"tools\"", &format!("\"{image}\""));
    fs::create_dir(project.path(".devcontainer")).expect("a folder");
    project.write(".devcontainer/devcontainer.json", json);
    // The recipe's `docker build`, with what stands for Docker Hub and conda-forge.
    let docker = format!(
        "#!/bin/sh\nPATH=${{PATH#*:}}\n[ \"$1\" = build ] || exec docker \"$@\"\nshift\nexec docker build --build-arg BASE_IMAGE={} --build-arg CONDAFRONT_INSTALLER=native \"$@\"\n",
        base()
    );
    fs::create_dir(project.path("bin")).expect("a folder");
    project.write("bin/docker", docker);
    let mode = fs::Permissions::from_mode(0o755);
    fs::set_permissions(project.path("bin/docker"), mode).expect("a program");

    let path = std::env::var("PATH").expect("a PATH");
    let path = format!("{}:{path}", project.path("bin").display());
    let devcontainer = |command: &str, args: &[&str]| -> Output {
        let mut tool = project.engine.tool(&needs::devcontainer());
        tool.env("PATH", &path);
        tool.args([command, "--workspace-folder", "."]).args(args);
        run(tool.current_dir(project.path("."))).expect_success()
    };
    let up = devcontainer("up", &[]).stdout;
    let up = up.lines().last().unwrap_or_default();
    let up: Value = serde_json::from_str(up).expect("the tool writes JSON");
    let id = up["containerId"].as_str().expect("a container");
    let _container = Container::started(&project, id);
    assert_eq!(up["remoteUser"], "mambauser", "{up}");
    let script = "import getpass, jinja2, os, sys; print(getpass.getuser(), sys.prefix, os.environ['CONDA_PREFIX'])";
    let said = devcontainer("exec", &["python", "-c", script]).stdout;
    assert_eq!(said, "mambauser /opt/conda /opt/conda\n");
    let said = devcontainer(
        "exec",
        &[
            "sh",
            "-c",
            "ls env.yml; touch ~/.vscode-server && echo can write",
        ],
    );
    assert_eq!(said.stdout, "env.yml\ncan write\n");
}
