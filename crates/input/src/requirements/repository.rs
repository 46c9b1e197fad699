//! Git repositories in a list of requirements.

use pep508_rs::pep440_rs::Version;
use percent_encoding::percent_decode_str;
use url::Url;

use super::check::check_syntax;
use super::syntax::{is_name, without_extras};
use crate::context_path::joined;
use crate::mistake::Mistake;
use condafront_model::pypi_package::normalized;
use condafront_model::redact::quoted;
use condafront_step_spec::pip_variables::variables;

/// A git repository, and what to take from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository {
    /// The URL to clone.
    pub url: String,
    /// Branch, tag or commit; `None` is the default branch.
    pub reference: Option<String>,
    /// The branch or tag that the commit was found by, if a lock says so.
    pub found_by: Option<String>,
    /// The folder of the package in the repository.
    pub subdir: Option<String>,
    /// Whether builds see its history, with all branches and tags.
    pub has_history: bool,
}

impl Repository {
    /// `https://host/path@reference#subdirectory=folder` (<https://pip.pypa.io/en/stable/topics/vcs-support/>). `history=true`
    /// in the fragment is condafront's own; pip ignores what it does not know there.
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
        let mut has_history = false;
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
            if name == "history" {
                has_history = match &*value {
                    "true" => true,
                    "false" => false,
                    other => return Err(no_history(other, parsed.scheme())),
                };
            }
        }
        if has_history && parsed.scheme() == "ssh" {
            return Err(no_history("true", "ssh"));
        }
        let path = parsed.path().to_owned();
        let reference = match path.rsplit_once('@') {
            Some((_, "")) => return Err(no_url()),
            Some((path, reference)) => {
                if has_reference(path) {
                    return Err(cut_reference(url, reference));
                }
                parsed.set_path(path);
                let reference = percent_decode_str(reference).decode_utf8();
                Some(reference.map_err(|_| no_url())?.into_owned())
            }
            None => None,
        };
        Ok(Self {
            url: parsed.into(),
            reference,
            found_by: None,
            subdir,
            has_history,
        })
    }
}

/// Whether the path of a repository ends with a part of a reference: `/demo.git@demo` of `/demo.git@demo@1.0`.
fn has_reference(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    path.contains(".git@") || name.find('@').is_some_and(|at| at > 0)
}

/// The error for a reference with an `@`, of which pip takes only the last part.
fn cut_reference(url: &str, last: &str) -> Mistake {
    let url = url.split(['#', '?']).next().unwrap_or(url);
    Mistake::new(
        format!(
            "`{}` has two references: pip takes only the last one, `{}`, and the rest for the repository",
            quoted(url),
            quoted(last)
        ),
        "If there is an @ in the name of the tag, write the commit instead.",
    )
}

/// The error for `history=VALUE` in a repository's URL with this scheme.
fn no_history(value: &str, scheme: &str) -> Mistake {
    if scheme == "ssh" {
        return Mistake::new(
            "the history of a repository cannot be loaded over ssh",
            "Use its https URL, with --secret id=GIT_AUTH_TOKEN,env=… if it is private; or give the version with --build-arg SETUPTOOLS_SCM_PRETEND_VERSION_FOR_<NAME>=….",
        );
    }
    Mistake::new(
        format!("`history={}` is not valid", quoted(value)),
        "Write `history=true` for a build that sees all commits and tags, or remove it.",
    )
}

impl Repository {
    /// The version in the name of the tag that is asked for, `v1.0`, or `demo-1.0` for the package `demo`: what tools that ask
    /// git for the version of a package would find in a clone. Other names (`fix-numpy-2.0`) may well be those of branches.
    pub fn version(&self, package: &str) -> Option<String> {
        // Otherwise, its tags say more.
        if self.has_history {
            return None;
        }
        let name = self.found_by.as_ref().or(self.reference.as_ref())?;
        let name = name.strip_prefix("refs/tags/").unwrap_or(name);
        let package = normalized(package);
        let mut ends = name.match_indices('-');
        let with_name = || {
            ends.find_map(|(end, _)| {
                let is_own = normalized(&name[..end]) == package;
                is_own.then(|| tag_version(&name[end + 1..])).flatten()
            })
        };
        tag_version(name).or_else(with_name)
    }

    /// Whether the reference can be the beginning of a commit's name, which neither git servers nor BuildKit look for. It may as
    /// well be a branch or tag: `20240101b`, `cafe`.
    pub fn may_be_short_commit(&self) -> bool {
        let reference = self.reference.as_deref().unwrap_or_default();
        (4..40).contains(&reference.len()) && reference.bytes().all(|byte| byte.is_ascii_hexdigit())
    }

    /// Whether its reference looks like the beginning of a commit's name as git prints it: at least seven hex digits, and not a
    /// number, such as that of a day or an issue.
    pub fn is_like_short_commit(&self) -> bool {
        let reference = self.reference.as_deref().unwrap_or_default();
        let is_number = reference.bytes().all(|byte| byte.is_ascii_digit());
        self.may_be_short_commit() && reference.len() >= 7 && !is_number
    }

    /// Whether git can load from it in a step: those have no keys for ssh.
    pub fn is_loaded_by_steps(&self) -> bool {
        !self.url.starts_with("ssh:")
    }
}

/// The version `v1.0` or `1.0`. A number without a dot may well be a branch for an issue, or a short commit.
fn tag_version(text: &str) -> Option<String> {
    let number = text.strip_prefix(['v', 'V']).unwrap_or(text);
    let release = number.find(|c: char| c != '.' && !c.is_ascii_digit());
    let release = &number[..release.unwrap_or(number.len())];
    let is_release = release.starts_with(|c: char| c.is_ascii_digit()) && release.contains('.');
    let version = number.parse::<Version>().ok().filter(|_| is_release)?;
    Some(version.to_string())
}

/// The name and extras in `#egg=NAME[extra]`, pip's older form of `NAME[extra] @ URL`. A version may follow, which no release of
/// pip compares with that of the repository: `#egg=NAME==1.0`.
pub(super) fn egg(url: &str) -> Result<Option<String>, Mistake> {
    let (_, fragment) = url.split_once('#').unwrap_or_default();
    let mut parts = url::form_urlencoded::parse(fragment.as_bytes());
    let Some((_, egg)) = parts.find(|(name, _)| name == "egg") else {
        return Ok(None);
    };
    let end = egg.find(['=', '<', '>', '!', '~']).unwrap_or(egg.len());
    let egg = egg[..end].trim_end();
    if !is_name(without_extras(egg).0) {
        return Err(Mistake::new(
            format!("`{}` is not a valid package name", quoted(egg)),
            "For example: NAME @ git+https://git.example/team/demo.git@v1.0",
        ));
    }
    check_syntax(egg, url)?;
    Ok(Some(egg.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repository(reference: &str) -> Repository {
        let url = format!("https://git.example/demo@{reference}");
        Repository::parse(&url, &url).unwrap()
    }

    #[test]
    fn tags_have_versions() {
        for (reference, version) in [
            ("v1.0", Some("1.0")),
            ("1.2.3", Some("1.2.3")),
            ("V2.0", Some("2.0")),
            ("V2", None),
            ("demo-1.0", None),
            ("my-demo-1.0", Some("1.0")),
            ("My_Demo-v1.0rc1", Some("1.0rc1")),
            ("fix-numpy-2.0", None),
            ("my-demo-fix-2.0", None),
            ("release-2.0", None),
            ("my-demo-2", None),
            ("v1.0-rc1", Some("1.0rc1")),
            ("refs/tags/v1.0", Some("1.0")),
            ("v1.0+local", Some("1.0+local")),
            ("main", None),
            ("1.x", None),
            ("1234", None),
            ("issue-12", None),
            ("0123abc", None),
            ("very-1st.thing", None),
        ] {
            assert_eq!(
                repository(reference).version("my.demo").as_deref(),
                version,
                "{reference}"
            );
        }
        let by_tag = Repository {
            found_by: Some("v1.0".to_owned()),
            ..repository("0123abc")
        };
        assert_eq!(by_tag.version("demo").as_deref(), Some("1.0"));
    }

    #[test]
    fn references_are_as_git_has_them() {
        for (url, reference) in [
            ("https://git.example/demo", None),
            (
                "https://git.example/demo.git@pr\u{fc}fung",
                Some("pr\u{fc}fung"),
            ),
            ("https://git.example/demo@feature/a", Some("feature/a")),
            ("https://git.example/@team/demo@v1", Some("v1")),
            // Only a manifest writes it so.
            ("https://git.example/demo@demo%401.0", Some("demo@1.0")),
        ] {
            let found = Repository::parse(url, url).unwrap();
            assert_eq!(found.reference.as_deref(), reference, "{url}");
        }
        for url in [
            "https://git.example/demo.git@demo@1.0",
            "https://git.example/demo@demo@1.0#subdirectory=a",
            "https://git.example/demo.git@@team/demo@1.0",
        ] {
            let mistake = Repository::parse(url, url).unwrap_err();
            assert!(format!("{mistake:?}").contains("`1.0`"), "{mistake:?}");
        }
    }

    #[test]
    fn history_is_loaded_on_request() {
        let parse = |url: &str| Repository::parse(url, url);
        let url = "https://git.example/demo@v1.0#subdirectory=a&history=true";
        let found = parse(url).unwrap();
        assert!(found.has_history);
        assert_eq!(found.subdir.as_deref(), Some("a"));
        assert_eq!(found.version("demo"), None);
        let found = parse("https://git.example/demo#history=false").unwrap();
        assert!(!found.has_history);
    }

    #[test]
    fn beginnings_of_commits() {
        let whole = "0123456789abcdef0123456789abcdef01234567";
        for (reference, may_be_one, is_like_one) in [
            ("0123abc", true, true),
            ("20240101", true, false),
            ("cafe", true, false),
            (whole, false, false),
            ("main", false, false),
            ("abc", false, false),
        ] {
            let found = repository(reference);
            assert_eq!(found.may_be_short_commit(), may_be_one, "{reference}");
            assert_eq!(found.is_like_short_commit(), is_like_one, "{reference}");
        }
    }
}
