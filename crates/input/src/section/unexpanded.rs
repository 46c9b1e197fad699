//! Variables in commands that no shell runs: the program gets `${PORT}` as it is written.

use std::sync::Arc;

use crate::section::image_section::{Command, Healthcheck, ImageSection};
use crate::yaml;
use condafront_model::lint::{Rule, Warning};
use condafront_model::redact::{in_full, quoted};
use condafront_model::source::{Diagnostic, Lines, SourceFile};

/// Programs that run the argument after `-c` as a shell script.
const SHELLS: [&str; 10] = [
    "sh", "bash", "dash", "ash", "zsh", "ksh", "fish", "busybox", "su", "runuser",
];

/// A command in exec form, and the part of it that one key has.
struct Words<'a> {
    key: &'a str,
    lines: Lines,
    /// The arguments that come before: those of `entrypoint` before those of `cmd`.
    before: &'a [String],
    own: &'a [String],
}

impl ImageSection {
    /// Warnings about variables in commands of the section of `file` that no shell replaces.
    pub(super) fn unexpanded(&self, file: &Arc<SourceFile>) -> Vec<Warning> {
        let check = self.healthcheck.iter();
        let check = check.filter_map(|check| match &check.value {
            Healthcheck::Command { command, .. } => Some(("healthcheck", command, check.lines)),
            Healthcheck::None => None,
        });
        let run = self.run.iter().map(|run| ("run", &run.command, run.lines));
        let starts = [("entrypoint", &self.entrypoint), ("cmd", &self.cmd)].into_iter();
        let starts = starts.filter_map(|(key, command)| {
            let command = command.as_ref()?;
            Some((key, &command.value, command.lines))
        });
        let entrypoint = self.entrypoint.as_ref().map(|command| &command.value);
        let all = starts.chain(check).chain(run);
        let found = all.filter_map(|(key, command, lines)| {
            let Command::Exec(words) = command else {
                return None;
            };
            let before = match (key, entrypoint) {
                // A shell runs the entrypoint, and may use what `cmd` says.
                ("cmd", Some(Command::Shell(_))) => return None,
                ("cmd", Some(Command::Exec(before))) => before.as_slice(),
                _ => &[],
            };
            let words = Words {
                key,
                lines,
                before,
                own: words,
            };
            words.warning(file)
        });
        found.collect()
    }
}

impl Words<'_> {
    fn warning(&self, file: &Arc<SourceFile>) -> Option<Warning> {
        let all: Vec<&str> = self
            .before
            .iter()
            .chain(self.own)
            .map(String::as_str)
            .collect();
        let script = script(&all);
        let first = self.before.len();
        let own = (first..all.len()).filter(|place| Some(*place) != script);
        let word = own
            .map(|place| all[place])
            .find(|word| mentions_variable(word))?;
        let message = format!(
            "`{}` stays as it is: no shell runs a command in brackets",
            quoted(word)
        );
        let help = match script {
            // What follows a script are its parameters.
            Some(_) => {
                "Write the variable in the script, after `-c`: the shell replaces it only there."
                    .to_owned()
            }
            None => self.with_shell(),
        };
        Some(Warning {
            rule: Rule::UnexpandedVariable,
            diagnostic: Diagnostic::new(message).at(file, self.lines).help(help),
        })
    }

    /// How to write the command for a shell.
    fn with_shell(&self) -> String {
        let text = self.own.iter().map(|word| for_shell(word));
        let text = text.collect::<Vec<_>>().join(" ");
        if !self.before.is_empty() {
            let before = self.before.iter().map(|word| for_shell(word));
            let before = before.collect::<Vec<_>>().join(" ");
            return format!(
                "Remove `entrypoint`, and write the whole command without brackets for its variables to be replaced: {}",
                entry("cmd", &format!("exec {before} {text}"))
            );
        }
        match self.key {
            // In shell form, an entrypoint gets no arguments.
            "entrypoint" => format!(
                "Let a shell replace it, and pass it the arguments: entrypoint: [/bin/sh, -c, {}, sh]",
                single_quoted(&format!("exec {text} \"$@\""))
            ),
            "run" => format!(
                "Write the command without brackets for its variables to be replaced: {}",
                entry("run", &text)
            ),
            key => format!(
                "Write the command without brackets for its variables to be replaced: {}",
                entry(key, &format!("exec {text}"))
            ),
        }
    }
}

/// The place of the script that a shell among these words runs: the word after `-c`, perhaps together with other flags.
fn script(words: &[&str]) -> Option<usize> {
    let is_shell = |word: &&str| SHELLS.contains(&word.rsplit('/').next().unwrap_or(word));
    let shell = words.iter().position(is_shell)?;
    let flags = words.iter().enumerate().skip(shell + 1);
    let mut flags = flags.filter(|(_, word)| word.starts_with('-') && !word.starts_with("--"));
    let (flag, _) = flags.find(|(_, word)| word.contains('c'))?;
    Some(flag + 1)
}

/// A word as a shell takes it for one argument, with its variables replaced.
fn for_shell(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "_-./:=,@%+${}".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    if !mentions_variable(word) {
        return match shlex::try_quote(word) {
            Ok(text) => text.into_owned(),
            Err(_) => word.to_owned(),
        };
    }
    format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\""))
}

/// `key: text` as YAML.
fn entry(key: &str, text: &str) -> String {
    let plain = format!("{key}: {text}");
    let file = SourceFile::new(key, plain.clone());
    let read = yaml::read(&file, &plain);
    if read.is_ok_and(|tree| tree.get(key).and_then(yaml::Node::text) == Some(text)) {
        format!("{key}: {}", in_full(text))
    } else {
        format!("{key}: {}", single_quoted(text))
    }
}

fn single_quoted(text: &str) -> String {
    format!("'{}'", in_full(text).replace('\'', "''"))
}

/// Whether an argument has a variable as a shell writes it. Programs in other languages have dollars of their own, but
/// also brackets or quotes.
fn mentions_variable(word: &str) -> bool {
    if word.starts_with("$(") && word.ends_with(')') {
        return true;
    }
    if word.contains(['(', ')', '\'', '"', '`', ';', '\n']) {
        return false;
    }
    // With spaces, it may be a program: `{print $NF}`.
    let has_space = word.contains(char::is_whitespace);
    word.match_indices('$').any(|(at, _)| {
        let rest = &word[at + 1..];
        match rest.strip_prefix('{') {
            Some(inner) if has_space => {
                inner.contains('}') && starts_name(inner, char::is_uppercase)
            }
            Some(inner) => inner.contains('}') && starts_name(inner, char::is_alphabetic),
            None => !has_space && starts_name(rest, char::is_uppercase),
        }
    })
}

fn starts_name(text: &str, is_letter: fn(char) -> bool) -> bool {
    text.chars()
        .next()
        .is_some_and(|c| c == '_' || is_letter(c))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::section::section_of;

    /// The lines and messages of the warnings about this section.
    fn found(section: &str) -> Vec<(u32, String)> {
        let file = SourceFile::new("env.yml", format!("condafront:\n{section}"));
        let section = section_of(&file, &[("PORT", "1")].into_iter().collect());
        let warnings = section.warnings(&file).into_iter();
        warnings
            .map(|warning| {
                let diagnostic = warning.diagnostic;
                let line = diagnostic.locations[0].lines.first;
                (line, diagnostic.help.unwrap_or_default())
            })
            .collect()
    }

    #[test]
    fn variables_without_a_shell_are_found_in_every_command() {
        for (section, line, help) in [
            (
                "  cmd: [serve, \"${PORT}\"]\n",
                2,
                "cmd: exec serve ${PORT}",
            ),
            (
                "  user: ada\n  cmd: [serve, --port=$PORT]\n",
                3,
                "cmd: exec serve --port=$PORT",
            ),
            (
                "  entrypoint:\n    - serve\n    - ${PORT:-80}\n",
                3,
                "entrypoint: [/bin/sh, -c, 'exec serve ${PORT:-80} \"$@\"', sh]",
            ),
            ("  run: [[make, \"${PORT}\"]]\n", 2, "run: make ${PORT}"),
            (
                "  run:\n    - true\n    - run: [make, $PORT]\n",
                4,
                "run: make $PORT",
            ),
            (
                "  healthcheck: {cmd: [curl, \"localhost:${PORT}\"]}\n",
                2,
                "healthcheck: exec curl",
            ),
            (
                "  entrypoint: [serve, now]\n  cmd: [\"--port\", \"${PORT}\"]\n",
                3,
                "Remove `entrypoint`, and write the whole command without brackets for its variables to be replaced: cmd: exec serve now --port ${PORT}",
            ),
            (
                "  cmd: [serve, \"--name=x y\", \"a;b\", \"it's\", \"${PORT}\"]\n",
                2,
                "cmd: exec serve '--name=x y' 'a;b' \"it's\" ${PORT}",
            ),
            (
                "  cmd: [serve, \"key: value #x\", \"${PORT}\"]\n",
                2,
                "cmd: 'exec serve ''key: value #x'' ${PORT}'",
            ),
            (
                "  run: [[curl, -H, \"Host: ${HOST}\"]]\n",
                2,
                "run: 'curl -H \"Host: ${HOST}\"'",
            ),
            (
                "  cmd: [gunicorn, \"--bind 0.0.0.0:${PORT}\"]\n",
                2,
                "cmd: exec gunicorn \"--bind 0.0.0.0:${PORT}\"",
            ),
            (
                "  cmd: [serve, \"$(hostname)\"]\n",
                2,
                "cmd: exec serve \"$(hostname)\"",
            ),
            (
                "  cmd: [python, shell.py, sh, \"${PORT}\"]\n",
                2,
                "cmd: exec python shell.py sh ${PORT}",
            ),
            (
                "  cmd: [sh, -c, 'exec \"$@\"', sh, \"${PORT}\"]\n",
                2,
                "Write the variable in the script",
            ),
            (
                "  entrypoint: [bash, -c]\n  cmd: [serve $A, $B]\n",
                3,
                "Write the variable in the script",
            ),
        ] {
            let found = found(section);
            let [(at, said)] = &found[..] else {
                panic!("{section}: {found:?}");
            };
            assert_eq!(*at, line, "{section}");
            assert!(said.contains(help), "{section}: {said}");
        }
    }

    #[test]
    fn shells_and_other_languages_have_their_own_dollars() {
        for section in [
            "  cmd: serve $PORT\n",
            "  cmd: [serve, \"8888\", costs$, \"$5\", \"$x\"]\n",
            "  cmd: [bash, -c, \"$START\"]\n",
            "  cmd: [tini, --, /bin/sh, -c, \"${PORT}\"]\n",
            "  entrypoint: [/bin/bash, -c]\n  cmd: [\"$START\"]\n",
            "  entrypoint: exec \"$0\" \"$@\"\n  cmd: [serve, $PORT]\n",
            "  run: [[awk, \"{print $NF}\"], [perl, -e, \"print($ENV{HOME})\"]]\n",
            "  cmd: [node, -e, \"console.log(`${x}`)\"]\n",
            "  healthcheck: none\n",
        ] {
            assert_eq!(found(section), [], "{section}");
        }
    }
}
