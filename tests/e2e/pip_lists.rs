//! Lists for pip: requirements files in the build context, constraints, packages from the build context and from
//! repositories, and hashes.

use condafront_testkit::engine::Store;
use condafront_testkit::server::{Fault, Times};
use sha2::{Digest, Sha256};

use crate::failure::{Failures, error_of};
use crate::git::{GitServer, base_with_git, commit_all};
use crate::image::{each_prints, history};
use crate::pip::{CHECK, fill_index, hello, real};
use crate::project::{LOCK, Project, frontend, on_both_stores};

/// Writes an environment file with lists for pip in its image section and in its dependencies.
fn environment(project: &Project, section: &[&str], dependencies: &[&str]) {
    let channel = project.channel();
    let list = |indent: &str, entries: &[&str]| -> String {
        let line = |entry: &&str| format!("{indent}- {entry}\n");
        entries.iter().map(line).collect()
    };
    let mut text = format!(
        "# syntax={}\nchannels: [\"{channel}\"]\ndependencies:\n  - python\n",
        frontend()
    );
    if !dependencies.is_empty() {
        text.push_str(&format!("  - pip:\n{}", list("      ", dependencies)));
    }
    text.push_str(&format!("condafront:\n  pip:\n{}", list("    ", section)));
    project.write(LOCK, text);
}

pub(crate) fn write(project: &Project, path: &str, text: &str) {
    let path = project.path(path);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
    std::fs::write(path, text).expect("a file");
}

/// Writes the sources of a package with a module that prints its name and an extra that needs jinja2.
pub(crate) fn sources(project: &Project, folder: &str, name: &str) {
    let toml = format!(
        "[project]\nname = \"{name}\"\nversion = \"1.0\"\noptional-dependencies = {{extra = [\"jinja2\"]}}\n\
         [build-system]\nrequires = [\"setuptools\"]\nbuild-backend = \"setuptools.build_meta\"\n\
         [tool.setuptools]\npy-modules = [\"{name}\"]\n"
    );
    write(project, &format!("{folder}/pyproject.toml"), &toml);
    let module = format!("print('{name} of the context')\n");
    write(project, &format!("{folder}/{name}.py"), &module);
}

/// On an engine that nothing else uses.
pub(crate) fn lists_name_files_folders_and_repositories(project: &Project) {
    let index = fill_index(project);
    let index = index.strip_prefix("PIP_INDEX_URL=").expect("an index");
    sources(project, "apps/demo", "demo");
    sources(project, "elsewhere/tool", "tool");
    commit_all(&project.path("elsewhere"));
    let git = GitServer::start(project.path("").as_path());
    std::fs::create_dir_all(project.path("wheels")).expect("a folder");
    let wheel = condafront_testkit::channel::WheelFile::new("carried", "2.0")
        .file("carried.py", "print('carried along')\n");
    let wheel_path = format!("wheels/{}", wheel.file_name());
    std::fs::write(project.path(&wheel_path), wheel.build()).expect("a wheel");
    let requirements = |comment: &str| {
        format!(
            "# {comment}\n--index-url http://${{INDEX_HOST}}/simple/\n-r more/deep.txt\nhello.world \\\n    >= 1 --only-binary :all:  # some\n"
        )
    };
    project.server.put("/limits.txt", "hello-world<2\n");
    let limits = project.server.url("limits.txt");
    write(project, "reqs/base.txt", &requirements("first"));
    write(
        project,
        "reqs/more/deep.txt",
        &format!("-c ../../constraints.txt\n-r ../all.txt\n-c {limits}\n"),
    );
    write(
        project,
        "reqs/all.txt",
        &format!(
            "-e ./apps/demo[extra] ; python_version > \"3\"\n./missing ; sys_platform == \"win32\"\ntool @ git+{}/@main#subdirectory=tool\nbound\n",
            git.url("elsewhere")
        ),
    );
    // A constraint may say where a package comes from, and what nothing asks for is not installed.
    sources(project, "apps/bound", "bound");
    sources(project, "apps/unused", "unused");
    write(
        project,
        "constraints.txt",
        "nothing==7\nbound @ file:./apps/bound\nunused @ file:./apps/unused\n",
    );
    write(project, ".dockerignore", "*.md\n");
    environment(project, &[&wheel_path], &["-r reqs/base.txt"]);
    let host = format!("INDEX_HOST={}", project.server.address());
    assert!(index.contains(&project.server.address().to_string()));
    let args = ["--network", "host", "--build-arg", &host];
    let built = project.build(&args).expect_success();
    let warning =
        "is installed like any other package: an image has no source copy to edit (reqs/all.txt:1)";
    assert!(built.stderr.contains(warning), "{}", built.stderr);

    let commands = [
        ("hello", "hello 1.5\n"),
        ("python -m demo", "demo of the context\n"),
        ("python -m bound", "bound of the context\n"),
        ("python -m tool", "tool of the context\n"),
        ("python -m carried", "carried along\n"),
    ];
    each_prints(|words| project.run(&[], words), &commands);
    let output = project
        .run(&["--user", "root"], &["python", "-B", "-c", CHECK])
        .expect_success();
    assert_eq!(
        output.stdout,
        "checked bound carried demo hello-world jinja2 markupsafe tool\n"
    );
    // What had to be built is linked as a wheel, like all others: pip installs nothing.
    let history = history(project, project.tag()).join("\n");
    for name in [
        "bound",
        "carried",
        "demo",
        "hello",
        "jinja2",
        "markupsafe",
        "tool",
    ] {
        let is_layer =
            |line: &str| line.starts_with("[pip install ") && line.to_lowercase().contains(name);
        assert!(history.lines().any(is_layer), "{name}: {history}");
    }
    assert!(!history.contains("[pip] install "), "{history}");

    // pip sees neither a changed comment nor a file next to those it uses.
    project.server.clear();
    write(project, "reqs/base.txt", &requirements("second"));
    write(project, "apps/other.txt", "new");
    let built = project.build(&args).expect_success();
    let requested = project.packages_requested();
    let of_pip = |path: &&String| path.starts_with("/simple") || path.starts_with("/pypi");
    let requested: Vec<&String> = requested.iter().filter(of_pip).collect();
    assert!(requested.is_empty(), "{requested:?}: {}", built.stderr);

    // It sees what has changed in a list on a server.
    project.server.put("/limits.txt", "hello-world<1.5\n");
    project.build(&args).expect_success();
    let output = project.run(&[], &["hello"]).expect_success();
    assert_eq!(output.stdout, "hello 1.0\n");
}

/// Everything in a list with hashes and URLs is downloaded directly: no index is queried, and there is no network. Lists may
/// be on a server too.
#[test]
fn hashes_and_urls_need_no_network() {
    let project = Project::new(Store::Containerd);
    let wheel = hello("1.0");
    let path = format!("/pypi/{}", wheel.file_name());
    let content = wheel.build();
    project.server.put(&path, content.clone());
    let hash = hex::encode(Sha256::digest(&content));
    let line = real(&project, "markupsafe");
    let line = line.strip_prefix("# pip ").expect("a line of a lock");
    write(
        &project,
        "requirements.txt",
        &format!(
            "--require-hashes\nhello.world @ {} \\\n    --hash=sha256:{hash}\n",
            project.server.url(&path)
        ),
    );
    let server = &project.server;
    server.put("/lists/main.txt", "-r deep/more.txt\n");
    let elsewhere = Fault::Redirect(server.url("elsewhere.txt"));
    server.fault("/lists/deep/more.txt", elsewhere, Times::Always);
    server.put("/elsewhere.txt", line.to_owned());
    let list = format!("-r {}", server.url("lists/main.txt"));
    environment(&project, &["-r requirements.txt", &list], &[]);
    let output = project.build(&["--network", "none"]).expect_success();
    for (url, content) in [
        ("lists/main.txt", "-r deep/more.txt\n"),
        ("lists/deep/more.txt", line),
    ] {
        let hash = hex::encode(Sha256::digest(content));
        let url = server.url(url);
        let warning = format!("the list at {url} may change: pin it with #sha256={hash}");
        assert!(output.stderr.contains(&warning), "{}", output.stderr);
    }
    let resolves = output.stderr.contains("resolve the requirements");
    assert!(!resolves, "{}", output.stderr);
    let output = project.run(&[], &["hello"]).expect_success();
    assert_eq!(output.stdout, "hello 1.0\n");
    // pip knows where it comes from.
    let frozen = project.run(&[], &["pip", "freeze"]).expect_success();
    let origin = format!(" @ {}#sha256={hash}\n", project.server.url(&path));
    assert!(frozen.stdout.contains(&origin), "{}", frozen.stdout);
}

#[test]
fn mistakes_are_reported_at_their_line() {
    let project = Project::new(Store::Containerd);
    let index = fill_index(&project);
    let mut failures = Failures::new(&project);
    let args = ["--network", "host", "--build-arg", &index];
    sources(&project, "demo", "demo");
    write(&project, "folder/readme.txt", "no package");
    write(
        &project,
        "broken/setup.py",
        "raise SystemExit('no compiler')\n",
    );
    write(
        &project,
        "versioned/setup.py",
        "import os\nraise LookupError(f'setuptools-scm was unable to detect version for {os.getcwd()}.\\n\\nMake sure')\n",
    );
    write(
        &project,
        "behind/pyproject.toml",
        "[project]\nname = \"behind\"\nversion = \"1.0\"\ndependencies = [\"hello-world<2\"]\n[build-system]\nrequires = [\"setuptools\"]\nbuild-backend = \"setuptools.build_meta\"\n[tool.setuptools]\npy-modules = []\n",
    );
    let server = &project.server;
    server.put("/lists/main.txt", "idna\n-c more/limits.txt\n");
    server.put("/lists/more/limits.txt", "# limits\njinja2 ===\n");
    server.put("/lists/page.txt", "<!DOCTYPE html>\n<p>Log in\n");
    let on_server = |kind: &str, name: &str| format!("{kind} {}", server.url(name));
    let zeros = "0".repeat(64);
    for (title, section, requirements) in [
        (
            "a list that is missing on a server",
            &*on_server("-c", "lists/gone.txt"),
            "",
        ),
        (
            "a web page in place of a list",
            &on_server("-r", "lists/page.txt"),
            "",
        ),
        (
            "a line of a list on a server that another one names",
            &on_server("-r", "lists/main.txt"),
            "",
        ),
        ("a missing file", "-r nothing.txt", ""),
        (
            "a missing file that another file names",
            "-r reqs/main.txt",
            "-r nothing.txt\n",
        ),
        (
            "a line that is not a requirement",
            "-r reqs/main.txt",
            "markupsafe\njinja2 ===\n",
        ),
        (
            "a version that the index does not have",
            "-r reqs/main.txt",
            "# ours\nmarkupsafe\nhello.world>=3\n",
        ),
        (
            "a constraint that nothing satisfies",
            "-r reqs/main.txt",
            "-c ../c.txt\nhello.world>=2\n",
        ),
        (
            "a hash of another file",
            "-r reqs/main.txt",
            &format!("# pinned\nmarkupsafe==3.0.2 --hash=sha256:{zeros}\n"),
        ),
        (
            "a package whose dependency excludes another requirement",
            "-r reqs/main.txt",
            "./behind\nhello.world>=2\n",
        ),
        ("a version that comes from git", "./versioned", ""),
        ("a folder that is not a package", "./folder", ""),
        ("a missing folder", "./nothing", ""),
        ("a package that cannot be built", "./broken", ""),
        ("an environment without python", "./demo", ""),
    ] {
        write(&project, "reqs/main.txt", requirements);
        write(&project, "c.txt", "hello-world<2\n");
        environment(&project, &[section], &[]);
        if title.ends_with("python") {
            let text = std::fs::read_to_string(project.path(LOCK)).expect("the file");
            project.write(LOCK, text.replace("- python\n", "- bumpme\n"));
        }
        let output = project.build(&args);
        failures.add_output(title, output);
    }
    insta::assert_snapshot!(failures.text());
}

/// A step says why it fails when it does: what takes ten minutes to fail does not take twenty.
fn what_fails_runs_once(store: Store) {
    let project = Project::new(store);
    let index = fill_index(&project);
    // A buildkitd would warn that the image goes nowhere.
    let nowhere = ["--output", "type=cacheonly"];
    let args = [&["--network", "host", "--build-arg", &index][..], &nowhere].concat();
    let ran = project.server.url("/ran");
    // What it puts in the place of the step's report is not taken for it.
    let setup = format!(
        "import os, urllib.request\nos.symlink('/dev/zero', '/out/.condafront-failure.json')\ntry: urllib.request.urlopen('{ran}')\nexcept OSError: pass\nraise LookupError('setuptools-scm was unable to detect version for this.')\n"
    );
    write(&project, "broken/setup.py", &setup);
    environment(&project, &["./broken"], &[]);
    project.packages_requested();
    let output = project.build(&args).expect_failure();
    let requested = project.packages_requested();
    let runs = requested.iter().filter(|path| *path == "/ran").count();
    assert_eq!(runs, 1, "{}", output.stderr);
    let error = error_of(&output);
    let reason = "pip cannot build broken: LookupError: setuptools-scm was unable to detect version for this.";
    assert!(error.contains(reason), "{error}");
    assert!(error.starts_with("env.lock:"), "{error}");
}

on_both_stores!(what_fails_runs_once);

#[test]
#[ignore = "needs a buildkitd"]
fn needs_buildkitd_what_fails_runs_once() {
    what_fails_runs_once(Store::Buildkitd);
}

#[test]
fn repositories_have_the_version_of_their_tag() {
    let project = Project::new(Store::Containerd);
    let index = fill_index(&project);
    let args = ["--network", "host", "--build-arg", &index];
    let setup = |name: &str| {
        format!(
            "import os\nfrom setuptools import setup\nsetup(name='{name}', version=os.environ.get('SETUPTOOLS_SCM_PRETEND_VERSION', '0'), py_modules=[])\n"
        )
    };
    write(&project, "repository/setup.py", &setup("versioned"));
    for name in ["committed", "branched"] {
        write(
            &project,
            &format!("repository/{name}/setup.py"),
            &setup(name),
        );
    }
    let commit = commit_all(&project.path("repository"));
    // The branch looks like the beginning of a commit's name.
    for words in [["tag", "v1.5"], ["branch", "deadbeef"]] {
        let named = std::process::Command::new("git")
            .args(words)
            .current_dir(project.path("repository"))
            .status();
        assert!(named.expect("git runs").success());
    }
    let git = GitServer::start(project.path("").as_path());
    let url = git.url("repository");
    let entry = |reference: &str| format!("versioned @ git+{url}@{reference}");
    let entry_in =
        |name: &str, reference: &str| format!("{name} @ git+{url}@{reference}#subdirectory={name}");
    let versions = |names: &[&str]| {
        let names = names.join("', '");
        let code =
            format!("from importlib.metadata import version; print(*map(version, ['{names}']))");
        let output = project.run(&[], &["python", "-c", &code]).expect_success();
        output.stdout
    };
    // Of the tag alone.
    let committed = entry_in("committed", &commit);
    let branched = entry_in("branched", "deadbeef");
    environment(&project, &[&entry("v1.5"), &committed, &branched], &[]);
    project.build(&args).expect_success();
    let all = versions(&["versioned", "committed", "branched"]);
    assert_eq!(all, "1.5 0 0\n");
    // pip knows where it comes from, as far as that is known before the repository is loaded.
    let frozen = project.run(&[], &["pip", "freeze"]).expect_success();
    let origin = format!("committed @ git+{url}@{commit}#subdirectory=committed\n");
    assert!(frozen.stdout.contains(&origin), "{}", frozen.stdout);
    assert!(
        frozen.stdout.contains("versioned==1.5\n"),
        "{}",
        frozen.stdout
    );
    // Or the one that is given.
    environment(&project, &[&entry("v1.5")], &[]);
    let given = ["--build-arg", "SETUPTOOLS_SCM_PRETEND_VERSION=7"];
    project
        .build(&[&args[..], &given].concat())
        .expect_success();
    assert_eq!(versions(&["versioned"]), "7\n");
    // Or it finds out from the history, two commits after the tag, with a git that the base image has.
    let described = "import subprocess\nfrom setuptools import setup\nsaid = subprocess.run(['git', 'describe', '--tags'], capture_output=True, check=True, text=True).stdout\nsetup(name='versioned', version=said.strip().replace('-', '.post', 1).split('-')[0], py_modules=[])\n";
    write(&project, "repository/in/setup.py", described);
    commit_all(&project.path("repository"));
    write(&project, "repository/other", "");
    let later = commit_all(&project.path("repository"));
    let with_history = entry(&format!("{later}#subdirectory=in&history=true"));
    environment(&project, &[&with_history], &[]);
    let error = error_of(&project.build(&args).expect_failure());
    let reason = "cannot load the history of versioned: the step that builds it has no git";
    assert!(
        error.contains(reason) && error.starts_with("env.lock:"),
        "{error}"
    );
    // That git also finds a commit by the beginning of its name.
    let with_git = base_with_git(&project);
    let base = format!("BASE_IMAGE={}", with_git.tag());
    let with_git = [&args[..], &["--build-arg", &base]].concat();
    let short = entry_in("committed", &commit[..9]);
    environment(&project, &[&with_history, &short], &[]);
    project.build(&with_git).expect_success();
    assert_eq!(versions(&["versioned", "committed"]), "1.5.post2 0\n");
    for (reference, args, expected) in [
        (
            &commit[..9],
            &args[..],
            "If this is the beginning of a commit's name: the step that looks it up has no git",
        ),
        (
            "0badc0ffee",
            &with_git,
            "is not the beginning of a commit on a branch or tag of git://",
        ),
        (
            "1234567890",
            &with_git,
            "is not the beginning of a commit on a branch or tag of git://",
        ),
        ("no-such-branch", &args, "cannot be loaded: "),
    ] {
        environment(&project, &["markupsafe", &entry(reference)], &[]);
        let error = error_of(&project.build(args).expect_failure());
        let name = format!("`{reference}` ");
        assert!(error.contains(&name) && error.contains(expected), "{error}");
        assert!(error.starts_with("env.lock:8"), "{error}");
    }
}
