//! Files that the build file names: beside it, or else in the build context, wherever both come from.

use std::fs;
use std::path::Path;
use std::process::Command;

use condafront_testkit::engine::{Output, Store, run};

use crate::failure::masked;
use crate::git::{GitServer, commit_all};
use crate::pip::fill_index;
use crate::project::{Project, frontend};

/// The folder of the build file in the build context.
const DOCS: &str = "docs";

fn write(folder: &Path, path: &str, text: &str) {
    let path = folder.join(path);
    fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
    fs::write(path, text).expect("a file");
}

/// An environment file with entries for pip.
fn environment(entries: &[&str]) -> String {
    let lines = entries.iter().map(|entry| format!("      - {entry}\n"));
    format!(
        "# syntax={}\nchannels: [c]\ndependencies:\n  - python\n  - pip\n  - pip:\n{}",
        frontend(),
        lines.collect::<String>()
    )
}

fn package(folder: &Path, path: &str, says: &str) {
    let toml = "[project]\nname = \"demo\"\nversion = \"1.0\"\n[build-system]\nrequires = [\"setuptools\"]\n\
                build-backend = \"setuptools.build_meta\"\n[tool.setuptools]\npackages = [\"demo\"]\n\
                package-data = {demo = [\"*.txt\"]}\n";
    write(folder, &format!("{path}pyproject.toml"), toml);
    let module = format!("print({says:?})\n");
    write(folder, &format!("{path}demo/__init__.py"), &module);
}

/// Files in which both `docs` and the root have what the build file names.
fn both_places(folder: &Path) {
    let entries = [
        "-r requirements.txt",
        "-r same.txt",
        "-r only-root.txt",
        "-c ../constraints.txt",
        "./pkg",
        ".",
        "../tools/pkg",
    ];
    write(folder, "docs/env.yml", &environment(&entries));
    write(
        folder,
        "docs/requirements.txt",
        "-r more/nested.txt\nidna\n",
    );
    write(folder, "docs/more/nested.txt", "-r ../../shared.txt\n");
    write(folder, "requirements.txt", "jinja2 === the root's\n");
    write(folder, "shared.txt", "six\n");
    write(folder, "constraints.txt", "idna<4\n");
    write(folder, "only-root.txt", "markupsafe\n");
    for same in ["same.txt", "docs/same.txt"] {
        write(folder, same, "wheel\n");
    }
    for path in ["docs/pkg/", "pkg/", "", "tools/pkg/"] {
        package(folder, path, path);
    }
    // A copy of the build file is not the build file.
    write(folder, "copy/env.yml", &environment(&entries));
    write(folder, ".dockerignore", "docs/*.yml\n*.md\n");
}

/// A name, and what writes the files into a folder.
type Check = (&'static str, fn(&Path));

/// What the build files in `docs` name, as `--call=check` reports it.
const CHECKS: &[Check] = &[
    ("in both places", both_places),
    ("only beside the file", |folder| {
        write(folder, "docs/env.yml", &environment(&["-r only.txt"]));
        write(folder, "docs/only.txt", "jinja2 ===\n");
    }),
    ("only in the root", |folder| {
        write(folder, "docs/env.yml", &environment(&["-r only.txt"]));
        write(folder, "only.txt", "# ours\njinja2 ===\n");
    }),
    ("nowhere", |folder| {
        write(folder, "docs/env.yml", &environment(&["./nothing"]));
    }),
    ("outside", |folder| {
        write(
            folder,
            "docs/env.yml",
            &environment(&["idna", "-r ../../a.txt"]),
        );
    }),
    ("an image file", |folder| {
        let file = "environments:\n  base: base.yml\n  tools: {file: ../tools/tools.yml}\n";
        let text = format!("# syntax={}\n{file}", frontend());
        write(folder, "docs/env.yml", &text);
        write(folder, "docs/base.yml", &environment(&["-r beside.txt"]));
        write(folder, "base.yml", "something else\n");
        write(folder, "docs/beside.txt", "idna\n");
        write(folder, "tools/tools.yml", &environment(&["-r beside.txt"]));
        write(folder, "tools/beside.txt", "idna ==\n");
    }),
];

/// `docker build --call=check` in a folder of the project, as a user reads it.
fn check(project: &Project, args: &[&str], input: Option<&str>) -> String {
    let call = ["build", "--progress", "quiet", "--call=check"];
    let args = [&call[..], args].concat();
    let output = match input {
        Some(file) => project.docker_with_input(&args, file),
        None => project.docker(&args),
    };
    shown(project, &output)
}

fn shown(project: &Project, output: &Output) -> String {
    let text = format!("{}{}", output.stdout, output.stderr);
    let lines = text.lines().map(str::trim_end);
    // What depends on where the client has the file.
    let lines = lines.filter(|line| !line.starts_with("Check complete") && !line.is_empty());
    masked(project, &lines.collect::<Vec<_>>().join("\n"))
}

/// The same files give the same answer, whether they are in a folder, in a folder of a repository, in a repository on a
/// server, or in an archive on one.
#[test]
fn every_kind_of_context_has_the_same_files() {
    let project = Project::new(Store::Containerd);
    fs::create_dir(project.path("repositories")).expect("a folder");
    let server = GitServer::start(&project.path("repositories"));
    let mut all = String::new();
    for (number, (title, write_files)) in CHECKS.iter().enumerate() {
        let plain = format!("plain/{number}");
        let repository = format!("repositories/{number}");
        for folder in [&plain, &repository] {
            write_files(&project.path(folder));
        }
        commit_all(&project.path(&repository));
        let archive = format!("{number}.tar");
        let mut tar = Command::new("tar");
        tar.args(["--create", "--file"]).arg(project.path(&archive));
        run(tar.arg("--directory").arg(project.path(&plain)).arg(".")).expect_success();
        let content = fs::read(project.path(&archive)).expect("the archive");
        project.server.put(&format!("/web/{archive}"), content);

        let file = format!("{DOCS}/env.yml");
        let of_folder = |folder: &str| {
            let file = format!("{folder}/{file}");
            // The client shows the path that it is given.
            check(&project, &["-f", &file, folder], None).replace(&format!("{folder}/"), "")
        };
        // There, the build file has the name that it has in the context.
        let of_url = |url: &str| {
            let text = check(&project, &["-f", &file, url], None);
            let text = text.replace(&format!(" of {file}"), " of env.yml");
            text.replace(&format!(" to {file}"), " to env.yml")
        };
        let expected = of_folder(&repository);
        let plain = of_folder(&plain);
        let git = of_url(&server.url(&number.to_string()));
        assert_eq!(git, expected, "{title}: git");
        let web = of_url(&project.server.url(&format!("/web/{archive}")));
        assert_eq!(web, expected, "{title}: an archive");
        let line = "=".repeat(title.len());
        all.push_str(&format!("{title}\n{line}\n{expected}\n\n"));
        // Without a repository, the build does not always look for its file in the context.
        if plain != expected {
            all.push_str(&format!("without a repository\n\n{plain}\n\n"));
        }
    }
    // Only the root is a package: the message says how to name it.
    let root = project.path("repositories/root");
    write(&root, "docs/env.yml", &environment(&["."]));
    package(&root, "", "the root");
    commit_all(&root);
    let text = check(&project, &["-f", "docs/env.yml", &server.url("root")], None);
    all.push_str(&format!("the root for the folder\n\n{text}\n"));
    insta::assert_snapshot!(all);
}

/// The client has a build file that the context does not have.
#[test]
fn the_build_file_can_be_outside_the_context() {
    let project = Project::new(Store::Containerd);
    let root = project.path("");
    let mut all = String::new();
    let mut add = |title: &str, text: String| {
        let line = "=".repeat(title.len());
        all.push_str(&format!("{title}\n{line}\n{text}\n\n"));
    };
    write(
        &root,
        "docs/env.yml",
        &environment(&["-r a.txt", "./pkg", "."]),
    );
    write(&root, "docs/a.txt", "idna ===\n");
    write(&root, "src/a.txt", "idna\n");
    package(&root, "src/pkg/", "");
    package(&root, "src/", "");
    let beside = ["-f", "docs/env.yml", "src"];
    add("a file beside it", check(&project, &beside, None));
    write(&root, "docs/a.txt", "idna\n");
    add("packages in the context", check(&project, &beside, None));
    let input = Some("docs/env.yml");
    let stdin = ["-f", "-", "src"];
    add("from standard input", check(&project, &stdin, input));
    write(&root, "docs/env.yml", &environment(&["-r ../src/a.txt"]));
    add("a path out of its folder", check(&project, &beside, None));
    add(
        "the same from standard input",
        check(&project, &stdin, input),
    );
    write(&root, "docs/env.yml", &environment(&[".."]));
    add("the folder above", check(&project, &beside, None));
    // A link out of the folder of the build file is followed in the context.
    write(
        &root,
        "docs/env.yml",
        &environment(&["-r link.txt", "-r reqs/b.txt"]),
    );
    std::os::unix::fs::symlink("../src/b.txt", root.join("docs/link.txt")).expect("a link");
    std::os::unix::fs::symlink("../src", root.join("docs/reqs")).expect("a link");
    write(&root, "src/b.txt", "# linked\nidna ==\n");
    write(&root, "link.txt", "not the linked file\n");
    let linked = check(&project, &["-f", "docs/env.yml", "."], None);
    add("a link", linked);
    insta::assert_snapshot!(all);
}

/// A project beside the build file comes with its contents, and `.dockerignore` of the context applies to it.
#[test]
fn a_project_beside_the_build_file_is_installed() {
    let project = Project::new(Store::Containerd);
    let index = fill_index(&project);
    let channel = format!("channels: [\"{}\"]", project.channel());
    let text = environment(&["-r requirements.txt", "./pkg"]).replace("channels: [c]", &channel);
    let root = project.path("");
    write(&root, "docs/env.yml", &text);
    write(&root, "docs/requirements.txt", "hello.world==1.5\n");
    write(&root, "requirements.txt", "hello.world==1.0\n");
    package(&root, "docs/pkg/", "beside the file");
    package(&root, "pkg/", "in the root");
    for name in ["kept.txt", "secret.txt"] {
        write(&root, &format!("docs/pkg/demo/{name}"), "text\n");
    }
    write(
        &root,
        ".dockerignore",
        "docs/pkg/demo/secret.txt\npkg/demo/kept.txt\n",
    );
    let args = ["--network", "host", "--build-arg", &index];
    let output = project.build_file("docs/env.yml", &args).expect_success();
    assert_eq!(
        output.stderr.matches("AmbiguousPath: ").count(),
        2,
        "{}",
        output.stderr
    );
    let list = "hello; python -m demo || python -c 'import demo'; ls $(dirname $(python -c 'import demo; print(demo.__file__)' | tail -1))";
    let output = project.run(&[], &["sh", "-c", list]).expect_success();
    assert!(
        output.stdout.starts_with("hello 1.5\n"),
        "{}",
        output.stdout
    );
    assert!(
        output.stdout.contains("beside the file\n"),
        "{}",
        output.stdout
    );
    assert!(output.stdout.contains("kept.txt"), "{}", output.stdout);
    assert!(!output.stdout.contains("secret.txt"), "{}", output.stdout);
}
