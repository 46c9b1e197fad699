//! Warnings about a section that is valid.

use std::sync::Arc;

use crate::address_variables::{credentials_warning, hosts_with_credentials};
use crate::place::Place;
use crate::secret_variable;
use crate::section::image_section::ImageSection;
use condafront_model::lint::{Rule, Warning};
use condafront_model::source::SourceFile;

impl ImageSection {
    /// Warnings about what the section of `file` says.
    pub fn warnings(&self, file: &Arc<SourceFile>) -> Vec<Warning> {
        let secrets = self.env.iter().filter_map(|variable| {
            let place = Place {
                file,
                lines: variable.lines,
            };
            secret_variable::warning(&variable.name, variable.value.text(), place)
        });
        let mut found = self.unexpanded(file);
        found.extend(self.of_platforms(file));
        found.extend(secrets);
        found.extend(self.credentials(file));
        found
    }

    /// Warnings about credentials that are written out in the addresses of channels, which have been read without them.
    fn credentials(&self, file: &Arc<SourceFile>) -> Vec<Warning> {
        let mut found: Vec<Warning> = Vec::new();
        for url in self
            .channel_alias
            .iter()
            .chain(self.custom_channels.values())
        {
            let lines = url.lines;
            let length = lines.last.saturating_sub(lines.first) as usize + 1;
            let host = url.value.host();
            let written = file.lossy_text().lines().skip(lines.first as usize - 1);
            let mut exposed = written.take(length).flat_map(hosts_with_credentials);
            if !exposed.any(|exposed| exposed.eq_ignore_ascii_case(host)) {
                continue;
            }
            let (message, help) = credentials_warning("the channel's address", host);
            if found
                .iter()
                .all(|known| known.diagnostic.message != message)
            {
                let diagnostic = Place { file, lines }.error(message).help(help);
                let rule = Rule::CredentialsInUrl;
                found.push(Warning { rule, diagnostic });
            }
        }
        found
    }
}
