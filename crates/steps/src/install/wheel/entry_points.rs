//! The programs for a wheel's entry points, in the form that pip gives them
//! (<https://packaging.python.org/en/latest/specifications/entry-points/>).

use std::collections::{BTreeSet, HashMap};

use super::super::entry::{MOST_FILES, relative_path};
use super::super::error::Result;
use super::metadata::{bad, too_many};
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

/// The programs of a section, in the order in which it names them first.
#[derive(Default)]
struct Section<'a> {
    programs: Vec<(&'a str, &'a str)>,
    /// Where each name is.
    places: HashMap<&'a str, usize>,
}

impl<'a> Section<'a> {
    fn set(&mut self, name: &'a str, value: &'a str) {
        let place = *self.places.entry(name).or_insert(self.programs.len());
        match self.programs.get_mut(place) {
            Some(known) => known.1 = value,
            None => self.programs.push((name, value)),
        }
    }
}

/// The programs that `text`, the content of `entry_points.txt`, asks for; `version` is python's, such as 3.13.
///
/// # Errors
/// A name that is not that of a file, a program without a function, or more programs than any package has files.
pub(super) fn read(text: &str, version: &str) -> Result<EntryPoints> {
    let (mut console, mut gui) = (Section::default(), Section::default());
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
        all.set(name.trim(), value.trim());
        if all.programs.len() as u64 > MOST_FILES {
            return Err(too_many("entry_points.txt", "programs"));
        }
    }
    let (console, gui) = (console.programs, gui.programs);
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
mod tests;
