//! Post-link scripts.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use condafront_step_spec::args::StepSpec as _;
use condafront_step_spec::install::{PostLinkPackage, PostLinkSpec};
use condafront_steps::install::error::{Error, ErrorKind};
use condafront_steps::install::post_link;
use filetime::FileTime;
use tempfile::TempDir;

/// A prefix with the script of a package `demo` and some older files.
fn prefix(script: &str) -> TempDir {
    let prefix = TempDir::new().unwrap();
    for (path, content) in [
        ("bin/.demo-post-link.sh", script),
        ("share/old", "old"),
        ("share/removed", "removed"),
        ("etc/conda/activate.d/b.sh", "export FROM_B=\"$FROM_A b\"\n"),
        ("etc/conda/activate.d/a.sh", "export FROM_A=a\n"),
    ] {
        let path = prefix.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        filetime::set_file_mtime(&path, FileTime::from_unix_time(1_000_000_000, 0)).unwrap();
    }
    prefix
}

/// Runs the step in `prefix`, and also returns what it printed.
fn run(prefix: &TempDir) -> (Result<(), Error>, String) {
    let owner = fs::metadata(prefix.path()).unwrap();
    let spec = PostLinkSpec {
        prefix: prefix.path().to_str().unwrap().into(),
        root_prefix: "/opt/conda".into(),
        uid: owner.uid(),
        gid: owner.gid(),
        packages: ["absent", "demo"]
            .map(|name| PostLinkPackage {
                name: name.into(),
                version: "1.5".into(),
                build_number: 7,
            })
            .into(),
    };
    let mut log = Vec::new();
    let result = post_link(&spec.to_args(&[]).unwrap()[1..], &mut log);
    (result, String::from_utf8(log).unwrap())
}

fn mtime(path: &Path) -> i64 {
    fs::symlink_metadata(path).unwrap().mtime()
}

#[test]
fn a_script_sees_the_active_environment() {
    let prefix = prefix(
        "echo $PKG_NAME $PKG_VERSION $PKG_BUILDNUM\n\
         [ \"$PREFIX\" = \"$CONDA_PREFIX\" ] && echo $PREFIX\n\
         echo ${PATH%%:*}; echo $FROM_B; echo error >&2; echo bye > $PREFIX/.messages.txt\n",
    );
    let (result, log) = run(&prefix);
    result.unwrap();
    let dir = prefix.path().display();
    assert_eq!(
        log,
        format!("demo 1.5 7\n{dir}\n{dir}/bin\na b\nerror\nbye\n")
    );
    assert!(!prefix.path().join(".messages.txt").exists());
}

#[test]
fn changed_files_get_the_usual_times() {
    let prefix = prefix(
        "mkdir $PREFIX/new; echo x > $PREFIX/new/file; ln -s file $PREFIX/new/link\n\
         chmod 700 $PREFIX/new/file; rm $PREFIX/share/removed\n",
    );
    run(&prefix).0.unwrap();
    for path in ["new", "new/file", "new/link", "share", ""] {
        assert_eq!(mtime(&prefix.path().join(path)), 315_532_800, "{path}");
    }
    assert_eq!(mtime(&prefix.path().join("share/old")), 1_000_000_000);
    let mode = fs::metadata(prefix.path().join("new/file")).unwrap();
    assert_eq!(mode.permissions().mode() & 0o777, 0o700);
}

#[test]
fn a_failing_script_fails_with_its_output() {
    let (result, log) = run(&prefix("echo it went wrong >&2\nexit 3\n"));
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PostLink);
    assert_eq!(error.package(), Some(1));
    assert_eq!(log, "it went wrong\n");
    insta::assert_snapshot!(error, @"
    the post-link script of demo 1.5 failed (exit status: 3) and printed:
    it went wrong
    ");
}

#[test]
fn unchanged_files_are_not_touched() {
    let prefix = prefix("true\n");
    let changed = || {
        let metadata = fs::metadata(prefix.path().join("share/old")).unwrap();
        (metadata.ctime(), metadata.ctime_nsec())
    };
    let before = changed();
    run(&prefix).0.unwrap();
    assert_eq!(changed(), before);
}
