//! Why a package's own build failed: the first real reason in pip's output, whose end is generic.

use condafront_model::visible;

/// Where pip, since 22.0, begins to show what a build printed: `╰─> [34 lines of output]`.
const START: &str = "lines of output]";

/// The same in pip 19.2 to 21.3: `Complete output (34 lines):`.
const OLD_START: &str = "Complete output (";

/// Where that ends.
const END: &str = "[end of output]";

/// The same in pip 19.2 to 21.3.
const OLD_END: &str = "----------------------------------------";

/// What to do if a package cannot be built, and the reason shows no better way.
pub(super) const BUILT: &str = "It is built in the image: add what the build needs (a library) to the dependencies or, if the image does not need it (a compiler), to `build` in the image section. Or choose a version that has a wheel. The progress log has pip's full output.";

/// How many lines a reason has.
const MOST_LINES: usize = 3;

/// How many characters of each line are shown.
const MOST_CHARS: usize = 240;

/// A failed build.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BuildFailure {
    /// The reason, in the build's own words.
    pub(super) reason: String,
    /// What to do about it, if that is clear.
    pub(super) help: Option<String>,
    /// The line of pip's output that says what it was working on: `Collecting a (from …)`.
    pub(super) package: Option<String>,
}

/// What kind of reason a line is.
#[derive(Clone, Copy)]
enum Kind {
    NoSpace,
    Version,
    Compiler,
    PythonHeader,
    File,
    Rust,
    Program,
    Outdated,
    Module,
    Backend,
    Requirement,
    Code,
}

/// Finds the reason in pip's output; `None` if no build failed.
pub(super) fn find(output: &str) -> Option<BuildFailure> {
    let lines: Vec<&str> = output.lines().collect();
    let is_start = |line: &str| line.contains(START) || line.contains(OLD_START);
    let start = lines.iter().position(|line| is_start(line));
    let Some(start) = start else {
        let space = lines.iter().find(|line| is_no_space(line))?;
        return Some(BuildFailure {
            reason: cut(space.trim()),
            help: Some(help(Kind::NoSpace, space)),
            package: None,
        });
    };
    let is_end = |line: &str| line.contains(END) || line.trim() == OLD_END;
    let end = lines.iter().rposition(|line| is_end(line));
    let end = end.filter(|end| *end > start).unwrap_or(lines.len());
    // The build's own lines are indented, and some versions draw a line beside them.
    let plain = |line: &&str| line.trim_start_matches([' ', '│']).trim_end().to_owned();
    let block: Vec<String> = lines[start + 1..end].iter().map(plain).collect();
    let is_work = |line: &&&str| {
        let line = line.trim_start();
        line.starts_with("Collecting ") || line.starts_with("Processing ")
    };
    let package = lines[..start].iter().rev().find(is_work);
    let known = block
        .iter()
        .enumerate()
        .find_map(|(at, line)| Some((at, kind(line)?)));
    let (reason, help) = match known {
        Some((at, kind)) => (shown(&block, at), Some(help(kind, &block[at]))),
        None => (unknown(&block)?, None),
    };
    Some(BuildFailure {
        reason,
        help,
        package: package.map(|line| line.trim().to_owned()),
    })
}

fn is_no_space(line: &str) -> bool {
    line.contains("No space left on device") || line.contains("Disk quota exceeded")
}

/// Which reason a line is, if any.
fn kind(line: &str) -> Option<Kind> {
    let has = |words: &[&str]| words.iter().any(|word| line.contains(word));
    if is_no_space(line) {
        return Some(Kind::NoSpace);
    }
    if has(&[
        "setuptools-scm was unable to detect version",
        "Error getting the version from source",
        "Versioning for this project requires either an sdist",
        "versioneer.VersioneerBadRootError",
        "NotThisMethod",
        "nable to detect version control system",
        "Cannot find path to a VCS",
        "Unable to determine version",
        "Cannot determine the version",
    ]) {
        return Some(Kind::Version);
    }
    if has(&["Python.h: No such file"]) {
        return Some(Kind::PythonHeader);
    }
    if has(&[
        "Rust compiler",
        "Cargo, the Rust package manager",
        "'cargo'",
        "'rustc'",
    ]) {
        return Some(Kind::Rust);
    }
    if has(&[
        "unable to execute '",
        "Unknown compiler(s)",
        "No CMAKE_C_COMPILER",
        "No CMAKE_CXX_COMPILER",
        "linker `cc` not found",
        "no acceptable C compiler",
    ]) || (line.contains("error: command '") && line.ends_with("No such file or directory"))
    {
        return Some(Kind::Compiler);
    }
    if line.contains("fatal error: ") && line.contains("No such file or directory")
        || line.contains("cannot find -l")
        || line.contains("library not found")
    {
        return Some(Kind::File);
    }
    if has(&[
        "pg_config executable not found",
        "mysql_config not found",
        "Did not find pkg-config",
        "CMake must be installed",
    ]) || missing_program(line).is_some()
    {
        return Some(Kind::Program);
    }
    if let Some(module) = missing_module(line) {
        return Some(if REMOVED.contains(&module) {
            Kind::Outdated
        } else {
            Kind::Module
        });
    }
    if line.contains("BackendUnavailable") || line.starts_with("Cannot import '") {
        return Some(Kind::Backend);
    }
    if line.contains("Could not find a version that satisfies the requirement") {
        return Some(Kind::Requirement);
    }
    // `src/a.c:3:1: error: …`, as compilers print it.
    let (place, _) = line.split_once(": error: ")?;
    let mut parts = place.rsplit(':');
    let is_number = |part: Option<&str>| {
        part.is_some_and(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
    };
    is_number(parts.next()).then_some(Kind::Code)
}

/// Modules that python or setuptools once had.
const REMOVED: &[&str] = &[
    "distutils",
    "imp",
    "pkg_resources",
    "asyncore",
    "asynchat",
    "pipes",
    "cgi",
];

/// The module that python does not find: `ModuleNotFoundError: No module named 'numpy'`.
fn missing_module(line: &str) -> Option<&str> {
    let (_, rest) = line.split_once("No module named ")?;
    let name = rest.trim_matches(['\'', '"', '.', ' ']);
    name.split('.').next().filter(|name| !name.is_empty())
}

/// The program that is not found: `FileNotFoundError: [Errno 2] No such file or directory: 'cmake'`.
fn missing_program(line: &str) -> Option<&str> {
    let (_, rest) = line.split_once("No such file or directory: '")?;
    let name = rest.split('\'').next()?;
    (!name.is_empty() && !name.contains(['/', '.'])).then_some(name)
}

/// What to do about a reason.
fn help(kind: Kind, line: &str) -> String {
    match kind {
        Kind::NoSpace => {
            "The builder's disk is full. Free some of it with `docker builder prune`.".to_owned()
        }
        Kind::Version => "Its version comes from git, but the build has no repository to get it from. Set it with --build-arg SETUPTOOLS_SCM_PRETEND_VERSION_FOR_<NAME>=1.0, with the package's name in capitals (SETUPTOOLS_SCM_PRETEND_VERSION=1.0 for hatch-vcs, PBR_VERSION=1.0 for pbr). For a folder of the build context, `.git` in that folder and git among the dependencies also work; .dockerignore must not leave `.git` out, and a git build context has it only with --build-arg BUILDKIT_CONTEXT_KEEP_GIT_DIR=1.".to_owned(),
        Kind::Compiler => "The build needs a compiler. Add `c-compiler` and `cxx-compiler` from conda-forge to `build` in the image section, which the image does not get, or `build-essential` to `apt` there, or use a version that has a wheel.".to_owned(),
        Kind::PythonHeader => "The build needs Python's headers, which come with conda's python: if `trim:` removes `headers`, leave that out.".to_owned(),
        Kind::File => "The build needs a library with its headers. Add the package that has it to the dependencies (to `build` in the image section, if the image does not need it), or its -dev package to `apt` there, or take this package from conda.".to_owned(),
        Kind::Rust => "The build needs Rust. Add `rust` and `c-compiler` from conda-forge to `build` in the image section, or use a version that has a wheel.".to_owned(),
        Kind::Program => {
            let program = missing_program(line).map(|name| format!(" ({name})"));
            format!(
                "The build needs a program{}. Add the package that has it to `build` in the image section, or to `apt` there, or take this package from conda.",
                program.unwrap_or_default()
            )
        }
        Kind::Outdated => "It is too old for the environment's python or for today's setuptools. Use a newer version of it, or an older python.".to_owned(),
        Kind::Module => format!(
            "It needs {} to be built, but does not say so in its pyproject.toml; pip builds it apart from the environment. Use a version that has a wheel, or take the package from conda.",
            missing_module(line).unwrap_or("a module")
        ),
        Kind::Backend => "Its pyproject.toml names a build backend that its `requires` does not install. Correct it, or use a version that has a wheel.".to_owned(),
        Kind::Requirement => "A package that its build needs is not in the index, or not for the environment's python. Use another index or another python, or a version that has a wheel.".to_owned(),
        Kind::Code => "It does not compile. Use a version that supports the environment's python and compiler, or one that has a wheel.".to_owned(),
    }
}

/// The reason at line `at`, with the lines that continue it.
fn shown(block: &[String], at: usize) -> String {
    let first = &block[at];
    // CMake puts the reason below a line that only names the file.
    let follow = if first.ends_with(':') { MOST_LINES } else { 1 };
    let lines = block[at..].iter().take_while(|line| !line.is_empty());
    let lines: Vec<String> = lines.take(follow).map(|line| cut(line)).collect();
    lines.join("\n")
}

/// The reason in a block without any known one: the last exception, the first error, or the last lines.
fn unknown(block: &[String]) -> Option<String> {
    if let Some(at) = block.iter().rposition(|line| is_exception(line)) {
        return Some(shown(block, at));
    }
    let is_error = |line: &String| line.to_lowercase().contains("error:");
    if let Some(at) = block.iter().position(is_error) {
        return Some(shown(block, at));
    }
    let lines: Vec<&String> = block.iter().filter(|line| !line.is_empty()).collect();
    let last = &lines[lines.len().saturating_sub(MOST_LINES)..];
    let text: Vec<String> = last.iter().map(|line| cut(line)).collect();
    (!text.is_empty()).then(|| text.join("\n"))
}

/// Whether a line is the end of a python traceback: `package.SomeError: why`.
fn is_exception(line: &str) -> bool {
    let name = line.split(':').next().unwrap_or_default();
    let last = name.rsplit('.').next().unwrap_or_default();
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    name.chars().all(is_name)
        && last.starts_with(|c: char| c.is_ascii_uppercase())
        && ["Error", "Exception", "Exit"]
            .iter()
            .any(|end| last.ends_with(end))
}

/// A line of a readable length.
fn cut(line: &str) -> String {
    visible::cut(line, MOST_CHARS).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// pip's output about a build that printed `text`.
    fn output(text: &str) -> String {
        let indented: String = text.lines().map(|line| format!("      {line}\n")).collect();
        format!(
            "Collecting other==1 (from -r /tmp/pip/requirements.txt (line 1))\nCollecting demo==1 (from -r /tmp/pip/requirements.txt (line 2))\n  Getting requirements to build wheel: finished with status 'error'\n  error: subprocess-exited-with-error\n  \n  × Getting requirements to build wheel did not run successfully.\n  │ exit code: 1\n  ╰─> [{} lines of output]\n{indented}      [end of output]\n  \n  note: This error originates from a subprocess, and is likely not a problem with pip.\nERROR: Failed to build 'demo' when getting requirements to build wheel\n",
            text.lines().count()
        )
    }

    #[test]
    fn builds_of_old_pips_are_found() {
        let output = "Collecting demo==1\n  Downloading demo-1.tar.gz\n    ERROR: Command errored out with exit status 1:\n     command: /opt/conda/bin/python -c '…'\n         cwd: /.condafront-work/demo/\n    Complete output (3 lines):\n    Traceback (most recent call last):\n      File \"<string>\", line 1\n    ImportError: No module named numpy\n    ----------------------------------------\nERROR: Command errored out with exit status 1: python setup.py egg_info Check the logs for full command output.\n";
        let found = find(output).unwrap();
        assert_eq!(found.reason, "ImportError: No module named numpy");
        assert_eq!(found.package.as_deref(), Some("Collecting demo==1"));
    }

    #[test]
    fn the_first_real_reason_is_found() {
        let mut all = String::new();
        for text in [
            "Traceback (most recent call last):\n  File \"x.py\", line 1, in <module>\nLookupError: setuptools-scm was unable to detect version for /in/0/source.\n\nMake sure you're either building from a fully intact git repository or PyPI tarballs.",
            "ValueError: Error getting the version from source `vcs`: setuptools-scm was unable to detect version for /in/0/source.",
            "Exception: Versioning for this project requires either an sdist tarball, or access to an upstream git repository.",
            "running build_ext\nbuilding 'demo' extension\ngcc -c demo.c\nerror: command 'gcc' failed: No such file or directory",
            "../meson.build:1:0: ERROR: Unknown compiler(s): [['cc'], ['gcc'], ['clang']]",
            "-- Building\nCMake Error at CMakeLists.txt:3 (project):\n  No CMAKE_CXX_COMPILER could be found.\n\n  Tell CMake where to find the compiler",
            "demo.c:1:10: fatal error: Python.h: No such file or directory\ncompilation terminated.\nerror: command '/usr/bin/gcc' failed with exit code 1",
            "psycopg.h:35:10: fatal error: libpq-fe.h: No such file or directory\nerror: command '/usr/bin/gcc' failed with exit code 1",
            "/usr/bin/ld: cannot find -lpq: No such file or directory\ncollect2: error: ld returned 1 exit status",
            "Error: pg_config executable not found.\n\npg_config is required to build psycopg2 from source.",
            "FileNotFoundError: [Errno 2] No such file or directory: 'cmake'",
            "error: can't find Rust compiler\n\nIf you are using an outdated pip version",
            "Cargo, the Rust package manager, is not installed or is not on PATH.",
            "Traceback (most recent call last):\n  File \"<string>\", line 2\nModuleNotFoundError: No module named 'numpy'",
            "ModuleNotFoundError: No module named 'distutils'",
            "Traceback (most recent call last):\n  File \"y.py\"\npip._vendor.pyproject_hooks._impl.BackendUnavailable: Cannot import 'poetry.core.masonry.api'",
            "ERROR: Could not find a version that satisfies the requirement hatchling (from versions: none)\nERROR: No matching distribution found for hatchling",
            "OSError: [Errno 28] No space left on device",
            "warning: odd\nsrc/demo.c:12:5: error: unknown type name 'foo'\nerror: command '/usr/bin/gcc' failed with exit code 1",
            "Traceback (most recent call last):\nKeyError: 'a'\n\nDuring handling of the above exception, another exception occurred:\n\nRuntimeError: demo needs an account",
            "no compiler today",
        ] {
            let found = find(&output(text)).unwrap();
            let package = found.package.unwrap_or_default();
            assert!(package.starts_with("Collecting demo==1"), "{package}");
            all.push_str(&format!(
                "{}\n  {}\n\n",
                found.reason,
                found.help.unwrap_or_default()
            ));
        }
        insta::assert_snapshot!(all);
    }

    #[test]
    fn other_failures_are_no_builds() {
        for text in [
            "ERROR: Could not find a version that satisfies the requirement a==9 (from versions: none)\n",
            "ERROR: Cannot install a and b because these package versions have conflicting dependencies.\n",
            "",
        ] {
            assert_eq!(find(text), None, "{text}");
        }
        let full = "Downloading a.whl\nERROR: Could not install packages due to an OSError: [Errno 28] No space left on device\n";
        let found = find(full).unwrap();
        assert!(
            found.reason.ends_with("No space left on device"),
            "{found:?}"
        );
    }
}
