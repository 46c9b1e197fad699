//! The channel's python, linked by hand, runs with the channel's libraries and packages.

use std::path::Path;

use condafront_testkit::channel::{self, Channel};
use condafront_testkit::engine::run;
use condafront_testkit::layout::lay_out;

/// Runs `code` in the prefix, without this machine's environment, and returns what it prints.
fn python(prefix: &Path, code: &str) -> String {
    let mut command = channel::command(&prefix.join("bin/python"));
    command.env_clear().args(["-c", code]);
    run(&mut command).expect_success().stdout
}

#[test]
fn python_and_packages_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let prefix = folder.path().join("opt/conda");
    let prefix_text = prefix.to_str().expect("a UTF-8 path");
    let channel = Channel::open();
    let packages = channel.closure(&[
        "python",
        "pip",
        "pandas",
        "requests",
        "lxml",
        "pillow",
        "cryptography",
        "jinja2",
        "noarch-demo",
    ]);
    lay_out(channel, &packages, &prefix, prefix_text);

    let code = "import ssl, sqlite3, ctypes, zlib, bz2, lzma, json, hashlib, uuid, readline, \
                curses.panel, decimal, multiprocessing, sys; \
                print(sqlite3.connect(':memory:').execute('select 6*7').fetchone()[0], sys.prefix)";
    assert_eq!(python(&prefix, code), format!("42 {prefix_text}\n"));

    // Every library comes from the prefix, except those of libc.
    let code = "import ssl, sqlite3, ctypes, bz2, lzma, uuid, readline, curses, pyexpat
for line in open('/proc/self/maps'):
    path = line.split()[-1]
    if '.so' in path: print(path)";
    let libc = ["ld-linux-x86-64.so.2", "libc.so.6", "libm.so.6"];
    for library in python(&prefix, code).lines() {
        let name = library.rsplit('/').next().unwrap_or(library);
        assert!(
            library.starts_with(prefix_text) || libc.contains(&name),
            "{library}"
        );
    }

    let code = "import sysconfig, site; print(sysconfig.get_path('purelib')); \
                print(sysconfig.get_path('scripts')); print(sysconfig.get_config_var('BINDIR'))";
    assert_eq!(
        python(&prefix, code),
        format!(
            "{prefix_text}/lib/python3.13/site-packages\n{prefix_text}/bin\n{prefix_text}/bin\n"
        )
    );
    let code = "import pandas, requests, lxml.etree, PIL.Image, jinja2, noarch_demo
from cryptography.hazmat.primitives import hashes
print(pandas.DataFrame({'a': [1, 2, 3]}).a.sum())";
    assert_eq!(python(&prefix, code), "6\n");
    let code = "import pip._internal.cli.main as m, sys; sys.exit(m.main(['check']))";
    assert_eq!(python(&prefix, code), "No broken requirements found.\n");
}

#[test]
fn prefixes_are_replaced() {
    let folder = tempfile::tempdir().expect("a folder");
    let prefix = folder.path().to_str().expect("a UTF-8 path");
    let channel = Channel::small();
    let packages = [channel.find("prefix-demo"), channel.find("text-prefix")];
    lay_out(channel, &packages, folder.path(), prefix);
    let mut command = std::process::Command::new(folder.path().join("bin/prefix-demo"));
    assert_eq!(
        run(&mut command).expect_success().stdout,
        format!("program {prefix}\nlibrary {prefix}\nmessage found\n")
    );
    let script = std::fs::read_to_string(folder.path().join("bin/text-prefix")).expect("a script");
    assert!(script.starts_with(&format!("#!{prefix}/bin/python\n")));
}
