//! Lists for pythons whose last pip does not report what it would install.

use std::path::PathBuf;

use condafront_testkit::channel::{self, Channel, HashStyle, WheelFile};
use condafront_testkit::engine::Store;

use crate::failure::error_of;
use crate::image::{each_prints, history};
use crate::pip::{index, source_archive};
use crate::project::{LOCK, Project, frontend};

/// A python whose last pip does not report what it would install.
struct OldPython {
    version: &'static str,
    channel: Channel,
    /// The file of its last pip.
    pip: PathBuf,
    /// The tag of wheels for later pythons.
    later: &'static str,
}

/// Serves an environment with this python and the last pip for it, and the same pip as condafront downloads it. Returns the
/// build-arg that says where that is.
fn environment(project: &Project, python: &OldPython) -> String {
    let channel = &python.channel;
    project.server.mount("/old", channel.directory());
    let packages = channel.closure(&["python", "pip", "setuptools", "wheel"]);
    let lock = channel::lock(&packages, &project.server.url("old"), HashStyle::Sha256);
    project.write("old.lock", lock);
    let pip = condafront_graph::plan::pip::wheel(python.version).expect("a pip for this python");
    let content = std::fs::read(&python.pip).expect("a wheel on disk");
    let path = format!("/mirror{}", pip.url.recorded().path());
    project.server.put(&path, content);
    format!(
        "CONDA_MIRRORS=https://files.pythonhosted.org={}",
        project.server.url("mirror")
    )
}

/// Fills an index with packages, one of which must be built.
fn fill_index(project: &Project, python: &OldPython) -> String {
    let code = "from __future__ import print_function\nimport sys\ndef main():\n    print('hello from %d.%d' % sys.version_info[:2])\n";
    let hello = |version: &str, tag: &str| {
        let wheel = WheelFile::new("hello_world", version)
            .tag(tag)
            .metadata("Requires-Dist: from-source>=1")
            .metadata("Requires-Dist: setuptools")
            .metadata("Requires-Dist: nothing; python_version >= '3.7'")
            .file("hello_world/__init__.py", code)
            .script("hello = hello_world:main");
        (wheel.file_name(), wheel.build())
    };
    let hellos = [hello("1.0", "py2.py3-none-any"), hello("2.0", python.later)];
    index(project, "hello-world", &hellos);
    let setup = "from setuptools import setup\nsetup(name='from-source', version='1.0', py_modules=['from_source'])\n";
    let source = source_archive(&[
        ("from_source-1.0/setup.py", setup),
        ("from_source-1.0/from_source.py", "print('built')\n"),
    ]);
    index(
        project,
        "from-source",
        &[("from_source-1.0.tar.bz2".to_owned(), source)],
    );
    format!("PIP_INDEX_URL={}", project.server.url("simple/"))
}

fn a_list_is_found_by_its_last_pip(python: &OldPython) {
    let project = Project::new(Store::Containerd);
    let mirror = environment(&project, python);
    let index = fill_index(&project, python);
    let write = |entry: &str| {
        let text = format!(
            "# syntax={}\nenvironments: {{base: old.lock}}\npip: [{entry}]\n",
            frontend()
        );
        project.write(LOCK, text);
    };
    let args = [
        "--network",
        "host",
        "--build-arg",
        &mirror,
        "--build-arg",
        &index,
    ];
    write("hello-world");
    project.build(&args).expect_success();
    let hello = format!("hello from {}\n", python.version);
    let commands = [
        ("hello", hello.as_str()),
        ("python -m from_source", "built\n"),
        ("python -m pip check", "No broken requirements found.\n"),
    ];
    each_prints(|words| project.run(&[], words), &commands);
    // Both are linked; what conda has stays.
    let history = history(&project, project.tag()).join("\n");
    for (name, is_linked) in [
        ("hello_world", true),
        ("from_source", true),
        ("setuptools", false),
    ] {
        let is_layer = |line: &str| line.starts_with("[pip install ") && line.contains(name);
        assert_eq!(
            history.lines().any(is_layer),
            is_linked,
            "{name}: {history}"
        );
    }

    write("\"hello-world>=2\"");
    let error = error_of(&project.build(&args).expect_failure());
    assert!(error.starts_with("env.lock:3"), "{error}");
    assert!(error.contains("hello-world>=2"), "{error}");
}

#[test]
#[ignore = "needs Debian 11"]
fn needs_bullseye_a_list_is_found_by_the_last_pip_for_python_2() {
    a_list_is_found_by_its_last_pip(&OldPython {
        version: "2.7",
        channel: Channel::python2(),
        pip: channel::pip_of_python2(),
        later: "py3-none-any",
    });
}

#[test]
#[ignore = "needs a python 3.6"]
fn needs_python36_a_list_is_found_by_the_last_pip_for_python_3_6() {
    a_list_is_found_by_its_last_pip(&OldPython {
        version: "3.6",
        channel: Channel::python36(),
        pip: channel::pip_of_python36(),
        later: "py37-none-any",
    });
}
