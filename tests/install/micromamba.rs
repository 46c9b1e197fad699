//! Linking with micromamba: how it is called, checked with a script in its place, and what a real
//! one does, where the variable `MICROMAMBA` names one.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use condafront::install::error::ErrorKind;
use condafront::install::spec::Installer;
use condafront_testkit::channel::Channel;

use super::package::Package;
use super::step::{Step, mount_channel};

fn packages() -> Vec<Package> {
    vec![
        Package::new("tool").file_with_mode("bin/tool", "tool", 0o755),
        Package::new("pure")
            .noarch_python(&["pure = pure:main"])
            .file("site-packages/pure.py", "def main(): pass\n"),
    ]
}

/// A step with a shell script for a micromamba; `$seen` is a folder where it can leave things.
fn step_with_script(script: &str) -> (Step, PathBuf) {
    let mut step = Step::new(&packages());
    step.spec.installer = Installer::Micromamba;
    let bin = step.micromamba.join("bin");
    fs::create_dir_all(&bin).unwrap();
    let seen = step.micromamba.join("seen");
    fs::create_dir(&seen).unwrap();
    let path = bin.join("micromamba");
    let text = format!("#!/bin/sh\nset -e\nseen={}\n{script}", seen.display());
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    (step, seen)
}

/// Does what micromamba would do for [`packages`], and leaves what it leaves.
const LINKING: &str = r#"
printf '%s\n' "$@" > $seen/args
/usr/bin/env > $seen/env
while [ $# -gt 0 ]; do
    case $1 in
        --prefix) prefix=$2 ;;
        --file) lock=$2 ;;
    esac
    shift
done
PATH=/usr/bin:/bin
cp $lock $seen/lock
grep file: $lock | sed 's,file://,,; s,#.*,,' | while read archive; do test -f $archive; done
ls $prefix/conda-meta > $seen/meta
cat $prefix/conda-meta/python-3.13-0.json > $seen/python
mkdir -p $prefix/bin $prefix/lib/python3.13/site-packages $prefix/pkgs/cache
printf tool > $prefix/bin/tool
printf 'def main(): pass\n' > $prefix/lib/python3.13/site-packages/pure.py
echo '{"extracted_package_dir": "x"}' > $prefix/conda-meta/tool-1.0-0.json
echo rubbish > $prefix/pkgs/cache/urls.txt
"#;

#[test]
fn it_gets_a_lock_of_files_and_a_record_of_python() {
    let (step, seen) = step_with_script(LINKING);
    step.run().unwrap();
    let read = |name: &str| fs::read_to_string(seen.join(name)).unwrap();
    let output = step.mounts().output;
    let args = read("args").replace(&*output.to_string_lossy(), "/out");
    insta::assert_snapshot!(args, @"
    install
    --yes
    --quiet
    --no-rc
    --no-deps
    --offline
    --no-pyc
    --root-prefix
    /out/.work/root
    --prefix
    /out/opt/conda
    --relocate-prefix
    /opt/conda
    --file
    /out/.work/explicit.txt
    ");
    let facts = step.facts();
    let lock = read("lock").replace(&*output.to_string_lossy(), "/out");
    let expected = format!(
        "@EXPLICIT\n\
         file:///out/.work/channel/linux-64/tool-1.0-0.conda#{}\n\
         file:///out/.work/channel/linux-64/pure-1.0-0.conda#{}\n",
        facts.packages[0].md5, facts.packages[1].md5
    );
    assert_eq!(lock, expected);
    assert_eq!(read("meta"), "history\npython-3.13-0.json\n");
    let python: serde_json::Value = serde_json::from_str(&read("python")).unwrap();
    assert_eq!(python["version"], "3.13");
    assert_eq!(
        python["python_site_packages_path"],
        "lib/python3.13/site-packages"
    );
    assert!(!read("env").contains("CONDAFRONT"), "a clean environment");
}

#[test]
fn the_result_is_that_of_the_native_installer() {
    let (with_script, _) = step_with_script(LINKING);
    with_script.run().unwrap();
    let native = Step::new(&packages());
    native.run().unwrap();
    assert_eq!(with_script.listing(), native.listing());
}

#[test]
fn what_it_says_when_it_fails_is_shown() {
    let (step, _) = step_with_script("echo 'critical libmamba No space' >&2; exit 1\n");
    let error = step.fail();
    assert_eq!(error.kind(), ErrorKind::Micromamba);
    insta::assert_snapshot!(error, @"
    micromamba failed (exit status: 1):
    critical libmamba No space
    ");
}

#[test]
fn a_file_that_it_did_not_link_is_an_error() {
    let (step, _) = step_with_script("exit 0\n");
    let error = step.fail();
    assert_eq!(error.kind(), ErrorKind::Link);
    assert!(
        error.to_string().contains("bin/tool was not linked"),
        "{error}"
    );
}

#[test]
fn a_missing_micromamba_is_an_error() {
    let mut step = Step::new(&packages());
    step.spec.installer = Installer::Micromamba;
    let error = step.fail();
    assert_eq!(error.kind(), ErrorKind::Micromamba);
}

#[test]
fn a_real_one_gives_the_files_of_the_native_installer() {
    let Some(micromamba) = std::env::var_os("MICROMAMBA") else {
        eprintln!("skipped: MICROMAMBA names no micromamba binary");
        return;
    };
    let channel = Channel::small();
    let packages: Vec<_> = channel
        .packages()
        .iter()
        .filter(|package| matches!(package.subdir.as_str(), "linux-64" | "noarch"))
        .filter(|package| package.version == channel.find(&package.name).version)
        .collect();
    let listings: Vec<String> = [Installer::Native, Installer::Micromamba]
        .into_iter()
        .map(|installer| {
            let mut step = Step::new(&[]);
            step.spec.installer = installer;
            step.micromamba = Path::new(&micromamba).parent().unwrap().to_owned();
            mount_channel(&mut step, channel, &packages);
            step.run().unwrap();
            step.listing()
        })
        .collect();
    assert_eq!(listings[0], listings[1]);
}
