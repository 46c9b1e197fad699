//! The bytecode of the standard library.
//!
//! conda-forge's python has it in its package. Without it, every start of python compiles what it imports.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, UNIX_EPOCH};

use super::debian::{Architecture, Debian};
use super::recipe::{Node, Recipe};

/// Compiles the sources that are named on standard input, one per line and relative to the first argument. The second
/// argument is the folder that the bytecode names as theirs. Bytecode that fits the time of its source is the kind that
/// conda-build makes.
const SCRIPT: &str = "\
import os, py_compile, sys
here, there = sys.argv[1:]
timestamp = py_compile.PycInvalidationMode.TIMESTAMP
for path in sys.stdin.read().splitlines():
    py_compile.compile(os.path.join(here, path), dfile=os.path.join(there, path), doraise=True,
                       invalidation_mode=timestamp)
";

/// Adds the bytecode of all modules in `folder` to a package.
///
/// It is the same on all architectures, so Debian's python for this machine compiles it.
pub(super) fn add(recipe: &mut Recipe, folder: &str) {
    let directory = tempfile::tempdir().expect("a temporary folder");
    let time = UNIX_EPOCH + Duration::from_secs(recipe.time);
    let start = format!("{folder}/");
    let mut sources = Vec::new();
    for (path, node) in &recipe.files {
        let Some(name) = path
            .strip_prefix(&start)
            .filter(|name| name.ends_with(".py"))
        else {
            continue;
        };
        if let Node::File { content, .. } = node {
            let source = directory.path().join(name);
            write(&source, content).expect("a module in a temporary folder");
            let file = fs::File::options().write(true).open(&source);
            file.and_then(|file| file.set_modified(time))
                .expect("a module that was just written");
            sources.push(name.to_owned());
        }
    }
    compile(directory.path(), folder, &sources);
    for name in sources {
        let compiled = bytecode_of(&name);
        let content = fs::read(directory.path().join(&compiled)).expect("the bytecode of a module");
        let node = Node::File {
            content,
            mode: 0o644,
            placeholder: None,
        };
        recipe.files.insert(format!("{folder}/{compiled}"), node);
    }
}

fn write(path: &Path, content: &[u8]) -> std::io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::write(path, content)
}

/// Where python keeps the bytecode of a module.
fn bytecode_of(source: &str) -> String {
    let (folder, name) = match source.rsplit_once('/') {
        Some((folder, name)) => (format!("{folder}/"), name),
        None => (String::new(), source),
    };
    let stem = name.strip_suffix(".py").unwrap_or(name);
    format!("{folder}__pycache__/{stem}.cpython-313.pyc")
}

fn compile(directory: &Path, folder: &str, sources: &[String]) {
    let debian = Debian::open(Architecture::Amd64);
    let program = debian.root("python3.13-minimal").join("usr/bin/python3.13");
    let home = debian.root("libpython3.13-minimal").join("usr");
    let mut child = debian
        .command(&program)
        .args(["-S", "-s", "-B", "-W", "ignore", "-c", SCRIPT])
        .arg(directory)
        .arg(format!("/usr/{folder}"))
        .env_clear()
        .env("PYTHONHOME", home)
        .env("PYTHONHASHSEED", "0")
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::piped())
        .spawn()
        .expect("Debian's python starts");
    let mut input = child.stdin.take().expect("its standard input is a pipe");
    input
        .write_all(sources.join("\n").as_bytes())
        .expect("it reads its input");
    drop(input);
    let status = child.wait().expect("it ends");
    assert!(
        status.success(),
        "Debian's python cannot compile the standard library: {status}"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytecode_is_where_python_looks_for_it() {
        assert_eq!(bytecode_of("os.py"), "__pycache__/os.cpython-313.pyc");
        assert_eq!(
            bytecode_of("json/decoder.py"),
            "json/__pycache__/decoder.cpython-313.pyc"
        );
    }
}
