//! Variables in commands that no shell runs: the program gets `${PORT}` as it is written.

use std::sync::Arc;

use crate::section::contract::Contract;
use crate::section::image_section::{Command, Healthcheck, ImageSection, Located};
use condafront_model::lint::{Rule, Warning};
use condafront_model::redact::quoted;
use condafront_model::source::{Diagnostic, Lines, SourceFile};

/// Programs that replace variables in their arguments, also behind an init program such as tini.
const SHELLS: [&str; 8] = ["sh", "bash", "dash", "ash", "zsh", "ksh", "fish", "busybox"];

impl ImageSection {
    /// Warnings about commands of the section of `file` that work differently from what was meant.
    pub(super) fn unexpanded(&self, file: &Arc<SourceFile>) -> Vec<Warning> {
        let check = self.healthcheck.iter();
        let check = check.filter_map(|check| match &check.value {
            Healthcheck::Command { command, .. } => Some(("healthcheck", command, check.lines)),
            Healthcheck::None => None,
        });
        let run = self.run.iter().map(|run| ("run", &run.command, run.lines));
        let [entrypoint, cmd] = [("entrypoint", &self.entrypoint), ("cmd", &self.cmd)];
        let starts = [entrypoint, cmd].into_iter();
        let starts = starts.filter_map(|(key, command)| {
            let command = command.as_ref()?;
            Some((key, &command.value, command.lines))
        });
        // With an entrypoint, `cmd` is its arguments, and a shell may run them.
        let entrypoint_is_shell = self
            .entrypoint
            .as_ref()
            .is_some_and(|command| has_shell(&command.value));
        let all = starts
            .filter(|(key, ..)| !(entrypoint_is_shell && *key == "cmd"))
            .chain(check)
            .chain(run);
        let unexpanded = all.filter_map(|(key, command, lines)| warning(file, key, command, lines));
        unexpanded.chain(added(file, &self.added)).collect()
    }
}

/// What platforms added to the section, a warning for each platform.
fn added(
    file: &Arc<SourceFile>,
    all: &[Located<(Contract, String)>],
) -> impl Iterator<Item = Warning> {
    let mut platforms: Vec<(Contract, Lines, Vec<String>)> = Vec::new();
    for Located {
        value: (contract, text),
        lines,
    } in all
    {
        let text = format!("`{text}`");
        match platforms.iter_mut().find(|(known, ..)| known == contract) {
            Some((.., texts)) => texts.push(text),
            None => platforms.push((*contract, *lines, vec![text])),
        }
    }
    platforms.into_iter().map(|(contract, lines, texts)| {
        let texts = listed_with_and(&texts);
        let message = format!("`for: {}` adds {texts}", contract.name());
        Warning {
            rule: Rule::AddedForPlatform,
            diagnostic: Diagnostic::new(message)
                .at(file, lines)
                .help("Write these keys in the file to see them there, or with other values."),
        }
    })
}

/// `a`, `a and b`, `a, b and c`.
fn listed_with_and(texts: &[String]) -> String {
    match texts {
        [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        _ => texts.concat(),
    }
}

fn warning(file: &Arc<SourceFile>, key: &str, command: &Command, lines: Lines) -> Option<Warning> {
    let Command::Exec(words) = command else {
        return None;
    };
    if has_shell(command) {
        return None;
    }
    let word = words.iter().find(|word| mentions_variable(word))?;
    let text = words.join(" ");
    let message = format!(
        "`{}` stays as it is: no shell runs a command in brackets",
        quoted(word)
    );
    let help = format!(
        "Write the command without brackets for its variables to be replaced: {key}: {}{}",
        if key == "run" { "" } else { "exec " },
        quoted(&text)
    );
    Some(Warning {
        rule: Rule::UnexpandedVariable,
        diagnostic: Diagnostic::new(message).at(file, lines).help(help),
    })
}

fn has_shell(command: &Command) -> bool {
    match command {
        Command::Shell(_) => true,
        Command::Exec(words) => words.iter().any(|word| {
            let name = word.rsplit('/').next().unwrap_or(word);
            SHELLS.contains(&name)
        }),
    }
}

/// Whether an argument has a variable as a shell writes it. Programs in other languages have dollars of their own, but
/// also spaces or brackets.
fn mentions_variable(word: &str) -> bool {
    if word.contains(|c: char| c.is_whitespace() || "()'\"`;".contains(c)) {
        return false;
    }
    word.match_indices('$').any(|(at, _)| {
        let rest = &word[at + 1..];
        match rest.strip_prefix('{') {
            Some(inner) => inner.contains('}') && starts_name(inner, char::is_alphabetic),
            None => starts_name(rest, char::is_uppercase),
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
                "entrypoint: exec serve",
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
