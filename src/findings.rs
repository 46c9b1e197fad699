//! What the lint finds in what the file and the build-args choose together, and what it leaves to a build.

use std::sync::Arc;

use crate::image::name::BaseName;
use crate::options::choices::{Choice, Choices};
use crate::options::settings::Settings;
use condafront_graph::plan::micromamba;
use condafront_input::section::ImageSection;
use condafront_input::{Conda, EnvironmentInput, Pip};
use condafront_model::lint::{Rule, Warning};
use condafront_model::platform::Platform;
use condafront_model::redact::quoted;
use condafront_model::source::{Diagnostic, Lines, SourceFile};
use condafront_step_spec::install::Installer;

/// All of it, where no named context stands in for the base image; `file` is the build file.
pub(crate) fn all(
    settings: &Settings,
    section: &ImageSection,
    file: &Arc<SourceFile>,
) -> Vec<Warning> {
    let choices = Choices::new(settings, section);
    let found = [base(&choices.base, file), user(settings, section, file)];
    found.into_iter().flatten().collect()
}

/// The warnings about the package of the installer, for steps that run on `platform`.
///
/// # Errors
/// When there is no such package.
pub(crate) fn installer(
    settings: &Settings,
    section: &ImageSection,
    platform: Platform,
) -> Result<Vec<Warning>, Diagnostic> {
    if Choices::new(settings, section).installer != Installer::Micromamba {
        return Ok(Vec::new());
    }
    let package = micromamba::package(&settings.micromamba, platform)?;
    let warning = micromamba::warning(&package, &settings.micromamba);
    Ok(warning.into_iter().collect())
}

/// The warning about a base image whose name can lead to another one.
pub(crate) fn base(choice: &Choice<String>, file: &Arc<SourceFile>) -> Option<Warning> {
    // An invalid name is reported elsewhere.
    let Ok(BaseName::Image(name)) = choice.value.parse() else {
        return None;
    };
    if name.is_pinned() {
        return None;
    }
    let shown = quoted(&choice.value);
    let diagnostic = Diagnostic::new(format!("the base image `{shown}` has no digest"))
        .help(format!("Write `base: {shown}@sha256:…`; `docker buildx imagetools inspect {shown}` shows the digest."));
    Some(Warning {
        rule: Rule::MutableBase,
        diagnostic: at(diagnostic, file, choice.lines),
    })
}

/// The warning about an image that runs as root.
pub(crate) fn user(
    settings: &Settings,
    section: &ImageSection,
    file: &Arc<SourceFile>,
) -> Option<Warning> {
    let choices = Choices::new(settings, section);
    if choices.ownership().owner.uid != 0 {
        return None;
    }
    let diagnostic = Diagnostic::new("the image runs as root").help(
        "Remove `user` for the default account, which owns the environment, or name another account.",
    );
    Some(Warning {
        rule: Rule::RootUser,
        diagnostic: at(diagnostic, file, choices.user.lines),
    })
}

/// What only a build finds out about the packages of these environments, which a check does not look up; `None` if all of them
/// are in locks.
pub(crate) fn left_to_a_build<'a>(
    environments: impl IntoIterator<Item = &'a EnvironmentInput>,
    section: &ImageSection,
) -> Option<String> {
    let mut asks_channels = false;
    let mut asks_indexes = !section.pip.is_empty();
    for input in environments {
        if let Conda::Unsolved(request) = &input.conda {
            asks_channels |= !request.specs.is_empty();
        }
        if let Pip::Unsolved(list) = &input.pip {
            asks_indexes |= !list.is_empty();
        }
    }
    let who = match (asks_channels, asks_indexes) {
        (true, true) => "the channels and the package indexes have",
        (true, false) => "the channels have",
        (false, true) => "the package indexes have",
        (false, false) => return None,
    };
    Some(format!(
        "only a build finds out whether {who} these packages"
    ))
}

fn at(diagnostic: Diagnostic, file: &Arc<SourceFile>, lines: Option<Lines>) -> Diagnostic {
    match lines {
        Some(lines) => diagnostic.at(file, lines),
        None => diagnostic,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use condafront_input::section::section_of;

    #[test]
    fn bases_and_users_are_looked_at_wherever_they_come_from() {
        let mut shown = String::new();
        let digest = format!("debian:13-slim@sha256:{}", "0".repeat(64));
        let cases: [(&str, &[(&str, &str)]); 8] = [
            ("  base: ubuntu:24.04\n", &[]),
            ("  base: scratch\n", &[]),
            (&format!("  base: {digest}\n  user: root\n"), &[]),
            ("  base: scratch\n  user: {uid: 0}\n", &[]),
            ("  base: scratch\n  user: ada\n", &[]),
            ("  base: scratch\n  user: root\n", &[("MAMBA_USER", "ada")]),
            ("  base: scratch\n", &[("MAMBA_USER", "0")]),
            ("  layers: 1\n", &[("BASE_IMAGE", "debian")]),
        ];
        for (section, args) in cases {
            let file = SourceFile::new("env.yml", format!("condafront:\n{section}"));
            let settings = Settings::from_build_args(args.iter().copied()).unwrap();
            let section_read = section_of(&file, &args.iter().copied().collect());
            shown.push_str(&format!("{section}{args:?}\n"));
            for warning in all(&settings, &section_read, &file) {
                let lines = warning
                    .diagnostic
                    .locations
                    .iter()
                    .map(|one| one.lines.first);
                let lines: Vec<u32> = lines.collect();
                let name = warning.rule.name();
                shown.push_str(&format!("=> {name} at {lines:?}: {}\n", warning.diagnostic));
            }
        }
        insta::assert_snapshot!(shown);
    }
}
