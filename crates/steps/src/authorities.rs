//! The authorities that a build trusts besides the public ones, for what a step downloads and for the programs that it runs.

use std::path::Path;

use condafront_entrypoint::authorities::{ALL_FILE, Authorities, AuthoritiesError, VARIABLES};
use condafront_step_spec::failure_report::FailureReport;
use ureq::tls::{Certificate, RootCerts};
use webpki_root_certs::TLS_SERVER_ROOT_CERTS;

/// What a step trusts in addition to the public authorities.
#[derive(Debug, Default)]
pub(crate) struct Trust {
    given: Option<Authorities>,
}

impl Trust {
    /// That of the build which this process is a step of.
    ///
    /// # Errors
    /// When the secret is something else than authorities.
    pub(crate) fn of_build() -> Result<Self, FailureReport> {
        let given = Authorities::given(Path::new("/")).map_err(report)?;
        Ok(Self { given })
    }

    /// The authorities in a PEM text.
    #[cfg(test)]
    pub(crate) fn of(pem: &str) -> Self {
        let given = Authorities::parse(pem.as_bytes()).expect("authorities");
        Self { given: Some(given) }
    }

    /// Writes the file with all authorities, the public ones included: base images often have none. Returns its path; `None`
    /// if programs need no file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn file(&self) -> Result<Option<&'static str>, FailureReport> {
        let Some(given) = &self.given else {
            return Ok(None);
        };
        let mut env = std::env::vars_os().collect();
        let public = TLS_SERVER_ROOT_CERTS.iter().map(AsRef::as_ref);
        given
            .provide(Path::new("/"), &mut env, public)
            .map_err(report)?;
        Ok(Some(ALL_FILE))
    }

    /// The same for requests of the step itself; `None` if it trusts the public ones alone.
    pub(crate) fn roots(&self) -> Option<RootCerts> {
        let given = self.given.as_ref()?;
        let public = TLS_SERVER_ROOT_CERTS.iter().map(AsRef::as_ref);
        let all = public.chain(given.der());
        let all: Vec<Certificate<'_>> = all
            .map(|der| Certificate::from_der(der).to_owned())
            .collect();
        Some(RootCerts::new_with_certs(&all))
    }
}

/// The variables that name the file with all authorities to programs.
pub(crate) fn variables(file: Option<&str>) -> impl Iterator<Item = (&'static str, &str)> {
    file.into_iter()
        .flat_map(|file| VARIABLES.into_iter().map(move |name| (name, file)))
}

/// The step that checks the secret.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn check() -> Result<(), FailureReport> {
    Trust::of_build().map(drop)
}

fn report(error: AuthoritiesError) -> FailureReport {
    FailureReport {
        help: Some(error.help().to_owned()),
        ..FailureReport::new(error)
    }
}
