//! Which tests folders python modules import.

use std::borrow::Cow;
use std::collections::BTreeSet;

/// Folders that modules import from, as paths: `astropy/tests`.
#[derive(Debug, Default)]
pub(super) struct Imports(BTreeSet<String>);

/// Whether a file can name imports: a module, or the list of a distribution's commands and plugins.
pub(super) fn is_source(path: &str) -> bool {
    path.ends_with(".py") || path.ends_with(".dist-info/entry_points.txt")
}

impl Imports {
    /// Reads a module, or `entry_points.txt`.
    pub(super) fn read(&mut self, path: &str, text: &str) {
        // The name of every tests folder contains it.
        if !text.contains("test") {
            return;
        }
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let joined = joined_imports(text);
        for line in joined.iter().filter(|line| line.contains("test")) {
            if path.ends_with(".txt") {
                if let Some((_, entry)) = line.split_once('=') {
                    let module = entry.split([':', '[']).next().unwrap_or_default();
                    self.add("", module.trim());
                }
                continue;
            }
            // A statement can also follow a semicolon or a colon.
            for statement in line.split([';', ':']).map(str::trim) {
                if let Some(modules) = statement.strip_prefix("import ") {
                    for module in modules.split(',') {
                        self.add(folder, first_word(module));
                    }
                } else if let Some(rest) = statement.strip_prefix("from ") {
                    let (module, names) = rest.split_once(" import").unwrap_or((rest, ""));
                    let module = module.trim();
                    self.add(folder, module);
                    for name in names.split([',', '(', ')']).map(first_word) {
                        let dot = if module.ends_with('.') { "" } else { "." };
                        self.add(folder, &format!("{module}{dot}{name}"));
                    }
                }
            }
        }
    }

    /// Whether anything in `folder` is imported.
    pub(super) fn reach(&self, folder: &str) -> bool {
        self.0.iter().any(|imported| {
            let rest = imported.strip_prefix(folder);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }

    /// Adds a module by the name that a module in `folder` uses for it; each leading dot after the first goes up one
    /// folder.
    pub(super) fn add(&mut self, folder: &str, module: &str) {
        let name = module.trim_start_matches('.');
        let dots = module.len() - name.len();
        let mut parts: Vec<&str> = match dots {
            0 => Vec::new(),
            _ => folder.split('/').filter(|part| !part.is_empty()).collect(),
        };
        parts.truncate((parts.len() + 1).saturating_sub(dots.max(1)));
        parts.extend(name.split('.').filter(|part| !part.is_empty()));
        self.0.insert(parts.join("/"));
    }
}

/// The lines of a module; imports that span several lines are joined into one.
fn joined_imports(text: &str) -> Vec<Cow<'_, str>> {
    let mut joined: Vec<Cow<'_, str>> = Vec::new();
    let mut is_open = false;
    for line in text.lines() {
        let code = line.split('#').next().unwrap_or_default().trim_end();
        match joined.last_mut() {
            Some(last) if is_open => {
                let last = last.to_mut();
                last.truncate(last.trim_end_matches('\\').len());
                last.push(' ');
                last.push_str(code.trim_start());
            }
            _ if is_import(line) => joined.push(Cow::Borrowed(code)),
            _ => joined.push(Cow::Borrowed(line)),
        }
        let whole = joined.last().map_or("", |last| last.as_ref());
        let has_parenthesis = whole.contains('(') && !whole.contains(')');
        is_open = is_import(whole) && (has_parenthesis || code.ends_with('\\'));
    }
    joined
}

fn is_import(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("from ") || line.starts_with("import ")
}

fn first_word(text: &str) -> &str {
    text.split_whitespace().next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_of_every_form_are_found() {
        for (path, text, folder) in [
            (
                "astropy/__init__.py",
                "from .tests.runner import TestRunner",
                "astropy/tests",
            ),
            (
                "numba/misc/POST.py",
                "    from numba.tests import test_runtests",
                "numba/tests",
            ),
            ("a/b/c.py", "from .. import (tests, more)", "a/tests"),
            ("a/b/c.py", "from . import x, tests as t", "a/b/tests"),
            (
                "a/b.py",
                "x = 1\nfrom . import (  # all of it\n    core,  # (the core)\n    tests,\n)\ny = 2",
                "a/tests",
            ),
            ("a/b.py", "from . import core, \\\n    tests", "a/tests"),
            ("a/b.py", "import sys, a.tests.data as d", "a/tests"),
            ("a/b.py", "try: import a.tests", "a/tests"),
            (
                "a-1.dist-info/entry_points.txt",
                "run = a.tests.run:main [x]",
                "a/tests",
            ),
        ] {
            let mut imports = Imports::default();
            imports.read(path, text);
            assert!(imports.reach(folder), "{text}: {imports:?}");
            assert!(!imports.reach("a/b/tests/deeper"), "{text}");
        }
    }

    #[test]
    fn other_lines_import_nothing() {
        let mut imports = Imports::default();
        imports.read(
            "a/b.py",
            "# run the tests\nfrom a import testing\nx = 'a.tests'\nimport a.tests_of_b\n",
        );
        assert!(!imports.reach("a/tests"), "{imports:?}");
    }
}
