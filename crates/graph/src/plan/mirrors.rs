//! Where packages are fetched from, which may differ from the URLs in the input.

use std::str::FromStr;

use url::Url;

use crate::downloads::Addresses;
use condafront_model::package::PackageUrl;

/// Rewrites of the beginnings of package URLs, from the build-arg `CONDA_MIRRORS`:
/// `https://conda.anaconda.org=https://mirror.example/conda`, several of them separated by whitespace or commas.
/// Several mirrors of one beginning are tried in turn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mirrors(Vec<Mirror>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Mirror {
    from: PackageUrl,
    to: PackageUrl,
}

/// Why `CONDA_MIRRORS` is invalid. No message shows the value, because it may hold credentials.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MirrorsError {
    /// An entry has no `=`.
    #[error("entry {0} is not of the form <url>=<url of the mirror>")]
    NotAPair(usize),
    /// One of the two is not an http(s) URL.
    #[error("entry {0}: the {1} is not an http(s) URL")]
    NotAUrl(usize, &'static str),
}

impl FromStr for Mirrors {
    type Err = MirrorsError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.split(|c: char| c.is_whitespace() || c == ',')
            .filter(|entry| !entry.is_empty())
            .enumerate()
            .map(|(index, entry)| {
                let number = index + 1;
                // A URL can have `=` only in its query, and channel URLs have no query.
                let (from, to) = entry
                    .split_once('=')
                    .ok_or(MirrorsError::NotAPair(number))?;
                let url = |text: &str, what| {
                    Url::parse(text)
                        .ok()
                        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
                        .map(PackageUrl::new)
                        .ok_or(MirrorsError::NotAUrl(number, what))
                };
                Ok(Mirror {
                    from: url(from, "part before =")?,
                    to: url(to, "part after =")?,
                })
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

impl Mirrors {
    /// The URLs to try, in order; never empty. A URL that has a mirror is not tried itself.
    pub fn candidates(&self, url: &PackageUrl) -> Vec<PackageUrl> {
        // No token is left in a conda package's URL.
        let recorded = url.recorded_file();
        let found: Vec<PackageUrl> = self
            .0
            .iter()
            .filter_map(|mirror| mirror.rewrite(&recorded))
            .collect();
        if found.is_empty() {
            vec![url.clone()]
        } else {
            found
        }
    }

    /// The first of the URLs to try for each of `urls`, at its first attempt.
    pub fn addresses<'a>(&self, urls: impl IntoIterator<Item = &'a PackageUrl>) -> Addresses {
        Addresses::new(urls.into_iter().map(|url| self.candidates(url)))
    }
}

impl Mirror {
    fn rewrite(&self, url: &Url) -> Option<PackageUrl> {
        let from = self.from.recorded();
        let same_origin = from.origin() == url.origin();
        let beginning = from.path().trim_end_matches('/');
        let rest = url.path().strip_prefix(beginning)?;
        if !same_origin || !(rest.is_empty() || rest.starts_with('/')) {
            return None;
        }
        let mut rewritten = self.to.url().clone();
        let path = format!("{}{rest}", rewritten.path().trim_end_matches('/'));
        rewritten.set_path(&path);
        if rewritten.query().is_none() {
            rewritten.set_query(url.query());
        }
        Some(PackageUrl::new(rewritten))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidates(mirrors: &str, url: &str) -> Vec<String> {
        let mirrors: Mirrors = mirrors.parse().unwrap();
        mirrors
            .candidates(&PackageUrl::new(Url::parse(url).unwrap()))
            .iter()
            .map(|url| url.url().to_string())
            .collect()
    }

    #[test]
    fn beginnings_are_rewritten_at_path_boundaries() {
        let mirrors =
            "https://conda.anaconda.org=https://m.example/conda/ https://a.example/x=http://b";
        assert_eq!(
            candidates(
                mirrors,
                "https://conda.anaconda.org/conda-forge/noarch/a-1-0.conda"
            ),
            ["https://m.example/conda/conda-forge/noarch/a-1-0.conda"]
        );
        assert_eq!(
            candidates(mirrors, "https://a.example/xy/noarch/a-1-0.conda"),
            ["https://a.example/xy/noarch/a-1-0.conda"]
        );
        assert_eq!(
            candidates(mirrors, "https://a.example/x/noarch/a-1-0.conda"),
            ["http://b/noarch/a-1-0.conda"]
        );
        assert_eq!(
            candidates(mirrors, "https://a.example/x/a-1-py3-none-any.whl?raw=true"),
            ["http://b/a-1-py3-none-any.whl?raw=true"]
        );
    }

    #[test]
    fn several_mirrors_are_tried_in_turn() {
        assert_eq!(
            candidates(
                "https://a=https://b,https://a=https://t:k@c/d",
                "https://a/f/noarch/a-1-0.conda"
            ),
            [
                "https://b/f/noarch/a-1-0.conda",
                "https://t:k@c/d/f/noarch/a-1-0.conda"
            ]
        );
    }

    #[test]
    fn mistakes_are_named_without_the_value() {
        for (text, message) in [
            (
                "https://a",
                "entry 1 is not of the form <url>=<url of the mirror>",
            ),
            (
                "https://a=b",
                "entry 1: the part after = is not an http(s) URL",
            ),
            (
                "https://a=https://b,x=https://c",
                "entry 2: the part before = is not an http(s) URL",
            ),
        ] {
            assert_eq!(text.parse::<Mirrors>().unwrap_err().to_string(), message);
        }
    }
}
