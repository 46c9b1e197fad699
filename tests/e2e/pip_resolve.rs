//! What pip needs in order to find packages for a list.

use crate::pip::{fill_index, index, source_archive};
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
        ("idna", fewer, "pip jinja2 pip markupsafe\n"),
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
        environment(project, &format!("{conda}, click"), list);
        let more = project.push("more", &args);
        let run = more.steps_run();
        assert!(!run.contains(RESOLVE), "{conda}: {run:?}");
    }

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
