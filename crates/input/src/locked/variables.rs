//! Environment variables in URLs (`https://$USER:$PASSWORD@…`, `/t/$TOKEN/`), which conda and conda-lock expand when they
//! install (<https://conda.org/learn/ceps/cep-0023>). A build does not have them.

use std::sync::Arc;

use url::Url;

use super::Locked;
use condafront_model::lint::Rule;
use condafront_model::redact;
use condafront_model::source::{Diagnostic, Lines, SourceFile};

impl Locked<'_> {
    /// A URL that can be downloaded: without variables and placeholders that stand for credentials, about which
    /// [`Locked::finish`] warns. Other variables are an error.
    pub(crate) fn without_variables(
        &mut self,
        written: &str,
        lines: Lines,
    ) -> Result<String, Diagnostic> {
        let written = self.without_placeholders(written, lines);
        if !written.contains('$') {
            return Ok(written.into_owned());
        }
        let url = without_credentials(&written);
        let parsed = Url::parse(&url).ok().filter(|_| !url.contains('$'));
        let Some(host) = parsed.as_ref().and_then(Url::host_str) else {
            return Err(Diagnostic::new(format!(
                "the URL `{}` contains a variable, which a build cannot expand",
                redact::quoted(&written)
            ))
            .at(self.file, lines)
            .help("Write out the address, or set another for the channel with the build-arg CONDA_MIRRORS."));
        };
        self.hidden.get_or_insert_with(|| (host.to_owned(), lines));
        Ok(url)
    }

    /// Warns once for the whole file, as for credentials that are written out.
    pub(super) fn warn_of_variables(&mut self) {
        if let Some((host, lines)) = self.hidden.take() {
            let diagnostic = left_out(&host, self.file, lines);
            self.warn(Rule::CredentialsInUrl, diagnostic);
        }
    }
}

fn left_out(host: &str, file: &Arc<SourceFile>, lines: Lines) -> Diagnostic {
    Diagnostic::new(format!(
        "the lock takes credentials for {host} from variables, which a build does not have: they are ignored"
    ))
    .at(file, lines)
    .help(format!(
        "If the channel needs them, pass them with --secret id=HTTP_AUTH_TOKEN_{host}, or set another address for the channel with the build-arg CONDA_MIRRORS."
    ))
}

/// The URL without user, password and token if they are variables.
fn without_credentials(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = match authority.rsplit_once('@') {
        Some((user, host)) if user.contains('$') => host,
        _ => authority,
    };
    match path.split_once("/t/$") {
        Some((before, token)) => {
            let after = token.find('/').map_or("", |end| &token[end..]);
            format!("{scheme}://{host}{before}{after}")
        }
        None => format!("{scheme}://{host}{path}"),
    }
}
