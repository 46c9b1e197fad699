//! What can be wrong with what users write for a channel.

use crate::platform::Platform;
use crate::redact;

/// Why a text does not name a channel.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChannelError {
    /// An empty name.
    #[error("a channel has no name")]
    Empty,
    /// A `file:` URL or a path.
    #[error("`{}` is a local folder, which the build cannot see", redact::quoted(.0))]
    OnOneMachine(String),
    /// Neither http nor https.
    #[error("channels cannot be downloaded over `{0}:`")]
    Scheme(String),
    /// A URL without `https://`.
    #[error("`{}` looks like a URL without https://", redact::quoted(.0))]
    NoScheme(String),
    /// Something that is not a valid URL.
    #[error("`{}` is not a URL: {reason}", redact::quoted(text))]
    NotAUrl {
        /// What was written.
        text: String,
        /// What is wrong with it.
        #[source]
        reason: NotAUrl,
    },
    /// A line break, or a character that is not shown.
    #[error("`{}` contains {what}", redact::quoted(text))]
    Unfit {
        /// What was written.
        text: String,
        /// What it contains.
        what: String,
    },
    /// A URL with a query.
    #[error("`{}` has a query, which the URL of a channel cannot have", redact::quoted(.0))]
    Query(String),
    /// A file in a channel.
    #[error("`{}` is a file in a channel", redact::quoted(.0))]
    File(String),
    /// A MatchSpec.
    #[error("`{}` is a dependency with a channel, not a channel", redact::quoted(.0))]
    Spec(String),
    /// `-c name`.
    #[error("`{}` is a conda option, not a channel", redact::quoted(.0))]
    Option(String),
    /// Several channels in one text.
    #[error("`{}` is more than one channel", redact::quoted(.0))]
    Several(String),
    /// `name[linux-64]`, and other characters that names cannot have.
    #[error("`{}` is not a valid channel name", redact::quoted(.0))]
    Characters(String),
    /// The folder of another platform than the image's.
    #[error("`{}` is a folder for {subdir}, but the image is built for {platform} ({})", redact::quoted(text), platform.subdir())]
    OtherPlatform {
        /// What was written.
        text: String,
        /// Its platform.
        subdir: String,
        /// The image's.
        platform: Platform,
    },
}

/// Why a text is not a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAUrl {
    /// There is no scheme.
    #[error("it does not begin with https://")]
    NoScheme,
    /// It has a scheme, and something else that is invalid.
    #[error(transparent)]
    Invalid(#[from] url::ParseError),
}

impl ChannelError {
    /// The same error about `written`, for a text that was made from it: only what the user wrote is shown.
    #[must_use]
    pub fn about(self, written: &str) -> Self {
        let written = || written.to_owned();
        match self {
            Self::OnOneMachine(_) => Self::OnOneMachine(written()),
            Self::NoScheme(_) => Self::NoScheme(written()),
            Self::NotAUrl { reason, .. } => Self::NotAUrl {
                text: written(),
                reason,
            },
            Self::Query(_) => Self::Query(written()),
            Self::File(_) => Self::File(written()),
            Self::Spec(_) => Self::Spec(written()),
            Self::Option(_) => Self::Option(written()),
            Self::Several(_) => Self::Several(written()),
            Self::Characters(_) => Self::Characters(written()),
            Self::OtherPlatform {
                subdir, platform, ..
            } => Self::OtherPlatform {
                text: written(),
                subdir,
                platform,
            },
            Self::Unfit { what, .. } => Self::Unfit {
                text: written(),
                what,
            },
            Self::Empty | Self::Scheme(_) => self,
        }
    }

    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            Self::Empty => "Write a name such as conda-forge, or a URL.".to_owned(),
            Self::OnOneMachine(_) => {
                "Serve the folder from a web server, and write its http(s) URL.".to_owned()
            }
            Self::Scheme(scheme) if scheme == "s3" => {
                "Write the https address of the bucket, such as https://bucket.s3.eu-west-1.amazonaws.com/channel. For a private bucket, write the address of a server in front of it that asks for a login."
                    .to_owned()
            }
            Self::Scheme(_) => {
                "BuildKit downloads over http(s) only. Write the https address of the channel, or a name such as conda-forge."
                    .to_owned()
            }
            Self::Unfit { .. } => "Remove it.".to_owned(),
            Self::NoScheme(text) => format!("Write `https://{}`.", redact::quoted(text)),
            Self::NotAUrl { .. } => {
                "Write a URL such as https://conda.example/channel, or a name such as conda-forge."
                    .to_owned()
            }
            Self::File(_) => {
                "Write the channel's folder, the one that contains noarch and linux-64.".to_owned()
            }
            Self::Spec(text) => {
                let (channel, spec) = text.split_once("::").unwrap_or((text, ""));
                format!(
                    "Write `{}` here, and `{}` under `dependencies:`.",
                    redact::quoted(channel.trim()),
                    redact::quoted(spec.trim())
                )
            }
            Self::Option(_) => "Write the channel alone, such as conda-forge.".to_owned(),
            Self::Query(_) => {
                "Remove the `?` and what follows it. For a login, use the secret HTTP_AUTH_TOKEN_<host>."
                    .to_owned()
            }
            Self::Several(_) => "Write each as a separate entry.".to_owned(),
            Self::Characters(text) if text.contains('[') => {
                "Remove the brackets; the platform folders are found automatically.".to_owned()
            }
            Self::Characters(_) => {
                "Use letters, digits, `-`, `_`, `.` and `/`, as in conda-forge/label/dev."
                    .to_owned()
            }
            Self::OtherPlatform { .. } => {
                "Remove the platform; the right folder is found automatically.".to_owned()
            }
        }
    }
}
