//! The user's command is the container's main process, with nothing between it and the engine.

use condafront_testkit::engine::Store;

use crate::activation::built;
use crate::contents;
use crate::image::Container;
use crate::project::Project;

/// A project with an image whose packages have no activation scripts.
fn plain() -> Project {
    contents::built(Store::Containerd)
}

#[test]
fn the_command_is_process_1_and_gets_signals() {
    const PROGRAM: &str = "
import os, signal, sys
def stop(*_):
    print('stopped')
    sys.exit(7)
signal.signal(signal.SIGTERM, stop)
print('process', os.getpid(), open('/proc/1/cmdline').read().split('\\0')[0], flush=True)
signal.pause()
";
    // With a script that a shell must source at the start, and without.
    for project in [built(), plain()] {
        let container = Container::start(&project, &[], &["python", "-c", PROGRAM]);
        container.wait_for("process 1 python");
        let (code, output) = container.stop();
        assert_eq!((code, output.as_str()), (7, "process 1 python\nstopped\n"));
    }
}

#[test]
fn arguments_and_exit_codes_pass_through() {
    let project = built();
    let command = ["printf", "<%s>", "a b", "", "*", "$HOME", "'", "-x"];
    let output = project.run(&[], &command).expect_success();
    assert_eq!(output.stdout, "<a b><><*><$HOME><'><-x>");
    assert_eq!(output.stderr, "");
    let code = |command: &[&str]| project.run(&[], command).status.code();
    assert_eq!(code(&["sh", "-c", "exit 42"]), Some(42));
    assert_eq!(code(&["/etc/passwd"]), Some(126));
    // The base image's own command: a shell with empty input.
    assert_eq!(code(&[]), Some(0));
}

#[test]
fn a_missing_command_is_named() {
    let output = plain().run(&[], &["nonsense", "-x"]).expect_failure();
    assert_eq!(output.status.code(), Some(127));
    assert_eq!(
        output.stderr,
        "condafront-entrypoint: nonsense: command not found\n"
    );
}
