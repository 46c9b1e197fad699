//! Keeps secrets out of what BuildKit records of a build: provenance, and the builder's history.

use super::session::Session;

use std::sync::Arc;

use condafront_graph::downloads::Addresses;
use condafront_input::has_credentials;
use condafront_input::options::Options;
use condafront_model::package::PackageUrl;
use condafront_model::redact;
use condafront_model::source::{Diagnostic, Lines, Location};

/// How the names of build-args with addresses begin.
const ADDRESSES: &str = "CONDA_";

/// Refuses build-args with credentials that BuildKit would record: the builder's history has the values of all build-args, and
/// so has provenance with `mode=max` (`solver/llbsolver/provenance.go`). The user's own build-args are the user's business
/// unless they would be in the image's provenance.
///
/// # Errors
/// A diagnostic that names the build-arg but not its value.
pub(super) fn check_build_args(options: &Options) -> Result<(), Diagnostic> {
    for (name, value) in options.build_args() {
        if name.starts_with(ADDRESSES) {
            if has_credentials(value) {
                return Err(Diagnostic::new(format!(
                    "the build-arg {name} has credentials, which the builder's history and provenance would keep"
                ))
                .help("Remove them, and pass the login with --secret id=HTTP_AUTH_HEADER_<host>,env=… (BuildKit 0.23 or later)."));
            }
        } else if is_max(options) && redact::masked(value) != value {
            return Err(Diagnostic::new(format!(
                "the build-arg {name} has credentials, which would be in the image's provenance, where anyone can read them"
            ))
            .help("Pass them as a secret, or build with --provenance=mode=min."));
        }
    }
    Ok(())
}

/// Whether provenance records everything about the build.
fn is_max(options: &Options) -> bool {
    let provenance = options.get("attest:provenance").unwrap_or_default();
    provenance.split(',').any(|part| part.trim() == "mode=max")
}

impl Session<'_> {
    /// Refuses addresses that would put a secret where BuildKit records its sources: in provenance, and in the builder's
    /// history. `lines` are the lines of each address in the file.
    pub(super) fn check_recorded(
        &self,
        addresses: &Addresses,
        mut lines: impl Iterator<Item = Option<Lines>>,
    ) -> Result<(), Diagnostic> {
        for address in addresses.iter().filter(|address| !address.is_given()) {
            let file = Arc::clone(self.file);
            let place = lines.next().flatten();
            let place = place.map(|lines| Location { file, lines });
            check_address(address.url(), place)?;
        }
        Ok(())
    }
}

/// The same for one address, at its place in any file.
///
/// # Errors
/// A diagnostic that shows no secret.
pub(super) fn check_address(url: &PackageUrl, place: Option<Location>) -> Result<(), Diagnostic> {
    let (what, help) = if url.has_login() {
        let login = format!("--secret id=HTTP_AUTH_HEADER_{},env=…", url.host());
        (
            "login",
            format!("Pass the login with {login} (BuildKit 0.23 or later)."),
        )
    } else if url.url().query().is_some_and(redact::is_secret) {
        let help = "Download the file from an address without a query, which is often a signature.";
        ("query", help.to_owned())
    } else {
        return Ok(());
    };
    let mut diagnostic = Diagnostic::new(format!(
        "the {what} in {url} would be kept by the builder's history and provenance"
    ));
    if let Some(place) = place {
        diagnostic = diagnostic.at(&place.file, place.lines);
    }
    Err(diagnostic.help(help))
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
    fn an_address_may_have_a_query_but_no_signature() {
        for (query, is_allowed) in [
            ("?raw=true", true),
            ("?dl=1", true),
            ("?ref_type=heads", true),
            ("?versionId=3HL4.kq", true),
            ("?sig=abc", false),
            ("?private_token=abc", false),
        ] {
            let url = format!("https://f.example/demo-1.0-py3-none-any.whl{query}");
            let url = PackageUrl::new(url::Url::parse(&url).unwrap());
            assert_eq!(check_address(&url, None).is_ok(), is_allowed, "{query}");
        }
    }

    #[test]
    fn only_credentials_that_would_be_recorded_are_refused() {
        const MAX: &str = "attest:provenance=mode=max";
        const MIN: &str = "attest:provenance=mode=min";
        let mirror = "build-arg:CONDA_MIRRORS=https://c.example=https://me:hunter2@m.example";
        let own = "build-arg:MODEL=https://me:hunter2@m.example/model";
        for (options, name) in [
            (&[mirror][..], "CONDA_MIRRORS"),
            (&[MIN, mirror], "CONDA_MIRRORS"),
            (&[MAX, own], "MODEL"),
        ] {
            let error = check(options).unwrap_err();
            assert!(
                error.contains(name) && !error.contains("hunter2"),
                "{error}"
            );
        }
        for options in [
            &[own][..],
            &[MIN, own],
            &[MAX, "build-arg:CONDA_MIRRORS=https://a=https://b"],
            &[
                MAX,
                "build-arg:CONDA_MIRRORS=https://a=https://me:$PASSWORD@b",
            ],
        ] {
            assert_eq!(check(options), Ok(()));
        }
    }
}
