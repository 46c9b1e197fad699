//! How micromamba is called, checked with a script in its place. `installers.rs` compares the results
//! of a real one.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

use condafront_step_spec::install::Installer;
use condafront_steps::install::error::ErrorKind;
use serde_json::Value;

use super::package::Package;
use super::step::Step;

fn packages() -> Vec<Package> {
    vec![
        Package::new("tool")
            .file_with_mode("bin/tool", "tool", 0o755)
            .file("bin/.tool-post-link.sh", "exit 1\n")
            .directory("share/tool")
            .file("conda-meta/tool-pin", "tool 1.0\n"),
        Package::new("pure")
            .noarch_python(&["pure = pure:main"])
            .file("site-packages/pure.py", "def main(): pass\n"),
    ]
}

/// A step with a shell script as its micromamba; `$seen` is a folder where the script can leave files.
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

/// Does what micromamba would do for [`packages`], and leaves the same files behind.
const LINKING: &str = r#"
printf '%s\n' "$@" > $seen/args
/usr/bin/env > $seen/env
while [ $# -gt 0 ]; do
    case $1 in
        --root-prefix) root=$2 ;;
        --prefix) prefix=$2 ;;
        --file) lock=$2 ;;
    esac
    shift
done
PATH=/usr/bin:/bin
cp $lock $seen/lock
for name in tool pure; do
    cp $root/pkgs/$name-1.0-0/info/paths.json $seen/$name-paths
    cp $root/pkgs/$name-1.0-0/info/repodata_record.json $seen/$name-record
done
ls $prefix/conda-meta > $seen/meta
cp $prefix/conda-meta/python-3.13-0.json $seen/python
mkdir -p $prefix/bin $prefix/lib/python3.13/site-packages $prefix/pkgs/cache
ln $root/pkgs/tool-1.0-0/bin/tool $prefix/bin/tool
ln $root/pkgs/pure-1.0-0/site-packages/pure.py $prefix/lib/python3.13/site-packages/pure.py
echo '{"extracted_package_dir": "x"}' > $prefix/conda-meta/tool-1.0-0.json
echo '==> today <==' > $prefix/conda-meta/history
echo rubbish > $prefix/pkgs/cache/urls.txt
mkdir -p $prefix/../../usr/bin
echo rubbish > $prefix/../../usr/bin/tool
echo rubbish > $prefix/../beside
"#;

#[test]
fn it_gets_a_lock_of_the_packages_in_its_cache_and_a_record_of_python() {
    let (step, seen) = step_with_script(LINKING);
    step.run().unwrap();
    let read = |name: &str| fs::read_to_string(seen.join(name)).unwrap();
    let json = |name: &str| -> Value { serde_json::from_str(&read(name)).unwrap() };
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
    let mut lock = String::from("@EXPLICIT\n");
    for (package, facts) in packages().iter().zip(step.facts().packages) {
        let url = format!("file:///channel/linux-64/{}", package.file_name());
        lock += &format!("{url}#{}\n", facts.md5);
        let record = json(&format!("{}-record", facts.name));
        assert_eq!(record["url"], url);
        assert_eq!(record["md5"], facts.md5);
        assert_eq!(record["version"], "1.0");
    }
    assert_eq!(read("lock"), lock);
    assert_eq!(json("pure-record")["noarch"], "python");

    // Not the script, which it would run, the directory, which it cannot link, or the file that
    // would be among its own records.
    let paths = json("tool-paths");
    assert_eq!(paths["paths"].as_array().unwrap().len(), 1);
    assert_eq!(paths["paths"][0]["_path"], "bin/tool");

    assert_eq!(read("meta"), "python-3.13-0.json\n");
    let python = json("python");
    assert_eq!(python["version"], "3.13");
    assert_eq!(
        python["python_site_packages_path"],
        "lib/python3.13/site-packages"
    );
    assert!(!read("env").contains("CONDAFRONT"), "a clean environment");
}

#[test]
fn the_result_is_the_same_as_with_the_native_installer() {
    let (with_script, _) = step_with_script(LINKING);
    with_script.run().unwrap();
    let native = Step::new(&packages());
    native.run().unwrap();
    assert_eq!(with_script.listing(), native.listing());
}

#[test]
fn its_output_is_shown_when_it_fails() {
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
fn it_is_found_where_packages_and_images_have_it() {
    for place in ["bin", "", "usr/bin", "usr/local/bin"] {
        let (step, _) = step_with_script(LINKING);
        let (from, to) = (step.micromamba.join("bin"), step.micromamba.join(place));
        fs::create_dir_all(&to).unwrap();
        fs::rename(from.join("micromamba"), to.join("micromamba")).unwrap();
        step.run().unwrap();
    }
    // In Debian's images, `/bin` is a symlink; an absolute target is relative to the image's own root.
    let (step, _) = step_with_script(LINKING);
    let usr = step.micromamba.join("usr");
    fs::create_dir(&usr).unwrap();
    fs::rename(step.micromamba.join("bin"), usr.join("sbin")).unwrap();
    symlink("/usr/sbin", step.micromamba.join("bin")).unwrap();
    step.run().unwrap();
}

#[test]
fn an_unusable_micromamba_is_an_error() {
    let mut step = Step::new(&packages());
    step.spec.installer = Installer::Micromamba;
    let missing = step.fail();
    let with = |content: &str, mode: u32| {
        let (step, _) = step_with_script("");
        let binary = step.micromamba.join("bin/micromamba");
        fs::write(&binary, content).unwrap();
        fs::set_permissions(&binary, fs::Permissions::from_mode(mode)).unwrap();
        step.fail()
    };
    let locked = with("#!/bin/sh\n", 0o644);
    let dynamic = with("#!/no/such/loader\n", 0o755);
    for error in [&missing, &locked, &dynamic] {
        assert_eq!(error.kind(), ErrorKind::Micromamba);
    }
    insta::assert_snapshot!(format!("{missing}\n{locked}\n{dynamic}"), @"
    there is no micromamba in the given package, folder or image (looked for bin/micromamba, micromamba, usr/bin/micromamba, usr/local/bin/micromamba)
    micromamba cannot be run: Permission denied (os error 13); is the file executable?
    micromamba cannot be run: No such file or directory (os error 2); it must be the static binary from conda-forge's package or mambaorg's images
    ");
}
