//! Questions about a file instead of a build: `docker build --call=…`.

use condafront_testkit::channel::Channel;
use condafront_testkit::engine::Store;

use crate::failure::masked;
use crate::project::{LOCK, Project, frontend};

/// The output and exit code of `docker build --call=<kind>` for `lock`.
fn call(project: &Project, kind: &str, lock: &str, args: &[&str]) -> String {
    project.write(LOCK, format!("# syntax={}\n{lock}", frontend()));
    let call = format!("--call={kind}");
    let all = [
        &["build", "--progress", "quiet", &call, "-f", LOCK],
        args,
        &["."],
    ]
    .concat();
    let output = project.docker(&all);
    let text = format!("{}{}", output.stdout, output.stderr);
    let text: Vec<&str> = text.lines().map(str::trim_end).collect();
    let code = output.status.code().unwrap_or(-1);
    format!(
        "{}\n(exit code {code})\n",
        masked(project, text.join("\n").trim())
    )
}

#[test]
fn questions_are_answered() {
    let project = Project::new(Store::Containerd);
    let package = Channel::open().find("bumpme");
    let url = project.package_url(package);
    let good = format!("@EXPLICIT\n{url}#{}\n", package.sha256);
    let unverified = format!("@EXPLICIT\n{url}\n");
    let bad = "@EXPLICIT\nnumpy\n";
    let skipping = format!("# check=skip=UnverifiedPackage\n{unverified}");
    let misspelt = format!("# check=skip=UnverifiedPackages\n{unverified}");
    let with_build_args = "channels: []\ndependencies: []\ncondafront:\n  base: debian:${RELEASE:-13-slim}\n  workdir: /srv/${TEAM:?say whose it is}\n  env: {STAGE: '${STAGE_OF_BUILD:-test}'}\n  run: [{run: make, mounts: [{type: secret, id: token, required: true}]}]\n";
    let team = ["--build-arg", "TEAM=ada"];
    let layers = ["--build-arg", "CONDAFRONT_LAYERS=many"];
    let mirrors = [
        "--build-arg",
        "CONDA_MIRRORS=https://conda.invalid=https://mirror.invalid",
    ];
    let mut text = String::new();
    for (title, kind, lock, args) in [
        ("check of a good lock", "check", good.as_str(), &[][..]),
        ("check of a lock without a hash", "check", &unverified, &[]),
        ("check of a bad lock", "check", bad, &[]),
        ("check that leaves out a rule", "check", &skipping, &[]),
        ("check of an unknown rule", "check", &misspelt, &[]),
        ("check with a bad build-arg", "check", &good, &layers),
        ("targets", "targets", &good, &[]),
        ("outline", "outline", &good, &mirrors),
        ("outline of a bad lock", "outline", bad, &[]),
        (
            "outline of a file with build-args",
            "outline",
            with_build_args,
            &team,
        ),
        (
            "outline of another target",
            "outline",
            &good,
            &["--target", "channel"],
        ),
        (
            "outline of an unknown target",
            "outline",
            &good,
            &["--target", "chanel"],
        ),
        ("an unknown request", "subrequests.nonsense", &good, &[]),
    ] {
        let line = "=".repeat(title.len());
        text.push_str(&format!(
            "{title}\n{line}\n{}\n",
            call(&project, kind, lock, args)
        ));
    }
    insta::assert_snapshot!(text);
}

/// The answer has no place for what is neither a warning nor an error, so the progress has it.
#[test]
fn a_check_says_what_it_leaves_to_a_build() {
    const UNKNOWN: &str = "[check] only a build finds out whether the channels and the package indexes have these packages";
    let project = Project::new(Store::Containerd);
    let env = "channels: [conda-forge]\ndependencies: [numpi, pip, pip: [numpi]]\n";
    project.write("env.yml", format!("# syntax={}\n{env}", frontend()));
    let check = ["build", "--progress", "plain", "--call=check", "."];
    let warnings_are_errors = ["--build-arg", "BUILDKIT_DOCKERFILE_CHECK=error=true"];
    let checked = |file: &str| {
        let args = [&check[..], &["-f", file], &warnings_are_errors].concat();
        let output = project.docker(&args).expect_success();
        assert_eq!(output.stdout, "Check complete, no warnings found.\n");
        output.stderr
    };
    let progress = checked("env.yml");
    assert!(progress.contains(UNKNOWN), "{progress}");
    project.lock(&["bumpme"]);
    let progress = checked(LOCK);
    assert!(!progress.contains("[check]"), "{progress}");
}
