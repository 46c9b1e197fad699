//! Why a package cannot be downloaded, based on the server's answer.

use condafront_graph::wanted::{ServerKind, Wanted, WantedKind};
use std::sync::Arc;

use http::StatusCode;

use crate::gateway::messages::{DownloadFailure, download_failure};

use condafront_model::certificate::CertificateFault;
use condafront_model::channel::Channel;
use condafront_model::package::PackageUrl;
use condafront_model::source::{Diagnostic, SourceFile};
use condafront_step_spec::timeout::Timeout;
use condafront_steps::install::is_web_page;

/// One failed download.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    url: PackageUrl,
    cause: Cause,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Cause {
    /// The server answered with this HTTP status.
    Status(u16),
    /// No server has that name.
    UnknownHost,
    /// A source policy of the build does not allow it.
    Denied,
    /// TLS failed for this reason.
    Tls(String),
    /// The connection broke or was refused, in BuildKit's words.
    Connection(String),
    /// The server sent a web page instead of a package.
    WebPage,
    /// The content does not have the expected hash.
    Digest {
        expected: String,
        found: String,
        bytes: usize,
    },
    /// The content is sometimes wrong and sometimes right.
    Damaged,
    /// The whole content did not arrive within this time.
    Stalled(Timeout),
    /// A step refuses the content, in these words.
    Refused(String),
}

impl Failure {
    /// From BuildKit's message about a download.
    pub(crate) fn from_message(url: PackageUrl, message: &str) -> Self {
        let cause = match download_failure(message) {
            DownloadFailure::Status(status) => Cause::Status(status),
            DownloadFailure::UnknownHost => Cause::UnknownHost,
            DownloadFailure::Digest => Cause::Damaged,
            DownloadFailure::Denied => Cause::Denied,
            DownloadFailure::Tls(reason) => Cause::Tls(reason),
            DownloadFailure::Connection(reason) => Cause::Connection(reason),
        };
        Self { url, cause }
    }

    /// From the content that came instead of the package: `bytes` bytes with the SHA-256 `found` that begin with
    /// `start`.
    pub(crate) fn from_content(
        url: PackageUrl,
        start: &[u8],
        bytes: usize,
        expected: &str,
        found: String,
    ) -> Self {
        let cause = if is_web_page(start) {
            Cause::WebPage
        } else {
            Cause::Digest {
                expected: expected.to_owned(),
                found,
                bytes,
            }
        };
        Self { url, cause }
    }

    /// From the words of a step that found out that the content is wrong.
    pub(crate) fn from_step(url: PackageUrl, message: &str) -> Self {
        Self {
            url,
            cause: Cause::Refused(message.to_owned()),
        }
    }

    /// From a download that was given up after this time.
    pub(crate) fn stalled(url: PackageUrl, time: Timeout) -> Self {
        Self {
            url,
            cause: Cause::Stalled(time),
        }
    }

    /// Whether a retry may succeed.
    pub(crate) fn is_passing(&self) -> bool {
        match &self.cause {
            Cause::Status(status) => matches!(status, 408 | 425 | 429 | 500..),
            Cause::Connection(_)
            | Cause::Stalled(_)
            | Cause::Damaged
            | Cause::WebPage
            | Cause::Digest { .. }
            | Cause::Refused(_) => true,
            Cause::UnknownHost | Cause::Tls(_) | Cause::Denied => false,
        }
    }

    /// Whether it did not arrive in time.
    pub(crate) fn is_stall(&self) -> bool {
        matches!(self.cause, Cause::Stalled(_))
    }

    /// Whether the server asks to be given time.
    pub(crate) fn is_busy(&self) -> bool {
        matches!(self.cause, Cause::Status(429 | 503))
    }

    /// How often exactly the same failure is taken for an accident. A web page usually comes from something in front of
    /// the server, which may go away.
    pub(crate) fn accidents(&self) -> usize {
        match self.cause {
            // It has taken long enough.
            Cause::Stalled(_) => 1,
            Cause::Digest { .. } | Cause::Refused(_) => 2,
            _ => usize::MAX,
        }
    }

    /// Whether the server says that there is no such file. Some object stores answer 403 in that case.
    pub(crate) fn is_absence(&self) -> bool {
        matches!(self.cause, Cause::Status(403 | 404 | 410))
    }

    /// Whether the server says unambiguously that there is no such file.
    pub(crate) fn is_certain_absence(&self) -> bool {
        matches!(self.cause, Cause::Status(404 | 410))
    }

    /// In words; `file` is what was requested, and `pin` what fixes its content.
    fn message(&self, file: &str, pin: &str) -> String {
        let url = &self.url;
        match &self.cause {
            Cause::Status(status) => format!("{url} answered {}", status_text(*status)),
            Cause::UnknownHost => format!("there is no host {} ({url})", url.host()),
            Cause::Denied => format!("the build's source policy does not allow {url}"),
            Cause::Tls(reason) => {
                format!("no secure connection to {} ({url}): {reason}", url.host())
            }
            Cause::Connection(reason) => format!("the connection to {url} failed: {reason}"),
            Cause::WebPage => format!("{url} answered with a web page, not {file}"),
            Cause::Digest {
                expected,
                found,
                bytes,
            } => format!(
                "{url} does not match {pin} ({bytes} bytes)\n  sha256 expected {expected}\n  sha256 found    {found}"
            ),
            Cause::Damaged => format!("{url} arrived damaged several times"),
            Cause::Stalled(time) => format!("{url} did not arrive within {time}"),
            Cause::Refused(reason) => format!("{url} is not the expected file: {reason}"),
        }
    }

    fn help(&self, kind: WantedKind) -> String {
        let server = kind.server();
        let is_installer = kind == WantedKind::Installer;
        match &self.cause {
            Cause::Status(404 | 410) if is_installer => {
                "There is no such package. Choose another version with --build-arg MICROMAMBA_VERSION=<version>, or name a mirror that has it with --build-arg CONDA_MIRRORS=<url>=<mirror>.".to_owned()
            }
            Cause::Digest { .. } if is_installer => {
                "Either MICROMAMBA_VERSION has the hash of another package, or the file was replaced on the server. Find out which before you trust it.".to_owned()
            }
            Cause::Status(404 | 410) if kind == WantedKind::PipInstaller => {
                "The server does not have this file.".to_owned()
            }
            Cause::Status(404 | 410) if kind == WantedKind::List => format!(
                "Check the address. If the file is private, pass a token with --secret id=HTTP_AUTH_TOKEN_{},env=… (BuildKit 0.23 or later).",
                self.url.host()
            ),
            Cause::Digest { .. } if kind == WantedKind::List => {
                "Either the hash is that of an older version, or the file was replaced on the server. Find out what has changed before you correct the hash.".to_owned()
            }
            Cause::Denied if kind == WantedKind::List => {
                "Put the list into the build context, or use a server that the policy allows. If it demands checksums, add the list's hash to the address: `#sha256=…`.".to_owned()
            }
            Cause::Status(404 | 410) => format!(
                "The {server} does not have this package, or has removed it. Regenerate the lock file, or name a mirror that has it with --build-arg CONDA_MIRRORS=<url>=<mirror>."
            ),
            Cause::Digest { .. } if kind == WantedKind::PipInstaller => {
                "The file was replaced on the server. Find out why before you trust it.".to_owned()
            }
            _ => self.help_with_server(server),
        }
    }

    /// What to do about a server, whatever was requested.
    fn help_with_server(&self, server: ServerKind) -> String {
        let host = self.url.host();
        match &self.cause {
            Cause::Status(401 | 403) => format!(
                "If the {server} needs a login, pass a token with --secret id=HTTP_AUTH_TOKEN_{host},env=… (BuildKit 0.23 or later)."
            ),
            Cause::Status(_) | Cause::Connection(_) | Cause::Damaged => {
                "Several retries failed. Build again later, or name a mirror with --build-arg CONDA_MIRRORS=<url>=<mirror>; finished downloads are kept.".to_owned()
            }
            Cause::Stalled(_) => "The server may have stopped sending. Name a mirror with --build-arg CONDA_MIRRORS=<url>=<mirror>, or give a slow network more time with --build-arg CONDAFRONT_TIMEOUT=2h.".to_owned(),
            Cause::Denied => {
                let article = match server {
                    ServerKind::Channel | ServerKind::Files => "a",
                    ServerKind::Index => "an",
                };
                format!("Use {article} {server} or a mirror (--build-arg CONDA_MIRRORS=<url>=<mirror>) that the policy allows. If it demands checksums, every package needs its sha256 in the file.")
            }
            Cause::UnknownHost => "Check the host's name, and that the engine (not only this machine) can resolve it. Set a proxy in the engine's own settings: build-args do not affect downloads.".to_owned(),
            Cause::Tls(reason) => match CertificateFault::in_text(reason) {
                Some(fault) => fault.help_for_builder().to_owned(),
                None => format!("Check that {host} speaks TLS at this port, and that the engine can use its version."),
            },
            Cause::WebPage => format!("There may be a login page or a proxy between the engine and the {server}."),
            Cause::Digest { .. } | Cause::Refused(_) if server == ServerKind::Index => "Either the lock file is outdated (regenerate it), or the file was replaced on the server. Find out which before you trust it.".to_owned(),
            Cause::Digest { .. } | Cause::Refused(_) => "Either the lock file (regenerate it) or the channel's repodata is outdated, or the file was replaced on the server. Find out which before you trust it.".to_owned(),
        }
    }
}

/// One diagnostic for all failures; `None` if there are none.
pub(crate) fn report(
    file: &Arc<SourceFile>,
    failures: &[(&Wanted, Failure)],
) -> Option<Diagnostic> {
    /// Failures beyond this number are only counted.
    const MOST: usize = 10;
    let (wanted, first) = failures.first()?;
    let mut diagnostic = if failures.len() == 1 {
        Diagnostic::new(format!(
            "{} cannot be downloaded: {}",
            wanted.label,
            first.message(wanted.kind.file(), wanted.kind.pin())
        ))
    } else {
        let mut message = format!("{} packages cannot be downloaded:", failures.len());
        for (wanted, failure) in failures.iter().take(MOST) {
            let failure = failure.message(wanted.kind.file(), wanted.kind.pin());
            message.push_str(&format!("\n- {failure}"));
        }
        if failures.len() > MOST {
            message.push_str(&format!("\n- and {} more", failures.len() - MOST));
        }
        Diagnostic::new(message)
    };
    let mut helps: Vec<String> = Vec::new();
    for (wanted, failure) in failures {
        diagnostic = diagnostic.at(wanted.file.as_ref().unwrap_or(file), wanted.lines);
        let help = failure.help(wanted.kind);
        if !helps.contains(&help) {
            helps.push(help);
        }
    }
    helps.truncate(3);
    let is_installer = |(wanted, _): &(&Wanted, Failure)| wanted.kind == WantedKind::Installer;
    if failures.iter().any(is_installer) {
        helps.push("micromamba links the packages. Pass your own with --build-context micromamba=<folder, or docker-image://…>, or build without it: --build-arg CONDAFRONT_INSTALLER=native.".to_owned());
    }
    let is_pip = |(wanted, _): &(&Wanted, Failure)| wanted.kind == WantedKind::PipInstaller;
    if failures.iter().any(is_pip) {
        helps.push("The environment has no pip of its own. Add pip to its conda dependencies, or name a mirror with --build-arg CONDA_MIRRORS=https://files.pythonhosted.org=<mirror>.".to_owned());
    }
    Some(diagnostic.help(helps.join("\n")))
}

/// One diagnostic for all channels whose repodata cannot be downloaded; `None` if there are none.
pub(crate) fn report_channels(
    file: &Arc<SourceFile>,
    failures: &[(&Channel, Failure)],
) -> Option<Diagnostic> {
    let message = |failure: &Failure| failure.message("a package", "the expected hash");
    let mut diagnostic = match failures {
        [] => return None,
        [(channel, failure)] => Diagnostic::new(format!(
            "channel {} cannot be used: {}",
            channel.name,
            message(failure)
        )),
        several => {
            let messages: Vec<String> = several
                .iter()
                .map(|(_, failure)| message(failure))
                .collect();
            let count = several.len();
            Diagnostic::new(format!(
                "{count} channels cannot be used:\n- {}",
                messages.join("\n- ")
            ))
        }
    };
    let mut helps: Vec<String> = Vec::new();
    for (channel, failure) in failures {
        diagnostic = diagnostic.at(file, channel.lines);
        let help = match &failure.cause {
            Cause::Status(404 | 410) => "Every channel has noarch/repodata.json. Check the channel's name or address. A private channel may answer like this without a token.".to_owned(),
            _ => failure.help_with_server(ServerKind::Channel),
        };
        if !helps.contains(&help) {
            helps.push(help);
        }
    }
    Some(diagnostic.help(helps.join("\n")))
}

fn status_text(status: u16) -> String {
    let reason = StatusCode::from_u16(status)
        .ok()
        .and_then(|status| status.canonical_reason());
    match reason {
        Some(reason) => format!("{status} {reason}"),
        None => format!("HTTP status {status}"),
    }
}

#[cfg(test)]
mod tests;
