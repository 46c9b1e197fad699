//! What is doubtful about the packages of a lock as a whole.

use super::Locked;
use crate::address_variables::credentials_warning;
use crate::channels::warning_of_terms;
use crate::place::Place;
use condafront_model::channel::ChannelUrl;
use condafront_model::lint::{MOST_SHOWN, Rule, Warning};
use condafront_model::package::{Hashes, Package};
use condafront_model::source::Diagnostic;

impl Locked<'_> {
    /// Warns once for the whole file: such locks have the token in every line.
    pub(super) fn warn_of_credentials(&mut self) {
        let Some((host, lines)) = self.left_out.take() else {
            return;
        };
        let (message, help) = credentials_warning("the lock", &host);
        let diagnostic = Diagnostic::new(message).at(self.file, lines).help(help);
        self.warn(Rule::CredentialsInUrl, diagnostic);
    }

    /// Warns once of packages from Anaconda's own channels.
    pub(super) fn warn_of_terms(&mut self) {
        let found = self.packages.iter().find_map(|package| {
            let channel = ChannelUrl::parse(&package.url.channel()).ok()?;
            channel.is_anacondas().then_some((channel, package.lines))
        });
        if let Some((channel, lines)) = found {
            let file = self.file;
            self.warnings
                .push(warning_of_terms(&channel, Place { file, lines }));
        }
    }

    /// Warns of packages without a hash: once if no conda package of a long lock has one, as when conda writes it without
    /// --md5 or --sha256.
    pub(super) fn warn_of_hashes(&mut self) {
        let has_none = |package: &Package| package.hashes == Hashes::default();
        let count = self.packages.len();
        let is_all = count > MOST_SHOWN && self.packages.iter().all(has_none);
        if let Some(first) = self.packages.first().filter(|_| is_all) {
            let diagnostic = Diagnostic::new(format!(
                "none of the {count} packages has a hash: nothing checks what is downloaded"
            ))
            .at(self.file, first.lines)
            .help(self.unverified.conda);
            self.warn(Rule::UnverifiedPackage, diagnostic);
        }
        let conda = self
            .packages
            .iter()
            .filter(|_| !is_all)
            .map(|package| (package.id.to_string(), &package.hashes, package.lines))
            .map(|found| (found, self.unverified.conda));
        let pip = self.pip.iter().map(|package| {
            let what = format!("the PyPI package {}", package.name);
            let help = self.hashless.get(&package.name).copied();
            let help = help.unwrap_or(self.unverified.pip);
            ((what, &package.hashes, package.lines), help)
        });
        let unverified: Vec<Warning> = conda
            .chain(pip)
            .filter(|((_, hashes, _), _)| **hashes == Hashes::default())
            .map(|((what, _, lines), help)| {
                Warning::unverified(Rule::UnverifiedPackage, what, help).at(self.file, lines)
            })
            .collect();
        self.warnings.extend(unverified);
    }
}
