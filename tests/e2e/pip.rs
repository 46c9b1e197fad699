//! PyPI packages: locked ones from a server, and lists that pip resolves, installed by the environment's pip.

use condafront_testkit::channel::{self, Channel, HashStyle, WheelFile};
use condafront_testkit::engine::Store;
use sha2::{Digest, Sha256};

use crate::failure::error_of;
use crate::image::each_prints;
use crate::project::{LOCK, Project, frontend, on_both_stores};

/// Checks pip's files inside the image.
pub(crate) const CHECK: &str = include_str!("pip_check.py");

/// The line in a lock for a file at `path` on the project's server.
pub(crate) fn line(project: &Project, name: &str, path: &str, content: &[u8]) -> String {
    let hash = hex::encode(Sha256::digest(content));
    format!(
        "# pip {name} @ {}#sha256={hash}\n",
        project.server.url(path)
    )
}

/// Serves a wheel and returns its line for a lock.
pub(crate) fn serve(project: &Project, name: &str, wheel: &WheelFile) -> String {
    let content = wheel.build();
    let path = format!("/pypi/{}", wheel.file_name());
    project.server.put(&path, content.clone());
    line(project, name, &path, &content)
}

/// A real wheel from the testkit: its file name and content.
pub(crate) fn real_wheel(name: &str) -> (String, Vec<u8>) {
    let wheels = channel::wheels();
    let wheel = wheels
        .iter()
        .find(|wheel| {
            let file = wheel.file_name().unwrap_or_default().to_string_lossy();
            file.to_lowercase().starts_with(&format!("{name}-"))
        })
        .unwrap_or_else(|| panic!("no wheel of {name}"));
    let content = std::fs::read(wheel).expect("a wheel on disk");
    let file = wheel.file_name().unwrap_or_default().to_string_lossy();
    (file.into_owned(), content)
}

/// A wheel's line for a lock without its hash, so that pip installs it.
pub(crate) fn unpinned(line: &str) -> String {
    let (line, _) = line.rsplit_once('#').expect("a line with a hash");
    format!("{line}\n")
}

/// Serves a real wheel and returns its line for a lock.
pub(crate) fn real(project: &Project, name: &str) -> String {
    let (file, content) = real_wheel(name);
    let path = format!("/pypi/{file}");
    project.server.put(&path, content.clone());
    line(project, name, &path, &content)
}

/// Serves a mirror of PyPI's files with the pip that condafront would download. Returns the build-arg that names it.
pub(crate) fn serve_pip(project: &Project) -> String {
    let (_, content) = real_wheel("pip");
    let pip = condafront_graph::plan::pip::wheel("3.13").expect("a pip for this python");
    let path = pip.url.recorded().path().to_owned();
    project.server.put(&format!("/mirror{path}"), content);
    format!(
        "CONDA_MIRRORS=https://files.pythonhosted.org={}",
        project.server.url("mirror")
    )
}

/// Puts files on the page of the package `name` in an index at `/simple`
/// (<https://packaging.python.org/en/latest/specifications/simple-repository-api/>).
pub(crate) fn index(project: &Project, name: &str, files: &[(String, Vec<u8>)]) {
    let mut page = "<!DOCTYPE html><html><body>\n".to_owned();
    for (file, content) in files {
        let hash = hex::encode(Sha256::digest(content));
        page.push_str(&format!(
            "<a href=\"../../pypi/{file}#sha256={hash}\">{file}</a>\n"
        ));
        project
            .server
            .put(&format!("/pypi/{file}"), content.clone());
    }
    page.push_str("</body></html>\n");
    project.server.put(&format!("/simple/{name}/"), page);
}

/// Serves an index with packages that differ from those of all other runs. Returns the build-arg that names it.
pub(crate) fn fill_index(project: &Project) -> String {
    let hellos = ["1.0", "1.5", "2.0"].map(|version| {
        let wheel = hello(version).metadata("Requires-Dist: markupsafe>=2");
        (wheel.file_name(), wheel.build())
    });
    index(project, "hello-world", &hellos);
    for name in ["markupsafe", "setuptools", "wheel", "jinja2"] {
        index(project, name, &[real_wheel(name)]);
    }
    format!("PIP_INDEX_URL={}", project.server.url("simple/"))
}

/// The text of a lock: conda packages with their dependencies, followed by these lines.
pub(crate) fn lock_text(project: &Project, conda: &[&str], pip: &str) -> String {
    let packages = Channel::open().closure(conda);
    project.lock_text(&packages, HashStyle::Sha256) + pip
}

/// A package with a script, a module that does not compile, and data.
pub(crate) fn hello(version: &str) -> WheelFile {
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

    let output = project
        .run(&["--user", "root"], &["python", "-B", "-c", CHECK])
        .expect_success();
    assert_eq!(output.stdout, "checked hello-world jinja2 markupsafe\n");
    let commands = [
        ("hello", "hello 1.0\n"),
        // The one with machine code works, and the other finds it.
        (
            "python -c \"import markupsafe._speedups, jinja2; print(jinja2.Template('{{ a }}').render(a=42))\"",
            "42\n",
        ),
        // pip still works in the image.
        (
            "pip uninstall -y jinja2 | grep -o 'Successfully uninstalled'",
            "Successfully uninstalled\n",
        ),
    ];
    each_prints(|words| project.run(&[], words), &commands);
}

/// Writes an environment file with this list for pip.
pub(crate) fn environment(project: &Project, list: &[&str]) {
    let list: String = list
        .iter()
        .map(|entry| format!("      - \"{entry}\"\n"))
        .collect();
    let channel = project.channel();
    let text = format!(
        "# syntax={}\nchannels: [\"{channel}\"]\ndependencies:\n  - python\n  - pip\n  - pip:\n{list}",
        frontend()
    );
    project.write(LOCK, text);
}

/// On an engine that nothing else uses.
pub(crate) fn a_list_is_resolved_once_and_installed(project: &Project) {
    let index = fill_index(project);
    environment(project, &["hello.world<2"]);
    let args = ["--network", "host", "--build-arg", &index];
    project.build(&args).expect_success();

    let hello = project.run(&[], &["hello"]).expect_success();
    assert_eq!(hello.stdout, "hello 1.5\n");
    let output = project
        .run(&["--user", "root"], &["python", "-B", "-c", CHECK])
        .expect_success();
    assert_eq!(output.stdout, "checked hello-world markupsafe\n");

    project.server.clear();
    let output = project.build(&args).expect_success();
    let requested = project.packages_requested();
    let of_pip = |path: &&String| path.starts_with("/simple") || path.starts_with("/pypi");
    assert_eq!(requested.iter().find(of_pip), None, "{}", output.stderr);
}

/// A source archive with these files, by name `….tar.bz2`.
pub(crate) fn source_archive(files: &[(&str, &str)]) -> Vec<u8> {
    let level = bzip2::Compression::fast();
    let mut tar = tar::Builder::new(bzip2::write::BzEncoder::new(Vec::new(), level));
    for (path, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o644);
        header.set_size(content.len() as u64);
        tar.append_data(&mut header, path, content.as_bytes())
            .expect("a tar entry in memory");
    }
    tar.into_inner()
        .and_then(bzip2::write::BzEncoder::finish)
        .expect("an archive in memory")
}

#[test]
fn a_source_archive_is_built_and_changes_nothing_else() {
    let project = Project::new(Store::Containerd);
    let index = fill_index(&project);
    // It also leaves files where it should not, and a module of the environment does whenever python starts.
    let setup = "import os, shutil\nfrom setuptools import setup\nfor path in ('/usr/local/bin', '/opt/conda/share', '/etc'):\n    try:\n        shutil.copy('/bin/sh', path + '/from-setup')\n    except OSError: pass\nsetup(name='from-source', version='1.0', py_modules=['from_source'])\n";
    let module = "import os, shutil\nfor path in ('/usr/local/bin', '/opt/conda/share'):\n    try:\n        os.chmod(shutil.copy('/bin/sh', path + '/from-module'), 0o4755)\n    except OSError: pass\n";
    let site = "lib/python3.13/site-packages";
    let (package, archive) = channel::package(
        "starts",
        "1.0",
        &[
            (&format!("{site}/starts.py"), module, 0o644),
            (&format!("{site}/starts.pth"), "import starts\n", 0o644),
            ("share/starts", "", 0o644),
        ],
    );
    let own = format!("/own/{}", package.path());
    project.server.put(&own, archive);
    let own = format!("{}#{}\n", project.server.url(&own), package.sha256);
    let content = source_archive(&[
        ("from_source-1.0/setup.py", setup),
        ("from_source-1.0/from_source.py", "print('built')\n"),
        (
            "from_source-1.0/PKG-INFO",
            "Metadata-Version: 2.1\nName: from-source\nVersion: 1.0\n",
        ),
    ]);
    let path = "/pypi/from_source-1.0.tar.bz2";
    project.server.put(path, content.clone());
    let pip = line(&project, "from-source", path, &content);
    let conda = lock_text(&project, &["python", "pip"], &own);
    let args = ["--network", "host", "--build-arg", &index];
    let left = || {
        // Python, which may leave more, starts after that.
        let command = "ls /usr/local/bin/from-* /etc/from-* /opt/conda/share/from-*; find /opt/conda -perm /6000 -o -type f -perm -2; python -m from_source";
        let command = ["-c", command];
        let output = project.run(&["--entrypoint", "sh"], &command);
        let stdout = output.expect_success().stdout;
        let left = stdout.strip_suffix("built\n");
        left.unwrap_or_else(|| panic!("{stdout}")).to_owned()
    };
    // Its wheel is linked, without pip.
    project.write(LOCK, conda.clone() + &pip);
    project.build(&args).expect_success();
    assert_eq!(left(), "");

    // The build of the archive would ask this index.
    let index_with_password = "PIP_INDEX_URL=https://me:hunter2@pypi.example/simple";
    let output = project.build(&["--build-arg", index_with_password]);
    let error = error_of(&output.expect_failure());
    let reason = "the build-arg PIP_INDEX_URL has credentials";
    assert!(error.contains(reason), "{error}");

    // A file without a sha256 has pip install everything.
    let unpinned = unpinned(&serve(&project, "hello.world", &hello("1.0")));
    project.write(LOCK, conda + &pip + &unpinned);
    let output = project.build(&args).expect_success();
    assert_eq!(left(), "/opt/conda/share/from-module\n");
    let warning = "pip made files set-uid, set-gid or writable for everyone, or gave them capabilities; the image leaves that out: share/from-module";
    assert!(output.stderr.contains(warning), "{}", output.stderr);
}

fn pip_replaces_what_conda_installed(store: Store) {
    let project = Project::new(store);
    let wheel =
        WheelFile::new("jinja2", "99.0").file("jinja2/__init__.py", "__version__ = '99.0'\n");
    let pip = serve(&project, "Jinja2", &wheel);
    project.write(
        LOCK,
        lock_text(&project, &["python", "pip", "jinja2"], &pip),
    );
    let output = project.build(&[]).expect_success();
    let version = &Channel::open().find("jinja2").version;
    let warning = format!(
        "PackageContents: jinja2 99.0 from PyPI replaces conda's jinja2 {version} (env.lock:"
    );
    assert!(output.stderr.contains(&warning), "{}", output.stderr);
    let code = "import jinja2, os, glob; print(jinja2.__version__); \
                print(sorted(os.listdir(os.path.dirname(jinja2.__file__)))); \
                print([os.path.basename(p) for p in glob.glob(os.path.dirname(jinja2.__file__) + '-*')])";
    let output = project.run(&[], &["python", "-c", code]).expect_success();
    assert_eq!(
        output.stdout,
        "99.0\n['__init__.py', '__pycache__']\n['jinja2-99.0.dist-info']\n"
    );
}

#[test]
fn a_lock_without_pip_gets_one() {
    let project = Project::new(Store::Containerd);
    let mirror = serve_pip(&project);
    let hello = unpinned(&serve(&project, "hello.world", &hello("1.0")));
    project.write(LOCK, lock_text(&project, &["python"], &hello));
    project.build(&["--build-arg", &mirror]).expect_success();
    let code = "python -c \"import glob; print(glob.glob('/opt/conda/lib/python3.13/site-packages/pip*')); print(glob.glob('/.*'))\"";
    let commands = [("hello", "hello 1.0\n"), (code, "[]\n['/.dockerenv']\n")];
    each_prints(|words| project.run(&[], words), &commands);

    // One that is too old to find what a list needs stays, and a newer one is asked.
    let main = "lib/python3.13/site-packages/pip/__main__.py";
    let old = "raise SystemExit('this pip is too old')\n";
    let (old, archive) = channel::package("pip", "20.3", &[(main, old, 0o644)]);
    let path = format!("/own/{}", old.path());
    project.server.put(&path, archive);
    let line = format!("{}#{}\n", project.server.url(&path), old.sha256);
    project.write("old.lock", lock_text(&project, &["python"], &line));
    let index = fill_index(&project);
    project.write(
        LOCK,
        format!(
            "# syntax={}\nenvironments: {{base: old.lock}}\npip: [\"hello-world<2\"]\n",
            frontend()
        ),
    );
    let args = [
        "--network",
        "host",
        "--build-arg",
        &mirror,
        "--build-arg",
        &index,
    ];
    project.build(&args).expect_success();
    let script = ["sh", "-c", "hello; python -m pip"];
    let output = project.run(&[], &script).expect_failure();
    assert_eq!(output.stdout, "hello 1.5\n");
    assert!(
        output.stderr.contains("this pip is too old"),
        "{}",
        output.stderr
    );
}

on_both_stores!(
    locked_wheels_are_installed,
    pip_replaces_what_conda_installed
);

/// On an engine that nothing else uses: a changed wheel changes one layer.
pub(crate) fn a_wheel_changes(project: &Project) {
    let lock = |hello: &WheelFile| {
        let lines = [
            serve(project, "hello.world", hello),
            real(project, "markupsafe"),
        ];
        project.write(
            LOCK,
            lock_text(project, &["python", "pip"], &lines.concat()),
        );
    };
    let unique = |version: &str| {
        let since = std::time::UNIX_EPOCH.elapsed().expect("a clock").as_nanos();
        hello(version).file("hello_world/unique.txt", &since.to_string())
    };
    let first = unique("1.0");
    lock(&first);
    let before = project.push("before", &[]);
    project.packages_requested();

    let again = project.push("again", &[]);
    assert_eq!(again.layers, before.layers);
    assert_eq!(project.packages_requested(), [""; 0]);
    let run = again.steps_run();
    let is_link = |step: &&str| step.starts_with("[pip install ");
    assert_eq!(run.into_iter().find(is_link), None);

    let second = unique("1.1");
    lock(&second);
    let changed = project.push("changed", &[]);
    assert_eq!(
        project.packages_requested(),
        [format!("/pypi/{}", second.file_name())]
    );
    assert_eq!(changed.layers_not_in(&before).len(), 1);
    let run: Vec<&str> = changed.steps_run().into_iter().collect();
    assert!(
        !run.iter().any(|step| step.starts_with("[install ")),
        "{run:?}"
    );
    // The other wheel's step does not run, and nothing has put an image together before the last step.
    let links: Vec<&&str> = run.iter().filter(|step| is_link(step)).collect();
    assert_eq!(links, [&"[pip install 2/2] hello.world"], "{run:?}");
}
