//! What an organisation's source policy allows and denies (docs/policy.md).

use condafront_testkit::channel::{Channel, HashStyle};
use condafront_testkit::engine::{self, Output, Store};

use crate::failure::error_of;
use crate::project::{LOCK, NATIVE, Project, base, frontend};

const DOCUMENT: &str = include_str!("../../docs/policy.md");

/// `docker build` of a file under the policy in `policy.json`.
fn build(project: &Project, file: &str, args: &[&str]) -> Output {
    let usual = ["build", "--progress", "plain", "--file", file];
    let args = [&usual[..], &NATIVE, args, &["."]].concat();
    let mut command = project.engine.docker(args);
    command.current_dir(project.path("."));
    let policy = project.path("policy.json");
    command.env("EXPERIMENTAL_BUILDKIT_SOURCE_POLICY", policy);
    engine::run(&mut command)
}

/// The document's policies, for the project's channel, the tests' registry and its images.
fn policies(project: &Project) -> Vec<String> {
    let blocks = DOCUMENT.split("```json\n").skip(1);
    let texts = blocks.map(|block| block.split("```").next().unwrap_or_default());
    let registry = engine::registry();
    let here = |text: &str| {
        text.replace("https://conda.anaconda.org/conda-forge", project.channel())
            .replace(
                "https://mirror.example/anaconda",
                &project.server.url("/anaconda"),
            )
            .replace("docker.io/org/", &format!("{registry}/"))
            .replace("docker.io/library/", &format!("{registry}/"))
    };
    texts.map(here).collect()
}

#[test]
fn only_what_a_policy_allows_is_used() {
    let project = Project::with_own_channel(Store::Containerd);
    let policies = policies(&project);
    let [rules, mirror] = policies.as_slice() else {
        panic!("{policies:?}");
    };
    project.write("policy.json", rules);
    let packages = Channel::open().closure(&["text-prefix"]);
    let on = |base: &str| ["--build-arg".to_owned(), format!("BASE_IMAGE={base}")];
    let usual = on(&base());
    let usual = usual.each_ref().map(String::as_str);
    let denied = |args: &[&str]| error_of(&build(&project, LOCK, args).expect_failure());

    let channel = project.channel();
    let syntax = format!("# syntax={}\n", frontend());
    let env = format!("{syntax}channels: [{channel}]\ndependencies: [text-prefix]\n");
    project.write("env.yml", env);
    build(&project, "env.yml", &usual).expect_success();

    project.write(LOCK, project.lock_text(&packages, HashStyle::Sha256));
    build(&project, LOCK, &usual).expect_success();
    let error = denied(&on("debian:12-slim").each_ref().map(String::as_str));
    let reason =
        "the build's source policy does not allow the image `docker.io/library/debian:12-slim`";
    assert!(error.contains(reason), "{error}");

    let url = project.package_url(packages[0]);
    let expect = |error: &str, url: &str| {
        let reason = format!("the build's source policy does not allow {url}\n");
        assert!(error.contains(&reason), "{error}");
        assert!(error.starts_with("env.lock:4"), "{error}");
        assert!(!error.contains("retries"), "{error}");
    };
    project.write(LOCK, project.lock_text(&packages, HashStyle::Md5));
    expect(&denied(&usual), &url);

    let elsewhere = format!("{channel}-2");
    let lock = project.lock_text(&packages, HashStyle::Sha256);
    project.write(LOCK, lock.replace(channel, &elsewhere));
    expect(&denied(&usual), &url.replace(channel, &elsewhere));

    // Downloads go to the mirror, whatever the lock says.
    project.write("policy.json", mirror);
    let path = packages[0].path();
    let lock = lock.replace(channel, "https://conda.anaconda.org");
    project.write(LOCK, lock);
    let archive = std::fs::read(Channel::open().archive(packages[0])).expect("the package");
    project.server.put(&format!("/anaconda/{path}"), archive);
    project.packages_requested();
    build(&project, LOCK, &[&usual[..], &["--no-cache"]].concat()).expect_success();
    assert_eq!(project.packages_requested(), [format!("/anaconda/{path}")]);
}
