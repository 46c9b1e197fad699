//! An env.yml that names its lock is built from that lock, and `--target lock` writes that very file.

use std::fs;

use condafront_testkit::channel::Channel;
use condafront_testkit::engine::Store;

use crate::failure::Failures;
use crate::pip::{fill_index, serve_pip};
use crate::project::{Project, frontend};
use crate::solve;

/// An env.yml with these dependencies that names this lock.
fn env(project: &Project, dependencies: &[&str], lock: &str) -> String {
    let text = solve::env(project, dependencies);
    format!("{text}condafront:\n  lock: {lock}\n")
}

/// Writes the lock, and returns it.
fn renew(project: &Project, args: &[&str]) -> String {
    let lock = ["--target", "lock", "-o", "."];
    project.build(&[&lock, args].concat()).expect_success();
    fs::read_to_string(project.path("locks/conda-linux-64.lock")).expect("the lock")
}

/// The packages of a lock, with their versions, sorted.
fn packages(lock: &str) -> Vec<&str> {
    let urls = lock.lines().filter(|line| line.starts_with("http"));
    let names = urls.filter_map(|url| {
        let file = url.split('#').next()?.rsplit('/').next()?;
        Some(file.rsplit_once('-')?.0)
    });
    let mut names: Vec<&str> = names.collect();
    names.sort_unstable();
    names
}

#[test]
fn a_lock_is_installed_and_only_what_must_change_changes_in_it() {
    const NAME: &str = "locks/conda-{platform}.lock";
    let project = Project::with_own_channel(Store::Containerd);
    solve::write(&project, &env(&project, &["bumpme=1.0"], NAME));
    let lock = renew(&project, &[]);
    assert_eq!(packages(&lock), ["bumpme-1.0"]);

    // There are newer ones.
    let wider = env(&project, &["bumpme"], NAME);
    solve::write(&project, &wider);
    project.server.clear();
    let first = project.push("first", &[]);
    let requested = project.packages_requested();
    assert!(
        !requested.iter().any(|path| path.contains("repodata")),
        "{requested:?}"
    );
    project.write("alone.lock", &lock);
    let syntax = format!("BUILDKIT_SYNTAX={}", frontend());
    let alone = project.push_file("alone.lock", "alone", &["--build-arg", &syntax]);
    assert_eq!(alone.layers, first.layers);
    assert_eq!(packages(&renew(&project, &[])), ["bumpme-1.0"]);

    solve::write(&project, &env(&project, &["bumpme", "metapackage"], NAME));
    let more = renew(&project, &[]);
    assert_eq!(
        packages(&more),
        ["bumpme-1.0", "file-kinds-1.0", "metapackage-1.0"]
    );
    let added = project.push("added", &[]);
    assert_eq!(added.layers_not_in(&first).len(), 2, "{}", added.progress);

    let upgraded = renew(&project, &["--build-arg", "UPGRADE=bumpme"]);
    assert_eq!(
        packages(&upgraded),
        ["bumpme-2.0", "file-kinds-1.0", "metapackage-1.0"]
    );
    project.write("locks/conda-linux-64.lock", &more);
    assert_eq!(renew(&project, &["--build-arg", "UPGRADE=*"]), upgraded);

    let show = "cat /opt/conda/share/bumpme/version.txt; echo $DEMO $LAB";
    let shown = |project: &Project| {
        project.build(&[]).expect_success();
        project
            .run(&[], &["sh", "-c", show])
            .expect_success()
            .stdout
    };
    // Without a lock beside it, a pixi.toml is solved.
    solve::write(&project, &pixi_toml(&project, "*"));
    assert_eq!(shown(&project), "2.0\n1 2\n");
    // With one, it has that one's packages.
    let packages = Channel::open().closure(&["bumpme=1.0"]);
    let url = project.package_url(packages[0]);
    project.write("pixi.lock", pixi_lock(&url, &packages[0].sha256));
    solve::write(&project, &pixi_toml(&project, "*"));
    assert_eq!(shown(&project), "1.0\n1 2\n");
}

#[test]
fn locks_of_other_tools_are_written_with_all_platforms() {
    let project = Project::with_own_channel(Store::Containerd);
    let renew = |lock: &str, dependencies: &[&str], args: &[&str]| {
        solve::write(&project, &env(&project, dependencies, lock));
        let target = ["--target", "lock", "-o", "."];
        project.build(&[&target, args].concat()).expect_success();
        fs::read_to_string(project.path(lock)).expect("the lock")
    };
    for lock in ["locks/conda-lock.yml", "pixi.lock"] {
        let both = ["--platform", "linux/amd64,linux/arm64"];
        let first = renew(lock, &["bumpme=1.0"], &both);
        for part in ["bumpme-1.0-", "linux-64", "linux-aarch64"] {
            assert!(first.contains(part), "{first}");
        }
        // There is a newer one. The other platform is not asked for.
        let more = renew(lock, &["bumpme", "metapackage"], &[]);
        assert!(more.contains("/metapackage-1.0-"), "{more}");
        assert!(
            more.contains("linux-aarch64") && !more.contains("bumpme-2.0"),
            "{more}"
        );
        project.server.clear();
        project.build(&[]).expect_success();
        let requested = project.packages_requested();
        assert!(
            !requested.iter().any(|path| path.contains("repodata")),
            "{requested:?}"
        );
        let upgraded = renew(
            lock,
            &["bumpme", "metapackage"],
            &["--build-arg", "UPGRADE=bumpme"],
        );
        assert!(upgraded.contains("/bumpme-2.0-"), "{upgraded}");
        fs::remove_file(project.path(lock)).expect("the lock");
    }
}

#[test]
fn the_lock_of_a_manifest_is_written_with_all_environments() {
    let project = Project::with_own_channel(Store::Containerd);
    let manifest = |name: &str, version: &str| {
        let gpu = match name {
            "pixi.toml" => ", { platform = \"linux-64\", cuda = \"12.9\" }",
            _ => "",
        };
        format!(
            "[workspace]\nchannels = [\"{}\"]\nplatforms = [\"linux-64\", \"linux-aarch64\"{gpu}]\n\n[dependencies]\nbumpme = \"{version}\"\n\n[feature.more]\nplatforms = [\"linux-64\"]\ndependencies = {{ metapackage = \"*\" }}\n\n[environments]\nmore = [\"more\"]\n",
            project.channel()
        )
    };
    let own = |name: &str, version: &str| {
        project.write(
            name,
            format!("# syntax={}\n{}", frontend(), manifest(name, version)),
        );
    };
    let renew = |name: &str, args: &[&str]| {
        let target = ["--target", "lock", "-o", "."];
        project
            .build_file(name, &[&target, args].concat())
            .expect_success();
        let lock = if name == "conda.toml" {
            "conda.lock"
        } else {
            "pixi.lock"
        };
        fs::read_to_string(project.path(lock)).expect("the lock")
    };
    for name in ["pixi.toml", "conda.toml"] {
        own(name, "1.0");
        let first = renew(name, &[]);
        // Each environment has its platforms.
        let environments = first.split("\npackages:").next().unwrap();
        let (default, more) = environments
            .split_once("  more:")
            .expect("two environments");
        let has_arm = [default, more].map(|part| part.contains("linux-aarch64:"));
        assert_eq!(has_arm, [true, false], "{first}");
        let has_gpu = [default, more].map(|part| part.contains("linux-64-cuda-12-9:"));
        assert_eq!(has_gpu, [name == "pixi.toml", false], "{first}");
        assert!(
            !default.contains("metapackage-") && more.contains("/metapackage-1.0-"),
            "{first}"
        );
        // What is locked stays, and a build needs no lists.
        own(name, "*");
        assert_eq!(renew(name, &[]), first);
        project.server.clear();
        let build = ["--build-arg", "ENVIRONMENT=more"];
        project.build_file(name, &build).expect_success();
        let requested = project.packages_requested();
        assert!(
            !requested.iter().any(|path| path.contains("repodata")),
            "{requested:?}"
        );
        if name == "pixi.toml" {
            let gpu = ["--build-arg", "ENVIRONMENT=default@linux-64-cuda-12-9"];
            project.build_file(name, &gpu).expect_success();
            // Without the name of a platform, all that are one to conda are solved.
            let default = ["--build-arg", "ENVIRONMENT=default"];
            let upgrade = ["--build-arg", "UPGRADE=bumpme"];
            let upgraded = renew(name, &[default, upgrade].concat());
            let environments = upgraded.split("\npackages:").next().unwrap();
            let (default, more) = environments.split_once("  more:").unwrap();
            let has_old = [default, more].map(|part| part.contains("bumpme-1.0-"));
            assert_eq!(has_old, [false, true], "{upgraded}");
            project.write("pixi.lock", &first);
        }
        // Only the environment that is asked for, which is for one platform.
        let one = [
            "--build-arg",
            "ENVIRONMENT=more",
            "--build-arg",
            "UPGRADE=bumpme",
        ];
        let upgraded = renew(name, &one);
        let environments = upgraded.split("\npackages:").next().unwrap();
        let (default, more) = environments
            .split_once("  more:")
            .expect("two environments");
        assert!(
            default.contains("bumpme-1.0-") && !default.contains("bumpme-2.0-"),
            "{upgraded}"
        );
        assert!(
            default.contains("linux-aarch64:") && more.contains("bumpme-2.0-"),
            "{upgraded}"
        );
    }
}

#[test]
fn the_lock_of_a_manifest_has_its_pypi_packages() {
    let project = Project::new(Store::Containerd);
    let args = [fill_index(&project), serve_pip(&project)];
    let [index, mirror] = args.each_ref().map(String::as_str);
    let args = ["--network", "host", "--build-arg", mirror];
    let simple = project.server.url("simple/");
    assert!(index.ends_with(&simple), "{index}");
    let own = |conda: &str, version: &str| {
        project.write(
            "pixi.toml",
            format!(
                "# syntax={}\n[workspace]\nchannels = [\"{}\"]\nplatforms = [\"linux-64\"]\n\n[pypi-options]\nindex-url = \"{simple}\"\n\n[dependencies]\npython = \"*\"\n{conda}\n[pypi-dependencies]\n\"Hello.World\" = \"{version}\"\n",
                frontend(),
                project.channel()
            ),
        );
    };
    let renew = |more: &[&str]| {
        let target = ["--target", "lock", "-o", "."];
        project
            .build_file("pixi.toml", &[&target, &args[..], more].concat())
            .expect_success();
        fs::read_to_string(project.path("pixi.lock")).expect("the lock")
    };
    let hello = || project.run(&[], &["hello"]).expect_success().stdout;
    own("", "==1.5");
    let first = renew(&[]);
    for part in [
        "- pypi: ",
        "hello_world-1.5-",
        "name: markupsafe",
        "requires_dist:",
        &format!("- {simple}"),
    ] {
        assert!(first.contains(part), "{part}: {first}");
    }
    // As in pixi, pip is only there if something asks for it.
    assert!(!first.contains("/pip-"), "{first}");
    // The build asks no index, and a wider range changes nothing.
    own("bumpme = \"*\"\n", ">=1");
    let more = renew(&[]);
    assert!(more.contains("/bumpme-"), "{more}");
    let pypi = |lock: &str| {
        let lines = lock.lines().filter(|line| line.contains("- pypi: "));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(pypi(&more), pypi(&first));
    project.server.clear();
    project.build_file("pixi.toml", &[]).expect_success();
    let requests = project.server.requests();
    let asked = requests.iter().find(|one| one.path.contains("/simple/"));
    assert!(asked.is_none(), "{asked:?}");
    assert_eq!(hello(), "hello 1.5\n");
    // What may change, and what has to.
    let upgraded = renew(&["--build-arg", "UPGRADE=hello-world"]);
    assert!(upgraded.contains("hello_world-2.0-"), "{upgraded}");
    own("bumpme = \"*\"\n", "<2");
    let lower = renew(&[]);
    assert!(lower.contains("hello_world-1.5-"), "{lower}");
    // A lock that cannot be read is not thrown away.
    let damaged = lower.replacen("sha256: ", "sha256: x", 1);
    project.write("pixi.lock", &damaged);
    let lock = ["--target", "lock", "-o", "."];
    let output = project.build_file("pixi.toml", &[&lock, &args[..]].concat());
    let output = output.expect_failure();
    assert!(output.stderr.contains("pixi.lock:"), "{}", output.stderr);
    let kept = fs::read_to_string(project.path("pixi.lock")).expect("the lock");
    assert_eq!(kept, damaged);
}

/// A manifest that asks for this version.
fn pixi_toml(project: &Project, version: &str) -> String {
    format!(
        "[workspace]\nchannels = [\"{}\"]\nplatforms = [\"linux-64\"]\n\n[activation.env]\nDEMO = \"1\"\n\n[dependencies]\nbumpme = \"{version}\"\n\n[tool.condafront]\nenv = {{ LAB = \"2\" }}\n",
        project.channel()
    )
}

/// The lock of a manifest with one package.
fn pixi_lock(url: &str, sha256: &str) -> String {
    format!(
        "version: 6\nenvironments:\n  default:\n    channels: []\n    packages:\n      linux-64:\n      - conda: {url}\npackages:\n- conda: {url}\n  sha256: '{sha256}'\n"
    )
}

#[test]
fn locks_that_do_not_fit_the_file_are_reported_at_its_lines() {
    let project = Project::new(Store::Containerd);
    let url = |package: &str| format!("{}/noarch/{package}", project.channel());
    let sha256 = "0".repeat(64);
    let explicit = format!("@EXPLICIT\n{}#{sha256}\n", url("bumpme-1.0-0.conda"));
    project.write("conda-linux-64.lock", &explicit);
    let elsewhere = explicit.replace("/noarch/", "/more/noarch/");
    project.write("elsewhere.lock", elsewhere);
    let arm = explicit.replace("/noarch/", "/linux-aarch64/");
    project.write("arm.lock", arm);
    let pip = url("pip-25.0-0.conda");
    let pypi = "# pip demo @ https://files.example/demo-1.2.tar.gz";
    project.write("pypi.lock", format!("{explicit}{pip}#{sha256}\n{pypi}\n"));
    project.write("other.yml", "dependencies: [bumpme]\n");
    project.write(
        "conda-lock.yml",
        format!(
            "version: 1\nmetadata: {{platforms: [linux-64]}}\npackage:\n- {{name: bumpme, version: '1.0', manager: conda, platform: linux-64, url: '{}', hash: {{sha256: '{sha256}'}}}}\n",
            url("bumpme-1.0-0.conda")
        ),
    );
    project.write("pixi.lock", pixi_lock(&url("bumpme-1.0-0.conda"), &sha256));
    let mut failures = Failures::new(&project);
    let names = |dependency: &str, lock: &str| env(&project, &[dependency], lock);
    let lock = ["--target", "lock"];
    let both = ["--target", "lock", "--platform", "linux/amd64,linux/arm64"];
    failures
        .add(
            "a version that the lock does not have",
            names("bumpme >=2", "conda-{platform}.lock"),
            &[],
        )
        .add(
            "a package that the lock does not have",
            names("metapackage", "conda-lock.yml"),
            &[],
        )
        .add("another channel", names("bumpme", "elsewhere.lock"), &[])
        .add(
            "another PyPI package",
            names("bumpme\n  - pip:\n    - demo >=2", "pypi.lock"),
            &[],
        )
        .add("another platform", names("bumpme", "arm.lock"), &[])
        .add("a missing lock", names("bumpme", "mising.lock"), &[])
        .add("a lock outside", names("bumpme", "../conda.lock"), &[])
        .add("something else", names("bumpme", "other.yml"), &[])
        .add(
            "a lock that only another tool writes",
            names("bumpme", "conda.lock"),
            &lock,
        )
        .add(
            "something else to write",
            names("bumpme", "other.yml"),
            &lock,
        )
        .add(
            "a pixi.toml that its lock does not fit",
            pixi_toml(&project, ">=2"),
            &[],
        )
        .add(
            "a pixi.toml's lock with a package that has an index of its own",
            pixi_toml(&project, "*").replace(
                "[tool.",
                "[pypi-dependencies]\nflask = { version = \"*\", index = \"https://pypi.example\" }\n\n[tool.",
            ),
            &lock,
        )
        .add(
            "one file for two platforms",
            names("bumpme", "new.lock"),
            &both,
        );
    insta::assert_snapshot!(failures.text());
}
