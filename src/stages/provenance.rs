//! Keeps secrets out of an image's provenance.

use super::session::Session;

use std::sync::Arc;

use condafront_graph::downloads::Addresses;
use condafront_input::credential_variables;
use condafront_input::options::Options;
use condafront_model::package::PackageUrl;
use condafront_model::redact;
use condafront_model::source::{Diagnostic, Lines, Location, SourceFile};

/// Refuses build-args with credentials if BuildKit would record them: provenance with `mode=max` lists the values of all
/// build-args (`solver/llbsolver/provenance.go`).
///
/// # Errors
/// A diagnostic that names the build-arg but not its value.
pub(super) fn check_build_args(options: &Options) -> Result<(), Diagnostic> {
    if !is_max(options) {
        return Ok(());
    }
    let mut args = options.build_args();
    match args.find(|(_, value)| redact::masked(value) != *value) {
        Some((name, _)) => Err(Diagnostic::new(format!(
            "the credentials in build-arg {name} would be in the image's provenance, where anyone can read them"
        ))
        .help("Build with --provenance=mode=min, or pass the credentials as a secret: --secret id=HTTP_AUTH_TOKEN_<host>,env=…")),
        None => Ok(()),
    }
}

/// The same for build-args whose names stand for credentials in an address; `file` is where, unless it is another build-arg.
///
/// # Errors
/// A diagnostic at the first address, which names the build-arg but not its value.
pub(super) fn check_credential_args(
    options: &Options,
    file: Option<&Arc<SourceFile>>,
    text: &str,
) -> Result<(), Diagnostic> {
    if !is_max(options) {
        return Ok(());
    }
    let is_given = |wanted: &String| {
        let mut args = options.build_args();
        args.any(|(name, value)| name == wanted && !value.is_empty())
    };
    for (index, line) in text.lines().enumerate() {
        let Some(name) = credential_variables(line).into_iter().find(is_given) else {
            continue;
        };
        let mut error = Diagnostic::new(format!(
            "the build-arg {name}, a credential, would be in the image's provenance, where anyone can read it"
        ));
        if let Some(file) = file {
            error = error.at(file, Lines::one(index + 1));
        }
        return Err(error.help(format!(
            "Pass it with --secret id={name},env={name} instead, or build with --provenance=mode=min."
        )));
    }
    Ok(())
}

/// Whether provenance records everything about the build.
fn is_max(options: &Options) -> bool {
    let provenance = options.get("attest:provenance").unwrap_or_default();
    provenance.split(',').any(|part| part.trim() == "mode=max")
}

impl Session<'_> {
    /// Whether provenance has the arguments of the build's steps.
    pub(super) fn records_arguments(&self) -> bool {
        is_max(self.options)
    }

    /// Refuses addresses that would put a secret into the image: provenance lists the URLs of all sources, and BuildKit
    /// only removes users and passwords from them. `lines` are the lines of each address in the file.
    pub(super) fn check_provenance(
        &self,
        addresses: &Addresses,
        mut lines: impl Iterator<Item = Option<Lines>>,
    ) -> Result<(), Diagnostic> {
        for address in addresses.iter().filter(|address| !address.is_given()) {
            self.check_secret_path(address.url(), lines.next().flatten())?;
        }
        Ok(())
    }

    /// The same for one URL, at its lines in the user's file.
    pub(super) fn check_secret_path(
        &self,
        url: &PackageUrl,
        lines: Option<Lines>,
    ) -> Result<(), Diagnostic> {
        let file = Arc::clone(self.file);
        self.check_secret_path_at(url, lines.map(|lines| Location { file, lines }))
    }

    /// The same for one URL, at its place in any file.
    pub(super) fn check_secret_path_at(
        &self,
        url: &PackageUrl,
        place: Option<Location>,
    ) -> Result<(), Diagnostic> {
        if self.options.get("attest:provenance").is_none() {
            return Ok(());
        }
        // With `mode=max`, it has the build graph as it is.
        let (what, instead) = if url.has_secret_path() {
            ("token", "--provenance=false")
        } else if is_max(self.options) && url.has_credentials() {
            ("password", "--provenance=mode=min")
        } else {
            return Ok(());
        };
        let mut diagnostic = Diagnostic::new(format!(
            "the {what} in {url} would be in the image's provenance, where anyone can read it"
        ));
        if let Some(place) = place {
            diagnostic = diagnostic.at(&place.file, place.lines);
        }
        Err(diagnostic.help(format!(
            "Build with {instead}, or pass the {what} with --secret id=HTTP_AUTH_TOKEN_{},env=… instead (BuildKit 0.23 or later).",
            url.host()
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(options: &[&str]) -> Result<(), String> {
        let env = options.iter().enumerate().map(|(number, option)| {
            (
                format!("BUILDKIT_FRONTEND_OPT_{number}"),
                (*option).to_owned(),
            )
        });
        check_build_args(&Options::from_env(env)).map_err(|error| error.to_string())
    }

    #[test]
    fn build_args_that_stand_for_credentials_are_refused() {
        let check = |options: &[&str], text: &str| {
            let env = options.iter().enumerate().map(|(number, option)| {
                (
                    format!("BUILDKIT_FRONTEND_OPT_{number}"),
                    (*option).to_owned(),
                )
            });
            let file = SourceFile::new("env.yml", text);
            check_credential_args(&Options::from_env(env), Some(&file), text)
        };
        const MAX: &str = "attest:provenance=mode=max";
        const ARG: &str = "build-arg:PASSWORD=hunter2";
        const TEXT: &str = "channels:\n  - https://me:${PASSWORD}@c.example/forge\n";
        let error = check(&[MAX, ARG], TEXT).unwrap_err();
        assert_eq!(error.locations[0].lines, Lines::one(2));
        let shown = error.to_string();
        assert!(
            shown.contains("PASSWORD") && !shown.contains("hunter2"),
            "{shown}"
        );
        for (options, text) in [
            (&[ARG][..], TEXT),
            (&["attest:provenance=mode=min", ARG], TEXT),
            (&[MAX, "build-arg:PASSWORD="], TEXT),
            (&[MAX, "build-arg:HOST=h"], TEXT),
            (&[MAX, ARG], "channels: [\"https://h/${PASSWORD}\"]\n"),
        ] {
            assert_eq!(check(options, text), Ok(()), "{options:?}");
        }
    }

    #[test]
    fn only_credentials_that_would_be_recorded_are_refused() {
        let mirror = "build-arg:CONDA_MIRRORS=https://c.example=https://me:hunter2@m.example";
        let error = check(&["attest:provenance=mode=max", mirror]).unwrap_err();
        assert!(
            error.contains("CONDA_MIRRORS") && !error.contains("hunter2"),
            "{error}"
        );
        for options in [
            &["attest:provenance=mode=min", mirror][..],
            &[mirror],
            &[
                "attest:provenance=mode=max",
                "build-arg:CONDA_MIRRORS=https://a=https://b",
            ],
        ] {
            assert_eq!(check(options), Ok(()));
        }
    }
}
