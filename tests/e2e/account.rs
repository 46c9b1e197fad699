//! The account that an image runs as.

use condafront_testkit::engine::Store;

use crate::image::{Image, inspect};
use crate::project::{Project, base};

/// Small packages, because each of these images installs them for another owner.
const PACKAGES: &[&str] = &["bumpme", "file-kinds"];

/// Prints the user, the home and the owners of the prefix, and writes wherever the user may.
const WHO: &str = "\
set -e
echo \"$(id -un) $(id -u):$(id -g) $HOME\"
find /opt/conda ! -path '*/conda-meta*' -printf '%U:%G\\n' | sort -u
find /opt/conda/conda-meta -printf '%U:%G\\n' | sort -u
stat -c '%u:%g' /opt /usr/local/bin
touch /opt/conda/mine /opt/conda/bin/mine /opt/conda/conda-meta/mine \"$HOME/mine\"
";

/// Builds an image with these build-args and returns what it says about its user.
fn user_of(project: &Project, args: &[&str]) -> (String, String) {
    let args: Vec<&str> = args.iter().flat_map(|arg| ["--build-arg", arg]).collect();
    project.build(&args).expect_success();
    let config = inspect(project, project.tag(), "{{json .Config.User}}");
    let who = project.run(&[], &["sh", "-c", WHO]).expect_success();
    let user = config.as_str().unwrap_or_default().to_owned();
    (user, who.stdout)
}

fn expected(first: &str, ids: &str) -> (String, String) {
    (ids.to_owned(), format!("{first}\n{ids}\n{ids}\n0:0\n0:0\n"))
}

#[test]
fn the_user_is_chosen_by_build_args() {
    let project = Project::new(Store::Containerd);
    project.lock(PACKAGES);
    assert_eq!(
        user_of(&project, &[]),
        expected("mambauser 57439:57439 /home/mambauser", "57439:57439")
    );
    assert_eq!(
        user_of(
            &project,
            &["MAMBA_USER=ada", "MAMBA_USER_ID=1000", "MAMBA_USER_GID=100"]
        ),
        expected("ada 1000:100 /home/ada", "1000:100")
    );
    assert_eq!(
        user_of(&project, &["MAMBA_USER=root"]),
        expected("root 0:0 /root", "0:0")
    );
}

#[test]
fn an_account_of_the_base_is_used() {
    let project = Project::new(Store::Containerd);
    let accounts = Image::from_dockerfile(
        &project,
        &format!(
            "FROM {}\n\
             RUN groupadd --gid 1501 staff2 && \
             useradd --create-home --home-dir /srv/grace --uid 1500 --gid 1501 --shell /bin/sh grace\n",
            base()
        ),
    );
    project.lock(PACKAGES);
    let base_arg = format!("BASE_IMAGE={}", accounts.tag());
    let (user, who) = user_of(&project, &[&base_arg, "MAMBA_USER=grace"]);
    assert_eq!(
        (user, who),
        expected("grace 1500:1501 /srv/grace", "1500:1501")
    );

    let args = ["--build-arg", &base_arg, "--build-arg", "MAMBA_USER=grace"];
    let other = ["--build-arg", "MAMBA_USER_ID=5"];
    let output = project
        .build(&[&args[..], &other].concat())
        .expect_failure();
    let problem = "the base image already has a user `grace` with the id 1500, not 5";
    assert!(output.stderr.contains(problem), "{}", output.stderr);
}

#[test]
fn an_invalid_user_is_refused() {
    let project = Project::new(Store::Containerd);
    project.lock(PACKAGES);
    for (arg, problem) in [
        (
            "MAMBA_USER=a:b",
            "build-arg MAMBA_USER: `a:b` is not a valid user name",
        ),
        (
            "MAMBA_USER_ID=ada",
            "build-arg MAMBA_USER_ID: `ada` is not a valid numeric ID",
        ),
    ] {
        let output = project.build(&["--build-arg", arg]).expect_failure();
        assert!(output.stderr.contains(problem), "{arg}: {}", output.stderr);
    }
}
