//! The project that a pixi.lock is for, and other packages next to the lock.

use condafront_testkit::channel::{Channel, WheelFile};
use condafront_testkit::engine::Store;
use sha2::{Digest, Sha256};

use crate::git::{GitServer, commit_all};
use crate::pip::{CHECK, fill_index, serve_pip};
use crate::pip_lists::{sources, write};
use crate::project::{LOCK, Project, frontend};

/// A pixi.lock with python, PyPI packages at these paths, each with its name and hash, and a package that pixi builds.
fn pixi_lock(project: &Project, local: &[(&str, &str, &str)]) -> String {
    let packages = Channel::open().closure(&["python"]);
    let mut selectors = String::new();
    let mut described = String::new();
    for package in packages {
        let url = project.package_url(package);
        selectors.push_str(&format!("      - conda: {url}\n"));
        described.push_str(&format!(
            "- conda: {url}\n  sha256: {}\n  depends: {}\n",
            package.sha256,
            serde_json::Value::from(package.depends.clone())
        ));
    }
    for (path, name, hash) in local {
        selectors.push_str(&format!("      - pypi: {path}\n"));
        described.push_str(&format!(
            "- pypi: {path}\n  name: {name}\n  version: '1.0'\n  sha256: {hash}\n  requires_dist:\n  - jinja2 ; extra == 'extra'\n  editable: true\n"
        ));
    }
    format!(
        "# syntax={}\nversion: 6\nenvironments:\n  default:\n    channels: []\n    packages:\n      linux-64:\n{selectors}      - conda: .\npackages:\n{described}- conda: .\n  name: flat-conda\n  version: '1.0'\n  build: h0\n  subdir: linux-64\n",
        frontend()
    )
}

#[test]
fn a_lock_has_its_own_project() {
    let project = Project::new(Store::Containerd);
    sources(&project, ".", "flat");
    sources(&project, "libs/tool", "tool");
    let wheel = WheelFile::new("carried", "1.0").file("carried.py", "print('carried along')\n");
    let wheel_path = format!("./wheels/{}", wheel.file_name());
    let wheel = wheel.build();
    let hash = hex::encode(Sha256::digest(&wheel));
    std::fs::create_dir_all(project.path("wheels")).expect("a folder");
    std::fs::write(project.path(&wheel_path), wheel).expect("a wheel");
    write(&project, ".dockerignore", "*.lock\n");
    let zeros = "0".repeat(64);
    let local = [
        ("./", "flat", zeros.as_str()),
        ("./libs/tool", "tool", &zeros),
        (&wheel_path, "carried", &hash),
    ];
    project.write(LOCK, pixi_lock(&project, &local));
    let args = [fill_index(&project), serve_pip(&project)];
    let [index, mirror] = &args;
    let skip = "CONDAFRONT_SKIP=flat-conda";
    let args = [
        "--network",
        "host",
        "--build-arg",
        index,
        "--build-arg",
        mirror,
        "--build-arg",
        skip,
    ];
    project.build(&args).expect_success();
    let output = project
        .run(&[], &["python", "-c", "import flat, tool, carried"])
        .expect_success();
    assert_eq!(
        output.stdout,
        "flat of the context\ntool of the context\ncarried along\n"
    );
    let output = project
        .run(&["--user", "root"], &["python", "-B", "-c", CHECK])
        .expect_success();
    assert_eq!(output.stdout, "checked carried flat tool\n");

    // A changed project is built and linked again, and nothing else.
    project.packages_requested();
    write(&project, "flat.py", "print('changed')\n");
    let built = project.build(&args).expect_success();
    assert!(!built.stderr.contains("[pip] install "), "{}", built.stderr);
    let output = project.run(&[], &["python", "-m", "flat"]).expect_success();
    assert_eq!(output.stdout, "changed\n");
    let requested = project.packages_requested();
    let is_conda = |path: &&String| path.ends_with(".conda") || path.ends_with(".tar.bz2");
    assert_eq!(requested.iter().find(is_conda), None);

    // Only what is left out by name is left out, and a file must be the one that was locked.
    let output = project.build(&args[..6]).expect_failure();
    let advice = "Or leave it out with --build-arg CONDAFRONT_SKIP=flat-conda.";
    assert!(output.stderr.contains(advice), "{}", output.stderr);
    let other = [(wheel_path.as_str(), "carried", zeros.as_str())];
    project.write(LOCK, pixi_lock(&project, &other));
    let output = project.build(&args).expect_failure();
    let message = "carried does not match the lock";
    assert!(output.stderr.contains(message), "{}", output.stderr);
    let missing = [("./libs", "libs", zeros.as_str())];
    project.write(LOCK, pixi_lock(&project, &missing));
    let output = project.build(&args).expect_failure();
    let advice = "CONDAFRONT_SKIP=libs";
    assert!(output.stderr.contains(advice), "{}", output.stderr);
}

#[test]
fn a_lock_has_packages_of_repositories() {
    let project = Project::new(Store::Containerd);
    sources(&project, "elsewhere/tool", "tool");
    let commit = commit_all(&project.path("elsewhere"));
    let git = GitServer::start(project.path("").as_path());
    // The branch goes on: the lock still has what it had.
    sources(&project, "elsewhere/tool", "newer");
    commit_all(&project.path("elsewhere"));
    let url = format!(
        "git+{}/?subdirectory=tool&rev=main#{commit}",
        git.url("elsewhere")
    );
    write(&project, ".dockerignore", "*\n");
    project.write(
        LOCK,
        pixi_lock(&project, &[(&url, "tool", &"0".repeat(64))]),
    );
    let [index, mirror] = [fill_index(&project), serve_pip(&project)];
    let skip = "CONDAFRONT_SKIP=flat-conda";
    let mut args = vec!["--network", "host"];
    for arg in [&index, &mirror, skip] {
        args.extend(["--build-arg", arg]);
    }
    let built = project.build(&args).expect_success();
    assert!(!built.stderr.contains("[pip] install "), "{}", built.stderr);
    let output = project.run(&[], &["python", "-m", "tool"]).expect_success();
    assert_eq!(output.stdout, "tool of the context\n");
    let output = project
        .run(&["--user", "root"], &["python", "-B", "-c", CHECK])
        .expect_success();
    assert_eq!(output.stdout, "checked tool\n");
}

#[test]
fn a_lock_is_written_with_packages_of_repositories() {
    let project = Project::new(Store::Containerd);
    sources(&project, "elsewhere/tool", "tool");
    let commit = commit_all(&project.path("elsewhere"));
    let git = GitServer::start(project.path("").as_path());
    let url = git.url("elsewhere");
    let env = |reference: &str| {
        format!(
            "# syntax={}\nchannels: [\"{}\"]\ndependencies:\n  - python\n  - pip:\n      - tool @ git+{url}@{reference}#subdirectory=tool\ncondafront: {{lock: conda-lock.yml}}\n",
            frontend(),
            project.channel()
        )
    };
    let args = [fill_index(&project), serve_pip(&project)];
    let [index, mirror] = &args;
    let args = [
        "--network",
        "host",
        "--build-arg",
        index,
        "--build-arg",
        mirror,
    ];
    let to_lock = [&args[..], &["--target", "lock", "-o", "."]].concat();
    project.write(LOCK, env("main"));
    let output = project.build(&to_lock).expect_failure();
    let message = "a lock names one commit, but a branch or tag may move";
    assert!(output.stderr.contains(message), "{}", output.stderr);

    project.write(LOCK, env(&commit));
    project.build(&to_lock).expect_success();
    let written = std::fs::read_to_string(project.path("conda-lock.yml")).expect("the lock");
    let address = format!("git+{url}@{commit}#subdirectory=tool");
    assert!(written.contains(&address), "{written}");
    // The branch goes on: the lock still has what it had.
    sources(&project, "elsewhere/tool", "newer");
    commit_all(&project.path("elsewhere"));
    project.build(&args).expect_success();
    let output = project.run(&[], &["python", "-m", "tool"]).expect_success();
    assert_eq!(output.stdout, "tool of the context\n");
}

#[test]
fn a_manifest_has_its_own_project_with_and_without_a_lock() {
    let project = Project::new(Store::Containerd);
    sources(&project, ".", "flat");
    sources(&project, "libs/tool", "tool");
    write(&project, ".dockerignore", "*.lock\n");
    let manifest = format!(
        "# syntax={}\n[workspace]\nchannels = [\"{}\"]\nplatforms = [\"linux-64\"]\n\n[dependencies]\npython = \"*\"\n\n[pypi-dependencies]\nflat = {{ path = \".\", editable = true }}\n\n[feature.more.pypi-dependencies]\ntool = {{ path = \"./libs/tool\" }}\n\n[environments]\ndefault = [\"more\"]\n",
        frontend(),
        project.channel()
    );
    project.write(LOCK, manifest);
    let args = [fill_index(&project), serve_pip(&project)];
    let [index, mirror] = &args;
    let args = [
        "--network",
        "host",
        "--build-arg",
        index,
        "--build-arg",
        mirror,
    ];
    let imported = || {
        let program = ["python", "-c", "import flat, tool"];
        project.run(&[], &program).expect_success().stdout
    };
    project.build(&args).expect_success();
    assert_eq!(imported(), "flat of the context\ntool of the context\n");

    // The lock names them by their paths, and a build takes them from there.
    let target = ["--target", "lock", "-o", "."];
    project
        .build(&[&args[..], &target].concat())
        .expect_success();
    let written = std::fs::read_to_string(project.path("pixi.lock")).expect("the lock");
    for part in [
        "      - pypi: ./\n",
        "- pypi: ./\n  name: flat\n",
        "- pypi: ./libs/tool\n  name: tool\n",
    ] {
        assert!(written.contains(part), "{part}: {written}");
    }
    project.build(&args).expect_success();
    assert_eq!(imported(), "flat of the context\ntool of the context\n");

    let zeros = "0".repeat(64);
    let local = [("./", "flat", &*zeros), ("./libs/tool", "tool", &zeros)];
    project.write("pixi.lock", pixi_lock(&project, &local));
    let skip = ["--build-arg", "CONDAFRONT_SKIP=flat-conda"];
    project.build(&[&args[..], &skip].concat()).expect_success();
    assert_eq!(imported(), "flat of the context\ntool of the context\n");
    // What a project in a folder needs now is an error in its own file.
    let path = project.path("libs/tool/pyproject.toml");
    let text = std::fs::read_to_string(&path).expect("a project");
    let more = text.replace("[project]\n", "[project]\ndependencies = [\"flat\"]\n");
    write(&project, "libs/tool/pyproject.toml", &more);
    let output = project.build(&[&args[..], &skip].concat()).expect_failure();
    for part in [
        "`pixi.lock` was written before tool needed `flat`",
        "libs/tool/pyproject.toml:2",
    ] {
        assert!(output.stderr.contains(part), "{part}: {}", output.stderr);
    }
    write(&project, "libs/tool/pyproject.toml", &text);
    project.write("pixi.lock", pixi_lock(&project, &local[..1]));
    let output = project.build(&[&args[..], &skip].concat()).expect_failure();
    let message = "`pixi.lock` has no PyPI package tool";
    assert!(output.stderr.contains(message), "{}", output.stderr);
}
