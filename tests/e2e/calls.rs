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
