//! Bytecode, compiled by a real python in a runtime made by the `python-runtime` step.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use condafront_step_spec::args::StepSpec as _;
use condafront_step_spec::install::PythonRuntimeSpec;
use condafront_steps::install::python_runtime;
use condafront_testkit::channel::{self, Channel};
use tempfile::TempDir;

use super::clashes::install_with;
use super::package::Package;
use super::step::{Step, mount_channel};

/// A root with the glibc that the channel's python needs.
fn base() -> PathBuf {
    let loader = channel::command(Path::new("x"));
    let loader = Path::new(loader.get_program());
    // <base>/usr/lib/<triplet>/ld-….so
    loader.ancestors().nth(4).unwrap().to_owned()
}

/// The python runtime, shared by the tests that run at the same time and removed after the last.
pub(crate) fn runtime() -> Arc<TempDir> {
    static RUNTIME: Mutex<Weak<TempDir>> = Mutex::new(Weak::new());
    let mut shared = RUNTIME.lock().unwrap_or_else(PoisonError::into_inner);
    shared.upgrade().unwrap_or_else(|| {
        let made = Arc::new(make_runtime());
        *shared = Arc::downgrade(&made);
        made
    })
}

fn make_runtime() -> TempDir {
    let mut step = Step::new(&[]);
    let packages = Channel::open().closure(&["python"]);
    mount_channel(&mut step, Channel::open(), &packages);
    let spec = PythonRuntimeSpec {
        version: "3.13".into(),
        subdir: None,
    };
    let args = spec.to_args(&step.packages).unwrap();
    python_runtime(&args[1..], &step.mounts(), &base()).unwrap();
    step.keep_output()
}

fn step(packages: &[Package]) -> Step {
    let mut step = Step::new(packages);
    step.spec.python.as_mut().unwrap().runtime = true;
    step.python = Some(runtime());
    step
}

fn modules() -> Vec<Package> {
    vec![
        Package::new("pure")
            .noarch_python(&[])
            .file("site-packages/pure/__init__.py", "NAME = 'pure'\n")
            .file(
                "site-packages/pure/sets.py",
                "def f(x):\n    return x in {'a', 'b', 'c', 1, 2, None}\n",
            )
            .file("site-packages/pure/old.py", "print 'python 2'\n")
            .file("share/pure.py", "no = 'module'\n"),
        Package::new("more").noarch_python(&[]).file(
            "site-packages/more.py",
            "def f(x):\n    return 'a', 'NAME'\n",
        ),
    ]
}

#[test]
fn modules_are_compiled_for_their_final_place() {
    let step = step(&modules());
    step.run().unwrap();
    assert!(
        step.facts().notices.is_empty(),
        "{:?}",
        step.facts().notices
    );
    let cache = "lib/python3.13/site-packages/pure/__pycache__";
    let mut names: Vec<_> = fs::read_dir(step.prefix().join(cache))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    // `old.py` does not compile, which is not an error.
    assert_eq!(names, ["__init__.cpython-313.pyc", "sets.cpython-313.pyc"]);

    let sets = fs::read(step.prefix().join(cache).join("sets.cpython-313.pyc")).unwrap();
    // PEP 552: flags 1 is a hash that is not checked.
    assert_eq!(sets[4..8], [1, 0, 0, 0]);
    let text = String::from_utf8_lossy(&sets);
    assert!(text.contains("/opt/conda/lib/python3.13/site-packages/pure/sets.py"));
    assert!(!text.contains(&*step.mounts().output.to_string_lossy()));

    let record = step.record("pure").to_string();
    assert!(record.contains("sets.cpython-313.pyc"), "{record}");
    assert!(record.contains(r#""path_type":"pyc_file""#), "{record}");
    assert!(!record.contains("old.cpython-313.pyc"), "{record}");
}

#[test]
fn bytecode_does_not_depend_on_the_group() {
    let all = step(&modules());
    all.run().unwrap();
    let alone = step(&modules()[1..]);
    alone.run().unwrap();
    let path = "lib/python3.13/site-packages/__pycache__/more.cpython-313.pyc";
    let read = |step: &Step| fs::read(step.prefix().join(path)).unwrap();
    assert_eq!(read(&all), read(&alone));
}

#[test]
fn two_runs_give_the_same_bytes() {
    let listings: Vec<String> = (0..2)
        .map(|_| {
            let step = step(&modules());
            step.run().unwrap();
            step.listing()
        })
        .collect();
    assert_eq!(listings[0], listings[1]);
}

#[test]
fn real_packages_give_the_same_bytes_twice() {
    let names = ["jinja2", "requests", "markupsafe"];
    let listings: Vec<String> = (0..2)
        .map(|_| {
            let mut step = step(&[]);
            let packages: Vec<_> = names.iter().map(|n| Channel::open().find(n)).collect();
            mount_channel(&mut step, Channel::open(), &packages);
            step.run().unwrap();
            assert!(
                step.facts().notices.is_empty(),
                "{:?}",
                step.facts().notices
            );
            step.listing()
        })
        .collect();
    assert!(listings[0].contains("jinja2/__pycache__/environment.cpython-313.pyc"));
    assert!(listings[0] == listings[1], "the two runs differ");
}

#[test]
fn a_python_that_cannot_run_is_a_notice() {
    let broken = TempDir::new().unwrap();
    for (path, content) in [
        ("glibc/ld-broken.so", "not a program"),
        ("prefix/bin/python3.13", ""),
    ] {
        let path = broken.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    let mut step = step(&modules());
    step.python = Some(Arc::new(broken));
    step.run().unwrap();
    let notices = step.facts().notices;
    assert_eq!(notices.len(), 2, "{notices:?}");
    assert!(
        notices[0].message.starts_with("pure 1.0: no bytecode"),
        "{notices:?}"
    );
    let cache = "lib/python3.13/site-packages/pure/__pycache__";
    assert!(!step.prefix().join(cache).exists());
}

#[test]
fn a_base_without_glibc_gives_no_runtime() {
    let step = Step::new(&[]);
    let spec = PythonRuntimeSpec {
        version: "3.13".into(),
        subdir: None,
    };
    let args = spec.to_args(&[]).unwrap();
    let base = TempDir::new().unwrap();
    python_runtime(&args[1..], &step.mounts(), base.path()).unwrap();
    let output = step.mounts().output;
    for dir in ["glibc", "prefix"] {
        assert_eq!(fs::read_dir(output.join(dir)).unwrap().count(), 0, "{dir}");
    }
}

/// Python uses this bytecode without looking at the source, so it must be of the source that is there.
#[test]
fn bytecode_fits_the_source_of_the_package_that_has_the_path() {
    let site = "lib/python3.13/site-packages";
    let pure = |name: &str| {
        let text = format!("NAME = '{name}'\n");
        let package = Package::new(name).noarch_python(&[]);
        package.file("site-packages/ns/__init__.py", &text)
    };
    let native = |name: &str| {
        let text = format!("NAME = '{name}'\n");
        Package::new(name).file(&format!("{site}/ns/__init__.py"), &text)
    };
    let cache = format!("{site}/ns/__pycache__/__init__.cpython-313.pyc");
    let with_bytecode = |name: &str| native(name).file(&cache, "shipped");
    let runtime = runtime();
    let broken = |name: &str| {
        let package = Package::new(name).noarch_python(&[]);
        package.file("site-packages/ns/__init__.py", "print 'python 2'\n")
    };
    for (packages, expected) in [
        ([pure("a"), pure("b")], Some("NAME")),
        ([pure("a"), native("b")], None),
        ([native("a"), pure("b")], Some("NAME")),
        ([pure("a"), with_bytecode("b")], Some("shipped")),
        ([with_bytecode("a"), pure("b")], Some("NAME")),
        ([with_bytecode("a"), native("b")], None),
        ([pure("a"), broken("b")], None),
    ] {
        let install = |groups: &[Vec<usize>], stacking: &[usize]| {
            install_with(Some(&runtime), &packages, groups, stacking).unwrap()
        };
        let single = install(&[vec![0, 1]], &[0]);
        for stacking in [[0, 1], [1, 0]] {
            assert_eq!(install(&[vec![0], vec![1]], &stacking), single);
        }
        let found = &single.paths[&format!("/opt/conda/{cache}")];
        match expected {
            Some(text) => assert!(found.contains(text), "{found}"),
            None => assert!(found.ends_with(' '), "not empty: {found}"),
        }
    }
}
