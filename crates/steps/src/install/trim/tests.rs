//! Which paths belong to which part.

use super::*;
use condafront_step_spec::install::Trim;

#[test]
fn every_path_has_its_part() {
    let mut table = String::new();
    for path in [
        "lib/python3.13/__pycache__/os.cpython-313.pyc",
        "lib/python3.13/site-packages/old/module.pyc",
        "share/man/man1/curl.1",
        "share/doc/curl/README.md",
        "share/doc/curl/COPYING.txt",
        "share/licenses/curl/LICENSE",
        "man/man1/xz.1",
        "share/jupyter/lab/index.html",
        "include/zlib.h",
        "include/python3.13/Python.h",
        "include/python3.13/pyconfig.h",
        "lib/python3.13/site-packages/numpy/_core/include/numpy/arrayobject.h",
        "lib/libasan.so.8.0.0",
        "lib/libubsan.so",
        "lib/gcc/x86_64-conda-linux-gnu/14.2.0/libtsan.a",
        "lib/libasan_preinit.o",
        "lib/clang/19/lib/linux/libclang_rt.asan-x86_64.so",
        "lib/clang/19/lib/linux/libclang_rt.builtins-x86_64.a",
        "lib/libsantoku.so",
        "share/jupyter/lab/static/main.js.map",
        "share/jupyter/lab/static/main.js",
        "lib/python3.13/site-packages/x/style.css.map",
        "share/world.map",
        "lib/libz.a",
        "lib/libz.so",
        "lib/libLLVM.so.a.txt",
        "lib/python3.13/config-3.13-x86_64-linux-gnu/libpython3.13.a",
        "lib/python3.13/site-packages/numpy/_core/lib/libnpymath.a",
        "lib/gcc/x86_64-conda-linux-gnu/14.2.0/libgcc.a",
        "x86_64-conda-linux-gnu/sysroot/usr/lib64/libc_nonshared.a",
        "lib/python3.13/site-packages/numpy/linalg/tests/test_linalg.py",
        "lib/python3.13/site-packages/numpy/linalg/tests/data/a.csv",
        "lib/python3.13/site-packages/numpy/testing/__init__.py",
        "lib/python3.13/site-packages/pandas/tests/io/tests/x.py",
        "lib/python3.13/site-packages/django/test/client.py",
        "lib/python3.13/site-packages/tests/__init__.py",
        "lib/python3.13/site-packages/numpy/tests.py",
        "lib/python3.13/test/test_os.py",
        "lib/python3.13/test/support/__init__.py",
        "lib/python3.13/test/__init__.py",
        "lib/python3.13/idlelib/idle_test/test_text.py",
        "lib/python3.13/unittest/case.py",
        "share/app/tests/data.txt",
        "bin/python3.13",
    ] {
        let parts: Vec<Trim> = Trim::ALL
            .into_iter()
            .filter(|part| belongs(path, *part))
            .collect();
        let parts = serde_json::to_string(&parts).unwrap();
        table.push_str(&format!("{parts:<24}{path}\n"));
    }
    insta::assert_snapshot!(table);
}

#[test]
fn the_outermost_folder_of_tests_counts() {
    let folder = |path: &str| tests_folder(path).map(str::to_owned);
    let of = |path: &str| folder(&format!("lib/python3.13/site-packages/{path}"));
    assert_eq!(of("a/tests/b/tests/c.py").as_deref(), Some("a/tests"));
    assert_eq!(of("a/b/tests/c.py").as_deref(), Some("a/b/tests"));
    assert_eq!(of("tests/a/tests/b.py").as_deref(), Some("tests/a/tests"));
    assert_eq!(folder("lib/python3.13/test/a.py").as_deref(), Some("test"));
}

#[test]
fn files_that_are_too_large_for_modules_are_not_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.py");
    let file = fs::File::create(&path).unwrap();
    for (size, is_read) in [(LARGEST_MODULE, true), (LARGEST_MODULE + 1, false)] {
        file.set_len(size).unwrap();
        assert_eq!(source(&path).unwrap().is_some(), is_read, "{size}");
    }
}
