//! What a build does when BuildKit has lost what an earlier one made.

use condafront_testkit::engine::Store;

use crate::image::Image;
use crate::project::Project;

/// Ctrl-C while layers are merged, and a step that fails at that moment, leave a cache behind with which every build would
/// fail.
#[test]
fn what_buildkit_has_lost_is_made_again() {
    let project = Project::fresh(Store::Containerd);
    project.lock(&["jinja2"]);
    // This one fails after the packages are installed and before their layers are merged, which commits them.
    project.write("libc", "");
    let musl = "FROM scratch\nCOPY libc /lib/ld-musl-x86_64.so.1\n";
    let musl = Image::from_dockerfile(&project, musl);
    let base = format!("BASE_IMAGE={}", musl.tag());
    let output = project.build(&["--build-arg", &base]).expect_failure();
    assert!(output.stderr.contains("no glibc"), "{}", output.stderr);
    let lost = project.engine.lose_uncommitted("opt/conda/conda-meta");
    assert!(lost > 2, "{lost}");

    let output = project.build(&[]).expect_success();
    let merge = "failed to finalize parent during merge";
    assert!(output.stderr.contains(merge), "{}", output.stderr);
    let import = ["python", "-c", "import jinja2; print(jinja2.__name__)"];
    let output = project.run(&[], &import).expect_success();
    assert_eq!(output.stdout, "jinja2\n");
    // That mended the cache.
    let output = project.build(&[]).expect_success();
    assert!(!output.stderr.contains(merge), "{}", output.stderr);
    assert!(!output.stderr.contains("ERROR"), "{}", output.stderr);
}
