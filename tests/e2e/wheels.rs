//! Wheels in layers of their own: the image is the one that the environment's pip makes.

use std::collections::BTreeSet;

use condafront_testkit::channel::{Channel, HashStyle, WheelFile};
use condafront_testkit::engine::Store;

use crate::pip::{CHECK, real, serve, unpinned};
use crate::project::{LOCK, Project, on_both_stores};

/// Prints everything in the environment: kind, mode, owner, time and content. The content of bytecode depends on what else
/// its process has compiled, and pip's `RECORD` also lists the programs of a wheel that it leaves out. The inventory has the
/// hashes that the lock has.
const LIST: &str = "
import hashlib, os
for folder, folders, files in os.walk('/opt/conda'):
    folders.sort()
    for name in sorted(folders + files):
        path = os.path.join(folder, name)
        status = os.lstat(path)
        content = ''
        if os.path.islink(path):
            content = os.readlink(path)
        elif os.path.isfile(path) and not name.endswith(('.pyc', '.spdx.json')):
            content = open(path, 'rb').read()
            if name == 'RECORD':
                lines = content.splitlines(True)
                content = b''.join(line for line in lines if b'.data/scripts/odd' not in line)
            content = hashlib.sha256(content).hexdigest()
        print(path, oct(status.st_mode), status.st_uid, status.st_gid, status.st_mtime, content)
";

fn the_image_is_that_of_pip(store: Store) {
    let project = Project::new(store);
    // It replaces a file of a conda package.
    let shadow =
        WheelFile::new("shadow", "1.0").file("idna/package_data.py", "__version__ = 'shadow'\n");
    let mut lines = vec![
        serve(&project, "Odd.Name", &WheelFile::unusual()),
        serve(&project, "shadow", &shadow),
    ];
    // Machine code, data, programs, a stable ABI, and modules without a folder.
    for name in [
        "markupsafe",
        "jupyterlab_pygments",
        "pygments",
        "argon2_cffi_bindings",
        "six",
    ] {
        lines.push(real(&project, name));
    }
    let packages = Channel::open().closure(&["python", "pip", "idna", "cffi"]);
    let conda = project.lock_text(&packages, HashStyle::Sha256);
    project.write(LOCK, format!("{conda}{}", lines.concat()));
    let built = project.build(&[]).expect_success();
    let warning = "OverwrittenFile: lib/python3.13/site-packages/idna/package_data.py of shadow 1.0 replaces the file of idna";
    assert!(built.stderr.contains(warning), "{}", built.stderr);
    let list = |project: &Project| {
        let output = project.run(&["--user", "root"], &["python", "-B", "-c", LIST]);
        output.expect_success().stdout
    };
    let linked = list(&project);
    let output = project.run(&["--user", "root"], &["python", "-B", "-c", CHECK]);
    let checked = "checked argon2-cffi-bindings jupyterlab-pygments markupsafe odd-name pygments shadow six\n";
    assert_eq!(output.expect_success().stdout, checked);
    let script = "set -e; pip list --format=freeze | grep Odd; run-odd; odd; python -c 'import _argon2_cffi_bindings, markupsafe._speedups, idna; print(idna.__version__)'; pip uninstall -qy odd.name six; find /opt/conda -type f -name 'odd*' -o -type f -name 'run-odd'";
    let output = project.run(&[], &["bash", "-c", script]).expect_success();
    assert_eq!(output.stdout, "Odd_Name==1.0+local.1\nodd\nshadow\n");

    // Without a hash, pip installs everything.
    project.write(
        LOCK,
        format!("{conda}{}{}", unpinned(&lines[0]), lines[1..].concat()),
    );
    project.build(&[]).expect_success();
    let installed = list(&project);
    let lines = |text: &str| -> BTreeSet<String> { text.lines().map(str::to_owned).collect() };
    let (linked, installed) = (lines(&linked), lines(&installed));
    let differ: Vec<&String> = linked.symmetric_difference(&installed).collect();
    assert!(differ.is_empty(), "{differ:#?}");
}

on_both_stores!(the_image_is_that_of_pip);
