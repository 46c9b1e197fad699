//! PyPI packages: locked wheels from a server, installed by the environment's pip without network.

use condafront_testkit::channel::{self, Channel, HashStyle, WheelFile};
use condafront_testkit::engine::Store;
use sha2::{Digest, Sha256};

use crate::project::{LOCK, Project, on_both_stores};

/// Checks what pip left, inside the image.
const CHECK: &str = include_str!("pip_check.py");

/// A line of a lock for a file that the project's server has at `path`.
fn line(project: &Project, name: &str, path: &str, content: &[u8]) -> String {
    let hash = hex::encode(Sha256::digest(content));
    format!(
        "# pip {name} @ {}#sha256={hash}\n",
        project.server.url(path)
    )
}

/// Serves a wheel and gives its line of a lock.
fn serve(project: &Project, name: &str, wheel: &WheelFile) -> String {
    let content = wheel.build();
    let path = format!("/pypi/{}", wheel.file_name());
    project.server.put(&path, content.clone());
    line(project, name, &path, &content)
}

/// The line of a real wheel that the testkit keeps.
fn real(project: &Project, name: &str) -> String {
    let wheels = channel::wheels();
    let wheel = wheels
        .iter()
        .find(|wheel| {
            let file = wheel.file_name().unwrap_or_default().to_string_lossy();
            file.to_lowercase().starts_with(&format!("{name}-"))
        })
        .unwrap_or_else(|| panic!("there is no wheel of {name}"));
    let content = std::fs::read(wheel).expect("a wheel on disk");
    let file = wheel.file_name().unwrap_or_default().to_string_lossy();
    let path = format!("/pypi/{file}");
    project.server.put(&path, content.clone());
    line(project, name, &path, &content)
}

/// The text of a lock: conda packages with all they need, and these lines.
fn lock_text(project: &Project, conda: &[&str], pip: &str) -> String {
    let packages = Channel::open().closure(conda);
    project.lock_text(&packages, HashStyle::Sha256) + pip
}

fn hello(version: &str) -> WheelFile {
    WheelFile::new("hello_world", version)
        .file(
            "hello_world/__init__.py",
            &format!("def main():\n    print('hello {version}')\n"),
        )
        .file("hello_world/old.py", "print 'python 2'\n")
        .file("hello_world/data.txt", "data\n")
        .script("hello = hello_world:main")
}

fn locked_wheels_are_installed(store: Store) {
    let project = Project::new(store);
    let lines = [
        serve(&project, "hello.world", &hello("1.0")),
        real(&project, "markupsafe"),
        real(&project, "jinja2"),
    ];
    let text = lock_text(&project, &["python", "pip"], &lines.concat());
    project.write(LOCK, text);
    project.build(&[]).expect_success();

    let hello = project.run(&[], &["hello"]).expect_success();
    assert_eq!(hello.stdout, "hello 1.0\n");
    // The one with machine code works, and is found by the other.
    let code =
        "import markupsafe._speedups, jinja2; print(jinja2.Template('{{ a }}').render(a=42))";
    let output = project.run(&[], &["python", "-c", code]).expect_success();
    assert_eq!(output.stdout, "42\n");
    let output = project
        .run(&["--user", "root"], &["python", "-B", "-c", CHECK])
        .expect_success();
    assert_eq!(output.stdout, "checked hello-world jinja2 markupsafe\n");
    // A derived image can go on with pip.
    let output = project.run(&[], &["pip", "uninstall", "-y", "jinja2"]);
    let output = output.expect_success();
    assert!(
        output.stdout.contains("Successfully uninstalled"),
        "{output:?}"
    );
}

on_both_stores!(locked_wheels_are_installed);
