//! What a build takes besides its files and build-args, and what its containers take: named contexts, secrets and variables. The
//! lists are those of `docs/reference.md`.

use condafront_entrypoint::authorities;
use condafront_entrypoint::reserved::{ENV_NAME, SKIP};
use condafront_input::Logins;

/// The named context with a folder that the packages come from instead of from servers.
pub(crate) const CHANNEL: &str = "channel";
/// The named context with the image that the target `verify` checks.
pub(crate) const IMAGE: &str = "image";
/// The named context with the image that the target `diff` compares with.
pub(crate) const OLD: &str = "old";
/// The named context with the image that the target `diff` looks at instead of what the file describes.
pub(crate) const NEW: &str = "new";
/// The named context with the micromamba that installs packages.
pub(crate) const MICROMAMBA: &str = "micromamba";

/// Something that a build or a container takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// What to write, in Markdown.
    pub form: String,
    /// What it is for, in Markdown with links to pages in `docs`.
    pub about: &'static str,
}

fn taken(form: String, about: &'static str) -> Taken {
    Taken { form, about }
}

/// The named contexts: `docker build --build-context`.
pub fn named_contexts() -> Vec<Taken> {
    vec![
        taken(
            "`NAME=…` for the name of an image".to_owned(),
            "replaces that image: `debian:13-slim=docker-image://registry.example/debian:13`",
        ),
        taken(
            format!("`{CHANNEL}=FOLDER`"),
            "the packages, from a folder that `--target channel` has written ([air-gap.md](air-gap.md))",
        ),
        taken(
            format!("`{IMAGE}=…`"),
            "with `--target verify`, the image to check ([verify.md](verify.md#--target-verify))",
        ),
        taken(
            format!("`{OLD}=…`, `{NEW}=…`"),
            "with `--target diff`, the images to compare; without the second, it is what the file describes ([verify.md](verify.md#--target-diff))",
        ),
        taken(
            format!("`{MICROMAMBA}=…`"),
            "a folder or image that has the micromamba to install with",
        ),
    ]
}

/// The secrets: `docker build --secret`.
pub fn secrets() -> Vec<Taken> {
    let [token, header] = Logins::names("HOST");
    vec![
        taken(
            format!("`id={token}`"),
            "the token for the server HOST, sent as `Authorization: Bearer …` (BuildKit 0.23 or later)",
        ),
        taken(
            format!("`id={header}`"),
            "the whole `Authorization` header for HOST ([inputs.md](inputs.md#mirrors-logins-and-proxies))",
        ),
        taken(
            format!("`id={}`", authorities::SECRET),
            "certificate authorities to trust besides the public ones, in PEM form ([certificates.md](certificates.md))",
        ),
        taken(
            "`id=NAME`, for `${NAME}` in a pip list or in `PIP_*`".to_owned(),
            "a value that only pip sees ([pip.md](pip.md#private-indexes))",
        ),
        taken(
            "`id=NAME`, for `type: secret` of a command".to_owned(),
            "a file or variable of that command ([image.md](image.md#run))",
        ),
    ]
}

/// The variables that the entrypoint reads when a container starts.
pub fn container_variables() -> Vec<Taken> {
    vec![
        taken(
            format!("`{SKIP}=1`"),
            "no active environment: the plain base image",
        ),
        taken(
            format!("`{ENV_NAME}`"),
            "another environment of the image, `/opt/conda/envs/<name>`, including one that a derived image has added",
        ),
    ]
}
