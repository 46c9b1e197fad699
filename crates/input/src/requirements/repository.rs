//! Git repositories in a list of requirements.

use url::Url;

use super::syntax::{check_syntax, is_name, without_extras};
use crate::context_path::joined;
use crate::mistake::Mistake;
use condafront_model::redact::quoted;
use condafront_step_spec::pip_variables::variables;

/// A git repository, and what to take from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository {
    /// The URL to clone.
    pub url: String,
    /// Branch, tag or commit; `None` is the default branch.
    pub reference: Option<String>,
    /// The folder of the package in the repository.
    pub subdir: Option<String>,
}

impl Repository {
    /// `https://host/path@reference#subdirectory=folder` (<https://pip.pypa.io/en/stable/topics/vcs-support/>).
    pub(super) fn parse(url: &str, whole: &str) -> Result<Self, Mistake> {
        if let Some(name) = variables(url).first() {
            return Err(Mistake::new(
                format!(
                    "BuildKit fetches `{}` and does not have ${{{name}}}",
                    quoted(whole)
                ),
                format!(
                    "Set it with --build-arg {name}=…; if it is a secret, remove it from the URL and pass --secret id=GIT_AUTH_TOKEN,env=…"
                ),
            ));
        }
        let no_url = || {
            Mistake::new(
                format!("`{}` is not the URL of a git repository", quoted(whole)),
                "For example: NAME @ git+https://git.example/team/demo.git@v1.0",
            )
        };
        let mut parsed = Url::parse(url).map_err(|_| no_url())?;
        if !["https", "http", "ssh", "git"].contains(&parsed.scheme()) || !parsed.has_host() {
            return Err(no_url());
        }
        let fragment = parsed.fragment().unwrap_or_default().to_owned();
        parsed.set_fragment(None);
        let mut subdir = None;
        for (name, value) in url::form_urlencoded::parse(fragment.as_bytes()) {
            if name == "subdirectory" {
                let path = joined("", &value).ok_or_else(|| {
                    Mistake::new(
                        format!("`{}` is outside the repository", quoted(&value)),
                        "Give the path from the root of the repository.",
                    )
                })?;
                subdir = Some(path).filter(|path| !path.is_empty());
            }
        }
        let path = parsed.path().to_owned();
        let reference = match path.rsplit_once('@') {
            Some((_, "")) => return Err(no_url()),
            Some((path, reference)) => {
                parsed.set_path(path);
                Some(reference.to_owned())
            }
            None => None,
        };
        Ok(Self {
            url: parsed.into(),
            reference,
            subdir,
        })
    }
}

/// The name and extras in `#egg=NAME[extra]`, pip's older form of `NAME[extra] @ URL`.
pub(super) fn egg(url: &str) -> Result<Option<String>, Mistake> {
    let (_, fragment) = url.split_once('#').unwrap_or_default();
    let mut parts = url::form_urlencoded::parse(fragment.as_bytes());
    let Some((_, egg)) = parts.find(|(name, _)| name == "egg") else {
        return Ok(None);
    };
    if !is_name(without_extras(&egg).0) {
        return Err(Mistake::new(
            format!("`{}` is not a valid package name", quoted(&egg)),
            "For example: NAME @ git+https://git.example/team/demo.git@v1.0",
        ));
    }
    check_syntax(&egg, url)?;
    Ok(Some(egg.into_owned()))
}
