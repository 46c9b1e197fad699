//! What all of condafront talks about: packages, channels, platforms, and places in the user's files. No I/O.

pub mod certificate;
pub mod channel;
pub mod check_options;
pub mod cutoff;
pub mod encoding;
pub mod environment_prefix;
pub mod execve;
pub mod image_path;
pub mod layers;
pub mod link_order;
pub mod lint;
pub mod mistakes;
pub mod nearest;
pub mod origin;
pub mod package;
pub mod placeholder;
pub mod platform;
pub mod prose;
pub mod pypi_package;
pub mod redact;
pub mod reserved;
pub mod secrets;
pub mod source;
pub mod stamp;
pub mod visible;
