//! The files in which pip reads a list.

use std::path::Path;

use super::install::only_file;
use super::origins::ListFile;
use condafront_step_spec::failure_report::FailureReport;
use condafront_step_spec::pip::PipEntry;

/// The list as pip reads it: constraints go into a separate file.
pub(super) struct ListFiles {
    requirements: ListFile,
    constraints: ListFile,
}

impl ListFiles {
    /// The files to write to the folder `work`; the wheels of entries are below `input`.
    pub(super) fn of(list: &[PipEntry], work: &Path, input: &Path) -> Result<Self, FailureReport> {
        let file = |name: &str, option| ListFile {
            path: work.join(name),
            option,
            text: String::new(),
            entries: Vec::new(),
        };
        let mut files = Self {
            requirements: file("requirements.txt", "--requirement"),
            constraints: file("constraints.txt", "--constraint"),
        };
        for (index, entry) in list.iter().enumerate() {
            let line = line(entry, input)?;
            let file = if entry.is_constraint {
                &mut files.constraints
            } else {
                &mut files.requirements
            };
            file.text.push_str(&line.replace(['\r', '\n'], " "));
            file.text.push('\n');
            file.entries.push(index);
        }
        Ok(files)
    }

    pub(super) fn all(&self) -> [&ListFile; 2] {
        [&self.requirements, &self.constraints]
    }

    /// The entries whose lines `text` names.
    pub(super) fn entries_in(&self, text: &str) -> Vec<usize> {
        let files = self.all().into_iter();
        files.flat_map(|file| file.entries_in(text)).collect()
    }

    /// `text` without paths inside the build, which mean nothing to the user.
    pub(super) fn shown(&self, text: &str, input: &Path) -> String {
        let mut text = text.to_owned();
        for file in self.all() {
            text = file.without_lines(&text);
        }
        without_places(&text, input)
    }
}

/// An entry as pip reads it.
fn line(entry: &PipEntry, input: &Path) -> Result<String, FailureReport> {
    let Some(wheel) = &entry.wheel else {
        return Ok(entry.text.clone());
    };
    let path = only_file(&input.join(wheel.index.to_string()))?;
    let path = path.display();
    Ok(match entry.text.as_str() {
        "" => format!("{path}{}", wheel.after),
        before => format!("{before}file://{path}{}", wheel.after),
    })
}

/// Removes the wheels' folders below `input` from `text`.
fn without_places(text: &str, input: &Path) -> String {
    let place = format!("{}/", input.display());
    let mut short = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(&place) {
        let before = &rest[..at];
        short.push_str(before.strip_suffix("file://").unwrap_or(before));
        let after = &rest[at + place.len()..];
        let folder = after.find(|c: char| !c.is_ascii_digit());
        rest = match folder {
            Some(end) if after[end..].starts_with('/') => &after[end + 1..],
            _ => after,
        };
    }
    short + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn lines_name_their_wheels() {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().join("0");
        fs::create_dir(&place).unwrap();
        fs::write(place.join("demo-1.0-py3-none-any.whl"), "").unwrap();
        let line = |text: &str, after: &str| {
            let entry = PipEntry {
                text: text.to_owned(),
                is_constraint: false,
                wheel: Some(condafront_step_spec::pip::PipWheel {
                    index: 0,
                    after: after.to_owned(),
                }),
            };
            let line = super::line(&entry, dir.path()).unwrap();
            line.replace(&dir.path().display().to_string(), "")
        };
        assert_eq!(line("", "[a] ; x"), "/0/demo-1.0-py3-none-any.whl[a] ; x");
        let named = "demo @ file:///0/demo-1.0-py3-none-any.whl --hash=x";
        assert_eq!(line("demo @ ", " --hash=x"), named);
    }
}
