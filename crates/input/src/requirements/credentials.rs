//! Credentials in lists and options for pip. The builder's history and provenance would keep them, so a build rejects them.

use super::list::List;
use super::requirement::Source;
use super::variables::has_credentials;
use crate::section::args::BuildArgs;
use condafront_model::source::Diagnostic;

/// pip's index settings, given as build-args or as secrets with these names.
pub const PIP_SETTINGS: [&str; 3] = ["PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_TRUSTED_HOST"];

/// What to do about credentials for a server of files.
const OF_SERVER: &str = "Write ${NAME} in their place, and pass their values as secrets, not as build-args: --secret id=NAME,env=NAME. Downloads from that server also need --secret id=HTTP_AUTH_HEADER_<host>,env=….";

/// The same for a git server, from which BuildKit loads.
const OF_REPOSITORY: &str =
    "Remove them, and pass a token as a secret: --secret id=GIT_AUTH_TOKEN,env=….";

impl List {
    /// Refuses credentials in the list, and in those of pip's settings among the build-args that the list needs.
    ///
    /// # Errors
    /// A diagnostic at the first line that has some, or one that names the build-arg.
    pub fn check_credentials(&self, args: &BuildArgs) -> Result<(), Diagnostic> {
        if self.is_empty() {
            return Ok(());
        }
        let mut entries = self.entries().iter();
        if let Some(entry) = entries.find(|entry| has_credentials(&entry.text)) {
            return Err(Diagnostic::new(
                "this line has credentials, which the builder's history and provenance would keep",
            )
            .at(&entry.file, entry.lines)
            .help(match entry.requirement().map(|found| &found.source) {
                Some(Source::Repository(_)) => OF_REPOSITORY,
                _ => OF_SERVER,
            }));
        }
        // Files that the list pins are downloaded without pip.
        match self.pinned() {
            Some(_) => Ok(()),
            None => check_settings(|name| args.get(name)),
        }
    }
}

/// Refuses credentials in pip's settings, of which `given` knows the values.
///
/// # Errors
/// A diagnostic that names the build-arg.
pub fn check_settings<'a>(given: impl Fn(&str) -> Option<&'a str>) -> Result<(), Diagnostic> {
    let mut names = PIP_SETTINGS.iter();
    match names.find(|name| given(name).is_some_and(has_credentials)) {
        Some(name) => Err(Diagnostic::new(format!(
            "the build-arg {name} has credentials, which the builder's history and provenance would keep"
        ))
        .help(format!(
            "Pass it with --secret id={name},env={name}, and the login for downloads with --secret id=HTTP_AUTH_HEADER_<host>,env=…."
        ))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::requirements::list_of;
    use condafront_model::source::Level;

    #[test]
    fn credentials_are_refused_wherever_they_are() {
        let url = "https://me:hunter2@i.example/simple";
        let pinned = format!(
            "demo @ https://f.example/demo-1-py3-none-any.whl --hash=sha256:{}",
            "1".repeat(64)
        );
        let mut shown = Vec::new();
        for (text, setting, is_refused) in [
            (&*format!("--index-url {url}\nsix"), "", true),
            (&format!("demo @ {url}/demo-1.0.tar.gz"), "", true),
            ("demo @ git+https://me:hunter2@git.example/demo", "", true),
            ("demo @ git+ssh://git@git.example/demo", "", false),
            (
                "--index-url https://${USER}:${TOKEN}@i.example/simple\nsix",
                "",
                false,
            ),
            (
                "--extra-index-url https://__token__:${TOKEN}@i.example/simple\nsix",
                "",
                false,
            ),
            (
                "demo @ https://f.example/p/t/demo-1.0.zip?ref_type=heads",
                "",
                false,
            ),
            ("six", url, true),
            (&pinned, url, false),
            ("", url, false),
        ] {
            let setting = Some(("PIP_EXTRA_INDEX_URL", setting));
            let args: BuildArgs = setting
                .into_iter()
                .filter(|(_, url)| !url.is_empty())
                .collect();
            let found = list_of(text).check_credentials(&args);
            assert_eq!(found.is_err(), is_refused, "{text}");
            if let Err(error) = found {
                shown.push(error.render(Level::Error));
            }
        }
        let shown = shown.join("\n");
        assert!(!shown.contains("hunter2"), "{shown}");
        insta::assert_snapshot!(shown);
    }
}
