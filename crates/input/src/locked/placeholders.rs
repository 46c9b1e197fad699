//! Placeholders for credentials in URLs: conda writes `/t/<TOKEN>/` instead of a token, other tools `***` or `xxxx`.

use std::borrow::Cow;

use url::Url;

use super::{Locked, Placeholder};
use condafront_model::lint::Rule;
use condafront_model::placeholder;
use condafront_model::source::{Diagnostic, Lines};

impl Locked<'_> {
    /// The URL without placeholders for credentials, about which [`Locked::finish`] warns.
    pub(super) fn without_placeholders<'t>(
        &mut self,
        written: &'t str,
        lines: Lines,
    ) -> Cow<'t, str> {
        let Some(bare) = placeholder::without(written) else {
            return Cow::Borrowed(written);
        };
        let parsed = Url::parse(&bare);
        if let Some(host) = parsed.as_ref().ok().and_then(Url::host_str) {
            self.placeholder.get_or_insert_with(|| Placeholder {
                host: host.to_owned(),
                lines,
                is_of_git: written.starts_with("git+"),
            });
        }
        Cow::Owned(bare)
    }

    /// Warns once for the whole file, as for credentials that are written out.
    pub(super) fn warn_of_placeholders(&mut self) {
        let Some(found) = self.placeholder.take() else {
            return;
        };
        let host = found.host;
        let diagnostic = Diagnostic::new(format!(
            "the lock has only placeholders for the credentials for {host}, which are ignored"
        ))
        .at(self.file, found.lines)
        .help(if found.is_of_git {
            "If the repository needs them, pass them with --secret id=GIT_AUTH_TOKEN,env=….".to_owned()
        } else {
            format!(
                "If the channel needs them, pass them with --secret id=HTTP_AUTH_TOKEN_{host}, or set another address for the channel with the build-arg CONDA_MIRRORS."
            )
        });
        self.warn(Rule::CredentialsInUrl, diagnostic);
    }
}
