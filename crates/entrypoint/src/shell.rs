//! Code for POSIX shells: quoted words, and a command that runs after scripts.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::path_list::{DEFAULT_PATH, split};
use crate::prefix::in_root;

/// A word that a POSIX shell reads as exactly `text`.
pub fn quote(text: &OsStr) -> OsString {
    let mut quoted = OsString::from("'");
    for (index, part) in text.as_bytes().split(|&byte| byte == b'\'').enumerate() {
        if index > 0 {
            quoted.push("'\\''");
        }
        quoted.push(OsStr::from_bytes(part));
    }
    quoted.push("'");
    quoted
}

/// A command that sources `scripts` and then executes `command`. The output of the scripts goes to
/// standard error: standard output belongs to the command.
pub fn behind_scripts(
    shell: OsString,
    scripts: &[OsString],
    command: Vec<OsString>,
) -> Vec<OsString> {
    let mut text = OsString::new();
    for script in scripts {
        text.push(". ");
        text.push(quote(script));
        text.push(" >&2\n");
    }
    text.push("exec \"$@\"");
    let mut all = vec![shell, "-c".into(), text, "condafront-entrypoint".into()];
    all.extend(command);
    all
}

/// The image's bash, else its sh, as an absolute path in the image. The system's shells come before
/// those of the environment.
pub fn find_shell(root: &Path, path: &OsStr) -> Option<OsString> {
    ["bash", "sh"].iter().find_map(|shell| {
        let shell = OsStr::new(shell);
        find_in_path(root, OsStr::new(DEFAULT_PATH), shell)
            .or_else(|| find_in_path(root, path, shell))
    })
}

/// The first file named `program` in the directories of a `PATH` value.
pub(crate) fn find_in_path(root: &Path, path: &OsStr, program: &OsStr) -> Option<OsString> {
    split(path)
        .into_iter()
        .filter(|dir| !dir.is_empty())
        .map(|dir| PathBuf::from(dir).join(program).into_os_string())
        .find(|file| in_root(root, file).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_in_words_are_escaped() {
        assert_eq!(quote(OsStr::new("it's $x")), "'it'\\''s $x'");
        assert_eq!(quote(OsStr::new("")), "''");
    }

    #[test]
    fn a_command_after_scripts_keeps_its_words() {
        let command = vec!["echo".into(), "a b".into()];
        let all = behind_scripts("/bin/sh".into(), &["/p/x y.sh".into()], command);
        let expected = [
            "/bin/sh",
            "-c",
            ". '/p/x y.sh' >&2\nexec \"$@\"",
            "condafront-entrypoint",
            "echo",
            "a b",
        ];
        assert_eq!(all, expected);
    }
}
