//! Keeps secrets out of an image's provenance.

use super::session::Session;

use std::sync::Arc;

use condafront_graph::downloads::Addresses;
use condafront_input::options::Options;
use condafront_model::package::PackageUrl;
use condafront_model::redact;
use condafront_model::source::{Diagnostic, Lines, Location};

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
        if self.options.get("attest:provenance").is_none() || !url.has_secret_path() {
            return Ok(());
        }
        let mut diagnostic = Diagnostic::new(format!(
            "the token in {url} would be in the image's provenance, where anyone can read it"
        ));
        if let Some(place) = place {
            diagnostic = diagnostic.at(&place.file, place.lines);
        }
        Err(diagnostic.help(format!(
            "Build with --provenance=false, or pass the token with --secret id=HTTP_AUTH_TOKEN_{},env=… instead (BuildKit 0.23 or later).",
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
