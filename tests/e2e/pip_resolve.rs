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

    // Another conda package asks nothing again.
    environment(project, "markupsafe, bumpme", list);
    project.build(&args).expect_success();
    assert_eq!(of_index(project), [""; 0]);

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
