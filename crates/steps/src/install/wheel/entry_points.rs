//! The programs for a wheel's entry points, in the form that pip gives them
//! (<https://packaging.python.org/en/latest/specifications/entry-points/>).

use std::collections::BTreeSet;

use super::super::error::{Error, Result};
use super::metadata::bad;
use condafront_model::visible::unfit;

/// The longest name that a file can have on Linux, in bytes.
const LONGEST_NAME: usize = 255;

/// The longest first line that Linux reads of a program, without a guess about newer kernels: pip's own limit.
const LONGEST_SHEBANG: usize = 127;

/// A program that calls a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct EntryPoint {
    pub(super) name: String,
    module: String,
    function: String,
}

/// The programs that `text`, the content of `entry_points.txt`, asks for; `version` is python's, such as 3.13.
///
/// # Errors
/// A name that is not that of a file, or a program without a function.
pub(super) fn read(text: &str, version: &str) -> Result<Vec<EntryPoint>> {
    let mut console: Vec<(&str, &str)> = Vec::new();
    let mut gui: Vec<(&str, &str)> = Vec::new();
    let mut section = "";
    for line in text.lines().map(str::trim) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(name) = line
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            section = name;
            continue;
        }
        let all = match section {
            "console_scripts" => &mut console,
            "gui_scripts" => &mut gui,
            _ => continue,
        };
        let (name, value) = line.split_once('=').unwrap_or((line, ""));
        let (name, value) = (name.trim(), value.trim());
        match all.iter_mut().find(|(known, _)| *known == name) {
            Some(known) => known.1 = value,
            None => all.push((name, value)),
        }
    }
    let mut points = Vec::new();
    for (name, value) in versioned(&console, version) {
        points.extend(entry_point(&name, value)?);
    }
    for (name, value) in gui {
        points.extend(entry_point(name, value)?);
    }
    Ok(points)
}

/// The names of the programs that installers make for `text`, as [`read`] reads it.
///
/// # Errors
/// As [`read`].
pub(crate) fn programs(text: &str, version: &str) -> Result<BTreeSet<String>> {
    let points = read(text, version)?;
    Ok(points.into_iter().map(|point| point.name).collect())
}

/// `pip` and `easy_install` also have programs with python's version in their names, whatever their wheels say.
fn versioned<'a>(console: &[(&'a str, &'a str)], version: &str) -> Vec<(String, &'a str)> {
    let major = version.split('.').next().unwrap_or(version);
    let value_of = |name: &str| console.iter().find(|(known, _)| *known == name);
    let (pip, easy_install) = (value_of("pip"), value_of("easy_install"));
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let is_version = |text: &str| match text.split_once('.') {
        Some((major, minor)) => is_digits(major) && is_digits(minor),
        None => is_digits(text),
    };
    let is_replaced = |name: &str| {
        let of_pip = name.strip_prefix("pip");
        let of_pip = of_pip.is_some_and(|rest| rest.is_empty() || is_version(rest));
        let of_easy = name.strip_prefix("easy_install");
        let of_easy = of_easy.is_some_and(|rest| {
            rest.is_empty()
                || rest
                    .strip_prefix('-')
                    .is_some_and(|rest| rest.contains('.') && is_version(rest))
        });
        pip.is_some() && of_pip || easy_install.is_some() && of_easy
    };
    let mut all = Vec::new();
    if let Some((_, value)) = pip {
        all.extend(
            [
                "pip".to_owned(),
                format!("pip{major}"),
                format!("pip{version}"),
            ]
            .map(|name| (name, *value)),
        );
    }
    if let Some((_, value)) = easy_install {
        let names = ["easy_install".to_owned(), format!("easy_install-{version}")];
        all.extend(names.map(|name| (name, *value)));
    }
    let others = console.iter().filter(|(name, _)| !is_replaced(name));
    all.extend(others.map(|(name, value)| ((*name).to_owned(), *value)));
    all
}

/// One program; `None` for a value that pip ignores.
fn entry_point(name: &str, value: &str) -> Result<Option<EntryPoint>> {
    let shown = format!("its entry point `{}`", name.escape_debug());
    if let Some(what) = unfit(name) {
        return Err(bad(format!("the name of {shown} contains {what}")));
    }
    let is_file = !["", ".", ".."].contains(&name) && !name.contains('/');
    if !is_file || name.len() > LONGEST_NAME || name.contains(char::is_whitespace) {
        return Err(unsafe_name(&shown));
    }
    // The extras that it needs decide nothing: all that is locked is installed.
    let value = value.split('[').next().unwrap_or(value).trim();
    let (module, function) = match value.split_once(':') {
        Some((module, function)) => (module.trim(), Some(function.trim())),
        None => (value, None),
    };
    if !is_dotted(module) {
        return Ok(None);
    }
    match function {
        Some(function) if is_dotted(function) => Ok(Some(EntryPoint {
            name: name.to_owned(),
            module: module.to_owned(),
            function: function.to_owned(),
        })),
        Some(_) => Ok(None),
        None => Err(bad(format!("{shown} names no function"))),
    }
}

fn unsafe_name(shown: &str) -> Error {
    bad(format!("{shown} does not have the name of a file"))
}

/// Whether `text` is one or more python identifiers with dots between them.
fn is_dotted(text: &str) -> bool {
    let is_word =
        |part: &str| !part.is_empty() && part.chars().all(|c| c == '_' || c.is_alphanumeric());
    text.split('.').all(is_word)
}

impl EntryPoint {
    /// The program, run by the python at `python`, whose `version` is 3.13 or the like. It is that of the newest pip for this
    /// version, which matters little: the lines about `.exe` are for Windows.
    pub(super) fn script(&self, python: &str, version: &str) -> String {
        let Self {
            module, function, ..
        } = self;
        let shebang = shebang(python);
        let name = function.split('.').next().unwrap_or(function);
        let import = format!("from {module} import {name}");
        let call = format!("sys.exit({function}())");
        let minor = version
            .strip_prefix("3.")
            .and_then(|minor| minor.parse::<u32>().ok());
        // `removesuffix` came with 3.9.
        if minor.is_some_and(|minor| minor >= 9) {
            format!(
                "{shebang}import sys\n{import}\nif __name__ == '__main__':\n    sys.argv[0] = sys.argv[0].removesuffix('.exe')\n    {call}\n"
            )
        } else {
            format!(
                "{shebang}# -*- coding: utf-8 -*-\nimport re\nimport sys\n{import}\nif __name__ == '__main__':\n    sys.argv[0] = re.sub(r'(-script\\.pyw|\\.exe)?$', '', sys.argv[0])\n    {call}\n"
            )
        }
    }
}

/// The first line of a program, or several lines where one would be too long, or has spaces: a shell and python both
/// understand these.
fn shebang(python: &str) -> String {
    let line = format!("#!{python}\n");
    if line.len() <= LONGEST_SHEBANG && !python.contains(' ') {
        return line;
    }
    let quote = if python.contains(' ') { "\"" } else { "" };
    format!("#!/bin/sh\n'''exec' {quote}{python}{quote} \"$0\" \"$@\"\n' '''\n")
}

/// Whether a file in the wheel's own folder of scripts was made for one of these entry points by the program that made the
/// wheel, so that it is left out.
pub(super) fn is_wrapper(file: &str, points: &[EntryPoint]) -> bool {
    let lower = file.to_lowercase();
    let ends = [".exe", "-script.py", ".pya"];
    let end = ends.iter().find(|end| lower.ends_with(*end));
    let name = end
        .and_then(|end| file.get(..file.len() - end.len()))
        .unwrap_or(file);
    points.iter().any(|point| point.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(text: &str) -> Result<Vec<EntryPoint>> {
        read(text, "3.13")
    }

    fn names(text: &str) -> Vec<String> {
        points(text)
            .unwrap()
            .into_iter()
            .map(|point| point.name)
            .collect()
    }

    #[test]
    fn programs_call_their_functions() {
        let text = "# comment\n[other]\nx = y:z\n\n[console_scripts]\nrun=a.b : main.inner [extra, more]\nrun = a.b:main.inner[x]\n[gui_scripts]\nwindow = _c:f\n";
        let found = points(text).unwrap();
        assert_eq!(names(text), ["run", "window"]);
        let python = "/opt/conda/bin/python";
        insta::assert_snapshot!(found[1].script(python, "3.8"), @r"
        #!/opt/conda/bin/python
        # -*- coding: utf-8 -*-
        import re
        import sys
        from _c import f
        if __name__ == '__main__':
            sys.argv[0] = re.sub(r'(-script\.pyw|\.exe)?$', '', sys.argv[0])
            sys.exit(f())
        ");
        insta::assert_snapshot!(found[0].script(python, "3.13"), @r"
        #!/opt/conda/bin/python
        import sys
        from a.b import main
        if __name__ == '__main__':
            sys.argv[0] = sys.argv[0].removesuffix('.exe')
            sys.exit(main.inner())
        ");
    }

    #[test]
    fn a_python_with_a_long_path_is_started_by_a_shell() {
        let long = format!("/{}", "x".repeat(123));
        assert_eq!(shebang(&long), format!("#!{long}\n"));
        for (python, quoted) in [
            (format!("{long}x"), format!("{long}x")),
            (
                "/opt/my env/python".to_owned(),
                "\"/opt/my env/python\"".to_owned(),
            ),
        ] {
            let expected = format!("#!/bin/sh\n'''exec' {quoted} \"$0\" \"$@\"\n' '''\n");
            assert_eq!(shebang(&python), expected);
        }
    }

    #[test]
    fn pip_has_programs_for_its_python() {
        let text = "[console_scripts]\npip = pip:main\npip3 = pip:main\npip3.9 = pip:main\npipx = x:y\neasy_install-3.9 = e:m\n";
        assert_eq!(
            names(text),
            ["pip", "pip3", "pip3.13", "pipx", "easy_install-3.9"]
        );
        let text = "[console_scripts]\neasy_install = e:m\neasy_install-3.9 = e:m\n";
        assert_eq!(names(text), ["easy_install", "easy_install-3.13"]);
    }

    #[test]
    fn what_pip_ignores_is_ignored() {
        assert_eq!(
            names("[console_scripts]\na = b c:d\ne = f:g-h\ni = 1 + 1\n"),
            [""; 0]
        );
    }

    #[test]
    fn names_that_are_not_those_of_files_are_refused() {
        let mut messages = String::new();
        let long = "x".repeat(256);
        for name in [
            "../x",
            "/x",
            "a/b",
            "..",
            "",
            "a b",
            "a\u{1b}[2J",
            "a\u{202e}b",
            "a\rb",
            &long,
        ] {
            let text = format!("[console_scripts]\n{name} = a:b\n");
            let message = points(&text).unwrap_err().to_string();
            messages += &format!("{}\n", message.replace(&long, "xxx…"));
        }
        messages += &points("[gui_scripts]\nx = a.b\n").unwrap_err().to_string();
        insta::assert_snapshot!(messages, @r"
        its entry point `../x` does not have the name of a file
        its entry point `/x` does not have the name of a file
        its entry point `a/b` does not have the name of a file
        its entry point `..` does not have the name of a file
        its entry point `` does not have the name of a file
        its entry point `a b` does not have the name of a file
        the name of its entry point `a\u{1b}[2J` contains the invisible character U+001B
        the name of its entry point `a\u{202e}b` contains the invisible character U+202E
        the name of its entry point `a\rb` contains a line break
        its entry point `xxx…` does not have the name of a file
        its entry point `x` names no function
        ");
    }

    #[test]
    fn scripts_made_for_entry_points_are_known() {
        let found = points("[console_scripts]\nrun = a:b\n").unwrap();
        for (file, expected) in [
            ("run", true),
            ("run.exe", true),
            ("RUN.EXE", false),
            ("run-script.py", true),
            ("run.py", false),
            ("other", false),
        ] {
            assert_eq!(is_wrapper(file, &found), expected, "{file}");
        }
    }
}
