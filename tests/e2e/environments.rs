//! Image files: several environments in one image.

use std::collections::{BTreeMap, BTreeSet};

use condafront_testkit::channel::{Channel, HashStyle};
use condafront_testkit::engine::{Output, Store};
use condafront_testkit::server::{Fault, Times};
use serde_json::Value;

use crate::failure::{Failures, masked};
use crate::image::history;
use crate::project::{Project, base, frontend, on_both_stores};
use crate::pushed::Pushed;

const FILE: &str = "image.yml";

/// Writes an image file with three environments: `python` and a small package, `python` and another package, and one
/// that is built only on request.
pub(crate) fn write(project: &Project, bumpme: &str, more: &str) {
    write_with(project, "python", bumpme, more);
}

/// The same with a small package instead of `python`, where it does not matter which package two of them share.
fn write_small(project: &Project, bumpme: &str, more: &str) {
    write_with(project, "prefix-demo", bumpme, more);
}

fn write_with(project: &Project, shared: &str, bumpme: &str, more: &str) {
    let channel = project.channel();
    let text = |name: &str, dependencies: &str| {
        format!("name: {name}\nchannels: [{channel}]\ndependencies: [{dependencies}]\n")
    };
    // The `name:` in the files does not matter.
    project.write(
        "env.yml",
        text("whatever", &format!("{shared}, activate-demo")) + "variables: {WHICH: base}\n",
    );
    project.write(
        "ai.yml",
        text("ai", "file-kinds") + "condafront: {user: root}\n",
    );
    let closure = Channel::open().closure(&[shared, bumpme]);
    project.write("tools.lock", project.lock_text(&closure, HashStyle::Sha256));
    project.write(
        FILE,
        format!(
            "# syntax={}\nenvironments:\n  base: env.yml\n  tools: {{file: tools.lock}}\n  ai: {{file: ai.yml, when: BUILD_AI}}\nbase: {}\ninstaller: native\nuser: {{name: ada, uid: 1000}}\ncmd: [python, -c, \"import sys; print(sys.prefix)\"]\n{more}",
            frontend(),
            base(),
        ),
    );
}

/// `docker build` of the image file.
pub(crate) fn build(project: &Project, args: &[&str]) -> Output {
    project.build_image(&[&["-f", FILE], args, &["."]].concat())
}

fn environments_are_chosen_at_run_time(store: Store) {
    let project = Project::new(store);
    write(&project, "bumpme=1.0", "");
    build(&project, &[]).expect_success();

    // The command and the shells see the chosen environment and nothing of the other.
    let show = "which -a python; echo $CONDA_DEFAULT_ENV $CONDA_PREFIX ${WHICH-unset}; cat $CONDA_PREFIX/share/bumpme/version.txt || echo none";
    let sh = |options: &[&str]| {
        let output = project.run(options, &["bash", "-c", show]);
        output.stdout
    };
    let in_base = "/opt/conda/bin/python\nbase /opt/conda base\n";
    let said = sh(&[]);
    assert!(said.starts_with(in_base), "{said}");
    assert!(said.ends_with("\nnone\n"), "{said}");
    let in_tools = "/opt/conda/envs/tools/bin/python\ntools /opt/conda/envs/tools unset\n";
    for user in ["1000", "4321:4321"] {
        let said = sh(&["-e", "ENV_NAME=tools", "--user", user]);
        assert!(said.starts_with(in_tools), "{said}");
        assert!(said.ends_with("\n1.0\n"), "{said}");
    }
    let prefix = |options: &[&str]| project.run(options, &[]).expect_success().stdout;
    assert_eq!(prefix(&[]), "/opt/conda\n");
    let tools = ["-e", "ENV_NAME=tools"];
    assert_eq!(prefix(&tools), "/opt/conda/envs/tools\n");
    let output = project.run(&["-e", "ENV_NAME=ai"], &[]).expect_failure();
    assert!(
        output.stderr.contains("ENV_NAME=ai: no such environment"),
        "{}",
        output.stderr
    );

    // Files that both have are stored once, unless they contain the prefix, and both environments work.
    let inodes = "cd /opt/conda; for f in lib/python3.*/os.py bin/python3.*[0-9] conda-meta/python-*.json; do stat -c '%h %U' $f envs/tools/$f; cmp -s $f envs/tools/$f && [ $f -ef envs/tools/$f ] && echo one; done; true";
    let both_work = "for prefix in /opt/conda /opt/conda/envs/tools; do $prefix/bin/python -c 'import ssl, sys; print(sys.prefix)'; done";
    // A change in one environment does not affect the other.
    let change = "cd /opt/conda; echo x >> lib/python3.*/this.py; cmp -s lib/python3.*/this.py envs/tools/lib/python3.*/this.py || echo differ";
    let script = format!("{inodes}; echo --; {both_work}; {change}");
    let output = project.run(&[], &["bash", "-c", &script]).expect_success();
    let one_file = "2 ada\n2 ada\none\n";
    assert!(output.stdout.starts_with(one_file), "{}", output.stdout);
    let rest = output.stdout.split_once("--\n").expect("both").1;
    assert_eq!(rest, "/opt/conda\n/opt/conda/envs/tools\ndiffer\n");
    let history = history(&project, project.tag()).join("\n");
    assert!(history.contains("shared by base, tools"), "{history}");

    // A build-arg chooses the default.
    build(&project, &["--build-arg", "ENVIRONMENT=tools"]).expect_success();
    let show = "python -c 'import sys; print(sys.prefix)'; id -un";
    let output = project.run(&[], &["sh", "-c", show]).expect_success();
    assert_eq!(output.stdout, "/opt/conda/envs/tools\nada\n");
}

#[test]
fn variables_of_a_manifest_say_where_its_environments_are() {
    let project = Project::new(Store::Containerd);
    let manifest = format!(
        "[workspace]\nchannels = [\"{}\"]\nplatforms = [\"linux-64\"]\n[dependencies]\nbumpme = \"1.0\"\n[activation.env]\nLIBS = \"$CONDA_PREFIX/lib${{LIBS:+:$LIBS}}\"\nHERE = \"$LIBS:$HOME\"\nPATH = \"$CONDA_PREFIX/tools:$PATH\"\n",
        project.channel()
    );
    project.write("pixi.toml", manifest);
    let base = base();
    let file = format!(
        "# syntax={}\nenvironments: {{one: pixi.toml, two: pixi.toml}}\nbase: {base}\ninstaller: native\nuser: {{name: ada}}\n",
        frontend()
    );
    project.write(FILE, file);
    let output = build(&project, &[]).expect_success();
    assert!(
        !output.stderr.contains("UnexpandedVariable"),
        "{}",
        output.stderr
    );
    for name in ["one", "two"] {
        let prefix = format!("/opt/conda/envs/{name}");
        let chosen = format!("ENV_NAME={name}");
        let show = ["printenv", "LIBS", "HERE", "PATH"];
        let output = project.run(&["-e", &chosen], &show).expect_success();
        let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        assert_eq!(
            output.stdout,
            format!("{prefix}/lib\n{prefix}/lib:/home/ada\n{prefix}/tools:{prefix}/bin:{path}\n"),
        );
    }
}

#[test]
fn an_optional_environment_is_built_on_request() {
    let project = Project::new(Store::Containerd);
    write_small(&project, "bumpme=1.0", "default: tools\n");
    for (value, is_there) in [("True", true), ("off", false), ("1", true), ("", false)] {
        let arg = format!("BUILD_AI={value}");
        build(&project, &["--build-arg", &arg]).expect_success();
        let list = "ls /opt/conda/envs; file-kinds";
        let output = project.run(&["-e", "ENV_NAME=ai"], &["sh", "-c", list]);
        if is_there {
            assert_eq!(output.expect_success().stdout, "ai\ntools\nfile-kinds\n");
        } else {
            drop(output.expect_failure());
        }
    }
}

/// On an engine that nothing else uses: a change to one environment's package leaves all other layers as they are.
pub(crate) fn one_package_of_several_environments_changes(project: &Project) {
    write_small(project, "bumpme=1.0", "");
    let args = ["--build-arg", "CONDAFRONT_INSTALLER=native"];
    let before = project.push_file(FILE, "before", &args);
    write_small(project, "bumpme=1.1", "");
    let after = project.push_file(FILE, "after", &args);
    let new = after.layers_not_in(&before);
    // The package's layer and the one with the records.
    assert!(new.len() <= 2, "{new:?}");
    let run = after.steps_run();
    let links = run
        .iter()
        .filter(|name| name.starts_with("[install ") && name.contains('/'));
    assert_eq!(links.count(), 1, "{run:?}");
    let again = project.push_file(FILE, "again", &args);
    assert_eq!(again.manifest, after.manifest);
}

#[test]
fn mistakes_point_at_their_file() {
    let project = Project::new(Store::Containerd);
    let mut failures = Failures::new(&project);
    let mut add = |title: &str, args: &[&str], change: &dyn Fn()| {
        write_small(&project, "bumpme=1.0", "");
        change();
        failures.add_output(title, build(&project, args));
    };
    let channel = project.channel();
    add("a missing file", &[], &|| {
        std::fs::remove_file(project.path("tools.lock")).expect("the lock");
    });
    add("a mistake in an environment's file", &[], &|| {
        project.write(
            "env.yml",
            "channels: [c]\ndependencies:\n  - python=\n  - numpy==\n",
        );
    });
    add("an environment that cannot be solved", &[], &|| {
        let text =
            format!("channels: [{channel}]\ndependencies:\n  - python\n  - nonsense-package\n");
        project.write("env.yml", text);
    });
    add("a package that does not match the lock", &[], &|| {
        let text = std::fs::read_to_string(project.path("tools.lock")).expect("the lock");
        let package = Channel::open().find("bumpme=1.0");
        project.write("tools.lock", text.replace(&package.sha256, &"0".repeat(64)));
    });
    add("an empty file", &[], &|| {
        project.write("env.yml", "# nothing\n");
    });
    add("an image file for an environment", &[], &|| {
        project.write("env.yml", "environments: {base: env.yml}\n");
    });
    add(
        "neither yes nor no",
        &["--build-arg", "BUILD_AI=maybe"],
        &|| {},
    );
    add(
        "an unknown default",
        &["--build-arg", "ENVIRONMENT=r"],
        &|| {},
    );
    add("a file outside the context", &[], &|| {
        let text = std::fs::read_to_string(project.path(FILE)).expect("the image file");
        project.write(FILE, text.replace("base: env.yml", "base: ../env.yml"));
    });
    insta::assert_snapshot!(failures.text());
}

#[test]
fn all_environments_are_locked_and_checked() {
    let project = Project::new(Store::Containerd);
    write_small(&project, "bumpme=1.0", "");
    let args = [
        "--target",
        "lock",
        "--output",
        "locks",
        "--build-arg",
        "BUILD_AI=1",
    ];
    build(&project, &args).expect_success();
    let read = |name: &str| {
        let path = project.path(&format!("locks/conda-{name}-linux-64.lock"));
        std::fs::read_to_string(path).expect("a lock")
    };
    assert!(read("base").contains("/activate-demo-"), "{}", read("base"));
    assert!(read("tools").contains("/bumpme-1.0-"), "{}", read("tools"));
    assert!(read("ai").contains("/file-kinds-"), "{}", read("ai"));

    let call = [
        "build",
        "--progress",
        "quiet",
        "--call=check",
        "-f",
        FILE,
        "--build-arg",
        "BUILD_AI=1",
        ".",
    ];
    let output = project.docker(&call).expect_failure();
    let text = format!("{}{}", output.stdout, output.stderr);
    insta::assert_snapshot!(masked(&project, text.trim()));
}

on_both_stores!(environments_are_chosen_at_run_time);

/// The numbers of the steps that a progress shows, by name.
fn steps(progress: &str) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut steps: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for line in progress.lines() {
        if let Some((number, name)) = line.split_once(' ')
            && number.starts_with('#')
            && name.starts_with('[')
        {
            steps.entry(name).or_default().insert(number);
        }
    }
    steps
}

#[test]
fn the_progress_of_a_good_build_reads_well() {
    // With other builds on the same engine, BuildKit may load the frontend's own files twice, and so do what needs them.
    let project = Project::fresh(Store::Containerd);
    // The smaller list is asked for first.
    let absent = Fault::Status(404);
    project.server.fault("*.zst", absent, Times::Always);
    let channel = project.channel();
    let text = |more: &str| format!("channels: [{channel}]\ndependencies: [{more}]\n");
    project.write("a.yml", text("bumpme"));
    project.write("gpu.yml", text("post-link-demo, activate-demo"));
    project.write(
        FILE,
        format!(
            "# syntax={}\nenvironments: {{base: a.yml, gpu: gpu.yml}}\nbase: {}\ninstaller: native\n",
            frontend(),
            base(),
        ),
    );
    let progress = build(&project, &[]).expect_success().stderr;
    for failed in ["ERROR", "CANCELED", "------"] {
        assert!(!progress.contains(failed), "{progress}");
    }
    let steps = steps(&progress);
    for (name, numbers) in &steps {
        assert_eq!(numbers.len(), 1, "{name}\n{progress}");
    }
    for name in [
        "[solve base] 1 dependency for linux-64",
        "[solve gpu] 2 dependencies for linux-64",
        "[conda base] download 1 package",
        "[install base 1/1] bumpme",
        "[activate gpu] run the packages' activation scripts",
        "[activate] entrypoint and shell hooks",
    ] {
        assert!(steps.contains_key(name), "{name}\n{progress}");
    }
}

/// How many bytes the layers of an image have in the registry.
fn bytes(image: &Pushed) -> u64 {
    let manifest: Value = serde_json::from_str(&image.manifest).expect("a manifest is JSON");
    let layers = manifest["layers"].as_array().expect("layers");
    layers.iter().filter_map(|it| it["size"].as_u64()).sum()
}

#[test]
fn variants_share_the_layers_of_what_both_have() {
    let project = Project::new(Store::Containerd);
    write_small(&project, "bumpme=1.0", "");
    let channel = project.channel();
    // It has everything of the others.
    project.write(
        "ai.yml",
        format!("channels: [{channel}]\ndependencies: [prefix-demo, activate-demo, file-kinds]\n"),
    );
    let push = |tag: &str, ai: &str| {
        let args = ["--build-arg", ai];
        project.push_file(FILE, tag, &args)
    };
    let without = push("without", "BUILD_AI=no");
    let with = push("with", "BUILD_AI=yes");
    let new: Vec<&str> = without.layers_not_in(&with);
    // The one with the records.
    assert_eq!(new.len(), 1, "{new:?}");
    // What it costs: the packages that an environment without `when` would share.
    let text = std::fs::read_to_string(project.path(FILE)).expect("the image file");
    project.write(
        FILE,
        text.replace("ai: {file: ai.yml, when: BUILD_AI}", "ai: ai.yml"),
    );
    let shared = push("shared", "BUILD_AI=yes");
    let [without, with, shared] = [&without, &with, &shared].map(bytes);
    let told = format!("without {without}, with {with}, the same without `when` {shared} bytes");
    assert!(without < shared && shared < with, "{told}");
}
