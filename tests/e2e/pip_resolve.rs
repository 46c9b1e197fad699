//! What pip needs in order to find packages for a list.

use condafront_testkit::channel::WheelFile;

use crate::pip::{fill_index, index, source_archive};
use crate::pip_lists;
use crate::project::{LOCK, Project, frontend};

/// Writes an environment file with these conda packages and this list for pip.
fn environment(project: &Project, conda: &str, list: &str) {
    let text = format!(
        "# syntax={}\n# check=experimental=DuplicateDistribution\nchannels: [\"{}\"]\ndependencies: [python, pip, {conda}, pip: [{list}]]\n",
        frontend(),
        project.channel()
    );
    project.write(LOCK, text);
}

/// What was requested from the index.
fn of_index(project: &Project) -> Vec<String> {
    let requested = project.packages_requested().into_iter();
    requested
        .filter(|path| path.starts_with("/simple"))
        .collect()
}

/// The step in which pip finds packages.
const RESOLVE: &str = "[pip] resolve the requirements";

/// Python, pip and the other packages' metadata, unless pip must build what needs more. On an engine that nothing else uses.
pub(crate) fn pip_sees_what_it_needs(project: &Project) {
    let index_arg = fill_index(project);
    let args = ["--network", "host", "--build-arg", &index_arg];
    // markupsafe is conda's, of which pip sees only the metadata.
    let list = "hello.world<2, markupsafe";
    environment(project, "markupsafe", list);
    let built = project.build(&args).expect_success();
    let told = "DuplicateDistribution: `markupsafe` comes from PyPI, and is in the conda package `markupsafe` too";
    assert!(built.stderr.contains(told), "{}", built.stderr);
    assert!(!of_index(project).is_empty());
    let code = "from importlib.metadata import distributions; print(*sorted((d.read_text('INSTALLER') or 'conda').strip() + ' ' + d.name for d in distributions() if d.name.lower() in ('markupsafe', 'hello_world')))";
    let output = project.run(&[], &["python", "-c", code]).expect_success();
    assert_eq!(output.stdout, "conda MarkupSafe pip hello_world\n");

    // Another conda package asks nothing again, not even if it has modules, of which pip sees the metadata.
    for conda in ["markupsafe, bumpme", "markupsafe, idna"] {
        environment(project, conda, list);
        let built = project.push("more", &args);
        assert_eq!(of_index(project), [""; 0]);
        let run = built.steps_run();
        assert!(!run.contains(RESOLVE), "{run:?}");
    }
    // One that the list needs does, and so does its absence. The result is the same as if pip sees everything from the start.
    let fewer = "hello.world<2, jinja2";
    let versions = "from importlib.metadata import distributions; print(*sorted((d.read_text('INSTALLER') or 'conda').strip() + ' ' + d.name.lower() for d in distributions() if d.name.lower() in ('markupsafe', 'jinja2')))";
    for (conda, list, expected) in [
        ("idna", list, "pip markupsafe\n"),
        ("idna, markupsafe", fewer, "conda markupsafe pip jinja2\n"),
        ("idna, jinja2", fewer, "conda jinja2 conda markupsafe\n"),
    ] {
        environment(project, conda, list);
        let built = project.push("found", &args);
        let run = built.steps_run();
        assert!(run.contains(RESOLVE), "{conda}: {run:?}");
        if conda == "idna, markupsafe" {
            let whole = project.push("whole", &[&args[..], &["--no-cache"]].concat());
            assert_eq!(built.layers, whole.layers);
        }
        project.build(&args).expect_success();
        let output = project.run(&[], &["python", "-c", versions]);
        assert_eq!(output.expect_success().stdout, expected, "{conda}");
    }
    // Nor does another package ask again after that.
    environment(project, "idna, jinja2, click", fewer);
    let more = project.push("more", &args);
    let run = more.steps_run();
    assert!(!run.contains(RESOLVE), "{run:?}");

    let setup = "import glob\nfrom setuptools import setup\nassert glob.glob('/opt/conda/conda-meta/bumpme-*'), 'bumpme is missing'\nsetup(name='needs-all', version='1.0', py_modules=['needs_all'])\n";
    let archive = source_archive(&[
        ("needs_all-1.0/setup.py", setup),
        ("needs_all-1.0/needs_all.py", "print('built')\n"),
    ]);
    index(
        project,
        "needs-all",
        &[("needs_all-1.0.tar.bz2".to_owned(), archive)],
    );
    environment(project, "bumpme", "needs-all");
    project.build(&args).expect_success();
    let output = project
        .run(&[], &["python", "-m", "needs_all"])
        .expect_success();
    assert_eq!(output.stdout, "built\n");
}

/// What pip does for one environment is not done again if another one changes, and the image has all. On an engine that
/// nothing else uses.
pub(crate) fn environments_have_their_own_pip(project: &Project) {
    let index_arg = fill_index(project);
    let args = ["--network", "host", "--build-arg", &index_arg];
    let channel = project.channel();
    let app =
        "from setuptools import setup\nsetup(name='app', version='1.0', py_modules=['app'])\n";
    pip_lists::write(project, "app/setup.py", app);
    pip_lists::write(project, "app/app.py", "import sys; print(sys.prefix)\n");
    let file = |conda: &str, list: &str| {
        format!(
            "channels: [\"{channel}\"]\ndependencies: [python, pip, setuptools, {conda}, pip: [{list}]]\n"
        )
    };
    project.write("tools.yml", file("certifi", "./app, hello.world<2"));
    // pip replaces what conda brings.
    let newer = WheelFile::new("idna", "99.0").file("idna/newer.py", "");
    index(project, "idna", &[(newer.file_name(), newer.build())]);
    let with_pip = |conda: &str| file(&format!("idna, {conda}"), "idna==99.0");
    project.write("base.yml", with_pip("bumpme"));
    project.write(
        LOCK,
        format!(
            "# syntax={}\nenvironments: {{base: base.yml, tools: tools.yml}}\n",
            frontend()
        ),
    );
    let first = project.push("first", &args);
    let run = first.steps_run();
    for environment in ["base", "tools"] {
        let step = format!("[pip {environment}] resolve the requirements");
        assert!(run.contains(step.as_str()), "{run:?}");
    }
    for (changed, by, other) in [
        ("base.yml", with_pip("bumpme, click"), "tools"),
        ("tools.yml", file("click", "./app, hello.world<2"), "base"),
    ] {
        project.write(changed, by);
        let next = project.push("next", &args);
        let run = next.steps_run();
        assert!(run.contains("[image] put the layers together"), "{run:?}");
        // What is downloaded is asked for, and what pip is told is written down.
        let repeated = run.iter().find(|name| {
            let is_of_pip = ["[pip ", "[pip install "].map(|kind| format!("{kind}{other}"));
            let is_cheap =
                name.contains(" download ") || name.ends_with(" metadata of the other packages");
            is_of_pip.iter().any(|kind| name.starts_with(kind)) && !is_cheap
        });
        assert!(repeated.is_none(), "{changed}: {run:?}");
    }
    project.build(&args).expect_success();
    let code = "import app, markupsafe; from importlib.metadata import version; print(version('hello_world'))";
    let output = project.run(&["-e", "ENV_NAME=tools"], &["python", "-c", code]);
    let output = output.expect_success().stdout;
    assert!(output.starts_with("/opt/conda/envs/tools\n"), "{output}");
    let code = "from importlib.metadata import version; import idna.newer; print(version('idna')); import idna.core";
    let output = project.run(&[], &["python", "-c", code]).expect_failure();
    assert_eq!(output.stdout, "99.0\n");
    // What conda had is gone.
    assert!(
        output.stderr.contains("No module named 'idna.core'"),
        "{}",
        output.stderr
    );
}
