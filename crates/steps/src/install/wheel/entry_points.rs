//! The programs for a wheel's entry points, in the form that pip gives them
//! (<https://packaging.python.org/en/latest/specifications/entry-points/>).

use std::collections::BTreeSet;

use super::super::entry::relative_path;
use super::super::error::Result;
use super::metadata::bad;
use crate::headers::all_lines;
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

/// The programs of a wheel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct EntryPoints {
    pub(super) programs: Vec<EntryPoint>,
    /// The names that the wheel gives them.
    names: BTreeSet<String>,
}

/// The programs that `text`, the content of `entry_points.txt`, asks for; `version` is python's, such as 3.13.
///
/// # Errors
/// A name that is not that of a file, or a program without a function.
pub(super) fn read(text: &str, version: &str) -> Result<EntryPoints> {
    let mut console: Vec<(&str, &str)> = Vec::new();
    let mut gui: Vec<(&str, &str)> = Vec::new();
    let mut section = "";
    for line in all_lines(text).map(str::trim) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if line.starts_with('[') && line.ends_with(']') {
            section = line.trim_matches(['[', ']']);
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
    let all = console.iter().chain(&gui);
    let names = all.map(|(name, _)| (*name).to_owned()).collect();
    let mut programs = Vec::new();
    for (name, value) in versioned(&console, version) {
        programs.push(entry_point(&name, value)?);
    }
    for (name, value) in gui {
        programs.push(entry_point(name, value)?);
    }
    Ok(EntryPoints { programs, names })
}

/// The names of the programs that installers make for `text`, as [`read`] reads it.
///
/// # Errors
/// As [`read`].
pub(crate) fn programs(text: &str, version: &str) -> Result<BTreeSet<String>> {
    let points = read(text, version)?.programs;
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

/// One program. What follows its function, such as extras, decides nothing: all that is locked is installed.
fn entry_point(name: &str, value: &str) -> Result<EntryPoint> {
    let shown = format!("its entry point `{}`", name.escape_debug());
    if let Some(what) = unfit(name) {
        return Err(bad(format!("the name of {shown} contains {what}")));
    }
    let file = name_of_file(name);
    let is_path = relative_path(file.as_bytes()).is_ok_and(|path| path == file);
    if !is_path || file.split('/').any(|part| part.len() > LONGEST_NAME) {
        return Err(bad(format!("{shown} does not have the name of a file")));
    }
    let (module, rest) = dotted(value);
    let of_module = rest.trim_start().strip_prefix(':');
    let (function, rest) = dotted(of_module.unwrap_or_default().trim_start());
    if module.is_empty() || function.is_empty() {
        return Err(bad(format!("{shown} names no function")));
    }
    if rest
        .strip_prefix(':')
        .is_some_and(|rest| !dotted(rest).0.is_empty())
    {
        return Err(bad(format!("{shown} names several functions")));
    }
    Ok(EntryPoint {
        name: file.to_owned(),
        module: module.to_owned(),
        function: function.to_owned(),
    })
}

/// pip takes the last word of a name, with the space in front of it.
fn name_of_file(name: &str) -> &str {
    let space = name.char_indices().rfind(|(_, c)| c.is_whitespace());
    space.map_or(name, |(start, _)| &name[start..])
}

/// The python identifiers with dots between them that `text` starts with, and what follows them.
fn dotted(text: &str) -> (&str, &str) {
    let is_inside = |c: char| c == '_' || c.is_alphanumeric();
    let mut end = 0;
    loop {
        let next = match end {
            0 => Some(text),
            _ => text[end..].strip_prefix('.'),
        };
        let Some(next) = next.filter(|next| next.starts_with(is_inside)) else {
            return text.split_at(end);
        };
        let word = next.find(|c| !is_inside(c)).unwrap_or(next.len());
        end = text.len() - next.len() + word;
    }
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

impl EntryPoints {
    /// Whether a file in the wheel's own folder of scripts was made for one of these entry points by the program that made
    /// the wheel, so that it is left out.
    pub(super) fn are_run_by(&self, file: &str) -> bool {
        let lower = file.to_lowercase();
        let ends = [".exe", "-script.py", ".pya"];
        let end = ends.iter().find(|end| lower.ends_with(*end));
        let name = end
            .and_then(|end| file.get(..file.len() - end.len()))
            .unwrap_or(file);
        self.names.contains(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(text: &str) -> Result<Vec<EntryPoint>> {
        read(text, "3.13").map(|points| points.programs)
    }

    fn names(text: &str) -> Vec<String> {
        let points = points(text).unwrap().into_iter();
        points.map(|point| point.name).collect()
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
    fn what_follows_a_function_is_ignored() {
        for value in [
            "b.c:d",
            "b.c : d",
            "b.c:d [x]",
            "b.c:d[x.y, z]",
            "b.c:d()",
            "b.c:d # comment",
            "b.c:d; python_version < '3'",
            "b.c:d-e",
            "b.c:d.",
            "b.c:d:",
        ] {
            let found = points(&format!("[console_scripts]\na = {value}\n")).unwrap();
            assert_eq!(found.len(), 1, "{value}");
            let point = &found[0];
            assert_eq!((&*point.module, &*point.function), ("b.c", "d"), "{value}");
        }
    }

    #[test]
    fn files_are_read_as_pip_reads_them() {
        for (text, expected) in [
            ("[[console_scripts]]\na=b:c", &["a"][..]),
            ("[ console_scripts ]\na=b:c", &[]),
            (" [console_scripts] \r\n a=b:c\rd=e:f", &["a", "d"]),
            (
                "[console_scripts]\na=b:c\u{c}d=e:f\u{2028}g=h:i",
                &["a", "d", "g"],
            ),
            ("[console_scripts]\n#a=b:c\n;d=b:c", &[";d"]),
            ("[x]\nno value\n[gui_scripts]\na=b:c\na=d:e", &["a"]),
            (
                "[console_scripts]\nmy tool = b:c\n; x = b:c",
                &[" tool", " x"],
            ),
            ("[console_scripts]\nä.b/c,d = b:c", &["ä.b/c,d"]),
        ] {
            assert_eq!(names(text), expected, "{text}");
        }
    }

    #[test]
    fn names_that_are_not_those_of_files_are_refused() {
        let mut messages = String::new();
        let long = "x".repeat(256);
        for name in [
            "../x",
            "/x",
            "a/../b",
            "a/",
            "..",
            ".",
            "",
            "a\u{1b}[2J",
            "a\u{202e}b",
            &long,
        ] {
            let text = format!("[console_scripts]\n{name} = a:b\n");
            let message = points(&text).unwrap_err().to_string();
            messages += &format!("{}\n", message.replace(&long, "xxx…"));
        }
        for value in [
            "", "a.b", "a:", ":b", "a b:c", "a-b:c", "a.:b", "a:.b", "a:b:c",
        ] {
            let text = format!("[gui_scripts]\nx = {value}\n");
            messages += &format!("{value}: {}\n", points(&text).unwrap_err());
        }
        insta::assert_snapshot!(messages, @r"
        its entry point `../x` does not have the name of a file
        its entry point `/x` does not have the name of a file
        its entry point `a/../b` does not have the name of a file
        its entry point `a/` does not have the name of a file
        its entry point `..` does not have the name of a file
        its entry point `.` does not have the name of a file
        its entry point `` does not have the name of a file
        the name of its entry point `a\u{1b}[2J` contains the invisible character U+001B
        the name of its entry point `a\u{202e}b` contains the invisible character U+202E
        its entry point `xxx…` does not have the name of a file
        : its entry point `x` names no function
        a.b: its entry point `x` names no function
        a:: its entry point `x` names no function
        :b: its entry point `x` names no function
        a b:c: its entry point `x` names no function
        a-b:c: its entry point `x` names no function
        a.:b: its entry point `x` names no function
        a:.b: its entry point `x` names no function
        a:b:c: its entry point `x` names several functions
        ");
    }

    #[test]
    fn scripts_made_for_entry_points_are_known() {
        let text = "[console_scripts]\nrun = a:b\npip = a:b\npip3.9 = a:b\n";
        let found = read(text, "3.13").unwrap();
        for (file, expected) in [
            ("run", true),
            ("pip3.9", true),
            ("run.exe", true),
            ("RUN.EXE", false),
            ("run-script.py", true),
            ("run.py", false),
            ("other", false),
        ] {
            assert_eq!(found.are_run_by(file), expected, "{file}");
        }
    }
}
