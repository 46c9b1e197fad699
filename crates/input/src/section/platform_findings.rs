//! Warnings about what `for` adds, and about what is in its platforms' way.

use std::sync::Arc;

use crate::section::contract::Contract;
use crate::section::image_section::{Command, ImageSection, Located};
use condafront_model::lint::{Rule, Warning};
use condafront_model::prose;
use condafront_model::source::{Diagnostic, Lines, SourceFile};

/// Programs that run their arguments as a command.
const RUNS_ARGUMENTS: [&str; 12] = [
    "tini",
    "dumb-init",
    "catatonit",
    "docker-init",
    "env",
    "exec",
    "gosu",
    "su-exec",
    "setpriv",
    "nice",
    "xvfb-run",
    "time",
];

impl ImageSection {
    /// Warnings about the platforms of the section of `file`.
    pub(super) fn of_platforms(&self, file: &Arc<SourceFile>) -> Vec<Warning> {
        let mut found: Vec<Warning> = added(file, &self.added).collect();
        found.extend(self.entrypoint_in_the_way(file));
        found
    }

    /// A warning if a platform of `for` starts programs of its own through the image's entrypoint, and it may not run them.
    fn entrypoint_in_the_way(&self, file: &Arc<SourceFile>) -> Option<Warning> {
        let entrypoint = self.entrypoint.as_ref()?;
        if runs_arguments(&entrypoint.value) {
            return None;
        }
        let mut contracts = self.contracts.iter();
        let (contract, starts, way) = contracts.find_map(|contract| {
            starts_through_entrypoint(contract.value).map(|(starts, way)| (contract, starts, way))
        })?;
        let message = format!("{starts} through the image's `entrypoint`, which may not run it");
        let help = format!(
            "Put the program in `cmd` instead, or let `entrypoint` end in the command that it is given: entrypoint: [/bin/sh, -c, 'exec \"$@\"', sh]{way}"
        );
        Some(Warning {
            rule: Rule::PlatformEntrypoint,
            diagnostic: Diagnostic::new(message)
                .at(file, entrypoint.lines)
                .at(file, contract.lines)
                .help(help),
        })
    }
}

/// What a platform starts through the entrypoint, as the beginning of a message, and what else can be done.
fn starts_through_entrypoint(contract: Contract) -> Option<(&'static str, &'static str)> {
    match contract {
        // Since 22.10 (`ContainerHelper.entrypointOverride` in nextflow-io/nextflow).
        Contract::Nextflow => Some((
            "Nextflow starts `/bin/bash` for each task",
            ". With the variable NXF_CONTAINER_ENTRYPOINT_OVERRIDE=true, Nextflow replaces it.",
        )),
        // Kubernetes keeps the entrypoint of an image where only `args` are given, as KubeSpawner does.
        Contract::Binder => Some(("Binder starts the notebook server", "")),
        Contract::Jupyterhub => Some(("JupyterHub starts `jupyterhub-singleuser`", "")),
        _ => None,
    }
}

/// Whether an entrypoint runs the command that follows it, as far as its text says.
fn runs_arguments(entrypoint: &Command) -> bool {
    let words = match entrypoint {
        Command::Exec(words) => words,
        // In shell form it gets no arguments.
        Command::Shell(_) => return false,
    };
    let Some(program) = words.first() else {
        return true;
    };
    let name = program.rsplit('/').next().unwrap_or(program);
    // Scripts that set something up end in `exec "$@"`, most of the time.
    let is_script = name.ends_with(".sh") || name.contains("entrypoint");
    is_script
        || words.iter().any(|word| word.contains("$@"))
        || (RUNS_ARGUMENTS.contains(&name)
            && words.iter().skip(1).all(|word| word.starts_with('-')))
}

/// What platforms added to the section, a warning for each platform.
fn added(
    file: &Arc<SourceFile>,
    all: &[Located<(Contract, String)>],
) -> impl Iterator<Item = Warning> {
    let mut platforms: Vec<(Contract, Lines, Vec<&str>)> = Vec::new();
    for Located {
        value: (contract, text),
        lines,
    } in all
    {
        match platforms.iter_mut().find(|(known, ..)| known == contract) {
            Some((.., texts)) => texts.push(text),
            None => platforms.push((*contract, *lines, vec![text])),
        }
    }
    platforms.into_iter().map(|(contract, lines, texts)| {
        let texts = prose::and(prose::code(texts));
        let message = format!("`for: {}` adds {texts}", contract.name());
        Warning {
            rule: Rule::AddedForPlatform,
            diagnostic: Diagnostic::new(message)
                .at(file, lines)
                .help("Write these keys in the file to see them there, or with other values."),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::section::section_of;

    fn found(section: &str) -> Vec<(u32, String)> {
        let file = SourceFile::new("env.yml", format!("condafront:\n{section}"));
        let section = section_of(&file, &std::iter::empty::<(&str, &str)>().collect());
        let warnings = section.warnings(&file).into_iter();
        let warnings = warnings.filter(|warning| warning.rule == Rule::PlatformEntrypoint);
        let told = warnings.map(|warning| {
            let line = warning.diagnostic.locations[0].lines.first;
            (line, warning.diagnostic.message)
        });
        told.collect()
    }

    #[test]
    fn an_entrypoint_that_hides_a_platforms_command_is_told() {
        for (section, line, platform) in [
            (
                "  for: nextflow\n  entrypoint: [python, -m, app]\n",
                3,
                "Nextflow",
            ),
            (
                "  entrypoint: serve\n  for: [openshift, binder]\n",
                2,
                "Binder",
            ),
            (
                "  for: [jupyterhub]\n  entrypoint: [tini, --, serve]\n",
                3,
                "JupyterHub",
            ),
        ] {
            let found = found(section);
            let [(at, message)] = &found[..] else {
                panic!("{section}: {found:?}");
            };
            assert_eq!(*at, line, "{section}");
            assert!(message.starts_with(platform), "{message}");
        }
    }

    #[test]
    fn an_entrypoint_that_runs_its_arguments_is_fine() {
        for section in [
            "  for: nextflow\n",
            "  for: nextflow\n  entrypoint: []\n",
            "  for: nextflow\n  entrypoint: [tini, --]\n",
            "  for: binder\n  entrypoint: [/usr/local/bin/start.sh]\n",
            "  for: binder\n  entrypoint: [/bin/sh, -c, 'umask 2; exec \"$@\"', sh]\n",
            "  for: [apptainer, openshift]\n  entrypoint: [serve]\n",
            "  entrypoint: [serve]\n",
        ] {
            assert_eq!(found(section), [], "{section}");
        }
    }
}
