//! Conda packages that only the steps that build wheels see.

use std::collections::BTreeSet;

use condafront_testkit::engine::Store;
use sha2::{Digest as _, Sha256};

use crate::failure::Failures;
use crate::pip::{fill_index, hello, index, source_archive};
use crate::pip_lists::write;
use crate::project::{LOCK, Project, frontend, on_both_stores};

/// A package that is built with what the activation script of `activate-demo` sets.
const SETUP: &str = "\
import os
from setuptools import setup
home = os.environ['ACTIVATE_DEMO_HOME']
assert os.path.isfile(home + '/readme.txt'), home
open('compiled.py', 'w').write(f'print({home!r})\\n')
setup(name='compiled', version='1.0', py_modules=['compiled'])
";

/// An env.yml with python, this list and this image section.
fn environment(project: &Project, list: &[&str], section: &str) {
    let channel = project.channel();
    let list: String = list
        .iter()
        .map(|entry| format!("      - \"{entry}\"\n"))
        .collect();
    let text = format!(
        "# syntax={}\nchannels: [\"{channel}\"]\ndependencies:\n  - python\n  - bumpme=1.0\n  - pip:\n{list}{section}",
        frontend()
    );
    project.write(LOCK, text);
}

fn builds_see_packages_that_the_image_does_not_have(store: Store) {
    let project = Project::new(store);
    let env = fill_index(&project);
    let sdist = source_archive(&[
        ("compiled-1.0/setup.py", SETUP),
        (
            "compiled-1.0/PKG-INFO",
            "Metadata-Version: 2.1\nName: compiled\nVersion: 1.0\n",
        ),
    ]);
    index(
        &project,
        "compiled",
        &[("compiled-1.0.tar.bz2".to_owned(), sdist)],
    );
    let pyproject =
        "[build-system]\nrequires = [\"setuptools\"]\nbuild-backend = \"setuptools.build_meta\"\n";
    write(&project, "app/pyproject.toml", pyproject);
    write(&project, "app/setup.py", &SETUP.replace("compiled", "app"));
    let args = ["--network", "host", "--build-arg", &env];

    if store == Store::Containerd {
        let mut failures = Failures::new(&project);
        for (title, section) in [
            ("without the package", ""),
            (
                "another version than the environment has",
                "condafront:\n  build:\n    - bumpme=2.0\n",
            ),
            (
                "a package that no channel has",
                "condafront:\n  build:\n    - not-there\n",
            ),
        ] {
            environment(&project, &["./app"], section);
            failures.add_output(title, project.build(&args));
        }
        insta::assert_snapshot!(failures.text());
    }

    // For one of them, pip must also run the sources to learn what they need.
    write(&project, "edited/pyproject.toml", pyproject);
    let setup = SETUP
        .replace("compiled", "edited")
        .replace("open(", "0 and open(");
    write(&project, "edited/setup.py", &setup);
    write(&project, "edited/edited.py", "print('edited')\n");
    let section = "condafront:\n  build: [activate-demo, bumpme]\n  workdir: /srv/work\n";
    environment(&project, &["./app", "compiled", "-e ./edited"], section);
    project.build(&args).expect_success();
    let script = "python -m app; python -m compiled; python -m edited; cd /opt/conda; ls share/activate-demo etc/conda/activate.d conda-meta 2>/dev/null | grep activate-demo; grep -c activate-demo share/sbom/condafront.spdx.json; echo [$ACTIVATE_DEMO_HOME]; pip check";
    let (plain, said) = paths_and(&project, script);
    assert_eq!(
        said,
        "/opt/conda/share/activate-demo\n/opt/conda/share/activate-demo\nedited\n0\n[]\nNo broken requirements found.\n"
    );

    // Only how a step's root is put together depends on the store.
    if store == Store::Containerd {
        what_is_editable_sees_them(&project, &args, &plain);
        what_is_beside_a_lock_sees_them(&project, &args);
    }
}

/// All paths in the environment, and what a script prints.
fn paths_and(project: &Project, script: &str) -> (BTreeSet<String>, String) {
    let script =
        format!("(cd /opt/conda; find . ! -type d; find . -type d -empty); echo --; {script}");
    let output = project.run(&[], &["sh", "-c", &script]).expect_success();
    let (paths, said) = output.stdout.split_once("--\n").expect("both");
    let paths: BTreeSet<String> = paths.lines().map(str::to_owned).collect();
    (paths, said.to_owned())
}

/// In the image, only what is editable is different from `plain`.
fn what_is_editable_sees_them(project: &Project, args: &[&str], plain: &BTreeSet<String>) {
    project
        .build(&[args, &["--target", "dev"]].concat())
        .expect_success();
    let script = "cd /; python -m edited; echo \"print('changed')\" > /srv/work/edited/edited.py; python -m edited; pip check; pip list -e --format=freeze; echo [$ACTIVATE_DEMO_HOME]";
    let (editable, said) = paths_and(project, script);
    assert_eq!(
        said,
        "edited\nchanged\nNo broken requirements found.\nedited==1.0\n[]\n"
    );
    let new: Vec<&String> = editable.difference(plain).collect();
    assert!(!new.is_empty());
    assert!(new.iter().all(|path| path.contains("edited")), "{new:?}");
    let gone: Vec<&String> = plain.difference(&editable).collect();
    assert!(gone.iter().all(|path| path.contains("edited")), "{gone:?}");
}

/// What the lock names is there before pip asks the sources of the list.
fn what_is_beside_a_lock_sees_them(project: &Project, args: &[&str]) {
    let wheel = hello("1.0");
    let content = wheel.build();
    let (name, hash) = (wheel.file_name(), hex::encode(Sha256::digest(&content)));
    std::fs::write(project.path(&name), content).expect("a wheel");
    let lock = format!(
        "lock-version = '1.0'\n[[packages]]\nname = 'hello'\nwheels = [{{path = '{name}', hashes = {{sha256 = '{hash}'}}}}]\n"
    );
    write(project, "pylock.toml", &lock);
    let section = "condafront:\n  build: [activate-demo, bumpme]\n";
    environment(project, &["-r pylock.toml", "compiled"], section);
    project.build(args).expect_success();
    let script = "python -m compiled; ls /opt/conda/share | grep -c activate-demo; pip check";
    let output = project.run(&[], &["sh", "-c", script]).expect_success();
    assert_eq!(
        output.stdout,
        "/opt/conda/share/activate-demo\n0\nNo broken requirements found.\n"
    );
}

on_both_stores!(builds_see_packages_that_the_image_does_not_have);
