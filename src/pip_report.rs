//! Turns pip's report of what it would install into what the build fetches.

use url::Url;

use condafront_input::requirements::{List, is_archive};
use condafront_model::package::{Hashes, PackageUrl};
use condafront_model::pypi_package::PipPackage;
use condafront_model::redact;
use condafront_model::source::{Diagnostic, Lines};
use condafront_model::visible::unfit;
use condafront_step_spec::channel_folder as place;
use condafront_step_spec::pip::Resolved;

/// What pip has found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// The files to fetch.
    pub packages: Vec<PipPackage>,
    /// The wheels that the build already has.
    pub wheels: Vec<FoundWheel>,
}

/// A package whose wheel the step was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FoundWheel {
    /// Name and version.
    pub label: String,
    /// Which wheel it is.
    pub index: usize,
    /// What pip says about it.
    pub resolved: Resolved,
}

/// What to fetch and install.
///
/// # Errors
/// A file that cannot be fetched, at the line that asks for it.
pub(crate) fn found(resolved: &[Resolved], list: &List) -> Result<Found, Diagnostic> {
    let mut all = Found::default();
    for found in resolved {
        match found.wheel {
            Some(index) => all.wheels.push(FoundWheel {
                label: format!("{} {}", found.name, found.version),
                index,
                resolved: found.clone(),
            }),
            None => all.packages.push(package(found, list)?),
        }
    }
    Ok(all)
}

fn package(found: &Resolved, list: &List) -> Result<PipPackage, Diagnostic> {
    let asked = list.place_of(&found.name);
    let url = Url::parse(&found.url).ok();
    let url = url.map(|url| place::elsewhere(&url).unwrap_or(url));
    let url = url.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let Some(url) = url else {
        let diagnostic = Diagnostic::new(format!(
            "the build cannot fetch {} {} from where pip found it: {}",
            found.name,
            found.version,
            redact::masked(&found.url)
        ));
        return Err(match asked {
            Some(asked) => diagnostic.at(&asked.file, asked.lines),
            None => diagnostic,
        });
    };
    Ok(PipPackage {
        name: found.name.clone(),
        version: Some(found.version.clone()),
        url: match file_in_query(&url) {
            Some(name) => PackageUrl::new(url).with_file_name(name),
            None => PackageUrl::new(url),
        },
        is_direct: found.is_direct,
        hashes: Hashes {
            sha256: found.sha256.clone(),
            md5: None,
        },
        size: None,
        lines: asked.as_ref().map_or(Lines::one(1), |asked| asked.lines),
        file: asked.map(|asked| asked.file),
        requires_dist: found.requires_dist.clone(),
        requires_python: found.requires_python.clone(),
    })
}

/// The name of the file that a URL's query asks for, if its path names none: `/dl?file=demo-1.0-py3-none-any.whl`.
fn file_in_query(url: &Url) -> Option<String> {
    if is_archive(url.path()) {
        return None;
    }
    let mut names = url.query_pairs().filter_map(|(_, value)| {
        let name = value.rsplit('/').next()?;
        let is_plain = is_archive(name) && !name.starts_with('.') && unfit(name).is_none();
        is_plain.then(|| name.to_owned())
    });
    names.next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_file_may_be_in_the_query() {
        for (url, expected) in [
            (
                "dl?file=x-1.0-py3-none-any.whl",
                Some("x-1.0-py3-none-any.whl"),
            ),
            ("dl?raw=true&path=a%2Fx-1.0.tar.gz", Some("x-1.0.tar.gz")),
            ("x-1.0.zip?file=y-1.0.zip", None),
            ("dl?file=x", None),
            ("dl?file=.whl", None),
            ("zip/main", None),
        ] {
            let url = Url::parse(&format!("https://f.example/{url}")).unwrap();
            assert_eq!(file_in_query(&url).as_deref(), expected, "{url}");
        }
    }
    use condafront_input::requirements::list_of;

    #[test]
    fn files_are_found_at_the_lines_that_ask_for_them() {
        let resolved = |url: &str| Resolved {
            name: "x".into(),
            version: "1.0".into(),
            url: url.into(),
            wheel: None,
            is_direct: false,
            sha256: None,
            requires_dist: Vec::new(),
            requires_python: None,
        };
        let list = list_of(
            "--extra-index-url=https://i.example/simple\nx\n-i https://${TOKEN}@o.example/",
        );
        let all = [
            resolved("https://i.example/files/x.whl"),
            resolved("https://o.example/x.whl"),
            Resolved {
                wheel: Some(3),
                ..resolved("file:///in/3/x.whl")
            },
        ];
        let found = found(&all, &list).unwrap();
        let urls: Vec<&str> = found
            .packages
            .iter()
            .map(|package| package.url.url().as_str())
            .collect();
        assert_eq!(
            urls,
            ["https://i.example/files/x.whl", "https://o.example/x.whl"]
        );
        assert_eq!(found.packages[0].lines, Lines::one(2));
        assert_eq!(found.wheels[0].index, 3);
        let error = super::found(&[resolved("file:///x.whl")], &list).unwrap_err();
        assert_eq!(error.locations[0].lines, Lines::one(2));
    }
}
